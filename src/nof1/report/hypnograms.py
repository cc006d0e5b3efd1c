"""Every night that is compared as a strip of its stages, arm beside arm: what a mean of minutes is made of."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Final
from xml.sax.saxutils import escape

import polars as pl

from nof1.report.canvas import FONT, FONT_SIZE, INK, NARROW, STAGE_COLOURS, Figure
from nof1.report.figures import arm_look
from nof1.report.sentences import Json
from nof1.sleep.hypnogram import BLOCKS

STRIP: Final = 2
"""Pixels of one night."""
WORDS: Final = 20
"""Pixels of a line of words."""
EDGE: Final = 6
STAGES: Final = {block: stage for stage, block in BLOCKS.items()}


def figure(planned: pl.DataFrame, arms: Sequence[Json], lines: Mapping[date, str]) -> Figure | None:
    """Draw the nights that are compared, in one width; None where none has stages.

    Parameters
    ----------
    planned
        As `nof1.report.figures.planned_nights` reads them.
    lines
        Of each night, drawn by `nof1.sleep.hypnogram.draw`, all of one width.
    """
    by_arm = {}
    for arm, name in zip(arms, arm_look(arms).names, strict=True):
        own = planned.filter(pl.col("used"), arm=arm["code"])["date"].to_list()
        by_arm[name] = [lines[night] for night in own if lines.get(night)]
    if not any(by_arm.values()):
        return None
    svg = _drawn(by_arm)
    told = "; ".join(_told(name, nights) for name, nights in by_arm.items() if nights)
    return Figure(wide=svg, narrow=svg, alternative=f"Stages of each night from its first to its last minute. {told}.")


def _told(name: str, nights: Sequence[str]) -> str:
    counts = Counter("".join(nights))
    shares = [f"{STAGES[block]} {100 * counts[block] / counts.total():.0f} %" for block in STAGES if counts[block]]
    return f"{name}, {_nights(nights)}: {', '.join(shares)}"


def _nights(nights: Sequence[str]) -> str:
    return f"{len(nights)} night{'' if len(nights) == 1 else 's'}"


def _drawn(by_arm: Mapping[str, Sequence[str]]) -> str:
    words: list[str] = []
    runs: dict[str, list[str]] = {block: [] for block in STAGES}
    y = EDGE
    for name, nights in by_arm.items():
        words.append(_text(EDGE, y, f"{name}, {_nights(nights)}", INK))
        y += WORDS
        for line in nights:
            for block, run in _strip(line, y + STRIP / 2):
                runs[block].append(run)
            y += STRIP
        y += EDGE
    seen = {block: own for block, own in runs.items() if own}
    strips = [
        f'<path d="{"".join(own)}" stroke="{STAGE_COLOURS[STAGES[block]]}" stroke-width="{STRIP}"/>'
        for block, own in seen.items()
    ]
    height = y + WORDS + EDGE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{NARROW}" height="{height}" '
        f'viewBox="0 0 {NARROW} {height}"><rect width="{NARROW}" height="{height}" fill="white"/>'
        f"{''.join([*words, *strips, *_key(list(seen), y)])}</svg>"
    )


def _strip(line: str, y: float) -> Iterator[tuple[str, str]]:
    """Give each stretch of one stage as a line of an SVG path."""
    cell, x = (NARROW - 2 * EDGE) / len(line), 0
    for block, run in groupby(line):
        length = len(list(run))
        yield block, f"M{EDGE + x * cell:.0f} {y:g}h{length * cell:.0f}"
        x += length


def _key(blocks: Sequence[str], y: int) -> Iterator[str]:
    step = (NARROW - 2 * EDGE) / max(len(blocks), 1)
    for place, block in enumerate(blocks):
        x = EDGE + place * step
        yield f'<rect x="{x:.1f}" y="{y + 4:g}" width="11" height="11" fill="{STAGE_COLOURS[STAGES[block]]}"/>'
        yield _text(x + 14, y, STAGES[block], INK)


def _text(x: float, y: float, words: str, colour: str) -> str:
    return (
        f'<text x="{x:g}" y="{y + 14:g}" font-family="{escape(FONT)}" font-size="{FONT_SIZE - 1}px" '
        f'fill="{colour}">{escape(words)}</text>'
    )
