"""How numbers are shown: one rounding for the sentences, the tables and the figures."""

import math
from typing import Final

ROUNDING: Final = (
    "Sentences round minutes to whole minutes; tables show one decimal place, ratios two. "
    "Percentages are whole and rounded towards 50 %, so that none is overstated."
)

_EVEN, _MOST, _LEAST = 50, 99, 1
_DUST: Final = 9
"""Decimal places kept before a percentage is cut, so that 0.57 × 100 is 57 and not 56."""


def whole_percent(p: float) -> int:
    """Turn a probability into a whole percentage, rounded towards 50.

    Cutting towards 50 keeps the shown number on the same side of every whole-percent threshold as the exact one: 0.9496
    is shown as 94, never as a 95 that a verdict asks for and did not get.
    """
    exact = round(100 * p, _DUST)
    return math.floor(exact) if exact >= _EVEN else math.ceil(exact)


def percent(p: float) -> str:
    """Show a probability; beyond 1 and 99 % a finite sample cannot tell, and the words say so."""
    exact = round(100 * p, _DUST)
    if exact > _MOST:
        return "over 99 %"
    if exact < _LEAST:
        return "under 1 %"
    return f"{whole_percent(p)} %"


def fixed(value: float, decimals: int) -> str:
    """Show a number with a true minus sign and without a negative zero."""
    rounded = round(value, decimals)
    return f"{rounded or 0.0:.{decimals}f}".replace("-", "−")


def decimals_in_sentences(unit: str) -> int:
    """Say how finely a sentence shows a unit: whole minutes, else one decimal place."""
    return 0 if unit == "min" else 1


def of_differences(unit: str) -> str:
    """Name the unit of a difference: between percentages lie points, and "1 % higher" would be a ratio."""
    return "percentage points" if unit == "%" else unit


def quantity(value: float, unit: str, decimals: int) -> str:
    """Show a number with its unit: ``84 min``."""
    return f"{fixed(value, decimals)} {unit}"
