"""Nights that are not used: by arm, and what they would have to be to undo a claim."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.model.simulated import ARMS, DEEP, LATENCY, RULES, simulated_trial

from nof1.model.design import build_design
from nof1.model.estimate import count_nights
from nof1.model.missing import nights_by_arm, tipping_point
from nof1.model.scale import WorthwhileScale
from nof1.model.verdict import decide, probabilities

DRAWS = np.random.default_rng(5).normal(12, 4, 4_000)


@pytest.mark.parametrize("outcome", [DEEP, LATENCY])
@pytest.mark.parametrize("seed", range(3))
def test_every_planned_night_stands_under_its_arm_once(outcome, seed):
    """Planned = used + excluded on each arm, and both arms together are what the result counts over all."""
    nights, calendar = simulated_trial(seed=seed, missing=0.3)
    design = build_design(nights, calendar, outcome, arms=ARMS, exclude_flags=["short"])
    contrast = design.contrasts[0]
    by_arm, whole = nights_by_arm(design, contrast), count_nights(design, contrast)
    assert list(by_arm) == [contrast.arm, contrast.reference]
    for code, one in by_arm.items():
        assert one.planned == one.used + sum(one.excluded.values())
        assert one.used == whole.used_by_arm[code]
        assert one.missing == pytest.approx(1 - one.used / (one.planned - one.excluded["transition"]))
    for why, count in whole.excluded.items():
        assert sum(one.excluded.get(why, 0) for one in by_arm.values()) == count
    assert sum(one.recorded for one in by_arm.values()) == whole.recorded


def test_nights_are_counted_where_they_were_lost():
    """Five nights taken out of magnesium's periods are missing on magnesium and nowhere else."""
    nights, calendar = simulated_trial(seed=1, missing=0.0)
    due = calendar.filter(pl.col("arm") == ARMS[0], ~pl.col("transition"))["night"][:5]
    design = build_design(
        nights.filter(~pl.col("night").is_in(due.implode())), calendar, DEEP, arms=ARMS, exclude_flags=[]
    )
    lost = nights_by_arm(design, design.contrasts[0])
    assert lost[ARMS[0]].excluded["missing"] == 5
    assert "missing" not in lost[ARMS[1]].excluded
    assert (lost[ARMS[0]].missing, lost[ARMS[1]].missing) == (pytest.approx(5 / 42), 0.0)


def judged_by(bar=10.0, rules=RULES):
    """The verdict on draws whose positive side is better."""
    return lambda gain: decide(
        probabilities(gain, None, better="higher", worthwhile=WorthwhileScale(bar, None, "")), rules
    )


SIDES = {"meaningful_benefit": 1, "benefit": 1, "better_size_unclear": 1}
SIDES |= {"meaningful_worsening": -1, "worsening": -1, "worse_size_unclear": -1}


@given(
    st.floats(-30, 30), st.floats(0.5, 8), st.integers(0, 30), st.integers(0, 30), st.sampled_from([None, 5.0, 10.0])
)
def test_the_points_found_are_where_the_claim_falls(centre, sd, lost_arm, lost_reference, bar):
    """Each distance, put into the definition, leaves the claim; a little more takes it away, or changes the verdict."""
    gain = centre + sd * np.random.default_rng(1).normal(size=999)
    judge, shares = judged_by(bar), (lost_arm / 50, lost_reference / 50)
    tips, verdict = tipping_point(gain, *shares, judge, unit="min"), judge(gain)
    way = SIDES.get(verdict, 0)
    assert tips.direction == {1: "better", -1: "worse", 0: None}[way]
    asked = {"verdict": shares, "both": shares, "arm": (shares[0], 0.0), "reference": (0.0, shares[1])}
    for name, (f_arm, f_reference) in asked.items():
        distance = getattr(tips, name)
        if way == 0 or f_arm + f_reference == 0:
            assert distance is None
            continue
        for more, stands in ((0.999, True), (1.001, False)):
            nearly = distance * more + (0.0 if stands else 1e-3)
            moved = judge(gain - way * nearly * f_arm - way * nearly * f_reference)
            kept = moved == verdict if name == "verdict" else SIDES.get(moved, 0) == way
            assert kept is stands or (stands and distance < 1e-2)


def test_a_claim_near_its_threshold_is_told_as_near():
    """97.7 % sure, and a direction of unclear size needs 97.5 %: less than a minute on a share of 0.3 undoes it, though
    the probability would fall to 95 % only minutes later."""
    from scipy.stats import norm

    gain = norm(9, 4.5).ppf((np.arange(4_000) + 0.5) / 4_000)
    tips = tipping_point(gain, 0.15, 0.15, judged_by(), unit="min")
    assert tips.both == pytest.approx((9 - 1.96 * 4.5) / 0.3, abs=0.05)
    assert tips.both < 1 < (9 - 1.645 * 4.5) / 0.3


def test_the_more_nights_are_missing_the_less_they_need_to_differ():
    """Twice the share, half the distance; on both arms at once less than on either."""
    distances = [tipping_point(DRAWS, f, f, judged_by(), unit="min") for f in (0.05, 0.1, 0.2, 0.4)]
    for fewer, more in pairwise(distances):
        assert fewer.both == pytest.approx(2 * more.both)
        assert fewer.both == pytest.approx(fewer.arm / 2)
        assert fewer.verdict <= fewer.both


def test_a_latency_tips_by_a_factor():
    """Its draws are logarithms, so that a distance is a ratio of one and more."""
    judge = judged_by(bar=None)
    tips = tipping_point(DRAWS / 20, 0.1, 0.1, judge, unit="ratio")
    by = np.log(tips.both) * 0.2
    assert judge(DRAWS / 20 - 0.99 * by) == "better_size_unclear"
    assert judge(DRAWS / 20 - 1.01 * by) == "not_enough_to_tell"
    assert np.isfinite(tipping_point(DRAWS, 0.001, 0.0, judge, unit="ratio").both)


def test_where_nothing_is_claimed_or_missing_there_is_nothing_to_tip():
    """No direction claimed, or every night used: no distance."""
    unclear = tipping_point(DRAWS - 12, 0.2, 0.2, judged_by(), unit="min")
    complete = tipping_point(DRAWS, 0.0, 0.0, judged_by(), unit="min")
    one_arm = tipping_point(-DRAWS, 0.0, 0.2, judged_by(), unit="min")
    assert (unclear.direction, unclear.both) == (None, None)
    assert (complete.direction, complete.both, complete.arm) == ("better", None, None)
    assert (one_arm.direction, one_arm.arm) == ("worse", None)
    assert one_arm.both == one_arm.reference
