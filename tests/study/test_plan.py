"""Planning a protocol: whose nights tell the noise, and what is refused."""

from datetime import UTC, date, datetime, timedelta
from math import log
from pathlib import Path

import polars as pl
import pytest
from tests.cases import FIXED_PROTOCOL, ZONE, write_export

from nof1.errors import DataError, InputMissingError, NotAllowedError, UsageError, WriteError
from nof1.model import plan as model
from nof1.study import plan as planning
from nof1.study.conduct import end_trial
from nof1.study.demo import InventedPerson
from nof1.study.imports import import_exports
from nof1.study.plan import plan, write_plan_figure
from nof1.study.study import Study, create_study
from nof1.study.trials import start_trial

FIRST = date(2026, 1, 5)
NIGHTS = 60
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MAGNESIUM = "magnesium-or-none"


@pytest.fixture(autouse=True)
def few_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate few trials: the numbers are the model's business."""
    monkeypatch.setattr(planning, "TRIALS", 6)
    monkeypatch.setattr(model, "SEARCH_TRIALS", 3)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study with sixty nights of a person whose deep sleep varies by 12 minutes, and no trial."""
    study = create_study(tmp_path / "study", zone=ZONE, clock=lambda: NOW)
    person = InventedPerson(deep_sd=12.0)
    import_exports(study, [write_export(tmp_path / "takeout.zip", NIGHTS, person=person, first=FIRST)])
    return study


def edited(tmp_path: Path, text: str, *replaced: tuple[str, str]) -> Path:
    """A protocol of the library with some words replaced."""
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "own.toml"
    path.write_text(text)
    return path


def library(name: str) -> str:
    """The text of a protocol."""
    from nof1.study.protocols import protocol_text

    return protocol_text(name)[0]


def test_a_plan_without_a_study_reckons_with_the_default_noise() -> None:
    """Without nights the noise is the cautious default, and the device's share of the published effect the largest."""
    planned = plan("magnesium-glycinate")
    assert (planned.noise.source, planned.noise.nights, planned.noise.sigma) == ("default", 0, 19.0)
    assert planned.published is not None
    assert planned.published.device is None
    assert list(planned.told.by_effect) == ["none", "published", "worthwhile", "large", "prior"]
    assert (planned.nights, planned.used_nights) == (120, 84)


def test_the_same_plan_has_the_same_numbers() -> None:
    """The seed is fixed: a plan that is made again says the same."""
    assert plan("abab-pilot").to_payload() == plan("abab-pilot").to_payload()


def test_own_nights_tell_the_noise_and_the_device(study: Study) -> None:
    """The nights of the study tell SD and stream; a quieter person has narrower intervals than the default."""
    own, default = plan(MAGNESIUM, study=study), plan(MAGNESIUM, study=study, noise="default")
    assert own.noise.source == "own"
    assert NIGHTS * 0.8 < own.noise.nights <= NIGHTS
    assert own.noise.sigma == pytest.approx(12.0, rel=0.3)
    assert own.noise.sigma_ci95 is not None
    for planned in (own, default):
        assert planned.published is not None
        assert planned.published.device == "Fitbit Sense 2"
    assert own.told.by_effect["none"].half_width < default.told.by_effect["none"].half_width
    assert (default.noise.source, default.noise.why_default) == ("default", None)


def fixed_trial(study: Study, tmp_path: Path, first: date) -> None:
    """Begin a trial of two-week periods from an evening on."""
    (tmp_path / "t.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10))
    arms = [("magnesium", "placebo")[(night // 14) % 2] for night in range(56)]
    rows = [f"{first + timedelta(days=night)},{arm}" for night, arm in enumerate(arms)]
    (tmp_path / "t.csv").write_text("date,arm\n" + "\n".join(rows) + "\n")
    start_trial(study, tmp_path / "t.toml", schedule_file=tmp_path / "t.csv")


def test_of_a_trial_only_the_nights_before_its_first_period_are_looked_at(study: Study, tmp_path: Path) -> None:
    """A plan during a trial, or after it, does not see a night of it."""
    first = FIRST + timedelta(days=20)
    fixed_trial(study, tmp_path, first)
    told = plan(MAGNESIUM, study=study).noise
    assert told.last is not None
    assert told.last < first
    assert told.nights <= 20


def test_too_few_nights_before_the_trial_take_the_default_and_say_why(study: Study, tmp_path: Path) -> None:
    """Where four nights came before the first period the default stands in; who asked for own nights is refused."""
    fixed_trial(study, tmp_path, FIRST + timedelta(days=4))
    told = plan(MAGNESIUM, study=study).noise
    assert told.source == "default"
    assert "Nights before the first period" in (told.why_default or "")
    with pytest.raises(DataError, match="needs 7"):
        plan(MAGNESIUM, study=study, noise="own")


def test_what_was_long_ago_does_not_count(study: Study, tmp_path: Path) -> None:
    """No more nights tell the noise than the trial will have: a pilot of 28 nights looks back four weeks."""
    told = plan("abab-pilot", study=study).noise
    assert told.first is not None
    assert told.last is not None
    assert (told.last - told.first).days < 28
    assert told.last >= FIRST + timedelta(days=NIGHTS - 8)


def test_flagged_nights_stay_out_as_the_protocol_says(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nights that the analysis would leave out do not tell the noise; a protocol that keeps them plans with them."""
    nights = planning.read_nights(study)
    flags = pl.when(pl.col("night") < FIRST + timedelta(days=30)).then(["manual"]).otherwise([])
    flagged = nights.with_columns(flags=flags.cast(pl.List(pl.String)))
    monkeypatch.setattr(planning, "read_nights", lambda _study, participant: flagged)
    out = plan(MAGNESIUM, study=study).noise
    assert out.first is not None
    assert out.first >= FIRST + timedelta(days=30)
    kept = edited(tmp_path, library(MAGNESIUM) + "\n[sleep]\nexclude_flags = []\n")
    assert plan(kept, study=study).noise.nights == nights.height


def test_a_study_without_nights_takes_the_default(tmp_path: Path) -> None:
    """An empty study says that nothing was imported, and plans with the default."""
    empty = create_study(tmp_path / "empty", zone=ZONE, clock=lambda: NOW)
    told = plan(MAGNESIUM, study=empty).noise
    assert "nof1 import" in (told.why_default or "")
    with pytest.raises(InputMissingError):
        plan(MAGNESIUM, study=empty, noise="own")


def test_nothing_is_planned_from_the_nights_of_who_withdrew(study: Study, tmp_path: Path) -> None:
    """A consent that was taken back holds for plans as well."""
    fixed_trial(study, tmp_path, FIRST + timedelta(days=20))
    end_trial(study, reason="moved away", withdraw=True)
    with pytest.raises(NotAllowedError, match="withdrew"):
        plan(MAGNESIUM, study=study)


def of_latency(tmp_path: Path, *replaced: tuple[str, str]) -> Path:
    """The pilot with latency as its primary outcome."""
    swapped = [('role = "primary"', 'role = "first"'), ('role = "secondary"', 'role = "primary"')]
    return edited(tmp_path, library("abab-pilot"), *swapped, ('role = "first"', 'role = "secondary"'), *replaced)


def test_a_latency_is_planned_by_ratios(tmp_path: Path) -> None:
    """Effects are log ratios, a lower one better, and the worthwhile one is the protocol's ratio."""
    planned = plan(of_latency(tmp_path))
    assert (planned.as_ratio, planned.unit) == (True, "ratio")
    assert planned.worthwhile == pytest.approx(-log(0.80))
    effects = {name: one.effect for name, one in planned.told.by_effect.items()}
    assert effects["worthwhile"] == pytest.approx(log(0.80))
    assert effects["large"] == pytest.approx(2 * log(0.80))
    assert planned.told.by_effect["large"].direction.share > 3 * planned.told.by_effect["none"].direction.share


def test_who_falls_asleep_at_once_is_told_that_no_change_is_worthwhile(study: Study, tmp_path: Path) -> None:
    """With own nights of a median under 20 minutes no benefit is planned, and it says of which median."""
    planned = plan(of_latency(tmp_path), study=study)
    assert planned.noise.source == "own"
    assert planned.worthwhile is None
    assert "under 20" in planned.worthwhile_why
    assert planned.told.enough is None
    assert list(planned.told.by_effect) == ["none", "published", "prior"]


@pytest.mark.parametrize(("median", "ratio"), [(40.0, 0.75), (22.0, 0.80)])
def test_the_scale_of_a_worthwhile_change_is_that_of_the_analysis(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, median: float, ratio: float
) -> None:
    """Ten minutes of a median of 40 are a quarter less; of 22 the protocol's ratio counts."""
    nights = planning.read_nights(study)
    spread = pl.int_range(pl.len()) % 7 - 3
    latencies = nights.with_columns(sol_min=median * (0.1 * spread).exp())
    monkeypatch.setattr(planning, "read_nights", lambda _study, participant: latencies)
    planned = plan(of_latency(tmp_path), study=study)
    assert planned.worthwhile == pytest.approx(-log(ratio), abs=0.01)
    assert planned.worthwhile_why.startswith("in minutes" if median > 25 else "as a ratio")
    assert "nights before the trial" in planned.worthwhile_why


def test_a_measure_without_a_default_needs_own_nights(study: Study, tmp_path: Path) -> None:
    """How much total sleep varies only the person's own nights tell; with them it is planned in its own unit."""
    path = edited(tmp_path, library("abab-pilot"), ('measure = "deep_min"', 'measure = "tst_min"'))
    with pytest.raises(DataError, match="own nights"):
        plan(path)
    planned = plan(path, study=study)
    assert planned.label == "total sleep"
    assert planned.published is None


def test_a_brought_schedule_has_no_plan(tmp_path: Path) -> None:
    """A fixed schedule draws nothing, and is refused."""
    (tmp_path / "t.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10))
    with pytest.raises(UsageError, match="brought"):
        plan(tmp_path / "t.toml")


def test_three_arms_are_planned_by_their_first_contrast() -> None:
    """Of three contrasts one is looked at; the others are named as alike."""
    planned = plan("magnesium-forms")
    assert planned.alike == ("citrate − placebo", "bisglycinate − citrate")
    assert planned.nights == 180


def test_the_figure_is_written_once(tmp_path: Path) -> None:
    """The figure is an SVG file, and never written over another."""
    path = tmp_path / "plan.svg"
    planned = plan("abab-pilot")
    write_plan_figure(planned, path)
    assert path.read_text().startswith("<svg")
    with pytest.raises(WriteError, match="there already"):
        write_plan_figure(planned, path)
