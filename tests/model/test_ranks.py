"""Ranks of the truth are what they are said to be, and the check on them can fail."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from nof1.model.calibration import DESIGNS
from nof1.model.exact import ROUGH, draw, integrate
from nof1.model.linear import linear_trial
from nof1.model.priors import priors_for
from nof1.model.ranks import Shares, exact_ranks, from_priors, judge, log_likelihood, rank_among, share_below

PRIORS = priors_for("deep_min", baseline=None)


def doubled(design, priors, rng):
    """A world whose effect is twice what it says."""
    one = from_priors(design, priors, rng)
    again = one.truth["delta"] * np.where(one.nights.arm == 0, 0.5, -0.5)
    return replace(one, nights=replace(one.nights, y=one.nights.y + again))


def shares(below):
    """Shares of a quantity without a name."""
    return Shares("exact", "deep_min", "effect", np.asarray(below))


@pytest.mark.parametrize("least", [-np.inf, 0.0])
def test_a_marginal_is_read_off_between_its_points(least):
    """Nine points over a normal, or over half of one, tell the shares below any value to a thousandth."""
    low, high = (0.0, 4.5) if least == 0 else (-4.0, 4.0)
    points = low + (high - low) * (np.arange(9) + 0.5) / 9
    weights = stats.norm.pdf(points) / stats.norm.pdf(points).sum()
    for value in (-1.3, 0.01, 0.4, 1.7):
        true = stats.norm.cdf(value) if least < 0 else max(2 * stats.norm.cdf(value) - 1, 0)
        assert share_below(points, weights, value, least=least) == pytest.approx(true, abs=1e-3)


def test_values_beyond_a_marginal_lie_at_its_ends():
    """Nothing lies below what is far too small, everything below what is far too large."""
    points = np.linspace(-3, 3, 9)
    assert share_below(points, stats.norm.pdf(points), -99.0) == 0
    assert share_below(points, stats.norm.pdf(points), 99.0) == 1


def test_uniform_shares_stay_inside_the_band_as_often_as_said():
    """Of 300 sets of 60 uniform shares one to eight leave a band that holds 99 % of them."""
    rng = np.random.default_rng(20261123)
    left = sum(not judge([shares(rng.random(60))])[0].inside for _ in range(300))
    assert 1 <= left <= 8


def test_every_quantity_that_is_looked_at_widens_the_bands():
    """A set that leaves its band alone may stay inside where ten are judged together; how far it goes is told."""
    skew = shares(np.random.default_rng(4).beta(1.7, 1, size=60))
    alone, together = judge([skew])[0], judge([skew] * 10)[0]
    assert (alone.inside, together.inside) == (False, True)
    assert alone.reach > max(together.reach, 1)
    assert alone.missed
    assert not together.missed


def test_shares_pressed_to_the_ends_or_the_middle_are_missed():
    """Posteriors that are too narrow or too wide are seen, and named."""
    rng = np.random.default_rng(2)
    narrow, wide = judge([shares(rng.beta(0.3, 0.3, size=60)), shares(rng.beta(4, 4, size=60))])
    assert not narrow.inside
    assert not wide.inside
    assert "ranks of effect (deep_min, exact) leave the band" in narrow.missed[0]
    assert narrow.held[0] < 0.5 < wide.held[0]


def test_a_wrong_world_is_seen():
    """Over 100 trials with effects that are twice what is said the effect leaves its band, and nothing else does."""
    found = judge(exact_ranks(trials=100, seed=1, design=DESIGNS[0], world=doubled, points=ROUGH))
    assert [one.quantity for one in found] == ["effect", "rho", "sigma", "sigma_period", "log likelihood"]
    assert [one.quantity for one in found if not one.inside] == ["effect"]


def test_the_same_seed_gives_the_same_ranks():
    """Trials and draws come from the seed."""
    first, again, other = (exact_ranks(trials=4, seed=seed, points=ROUGH) for seed in (7, 7, 8))
    for one, same, different in zip(first, again, other, strict=True):
        assert one.below.tolist() == same.below.tolist() != different.below.tolist()


def test_draws_are_those_of_the_exact_posterior():
    """Mean and SD of every effect, σ and ρ, over 20,000 draws, are those that were integrated, within their error."""
    one = from_priors(DESIGNS[1], PRIORS, np.random.default_rng(3))
    trial = linear_trial(one.nights, PRIORS)
    drawn = draw(trial, draws=20_000, rng=np.random.default_rng(4), points=ROUGH)
    (found,) = integrate([replace(trial, asked=trial.each_effect)], points=ROUGH)
    told = {name: (mixture.mean, mixture.sd) for name, mixture in found.asked.items()}
    told |= {name: (found.hyperparameters[name].mean, found.hyperparameters[name].sd) for name in ("sigma", "rho")}
    got = dict(zip(trial.names, drawn.effects.T, strict=True)) | {"sigma": drawn.sigma, "rho": drawn.rho}
    for name, (mean, sd) in told.items():
        assert abs(got[name].mean() - mean) < 4.5 * sd / np.sqrt(20_000)
        assert got[name].std() == pytest.approx(sd, rel=0.04)


def test_the_log_likelihood_is_the_dense_normals():
    """That of a night's own noise, at the truth, is the multivariate normal with correlation ρ to the days apart."""
    one = from_priors(DESIGNS[1], PRIORS, np.random.default_rng(3))
    apart = np.abs(one.nights.day[:, None] - one.nights.day[None, :])
    sigma, rho = one.truth["sigma"], one.truth["rho"]
    dense = stats.multivariate_normal(cov=sigma**2 * np.power(rho, apart)).logpdf(one.own)
    assert log_likelihood(one.nights, one.own, sigma=np.array(sigma), rho=np.array(rho)) == pytest.approx(dense)


def test_a_rank_among_draws_lies_between_its_neighbours():
    """Above two of four draws the share is between two and three fifths: spread, so that it is uniform."""
    told = [rank_among(np.array([1.0, 2.0, 3.0, 4.0]), 2.5, np.random.default_rng(n)) for n in range(50)]
    assert 0.4 <= min(told) < 0.45
    assert 0.55 < max(told) <= 0.6
