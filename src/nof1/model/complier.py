"""The complier effect: of the treatment taken, where the primary estimate is of the treatment assigned.

The effect of assignment ÷ the difference it made to what was taken. It takes for granted that a night's assignment acts
through that night's dose alone: no carryover, and nothing done otherwise because of the arm but taking the dose.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.estimate import Interval, Summary, summarise

MIN_DIFFERENCE: Final = 0.2
"""The least that the assignment must have made to the taking; its whole 95 % interval lies above, or the quotient is of
something near zero."""
MAX_UNKNOWN: Final = 0.5
"""More of the doses unknown, and what is known may not stand for the rest."""
JEFFREYS: Final = 0.5
"""Both parameters of the Beta prior of the share of unknown nights on which the dose was taken."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The used nights of one arm by whether the treatment was taken on them."""

    taken: int
    not_taken: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Uptake:
    """How much more often the treatment was taken on the arm than on the reference, as a difference of shares."""

    median: float
    ci95: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplierEffect:
    """The effect of the treatment taken.

    Parameters
    ----------
    effect
        As the estimate's own, for a latency as a ratio; None where `why_not` says why.
    arm, reference
        What was taken; the reference is None where it holds nothing of the treatment, so that none can be taken on it.
    """

    effect: Summary | None
    uptake: Uptake | None
    arm: Taken
    reference: Taken | None
    why_not: str | None


def complier_effect(
    draws: NDArray[np.float64], arm: Taken, reference: Taken | None, *, seed: int, log: bool = False
) -> ComplierEffect:
    """Divide draws of the effect of assignment by draws of the difference in what was taken.

    What was taken on the nights of this trial is counted, not estimated: whole periods of missed doses make the count
    no less sure. Nights whose dose is unknown are taken to be as often taken as the known ones, give or take chance.

    Parameters
    ----------
    draws
        Of arm − reference; of a latency of its logarithm, and then `log` is set.
    """
    why = _too_little_known(arm)
    if why is not None:
        return ComplierEffect(effect=None, uptake=None, arm=arm, reference=reference, why_not=why)
    rng = np.random.default_rng([seed, 2])
    difference = _share(arm, draws.size, rng)
    if reference is not None:
        difference = difference - _share(reference, draws.size, rng)
    low, median, high = (float(q) for q in np.quantile(difference, [0.025, 0.5, 0.975]))
    uptake = Uptake(median, (low, high))
    if low < MIN_DIFFERENCE:
        why = (
            "The assignment may have made next to no difference to what was taken, and an effect divided by next to "
            "nothing could be any size."
        )
        return ComplierEffect(effect=None, uptake=uptake, arm=arm, reference=reference, why_not=why)
    effect = draws.ravel() / difference
    summary = summarise(np.exp(effect) if log else effect)
    return ComplierEffect(effect=summary, uptake=uptake, arm=arm, reference=reference, why_not=None)


def _too_little_known(arm: Taken) -> str | None:
    due = arm.taken + arm.not_taken + arm.unknown
    if due and arm.unknown <= MAX_UNKNOWN * due:
        return None
    return f"Whether the dose was taken is unknown on {arm.unknown} of the {due} used nights."


def _share(nights: Taken, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    likely = rng.beta(nights.taken + JEFFREYS, nights.not_taken + JEFFREYS, size)
    taken = nights.taken + rng.binomial(nights.unknown, likely)
    return np.asarray(taken / (nights.taken + nights.not_taken + nights.unknown))
