"""Nights that are not used, by arm and reason; and how unlike the used ones they would have to be to undo a claim."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nof1.model.design import NOT_PLANNED, AnalysisDesign
from nof1.model.verdict import Verdict
from nof1.trial.protocol import Contrast

FARTHEST: Final = 100.0
"""The logarithm of a factor that no night could reach: beyond it the exponential would end in infinity."""

HALVINGS: Final = 30
"""Of a bracket as wide as the draws: a millionth of it."""

SET_ASIDE: Final = "transition"
"""The reason of nights that the protocol itself leaves out: they are not missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmNights:
    """The nights of one arm: planned = used + all excluded.

    Parameters
    ----------
    missing
        The share of the nights after the transition nights that is not used, whatever the reason; 0 of none.
    """

    planned: int
    recorded: int
    used: int
    excluded: dict[str, int]
    missing: float


def nights_by_arm(design: AnalysisDesign, contrast: Contrast) -> dict[str, ArmNights]:
    """Count the nights of the two arms of a contrast, each in one place."""
    planned = design.nights.filter(~pl.col("why_excluded").is_in(NOT_PLANNED).fill_null(value=False))
    return {code: _count(planned.filter(arm=code)) for code in (contrast.arm, contrast.reference)}


def _count(nights: pl.DataFrame) -> ArmNights:
    excluded = Counter(nights["why_excluded"].drop_nulls().to_list())
    used = int(nights["used"].sum())
    meant = nights.height - excluded[SET_ASIDE]
    return ArmNights(
        planned=nights.height,
        recorded=int(nights["recorded"].sum()),
        used=used,
        excluded={why: n for why, n in excluded.items() if n},
        missing=1 - used / meant if meant else 0.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TippingPoint:
    """How unlike the used nights the others would have to be, so that a direction is no longer claimed.

    Each is a distance between the mean of the nights not used and that of the used ones of the same arm, in the unit of
    the effect, 0 or more, against the direction found: where the arm is better, its missing nights would have been so
    much worse and those of the reference so much better.

    Parameters
    ----------
    direction
        The one that the verdict claims; None where it claims none, and there is nothing to tip.
    unit
        Of the distances: the effect's own, or ``ratio``, a factor of 1 or more.
    verdict
        The distance on both arms at once from which the verdict is another, whatever it is then.
    both
        From which no direction is claimed, on both arms at once; None where no night is missing.
    arm, reference
        On that arm alone, with the missing nights of the other like the used ones; None where it misses none.
    """

    direction: Literal["better", "worse"] | None
    unit: str
    verdict: float | None
    both: float | None
    arm: float | None
    reference: float | None


Judge = Callable[[NDArray[np.float64]], Verdict]
"""Gives the verdict on draws of the effect, turned so that positive is better."""


def tipping_point(
    gain: NDArray[np.float64], missing_arm: float, missing_reference: float, judge: Judge, *, unit: str
) -> TippingPoint:
    """Find the distances D at which the claim falls.

    The effect on all nights meant is that on the used ones + f_arm D_arm − f_reference D_reference, f the missing
    shares, so that every draw moves by the same amount.

    Parameters
    ----------
    gain
        Draws of the effect of the used nights, turned so that positive is better.
    unit
        Of the draws; ``ratio`` where they are logarithms of ratios.
    """
    verdict = judge(gain)
    direction = _direction(verdict)
    if direction is None:
        return TippingPoint(direction=None, unit=unit, verdict=None, both=None, arm=None, reference=None)
    towards = -1.0 if direction == "better" else 1.0
    another = _last(lambda by: judge(gain + towards * by) == verdict, gain)
    unclaimed = _last(lambda by: _direction(judge(gain + towards * by)) == direction, gain)
    together = missing_arm + missing_reference
    return TippingPoint(
        direction=direction,
        unit=unit,
        verdict=_shown(another, together, unit),
        both=_shown(unclaimed, together, unit),
        arm=_shown(unclaimed, missing_arm, unit),
        reference=_shown(unclaimed, missing_reference, unit),
    )


def _direction(verdict: Verdict) -> Literal["better", "worse"] | None:
    if verdict in {"meaningful_benefit", "benefit", "better_size_unclear"}:
        return "better"
    return "worse" if verdict in {"meaningful_worsening", "worsening", "worse_size_unclear"} else None


def _last(holds: Callable[[float], bool], gain: NDArray[np.float64]) -> float:
    """Give the distance up to which something holds that holds at 0, and no longer beyond all draws."""
    low, high = 0.0, 2 * float(np.abs(gain).max())
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _shown(distance: float, share: float, unit: str) -> float | None:
    if not share:
        return None
    return float(np.exp(min(distance / share, FARTHEST))) if unit == "ratio" else distance / share
