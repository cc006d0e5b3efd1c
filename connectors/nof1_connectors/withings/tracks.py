"""The states of one kind of device, laid on one time line: what a mat or a watch saw, minute by minute.

States come in chunks that repeat and overlap, and belong to no session. Here they become a track, of which sessions cut
what lies between their bounds.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

from nof1.connect.timeline import Piece, flatten, overlay, union
from nof1.sleep.session import UNKNOWN_DEVICE
from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE

BED: Final = "bed"
"""A mat under the mattress: it knows when somebody lies in bed."""
TRACKER: Final = "tracker"
"""A watch: it guesses when its wearer went to bed."""
UNKNOWN: Final = UNKNOWN_DEVICE
"""Nobody says which: nof1 learns it from another export of the same nights, where one tells."""

OUT_OF_BED: Final = "out of bed"
STAGE_OF: Final = {"0": WAKE, "1": LIGHT, "2": DEEP, "3": REM, OUT_OF_BED: WAKE}
"""Withings' states, the number itself kept as the label, and what a mat does not say because nobody lies on it."""
MAX_AWAY_S: Final = 3600
"""A mat that is silent for longer than this has lost its data; nobody is so long in the bathroom."""
MAX_DIFFERENCE_S: Final = 300
"""By how much the states of a session may differ from its sums; on real nights they agree to the second."""

MAX_CHANGES: Final = 6_000
"""Withings tells states by the minute; two days of them change state less often than this."""

_RANK: Final = {"1": 0, "2": 0, "3": 0, "0": 1}
_TOTAL: Final = {"0": "wake_s", "1": "light_s", "2": "deep_s", "3": "rem_s"}


@dataclass(frozen=True, slots=True)
class Track:
    """The states of one kind of device: sorted, without overlap, in seconds since 1970."""

    pieces: Sequence[Piece]

    def between(self, start_s: int, end_s: int) -> list[Piece]:
        """Give what lies between two instants, in seconds after the first of them.

        Raises
        ------
        ValueError
            There is more of it than any device tells.
        """
        first = bisect_right(self.pieces, start_s, key=lambda piece: piece.end_s)
        beyond = bisect_left(self.pieces, end_s, key=lambda piece: piece.start_s)
        if beyond - first > MAX_CHANGES:
            raise ValueError(f"its states change {beyond - first:,} times")
        bounds = [(max(p.start_s, start_s), min(p.end_s, end_s), p.label) for p in self.pieces[first:beyond]]
        return [Piece(start - start_s, end - start, label) for start, end, label in bounds]

    def stretches(self) -> list[tuple[int, int]]:
        """Give the bounds of what hangs together: no silence within is longer than `MAX_AWAY_S`."""
        found: list[tuple[int, int]] = []
        for piece in self.pieces:
            if found and piece.start_s - found[-1][1] <= MAX_AWAY_S:
                found[-1] = (found[-1][0], piece.end_s)
            else:
                found.append((piece.start_s, piece.end_s))
        return found

    def outside(self, sessions: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Give the stretches that share no second with any of these sessions."""
        covered = Track([Piece(start, end - start, "") for start, end in union(sessions)])
        return [(start, end) for start, end in self.stretches() if not covered.between(start, end)]


def lay_out(pieces: Iterable[Piece]) -> Track:
    """Make a track of pieces in any order: repeats count once, and sleep stands where it overlaps wake."""
    return Track(flatten(pieces, _RANK))


def choose(
    tracks: Mapping[str, Track], start_s: int, end_s: int, totals: Mapping[str, float | None]
) -> tuple[str, list[Piece], bool]:
    """Find the kind of device whose states make up a session.

    Parameters
    ----------
    tracks
        By kind of device, the one that is preferred among equals first.
    start_s, end_s
        The session, in seconds since 1970.
    totals
        Its sums, as `make_session` takes them; None where it does not say.

    Returns
    -------
    tuple
        The kind, the pieces in seconds after the start, and whether they add up to the sums. The kind is `UNKNOWN`
        where no device has any state, and where several have some and none adds up.
    """
    seen = [(kind, pieces) for kind, track in tracks.items() if (pieces := track.between(start_s, end_s))]
    if not seen:
        return UNKNOWN, [], False
    kind, pieces = min(seen, key=lambda one: _difference_s(one[1], totals))
    fits = _difference_s(pieces, totals) <= MAX_DIFFERENCE_S
    return (kind if fits or len(seen) == 1 else UNKNOWN), pieces, fits


def fill_absences(kind: str, pieces: list[Piece], absences: Iterable[Piece] = ()) -> list[Piece]:
    """Put wake where somebody was out of bed: as the night's events tell it, and wherever a mat is silent for a while.

    Withings counts such minutes as wake after sleep onset: on 300 of 300 real nights of a mat.
    """
    silences = [
        Piece(before.end_s, after.start_s - before.end_s, OUT_OF_BED)
        for before, after in pairwise(pieces)
        if kind == BED and 0 < after.start_s - before.end_s <= MAX_AWAY_S
    ]
    return overlay(flatten(chain(silences, absences), {}), pieces)


def _difference_s(pieces: Sequence[Piece], totals: Mapping[str, float | None]) -> float:
    """Seconds by which the states differ from the sums that are told, over all stages."""
    seconds = dict.fromkeys(_TOTAL.values(), 0)
    for piece in pieces:
        if piece.label in _TOTAL:
            seconds[_TOTAL[piece.label]] += piece.seconds
    told = {name: total for name, total in totals.items() if total is not None and name in seconds}
    return sum(abs(seconds[name] - total) for name, total in told.items())
