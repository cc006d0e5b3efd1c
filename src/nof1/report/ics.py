"""Reminders as an iCalendar file (RFC 5545): one event an evening, in the zone where the person lives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from nof1.report.plain import plain

if TYPE_CHECKING:
    import icalendar

MAKER: Final = "-//nof1//N-of-1 trials of sleep//EN"
"""PRODID: by it nof1 knows its own files again."""

LENGTH: Final = timedelta(minutes=15)
DAY: Final = timedelta(days=1)
WEEK: Final = 7 * DAY
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

type Change = tuple[datetime, timedelta]
"""An instant from which another offset holds, and the offset before it."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """One event of the calendar.

    Parameters
    ----------
    uid
        The same in every export, so that a calendar moves the event instead of adding another.
    at
        An instant in the person's zone.
    alarm
        Whether the device sounds; no alarm for what is past when the file is made.
    cancelled
        An event of an earlier export that is no more.
    """

    uid: str
    at: datetime
    title: str
    text: str
    alarm: bool = True
    cancelled: bool = False


def render_calendar(
    reminders: Sequence[Reminder], zone: ZoneInfo, *, name: str, stamp: datetime, sequence: int
) -> bytes:
    """Render the file.

    Parameters
    ----------
    reminders
        At least one.
    name
        What a calendar application calls the whole.
    stamp
        When this export was made.
    sequence
        Larger than in every earlier export: of two versions of one event the larger counts (RFC 5545, 3.8.7.4).
    """
    import icalendar

    calendar = icalendar.Calendar()
    for key, value in {"PRODID": MAKER, "VERSION": "2.0", "METHOD": "PUBLISH", "X-WR-CALNAME": plain(name)}.items():
        calendar.add(key, value)
    moments = [reminder.at for reminder in reminders]
    calendar.add_component(_zone(zone, min(moments), max(moments)))
    for reminder in reminders:
        calendar.add_component(_event(reminder, stamp, sequence))
    text: bytes = calendar.to_ical()
    return text


def _event(reminder: Reminder, stamp: datetime, sequence: int) -> "icalendar.Event":
    import icalendar

    event = icalendar.Event()
    event.add("UID", reminder.uid)
    event.add("DTSTAMP", stamp.astimezone(UTC))
    event.add("SEQUENCE", sequence)
    event.add("DTSTART", reminder.at)
    event.add("DURATION", LENGTH)
    event.add("SUMMARY", plain(reminder.title))
    event.add("DESCRIPTION", "\n".join(map(plain, reminder.text.split("\n"))))
    event.add("STATUS", "CANCELLED" if reminder.cancelled else "CONFIRMED")
    event.add("TRANSP", "TRANSPARENT")
    if reminder.alarm and not reminder.cancelled:
        alarm = icalendar.Alarm()
        alarm.add("ACTION", "DISPLAY")
        alarm.add("TRIGGER", "PT0S", encode=False)  # icalendar writes P0D, and not everybody reads a duration of days
        alarm.add("DESCRIPTION", plain(reminder.title))
        event.add_component(alarm)
    return event


def _zone(zone: ZoneInfo, first: datetime, last: datetime) -> "icalendar.Timezone":
    """Spell out the zone's offsets from the year of the first event to that of the last.

    Where the clocks change by one rule in all these years, one STANDARD and one DAYLIGHT hold that rule: Outlook reads
    no more than one of each, or refuses the file (MS-OXCICAL, 2.1.3.1.1.19.2). Elsewhere one observance a change.

    icalendar's own ``Timezone.from_tzinfo`` is not used: release 7.3 leaves out the changes of a zone's last year
    (Africa/Casablanca, 2027) and gives the onset of summer time on the clock after the change, where RFC 5545, 3.6.5
    wants the clock before it.
    """
    import icalendar

    described = icalendar.Timezone()
    described.add("TZID", zone.key)
    start, *changes = _changes(zone, first.year - 1, last.year)  # a rule begins before the first event
    ruled = _ruled(zone, changes, last.year - first.year + 2)
    for (instant, before), rule in ruled or [(change, {}) for change in (start, *changes)]:
        local, after = instant.astimezone(zone), _offset(zone, instant)
        # Ireland calls its winter the daylight time; where there is a rule the later clock is, as everybody reads it.
        is_daylight = after > before if rule else bool(local.dst())
        observance = icalendar.TimezoneDaylight() if is_daylight else icalendar.TimezoneStandard()
        observance.add("DTSTART", (instant + before).replace(tzinfo=None))
        observance.add("TZOFFSETFROM", before)
        observance.add("TZOFFSETTO", after)
        observance.add("TZNAME", local.tzname())
        if rule:
            observance.add("RRULE", rule)
        described.add_component(observance)
    return described


def _ruled(zone: ZoneInfo, changes: Sequence[Change], years: int) -> list[tuple[Change, dict[str, Any]]]:
    """The first change forward and the first back, each with the rule of all like it; empty where there is none."""
    forward = [change for change in changes if _offset(zone, change[0]) > change[1]]
    back = [change for change in changes if change not in forward]
    ruled = [(way[0], rule) for way in (forward, back) if len(way) == years and (rule := _rule(zone, way))]
    return ruled if len(ruled) == len((forward, back)) else []


def _rule(zone: ZoneInfo, changes: Sequence[Change]) -> dict[str, Any] | None:
    """The one weekday of one month at one time of day that all changes fall on, the last or the n-th; None without."""
    local = [(instant + before).replace(tzinfo=None) for instant, before in changes]
    alike = {
        (at.month, at.weekday(), at.time(), before, _offset(zone, instant))
        for at, (instant, before) in zip(local, changes, strict=True)
    }
    is_last = all((at + WEEK).month != at.month for at in local)
    places = {-1} if is_last else {(at.day - 1) // 7 + 1 for at in local}
    if len(alike) > 1 or len(places) > 1:
        return None
    return {"FREQ": "YEARLY", "BYMONTH": local[0].month, "BYDAY": f"{places.pop()}{WEEKDAYS[local[0].weekday()]}"}


def _changes(zone: ZoneInfo, first_year: int, last_year: int) -> Iterator[Change]:
    """Yield each instant from which an offset holds, with the offset before it; the first is the start of the span."""
    start = datetime(first_year, 1, 1, tzinfo=UTC)
    yield start, _offset(zone, start)
    days = (datetime(last_year + 1, 1, 2, tzinfo=UTC) - start).days
    for early, late in pairwise(start + day * DAY for day in range(days)):
        if _offset(zone, early) != _offset(zone, late):
            yield _change_between(zone, early, late), _offset(zone, early)


def _change_between(zone: ZoneInfo, early: datetime, late: datetime) -> datetime:
    """The first second of the later offset, by halving the day."""
    before, seconds = _offset(zone, early), int((late - early).total_seconds())
    low, high = 0, seconds
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, early + timedelta(seconds=middle)) == before else (low, middle)
    return early + timedelta(seconds=high)


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta(0)
