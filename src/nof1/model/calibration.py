"""How often the method is right: simulated trials whose truth is known, analysed as a person's are.

Two kinds of evidence, both by the exact engine: its likelihood beside the dense multivariate normal, and the coverage
of its intervals in many worlds beside the methods people use otherwise. The ranks of the truth, where worlds are drawn
from the priors, are told by `ranks` and `sampled_calibration`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.exact import ROUGH, integrate
from nof1.model.linear import NO_GROUP, LinearTrial, TrialNights, linear_trial, with_prior
from nof1.model.priors import priors_for
from nof1.model.simulation import Noise, SimulatedTrial, simulate
from nof1.trial.protocol import AnalysisRules, Arm, Design

Floats = NDArray[np.float64]

ARMS: Final = (Arm(code="treatment", label="treatment"), Arm(code="placebo", label="placebo", reference=True))
DESIGNS: Final = (
    Design(scheme="randomised-pairs"),
    Design(scheme="randomised-pairs", blocks=4, period_nights=7, transition_nights=2),
)
"""Six pairs of ten nights, three of them transition nights; and four of seven, two of them."""

WORTHWHILE: Final = 10.0
EFFECTS: Final = (0.0, 10.0, 20.0)
RHOS: Final = (-0.3, 0.0, 0.3, 0.6)
PERIOD_SDS: Final = (0.0, 4.0, 8.0)
MISSING: Final = (0.0, 0.3)
TAILS: Final = (None, 4)
BUILD_UPS: Final = (0.0, 3.0)

Z99: Final = 2.326
"""SDs below which 99 % of a normal lie: how far a simulated share may be off by chance."""

RULES: Final = AnalysisRules()
"""The thresholds that every protocol has unless it says otherwise."""

UPPER: Final = (1 + RULES.ci_prob) / 2
"""Share of a posterior below the upper end of its interval."""

LEAST_COVERED: Final = 0.92
LEAST_COVERED_IF_CORRELATED: Final = 0.91
MOST_WRONG: Final = 0.05
"""What `misses` holds a method to."""

MOST_APART: Final = 1e-8
"""By how much the engine's log likelihood may differ from the dense multivariate normal's: rounding, and no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One world, and what came of analysing it many times.

    Parameters
    ----------
    effect
        The true one, minutes.
    covered, bias
        Share of 95 % intervals that hold it; mean of the posterior means − it.
    better, worse
        Shares of trials with P(better), and P(worse), of 0.95 or more.
    no_difference
        Share with P(|effect| < 10) of 0.975 or more.
    nightly_t, paired_t, newey_west
        Coverage of the 95 % intervals of a t-test on nights, a paired t-test on period means, and least squares with
        Newey and West's errors.
    """

    design: Design
    effect: float
    noise: Noise
    trials: int
    covered: float
    bias: float
    better: float
    worse: float
    no_difference: float
    nightly_t: float
    paired_t: float
    newey_west: float


def worlds(*, every: bool) -> list[tuple[Design, Noise]]:
    """List every design in every kind of noise, or only in those worlds whose cells are held to `misses`."""
    noises = product(BUILD_UPS, TAILS, PERIOD_SDS, MISSING, RHOS)
    if not every:
        noises = product(BUILD_UPS[:1], TAILS, PERIOD_SDS[:2], MISSING, RHOS)
    return [
        (design, Noise(sigma_period=period, rho=rho, missing=missing, build_up_nights=slow, heavy_tails=tails))
        for slow, tails, period, missing, rho in noises
        for design in DESIGNS
    ]


def coverage(design: Design, noise: Noise, *, trials: int, seed: int) -> list[Cell]:
    """Analyse many trials of one world at each of `EFFECTS`; the same nights serve every effect."""
    priors = priors_for("deep_min", baseline=None)
    simulated = [simulate(design, ARMS, noise, np.random.default_rng([seed, trial])) for trial in range(trials)]
    laid_out = [linear_trial(one.nights, priors) for one in simulated]
    return [_cell(design, noise, simulated, laid_out, effect) for effect in EFFECTS]


def _cell(
    design: Design, noise: Noise, simulated: Sequence[SimulatedTrial], laid_out: Sequence[LinearTrial], effect: float
) -> Cell:
    nights = [trial.with_effect(effect) for trial in simulated]
    found = integrate([replace(trial, y=one.y) for trial, one in zip(laid_out, nights, strict=True)], points=ROUGH)
    ends = [-WORTHWHILE, 0.0, WORTHWHILE, effect]
    below_less, below_nothing, below_more, below_truth = np.array([one.effect.below(ends) for one in found]).T
    peers = np.array([[_holds(interval(one), effect) for interval in PEERS.values()] for one in nights])
    return Cell(
        design=design,
        effect=effect,
        noise=noise,
        trials=len(found),
        covered=float(np.mean((below_truth > 1 - UPPER) & (below_truth < UPPER))),
        bias=float(np.mean([one.effect.mean for one in found]) - effect),
        better=float(np.mean(1 - below_nothing >= RULES.benefit)),
        worse=float(np.mean(below_nothing >= RULES.benefit)),
        no_difference=float(np.mean(below_more - below_less >= RULES.no_worthwhile_difference)),
        **dict(zip(PEERS, peers.mean(axis=0).tolist(), strict=True)),
    )


def _holds(interval: tuple[float, float], effect: float) -> bool:
    return interval[0] < effect < interval[1]


def nightly_t(nights: TrialNights) -> tuple[float, float]:
    """Give the 95 % interval of Welch's t-test on nights, which takes every night for independent."""
    treated, placebo = (nights.y[nights.arm == place] for place in (0, 1))
    parts = [values.var(ddof=1) / len(values) for values in (treated, placebo)]
    squares = sum(part**2 / (len(values) - 1) for part, values in zip(parts, (treated, placebo), strict=True))
    return _interval(treated.mean() - placebo.mean(), sqrt(sum(parts)), sum(parts) ** 2 / squares)


def paired_t(nights: TrialNights) -> tuple[float, float]:
    """Give the 95 % interval of a paired t-test on the means of the two periods of each pair."""
    place = nights.period // 2 * len(ARMS) + nights.arm
    size = (int(nights.period[-1]) // 2 + 1) * len(ARMS)
    count, total = (np.bincount(place, weights, size).reshape(-1, len(ARMS)) for weights in (None, nights.y))
    means = total[count.all(axis=1)] / count[count.all(axis=1)]
    differences = means[:, 0] - means[:, 1]
    error = differences.std(ddof=1) / sqrt(len(differences))
    return _interval(differences.mean(), error, len(differences) - 1)


def newey_west(nights: TrialNights) -> tuple[float, float]:
    """Give the 95 % interval of least squares on arm and time, with errors after Newey and West (1987).

    Rows are taken as consecutive, as that method does; lags up to 4 (n/100)^(2/9).
    """
    count = len(nights.y)
    x = np.column_stack([np.ones(count), np.where(nights.arm == 0, 0.5, -0.5), nights.time])
    fitted = np.linalg.lstsq(x, nights.y, rcond=None)[0]
    scores = x * (nights.y - x @ fitted)[:, None]
    lags = int(4 * (count / 100) ** (2 / 9))
    middle = scores.T @ scores
    for lag in range(1, lags + 1):
        both = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / (lags + 1)) * (both + both.T)
    bread = np.linalg.inv(x.T @ x)
    return _interval(fitted[1], sqrt((bread @ middle @ bread)[1, 1]), count - x.shape[1])


PEERS: Final = {"nightly_t": nightly_t, "paired_t": paired_t, "newey_west": newey_west}


def _interval(centre: float, error: float, freedom: float) -> tuple[float, float]:
    from scipy.special import stdtrit

    reach = float(stdtrit(freedom, UPPER)) * error
    return float(centre - reach), float(centre + reach)


def oracle(*, trials: int, seed: int) -> float:
    """Give the largest difference between the engine's log likelihood and the dense multivariate normal's."""
    return max(_apart(np.random.default_rng([seed, trial])) for trial in range(trials))


def _apart(rng: np.random.Generator) -> float:
    rho, sigma = float(rng.uniform(-0.85, 0.85)), float(rng.uniform(8, 30))
    priors = priors_for("deep_min", baseline=None)
    for name, at in (("sigma", np.log(sigma)), ("rho", rho), ("sigma_weekday", 0.0), ("sigma_period", 0.0)):
        priors = with_prior(priors, name, location=float(at), scale=0.0)
    noise = Noise(sigma=sigma, rho=rho, missing=float(rng.uniform(0, 0.5)))
    trial = linear_trial(simulate(DESIGNS[0], ARMS, noise, rng).with_effect(5.0), priors)
    (found,) = integrate([trial])
    return abs(found.log_evidence - _dense(trial, sigma, rho))


def _dense(trial: LinearTrial, sigma: float, rho: float) -> float:
    """Compute the log density of the nights with every effect integrated out, by the covariance of all nights."""
    day = np.cumsum(trial.gap)
    scale = np.where(trial.group == NO_GROUP, trial.scale, 0.0)
    effects = (trial.columns * scale) @ (trial.columns * scale).T
    covariance = effects + sigma**2 * np.power(rho, np.abs(day[:, None] - day[None, :]))
    root = np.linalg.cholesky(covariance)
    white = np.linalg.solve(root, trial.y - trial.columns @ trial.location)
    return float(-0.5 * (len(day) * np.log(2 * np.pi) + white @ white) - np.log(np.diag(root)).sum())


def promises(cell: Cell) -> bool:
    """Whether anything is promised of a cell: where an effect shows at once, periods differ by no more than their
    prior's SD, and it is not larger than worthwhile."""
    noise = cell.noise
    return not noise.build_up_nights and noise.sigma_period <= PERIOD_SDS[1] and cell.effect <= WORTHWHILE


def misses(cell: Cell) -> list[str]:
    """Name what a cell misses beyond the Monte Carlo error of its trials; cells that promise nothing miss nothing.

    Promised are: 92 % of 95 % intervals hold it (91 % at ρ = 0.6), no direction is claimed of nothing in more than 5 %,
    and no equality of a worthwhile difference in more than 5 %.
    """
    if not promises(cell):
        return []
    least = LEAST_COVERED_IF_CORRELATED if cell.noise.rho > RHOS[2] else LEAST_COVERED
    most = {"better": cell.better, "worse": cell.worse} if cell.effect == 0 else {"no_difference": cell.no_difference}
    missed = [f"covered {cell.covered:.3f}, promised {least}"] if cell.covered < least - _error(least, cell) else []
    return missed + [
        f"{name} {share:.3f}, at most {MOST_WRONG}"
        for name, share in most.items()
        if share > MOST_WRONG + _error(MOST_WRONG, cell)
    ]


def _error(share: float, cell: Cell) -> float:
    return Z99 * sqrt(share * (1 - share) / cell.trials)
