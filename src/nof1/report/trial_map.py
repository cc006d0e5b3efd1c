"""The nights of a trial as squares: what became of each, and what was taken; a row a period, or four weeks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, groupby
from typing import Final
from xml.sax.saxutils import escape

import polars as pl

from nof1.report.canvas import ARM_COLOURS, FONT, FONT_SIZE, INK, NARROW, NO_ARM_COLOUR, WIDE, Figure
from nof1.report.figures import arm_look
from nof1.report.sentences import Json, arm_name
from nof1.trial.adherence import MISSED, NOT_DUE, UNKNOWN

ROW: Final = 16
"""Pixels from one period to the next."""
LABEL: Final = {WIDE: 210, NARROW: 140}
"""Pixels for the words before the cells."""
DATE_ALONE: Final = 54
"""The same for rows that have no name."""
CAPITAL, SMALL = 0.74, 0.54
"""How wide letters are in font sizes, on average of a name; digits and spaces are like small ones."""
EDGE: Final = 6
LARGEST_CELL: Final = 18
STATES: Final[Mapping[str, str]] = {
    "used": "compared",
    "aside": "recorded, not compared",
    "missing": "not recorded",
}
DOSES: Final[Mapping[str, str]] = {
    MISSED: "dose not taken",
    UNKNOWN: "dose not logged",
    NOT_DUE: "taken, none due",
}
"""What is marked of the doses: whatever is not as it was assigned."""
SO_FAR: Final[Mapping[str, str]] = {
    "used": "recorded",
    "aside": "recorded, kept out",
    "missing": "not recorded",
    "ahead": "to come",
}
FOUR_WEEKS: Final = 28


@dataclass(frozen=True, slots=True)
class Row:
    """One period, the nights on no arm between two, or four weeks: when it began, its arm, and its cells.

    A cell is what became of a night, None where the schedule has none, and what became of its dose.
    """

    first: date
    name: str
    colour: str
    cells: tuple[tuple[str | None, str | None], ...]


def trial_map(planned: pl.DataFrame, arms: Sequence[Json], doses: pl.DataFrame | None) -> Figure:
    """Draw the nights of one outcome, period by period.

    Parameters
    ----------
    planned
        As `nof1.report.figures.planned_nights` reads them.
    doses
        ``night`` and ``status`` (of `nof1.trial.adherence.STATUSES`); None where they are not at hand.
    """
    told = {**STATES, **(DOSES if doses is not None else {})}
    periods = planned["period"].drop_nulls().n_unique()
    return _figure(_rows(planned, arms, doses), told, f"{periods} periods, {planned.height} nights")


def calendar_map(evenings: pl.DataFrame) -> Figure:
    """Draw the nights of a trial four weeks a row, whatever they are on.

    Parameters
    ----------
    evenings
        As `nof1.report.progress.Progress` has them.
    """
    by_night = {night: (state, dose) for night, state, dose in evenings.select("night", "state", "dose").iter_rows()}
    first, last = min(by_night), max(by_night)
    rows = []
    for begin in range(0, (last - first).days + 1, FOUR_WEEKS):
        weeks = [first + timedelta(days=begin + day) for day in range(FOUR_WEEKS)]
        rows.append(Row(weeks[0], "", INK, tuple(by_night.get(night, (None, None)) for night in weeks)))
    return _figure(rows, {**SO_FAR, **DOSES}, f"{evenings.height} nights")


def _figure(rows: Sequence[Row], told: Mapping[str, str], of: str) -> Figure:
    """Draw the rows in both widths, with a key of the marks that there are; the alternative counts them all."""
    found = [mark for row in rows for cell in row.cells for mark in cell if mark]
    counts = {words: found.count(mark) for mark, words in told.items()}
    alternative = f"{of}: " + ", ".join(f"{n} {words}" for words, n in counts.items())
    key = {mark: f"{words} ({counts[words]})" for mark, words in told.items() if counts[words]}
    return Figure(wide=_drawn(rows, key, WIDE), narrow=_drawn(rows, key, NARROW), alternative=f"{alternative}.")


def _rows(planned: pl.DataFrame, arms: Sequence[Json], doses: pl.DataFrame | None) -> list[Row]:
    names = dict(zip((arm["code"] for arm in arms), arm_look(arms).names, strict=True))
    colours = dict(zip(names, ARM_COLOURS, strict=False))
    said: dict[date, str] = dict(doses.select("night", "status").iter_rows()) if doses is not None else {}
    nights = planned.select("date", "arm", "period", "used", "recorded").rows()
    made = []
    for (period, arm), group in groupby(nights, key=lambda night: (night[2], night[1])):
        own = list(group)
        cells = tuple((_state(used, recorded), said.get(day)) for day, _, _, used, recorded in own)
        name = "no treatment" if period is None else names.get(arm, arm_name(arm))
        made.append(Row(own[0][0], name, colours.get(arm, NO_ARM_COLOUR), cells))
    return made


def _state(used: bool, recorded: bool) -> str:
    return "missing" if not recorded else "used" if used else "aside"


def _drawn(rows: Sequence[Row], key: Mapping[str, str], width: int) -> str:
    longest = max((len(row.cells) for row in rows), default=1)
    label = LABEL[width] if any(row.name for row in rows) else DATE_ALONE
    cell = min(LARGEST_CELL, (width - label - 2 * EDGE) / longest)
    per_line = 3 if width == WIDE else 1
    lines = -(-len(key) // per_line)
    height = 2 * EDGE + ROW * (len(rows) + lines) + EDGE
    parts = [*_cells(rows, cell, label), *_key(key, per_line, width, EDGE * 2 + ROW * len(rows))]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<rect width="{width}" height="{height}" fill="white"/>{"".join(parts)}</svg>'
    )


def _cells(rows: Sequence[Row], cell: float, label: int) -> Iterator[str]:
    for place, row in enumerate(rows):
        y = EDGE + (place + 0.5) * ROW
        yield _text(EDGE, y, _fitting(f"{row.first.day} {row.first:%b} {row.name}".strip(), label), row.colour)
        for night, (state, dose) in enumerate(row.cells):
            x = label + EDGE + (night + 0.5) * cell
            if state is not None:
                yield _mark(state, x, y, cell, row.colour)
            if dose is not None and dose in DOSES:
                yield _mark(dose, x, y, cell, row.colour)


def _fitting(words: str, width: int) -> str:
    """Cut words that would run into the squares."""
    ends = list(accumulate(FONT_SIZE * (CAPITAL if letter.isupper() else SMALL) for letter in words))
    fit = sum(end <= width for end in ends)
    return words if fit == len(words) else f"{words[: fit - 2]}…"


def _key(key: Mapping[str, str], per_line: int, width: int, top: float) -> Iterator[str]:
    for place, (mark, words) in enumerate(key.items()):
        x = EDGE + (place % per_line) * (width / per_line)
        y = top + (place // per_line + 0.5) * ROW
        yield _mark(mark, x + 7, y, LARGEST_CELL, INK)
        yield _text(x + 22, y, words, INK)


def _mark(mark: str, x: float, y: float, cell: float, colour: str) -> str:
    half = max(0.8, min(cell, ROW) / 2 - 1.6)
    box = f'x="{x - half:.1f}" y="{y - half:.1f}" width="{2 * half:.1f}" height="{2 * half:.1f}"'
    small, low = half / 2, y + half + 1.6
    return {
        "used": f'<rect class="used" {box} fill="{colour}"/>',
        "aside": f'<rect class="aside" {box} fill="none" stroke="{colour}" stroke-width="1.2"/>',
        "missing": f'<path class="missing" d="M{x - small:.1f},{y - small:.1f}L{x + small:.1f},{y + small:.1f}'
        f'M{x + small:.1f},{y - small:.1f}L{x - small:.1f},{y + small:.1f}" stroke="{NO_ARM_COLOUR}" '
        'stroke-width="1.4"/>',
        "ahead": f'<circle class="ahead" cx="{x:.1f}" cy="{y:.1f}" r="1.6" fill="{NO_ARM_COLOUR}"/>',
        MISSED: f'<path class="missed" d="M{x - half:.1f},{low:.1f}h{2 * half:.1f}" stroke="{INK}" stroke-width="2"/>',
        UNKNOWN: f'<circle class="unknown" cx="{x:.1f}" cy="{low:.1f}" r="1.3" fill="{INK}"/>',
        NOT_DUE: f'<path class="not-due" d="M{x:.1f},{low - 1.5:.1f}l1.8,3h-3.6Z" fill="{INK}"/>',
    }[mark]


def _text(x: float, y: float, words: str, colour: str) -> str:
    return (
        f'<text x="{x:g}" y="{y + 4.5:g}" font-family="{escape(FONT)}" font-size="{FONT_SIZE}px" '
        f'fill="{colour}">{escape(words)}</text>'
    )
