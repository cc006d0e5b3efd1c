"""An effect that builds up and wears off: how fast is learned from all nights, those of the transitions too.

What a night shows of an arm's effect moves towards what is taken, by the share 1 − exp(−1/τ) a night. τ is a number of
nights with a prior of its own; over it the exact posteriors are weighed by their evidence, so that not knowing it is
part of the answer.
"""

from dataclasses import dataclass, replace
from math import exp, log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.design import AnalysisDesign
from nof1.model.exact import ExactPosterior, integrate
from nof1.model.linear import TrialNights, linear_trial
from nof1.model.mixture import Mixture

Floats = NDArray[np.float64]

LOG_TAU: Final = (log(1.5), 0.6)
"""Mean and SD of the normal prior of log τ, τ in nights: 95 % between 0.46 and 4.9. Of magnesium's fast pools the
slowest has a half-time of 14 to 35 hours (Silver, Robertson & Dahl 1960, J Clin Invest 39:420)."""

POINTS: Final = 9
REACH: Final = 2.4
"""SDs to either side of its mean on which the points of log τ lie."""

LEARNED: Final = 0.9
"""Share of the prior's SD of log τ under which the posterior's says that something was learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WashIn:
    """The effects once built up, and how fast they build up.

    Parameters
    ----------
    asked
        Posterior of every pairwise difference of arms, named as `ExactPosterior.asked`.
    tau_median, tau_ci95
        Nights.
    sd_ratio
        Posterior ÷ prior SD of log τ.
    """

    asked: dict[str, Mixture]
    tau_median: float
    tau_ci95: tuple[float, float]
    sd_ratio: float

    @property
    def is_learned(self) -> bool:
        """Whether the nights told how fast."""
        return self.sd_ratio < LEARNED


def wash_in(design: AnalysisDesign, *, rest: str | None) -> WashIn:
    """Fit the model in which effects build up.

    Parameters
    ----------
    design
        Of a Gaussian outcome, with the nights of the transitions.
    rest
        The arm that nights without any treatment are like, before the first period and in washouts; None where the
        arms are all treatments: such nights show none of them.
    """
    centre, sd = LOG_TAU
    at = centre + sd * np.linspace(-REACH, REACH, POINTS)
    nights = TrialNights.of(design)
    trials = [
        linear_trial(replace(nights, exposure=exposure(design, exp(value), rest=rest)), design.priors) for value in at
    ]
    found = integrate(trials)
    weights = _weights(found, -0.5 * ((at - centre) / sd) ** 2)
    mean = weights @ at
    low, median, high = np.exp(np.interp([0.025, 0.5, 0.975], _shares_up_to(weights), at))
    return WashIn(
        asked={name: _mixed(weights, [one.asked[name] for one in found]) for name in found[0].asked},
        tau_median=float(median),
        tau_ci95=(float(low), float(high)),
        sd_ratio=float(np.sqrt(weights @ (at - mean) ** 2)) / sd,
    )


def exposure(design: AnalysisDesign, tau: float, *, rest: str | None) -> Floats:
    """(night_used, arm): what share of each arm's effect the used nights show, every day of the calendar counted."""
    planned = design.nights.select("night", "arm", "used").sort("night")
    states = np.eye(len(design.arms))
    at_rest = np.zeros(len(design.arms)) if rest is None else states[design.arms.index(rest)]
    towards = [states[design.arms.index(arm)] if arm in design.arms else at_rest for arm in planned["arm"]]
    days = planned["night"].diff().dt.total_days().fill_null(1).to_list()
    shown = np.empty((planned.height, len(design.arms)))
    before = at_rest
    for place, (target, passed) in enumerate(zip(towards, days, strict=True)):
        before = target + (before - target) * exp(-passed / tau)
        shown[place] = before
    return np.asarray(shown[planned["used"].to_numpy()])


def _weights(found: list[ExactPosterior], log_prior: Floats) -> Floats:
    log_mass = np.array([one.log_evidence for one in found]) + log_prior
    mass = np.exp(log_mass - log_mass.max())
    return np.asarray(mass / mass.sum())


def _shares_up_to(weights: Floats) -> Floats:
    """Shares up to the middle of each point's cell."""
    return np.asarray(np.cumsum(weights) - weights / 2)


def _mixed(weights: Floats, mixtures: list[Mixture]) -> Mixture:
    return Mixture(
        weights=np.concatenate([w * one.weights for w, one in zip(weights, mixtures, strict=True)]),
        means=np.concatenate([one.means for one in mixtures]),
        sds=np.concatenate([one.sds for one in mixtures]),
    )
