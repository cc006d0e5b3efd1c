"""One night as a line of text: wake high, deep sleep low, unscored time blank."""

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
    return "".join(_block(hypnogram, *cell) for cell in pairwise(edges))


def _block(hypnogram: Sequence[Mapping[str, Any]], begins: float, ends: float) -> str:
    filled = dict.fromkeys(BLOCKS, 0.0)
    filled[UNSCORED] = ends - begins
    for segment in hypnogram:
        inside = min(ends, segment["start_s"] + segment["seconds"]) - max(begins, segment["start_s"])
        if inside > 0 and segment["stage"] != UNSCORED:
            filled[segment["stage"]] += inside
            filled[UNSCORED] -= inside
    return BLOCKS[max(filled, key=filled.__getitem__)]
