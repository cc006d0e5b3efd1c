"""Probabilities, and the verdict that follows from them."""

import dataclasses
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.model.simulated import ARMS, LATENCY, RULES, simulated_trial

from nof1.model.design import build_design
from nof1.model.diagnose import diagnose
from nof1.model.estimate import estimate, summarise
from nof1.model.nuts import fit
from nof1.model.scale import WorthwhileScale
from nof1.model.verdict import Probabilities, decide, probabilities
from nof1.trial.protocol import Contrast

MIRROR = {
    "meaningful_benefit": "meaningful_worsening",
    "benefit": "worsening",
    "better_size_unclear": "worse_size_unclear",
    "no_worthwhile_difference": "no_worthwhile_difference",
    "not_enough_to_tell": "not_enough_to_tell",
}
EFFECTS = st.tuples(st.floats(-40, 40), st.floats(0.5, 20), st.sampled_from([None, 5.0, 10.0]))


def of_normal(mean, sd, bar, better="higher"):
    """The probabilities of a normal posterior."""
    draws = mean + sd * np.linspace(-3.5, 3.5, 2_001)
    weights = np.exp(-0.5 * np.linspace(-3.5, 3.5, 2_001) ** 2)
    drawn = np.repeat(draws, np.round(50 * weights).astype(int))
    return probabilities(drawn, None, better=better, worthwhile=WorthwhileScale(bar, None, "test"))


@given(EFFECTS)
def test_verdict_does_not_contradict_its_probabilities(effect):
    """A benefit is never claimed against the direction, and a size never without its probability."""
    p = of_normal(*effect)
    verdict = decide(p, RULES)
    if "benefit" in verdict or verdict == "better_size_unclear":
        assert p.p_better >= RULES.benefit
    if "worse" in verdict:
        assert p.p_worse >= RULES.benefit
    if verdict.startswith("meaningful"):
        assert max(p.p_better_worthwhile, p.p_worse_worthwhile) >= RULES.meaningful
    if verdict == "no_worthwhile_difference":
        assert p.p_no_worthwhile_difference >= RULES.no_worthwhile_difference
    if verdict == "not_enough_to_tell":
        assert p.p_better < 0.975
        assert p.p_worse < RULES.benefit


@given(EFFECTS)
def test_mirrored_effect_has_the_mirrored_verdict(effect):
    """Swapping arms turns benefit into worsening; only a warning of unclear size may come earlier than its promise."""
    mean, sd, bar = effect
    verdict = decide(of_normal(mean, sd, bar), RULES)
    mirrored = decide(of_normal(-mean, sd, bar), RULES)
    both = {verdict, mirrored}
    early_warning = {"worse_size_unclear", "not_enough_to_tell"}
    assert (
        MIRROR.get(verdict, verdict) == mirrored or MIRROR.get(mirrored, mirrored) == verdict or both == early_warning
    )


@given(EFFECTS)
def test_between_two_actives_the_order_of_their_names_says_nothing(effect):
    """Mirrored, the verdict is the mirror image, whatever it is: neither arm is the one to be warned of."""
    mean, sd, bar = effect
    rules = dataclasses.replace(RULES, actives=("citrate", "glycinate"))
    named, turned = (
        Contrast(arm=arm, reference=other) for arm, other in (("citrate", "glycinate"), ("glycinate", "citrate"))
    )
    verdict, mirrored = decide(of_normal(mean, sd, bar), rules, named), decide(of_normal(-mean, sd, bar), rules, turned)
    assert MIRROR.get(verdict, verdict) == mirrored or MIRROR.get(mirrored, mirrored) == verdict


def test_an_early_warning_is_of_the_reference_alone():
    """Worse with 96 % is told against a placebo, and not against another treatment."""
    p = Probabilities(
        p_better=0.04, p_better_worthwhile=0.0, p_worse=0.96, p_worse_worthwhile=0.3, p_no_worthwhile_difference=0.7
    )
    rules = dataclasses.replace(RULES, actives=("citrate", "glycinate"))
    assert decide(p, rules, Contrast(arm="citrate", reference="placebo")) == "worse_size_unclear"
    assert decide(p, rules, Contrast(arm="citrate", reference="glycinate")) == "not_enough_to_tell"


@given(EFFECTS)
def test_lower_is_better_is_the_same_the_other_way_round(effect):
    """An effect of +x on something that should fall is as good as −x on something that should rise."""
    mean, sd, bar = effect
    assert decide(of_normal(mean, sd, bar, "lower"), RULES) == decide(of_normal(-mean, sd, bar, "higher"), RULES)


def test_without_a_worthwhile_change_only_a_direction_is_claimed():
    """A large sure effect without a worthwhile change has an unclear size, and no probability of one."""
    p = of_normal(50, 1, None)
    assert p.p_better_worthwhile is None
    assert decide(p, RULES) == "better_size_unclear"


def test_thresholds_themselves_are_reached():
    """A probability exactly at the threshold counts as reached; just below it does not."""
    at = Probabilities(
        p_better=0.95, p_better_worthwhile=0.8, p_worse=0.05, p_worse_worthwhile=0.0, p_no_worthwhile_difference=0.2
    )
    assert decide(at, RULES) == "meaningful_benefit"
    assert decide(dataclasses.replace(at, p_better_worthwhile=0.799), RULES) == "benefit"
    assert decide(dataclasses.replace(at, p_better=0.949, p_worse=0.051), RULES) == "not_enough_to_tell"


def test_ratio_scale_counts_ratios():
    """With a worthwhile ratio of 0.80 a fall to 0.75 is worthwhile, a rise to 1.30 is as bad, 0.9 is neither."""
    ratio = np.array([0.75, 0.9, 0.9, 1.3])
    p = probabilities(10 * np.log(ratio), ratio, better="lower", worthwhile=WorthwhileScale(None, 0.80, "test"))
    assert (p.p_better, p.p_better_worthwhile, p.p_worse_worthwhile, p.p_no_worthwhile_difference) == (
        0.75,
        0.25,
        0.25,
        0.5,
    )


def test_intervals_are_equal_tailed():
    """The 95 % interval leaves 2.5 % of the draws on either side, however skewed they are."""
    draws = np.exp(np.random.default_rng(1).normal(size=20_000))
    low, high = summarise(draws).ci95
    assert np.mean(draws < low) == pytest.approx(0.025, abs=1e-3)
    assert np.mean(draws > high) == pytest.approx(0.025, abs=1e-3)


def test_planted_effects_are_found(analysed):
    """Thirty planted minutes of deep sleep are found: inside the 95 % interval, a meaningful benefit, checks passed."""
    _, _, told = analysed(seed=1, deep_effect=30.0)["deep_min"]
    assert told.diagnostics.usable, told.diagnostics.failures
    assert told.effect.ci95[0] < 30 < told.effect.ci95[1]
    assert told.verdict == "meaningful_benefit"
    levels = told.levels["magnesium"].median - told.levels["placebo"].median
    assert levels == pytest.approx(told.effect.median, abs=1.0)


def test_swapped_labels_flip_the_sign(analysed):
    """Calling the arms by each other's names turns the effect round, and leaves its size."""
    _, _, one = analysed(seed=2, deep_effect=12.0)["deep_min"]
    _, _, other = analysed(seed=2, deep_effect=12.0, arms=("placebo", "magnesium"))["deep_min"]
    assert one.effect.median == pytest.approx(-other.effect.median, abs=0.8)
    assert one.effect.ci95[0] == pytest.approx(-other.effect.ci95[1], abs=1.5)


def test_latency_is_told_as_ratio_and_minutes(analysed):
    """Thirty percent off a 60-minute latency are found as a ratio near 0.7 and as minutes, and latency has no rho."""
    _, tree, told = analysed(seed=4, log_ratio=float(np.log(0.7)), median=60.0)["sol_min"]
    assert told.diagnostics.usable, told.diagnostics.failures
    assert told.ratio.ci95[0] < 0.7 < told.ratio.ci95[1]
    assert told.effect.median < -10
    assert told.worthwhile == 10.0
    assert "rho" not in tree["posterior"]


def test_a_ratio_planted_on_a_five_minute_grid_is_found():
    """Of latencies rounded to five minutes ratio and log SD are found, and the record says what a value stands for."""
    nights, calendar = simulated_trial(seed=4, log_ratio=float(np.log(0.7)), median=18.0)
    nights = nights.with_columns(sol_min=(pl.col("sol_min") / 5).round() * 5)
    design = build_design(nights, calendar, LATENCY, arms=ARMS, exclude_flags=[])
    tree = fit([design], seed=1)["sol_min"]
    told = estimate(design, design.contrasts[0], tree, diagnose(design, tree), RULES)
    assert told.diagnostics.usable, told.diagnostics.failures
    assert told.ratio.ci95[0] < 0.7 < told.ratio.ci95[1] < 1.1
    low, high = np.quantile(tree["posterior"]["sigma"], [0.025, 0.975])
    assert low < 0.6 < high
    model = told.to_payload()["model"]
    assert (model["family"], model["rounded_to_min"], model["censored_below"]) == ("lognormal", 5.0, 2.5)


def test_estimate_is_json_with_nothing_lost(analysed):
    """The payload is plain JSON, and planned nights are used nights plus the excluded ones."""
    _, _, told = analysed(seed=1, deep_effect=30.0)["deep_min"]
    payload = json.loads(json.dumps(told.to_payload(), allow_nan=False))
    nights = payload["nights"]
    assert nights["planned"] == 120 == nights["used"] + sum(nights["excluded"].values())
    assert nights["used"] == sum(nights["used_by_arm"].values())
    assert payload["effect"]["ci95"] == list(told.effect.ci95)


def test_tree_has_the_groups_and_shapes_of_a_posterior(analysed):
    """The tree carries ArviZ's groups; the kept log likelihood has one finite value a draw and used night."""
    design, tree, _ = analysed(seed=1, deep_effect=30.0)["deep_min"]
    groups = {"posterior", "prior", "posterior_predictive", "log_prior", "observed_data", "log_likelihood"}
    groups |= {"sample_stats", "constant_data"}
    assert groups == set(tree.children)
    log_likelihood = tree["log_likelihood"]["y"]
    assert log_likelihood.sizes["night_used"] == len(design.y)
    assert np.isfinite(log_likelihood).all()
    assert tree["constant_data"].sizes["night"] == design.nights.height
    assert not any(values.dtype == object for group in tree.children.values() for values in group.data_vars.values())
    weekday = tree["posterior"]["weekday"]
    assert np.abs(weekday.sum("weekday_name")).max() < 1e-9


def test_same_seed_gives_the_same_draws_whatever_stands_beside(analysed):
    """Deep sleep analysed alone has the draws that it has beside latency."""
    from tests.model.simulated import DEEP

    alone = analysed(DEEP, seed=1, deep_effect=30.0)["deep_min"][1]
    beside = analysed(seed=1, deep_effect=30.0)["deep_min"][1]
    assert np.array_equal(alone["posterior"]["effect"], beside["posterior"]["effect"])


def test_simulated_trials_differ_by_seed():
    """The simulation behind these tests is random in its seed, and only in it."""
    first, again, other = (simulated_trial(seed=seed)[0] for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)
