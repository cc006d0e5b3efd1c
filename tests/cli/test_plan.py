"""``nof1 plan`` as a person meets it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cases import ZONE, Typist, write_export

from nof1.model import plan as model
from nof1.report.plan import kept_words, plan_figure
from nof1.report.rounding import percent
from nof1.study import plan as planning
from nof1.study.kept_plan import read_kept_plan
from nof1.study.study import open_study
from nof1.study.trials import read_trial


@pytest.fixture(autouse=True)
def few_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate few trials: the numbers are the model's business."""
    monkeypatch.setattr(planning, "TRIALS", 4)
    monkeypatch.setattr(model, "SEARCH_TRIALS", 2)


def test_a_plan_is_printed_and_drawn(typist: Typist) -> None:
    """Sentences, a table of chances, and a figure on request; outside a study too."""
    text = typist.does("plan", "magnesium-glycinate", "--figure", "plan.svg")
    for words in ("Deep sleep, magnesium − placebo", "no effect", "worthwhile", "Monte Carlo error", "by default"):
        assert words in text
    assert "\nIn short: " in text
    assert (typist.home / "plan.svg").read_text().startswith("<svg")
    assert max(map(len, text.splitlines())) <= 80
    again = typist("plan", "magnesium-glycinate", "--figure", "plan.svg")
    assert again.exit_code == 73


def test_a_plan_has_json(typist: Typist) -> None:
    """Every number is there for scripts, with its Monte Carlo error and the seed."""
    told = json.loads(typist.does("plan", "abab-pilot", "--json"))
    assert told["told"]["by_effect"]["prior"]["effect"] is None
    shares = told["told"]["by_effect"]["large"]["verdicts"].values()
    assert sum(one["share"] for one in shares) == pytest.approx(1.0)
    assert all(one["error"] > 0 for one in shares)
    assert told["seed"] == model.SEED


def test_inside_a_study_its_nights_tell_the_noise(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stands in a study, or names one, plans with the nights that are there."""
    write_export(typist.home / "takeout.zip", 40)
    typist.does("init", "s", "--zone", ZONE)
    typist.does("import", "takeout.zip", "--study", "s")
    assert "nights of your own" in typist.does("plan", "abab-pilot", "--study", "s")
    monkeypatch.chdir(typist.home / "s")
    assert "nights of your own" in typist.does("plan", "abab-pilot")
    assert "by default" in typist.does("plan", "abab-pilot", "--noise", "default")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["plan", "no-such"], 66, "no-such"),
        (["plan", "abab-pilot", "--noise", "own"], 66, "nof1 init"),
        (["plan", "abab-pilot", "--study", "nowhere"], 66, "nowhere"),
        (["plan", "abab-pilot", "--participant", "P01"], 66, "nof1 init"),
    ],
)
def test_what_is_not_there_is_said(typist: Typist, words: list[str], code: int, says: str) -> None:
    """A protocol or a study that is not there ends with its exit code and what to do."""
    result = typist(*words)
    assert result.exit_code == code
    assert says in result.stderr
    assert not (typist.home / Path("s")).exists()


def test_a_plan_that_is_kept_says_how_the_length_was_chosen(typist: Typist) -> None:
    """Kept before the start, for exactly the protocol that is registered; the last one counts."""
    typist.does("init", "s", "--zone", ZONE)
    here = ("--study", "s")
    typist.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    typist.does("plan", "abab-pilot", "--keep", *here)
    said = typist.does("plan", "magnesium-or-none", "--keep", "--noise", "default", *here)
    assert "On record, for the report of a trial by exactly this protocol: magnesium-or-none." in said
    typist.does("start", "magnesium-or-none", "--on", "2026-12-01", "--no-risks", *here)
    study = open_study(typist.home / "s")
    with study.record() as record:
        trial = read_trial(study, record)
        kept = read_kept_plan(record, trial)
    assert kept is not None
    words = kept_words(kept, trial.protocol)
    assert words.startswith("Reckoned on 2026-11-20, before the draw, by simulation with noise by default.")
    told = json.loads(typist.does("plan", "magnesium-or-none", "--noise", "default", "--json", *here))["told"]
    worthwhile = told["by_effect"]["worthwhile"]["verdicts"]
    found = sum(worthwhile.get(verdict, {"share": 0})["share"] for verdict in ("meaningful_benefit", "benefit"))
    assert f"Where the true effect is +10 min, a benefit is found with a chance of {percent(found)}." in words
    figure = plan_figure(kept.of(trial.protocol))
    assert (
        figure.alternative == plan_figure(planning.plan("magnesium-or-none", noise="default").to_payload()).alternative
    )
    late = typist("plan", "magnesium-or-none", "--keep", *here)
    assert (late.exit_code, "has begun" in late.stderr) == (77, True)
    typist.does("verify", *here)


def test_a_plan_of_another_protocol_is_not_this_trial_s(typist: Typist) -> None:
    """What was reckoned for one design says nothing of another; and a plan is kept in a study only."""
    assert typist("plan", "abab-pilot", "--keep").exit_code == 66
    typist.does("init", "s", "--zone", ZONE)
    here = ("--study", "s")
    typist.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    typist.does("plan", "abab-pilot", "--keep", *here)
    typist.does("start", "magnesium-or-none", "--on", "2026-12-01", "--no-risks", *here)
    study = open_study(typist.home / "s")
    with study.record() as record:
        assert read_kept_plan(record, read_trial(study, record)) is None
