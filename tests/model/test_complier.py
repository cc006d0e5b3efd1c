"""The effect of the dose taken: the effect of the assignment over the difference it made."""

import numpy as np
import pytest

from nof1.model.complier import Taken, complier_effect

DRAWS = np.random.default_rng(3).normal(8, 2, (4, 1_000))


def test_doses_always_taken_leave_the_effect_as_it_is():
    """With 400 of 400 doses taken and none to take on the reference, both effects are the same to one in a hundred."""
    told = complier_effect(DRAWS, Taken(400, 0, 0), None, seed=1)
    assert told.effect.median == pytest.approx(np.median(DRAWS), rel=0.01)
    assert told.effect.ci95 == pytest.approx(np.quantile(DRAWS, [0.025, 0.975]), rel=0.01)


def test_half_the_doses_taken_double_the_effect():
    """What half the nights did is spread over all of them: the effect of a dose is twice that, and less certain."""
    told = complier_effect(DRAWS, Taken(200, 200, 0), None, seed=1)
    assert told.effect.median == pytest.approx(2 * np.median(DRAWS), rel=0.02)
    assert told.effect.sd > 2 * DRAWS.std()
    assert told.uptake.median == pytest.approx(0.5, abs=0.01)


def test_what_was_taken_on_the_reference_is_taken_off():
    """Nine in ten on the arm and four in ten on the reference: a difference of a half."""
    told = complier_effect(DRAWS, Taken(360, 40, 0), Taken(160, 240, 0), seed=1)
    assert told.uptake.median == pytest.approx(0.5, abs=0.01)
    assert told.effect.median == pytest.approx(2 * np.median(DRAWS), rel=0.02)


def test_what_was_counted_is_sure_and_what_is_unknown_is_not():
    """18 of 24 known nights are 0.75, however the misses lie; three unknown ones leave 18 to 21 of 27, evenly drawn
    as the known ones are, and drawn alike with the same seed."""
    known = complier_effect(np.zeros(40_000), Taken(18, 6, 0), None, seed=7)
    assert known.uptake.ci95 == (0.75, 0.75)
    told = complier_effect(np.zeros(40_000), Taken(18, 6, 3), None, seed=7)
    assert told.uptake.ci95 == pytest.approx((19 / 27, 21 / 27), abs=1.01 / 27)
    assert told.uptake.ci95[0] < told.uptake.ci95[1]
    assert told == complier_effect(np.zeros(40_000), Taken(18, 6, 3), None, seed=7)


def test_a_latency_is_divided_on_its_logarithm():
    """Half of the doses of what makes latency 0.9 of itself: 0.81 where it is taken."""
    told = complier_effect(np.full(4_000, np.log(0.9)), Taken(4_000, 4_000, 0), None, seed=1, log=True)
    assert told.effect.median == pytest.approx(0.81, abs=0.005)


@pytest.mark.parametrize("arm", [Taken(20, 0, 21), Taken(0, 0, 30), Taken(0, 0, 0)])
def test_unknown_doses_give_no_number(arm):
    """Where most doses are unknown, or there is no night at all, the reason is told and nothing else."""
    told = complier_effect(DRAWS, arm, None, seed=1)
    assert told.effect is told.uptake is None
    assert f"unknown on {arm.unknown} of the {sum((arm.taken, arm.not_taken, arm.unknown))}" in told.why_not


@pytest.mark.parametrize(
    ("arm", "reference"),
    [(Taken(40, 360, 0), None), (Taken(300, 100, 0), Taken(240, 160, 0)), (Taken(2, 4, 6), None)],
)
def test_a_difference_that_may_be_next_to_nothing_gives_no_number(arm, reference):
    """Rarely taken, taken as often on the reference, or half of it unknown: the difference is shown, no effect."""
    told = complier_effect(DRAWS, arm, reference, seed=1)
    assert told.effect is None
    assert told.uptake.ci95[0] < 0.2
    assert "next to nothing" in told.why_not


def test_the_effect_of_doses_is_found_where_it_is_known():
    """Trials in which 60 % of the doses are taken at random: the mean of the effects found is the dose's own."""
    rng = np.random.default_rng(11)
    medians = []
    for _ in range(200):
        taken = rng.random(42) < 0.6
        on_arm = rng.normal(80 + 15 * taken, 18)
        found = on_arm.mean() - rng.normal(80, 18, 42).mean()
        draws = rng.normal(found, 18 * np.sqrt(2 / 42), 2_000)
        medians.append(complier_effect(draws, Taken(int(taken.sum()), int((~taken).sum()), 0), None, seed=1))
    told = [one.effect.median for one in medians]
    assert np.mean(told) == pytest.approx(15, abs=4 * np.std(told) / np.sqrt(200))
