"""Fitbit's JSON sleep logs, as the Takeout and the Web API 1.2 write them: one log in, one row out.

Two traps shape this module. A log's `data` leaves out wakes of up to three minutes, which stand in `shortData` and
must be laid over it. And its times are wall-clock times without a zone, so that only `startTime` is placed in time:
everything else is counted in seconds from there.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Annotated, Final

import msgspec

from nof1.connect.clock import local_time, wall_clock
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import MAX_SESSION_S, Session, make_session
from nof1.connect.timeline import Piece, overlay
from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, WAKE

LEGACY_STREAM: Final = "fitbit/legacy"
STAGE_OF: Final = {
    "deep": DEEP,
    "light": LIGHT,
    "rem": REM,
    "wake": WAKE,
    "awake": WAKE,
    "restless": WAKE,  # Fitbit's own minutesAsleep leaves restless minutes out
    "asleep": ASLEEP,
}
"""Fitbit's labels in lower case, staged and classic. The label itself is kept beside the stage."""
MAX_PLACINGS: Final = 250_000
"""The most pairs of a stage and a short wake that are compared in one log; real nights stay under 5,000."""
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_SESSION_S)]
_Minutes = Annotated[int, msgspec.Meta(ge=0, le=MAX_SESSION_S // 60)]
_Milliseconds = Annotated[int, msgspec.Meta(gt=0, le=MAX_SESSION_S * 1000)]


class Segment(msgspec.Struct, rename="camel", frozen=True):
    """A stretch of one level."""

    date_time: str
    level: str
    seconds: _Seconds


class Summary(msgspec.Struct, frozen=True):
    """Fitbit's own sum of one level."""

    minutes: _Minutes


class Levels(msgspec.Struct, rename="camel", frozen=True):
    """The stages of a log."""

    data: tuple[Segment, ...] = ()
    short_data: tuple[Segment, ...] = ()
    summary: dict[str, Summary] = {}


class Log(msgspec.Struct, rename="camel", frozen=True):
    """One sleep log: the fields that nof1 reads."""

    log_id: int | str
    start_time: str
    end_time: str
    duration: _Milliseconds
    levels: Levels
    type: str = ""
    log_type: str | None = None
    minutes_asleep: _Minutes | None = None
    minutes_to_fall_asleep: int | None = None
    main_sleep: bool | None = None
    is_main_sleep: bool | None = None


def parse_log(record: object, options: ReadOptions) -> Session:
    """Turn one log into one session.

    Parameters
    ----------
    record
        The decoded JSON of one log.

    Raises
    ------
    ValueError
        The log cannot be used; the message is the reason.
    """
    try:
        log = msgspec.convert(record, Log)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a sleep log as nof1 knows it: {error}") from error
    local = local_time(log.start_time)
    start, notes = wall_clock(local, options)
    stated_end = start.plus(log.duration // 1000)
    change_s = 60 * ((stated_end.offset_min or 0) - (start.offset_min or 0))
    if local_time(log.end_time) <= local and change_s >= 0:
        raise ValueError(f"it ends ({log.end_time}) before it starts ({log.start_time})")
    pieces, more = hypnogram_of(log.levels, local, change_s)
    return make_session(
        stream=LEGACY_STREAM,
        record_id=str(log.log_id),
        start=start,
        end=stated_end,
        pieces=pieces,
        stage_of=STAGE_OF,
        totals=_totals(log),
        staging=staging_of(log.type, pieces),
        kind=_kind(log),
        vendor_sol_s=60 * log.minutes_to_fall_asleep if log.minutes_to_fall_asleep else None,  # 0 means unknown
        flags=["manual"] if log.log_type == "manual" else [],
        notes=[*notes, *more, *([] if pieces else ["totals and no stages"])],
    )


def hypnogram_of(levels: Levels, local: datetime, change_s: int) -> tuple[list[Piece], tuple[str, ...]]:
    """Lay a log's short wakes over its stages.

    Parameters
    ----------
    local
        The log's own wall-clock start.
    change_s
        By how many seconds the wall clock jumps during the session.

    Returns
    -------
    tuple
        The pieces, sorted and without overlap, and notes.

    Raises
    ------
    ValueError
        The stages overlap, or begin before the session, or are more than any night has.
    """
    if len(levels.data) * len(levels.short_data) > MAX_PLACINGS:
        raise ValueError(f"it has {len(levels.data):,} stages and {len(levels.short_data):,} short wakes")
    walls = [_seconds_after(local, segment) for segment in levels.data]
    pieces, gaps = _positions(levels.data, walls, change_s)
    shorts = _short_positions(
        levels.short_data, [_seconds_after(local, s) for s in levels.short_data], walls, pieces, change_s
    )
    notes = ["a gap between two stages; nothing is known of it"] if gaps else []
    if len(shorts) < len(levels.short_data):
        notes.append("a short wake outside its stages; it is left out")
    return overlay(pieces, _disjoint(shorts, pieces[-1].end_s if pieces else 0)), tuple(notes)


def _seconds_after(local: datetime, segment: Segment) -> int:
    """By how much the wall clock of a segment is ahead of the session's."""
    after = local_time(segment.date_time) - local
    return 86_400 * after.days + after.seconds


def _positions(data: tuple[Segment, ...], walls: list[int], change_s: int) -> tuple[list[Piece], bool]:
    pieces, at, expected, gaps = [], 0, 0, False
    for segment, wall in zip(data, walls, strict=True):
        late = wall - expected
        if change_s and late == change_s:
            late = 0  # the wall clock jumped; time did not
        if late < 0:
            raise ValueError(f"its stages overlap at {segment.date_time}, or begin before it does")
        gaps = gaps or late > 0
        pieces.append(Piece(at + late, segment.seconds, segment.level))
        at += late + segment.seconds
        expected = wall + segment.seconds
    return pieces, gaps


def _short_positions(
    shorts: tuple[Segment, ...], short_walls: list[int], walls: list[int], pieces: list[Piece], change_s: int
) -> list[Piece]:
    """Place each short wake by the stage that its wall-clock time falls into, which holds across a clock change too.

    One that falls into none is not among those returned. In the hour that the clocks repeat the earlier of two places
    is taken: the log does not say which.
    """
    placed, at = [], 0
    for short, wall in zip(shorts, short_walls, strict=True):
        found = _stage_at(wall, walls, pieces, at)
        if found is None and change_s:  # the jump may lie in the stage, between its start and this time
            found = _stage_at(wall - change_s, walls, pieces, at)
        if found is not None:
            at, into_s = found
            placed.append(Piece(pieces[at].start_s + into_s, short.seconds, short.level))
    return sorted(placed)


def _stage_at(wall: int, walls: list[int], pieces: list[Piece], first: int) -> tuple[int, int] | None:
    """Which stage a wall-clock time falls into and how far, searching from stage `first` on and then before it."""
    for i in chain(range(first, len(pieces)), range(first)):
        into_s = wall - walls[i]
        if 0 <= into_s < pieces[i].seconds:
            return i, into_s
    return None


def _disjoint(shorts: list[Piece], end_s: int) -> list[Piece]:
    """Cut short wakes to what is left of each other and of the stages; where two overlap the earlier stays."""
    painted: list[Piece] = []
    for short in shorts:
        start = max(short.start_s, painted[-1].end_s if painted else 0)
        end = min(short.end_s, end_s)
        if end > start:
            painted.append(Piece(start, end - start, short.label))
    return painted


def _kind(log: Log) -> str:
    main = log.main_sleep if log.main_sleep is not None else log.is_main_sleep
    return {True: "main", False: "nap", None: "unknown"}[main]


def staging_of(told: str | None, pieces: Sequence[Piece]) -> str | None:
    """Say how finely a session is staged, by Fitbit's own word for it; None where that does not tell."""
    return {"stages": "stages", "classic": "sleep_wake"}.get((told or "").lower()) if pieces else None


def _totals(log: Log) -> dict[str, int | None]:
    totals: dict[str, int | None] = dict.fromkeys(f"{stage}_s" for stage in (WAKE, LIGHT, DEEP, REM, ASLEEP))
    for label, one in log.levels.summary.items():
        if stage := STAGE_OF.get(label.lower()):
            totals[f"{stage}_s"] = (totals[f"{stage}_s"] or 0) + 60 * one.minutes
    if log.minutes_asleep is not None:
        totals["asleep_s"] = 60 * log.minutes_asleep
    return totals
