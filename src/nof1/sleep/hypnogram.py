"""One night as a line of text: wake high, deep sleep low, unscored time blank."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, UNSCORED, WAKE

BLOCKS: Final = {WAKE: "█", REM: "▆", LIGHT: "▄", ASLEEP: "▃", DEEP: "▁", UNSCORED: " "}
"""The block of each stage. Where two stages fill equal parts of a cell, the one that comes first here is drawn."""


def draw(hypnogram: Sequence[Mapping[str, Any]], width: int = 48) -> str:
    """Draw a hypnogram in one line.

    Parameters
    ----------
    hypnogram
        The segments of one session, in order, each with `start_s`, `seconds`, `stage` (`session.Sessions.hypnogram`).
    width
        Characters; each stands for an equal part of the time from the first segment's start to the last one's end.

    Returns
    -------
    str
        `width` characters, each the stage that fills most of its cell, so that brief awakenings vanish; empty for a
        hypnogram without segments.
    """
    if not hypnogram:
        return ""
    begins = hypnogram[0]["start_s"]
    span = hypnogram[-1]["start_s"] + hypnogram[-1]["seconds"] - begins
    edges = [begins + span * cell / width for cell in range(width + 1)]
    cells = [dict.fromkeys(BLOCKS, 0.0) | {UNSCORED: right - left} for left, right in pairwise(edges)]
    for segment in hypnogram:
        if segment["stage"] != UNSCORED:
            _fill(cells, edges, segment)
    return "".join(BLOCKS[max(cell, key=cell.__getitem__)] for cell in cells)


def _fill(cells: Sequence[dict[str, float]], edges: Sequence[float], segment: Mapping[str, Any]) -> None:
    """Give each cell that a segment reaches into its part, and take that from what is unscored there."""
    begins, ends, stage = segment["start_s"], segment["start_s"] + segment["seconds"], segment["stage"]
    for place in range(bisect_right(edges, begins) - 1, min(bisect_left(edges, ends), len(cells))):
        inside = min(ends, edges[place + 1]) - max(begins, edges[place])
        cells[place][stage] += inside
        cells[place][UNSCORED] -= inside
