"""Each period against its own neighbours on the reference: what the seasons cannot fake.

An arm that is given in one part of the trial only is otherwise credited with what that part did by itself: winter, a
new job, a new watch. Here the level of every period is free, and a period is held against nothing but the nearest
periods on the reference.
"""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.errors import FitNotUsableError
from nof1.model.design import AnalysisDesign
from nof1.model.exact import Marginal, integrate
from nof1.model.linear import NO_GROUP, LinearTrial, TrialNights, linear_trial, with_prior
from nof1.model.mixture import Mixture
from nof1.model.priors import Prior
from nof1.trial.protocol import Contrast

Floats = NDArray[np.float64]

LEVEL_SCALE: Final = 4.0
"""SDs of the intercept's prior that a period's own level may lie from its mean, as good as anywhere."""

TIE: Final = 0.35
"""Two neighbours count alike where the farther is at most so much farther: missing nights move a period's middle."""

CONFINED: Final = 0.6
"""Share of the trial under which an arm's nights, from the first to the last, lie in one part of it."""

MIN_SWITCHES: Final = 2
"""Changes between the two arms, in the order of the calendar, that a difference needs to be told from a single step."""


def switches(design: AnalysisDesign, contrast: Contrast) -> int:
    """Count how often the one of the two arms followed the other, among the nights that are used."""
    order = design.arm_index[np.isin(design.arm_index, [design.arms.index(code) for code in _codes(contrast)])]
    return int((np.diff(order) != 0).sum())


def is_confined(design: AnalysisDesign, contrast: Contrast) -> bool:
    """Say whether one arm of a contrast was only given in one part of the nights on which the other was."""
    if switches(design, contrast) < MIN_SWITCHES:
        return True
    spans = {}
    for code in _codes(contrast):
        at = design.time[design.arm_index == design.arms.index(code)]
        spans[code] = float(at.max() - at.min()) if len(at) else 0.0
    return min(spans.values()) < CONFINED * max(spans.values())


def _codes(contrast: Contrast) -> tuple[str, str]:
    return contrast.arm, contrast.reference


def concurrent_effect(design: AnalysisDesign, contrast: Contrast) -> Mixture:
    """Return the posterior of the mean difference of a Gaussian outcome between periods and their neighbours.

    The arm that was given in the smaller part of the trial is the one whose periods are averaged; nothing is known of
    the effect beforehand, so that the interval is wider than that of the primary analysis. How much periods differ by
    themselves free levels cannot tell: that is learned beside them, from a level that walks from period to period.

    Raises
    ------
    FitNotUsableError
        The arms were given one after the other.
    """
    if switches(design, contrast) < MIN_SWITCHES:
        raise FitNotUsableError(
            f"{contrast.arm} and {contrast.reference} were given one after the other, once: no period has neighbours "
            "on both sides."
        )
    trial = _with_free_levels(design)
    weights = neighbour_weights(design, contrast)
    of_all = np.concatenate([np.zeros(len(trial.names) - len(weights)), weights])
    free, walking = integrate([replace(trial, asked={contrast.name: of_all}), _with_walking_level(design)])
    return _with_wobble(free.effect, walking.hyperparameters["sigma_period"], float((weights**2).sum()))


def _with_walking_level(design: AnalysisDesign) -> LinearTrial:
    """Let the level walk from each period to the next, by steps whose SD is learned, in place of a trend."""
    steps = np.arange(1, len(design.periods)) <= design.period[:, None]
    season = Prior("sigma_season", "HalfNormal", 0.0, design.priors["intercept"].scale, "", "as the intercept's")
    priors = with_prior(design.priors, "trend", location=0.0, scale=0.0)
    nights = replace(TrialNights.of(design), grouped={season.name: steps.astype(float)})
    return linear_trial(nights, MappingProxyType({**priors, season.name: season}))


def _with_wobble(effect: Mixture, sigma_period: Marginal, squares: float) -> Mixture:
    """Add what periods differ by themselves, whose SD is known no better than the nights tell it.

    Parameters
    ----------
    squares
        Sum of the squared weights of the periods.
    """
    variances = effect.sds[:, None] ** 2 + squares * sigma_period.values**2
    weights = effect.weights[:, None] * sigma_period.weights
    means = np.broadcast_to(effect.means[:, None], weights.shape)
    return Mixture(weights.ravel(), means.ravel(), np.sqrt(variances).ravel())


def neighbour_weights(design: AnalysisDesign, contrast: Contrast) -> Floats:
    """(period,): + for periods of the arm, − for their nearest neighbours on the reference; each sums to ±1."""
    middle = np.array([design.time[design.period == place].mean() for place in range(len(design.periods))])
    of_arm = _places(design, contrast.arm)
    of_reference = _places(design, contrast.reference)
    swapped = _span(middle, of_reference) < _span(middle, of_arm)
    few, many = (of_reference, of_arm) if swapped else (of_arm, of_reference)
    weights = np.zeros(len(design.periods))
    for place in few:
        apart = np.abs(middle[many] - middle[place])
        nearest = many[apart <= apart.min() * (1 + TIE)]
        weights[place] += 1 / len(few)
        weights[nearest] -= 1 / len(few) / len(nearest)
    return -weights if swapped else weights


def _places(design: AnalysisDesign, code: str) -> NDArray[np.int64]:
    return np.unique(design.period[design.arm_index == design.arms.index(code)])


def _span(middle: Floats, places: NDArray[np.int64]) -> float:
    return float(np.ptp(middle[places]))


def _number(name: str) -> int:
    return int(name.partition("_")[2])


def _with_free_levels(design: AnalysisDesign) -> LinearTrial:
    """Free every period's level, and leave out arms, trend and the periods' own wobble."""
    priors = with_prior(with_prior(design.priors, "trend", location=0.0, scale=0.0), "sigma_period", scale=0.0)
    trial = linear_trial(TrialNights.of(design), priors)
    count, wide = len(design.periods), LEVEL_SCALE * design.priors["intercept"].scale
    without_arms = np.where([name.startswith("arm_") for name in trial.names], 0.0, trial.scale)
    return replace(
        trial,
        names=(*trial.names, *(f"level_{number}" for number in design.periods)),
        columns=np.column_stack([trial.columns, np.eye(count)[design.period]]),
        location=np.append(trial.location, np.zeros(count)),
        scale=np.append(without_arms, np.full(count, wide)),
        group=np.append(trial.group, np.full(count, NO_GROUP)),
    )
