"""A trial from start to finish, through the commands a person types: the arms cannot be swapped."""

import json
from collections.abc import Callable
from datetime import date, time

import pytest
from tests.cases import FIRST, FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv, write_export

from nof1.study.demo import InventedPerson

STEADY = InventedPerson(deep_sd=8.0, period_sd=0.5, missing=0.04)
"""Sleeps so evenly that an effect shows to the minute."""
LENGTH = 10
NIGHTS = 12 * LENGTH
EFFECT = 30.0


def deep_effect(
    typist: Typist,
    taken: Callable[[int], bool],
    *,
    person: InventedPerson = STEADY,
    codes: tuple[str, str] = ("magnesium", "placebo"),
    first: date = FIRST,
    nights: int = NIGHTS,
    transition: int = 0,
) -> dict[str, float]:
    """Run a whole trial in which magnesium adds 30 minutes on the nights it is taken; give the reported effect."""
    (typist.home / "trial.toml").write_text(FIXED_PROTOCOL.format(transition=transition, prior_sd=30))
    (typist.home / "schedule.csv").write_text(schedule_csv(alternating(LENGTH, codes), nights, first))
    write_export(typist.home / "takeout.zip", nights, lambda n: EFFECT * taken(n), person=person, first=first)
    study = typist.home / f"study-{len(list(typist.home.iterdir()))}"
    typist.does("init", study, "--zone", ZONE)
    typist.does("start", "trial.toml", "--schedule", "schedule.csv", "--study", study)
    typist.does("import", "takeout.zip", "--study", study)
    result = json.loads(typist.does("analyse", "--json", "--study", study))
    (deep,) = (outcome for outcome in result["outcomes"] if outcome["measure"] == "deep_min")
    assert (deep["arm"], deep["reference"]) == ("magnesium", "placebo")
    return dict(deep["effect"])


def on_magnesium(night: int) -> bool:
    """Taken as the schedule says."""
    return alternating(LENGTH)(night) == "magnesium"


def is_recovered(effect: dict[str, float], truth: float) -> bool:
    """Whether the interval holds the truth, and is on its side of nothing."""
    low, high = effect["ci95"]  # type: ignore[misc]
    return low < truth < high and low * high > 0


def test_an_effect_is_recovered_with_its_sign(typist: Typist) -> None:
    """Thirty minutes more deep sleep on magnesium are found as thirty minutes more."""
    assert is_recovered(deep_effect(typist, on_magnesium), EFFECT)


def test_swapped_labels_flip_the_sign(typist: Typist) -> None:
    """The same sleep under a schedule with the labels swapped is thirty minutes less."""
    assert is_recovered(deep_effect(typist, on_magnesium, codes=("placebo", "magnesium")), -EFFECT)


def test_a_dose_one_night_late_shrinks_the_effect_as_computed(typist: Typist) -> None:
    """Taken one night late, a tenth of each arm carries the other's effect: 30 becomes 30 × (1 − 2/10) = 24."""
    on_time = deep_effect(typist, on_magnesium)
    late = deep_effect(typist, lambda night: night > 0 and on_magnesium(night - 1))
    assert is_recovered(late, EFFECT * (1 - 2 / LENGTH))
    assert late["median"] - on_time["median"] == pytest.approx(-EFFECT * 2 / LENGTH, abs=1.0)


def test_a_dose_one_night_late_does_no_harm_inside_the_transition(typist: Typist) -> None:
    """With three transition nights kept out, a dose one night late changes nothing."""
    late = deep_effect(typist, lambda night: night > 0 and on_magnesium(night - 1), transition=3)
    assert is_recovered(late, EFFECT)


def test_sleep_after_midnight_belongs_to_the_evening_before(typist: Typist) -> None:
    """Somebody who goes to bed at half past one has the effect on the right nights too."""
    owl = InventedPerson(deep_sd=8.0, period_sd=0.5, missing=0.04, bedtime=time(1, 30))
    assert is_recovered(deep_effect(typist, on_magnesium, person=owl), EFFECT)


def test_both_clock_changes_shift_no_night(typist: Typist) -> None:
    """Across the autumn and the spring clock change every night keeps its arm, with bedtimes near midnight too."""
    midnight = InventedPerson(deep_sd=8.0, period_sd=0.5, missing=0.04, bedtime=time(0, 5))
    effect = deep_effect(typist, on_magnesium, person=midnight, first=date(2025, 10, 1), nights=200)
    assert is_recovered(effect, EFFECT)
