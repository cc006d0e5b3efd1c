"""What may be wrong although the fit passed: warnings, which take no claim away and are told beside it.

Nights are predicted anew and held beside the real ones, in what would make a claim too sure (`predictive`). Nights that
move the result are named by Pareto-smoothed importance sampling (Vehtari 2017, doi:10.1007/s11222-016-9696-4). The
effect is held against its own prior (Box 1980, doi:10.2307/2982063): that the nights contradict it is a warning. How
much the prior has to say is told by power-scaling (Kallioinen 2024, doi:10.1007/s11222-023-10366-5), and is none: an
informative prior always has a say, and of sound trials half were warned of it.

How often each warns of sound trials, and of unsound ones, is measured in the calibration tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import erfc, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from nof1.model.arms import arm_columns, arm_locations
from nof1.model.design import LEFT, AnalysisDesign
from nof1.model.posterior import arm_offsets
from nof1.model.predictive import Replicas, least, seen, told

if TYPE_CHECKING:
    import xarray as xr

SURPRISING: Final = 0.02
"""Share of the predictions under which what was seen is more than the model expects: for all checks of one outcome
together about one sound trial in twenty at most."""
MAX_PARETO_K: Final = 0.7
SWAYS: Final = 0.25
"""Posterior SDs by which leaving out one night must move an effect to be worth a word."""
NO_MEAN: Final = 1.0
"""Pareto k from which the weights have no mean (Vehtari et al. 2024): how far the effect would move these draws cannot
tell, and a figure of it is chance."""
IN_CONFLICT: Final = 0.05
"""Probability under which an effect is taken to be farther from its prior than that lets expect."""

LEAST_LEARNED: Final = 0.01
"""Share of the prior's variance that nights are taken to take away, where by the draws' own error they take less."""

IN_WORDS: Final = {
    "tails": "the distance of the oddest nights",
    "between_periods": "the spread between periods",
    "lag_1": "the likeness of one night to the next",
    "at_grain": "the share of nights at the device's smallest value",
    "zeros_between_periods": "the SD between the periods' shares of nights without any latency",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """What the checks that only warn found.

    Parameters
    ----------
    predictive
        For each of `IN_WORDS` that the outcome has: share of predictions in which it is as large as seen, or larger.
    influential
        Evenings whose night alone moves the result, or may move it, with their Pareto k.
    prior_sensitivity
        Of the effect to its prior, by power-scaling; the largest of all contrasts.
    prior_conflict
        Probability, before the trial, of an effect at least as far from its prior's centre as the nights say; of three
        or more arms the smallest, times how many were asked.
    warnings
        One sentence for each doubt.
    """

    predictive: Mapping[str, float]
    influential: Mapping[str, float]
    prior_sensitivity: float
    prior_conflict: float
    warnings: tuple[str, ...]


def doubts(design: AnalysisDesign, fitted: "xr.DataTree") -> Doubts:
    """Look for what may be wrong although the fit passed.

    Parameters
    ----------
    fitted
        The tree of the outcome, as `nuts.fit` makes it.
    """
    predictive, influential = _predictive(design, fitted), _influential(fitted)
    conflict = _prior_conflict(design, fitted["posterior"].to_dataset())
    said = [
        f"The model does not expect nights like these: {IN_WORDS[name]} is larger than in all but {p:.1%} of what it "
        "predicts."
        for name, p in predictive.items()
        if p < SURPRISING
    ]
    said += [
        f"The night of {night} {'may move' if k >= NO_MEAN else 'moves'} the result by itself (Pareto k {k:.2f}, sound "
        f"up to {MAX_PARETO_K}): look at it with nof1 nights."
        for night, k in influential.items()
    ]
    if not conflict >= IN_CONFLICT:
        said.append(
            "The nights say an effect farther from what was assumed beforehand than that lets expect (probability "
            f"{conflict:.3f}), and the assumption pulls it back: look at the row with a prior "
            "three times as wide."
        )
    return Doubts(
        predictive=predictive,
        influential=influential,
        prior_sensitivity=_prior_sensitivity(fitted),
        prior_conflict=conflict,
        warnings=tuple(said),
    )


def _predictive(design: AnalysisDesign, fitted: "xr.DataTree") -> dict[str, float]:
    replicas = Replicas(design, fitted["posterior"].to_dataset())
    found = {"tails": replicas.tails(), "between_periods": replicas.between_periods(), "lag_1": replicas.lag_1()}
    return {name: p for name, p in (found | _at_grain(design, fitted)).items() if np.isfinite(p)}


def _at_grain(design: AnalysisDesign, fitted: "xr.DataTree") -> dict[str, float]:
    """Compare the nights at the device's smallest value, and with a hurdle how they lie in periods."""
    if not (design.censored == LEFT).any():
        return {}
    predicted = fitted["posterior_predictive"]["y"].to_numpy()
    again = told(design, predicted.reshape(-1, predicted.shape[-1])) <= least(design)
    real = seen(design) <= least(design)
    found = {"at_grain": float(np.mean(again.mean(axis=1) >= real.mean()))}
    if design.has_hurdle:
        held = np.eye(len(design.periods))[design.period][:, np.unique(design.period)]
        spread, of_real = ((zeros @ held / held.sum(axis=0)).std(axis=1) for zeros in (again, real))
        found["zeros_between_periods"] = float(np.mean(spread >= of_real))
    return found


def _influential(fitted: "xr.DataTree") -> dict[str, float]:
    """Find the nights that draws of all nights cannot stand in for and that move an effect, or may; the worst first."""
    import arviz_stats  # noqa: F401 - gives arrays their statistics

    both = ["chain", "draw"]
    log_weight, k = fitted["log_likelihood"]["y"].azstats.psislw(dim=both)
    weight = np.exp(log_weight - log_weight.max(both))
    effect = fitted["posterior"]["effect"]
    moved = np.abs((weight * effect).sum(both) / weight.sum(both) - effect.mean(both)) / effect.std(both)
    if "contrast" in moved.dims:
        moved = moved.max("contrast")
    named = zip(k["night_used"].to_numpy().tolist(), k.to_numpy().tolist(), moved.to_numpy().tolist(), strict=True)
    found = ((night, value) for night, value, by in named if value > MAX_PARETO_K and (by >= SWAYS or value >= NO_MEAN))
    return dict(sorted(found, key=lambda one: -one[1]))


def _prior_sensitivity(fitted: "xr.DataTree") -> float:
    from arviz_stats import psense

    return float(np.max(psense(fitted, var_names=["effect"], group="prior")["effect"].to_numpy()))


def _prior_conflict(design: AnalysisDesign, posterior: "xr.Dataset") -> float:
    """Hold each coefficient of the arms against what the prior let expect, the nights' own error included.

    With normal prior (m₀, s₀) and likelihood, m₁ − m₀ of the posterior (m₁, s₁) is Normal(0, s₀² − s₁²) before it.
    """
    arms = len(design.arms)
    coefficients = 2 * arm_offsets(design, posterior) @ arm_columns(arms)  # columns have length √½
    drawn = (coefficients.reshape(-1, arms - 1) - arm_locations(design.priors, arms)) / design.priors["delta"].scale
    learned = 1 - drawn.var(axis=0)
    z = np.abs(drawn.mean(axis=0)) / np.sqrt(np.maximum(learned, LEAST_LEARNED))
    return min(1.0, (arms - 1) * erfc(float(z.max()) / sqrt(2)))
