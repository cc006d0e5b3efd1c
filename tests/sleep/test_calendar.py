"""Which date a night belongs to, and that clock changes leave its length alone."""

from datetime import date

import pytest

from nof1.errors import DataError
from nof1.sleep.assembly import assemble_nights

FULL = [("wake", 10), ("light", 200), ("deep", 100), ("rem", 120), ("wake", 5)]


@pytest.mark.parametrize(
    ("bedtime", "evening"),
    [
        ("2026-05-12 23:50", date(2026, 5, 12)),
        ("2026-05-13 00:10", date(2026, 5, 12)),
        ("2026-05-13 04:30", date(2026, 5, 12)),
        ("2026-05-13 11:40", date(2026, 5, 12)),
        ("2026-05-13 12:10", date(2026, 5, 13)),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland"])
def test_bedtimes_around_midnight(session, table, bedtime, evening, zone):
    """A night belongs to the evening on which it began, whether sleep came before midnight, after it, or at dawn."""
    nights = assemble_nights(table(session(bedtime, FULL, zone)))
    assert nights["night"].to_list() == [evening]


def test_the_onset_decides(session, table):
    """A person who lies awake across noon has the night in which sleep came, not the one in which bed began."""
    nights = assemble_nights(table(session("2026-05-13 11:30", [("wake", 45), ("light", 240)])))
    assert nights["night"].to_list() == [date(2026, 5, 13)]


def test_wake_date_is_the_morning(session, table):
    """A night slept past midnight ends on the next local date; one that ends before midnight ends on its own."""
    rows = session("2026-05-12 23:50", FULL, "Asia/Tokyo"), session("2026-05-14 15:00", FULL, "Asia/Tokyo")
    nights = assemble_nights(table(*rows))
    assert nights["wake_date"].to_list() == [date(2026, 5, 13), date(2026, 5, 14)]


@pytest.mark.parametrize(
    ("bedtime", "zone", "evening"),
    [
        ("2026-05-13 01:00", "Asia/Tokyo", date(2026, 5, 12)),  # 16:00 UTC on the 12th
        ("2026-05-13 20:00", "Asia/Tokyo", date(2026, 5, 13)),  # 11:00 UTC on the 13th
        ("2026-05-12 05:30", "America/New_York", date(2026, 5, 11)),  # 09:30 UTC on the 12th
        ("2026-05-12 09:00", "America/New_York", date(2026, 5, 11)),  # 13:00 UTC on the 12th
    ],
)
def test_zone_stands_in_for_the_offset(session, table, bedtime, zone, evening):
    """Without an offset the zone tells the local date."""
    row = session(bedtime, FULL, zone) | {"offset_start": None, "offset_end": None}
    assert assemble_nights(table(row))["night"].to_list() == [evening]


def test_offset_speaks_before_the_zone(session, table):
    """A traveller's recorded offset beats the zone of home: bedtime in Tokyo is breakfast in California."""
    abroad = session("2026-05-11 23:00", FULL, "Asia/Tokyo") | {"zone": "America/Los_Angeles"}
    assert assemble_nights(table(abroad))["night"].to_list() == [date(2026, 5, 11)]
    assert assemble_nights(table(abroad | {"offset_start": None}))["night"].to_list() == [date(2026, 5, 10)]


def test_neither_offset_nor_zone(session, table):
    """Where the source tells neither offset nor zone, the instant is read as it stands."""
    nowhere = {"offset_start": None, "offset_end": None, "zone": None}
    row = session("2026-05-13 20:30", FULL, "Asia/Tokyo") | nowhere  # 11:30 UTC
    assert assemble_nights(table(row))["night"].to_list() == [date(2026, 5, 12)]


def test_wake_date_by_the_clock_at_the_end(session, table):
    """Who flies east in sleep wakes on the date of the clock there, and has the evening of the clock at home."""
    row = session("2026-05-12 15:00", [("light", 510)]) | {"offset_end": 60}  # ends at 23:30, which is 00:30 there
    night = assemble_nights(table(row)).row(0, named=True)
    assert (night["night"], night["wake_date"]) == (date(2026, 5, 12), date(2026, 5, 13))


def test_unknown_zone(session, table):
    """A zone that does not exist is an error that names it and says what to do."""
    row = session("2026-05-12 23:50", FULL) | {"zone": "Mars/Olympus", "offset_start": None}
    with pytest.raises(DataError, match=r"'Mars/Olympus', which does not exist\. Import the export again"):
        assemble_nights(table(row))


CLOCK_CHANGES = [
    ("Europe/Berlin", "2026-03-28 23:00"),
    ("Europe/Berlin", "2026-10-24 23:00"),
    ("America/New_York", "2026-03-07 23:00"),
    ("America/New_York", "2026-10-31 23:00"),
    ("Australia/Lord_Howe", "2026-10-03 23:00"),
    ("Australia/Lord_Howe", "2026-04-04 23:00"),
]


@pytest.mark.parametrize(("zone", "bedtime"), CLOCK_CHANGES)
def test_clock_changes(session, table, zone, bedtime):
    """A night crossing a clock change keeps its true length, its evening and its morning, in spring and autumn."""
    row = session(bedtime, [("wake", 15), ("light", 300), ("deep", 75), ("rem", 90)], zone)
    assert row["offset_start"] != row["offset_end"], "the night must cross the change, or this test says nothing"
    night = assemble_nights(table(row)).row(0, named=True)
    assert (night["tib_min"], night["sol_min"], night["tst_min"]) == (480, 15, 465)
    assert night["night"] == date.fromisoformat(bedtime[:10])
    assert (night["wake_date"] - night["night"]).days == 1


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_a_year_of_nights(session, table, zone):
    """A year of nights, both clock changes among them, is a year of different evenings without a gap."""
    days = [date.fromordinal(date(2026, 1, 1).toordinal() + day) for day in range(365)]
    nights = assemble_nights(table(*(session(f"{day} 23:30", FULL, zone) for day in days)))
    assert nights["night"].to_list() == days
    assert set(nights["tst_min"]) == {420.0}


@pytest.mark.parametrize(
    ("boundary", "evenings"),
    [
        (12, ["2026-05-11", "2026-05-13", "2026-05-13"]),
        (20, ["2026-05-11", "2026-05-12", "2026-05-13"]),
        (0, ["2026-05-12", "2026-05-13", "2026-05-14"]),
    ],
)
def test_sleeping_by_day(session, table, boundary, evenings):
    """Who falls asleep about noon needs a boundary elsewhere: 20 gives the evening before, 0 the day itself."""
    onsets = ["2026-05-12 11:00", "2026-05-13 12:30", "2026-05-14 11:30"]
    nights = assemble_nights(table(*(session(onset, FULL) for onset in onsets)), night_boundary_h=boundary)
    assert [str(night) for night in nights["night"]] == sorted(set(evenings))
