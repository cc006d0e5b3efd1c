"""Times as exports write them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.connect.clock import (
    at_offset,
    checked_offset,
    from_epoch,
    in_zone,
    local_time,
    unzoned,
    utc_time,
    wall_clock,
    with_offset,
    with_or_without_offset,
)
from nof1.connect.connector import ReadOptions

BERLIN = ReadOptions(zone="Europe/Berlin", zone_source="option")
INSTANTS = st.integers(978_307_200, 4_039_372_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
"""2001 to 2097."""
ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"])
OFFSETS = st.integers(-12 * 60, 14 * 60)


@given(INSTANTS, OFFSETS)
def test_a_time_that_says_its_offset_is_that_instant(instant: datetime, offset_min: int) -> None:
    """Written with any offset, an instant is read back, with the offset and the record as its source."""
    local = instant.astimezone(timezone(timedelta(minutes=offset_min)))
    moment = with_offset(local.isoformat())
    assert (moment.instant, moment.offset_min, moment.zone) == (instant, offset_min, None)
    assert moment.zone_source == "record"
    assert at_offset(instant, offset_min) == moment


@given(INSTANTS, ZONES)
def test_the_wall_clock_of_a_known_zone_is_read_back(instant: datetime, zone: str) -> None:
    """A wall-clock time in the stated zone is its instant, or, where the clocks repeat it, the earlier one, said."""
    local = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    moment, notes = wall_clock(local, ReadOptions(zone=zone, zone_source="participant"))
    assert moment.instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == local
    assert moment.instant == instant or (moment.instant < instant and "repeats" in notes[0])
    assert (moment.zone, moment.zone_source) == (zone, "participant")


def test_a_time_that_occurs_twice_is_the_earlier_and_one_that_does_not_occur_is_read_before_the_change() -> None:
    """Times on a clock change are placed by a fixed rule, with a note; others without."""
    twice, notes = wall_clock(local_time("2026-10-25T02:30:00"), BERLIN)
    assert (twice.instant.isoformat(), twice.offset_min) == ("2026-10-25T00:30:00+00:00", 120)
    assert "repeats" in notes[0]
    never, notes = wall_clock(local_time("2026-03-29T02:30:00"), BERLIN)
    assert (never.instant.isoformat(), never.offset_min) == ("2026-03-29T01:30:00+00:00", 120)
    assert "skips" in notes[0]
    assert wall_clock(local_time("2026-03-28T02:30:00"), BERLIN)[1] == ()


@given(INSTANTS, ZONES, st.integers(0, 48 * 3600), st.integers(0, 48 * 3600))
def test_time_goes_on_through_clock_changes(instant: datetime, zone: str, first: int, second: int) -> None:
    """So many elapsed seconds later is so many seconds later, in one step or two, and the offset is the zone's then."""
    moment = in_zone(instant, zone, ReadOptions())
    later = moment.plus(first).plus(second)
    assert later == moment.plus(first + second)
    assert (later.instant - instant).total_seconds() == first + second
    there = later.instant.astimezone(ZoneInfo(zone)).utcoffset()
    assert there is not None
    assert later.offset_min == there.total_seconds() // 60


@given(INSTANTS, OFFSETS, st.integers(0, 48 * 3600))
def test_an_offset_without_a_zone_stays(instant: datetime, offset_min: int, seconds: int) -> None:
    """Where only an offset is known nothing is guessed about clock changes."""
    assert at_offset(instant, offset_min).plus(seconds).offset_min == offset_min


def test_nobody_said_where() -> None:
    """Without a stated zone an instant has no offset, and a wall-clock time stands as if it were UTC, saying so."""
    instant = datetime(2026, 5, 12, 23, tzinfo=UTC)
    moment = unzoned(instant, ReadOptions())
    assert (moment.offset_min, moment.zone, moment.zone_source) == (None, None, "none")
    assert wall_clock(datetime(2026, 5, 12, 23), ReadOptions()) == (moment, ())  # noqa: DTZ001
    assert moment.plus(3600).offset_min is None


@pytest.mark.parametrize(
    "zone",
    [
        *(None, 7, "", "GMT+2", "Europa/Berlin", "../Europe/Berlin", "/etc/passwd", "America", "x" * 5000, "a\x00b"),
        *("\ud800", "localtime", "posixrules", "Factory", "right/Europe/Berlin"),
    ],
)
def test_a_zone_that_is_no_place_gives_way_to_the_stated_one(zone: object) -> None:
    """A zone that does not exist, or means something else on every machine, gives way to the stated one."""
    moment = in_zone(datetime(2026, 5, 12, 23, tzinfo=UTC), zone, BERLIN)
    assert (moment.zone, moment.zone_source, moment.offset_min) == ("Europe/Berlin", "option", 120)


@pytest.mark.parametrize(
    "text", ["2026-04-12", "20260412", "2026-W15-7", "23:10", "", "soon", None, 5, "2026-99-01T00:00"]
)
@pytest.mark.parametrize("read", [with_offset, local_time, utc_time])
def test_what_is_no_time_is_refused(read, text: object) -> None:
    """A date alone is not midnight; what is not a time is refused with its own words."""
    with pytest.raises(ValueError, match="is not a time"):
        read(text)


@pytest.mark.parametrize("year", ["0001", "1970", "1999", "2100", "9999"])
def test_a_time_of_another_century_is_refused(year: str) -> None:
    """Years that no wearable has seen are mistakes: unset clocks begin in 1970."""
    with pytest.raises(ValueError, match="of this century"):
        with_offset(f"{year}-06-01T12:00:00Z")
    with pytest.raises(ValueError, match="of this century"):
        local_time(f"{year}-06-01T12:00:00")


def test_offsets_are_neither_forgotten_nor_invented() -> None:
    """A time with an offset is no wall-clock time, one without cannot stand where an offset is needed."""
    with pytest.raises(ValueError, match="without an offset"):
        local_time("2026-05-12T23:00:00+02:00")
    with pytest.raises(ValueError, match="does not say its offset"):
        with_offset("2026-05-12T23:00:00")
    assert utc_time("2026-05-12T23:00:00") == utc_time("2026-05-13T01:00:00+02:00")


@given(INSTANTS)
def test_counts_since_1970_are_read_as_numbers_and_as_digits(instant: datetime) -> None:
    """Seconds and milliseconds, as numbers or text, give the instant back."""
    seconds = int(instant.timestamp())
    assert from_epoch(seconds) == from_epoch(str(seconds)) == from_epoch(f"{seconds}000", per_second=1000) == instant


@pytest.mark.parametrize(
    "value", [None, True, "", "soon", "nan", "inf", 1e300, 10**400, "1e999", -1, 0, 10**12, [], {}]
)
def test_what_is_no_count_since_1970_is_refused(value: object) -> None:
    """Anything but a count that lands in this century is refused; zero is how unset clocks say nothing."""
    with pytest.raises(ValueError, match="not a time of this century"):
        from_epoch(value)


@pytest.mark.parametrize("minutes", [901, -901, 1e9, float("nan"), float("inf")])
def test_no_clock_is_further_from_utc_than_fifteen_hours(minutes: float) -> None:
    """An offset that no place on earth has is refused."""
    with pytest.raises(ValueError, match="is not an offset from UTC"):
        checked_offset(minutes)


@pytest.mark.parametrize(
    ("text", "utc", "offset_min", "source"),
    [
        ("2026-03-01T23:10:00+05:30", "17:40", 330, "record"),
        ("2026-03-01T22:10Z", "22:10", 60, "option"),
        ("2026-03-01 23:10", "22:10", 60, "option"),
    ],
)
def test_a_time_with_or_without_an_offset(text: str, utc: str, offset_min: int, source: str) -> None:
    """An offset is the person's own; ``Z`` tells the instant and the stated zone the clock; else the clock is told."""
    moment, notes = with_or_without_offset(text, BERLIN)
    assert (f"{moment.instant:%Y-%m-%d %H:%M}", moment.offset_min) == (f"2026-03-01 {utc}", offset_min)
    assert (moment.zone_source, notes) == (source, ())


def test_a_time_that_says_its_offset_needs_no_note() -> None:
    """In the hour that comes twice a time without its offset has a note; with it none."""
    told = [with_or_without_offset(f"2026-10-25 02:30{offset}", BERLIN)[1] for offset in ("", "+01:00")]
    assert [len(notes) for notes in told] == [1, 0]


@pytest.mark.parametrize("text", ["2026-03-01", "soon", "1926-03-01 23:10", None, "2026-03-01T23:10+23:00"])
def test_what_is_no_time_with_or_without_offset_is_refused(text: object) -> None:
    """A date alone, words, another century and an offset of no place on earth are refused."""
    with pytest.raises(ValueError, match=r"time|offset"):
        with_or_without_offset(text, BERLIN)
