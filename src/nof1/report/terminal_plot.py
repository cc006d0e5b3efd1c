"""The differences as bars of characters, for a terminal of any width, without colour, and where need be in ASCII."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final, NamedTuple

from nof1.report.plain import plain
from nof1.report.rounding import fixed
from nof1.report.sentences import Json, contrast, title

WIDEST: Final = 72
MARGIN: Final = 0.04
"""Share of the axis left free on each side."""
FEW: Final = 5.0
"""An axis shorter than this is labelled with one decimal place."""


class Marks(NamedTuple):
    """What the characters of a bar are."""

    ninety_five: str
    fifty: str
    median: str
    zero: str
    crossed: str
    worthwhile: str


UNICODE: Final = Marks("─", "━", "●", "│", "┼", "┊")
ASCII: Final = Marks("-", "=", "o", "|", "+", ":")


def plot(result: Json, *, width: int, ascii_only: bool = False) -> list[str]:
    """Draw every contrast that has an effect, those of one unit on one axis.

    Parameters
    ----------
    width
        Characters of the terminal; no line is longer.
    ascii_only
        For terminals that know nothing else.

    Returns
    -------
    list of str
        Lines; none where nothing was fitted.
    """
    marks = ASCII if ascii_only else UNICODE
    fitted = sorted((one for one in result["outcomes"] if one["effect"]), key=lambda one: str(one["unit"]))
    lines: list[str] = []
    for unit, group in groupby(fitted, key=lambda one: str(one["unit"])):
        lines += _axis_and_bars(list(group), result, unit, marks, min(width, WIDEST))
    if ascii_only:
        lines = [line.replace("−", "-").encode("ascii", "replace").decode() for line in lines]
    return [line[:width] for line in lines]


def _axis_and_bars(outcomes: list[Json], result: Json, unit: str, marks: Marks, width: int) -> Iterator[str]:
    ends = [value for one in outcomes for value in (*one["effect"]["ci95"], *_worthwhile(one), 0.0)]
    room = MARGIN * (max(ends) - min(ends)) or 1.0
    low, high = min(ends) - room, max(ends) + room

    def at(value: float) -> int:
        return round(float((value - low) / (high - low)) * (width - 1))

    for one in outcomes:
        words = contrast(one, result["arms"])
        yield f"{title(one, result['arms'])} (to the right: {words.up}{', better' if words.up == words.better else ''})"
        yield _bar(one, at, marks, width)
    yield _numbers(low, high, at(0.0), width, unit)
    worth = f", {marks.worthwhile} worth having" if any(map(_worthwhile, outcomes)) else ""
    yield f"{marks.median} median, {marks.fifty} 50 %, {marks.ninety_five} 95 %, {marks.zero} no difference{worth}"


def _bar(outcome: Json, at: Callable[[float], int], marks: Marks, width: int) -> str:
    cells = [" "] * width
    cells[at(0.0)] = marks.zero
    for interval, mark in (("ci95", marks.ninety_five), ("ci50", marks.fifty)):
        begin, end = (at(value) for value in outcome["effect"][interval])
        cells[begin : end + 1] = [mark] * (end + 1 - begin)
        if begin <= at(0.0) <= end:
            cells[at(0.0)] = marks.crossed
    for value in _worthwhile(outcome):
        cells[at(value)] = marks.worthwhile
    cells[at(outcome["effect"]["median"])] = marks.median
    return "".join(cells).rstrip()


def _worthwhile(outcome: Json) -> tuple[float, ...]:
    """Give both ends of the differences smaller than worth having; none where no such change was fixed in the unit."""
    change = outcome["worthwhile"]
    return () if change is None else (-abs(change), abs(change))


def _numbers(low: float, high: float, zero: int, width: int, unit: str) -> str:
    """Write the ends of the axis, and 0 where there is room for it."""
    decimals = 1 if high - low < FEW else 0
    left, right = fixed(low, decimals), f"{fixed(high, decimals)} {plain(unit)}"
    line = left.ljust(width - len(right)) + right
    free = len(left) < zero < width - len(right) - 1
    return line[:zero] + "0" + line[zero + 1 :] if free else line
