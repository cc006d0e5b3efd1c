"""Times as exports write them, placed in time: with an offset, in a zone, or by the wall clock alone.

The machine's own zone is never used. A time without any zone takes the one that the person stated.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from nof1.connect.connector import ReadOptions

YEARS: Final = range(2000, 2100)
"""A recording of sleep outside these years is a mistake."""
MAX_OFFSET_MIN: Final = 15 * 60

_NOT_PLACES: Final = ("localtime", "posixrules", "Factory", "right/", "posix/")
"""Names that zone databases hold and that say nothing, or something else on every machine."""
_DATE_CHARACTERS: Final = 10
"""The longest ISO 8601 date without a time."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, and what is known of the clock on the wall.

    Parameters
    ----------
    instant
        UTC.
    offset_min
        Local − UTC in minutes; None where nobody said.
    zone
        The IANA name, where one is known.
    zone_source
        Who said so: one of `nof1.sleep.session.ZONE_SOURCES`.
    """

    instant: datetime
    offset_min: int | None
    zone: str | None
    zone_source: str

    def plus(self, seconds: float) -> "Moment":
        """Give the moment so many elapsed seconds later; with a zone the offset follows its clock changes."""
        instant = self.instant + timedelta(seconds=seconds)
        offset = self.offset_min if self.zone is None else _offset_min(instant, ZoneInfo(self.zone))
        return Moment(instant, offset, self.zone, self.zone_source)


def with_offset(text: object) -> Moment:
    """Read an ISO 8601 time that says its offset, such as ``2026-04-12T05:45:30-04:00`` or ``…Z``.

    Raises
    ------
    ValueError
        It is not one, or lies outside `YEARS`.
    """
    time = _iso(text)
    offset = time.utcoffset()
    if offset is None:
        raise ValueError(f"{str(text)[:40]!r} does not say its offset from UTC")
    return Moment(time.astimezone(UTC), checked_offset(offset.total_seconds() / 60), None, "record")


def placed(text: object, options: ReadOptions) -> Moment:
    """Read an ISO 8601 time that says its offset; ``Z`` is how programs write any instant, so the stated zone is taken.

    Raises
    ------
    ValueError
        It says no offset, or as `with_offset`.
    """
    is_utc = isinstance(text, str) and text.strip().upper().endswith("Z")
    return unzoned(utc_time(text), options) if is_utc else with_offset(text)


def with_or_without_offset(text: object, options: ReadOptions) -> tuple[Moment, tuple[str, ...]]:
    """Read an ISO 8601 time that may say its offset, as `placed`, and else is on the wall clock, as `wall_clock`.

    Returns
    -------
    tuple
        The moment, and a note where the clocks change on a wall-clock time.

    Raises
    ------
    ValueError
        It is not a time, or lies outside `YEARS`.
    """
    time = _iso(text)
    return wall_clock(time, options) if time.tzinfo is None else (placed(text, options), ())


def at_offset(instant: datetime, offset_min: float) -> Moment:
    """An instant whose offset the record tells beside it.

    Raises
    ------
    ValueError
        No clock on earth is that far from UTC.
    """
    return Moment(instant, checked_offset(offset_min), None, "record")


def in_zone(instant: datetime, zone: object, options: ReadOptions) -> Moment:
    """An instant whose zone the record names; a name that does not exist gives way to the stated zone."""
    try:
        known = ZoneInfo(str(zone))
    except (KeyError, ValueError, OSError):  # unknown, not a name, a folder of names
        return unzoned(instant, options)
    if known.key.startswith(_NOT_PLACES):
        return unzoned(instant, options)
    return Moment(instant, _offset_min(instant, known), known.key, "record")


def unzoned(instant: datetime, options: ReadOptions) -> Moment:
    """An instant of which the export does not say where on earth it was: the stated zone tells the wall clock."""
    if options.zone is None:
        return Moment(instant, None, None, "none")
    return Moment(instant, _offset_min(instant, ZoneInfo(options.zone)), options.zone, options.zone_source)


def wall_clock(local: datetime, options: ReadOptions) -> tuple[Moment, tuple[str, ...]]:
    """Place a wall-clock time in time, with a note where the clocks change on it.

    Of two instants with one wall-clock time the earlier is taken; a time that the clocks skip is read on the clock as
    it stood before the change. Exports do not say which is meant, and a fixed rule keeps imports reproducible. Without
    a stated zone the time stands as if it were UTC.
    """
    if options.zone is None:
        return Moment(local.replace(tzinfo=UTC), None, None, "none"), ()
    first, second = (local.replace(tzinfo=ZoneInfo(options.zone), fold=fold) for fold in (0, 1))
    before, after = first.utcoffset(), second.utcoffset()
    notes: tuple[str, ...] = ()
    if before is not None and after is not None and before != after:
        notes = (
            f"a start that the clock change {'repeats' if before > after else 'skips'}; the earlier reading stands",
        )
    return unzoned(first.astimezone(UTC), options), notes


def local_time(text: object) -> datetime:
    """Read an ISO 8601 wall-clock time without an offset.

    Raises
    ------
    ValueError
        It is not one, or lies outside `YEARS`.
    """
    local = _iso(text)
    if local.tzinfo is not None:
        raise ValueError(f"{str(text)[:40]!r} is not a wall-clock time of this century without an offset")
    return local


def utc_time(text: object) -> datetime:
    """Read an ISO 8601 time that is in UTC, whether it says so or not.

    Raises
    ------
    ValueError
        It is not one, or lies outside `YEARS`.
    """
    time = _iso(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def from_epoch(value: object, *, per_second: int = 1) -> datetime:
    """Read a count of seconds since 1970 (`per_second` 1) or of milliseconds (1,000), a number or its digits.

    Raises
    ------
    ValueError
        It is not a number, or lies outside `YEARS`.
    """
    number = value if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    try:
        time = datetime.fromtimestamp(float(number) / per_second, UTC)
    except (ValueError, OverflowError, OSError):
        time = None
    if time is None or time.year not in YEARS:
        raise ValueError(f"{str(value)[:40]!r} is not a time of this century")
    return time


def checked_offset(minutes: float) -> int:
    """Give an offset from UTC in whole minutes.

    Raises
    ------
    ValueError
        No clock on earth is that far from UTC.
    """
    if not math.isfinite(minutes) or abs(minutes) > MAX_OFFSET_MIN:
        raise ValueError(f"{minutes:g} minutes is not an offset from UTC")
    return round(minutes)


def _iso(text: object) -> datetime:
    try:
        time = datetime.fromisoformat(text.strip()) if isinstance(text, str) else None
    except ValueError:
        time = None
    if time is None or len(str(text).strip()) <= _DATE_CHARACTERS:  # a date alone is not midnight
        raise ValueError(f"{str(text)[:40]!r} is not a time")
    if time.year not in YEARS:
        raise ValueError(f"{str(text)[:40]!r} is not a time of this century")
    return time


def _offset_min(instant: datetime, zone: ZoneInfo) -> int:
    offset = instant.astimezone(zone).utcoffset()
    return int((offset or timedelta(0)).total_seconds() // 60)
