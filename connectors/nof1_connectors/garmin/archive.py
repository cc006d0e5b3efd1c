"""Nights of the account archive: sums without stages, in UTC, and the days that tell their offset."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from nof1.connect.clock import Moment, at_offset, checked_offset, local_time, unzoned, utc_time
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Session, make_session
from nof1_connectors.garmin.parse import NO_SLEEP, Place, Sums, flags_of, name_of, records_of, totals_of

STREAM: Final = "garmin/archive"

type Offsets = Mapping[str, tuple[int, int]]
"""Local − UTC in minutes at the start and at the end of a day, by its calendar date."""


class Night(Sums, frozen=True):
    """One night of ``…_sleepData.json``: the fields that nof1 reads."""

    start: str | None = msgspec.field(name="sleepStartTimestampGMT", default=None)
    end: str | None = msgspec.field(name="sleepEndTimestampGMT", default=None)
    calendar_date: Any = msgspec.field(name="calendarDate", default=None)
    confirmation: Any = msgspec.field(name="sleepWindowConfirmationType", default=None)


class Day(msgspec.Struct, frozen=True, rename="camel"):
    """One day of ``UDSFile_….json``: its bounds in both clocks."""

    calendar_date: str
    wellness_start_time_gmt: str
    wellness_start_time_local: str
    wellness_end_time_gmt: str | None = None
    wellness_end_time_local: str | None = None


def offsets_of(files: Iterable[Any]) -> Offsets:
    """Read what the days tell; a date told twice and differently is as good as not told."""
    told: dict[str, set[tuple[int, int]]] = {}
    for value in files:
        for _, record in records_of(value):
            try:
                day = msgspec.convert(record, Day)
                told.setdefault(day.calendar_date, set()).add(_offsets(day))
            except (msgspec.ValidationError, ValueError):  # a day without its bounds helps nobody, and is no sleep
                continue
    return {date: offsets.pop() for date, offsets in told.items() if len(offsets) == 1}


def parse_night(record: object, offsets: Offsets, options: ReadOptions) -> Session:
    """Turn one night into one session.

    Raises
    ------
    ValueError
        The night cannot be used; the message is the reason.
    """
    try:
        night = msgspec.convert(record, Night)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a night as nof1 knows it: {error}") from error
    if night.start is None or night.end is None:
        raise ValueError(NO_SLEEP)
    start, end = utc_time(night.start), utc_time(night.end)
    totals = totals_of(night)
    known = offsets.get(str(night.calendar_date))
    return make_session(
        stream=STREAM,
        record_id=name_of(night.calendar_date, start, end),
        start=unzoned(start, options) if known is None else at_offset(start, known[0]),
        end=unzoned(end, options) if known is None else at_offset(end, known[1]),
        totals=totals,
        kind="main",
        flags=flags_of(night.confirmation),
        notes=["no day in UDSFile that tells its offset; it takes the stated zone"] if offsets and not known else [],
    )


def place_of(record: Any, offsets: Offsets, options: ReadOptions) -> Place:
    """Place the naps of a record: in the day's offset, as it is after any clock change of that morning."""
    known = offsets.get(str(record.get("calendarDate"))) if isinstance(record, dict) else None

    def place(instant: datetime) -> Moment:
        return unzoned(instant, options) if known is None else at_offset(instant, known[1])

    return place


def _offsets(day: Day) -> tuple[int, int]:
    first = _offset_min(day.wellness_start_time_local, day.wellness_start_time_gmt)
    if day.wellness_end_time_local is None or day.wellness_end_time_gmt is None:
        return first, first
    return first, _offset_min(day.wellness_end_time_local, day.wellness_end_time_gmt)


def _offset_min(local: str, gmt: str) -> int:
    return checked_offset((local_time(local).replace(tzinfo=UTC) - utc_time(gmt)).total_seconds() / 60)
