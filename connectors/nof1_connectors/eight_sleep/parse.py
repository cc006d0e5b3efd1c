"""Eight Sleep's sessions: stages are durations laid end to end; the mattress knows when someone lay down.

Where a session does not say when its stages begin, they are laid so that sleep begins at `sleepStart`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Annotated, Any, Final

import msgspec

from nof1.connect.clock import Moment, in_zone, unzoned, with_offset
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.connect.timeline import Piece, differing_sums, join
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE

TRENDS: Final = "eight_sleep/trends"
INTERVALS: Final = "eight_sleep/intervals"
STAGE_OF: Final = {"awake": WAKE, "out": WAKE, "light": LIGHT, "deep": DEEP, "rem": REM}
"""Eight Sleep's stages; `out` is out of bed."""
ROUNDED: Final = timedelta(minutes=1)
MAX_APART: Final = timedelta(minutes=5)

_Seconds = Annotated[float, msgspec.Meta(ge=0, le=MAX_SESSION_S)]


class Stage(msgspec.Struct, frozen=True):
    """A stretch of one stage."""

    stage: str
    duration: _Seconds


class Told(msgspec.Struct, rename="camel", frozen=True):
    """One session or interval: the fields that nof1 reads."""

    id: str | int | None = None
    ts: str | None = None
    presence_start: str | None = None
    sleep_start: str | None = None
    sleep_end: str | None = None
    stages: tuple[Stage, ...] | None = None
    timezone: str | None = None
    incomplete: bool | None = None

    @property
    def begins(self) -> str:
        """What it says first of when it begins; empty where it says nothing."""
        return self.ts or self.sleep_start or self.presence_start or ""


class Day(msgspec.Struct, rename="camel", frozen=True):
    """One day of trends: its sums, and its sessions as they stand."""

    presence_start: str | None = None
    presence_end: str | None = None
    sleep_start: str | None = None
    sleep_end: str | None = None
    sleep_duration: _Seconds | None = None
    light_duration: _Seconds | None = None
    deep_duration: _Seconds | None = None
    rem_duration: _Seconds | None = None
    sessions: list[Any] | None = None
    incomplete: bool | None = None
    processing: bool | None = None


def parse_day(record: object) -> Day:
    """Read one day of trends.

    Raises
    ------
    ValueError
        It is none.
    """
    try:
        return msgspec.convert(record, Day)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a day as nof1 knows it: {error}") from error


def parse_session(record: object, day: Day, options: ReadOptions) -> Session:
    """Turn one session of a day of trends into a row.

    Raises
    ------
    ValueError
        The session cannot be used; the message is the reason.
    """
    told = _told(record)
    alone = len(day.sessions or ()) == 1
    marked = told.presence_start or (day.presence_start if alone or _is_first(told, day.sessions or ()) else None)
    totals = _totals(day) if alone else {}
    return _session(told, TRENDS, marked, totals, options, unfinished=bool(day.incomplete or day.processing))


def parse_interval(record: object, options: ReadOptions) -> Session:
    """Turn one interval, as the interface gave them before it had days, into a row.

    Raises
    ------
    ValueError
        The interval cannot be used; the message is the reason.
    """
    told = _told(record)
    return _session(told, INTERVALS, told.presence_start, {}, options, unfinished=False)


def parse_sums(day: Day, options: ReadOptions) -> Session:
    """Turn a day that tells its sums and no session into a row.

    Raises
    ------
    ValueError
        The day cannot be used; the message is the reason.
    """
    start, end = _instant(day.sleep_start or day.presence_start), _instant(day.sleep_end or day.presence_end)
    return make_session(
        stream=TRENDS,
        record_id=identity(start),
        start=unzoned(start, options),
        end=unzoned(end, options),
        totals=_totals(day),
        in_bed=_instant(day.presence_start),
        in_bed_source="in_bed",
        flags=["incomplete"] if day.incomplete or day.processing else [],
        notes=["sums and no stages"],
    )


def _session(
    told: Told,
    stream: str,
    marked: str | None,
    totals: dict[str, float | None],
    options: ReadOptions,
    *,
    unfinished: bool,
) -> Session:
    pieces = _pieces(told.stages or ())
    leading_s = sum(piece.seconds for piece in takewhile(lambda one: STAGE_OF.get(one.label.lower()) == WAKE, pieces))
    in_bed = None if marked is None else _instant(marked)
    start = _start(told, in_bed, leading_s)
    end = start + timedelta(seconds=pieces[-1].end_s) if pieces else _instant(told.sleep_end)
    elsewhere = (
        told.sleep_start
        and pieces
        and abs(_instant(told.sleep_start) - start - timedelta(seconds=leading_s)) > MAX_APART
    )
    at_onset = not leading_s and (in_bed is None or start - in_bed > ROUNDED)
    return make_session(
        stream=stream,
        record_id=str(told.id) if told.id is not None else identity(start),
        start=_moment(start, told, options),
        end=_moment(end, told, options),
        pieces=pieces,
        stage_of=STAGE_OF,
        totals=totals or None,
        in_bed=in_bed,
        in_bed_source="in_bed",
        flags=[*([STARTS_AT_ONSET] if at_onset else []), *(["incomplete"] if told.incomplete or unfinished else [])],
        notes=[
            *(["a start of sleep that its stages do not show; the stages stand"] if elsewhere else []),
            *differing_sums(pieces, STAGE_OF, totals),
        ],
    )


def _told(record: object) -> Told:
    try:
        return msgspec.convert(record, Told)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a session as nof1 knows it: {error}") from error


def _is_first(told: Told, sessions: Sequence[Any]) -> bool:
    """Say whether this is the session of its day that begins first: the day's mark of lying down is its own."""
    keys = ("ts", "sleepStart", "presenceStart")
    begins = (next((s[k] for k in keys if isinstance(s.get(k), str)), "") for s in sessions if isinstance(s, dict))
    return told.begins == min((begin for begin in begins if begin), default="")


def _start(told: Told, in_bed: datetime | None, leading_s: int) -> datetime:
    if told.ts is not None:
        return _instant(told.ts)
    if told.sleep_start is not None:
        return _instant(told.sleep_start) - timedelta(seconds=leading_s)
    if in_bed is None:
        raise ValueError("it does not say when it starts")
    return in_bed


def _pieces(stages: Sequence[Stage]) -> list[Piece]:
    pieces, at = [], 0.0
    for stage in stages:
        start, at = round(at), at + stage.duration
        if at > MAX_SESSION_S:
            raise ValueError("it lasts longer than two days")
        if round(at) > start:
            pieces.append(Piece(start, round(at) - start, stage.stage))
    return join(pieces)


def _instant(text: str | None) -> datetime:
    if text is None:
        raise ValueError("it does not say when it starts and ends")
    return with_offset(text).instant.astimezone(UTC)


def _moment(instant: datetime, told: Told, options: ReadOptions) -> Moment:
    return unzoned(instant, options) if told.timezone is None else in_zone(instant, told.timezone, options)


def _totals(day: Day) -> dict[str, float | None]:
    """Give the day's own sums; a day of which all stages are zero was not staged."""
    stages = {"light_s": day.light_duration, "deep_s": day.deep_duration, "rem_s": day.rem_duration}
    staged = any(stages.values())
    return {name: seconds if staged else None for name, seconds in stages.items()} | {"asleep_s": day.sleep_duration}
