"""The calendar file, read back by other eyes: dateutil's zones, and a reader of lines that knows nothing of nof1."""

import io
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from hypothesis import given
from hypothesis import strategies as st

from nof1.report.ics import Reminder, render_calendar
from nof1.report.plain import plain

ZONES = (
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "UTC",
)
STAMP = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def lines(text: bytes) -> list[str]:
    """The content lines, unfolded (RFC 5545, 3.1)."""
    assert text.endswith(b"\r\n")
    physical = text.decode().split("\r\n")
    assert all(len(line.encode()) <= 75 and "\n" not in line for line in physical)
    return "\r\n".join(physical).replace("\r\n ", "").split("\r\n")[:-1]


def components(text: bytes, name: str) -> list[dict[str, str]]:
    """Each component of that name as property → value; parameters stay in the name, inner components are left out."""
    found: list[dict[str, str]] = []
    open_: list[str] = []
    for line in lines(text):
        key, _, value = line.partition(":")
        if key == "BEGIN":
            open_.append(value)
            if value == name:
                found.append({})
        elif key == "END":
            assert open_.pop() == value
        elif open_[-1] == name:
            assert key not in found[-1], "a property stands twice"
            found[-1][key] = value
    assert not open_
    return found


def events(text: bytes) -> list[dict[str, str]]:
    """The events of the file."""
    return components(text, "VEVENT")


def unescaped(text: str) -> str:
    """A TEXT value as it is read (RFC 5545, 3.3.11)."""
    return re.sub(r"\\(.)", lambda escape: "\n" if escape[1] in "nN" else escape[1], text)


def reminder(at: datetime, **changes: object) -> Reminder:
    """One event at that moment."""
    return Reminder(**{"uid": "x@nof1", "at": at, "title": "t", "text": "d", **changes})  # type: ignore[arg-type]


def rendered(zone: ZoneInfo, *reminders: Reminder) -> bytes:
    """The file of these events."""
    return render_calendar(reminders, zone, name="nof1 P01", stamp=STAMP, sequence=3)


@given(st.sampled_from(ZONES), st.lists(MOMENTS, min_size=1, max_size=4))
def test_another_reader_finds_the_same_instants(name: str, moments: list[datetime]) -> None:
    """The local time with the file's own zone, as dateutil reads it, is the instant that was meant."""
    zone = ZoneInfo(name)
    local = [moment.replace(second=0, microsecond=0).astimezone(zone) for moment in moments]
    meant = [moment for moment in local if not moment.fold]  # an hour that comes twice is the first of the two
    if not meant:
        return
    text = rendered(zone, *(reminder(moment) for moment in meant))
    told = tzical(io.StringIO(text.decode().replace("\r\n", "\n"))).get(name)
    starts = [next(start for start in event.items() if start[0].startswith("DTSTART")) for event in events(text)]
    assert {key for key, _ in starts} == {"DTSTART" if name == "UTC" else f"DTSTART;TZID={name}"}
    read = [
        datetime.strptime(start.removesuffix("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=UTC if start[-1] == "Z" else told)
        for _, start in starts
    ]
    assert [moment.astimezone(UTC) for moment in read] == [moment.astimezone(UTC) for moment in meant]


RULED = ("Europe/Berlin", "Europe/Dublin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe")


def two_years(name: str) -> bytes:
    """A file with an event in each of two years."""
    zone = ZoneInfo(name)
    at = [datetime(year, 6, 1, 21, 30, tzinfo=zone) for year in (2026, 2027)]
    return rendered(zone, *(reminder(moment, uid=f"{moment.year}@nof1") for moment in at))


@pytest.mark.parametrize("name", ZONES)
def test_every_hour_has_the_offset_of_the_zone(name: str) -> None:
    """Every sixth hour of two years, and the seconds around each change; an hour that comes twice is left out."""
    zone, second, hour = ZoneInfo(name), timedelta(seconds=1), timedelta(hours=1)
    told = tzical(io.StringIO(two_years(name).decode().replace("\r\n", "\n"))).get(name)
    sixth = [datetime(2026, 1, 1, tzinfo=UTC) + 6 * hour * number for number in range(2 * 365 * 4)]
    onsets = [
        change(zone, early, late)
        for early, late in pairwise(sixth)
        if early.astimezone(zone).utcoffset() != late.astimezone(zone).utcoffset()
    ]
    assert len(onsets) == (0 if name in {"UTC", "Asia/Kolkata"} else 4)
    around = [onset + by for onset in onsets for by in (-hour - second, -second, timedelta(0), hour)]
    for local in (instant.astimezone(zone) for instant in (*sixth, *around)):
        if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
            assert local.replace(tzinfo=told).utcoffset() == local.utcoffset()


def change(zone: ZoneInfo, early: datetime, late: datetime) -> datetime:
    """The minute between the two from which the later offset holds."""
    after = late.astimezone(zone).utcoffset()
    minutes = [early + timedelta(minutes=minute) for minute in range(6 * 60 + 1)]
    return next(minute for minute in minutes if minute.astimezone(zone).utcoffset() == after)


@pytest.mark.parametrize("name", RULED)
def test_a_zone_with_a_rule_is_told_as_outlook_reads_it(name: str) -> None:
    """One STANDARD and one DAYLIGHT, the later clock, each with a yearly rule of one weekday of one month."""
    (standard,), (daylight,) = (components(two_years(name), kind) for kind in ("STANDARD", "DAYLIGHT"))
    for part in (standard, daylight):
        rule = dict(one.split("=") for one in part["RRULE"].split(";"))
        assert rule.keys() == {"FREQ", "BYMONTH", "BYDAY"}
        assert re.fullmatch(r"(-1|[1-4])(MO|TU|WE|TH|FR|SA|SU)", rule["BYDAY"])
    assert offset(daylight["TZOFFSETTO"]) > offset(daylight["TZOFFSETFROM"])
    assert offset(standard["TZOFFSETTO"]) < offset(standard["TZOFFSETFROM"])


def test_a_zone_whose_changes_follow_the_moon_has_no_rule() -> None:
    """Morocco's clocks go by Ramadan: each change is told by itself."""
    parts = [part for kind in ("STANDARD", "DAYLIGHT") for part in components(two_years("Africa/Casablanca"), kind)]
    assert len(parts) > 2
    assert not any("RRULE" in part for part in parts)


def offset(text: str) -> timedelta:
    """``+0530`` as a duration."""
    sign = -1 if text[0] == "-" else 1
    return sign * timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))


@given(st.text(max_size=200), st.text(max_size=200))
def test_texts_are_read_as_they_were_written(title: str, text: str) -> None:
    """Commas, semicolons, quotes, backslashes and long lines do not break the file; a title is one line, of the text
    every line is kept, and both lose what is no text."""
    zone = ZoneInfo("Europe/Berlin")
    (event,) = events(rendered(zone, reminder(datetime(2026, 12, 1, 21, tzinfo=zone), title=title, text=text)))
    lines = "\n".join(plain(line) for line in text.split("\n"))
    assert (unescaped(event["SUMMARY"]), unescaped(event["DESCRIPTION"])) == (plain(title), lines)


def test_an_event_has_what_the_standard_asks_for() -> None:
    """PRODID and VERSION once; each event with UID, DTSTAMP in UTC, SEQUENCE and STATUS; an alarm with its action."""
    zone = ZoneInfo("Europe/Berlin")
    at = datetime(2026, 12, 1, 21, 30, tzinfo=zone)
    text = rendered(zone, reminder(at), reminder(at, uid="y@nof1", cancelled=True), reminder(at, alarm=False))
    (calendar,) = components(text, "VCALENDAR")
    assert calendar["VERSION"] == "2.0"
    assert calendar["PRODID"]
    first, gone, silent = events(text)
    assert first["DTSTAMP"] == "20261122T120000Z"
    assert (first["UID"], first["SEQUENCE"], first["STATUS"]) == ("x@nof1", "3", "CONFIRMED")
    assert (gone["STATUS"], silent["STATUS"]) == ("CANCELLED", "CONFIRMED")
    (alarm,) = components(text, "VALARM")
    assert alarm["ACTION"] == "DISPLAY"
    assert alarm["TRIGGER"] == "PT0S"
