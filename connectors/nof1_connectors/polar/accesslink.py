"""Nights as AccessLink tells them (`/v3/users/sleep`): one night in, one row out.

The hypnogram says at which minute of the local clock a state begins, and not on which date. Places are therefore
counted from the start of sleep; only a night on which the clocks change needs more, and gets it from the stated zone.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Final

import msgspec

from nof1.connect.clock import Moment, unzoned, with_offset
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.connect.timeline import Piece, differing_sums, join
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import DEEP, LIGHT, REM, UNSCORED, WAKE

STREAM: Final = "polar/accesslink"
STAGE_OF: Final = {"0": WAKE, "1": REM, "2": LIGHT, "3": LIGHT, "4": DEEP, "5": UNSCORED}
"""AccessLink's numbers: 2 and 3 are the lighter and the deeper half of light sleep, 5 is what it could not tell."""
DAY_MIN: Final = 24 * 60
MAX_OUTSIDE_MIN: Final = 60
"""A state may begin so many minutes before the start or after the end by rounding and trimming; it is cut off there."""
CLOCKS_CHANGE: Final = (
    "a clock change at an hour that the stated zone does not explain; stages are left out, sums are kept"
)
HOUR_TWICE: Final = "an hour that the clocks repeat; its stages stand where they add up to Polar's own sums"

_MINUTE: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_SESSION_S)]


class Night(msgspec.Struct, frozen=True):
    """One night: the fields that nof1 reads."""

    sleep_start_time: str
    sleep_end_time: str
    date: str | None = None
    device_id: str | None = None
    light_sleep: _Seconds | None = None
    deep_sleep: _Seconds | None = None
    rem_sleep: _Seconds | None = None
    total_interruption_duration: _Seconds | None = None
    hypnogram: dict[str, int] | None = None


def parse_response(record: object, options: ReadOptions) -> Session:
    """Turn one night into one session.

    Raises
    ------
    ValueError
        The night cannot be used; the message is the reason.
    """
    try:
        night = msgspec.convert(record, Night)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not an AccessLink night as nof1 knows it: {error}") from error
    start, end = with_offset(night.sleep_start_time), with_offset(night.sleep_end_time)
    totals = _totals(night)
    pieces, notes = hypnogram_of(night.hypnogram or {}, start, end, totals, options)
    return make_session(
        stream=STREAM,
        record_id=night.date or identity(start.instant, end.instant),
        start=start,
        end=end,
        pieces=pieces,
        stage_of=STAGE_OF,
        totals=totals,
        device=night.device_id,
        flags=[STARTS_AT_ONSET],
        notes=[*notes, *differing_sums(pieces, STAGE_OF, totals)],
    )


def hypnogram_of(
    states: dict[str, int], start: Moment, end: Moment, totals: dict[str, int | None], options: ReadOptions
) -> tuple[list[Piece], tuple[str, ...]]:
    """Place the states of a night in time.

    A minute of an hour that the clocks repeat has two places. The states are in order, so that they change from the
    first to the second hour once: where, is decided by which reading comes closest to Polar's own sums.

    Parameters
    ----------
    states
        What begins at which minute of the local clock, in the order of the night.

    Returns
    -------
    tuple
        The pieces, sorted and without overlap, and notes; no pieces where the clocks change at an unknown hour.

    Raises
    ------
    ValueError
        A minute is none, or lies outside the night.
    """
    lasts_s = int((end.instant - start.instant).total_seconds())
    change_min = (end.offset_min or 0) - (start.offset_min or 0)
    labels = [str(state) for state in states.values()]
    walls = list(_walls_s(states, start, lasts_s // 60 + change_min))
    if not change_min:
        return _pieces(walls, labels, lasts_s), ()
    change_s = _when_clocks_change(start, end, lasts_s, options)
    if change_s is None:
        return [], (CLOCKS_CHANGE,) if states else ()
    if change_min > 0:
        places = [wall if wall < change_s else max(wall - 60 * change_min, change_s) for wall in walls]
        return _pieces(places, labels, lasts_s), ()
    readings = _readings(walls, -60 * change_min, change_s)
    ways = [_pieces(places, labels, lasts_s) for places in readings]
    return min(ways, key=lambda pieces: _far_from(totals, pieces)), (HOUR_TWICE,) if len(ways) > 1 else ()


def _walls_s(states: dict[str, int], start: Moment, lasts_min: int) -> Iterator[int]:
    """Give by how much the wall clock of each state is ahead of that of the start, in seconds."""
    local = start.instant + timedelta(minutes=start.offset_min or 0)
    for key in states:
        parts = _MINUTE.fullmatch(key)
        if parts is None:
            raise ValueError(f"{key[:40]!r} is not a minute of the day")
        ahead = (60 * int(parts[1]) + int(parts[2]) - 60 * local.hour - local.minute) % DAY_MIN
        if ahead > lasts_min + MAX_OUTSIDE_MIN:
            ahead -= DAY_MIN
        if ahead < -MAX_OUTSIDE_MIN:
            raise ValueError(f"its state at {key} lies outside it")
        yield 60 * ahead - local.second


def _when_clocks_change(start: Moment, end: Moment, lasts_s: int, options: ReadOptions) -> int | None:
    """Find the clock change in the stated zone, in seconds after the start; None where that zone has another one."""

    def offset_min(after_s: int) -> int | None:
        return unzoned(start.instant + timedelta(seconds=after_s), options).offset_min

    if not 0 < lasts_s <= MAX_SESSION_S or (offset_min(0), offset_min(lasts_s)) != (start.offset_min, end.offset_min):
        return None
    return bisect_left(range(lasts_s), True, key=lambda after_s: offset_min(after_s) == end.offset_min)


def _readings(walls: Sequence[int], back_s: int, change_s: int) -> list[list[int]]:
    """Give the ways to read a night on which the clocks go back, the earliest first."""
    twice = [i for i, wall in enumerate(walls) if change_s - back_s <= wall < change_s]
    ways = []
    for second in range(len(twice), -1, -1):
        later = set(twice[second:])
        ways.append([wall + back_s if wall >= change_s or i in later else wall for i, wall in enumerate(walls)])
    return ways


def _pieces(places: Sequence[int], labels: Sequence[str], lasts_s: int) -> list[Piece]:
    begins = sorted(zip((max(place, 0) for place in places), labels, strict=True), key=lambda one: one[0])
    bounds = pairwise([*((min(at, lasts_s), label) for at, label in begins), (lasts_s, "")])
    return join(Piece(at, until - at, label) for (at, label), (until, _) in bounds if until > at)


def _far_from(totals: dict[str, int | None], pieces: list[Piece]) -> int:
    """Say by how many seconds the stages of these pieces miss the vendor's sums, all stages together."""
    stage_s = dict.fromkeys(totals, 0)
    for piece in pieces:
        name = f"{STAGE_OF.get(piece.label)}_s"
        stage_s[name] = stage_s.get(name, 0) + piece.seconds
    return sum(abs(total - stage_s[name]) for name, total in totals.items() if total is not None)


def _totals(night: Night) -> dict[str, int | None]:
    """Give Polar's own sums. A watch that does not stage writes zeros: no light sleep means that none was staged."""
    staged = bool(night.light_sleep)
    return {
        "wake_s": night.total_interruption_duration,
        "light_s": night.light_sleep if staged else None,
        "deep_s": night.deep_sleep if staged else None,
        "rem_s": night.rem_sleep if staged else None,
    }
