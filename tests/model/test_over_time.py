"""The effect pair by pair: what a pair says itself, what all say of it, and what was learned of the difference."""

from dataclasses import replace
from math import exp, sqrt
from types import MappingProxyType

import numpy as np
import pytest
from scipy.stats import halfnorm
from tests.model.simulated import ARMS, DEEP, LATENCY, simulated_trial

from nof1.model.design import EXACT, LEFT, build_design
from nof1.model.exact import FINE, Marginal, integrate
from nof1.model.linear import TrialNights, linear_trial
from nof1.model.mixture import Mixture
from nof1.model.over_time import SIGMA, between_pairs, over_time, with_effects_by_block
from nof1.model.priors import Prior
from nof1.trial.protocol import Contrast

HALF_NORMAL = Prior(SIGMA, "HalfNormal", 0.0, 4.0, "min", "")


def laid_out(seed, *, outcome=DEEP, by_pair=None, blocks=6, arms=ARMS, contrast=None, **truth):
    """One contrast of a simulated trial, and the block of each period; the effect in each gains `by_pair`."""
    nights, calendar = simulated_trial(seed=seed, blocks=blocks, arms=arms, **truth)
    design = build_design(nights, calendar, outcome, arms=arms, exclude_flags=[])
    design = design.between(contrast or design.contrasts[0])
    block_of = {number: (number - 1) // len(arms) + 1 for number in design.periods}
    if by_pair is not None:
        added = np.array([by_pair[block_of[number] - 1] for number in design.periods])[design.period]
        design = replace(design, y=design.y + np.where(design.arm_index == 0, added / 2, -added / 2))
    return design, block_of


def blocks_of(design, block_of):
    """(period,) the block of each."""
    return np.array([block_of[number] for number in design.periods])


def with_known_spread(design, block_of, sigma):
    """The same model with columns as covariates: σ_over_time is a number, and no group is needed."""
    blocks = blocks_of(design, block_of)[design.period]
    columns = {
        f"own_{block}": (blocks == block) * np.where(design.arm_index == 0, 0.5, -0.5) for block in np.unique(blocks)
    }
    priors = {name: Prior(name, "Normal", 0.0, sigma, "min", "") for name in columns}
    nights = replace(TrialNights.of(design), covariates=MappingProxyType({**design.covariates, **columns}))
    trial = linear_trial(nights, MappingProxyType({**design.priors, **priors}))
    (effect,) = trial.asked.values()
    own = {name: np.eye(len(trial.names))[trial.names.index(name)] for name in columns}
    return replace(trial, asked={name: effect + one for name, one in own.items()})


@pytest.mark.parametrize("by_pair", [None, (15, -15, 15, -15)])
def test_the_group_is_what_summing_over_its_sd_gives(by_pair):
    """σ_over_time held at 14 values and weighed by evidence and prior: the same pairs, and the same σ."""
    design, block_of = laid_out(3, blocks=4, by_pair=by_pair, missing=0.15)
    found = over_time(design, block_of)
    at = 1.5 * (np.arange(14) + 0.5)
    parts = integrate([with_known_spread(design, block_of, sigma) for sigma in at])
    log_mass = np.array([part.log_evidence for part in parts]) + halfnorm(scale=4).logpdf(at)
    weights = np.exp(log_mass - log_mass.max())
    weights /= weights.sum()
    edges = np.concatenate([[0.0], np.cumsum(weights)])
    expected = np.interp([0.025, 0.5, 0.975], edges, np.linspace(0, 21, 15))
    assert [found.sigma.ci95[0], found.sigma.median, found.sigma.ci95[1]] == pytest.approx(expected, rel=0.05, abs=0.05)
    for pair in found.pairs:
        of_pair = [part.asked[f"own_{pair.block}"] for part in parts]
        mixed = Mixture(
            np.concatenate([w * one.weights for w, one in zip(weights, of_pair, strict=True)]),
            np.concatenate([one.means for one in of_pair]),
            np.concatenate([one.sds for one in of_pair]),
        )
        assert [pair.ci95[0], pair.median, pair.ci95[1]] == pytest.approx(
            mixed.quantile([0.025, 0.5, 0.975]), abs=0.005 * mixed.sd
        )


def test_twice_the_points_change_nothing():
    """The coarse grid is fine enough: of the effects 0.001 of an SD, of σ's quantiles a percent."""
    design, block_of = laid_out(0, deep_effect=8.0, blocks=4)
    found = over_time(design, block_of)
    trial = with_effects_by_block(design, blocks_of(design, block_of))
    (finer,) = integrate([trial], points=FINE)
    for pair in found.pairs:
        mixture = finer.asked[f"block {pair.block}"]
        assert pair.median == pytest.approx(float(mixture.quantile(0.5)), abs=0.001 * mixture.sd)
    sigma = between_pairs(finer.hyperparameters[SIGMA], trial.groups[1])
    assert found.sigma.median == pytest.approx(sigma.median, rel=0.01)
    assert found.sigma.ci95 == pytest.approx(sigma.ci95, rel=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_a_pairs_own_difference_is_that_of_its_period_means(seed):
    """Mean of the nights used on the arm − mean of those on the reference, and nothing of any other pair."""
    design, block_of = laid_out(seed, missing=0.3)
    used = design.nights.filter("used")
    means = {number: used.filter(period=number)["value"].mean() for number in design.periods}
    arm = dict(used.select("period", "arm").iter_rows())
    for pair in over_time(design, block_of).pairs:
        own = {arm[number]: means[number] for number in design.periods if block_of[number] == pair.block}
        assert pair.difference == pytest.approx(own["magnesium"] - own["placebo"])


def test_several_periods_of_an_arm_in_a_block_count_alike():
    """Of a block with four periods each arm has the mean of its two period means, however many nights those have."""
    design, block_of = laid_out(2, missing=0.3)
    wide = {number: (block + 1) // 2 for number, block in block_of.items()}
    narrow = [pair.difference for pair in over_time(design, block_of).pairs]
    assert [pair.difference for pair in over_time(design, wide).pairs] == pytest.approx(
        np.reshape(narrow, (3, 2)).mean(axis=1)
    )


def test_alike_pairs_are_drawn_together_and_unlike_ones_are_told_apart():
    """Without a difference over time pairs lie closer than they say themselves; quiet nights can tell one of 20 min."""
    alike = over_time(*laid_out(5))
    own, drawn = ([getattr(pair, name) for pair in alike.pairs] for name in ("difference", "median"))
    assert np.std(drawn) < 0.5 * np.std(own)
    assert np.corrcoef(own, drawn)[0, 1] > 0.9
    unlike = over_time(*laid_out(5, by_pair=(-20, 20) * 3, sigma=8.0, sigma_period=1.0, period_nights=14))
    assert unlike.sigma.is_learned
    assert unlike.sigma.median > unlike.sigma.prior_ci95[1]
    assert [pair.median > 0 for pair in unlike.pairs] == [False, True] * 3


def test_periods_that_wobble_are_no_effect_over_time():
    """Where every period has a level of its own, pairs differ for that reason, and nothing is learned of the effect."""
    wobbling = over_time(*laid_out(5, sigma_period=25.0))
    own, drawn = ([getattr(pair, name) for pair in wobbling.pairs] for name in ("difference", "median"))
    assert not wobbling.sigma.is_learned
    assert np.std(drawn) < 0.2 * np.std(own)


def test_the_prior_is_no_news():
    """A posterior that is the prior has a ratio of 1 and is not learned; half as wide, or away from 0, it is."""
    at = (np.arange(9) + 0.5) * (20 / 9)
    density = halfnorm(scale=4).pdf(at)
    same = between_pairs(Marginal(at, density / density.sum()), HALF_NORMAL)
    assert same.sd_ratio == pytest.approx(1, abs=0.02)
    assert not same.is_learned
    assert (same.median, *same.ci95) == pytest.approx((same.prior_median, *same.prior_ci95), rel=0.02)
    assert same.prior_ci95 == pytest.approx(halfnorm(scale=4).ppf([0.025, 0.975]))
    density = halfnorm(scale=2).pdf(at / 2)
    half = between_pairs(Marginal(at / 2, density / density.sum()), HALF_NORMAL)
    assert half.sd_ratio == pytest.approx(0.5, abs=0.02)
    far = np.exp(-0.5 * ((at - 10) / 3) ** 2)
    assert between_pairs(Marginal(at, far / far.sum()), HALF_NORMAL).sd_ratio < 0.5


def test_a_latency_with_every_value_known_is_told_as_ratios():
    """On the scale of logarithms with its own priors; a pair's own is the quotient of geometric means."""
    design, block_of = laid_out(4, outcome=LATENCY, log_ratio=-0.4)
    known = replace(design, censored=np.full_like(design.censored, EXACT))
    found = over_time(known, block_of)
    assert (found.unit, found.sigma.unit, found.sigma.prior) == ("ratio", "log min", "HalfNormal(0.15)")
    first = blocks_of(known, block_of)[known.period] == found.pairs[0].block
    logs = [known.y[first & (known.arm_index == arm)].mean() for arm in (0, 1)]
    assert found.pairs[0].difference == pytest.approx(exp(logs[0] - logs[1]))
    assert all(0 < pair.ci95[0] < pair.median < pair.ci95[1] for pair in found.pairs)
    assert np.median([pair.median for pair in found.pairs]) == pytest.approx(exp(-0.4), rel=0.25)


def test_a_latency_known_only_as_at_most_is_not_told():
    """One censored night, and there are no pairs but a reason that counts it."""
    design, block_of = laid_out(4, outcome=LATENCY)
    censored = np.full_like(design.censored, EXACT)
    censored[7] = LEFT
    found = over_time(replace(design, censored=censored), block_of)
    assert (found.pairs, found.sigma) == ((), None)
    assert found.why_not.startswith("1 nights are only known")


def test_a_block_without_one_arm_has_no_effect_of_its_own():
    """Its nights count, but only blocks that hold both arms are told; fewer than two of them, and none is."""
    design, block_of = laid_out(6)
    lone = {number: 7 if number == 12 else block for number, block in block_of.items()}
    found = over_time(design, lone)
    assert [pair.block for pair in found.pairs] == [1, 2, 3, 4, 5]
    assert found.one_arm_only == (6, 7)
    found = over_time(design, dict.fromkeys(block_of, 1))
    assert (found.pairs, found.sigma) == ((), None)
    assert found.why_not.startswith("Fewer than two blocks")


def test_of_three_arms_each_contrast_has_its_own_pairs():
    """Every block holds all three, so each contrast has an effect in each; turned round it has its sign turned."""
    arms = ("citrate", "oxide", "placebo")
    there, block_of = laid_out(7, arms=arms, blocks=4, contrast=Contrast(arm="citrate", reference="oxide"))
    back, _ = laid_out(7, arms=arms, blocks=4, contrast=Contrast(arm="oxide", reference="citrate"))
    one, other = over_time(there, block_of), over_time(back, block_of)
    assert [pair.block for pair in one.pairs] == [1, 2, 3, 4]
    for pair, turned in zip(one.pairs, other.pairs, strict=True):
        assert pair.difference == pytest.approx(-turned.difference)
        assert pair.median == pytest.approx(-turned.median, abs=1e-3)
        assert pair.ci95 == pytest.approx((-turned.ci95[1], -turned.ci95[0]), abs=1e-3)


def test_the_prior_of_a_pair_is_that_of_the_effect_and_of_the_difference():
    """Before any night the effect in a block has the variance of δ plus that of σ_over_time."""
    design, block_of = laid_out(1)
    trial = with_effects_by_block(design, blocks_of(design, block_of))
    assert trial.groups[1].scale == design.priors["sigma_period"].scale == 4.0
    for weights in trial.asked.values():
        learned = np.where(trial.group == 1, 4.0, 1.0)
        assert sqrt(((weights * trial.scale * learned) ** 2).sum()) == pytest.approx(sqrt(10**2 + 4**2))
