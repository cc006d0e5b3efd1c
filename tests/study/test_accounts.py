"""What stands beside the effects, from a trial that was lived: guesses, side effects, missing nights, doses."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from tests.cases import ZONE, write_export

from nof1.model.design import AnalysisDesign
from nof1.store.seal import Custodian, Key, new_key
from nof1.study.accounts import outcome_accounts, trial_accounts
from nof1.study.diaries import log_night, read_diary
from nof1.study.estimation import Material, designs_of
from nof1.study.guesses import DO_NOT_KNOW, guess_period
from nof1.study.imports import import_exports
from nof1.study.nights import read_nights
from nof1.study.sealing import lock_analysis, unblind
from nof1.study.study import Study, create_study
from nof1.study.trials import Trial, read_trial, start_trial

FIRST = date(2026, 12, 1)
NIGHTS = 36
LOST = (4, 5, 10)
"""Nights, counted from 0, whose sleep is in no export."""
PROTOCOL = """
id = "drawn"
title = "Two sorts of capsules"

[[arm]]
code = "magnesium"
label = "Magnesium"
{dose}
[[arm]]
code = "placebo"
label = "Placebo"
{reference}
[design]
scheme = "randomised-pairs"
blocks = 6
period_nights = 3
transition_nights = 0
run_in_nights = 0

{blinding}
[safety]
nothing_to_ask = "invented for the tests"

[[outcome]]
measure = "deep_min"

[[diary]]
key = "travel"
type = "boolean"
"""
CAPSULES = "units_per_dose = 3"
SEALED = {
    "dose": CAPSULES,
    "reference": f"{CAPSULES}\nreference = true",
    "blinding": '[blinding]\nconcealed_from = ["participant", "clinician"]\n',
}
NOTHING_INSTEAD = {"dose": CAPSULES, "reference": "units_per_dose = 0\nreference = true", "blinding": ""}
TWO_ACTIVES = {"dose": CAPSULES, "reference": CAPSULES, "blinding": ""}

type Begin = Callable[..., Study]
type Told = Callable[[Study], tuple[Trial, dict[str, Any], dict[str, Any]]]


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """Begin a trial of six pairs of three nights, sealed to the key in ``key`` where its protocol conceals."""

    def start(words: dict[str, str], *, covariate: bool = False) -> Study:
        marked = "covariate = true\n" if covariate else ""
        (tmp_path / "t.toml").write_text(PROTOCOL.format(**words) + marked)
        study = create_study(tmp_path / "s", zone=ZONE, clock=lambda: datetime(2026, 11, 30, 12, tzinfo=UTC))
        custodian = Custodian(public_key=new_key(tmp_path / "key")) if words["blinding"] else None
        start_trial(study, tmp_path / "t.toml", on=FIRST, custodian=custodian, entropy=lambda n: bytes(range(n)))
        study = replace(study, clock=lambda: datetime(2027, 1, 8, 12, tzinfo=UTC))
        import_exports(study, [write_export(tmp_path / "e.zip", NIGHTS, first=FIRST)])
        return study

    return start


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Open the seal if there is one, and tell what stands beside the trial and beside its outcome."""

    def tell(study: Study) -> tuple[Trial, dict[str, Any], dict[str, Any]]:
        with study.record() as record:
            sealed = read_trial(study, record, None).is_sealed
        if sealed:
            lock_analysis(study, looked="no")
            unblind(study, Key(file=tmp_path / "key"), reason="done")
        with study.record() as record:
            trial = read_trial(study, record, None)
            accounts = trial_accounts(record, trial)
            diary = read_diary(record, trial.participant)
        nights = read_nights(study).filter(~_lost())
        material = Material(trial=trial, nights=nights, diary=diary, grain_min=0.5, why_no_test=None)
        (design,) = designs_of(material)
        contrast = design.contrasts[0]
        outcome = {"measure": "deep_min", "arm": contrast.arm, "reference": contrast.reference, "effect": {}}
        (account,) = outcome_accounts(material, [outcome], _posterior(design))
        return trial, accounts, account

    return tell


def _lost() -> Any:
    import polars as pl

    return pl.col("night").is_in([FIRST + timedelta(days=n) for n in LOST])


def _posterior(design: AnalysisDesign) -> xr.DataTree:
    """Draws as a fit would leave them: 20 ± 5 minutes in favour of the arm."""
    draws = np.random.default_rng(1).normal(20, 5, (4, 500))
    both = xr.Dataset(dict.fromkeys(("delta", "effect"), (("chain", "draw"), draws)))
    return xr.DataTree.from_dict({f"/{design.measure.name}/posterior": both})


def evening(night: int) -> date:
    """The evening of a night counted from 0."""
    return FIRST + timedelta(days=night)


def arms_of(trial: Trial) -> list[str | None]:
    """The arm of every night."""
    return [trial.schedule.arm_on(evening(night)) for night in range(NIGHTS)]


def test_guesses_are_held_against_what_the_bottles_held(begin: Begin, told: Told) -> None:
    """Each guess beside the arm that its period had, with its reason; the later guess of a period counts."""
    study = begin(SEALED)
    guess_period(study, arm="placebo", sure=90, period=1)
    guess_period(study, arm="magnesium", sure=70, why="softer stools", period=1)
    guess_period(study, arm=DO_NOT_KNOW, period=2)
    trial, accounts, _ = told(study)
    found = accounts["blinding_integrity"]
    first, second = (trial.schedule.arm_on(evening(night)) for night in (0, 3))
    assert found["guesses"] == [
        {"period": 1, "arm": first, "guess": "magnesium", "sure": 70, "why": "softer stools"},
        {"period": 2, "arm": second, "guess": None, "sure": None, "why": None},
    ]
    assert found["asked"] is True
    assert (found["trials"], found["right"]) == (1, float(first == "magnesium"))
    assert sum(arm["not_said"] for arm in found["by_arm"].values()) == 10


def test_an_open_trial_has_no_guesses(begin: Begin, told: Told) -> None:
    """Nothing was sealed, so nothing could be guessed."""
    assert told(begin(NOTHING_INSTEAD))[1]["blinding_integrity"] is None


def test_side_effects_stand_under_the_arm_of_their_night(begin: Begin, told: Told) -> None:
    """What was felt on a night counts for what was taken that evening."""
    study = begin(SEALED)
    for night in range(0, NIGHTS, 2):
        log_night(study, night=evening(night), side_effects={"nausea": "mild" if night % 4 else "none"})
    trial, accounts, _ = told(study)
    arms = arms_of(trial)
    for one in accounts["side_effects"]:
        own = [night for night in range(0, NIGHTS, 2) if arms[night] == one["arm"]]
        mild = sum(bool(night % 4) for night in own)
        assert (one["with_entry"], one["nights"]) == (len(own), arms.count(one["arm"]))
        assert one["symptoms"]["nausea"]["mild"] == mild
        assert one["symptoms"]["nausea"]["none"] == len(own) - mild


def test_missing_nights_stand_under_their_arm_with_what_the_diary_says(begin: Begin, told: Told) -> None:
    """Three nights are in no export; on two of them the diary says travel."""
    study = begin(SEALED)
    for night in (*LOST[:2], 20):
        log_night(study, night=evening(night), answers={"travel": "yes"})
    trial, _, account = told(study)
    arms = arms_of(trial)
    for code, one in account["missing"]["by_arm"].items():
        lost = [night for night in LOST if arms[night] == code]
        assert one["excluded"].get("missing", 0) >= len(lost)
        travelled = [night for night in LOST[:2] if arms[night] == code]
        assert one["diary_says"] == ({"travel": len(travelled)} if travelled else {})
    tips = account["missing"]["tipping_point"]
    shares = sum(one["missing"] for one in account["missing"]["by_arm"].values())
    assert tips["direction"] == "better"
    assert tips["both"] * shares == pytest.approx(20 - 1.96 * 5, abs=0.7)  # a direction of unclear size needs 97.5 %
    assert tips["verdict"] < tips["both"]
    depends = account["missing"]["depends_on_arm"]
    assert (depends["nights"], depends["missing"]) == (NIGHTS, sum(_unused(one) for one in by_arm(account)))
    assert 0 < depends["p_more"] < 1
    more = by_arm(account)[0]["missing"] > by_arm(account)[1]["missing"]
    assert (depends["p_more"] > 0.5) == more


def by_arm(account: dict[str, Any]) -> list[dict[str, Any]]:
    """The nights of either arm, the treatment first."""
    return list(account["missing"]["by_arm"].values())


def _unused(arm: dict[str, Any]) -> int:
    return int(arm["planned"] - arm["used"])


def test_every_pair_has_its_effect(begin: Begin, told: Told) -> None:
    """Six pairs of three nights: six rows, each with its own difference of the period means, and σ beside its prior."""
    trial, _, account = told(begin(SEALED))
    found = account["over_time"]
    assert [pair["block"] for pair in found["pairs"]] == [1, 2, 3, 4, 5, 6]
    assert (found["unit"], found["why_not"], found["one_arm_only"]) == ("min", None, [])
    assert found["sigma"]["prior"] == "HalfNormal(4)"
    for pair in found["pairs"]:
        assert pair["ci95"][0] < pair["median"] < pair["ci95"][1]
    assert len(trial.schedule.periods) == 12


def test_answers_with_a_gap_are_left_out_of_the_model_of_missing_nights(begin: Begin, told: Told) -> None:
    """With one night silent the answers of the others do not count, and the reason is told."""
    study = begin(SEALED, covariate=True)
    for night in range(NIGHTS - 1):
        log_night(study, night=evening(night), answers={"travel": "yes" if night % 5 == 0 else "no"})
    depends = told(study)[2]["missing"]["depends_on_arm"]
    assert (depends["adjusted_for"], depends["not_adjusted_for"]) == ([], {"travel": "not known for 1 of 36 nights"})


def test_an_answer_for_every_night_is_allowed_for(begin: Begin, told: Told) -> None:
    """The same diary without a gap."""
    study = begin(SEALED, covariate=True)
    for night in range(NIGHTS):
        log_night(study, night=evening(night), answers={"travel": "yes" if night % 5 == 0 else "no"})
    depends = told(study)[2]["missing"]["depends_on_arm"]
    assert (depends["adjusted_for"], depends["not_adjusted_for"]) == (["travel"], {})


def test_doses_that_were_taken_make_the_complier_effect(begin: Begin, told: Told) -> None:
    """Every dose logged as taken but one: the effect is the assignment's; what the reference holds is no treatment."""
    study = begin(SEALED)
    for night in range(NIGHTS):
        log_night(study, night=evening(night), dose_taken=night != 1)
    trial, _, account = told(study)
    found = account["complier"]
    used = account["missing"]["by_arm"]["magnesium"]["used"]
    missed = int(arms_of(trial)[1] == "magnesium")
    assert found["arm"] == {"taken": used - missed, "not_taken": missed, "unknown": 0}
    assert found["reference"] is None
    assert found["effect"]["median"] == pytest.approx(20, rel=0.15)


def test_a_silent_diary_gives_no_complier_effect(begin: Begin, told: Told) -> None:
    """A dose that was not logged is unknown, and of unknown doses nothing is divided."""
    found = told(begin(SEALED))[2]["complier"]
    assert found["effect"] is None
    assert "unknown on" in found["why_not"]


def test_doses_taken_where_none_was_due_are_taken_off(begin: Begin, told: Told) -> None:
    """Against nothing, the diary can tell that the treatment was taken on nights without it."""
    study = begin(NOTHING_INSTEAD)
    for night in range(NIGHTS):
        log_night(study, night=evening(night), dose_taken=True)
    found = told(study)[2]["complier"]
    assert found["reference"]["not_taken"] == 0
    assert found["effect"] is None
    assert "next to nothing" in found["why_not"]


def test_between_two_treatments_there_is_no_complier_effect(begin: Begin, told: Told) -> None:
    """Who skips the one has not taken the other."""
    assert "Both arms are treatments" in told(begin(TWO_ACTIVES))[2]["complier"]["why_not"]


def test_an_arm_without_a_dose_has_no_complier_effect(begin: Begin, told: Told) -> None:
    """Of an arm with nothing to take, the diary cannot say that it was taken."""
    words = NOTHING_INSTEAD | {"dose": "units_per_dose = 0", "reference": "units_per_dose = 0\nreference = true"}
    assert "no dose" in told(begin(words))[2]["complier"]["why_not"]
