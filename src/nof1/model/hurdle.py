"""Nights without any latency, where a log-normal does not expect as many: how often they come, and how long others are.

Some devices tell "at once" on a fifth of the nights, however the sleep was. Then a night has no latency with
probability p₀, and else a log-normal one. With independent priors the two parts have independent posteriors:

    logit p₀ = a₀ + the arm's own part,   a₀ ~ Normal,   every arm's part ~ Normal, independently,

is integrated on a grid, and the latencies of the others are sampled by the compiled model of `nuts`. What is compared
is the average of all nights, those without latency being 0 minutes: (1 − p₀) × the mean of the log-normal.

Such nights are taken to come independently of each other; where they come in whole periods `doubts` says so.
"""

from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.arms import arm_columns, arm_locations
from nof1.model.design import LEFT, AnalysisDesign
from nof1.model.priors import ZERO_ODDS_PER_RATIO, Priors, zero_priors

Floats = NDArray[np.float64]

FARTHEST: Final = 12.0
"""Log odds beyond which a share of nights need not be told from 0 or 1."""

SDS: Final = 6.0
"""So far reaches the grid of what the arms share, in SDs of its prior."""

CENTRES, POINTS = 161, 1201
"""Points of the grid: along what the arms share, and along the log odds of each arm."""


def sampled_part(design: AnalysisDesign) -> AnalysisDesign:
    """Leave to the sampler the nights that have a latency; all nights where there is no hurdle."""
    return design.only(design.censored != LEFT) if design.has_hurdle else design


def zero_log_odds(design: AnalysisDesign, shape: tuple[int, ...], *, seed: int) -> Floats:
    """Draw the log odds of a night without latency on each arm from their posterior: (shape …, arm).

    Given a₀ the arms know nothing of each other, so that every integral has one dimension, however many arms there are.
    """
    rng = np.random.default_rng([seed, 3])
    weight, of_arms = _grid(design)
    edges = np.linspace(-FARTHEST, FARTHEST, POINTS + 1)
    centre = np.searchsorted(np.cumsum(weight / weight.sum()), rng.random(int(np.prod(shape)))).clip(max=CENTRES - 1)
    drawn = np.empty((len(centre), len(of_arms)))
    for arm, density in enumerate(of_arms):
        up_to = np.pad(np.cumsum(density, axis=1), ((0, 0), (1, 0)))
        uniform = rng.random(len(centre))
        for place in np.unique(centre):
            here = centre == place
            drawn[here, arm] = np.interp(uniform[here], up_to[place] / up_to[place, -1], edges)
    return drawn.reshape(*shape, len(of_arms))


def _grid(design: AnalysisDesign) -> tuple[Floats, Floats]:
    """(centre,) posterior weight of what the arms share; (arm, centre, point) density of the log odds given that."""
    shared, between = zero_priors(design.priors)
    arms = len(design.arms)
    step = 2 * FARTHEST / POINTS
    log_odds = np.linspace(-FARTHEST + step / 2, FARTHEST - step / 2, POINTS)
    of_prior = np.linspace(-SDS, SDS, CENTRES)
    expected = shared.location + shared.scale * of_prior + _shifts(design.priors, arms)[:, None]
    told = np.stack([_binomial(design, arm, log_odds) for arm in range(arms)])
    apart = (log_odds - expected[..., None]) / (between.scale / sqrt(2))
    log_density = told[:, None] - 0.5 * apart**2
    peak = log_density.max(axis=2, keepdims=True)
    density = np.exp(log_density - peak)
    evidence = (np.log(density.sum(axis=2)) + peak[..., 0]).sum(axis=0) - 0.5 * of_prior**2
    return np.exp(evidence - evidence.max()), density


def _binomial(design: AnalysisDesign, arm: int, log_odds: Floats) -> Floats:
    """Log likelihood of the nights of one arm at each of the log odds."""
    zero = design.censored[design.arm_index == arm] == LEFT
    return np.asarray(-zero.sum() * np.logaddexp(0, -log_odds) - (~zero).sum() * np.logaddexp(0, log_odds))


def _shifts(priors: Priors, arms: int) -> Floats:
    """(arm,): where the prior of each arm lies from the middle of all, in log odds."""
    return np.asarray(arm_columns(arms) @ (-ZERO_ODDS_PER_RATIO * arm_locations(priors, arms)))


def prior_log_odds(priors: Priors, arms: int, size: int, *, seed: int) -> Floats:
    """Draw them from their prior: (draw, arm)."""
    rng = np.random.default_rng([seed, 4])
    shared, between = zero_priors(priors)
    own = rng.normal(0.0, between.scale / sqrt(2), (size, arms))
    return np.asarray(rng.normal(shared.location, shared.scale, size)[:, None] + own + _shifts(priors, arms))


def log_prior(design: AnalysisDesign, log_odds: Floats) -> Floats:
    """(…,): log prior density of the differences between arms, up to a constant; `log_odds` are (…, arm)."""
    _, between = zero_priors(design.priors)
    arms = len(design.arms)
    parts = 2 * (log_odds - _shifts(design.priors, arms)) @ arm_columns(arms)  # columns are orthogonal, of length √½
    return np.asarray(-0.5 * ((parts / between.scale) ** 2).sum(axis=-1))


def log_share_above(log_odds: Floats) -> Floats:
    """log(1 − p₀), whatever the log odds."""
    return np.asarray(-np.logaddexp(0, log_odds))


def with_zeros(design: AnalysisDesign, told: Floats, log_odds: Floats) -> Floats:
    """(chain, draw, night_used): log likelihood of every night, from that of its latency if it has one."""
    of_night = log_odds[..., design.arm_index]
    return np.where(design.censored == LEFT, -np.logaddexp(0, -of_night), told + log_share_above(of_night))


def with_predicted_zeros(design: AnalysisDesign, predicted: Floats, log_odds: Floats, *, seed: int) -> Floats:
    """Let some of the predicted log latencies not be there: they are told as at the smallest value, the others above.

    Parameters
    ----------
    predicted
        (chain, draw, night_used), as if every night had a latency.
    log_odds
        Of the same draws.
    """
    smallest = np.log(design.censored_below or 1.0)
    p = 1 / (1 + np.exp(-log_odds[..., design.arm_index]))
    zero = np.random.default_rng([seed, 5]).random(predicted.shape) < p
    return np.where(zero, smallest, np.maximum(predicted, np.nextafter(smallest, np.inf)))
