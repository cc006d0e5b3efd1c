"""Three arms and more in one model: every pair alike, and two arms what they always were."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from tests.model.simulated import ARMS, DEEP, LATENCY, RULES, calendar_of, nights_of, simulated_trial

from nof1.model.arms import arm_columns, arm_locations
from nof1.model.design import build_design
from nof1.model.diagnose import diagnose
from nof1.model.estimate import estimate
from nof1.model.exact import integrate
from nof1.model.linear import TrialNights, linear_trial
from nof1.model.nuts import _rows, _settings, fit, fixed_effects
from nof1.model.posterior import of_contrast, weekday_basis
from nof1.model.priors import priors_for
from nof1.trial.protocol import Contrast

THREE = ("bisglycinate", "citrate", "placebo")
TRUTH = {"bisglycinate": 30.0, "citrate": 15.0, "placebo": 0.0}
PAIRS = [Contrast(arm=one, reference=other) for one, other in combinations(THREE, 2)]


def three_armed(*, seed=1, sigma=10.0, blocks=5):
    """Nights and calendar of a trial in five blocks of three arms that do what `TRUTH` says."""
    rng = np.random.default_rng(seed)
    calendar = calendar_of(rng, arms=THREE, blocks=blocks)
    effect = np.array([TRUTH.get(arm, 0.0) for arm in calendar["arm"].to_list()])
    noise = rng.normal(size=calendar.height)
    return nights_of(calendar, 70 + effect + sigma * noise, 20 * np.exp(0.5 * noise), rng=rng), calendar


def named(calendar, names):
    """The calendar with its arms called otherwise."""
    return calendar.with_columns(arm=calendar["arm"].replace(names))


@pytest.fixture(scope="module")
def told():
    """The same nights told under their names and under names that went round: design, tree and contrasts of each."""
    nights, calendar = three_armed()
    around = dict(zip(THREE, (*THREE[1:], THREE[0]), strict=True))
    found = []
    for names in ({}, around):
        design = build_design(nights, named(calendar, names), DEEP, arms=THREE, contrasts=PAIRS, exclude_flags=[])
        tree = fit([design], seed=11)[DEEP.measure]
        checks = diagnose(design, tree)
        found.append((design, tree, {pair: estimate(design, pair, tree, checks, RULES) for pair in PAIRS}))
    return found


@pytest.mark.parametrize("arms", [2, 3, 4])
def test_every_difference_of_two_arms_has_the_same_prior(arms):
    """Independent coefficients of SD s give each pair of arms a difference of SD s, and the arms sum to zero."""
    columns = arm_columns(arms)
    assert columns.sum(axis=0) == pytest.approx(np.zeros(arms - 1))
    for one, other in combinations(range(arms), 2):
        assert np.linalg.norm(columns[one] - columns[other]) == pytest.approx(1.0)


@pytest.mark.parametrize("arms", [2, 3, 4])
def test_an_enthusiastic_prior_is_about_every_arm_and_the_last(arms):
    """A prior of 6 minutes is 6 minutes between each arm and the last, and nothing between the others."""
    priors = priors_for("deep_min", baseline=None)
    hopeful = {**priors, "delta": replace(priors["delta"], location=6.0)}
    expected = arm_columns(arms) @ arm_locations(hopeful, arms)
    assert expected[:-1] - expected[-1] == pytest.approx(np.full(arms - 1, 6.0))


def test_two_arms_are_the_model_of_before():
    """With two arms the sampler gets to the bit what it got when there were but two: ±½, one delta, ten settings."""
    nights, calendar = simulated_trial(seed=3)
    design = build_design(nights, calendar, DEEP, arms=ARMS, exclude_flags=[])
    half = np.where(design.nights.filter("used")["arm"] == ARMS[0], 0.5, -0.5)
    left = [np.ones(len(half)), half, design.time, weekday_basis()[design.weekday], np.eye(16)[design.period]]
    expected = np.column_stack(left)
    assert np.array_equal(_rows(design, 16)[:, : expected.shape[1]], expected)
    assert fixed_effects(2) == ("intercept", "delta", "trend")
    kinds = [("intercept", 2), ("delta", 2), ("trend", 2), ("sigma", 2), ("sigma_weekday", 1), ("sigma_period", 1)]
    said = [
        number for name, n in kinds for number in (design.priors[name].location, design.priors[name].scale)[2 - n :]
    ]
    assert _settings(design.priors, 2).tolist() == said


def test_thirty_nothing_and_fifteen_are_recovered(told):
    """Of three arms that add 30, 15 and 0 minutes each difference lies in its interval, and the best arm is sure."""
    _, _, estimates = told[0]
    for pair, found in estimates.items():
        assert found.diagnostics.usable, found.diagnostics.failures
        low, high = found.effect.ci95
        assert low < TRUTH[pair.arm] - TRUTH[pair.reference] < high
        assert low > 0
        assert found.best_arm.arm == "bisglycinate"
        assert found.best_arm.error < 0.01
        assert sum(found.best_arm.probability.values()) == pytest.approx(1.0)
        assert found.nights.planned == 100
        assert set(found.levels) == {pair.arm, pair.reference}


def test_differences_add_up(told):
    """In every draw a − c is a − b and b − c together, and each is the difference of two levels."""
    _, tree, _ = told[0]
    drawn = tree["posterior"].to_dataset()
    first, whole, second = (of_contrast(drawn, pair.name)["effect"].to_numpy() for pair in PAIRS)
    assert first + second == pytest.approx(whole)
    assert whole == pytest.approx((drawn["level"].sel(arm=THREE[0]) - drawn["level"].sel(arm=THREE[2])).to_numpy())
    assert tree["prior"]["effect"].std("draw").to_numpy() == pytest.approx(np.full(3, 10.0), rel=0.05)


def test_labels_that_go_round_take_the_results_with_them(told):
    """Every arm called by the next one's name: each difference is found again under the new names."""
    (_, _, one), (_, _, other) = told
    around = dict(zip(THREE, (*THREE[1:], THREE[0]), strict=True))
    for pair, found in one.items():
        renamed = Contrast(arm=around[pair.arm], reference=around[pair.reference])
        turned = renamed not in other
        again = other[Contrast(arm=renamed.reference, reference=renamed.arm) if turned else renamed]
        assert found.effect.median == pytest.approx((-1 if turned else 1) * again.effect.median, abs=0.8)
        assert found.effect.sd == pytest.approx(again.effect.sd, rel=0.1)


def test_both_engines_agree_on_three_arms(told):
    """Sampling and exact integration tell the same of every pair, to the tolerances of the gate."""
    design, _, estimates = told[0]
    exact = integrate([linear_trial(TrialNights.of(design), design.priors)])[0].asked
    for pair, found in estimates.items():
        assert abs(exact[pair.name].mean - found.effect.mean) < max(0.05, 4 / np.sqrt(400)) * found.effect.sd
        assert exact[pair.name].sd == pytest.approx(found.effect.sd, rel=0.06)


def test_an_arm_without_nights_leaves_the_others_their_contrast():
    """Where citrate has too few nights, its contrasts say why; the other one stands, and only two arms can be best."""
    nights, calendar = three_armed()
    kept = nights.join(calendar.filter(calendar["arm"] != "citrate"), on="night", how="semi")
    design = build_design(kept, calendar, DEEP, arms=THREE, contrasts=PAIRS, exclude_flags=[])
    assert design.why_not_usable is None
    reasons = {pair.name: design.why_not(pair) for pair in PAIRS}
    assert reasons.pop("bisglycinate − placebo") is None
    assert all("0 usable nights in 0 periods on citrate" in why for why in reasons.values())


def test_a_contrast_alone_is_a_trial_of_its_two_arms():
    """Left to two arms a design is the one that the others' nights were never part of, their nights being gaps."""
    nights, calendar = three_armed()
    for outcome in (DEEP, LATENCY):
        whole = build_design(nights, calendar, outcome, arms=THREE, contrasts=PAIRS, exclude_flags=["short"])
        for pair in PAIRS:
            alone = build_design(
                nights, calendar, outcome, arms=(pair.arm, pair.reference), contrasts=[pair], exclude_flags=["short"]
            )
            between = whole.between(pair)
            assert between.nights.equals(alone.nights)
            assert (between.arms, between.periods) == (alone.arms, alone.periods)
            for name in ("y", "arm_index", "time", "weekday", "period", "gap", "censored"):
                assert np.array_equal(getattr(between, name), getattr(alone, name)), name
