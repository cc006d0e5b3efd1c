"""Garmin Connect's dailySleepData: one response a night, with its stages where Garmin still has them.

The trap of this form is `activityLevel`: the same number means another stage on watches that know no REM sleep.
"""

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import msgspec

from nof1.connect.clock import Moment, at_offset, from_epoch, unzoned, utc_time
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import MAX_OVERRUN_S, Session, make_session
from nof1.connect.timeline import Piece, flatten, join
from nof1.sleep.stages import DEEP, LIGHT, PRECEDENCE, REM, UNSCORED, WAKE
from nof1_connectors.garmin.parse import NO_SLEEP, Place, Sums, flags_of, name_of, naps_of, totals_of

STREAM: Final = "garmin/connect"
WITH_REM: Final = {0: "deep", 1: "light", 2: "rem", 3: "awake", -1: "unmeasurable"}
"""What the levels mean where `remSleepData` is true (RemSleepActivityLevels of tcgoetz/GarminDB)."""
WITHOUT_REM: Final = {0: "deep", 1: "light", 2: "awake", 3: "more awake", -1: "unmeasurable"}
"""What they mean where it is false (SleepActivityLevels of tcgoetz/GarminDB)."""
STAGE_OF: Final = {
    "deep": DEEP,
    "light": LIGHT,
    "rem": REM,
    "awake": WAKE,
    "more awake": WAKE,
    "unmeasurable": UNSCORED,
}
MAX_LEVELS: Final = 1_000
"""A night has some thirty stretches."""
MAX_DIFFERENCE_S: Final = 120
"""Stages that differ by more than this from Garmin's own sums are told about."""

_RANK: Final = {label: PRECEDENCE[stage] for label, stage in STAGE_OF.items()}


class Level(msgspec.Struct, frozen=True):
    """A stretch of one level, in UTC."""

    start: str = msgspec.field(name="startGMT")
    end: str = msgspec.field(name="endGMT")
    level: float | None = msgspec.field(name="activityLevel", default=None)


class Night(Sums, frozen=True):
    """The `dailySleepDTO`: instants in milliseconds, and the wall clock in milliseconds as if it were UTC."""

    start: float | None = msgspec.field(name="sleepStartTimestampGMT", default=None)
    end: float | None = msgspec.field(name="sleepEndTimestampGMT", default=None)
    start_local: float | None = msgspec.field(name="sleepStartTimestampLocal", default=None)
    end_local: float | None = msgspec.field(name="sleepEndTimestampLocal", default=None)
    rem_capable: bool | None = msgspec.field(name="deviceRemCapable", default=None)
    from_device: bool | None = msgspec.field(name="sleepFromDevice", default=None)
    version: int | None = msgspec.field(name="sleepVersion", default=None)
    calendar_date: Any = msgspec.field(name="calendarDate", default=None)
    confirmation: Any = msgspec.field(name="sleepWindowConfirmationType", default=None)


class Response(msgspec.Struct, frozen=True):
    """One response of the service."""

    night: Night | None = msgspec.field(name="dailySleepDTO", default=None)
    rem: bool | None = msgspec.field(name="remSleepData", default=None)
    levels: list[Level] | None = msgspec.field(name="sleepLevels", default=None)


def parse_response(record: object, options: ReadOptions) -> Session:
    """Turn one response into one session.

    Raises
    ------
    ValueError
        The response cannot be used; the message is the reason.
    """
    try:
        response = msgspec.convert(record, Response)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a dailySleepData response as nof1 knows it: {error}") from error
    night = response.night
    if night is None or night.start is None or night.end is None:
        raise ValueError(NO_SLEEP)
    start = _moment(night.start, night.start_local, options)
    end = _moment(night.end, night.end_local, options)
    start, pieces = _pieces(response, night, start)
    totals = _totals(night, pieces)
    confirmed = flags_of(night.confirmation)
    return make_session(
        stream=STREAM,
        record_id=name_of(night.calendar_date, start.instant, end.instant),
        start=start,
        end=end,
        pieces=pieces,
        stage_of=STAGE_OF,
        totals=totals,
        kind="main",
        algorithm=None if night.version is None else f"sleepVersion {night.version}",
        flags=[*confirmed, *(["manual"] if night.from_device is False else [])],
        notes=_notes(totals, pieces),
    )


def naps_of_response(record: Any) -> list[Any]:
    """Give the naps of a response; they stand beside its night, or in it."""
    night = record.get("dailySleepDTO") if isinstance(record, dict) else None
    return [*naps_of(record, "dailyNapDTOS"), *naps_of(night, "dailyNapDTOS")]


def place_of(record: Any, options: ReadOptions) -> Place:
    """Place the naps of a response: in the offset of its night's end, where it has a night."""
    night = record.get("dailySleepDTO") if isinstance(record, dict) else None
    try:
        told = msgspec.convert(night, Night)
    except msgspec.ValidationError:
        told = Night()

    def place(instant: datetime) -> Moment:
        if told.end is None or told.end_local is None:
            return unzoned(instant, options)
        return at_offset(instant, (told.end_local - told.end) / 60_000)

    return place


def _moment(milliseconds: float, local: float | None, options: ReadOptions) -> Moment:
    instant = from_epoch(milliseconds, per_second=1000)
    return unzoned(instant, options) if local is None else at_offset(instant, (local - milliseconds) / 60_000)


def _pieces(response: Response, night: Night, start: Moment) -> tuple[Moment, list[Piece]]:
    """Place the levels. Their grain is a minute: a first one that begins a little before the night moves its start."""
    if len(response.levels or ()) > MAX_LEVELS:
        raise ValueError(f"it holds more than {MAX_LEVELS:,} stretches of one stage")
    rem = response.rem if response.rem is not None else night.rem_capable
    names = WITH_REM if rem or (rem is None and night.rem_sleep_seconds) else WITHOUT_REM
    levels = sorted((utc_time(one.start), utc_time(one.end), _label(one.level, names)) for one in response.levels or ())
    if levels and 0 < (start.instant - levels[0][0]).total_seconds() <= MAX_OVERRUN_S:
        start = start.plus((levels[0][0] - start.instant).total_seconds())
    pieces = [
        Piece(round((begins - start.instant).total_seconds()), round((ends - begins).total_seconds()), label)
        for begins, ends, label in levels
        if ends != begins
    ]
    overlapping = any(one.end_s > next_.start_s for one, next_ in pairwise(pieces))
    return start, flatten(pieces, _RANK) if overlapping else join(pieces)


def _label(level: float | None, names: Mapping[int, str]) -> str:
    unknown = "level missing" if level is None else f"level {level:g}"
    return unknown if level is None or not level.is_integer() else names.get(int(level), unknown)


def _totals(night: Night, pieces: list[Piece]) -> dict[str, float | None]:
    """Garmin's sums; where stages are told the night does not need them."""
    try:
        return totals_of(night)
    except ValueError:
        if not any(STAGE_OF.get(piece.label) in {DEEP, LIGHT, REM} for piece in pieces):
            raise
        return dict.fromkeys(("deep_s", "light_s", "rem_s", "wake_s", "asleep_s"))


def _notes(totals: dict[str, float | None], pieces: list[Piece]) -> list[str]:
    if not pieces:
        return ["totals and no stages"]
    for stage in (DEEP, LIGHT, REM, WAKE):
        told = totals[f"{stage}_s"]
        drawn = sum(piece.seconds for piece in pieces if STAGE_OF.get(piece.label) == stage)
        if told is not None and abs(told - drawn) > MAX_DIFFERENCE_S:
            return ["stages that do not add up to Garmin's own sums; the stages stand"]
    return []
