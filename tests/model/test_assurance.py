"""What a design is said to tell, against closed forms and against itself."""

from dataclasses import replace
from math import log, sqrt
from typing import get_args

import numpy as np
import pytest

from nof1.model.assurance import Judgement, along_effect, chances, moved, probabilities_of
from nof1.model.exact import ROUGH, integrate
from nof1.model.linear import linear_trial, with_prior
from nof1.model.mixture import Mixture
from nof1.model.priors import priors_for
from nof1.model.simulation import BASELINE, Noise, simulate
from nof1.model.verdict import Verdict
from nof1.trial.protocol import AnalysisRules, Arm, Design

PAIRS = Design(scheme="randomised-pairs")
ARMS = (Arm(code="mg", label="magnesium"), Arm(code="pl", label="placebo", reference=True))
PRIORS = priors_for("deep_min", baseline=None)
JUDGEMENT = Judgement(rules=AnalysisRules(), worthwhile=10.0)
CALM = Noise(rho=0.0, missing=0.0, sigma_weekday=0.0, sigma_period=0.0)


def test_chances_are_shares_of_known_verdicts():
    """The chances of all verdicts sum to 1, and none is a word that a report does not have."""
    for told in chances(PAIRS, ARMS, PRIORS, JUDGEMENT, effects=[0.0, None], noises=[Noise()] * 12, seed=1):
        assert told.of(*told.verdicts) == pytest.approx(1.0)
        assert set(told.verdicts) <= set(get_args(Verdict))
        assert told.trials == 12


def test_the_same_seed_gives_the_same_chances():
    """A plan that is made again says the same; another seed says something else."""
    first, again, other = (
        chances(PAIRS, ARMS, PRIORS, JUDGEMENT, effects=[10.0], noises=[Noise()] * 10, seed=seed)[0]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first.half_width != other.half_width


def test_known_noise_gives_the_closed_form_interval():
    """With known noise the interval is as wide as 4σ²/n + 2σ_b²/K and the prior say, to 3 %, whatever the order."""
    known = PRIORS
    for name, location in (("rho", 0.0), ("sigma_weekday", 0.0), ("trend", 0.0), ("sigma", log(19.0))):
        known = with_prior(known, name, location=location, scale=0.0)
    known = with_prior(known, "sigma_period", scale=0.0)
    told = chances(PAIRS, ARMS, known, JUDGEMENT, effects=[0.0], noises=[CALM] * 4, seed=3)[0]
    error = 4 * 19.0**2 / (12 * 7)
    assert told.half_width == pytest.approx(1.96 * sqrt(1 / (1 / error + 1 / 10.0**2)), rel=0.03)


def test_a_larger_effect_is_found_more_often_and_its_mirror_as_a_worsening():
    """Chances of a benefit rise with the effect; a harmful effect is a worsening; where less is better, reversed."""
    none, large, harmful = chances(
        PAIRS, ARMS, PRIORS, JUDGEMENT, effects=[0.0, 25.0, -25.0], noises=[CALM] * 30, seed=4
    )
    benefit, worsening = ("benefit", "meaningful_benefit"), ("worsening", "meaningful_worsening")
    assert none.of(*benefit) < 0.2
    assert large.of(*benefit) > 0.8
    assert harmful.of(*worsening) > 0.8
    less = replace(JUDGEMENT, better="lower")
    mirrored = chances(PAIRS, ARMS, PRIORS, less, effects=[25.0], noises=[CALM] * 30, seed=4)[0]
    assert mirrored.of(*worsening) == pytest.approx(large.of(*benefit), abs=0.01)


def test_simulated_nights_are_as_noisy_as_they_say():
    """Simulated nights have the stated SD, correlation and share of missing nights, and no transition nights."""
    noise = replace(CALM, rho=0.5, missing=0.2)
    design = replace(PAIRS, blocks=100, washout_nights=2)
    nights = simulate(design, ARMS, noise, np.random.default_rng(5)).nights
    place = nights.day % 12
    assert set(place) == set(range(3, 10))
    assert len(nights.y) == pytest.approx(0.8 * 200 * 7, rel=0.05)
    assert nights.y.std() == pytest.approx(19.0, rel=0.08)
    follows = np.diff(nights.day) == 1
    residual = nights.y - nights.y.mean()
    together = (residual[1:] * residual[:-1])[follows].mean() / residual.var()
    assert together == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize(("period", "transition", "share"), [(7, 2, 0.845), (10, 3, 0.929)])
def test_an_effect_that_builds_up_shows_in_part(period, transition, share):
    """With a time constant of two nights randomised pairs show the share of the effect that methods computed."""
    design = replace(PAIRS, blocks=200, period_nights=period, transition_nights=transition)
    noise = replace(CALM, build_up_nights=2.0)
    trial = simulate(design, ARMS, noise, np.random.default_rng(6))
    on = trial.nights.arm == 0
    assert trial.exposure[on].mean() - trial.exposure[~on].mean() == pytest.approx(share, abs=0.01)


def test_an_effect_at_once_shows_whole():
    """Without build-up every night on the arm shows +½ of the effect and every other −½."""
    trial = simulate(PAIRS, ARMS, CALM, np.random.default_rng(7))
    assert trial.exposure.tolist() == np.where(trial.nights.arm == 0, 0.5, -0.5).tolist()
    assert (trial.with_effect(10.0).y - trial.nights.y).tolist() == pytest.approx((10 * trial.exposure).tolist())


def test_nothing_worthwhile_means_no_benefit_can_be_claimed():
    """Without a worthwhile change only a direction can come out, never a benefit."""
    told = chances(
        PAIRS, ARMS, PRIORS, replace(JUDGEMENT, worthwhile=None), effects=[30.0], noises=[CALM] * 10, seed=8
    )[0]
    assert told.of("better_size_unclear") > 0.8


def test_an_effect_moves_a_posterior_as_integrating_the_moved_nights_does():
    """A posterior that is moved by an effect is the posterior of the nights with that effect, to 0.01 of an SD."""
    trial = simulate(PAIRS, ARMS, Noise(), np.random.default_rng(9))
    by = np.array([-15.0, 6.0, 20.0])
    (before, *after) = (
        found.effect for found in integrate([linear_trial(trial.with_effect(x), PRIORS) for x in (0.0, *by)])
    )
    for weights, means, whole in zip(*moved(before, PRIORS["delta"], by), after, strict=True):
        quick = Mixture(weights, means, before.sds)
        for p in (0.025, 0.5, 0.975):
            assert quick.quantile(p) == pytest.approx(whole.quantile(p), abs=0.01 * whole.sd)


@pytest.mark.parametrize("rho", [-0.3, 0.5])
def test_the_noise_along_the_effect_is_what_the_dense_normal_says(rho):
    """The least-squares estimate and its SD are those of the whole covariance of the nights, to nine digits."""
    noise = Noise(rho=rho, sigma_period=6.0, sigma_weekday=5.0, trend=8.0, missing=0.3)
    trial = simulate(PAIRS, ARMS, noise, np.random.default_rng(15))
    nights = trial.nights
    of_weekday = (np.eye(7) - 1 / 7)[nights.weekday[:, None], nights.weekday[None, :]]
    covariance = noise.sigma**2 * np.power(rho, np.abs(nights.day[:, None] - nights.day[None, :]))
    covariance += noise.sigma_period**2 * (nights.period[:, None] == nights.period[None, :])
    covariance += noise.sigma_weekday**2 * of_weekday
    weights = np.linalg.solve(covariance, trial.exposure)
    precision = weights @ trial.exposure
    drawn = nights.y - BASELINE - noise.trend * nights.time
    assert along_effect(trial, noise) == pytest.approx((weights @ drawn / precision, 1 / sqrt(precision)), rel=1e-9)


@pytest.mark.parametrize("effect", [0.0, 12.0])
def test_chances_are_those_of_trials_drawn_whole(effect):
    """Integrating over the noise along the effect gives the shares that drawing all of it gives, with less error."""
    design = replace(PAIRS, blocks=4, period_nights=7, transition_nights=2)
    noise = Noise(rho=0.4, sigma_period=6.0, trend=8.0, missing=0.2)
    told = chances(design, ARMS, PRIORS, JUDGEMENT, effects=[effect], noises=[noise] * 60, seed=10)[0]
    drawn = [simulate(design, ARMS, noise, np.random.default_rng([11, n])).with_effect(effect) for n in range(300)]
    found = integrate([linear_trial(nights, PRIORS) for nights in drawn], points=ROUGH)
    better = np.mean([probabilities_of(one.effect, JUDGEMENT).p_better >= 0.95 for one in found])
    ends = np.array([one.effect.quantile([0.025, 0.975]) for one in found])
    covered = np.mean((ends[:, 0] < effect) & (effect < ends[:, 1]))
    for share, whole in ((told.direction, better), (told.covered, covered)):
        own = max(whole * (1 - whole), 0.01) / 300
        assert abs(share.share - whole) < 3.5 * sqrt(own + share.error**2)
        assert share.error < sqrt(own)
    assert told.half_width == pytest.approx(np.mean(np.diff(ends)) / 2, rel=0.05)


def test_effects_drawn_from_the_prior_are_covered_as_often_as_intervals_say():
    """Where each trial draws its effect from the prior, 95 % intervals hold 95 % of them, within Monte Carlo error."""
    calibrated = [replace(CALM, sigma=19.0, sigma_weekday=4.0, sigma_period=3.0)] * 60
    told = chances(PAIRS, ARMS, PRIORS, JUDGEMENT, effects=[None], noises=calibrated, seed=12)[0]
    assert told.effect is None
    assert abs(told.covered.share - 0.95) < 0.02
    assert told.benefit.share == pytest.approx(told.of("worsening", "meaningful_worsening"), abs=0.03)


def test_of_three_arms_the_two_that_are_compared_are_judged():
    """The chances of a contrast of three arms are about those of the same two arms alone: the third costs little."""
    three = (*ARMS[:1], ARMS[1], Arm(code="ci", label="citrate"))
    noises = [Noise(rho=0.0)] * 20
    alone = chances(PAIRS, ARMS, PRIORS, JUDGEMENT, effects=[15.0], noises=noises, seed=13)[0]
    blocks = replace(PAIRS, scheme="permuted-blocks")
    trial = simulate(blocks, three, CALM, np.random.default_rng(16))
    assert trial.exposure.tolist() == np.array([0.5, -0.5, 0.0])[trial.nights.arm].tolist()
    beside = chances(blocks, three, PRIORS, JUDGEMENT, effects=[15.0], noises=noises, seed=13)[0]
    assert beside.half_width == pytest.approx(alone.half_width, rel=0.1)
    assert beside.benefit.share == pytest.approx(alone.benefit.share, abs=0.15)


def test_what_chances_cannot_be_computed_of_is_refused():
    """Effects that build up, and nights that are not normal, are for whole simulations."""
    for noise in (Noise(build_up_nights=2.0), Noise(heavy_tails=4)):
        with pytest.raises(ValueError, match="at once"):
            chances(PAIRS, ARMS, PRIORS, JUDGEMENT, effects=[0.0], noises=[noise], seed=1)


def test_a_share_that_was_never_seen_has_an_error():
    """What no simulated trial shows is not known to be impossible."""
    told = chances(PAIRS, ARMS, PRIORS, JUDGEMENT, effects=[60.0], noises=[CALM] * 4, seed=14)[0]
    assert told.benefit.share == 1.0
    assert told.benefit.error > 0.0
