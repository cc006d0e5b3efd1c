"""Where the truth ranks among posteriors of trials drawn from the priors: simulation-based calibration.

If trials are drawn from the priors and analysed with the same priors, the truth is as likely to lie anywhere among the
posterior as anywhere else (Talts 2018, arXiv:1804.06788): the shares of posteriors below it are uniform. They are
judged by their whole ECDF, which must stay inside a simultaneous band (Säilynoja, Bürkner, Vehtari 2022,
doi:10.1007/s11222-022-10090-6). The log likelihood is ranked too, for an analysis that ignored the nights would rank
all else uniformly (Modrák 2023, doi:10.1214/23-BA1404).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.calibration import ARMS, DESIGNS
from nof1.model.exact import Drawn, ExactPosterior, Pattern, draw, integrate
from nof1.model.likelihood import log_density
from nof1.model.linear import LinearTrial, TrialNights, linear_trial
from nof1.model.priors import RHO_LIMIT, Priors, priors_for
from nof1.model.simulation import PriorTrial, drawn_from_priors
from nof1.trial.protocol import Design

Floats = NDArray[np.float64]

INSIDE: Final = 0.99
"""Probability with which the ECDFs of all quantities together stay inside their bands, if the method is right."""

SIMULATIONS: Final = 10_000
"""Of uniform shares, by which ArviZ finds how wide the band must be."""

FINER: Final[Pattern] = (9, 13, 9)
"""For σ, ρ and the SD of periods, read off the grid: shares within 0.003 of those that three times the points tell."""

DRAWS: Final = 100
"""From a posterior, for the rank of the log likelihood."""

BEYOND: Final = 1.5
"""Cells beyond its outermost points up to which a marginal is followed."""
BETWEEN: Final = 600
"""Steps in which its density is summed."""
NOTHING: Final = 1e-12
"""Share of the likeliest point under which a point tells nothing: its logarithm may be that of 0."""

CENTRAL: Final = (0.5, 0.9, 0.95)

World = Callable[[Design, Priors, np.random.Generator], PriorTrial]


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of posteriors of one quantity that lie below the truth, (trial,)."""

    engine: str
    outcome: str
    quantity: str
    below: Floats


@dataclass(frozen=True, slots=True)
class Ranks:
    """Whether the truth of one quantity ranks as it should.

    Parameters
    ----------
    inside
        The ECDF of the shares stays inside the band: nothing speaks against the method.
    reach
        How far it goes at most, in units of the way to the band.
    held
        Shares of central 50, 90 and 95 % intervals that hold the truth.
    p
        Of a Kolmogorov-Smirnov test; for information, it decides nothing.
    """

    engine: str
    outcome: str
    quantity: str
    trials: int
    inside: bool
    reach: float
    held: tuple[float, float, float]
    p: float

    @property
    def missed(self) -> list[str]:
        """Say what is missed, if anything."""
        where = f"ranks of {self.quantity} ({self.outcome}, {self.engine})"
        return [] if self.inside else [f"{where} leave the band: {self.reach:.2f} of the way to it"]


def judge(found: Sequence[Shares]) -> list[Ranks]:
    """Judge all quantities together: each band is so wide that with `INSIDE` no ECDF leaves its own by chance."""
    return [_judged(one, 1 - (1 - INSIDE) / len(found)) for one in found]


def _judged(one: Shares, inside: float) -> Ranks:
    from scipy.stats import kstest

    points, lower, upper = _band(len(one.below), inside)
    share = np.searchsorted(np.sort(one.below), points, side="right") / len(one.below)
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(upper < 1, (share - points) / (upper - points), 0.0)  # at the ends nothing can leave
        down = np.where(lower > 0, (points - share) / (points - lower), 0.0)
    return Ranks(
        engine=one.engine,
        outcome=one.outcome,
        quantity=one.quantity,
        trials=len(one.below),
        inside=bool(((lower <= share) & (share <= upper)).all()),
        reach=float(max(up.max(), down.max())),
        held=tuple(float(np.mean(np.abs(one.below - 0.5) < middle / 2)) for middle in CENTRAL),  # type: ignore[arg-type]
        p=float(kstest(one.below, "uniform").pvalue),
    )


@cache
def _band(trials: int, inside: float) -> tuple[Floats, Floats, Floats]:
    """Compute the points, lower and upper ends of the band in which a uniform ECDF stays as a whole so often."""
    from arviz_stats.ecdf_utils import get_pointwise_confidence_band, simulate_confidence_bands

    points = np.arange(1, trials) / trials
    rng = np.random.default_rng(trials)
    pointwise = simulate_confidence_bands(trials, 1, points, inside, SIMULATIONS, rng)
    return points, *get_pointwise_confidence_band(pointwise, trials, points)


def from_priors(design: Design, priors: Priors, rng: np.random.Generator) -> PriorTrial:
    """Draw a trial as the priors expect it: the world in which ranks are uniform."""
    return drawn_from_priors(design, ARMS, priors, rng)


def exact_ranks(
    *, trials: int, seed: int, design: Design = DESIGNS[1], world: World = from_priors, points: Pattern = FINER
) -> list[Shares]:
    """Draw trials of deep sleep from the priors, integrate each, and rank the truth among the posterior.

    Parameters
    ----------
    world
        Another than the priors' own, to see that the check can fail.
    points
        Of the grid; fewer are enough for the effect.
    """
    priors = priors_for("deep_min", baseline=None)
    drawn = [world(design, priors, np.random.default_rng([seed, trial])) for trial in range(trials)]
    laid_out = [linear_trial(one.nights, priors) for one in drawn]
    found = integrate(laid_out, points=points)
    told = []
    for place, (one, trial, posterior) in enumerate(zip(drawn, laid_out, found, strict=True)):
        rng = np.random.default_rng([seed, place, 1])
        among = draw(trial, draws=DRAWS, rng=rng, points=points)
        told.append(_read_off(one, posterior) | {"log likelihood": _rank_of_likelihood(one, trial, among, rng)})
    return [Shares("exact", "deep_min", name, np.array([one[name] for one in told])) for name in told[0]]


def _read_off(one: PriorTrial, posterior: ExactPosterior) -> dict[str, float]:
    """Say what share of the posterior lies below the truth."""
    truth, told = one.truth, posterior.hyperparameters
    rho, sigma, period = told["rho"], told["sigma"], told["sigma_period"]
    by_rho = sigma.weights.reshape(-1, len(rho.values)).T
    log_sigma = np.log(sigma.values).reshape(-1, len(rho.values)).T
    counts = by_rho.sum(axis=1) > NOTHING
    below = [
        share_below(points, weights, np.log(truth["sigma"]))
        for points, weights in zip(log_sigma[counts], by_rho[counts], strict=True)
    ]
    return {
        "effect": float(posterior.effect.below(truth["delta"])),
        "rho": share_below(np.arctanh(rho.values / RHO_LIMIT), rho.weights, np.arctanh(truth["rho"] / RHO_LIMIT)),
        "sigma": float(np.average(below, weights=by_rho[counts].sum(axis=1))),
        "sigma_period": share_below(period.values, period.weights, truth["sigma_period"], least=0.0),
    }


def share_below(points: Floats, weights: Floats, value: float, *, least: float = -np.inf) -> float:
    """Give the share of a posterior below a value: its log density runs through that of the points as a spline.

    Parameters
    ----------
    points
        (point,) equally far apart, on the axis of the grid.
    weights
        (point,) the posterior there.
    least
        Where its support begins.
    """
    from scipy.interpolate import CubicSpline

    tells = weights > NOTHING * weights.max()
    step = points[1] - points[0]
    begin, end = max(points[tells][0] - BEYOND * step, least), points[tells][-1] + BEYOND * step
    between = np.linspace(begin, end, BETWEEN + 1)
    density = np.exp(CubicSpline(points[tells], np.log(weights[tells]))(between))
    below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return float(np.interp(value, between, below / below[-1]))


def _rank_of_likelihood(one: PriorTrial, trial: LinearTrial, drawn: Drawn, rng: np.random.Generator) -> float:
    told = log_likelihood(one.nights, trial.y - drawn.effects @ trial.columns.T, sigma=drawn.sigma, rho=drawn.rho)
    true = log_likelihood(one.nights, one.own, sigma=np.array(one.truth["sigma"]), rho=np.array(one.truth["rho"]))
    return rank_among(told, float(true), rng)


def log_likelihood(nights: TrialNights, residual: Floats, *, sigma: Floats, rho: Floats) -> Floats:
    """Sum the log density of all nights, none of them censored: residual (…, night_used), σ and ρ (…)."""
    from scipy.special import erfcx

    carry = np.minimum(np.arange(residual.shape[-1]), 1.0)
    return np.asarray(
        log_density(
            residual,
            np.roll(residual, 1, axis=-1),
            carry=carry,
            gap=np.diff(nights.day, prepend=nights.day[:1] - 1),
            censored=np.zeros(len(carry)),
            sigma=sigma[..., None],
            rho=rho[..., None],
            xp=np,
            erfcx=erfcx,
        ).sum(axis=-1)
    )


def rank_among(drawn: Floats, truth: float, rng: np.random.Generator) -> float:
    """Turn the rank of the truth among independent draws into a share that is uniform, not a multiple of 1/(n + 1)."""
    return float((np.sum(drawn < truth) + rng.random()) / (len(drawn) + 1))
