"""The stretches of one recording, in seconds after its start: laid over each other, cut, joined."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from nof1.sleep.stages import SLEEP, UNSCORED

UNRANKED: Final = 1_000
MAX_DIFFERENCE_S: Final = 300
"""Vendors round every stretch and every sum to minutes; by more than this, stages and sums say different things."""


class Piece(NamedTuple):
    """A stretch of one label, in seconds after the start of the recording; the label is the vendor's own word."""

    start_s: int
    seconds: int
    label: str

    @property
    def end_s(self) -> int:
        """Where it ends."""
        return self.start_s + self.seconds


def epochs(labels: Iterable[str], epoch_s: int, *, end_s: int | None = None) -> list[Piece]:
    """Turn one label an epoch into pieces, equal neighbours joined, cut at `end_s`."""
    pieces, at = [], 0
    for label, run in groupby(labels):
        pieces.append(Piece(at, epoch_s * sum(1 for _ in run), label))
        at = pieces[-1].end_s
    return pieces if end_s is None else clip(pieces, end_s)


def join(pieces: Iterable[Piece]) -> list[Piece]:
    """Join neighbours of one label that touch. The pieces are sorted."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].label == piece.label and joined[-1].end_s == piece.start_s:
            joined[-1] = Piece(joined[-1].start_s, joined[-1].seconds + piece.seconds, piece.label)
        else:
            joined.append(piece)
    return joined


def clip(pieces: Iterable[Piece], end_s: int) -> list[Piece]:
    """Cut off what lies before the start or after `end_s`."""
    bounds = [(max(piece.start_s, 0), min(piece.end_s, end_s), piece.label) for piece in pieces]
    return [Piece(start, end - start, label) for start, end, label in bounds if end > start]


def flatten(pieces: Iterable[Piece], rank: Mapping[str, int]) -> list[Piece]:
    """Resolve overlaps by instant: where two pieces cover the same time, the lower rank stands.

    Parameters
    ----------
    pieces
        In any order; copies of one piece count once.
    rank
        By label; a label without rank gives way to all others. Among equals the earlier start stands, then the
        shorter, then the label.
    """
    waiting = sorted((piece for piece in set(pieces) if piece.seconds > 0), reverse=True)
    if all(earlier.end_s <= later.start_s for later, earlier in pairwise(waiting)):
        return join(reversed(waiting))
    bounds = sorted({bound for piece in waiting for bound in (piece.start_s, piece.end_s)})
    open_now: list[tuple[int, Piece]] = []
    painted: list[Piece] = []
    for at, until in pairwise(bounds):
        while waiting and waiting[-1].start_s <= at:
            piece = waiting.pop()
            heappush(open_now, (rank.get(piece.label, UNRANKED), piece))
        while open_now and open_now[0][1].end_s <= at:
            heappop(open_now)
        if open_now:
            painted.append(Piece(at, until - at, open_now[0][1].label))
    return join(painted)


def overlay(pieces: list[Piece], over: list[Piece]) -> list[Piece]:
    """Paint `over` over `pieces`, exactly, in seconds. Both are sorted and free of overlaps of their own."""
    cut = list(over)
    first = 0
    for start, seconds, label in pieces:
        at, end = start, start + seconds
        while first < len(over) and over[first].end_s <= at:
            first += 1
        within = first
        while within < len(over) and over[within].start_s < end:
            if over[within].start_s > at:
                cut.append(Piece(at, over[within].start_s - at, label))
            at = over[within].end_s
            within += 1
        if end > at:
            cut.append(Piece(at, end - at, label))
    return sorted(cut)


def union(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans, in any order, that overlap or touch; one of no length is nothing."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def without_filled_zero(latency_s: int | None, pieces: Sequence[Piece], stage_of: Mapping[str, str]) -> int | None:
    """Take a latency of 0 only where sleep is the first that was seen: programs fill in zeros for what is missing."""
    begins_asleep = bool(pieces) and stage_of_label(pieces[0].label, stage_of) in SLEEP
    return None if latency_s == 0 and not begins_asleep else latency_s


def differing_sums(
    pieces: Iterable[Piece], stage_of: Mapping[str, str], totals: Mapping[str, float | None]
) -> tuple[str, ...]:
    """What the person hears where the stages do not add up to the vendor's own sums: a label may be misunderstood.

    Parameters
    ----------
    totals
        As for `make_session`; all sleep together is not compared, because vendors count it in ways of their own.

    Returns
    -------
    tuple
        One note, or none where they agree to `MAX_DIFFERENCE_S` or there is nothing to compare.
    """
    stage_s: Counter[str] = Counter()
    for piece in pieces:
        stage_s[f"{stage_of_label(piece.label, stage_of)}_s"] += piece.seconds
    told = [(name, total) for name, total in totals.items() if total is not None and name != "asleep_s"]
    if not stage_s or all(abs(total - stage_s[name]) <= MAX_DIFFERENCE_S for name, total in told):
        return ()
    return ("stages that do not add up to the vendor's own sums; the stages stand",)


def stage_of_label(label: str, stage_of: Mapping[str, str]) -> str:
    """Give the stage of a vendor's label in any case; a label that nobody knows is `unscored`."""
    return stage_of.get(label.lower(), UNSCORED)


def unknown_label(label: str) -> str:
    """What the person hears about a label that nobody knows."""
    return f"the unknown label {re.sub(r'[^ -~]', '?', label)[:40]!r}; that time is kept as unscored"
