"""The effect in each pair of periods: how much it differs over time, beside how little a pair alone can tell.

    δ_k = δ + σ_over_time η_k,   η_k ~ Normal(0, 1) for each block k, σ_over_time half-normal.

A pair whose periods differ unlike the others' can do so because the effect was another, or because every period has a
level of its own (σ_period): the two are told apart only by how much pairs differ as a whole. With four or six of them
the nights tell σ_over_time badly, so that it stands beside its prior, and no claim rests on it. What is shown of a pair
is drawn towards the effect of all pairs, as far as the nights do not speak against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp, pi, sqrt
from statistics import NormalDist
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.errors import FitNotUsableError
from nof1.model.design import EXACT, AnalysisDesign
from nof1.model.estimate import Interval
from nof1.model.exact import COARSE, Marginal, integrate
from nof1.model.linear import LinearTrial, TrialNights, linear_trial, zero_sum_basis
from nof1.model.mixture import Mixture
from nof1.model.priors import Prior
from nof1.model.wash_in import LEARNED

Floats = NDArray[np.float64]

SIGMA: Final = "sigma_over_time"
SOURCE: Final = "between pairs: as wide as between periods"

SD_OF_HALF_NORMAL: Final = sqrt(1 - 2 / pi)
"""Of scale 1."""
SD_OF_ITS_LOG: Final = pi / sqrt(8)
"""Of any scale."""

MIN_PAIRS: Final = 2

CELLS: Final = 2_000
"""Of σ_over_time, for its quantiles."""


@dataclass(frozen=True, slots=True)
class PairEffect:
    """The effect in one block.

    Parameters
    ----------
    block
        Counts from 1.
    difference
        Mean of the arm's period means − that of the reference's, of the used nights and nothing else; for a latency the
        quotient of geometric means.
    median, ci95
        Posterior of δ_k, for a latency of its exponential.
    """

    block: int
    difference: float
    median: float
    ci95: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class BetweenPairs:
    """Posterior of σ_over_time beside its prior, in the unit of the model: minutes, or log minutes.

    Parameters
    ----------
    prior, source
        In words.
    sd_ratio
        Posterior ÷ prior SD, of σ or of log σ, whichever is smaller: the nights can tell that effects hardly differ, or
        that they do.
    is_learned
        Whether that is under what `nof1.model.wash_in` asks of its own.
    """

    prior: str
    source: str
    unit: str
    prior_median: float
    prior_ci95: Interval
    median: float
    ci95: Interval
    sd_ratio: float
    is_learned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTime:
    """One contrast of one outcome, block by block.

    Parameters
    ----------
    unit
        Of the effects: the outcome's own, or ``ratio``.
    pairs
        The blocks that hold used nights of both arms; empty where `why_not` says why.
    one_arm_only
        The other blocks with used nights: their nights count, but they have no effect of their own.
    """

    unit: str
    pairs: tuple[PairEffect, ...]
    one_arm_only: tuple[int, ...]
    sigma: BetweenPairs | None
    why_not: str | None


def over_time(design: AnalysisDesign, block_of: Mapping[int, int]) -> OverTime:
    """Estimate the effect of each block that holds both arms.

    Parameters
    ----------
    design
        Of the two compared arms alone (`AnalysisDesign.between`), the arm first.
    block_of
        The block of each period, by its number.
    """
    unit = "ratio" if design.measure.family == "lognormal" else design.measure.unit
    blocks = np.array([block_of[number] for number in design.periods])
    differences = _differences(design, blocks)
    alone = tuple(int(block) for block in np.unique(blocks) if block not in differences)
    why = _why_not(design, len(differences))
    if why is None:
        try:
            found = _estimate(design, blocks, differences)
        except FitNotUsableError as error:
            why = str(error)
        else:
            return OverTime(unit=unit, pairs=found[0], one_arm_only=alone, sigma=found[1], why_not=None)
    return OverTime(unit=unit, pairs=(), one_arm_only=alone, sigma=None, why_not=why)


def _why_not(design: AnalysisDesign, pairs: int) -> str | None:
    censored = int((design.censored != EXACT).sum())
    if pairs < MIN_PAIRS:
        return "Fewer than two blocks hold used nights of both arms, and an effect cannot differ over one."
    if censored:
        return (
            f"{censored} nights are only known to lie beyond a limit, and pair by pair only values that are all known "
            "are looked at."
        )
    return None


def _differences(design: AnalysisDesign, blocks: NDArray[np.int64]) -> dict[int, float]:
    """Difference of the arms' means of period means, in the unit of the model, of each block that holds both."""
    places = range(len(design.periods))
    means = np.array([design.y[design.period == place].mean() for place in places])
    arms = np.array([design.arm_index[design.period == place][0] for place in places])
    held = {int(block): [means[(blocks == block) & (arms == arm)] for arm in (0, 1)] for block in np.unique(blocks)}
    return {block: float(one.mean() - other.mean()) for block, (one, other) in held.items() if len(one) and len(other)}


def _estimate(
    design: AnalysisDesign, blocks: NDArray[np.int64], differences: Mapping[int, float]
) -> tuple[tuple[PairEffect, ...], BetweenPairs]:
    trial = with_effects_by_block(design, blocks)
    prior = trial.groups[1]
    asked = {_name(block): trial.asked[_name(block)] for block in differences}
    # the effects are within 0.001 of their SD of what twice the points along every axis give
    (found,) = integrate([replace(trial, asked=asked)], points=COARSE)
    ratio = design.measure.family == "lognormal"
    pairs = tuple(_pair(block, raw, found.asked[_name(block)], ratio=ratio) for block, raw in differences.items())
    return pairs, between_pairs(found.hyperparameters[SIGMA], prior)


def with_effects_by_block(design: AnalysisDesign, blocks: NDArray[np.int64]) -> LinearTrial:
    """Give the effect of two arms a deviation in every block; asked for is the effect in each.

    Parameters
    ----------
    blocks
        (period,) the block of each.
    """
    numbers, place = np.unique(blocks, return_inverse=True)
    sides = zero_sum_basis(2)[:, 0] / sqrt(2)  # ½ on the arm, −½ on the reference
    columns = np.eye(len(numbers))[place][design.period] * sides[design.arm_index][:, None]
    nights = replace(TrialNights.of(design), grouped=MappingProxyType({SIGMA: columns}))
    trial = linear_trial(nights, MappingProxyType({**design.priors, SIGMA: _prior(design.priors["sigma_period"])}))
    (effect,) = trial.asked.values()
    first = trial.names.index(f"{SIGMA}_0")
    own = np.eye(len(trial.names))[first : first + len(numbers)]
    return replace(trial, asked={_name(block): effect + one for block, one in zip(numbers, own, strict=True)})


def _prior(between_periods: Prior) -> Prior:
    """Take HalfNormal(4) for minutes of deep sleep, and for other outcomes what their own scale makes of it."""
    return replace(between_periods, name=SIGMA, source=SOURCE)


def _name(block: int) -> str:
    return f"block {block}"


def _pair(block: int, difference: float, effect: Mixture, *, ratio: bool) -> PairEffect:
    natural = exp if ratio else float
    low, median, high = (natural(q) for q in effect.quantile([0.025, 0.5, 0.975]).tolist())
    return PairEffect(block, natural(difference), median, (low, high))


def between_pairs(found: Marginal, prior: Prior) -> BetweenPairs:
    """Summarise σ_over_time."""
    at, weights = _finely(found)
    low, median, high = np.interp([0.025, 0.5, 0.975], np.cumsum(weights) - weights / 2, at).tolist()
    own, own_log = (sqrt(weights @ (x - weights @ x) ** 2) for x in (at, np.log(at)))
    ratio = min(own / (prior.scale * SD_OF_HALF_NORMAL), own_log / SD_OF_ITS_LOG)
    before = [prior.scale * NormalDist().inv_cdf((1 + share) / 2) for share in (0.025, 0.5, 0.975)]
    return BetweenPairs(
        prior=prior.in_words(),
        source=prior.source,
        unit=prior.unit,
        prior_median=before[1],
        prior_ci95=(before[0], before[2]),
        median=median,
        ci95=(low, high),
        sd_ratio=ratio,
        is_learned=ratio < LEARNED,
    )


def _finely(found: Marginal) -> tuple[Floats, Floats]:
    """Middles and shares of many cells, from the few of the grid: a spline through the logarithm of the density.

    The density is an even function of an SD (`density`), so that where the grid begins at 0 it goes on below.
    """
    from scipy.interpolate import CubicSpline

    step = found.values[1] - found.values[0]
    first, last = found.values[0] - step / 2, found.values[-1] + step / 2
    at, height = found.values, np.log(np.maximum(found.weights, np.finfo(float).tiny))
    if first < step / 2:
        at, height = np.concatenate([-at[::-1], at]), np.concatenate([height[::-1], height])
    fine = first + (last - first) * (np.arange(CELLS) + 0.5) / CELLS
    density = np.exp(CubicSpline(at, height)(fine) - height.max())
    return fine, density / density.sum()
