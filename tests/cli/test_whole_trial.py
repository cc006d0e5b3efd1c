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
    """Run a whole trial in which magnesium adds 30 minutes on the nights it is taken; give the effect, by --quick."""
    (typist.home / "trial.toml").write_text(FIXED_PROTOCOL.format(transition=transition, prior_sd=30))
    (typist.home / "schedule.csv").write_text(schedule_csv(alternating(LENGTH, codes), nights, first))
    write_export(typist.home / "takeout.zip", nights, lambda n: EFFECT * taken(n), person=person, first=first)
    study = typist.home / f"study-{len(list(typist.home.iterdir()))}"
    typist.does("init", study, "--zone", ZONE)
    typist.does("start", "trial.toml", "--schedule", "schedule.csv", "--study", study)
    typist.does("import", "takeout.zip", "--study", study)
    looks = json.loads(typist.does("analyse", "--quick", "--json", "--study", study))
    (deep,) = (look for look in looks if look["outcome"] == "deep_min")
    assert (deep["arm"], deep["reference"]) == ("magnesium", "placebo")
    return dict(deep["told"]["effect"])


def on_magnesium(night: int) -> bool:
    """Taken as the schedule says."""
    return alternating(LENGTH)(night) == "magnesium"


def is_recovered(effect: dict[str, float], truth: float) -> bool:
    """Whether the interval holds the truth, and is on its side of nothing."""
    low, high = effect["ci95"]  # type: ignore[misc]
    return low < truth < high and low * high > 0


def test_an_effect_is_recovered_with_its_sign(typist: Typist) -> None:
    """Thirty minutes more deep sleep on magnesium are found as thirty minutes more, by both engines; the quick look
    writes nothing."""
    quick = deep_effect(typist, on_magnesium)
    assert is_recovered(quick, EFFECT)
    (study,) = typist.home.glob("study-*")
    assert not list((study / "reports").rglob("*.*"))
    result = json.loads(typist.does("analyse", "--json", "--study", study))
    (deep,) = (outcome for outcome in result["outcomes"] if outcome["measure"] == "deep_min")
    assert (deep["arm"], deep["reference"]) == ("magnesium", "placebo")
    assert is_recovered(deep["effect"], EFFECT)
    assert deep["effect"]["mean"] == pytest.approx(quick["mean"], abs=0.1 * quick["sd"])
    assert "only sampled" in typist.does("analyse", "--quick", "--study", study)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_quick_look_at_what_cannot_be_used_ends_as_the_analysis_does(typist: Typist, form: tuple[str, ...]) -> None:
    """Too few nights leave a short cell in the table, the reason once below it, and exit code 69 as without --quick."""
    (typist.home / "trial.toml").write_text(FIXED_PROTOCOL.format(transition=0, prior_sd=30))
    (typist.home / "schedule.csv").write_text(schedule_csv(alternating(3), 9))
    write_export(typist.home / "takeout.zip", 9)
    typist.does("init", "s", "--zone", ZONE)
    typist.does("start", "trial.toml", "--schedule", "schedule.csv", "--study", "s")
    typist.does("import", "takeout.zip", "--study", "s")
    looked = typist("analyse", "--quick", "--study", "s", *form)
    assert looked.exit_code == 69
    reason = "3 usable nights in 1 period on placebo: an analysis needs at least 6 nights in 2 periods on each arm."
    assert reason in looked.stderr
    if form:
        assert [look["role"] for look in json.loads(looked.stdout)] == ["primary", "secondary"]
    else:
        (deep,) = (line for line in looked.stdout.splitlines() if line.startswith("deep sleep"))
        assert "not usable (1)" in deep
        assert "usable nights" not in deep
        assert f"(1) {reason}" in " ".join(looked.stdout.split())


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
