"""The CSV of Fitbit's app: sums of nights, dates in every account's style, and sections before and after."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.connectors.fitbit.writer_other import AFTER, BEFORE, HEADER

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise

type Read = Callable[..., Imported]

NIGHT = ("2025-03-10 11:12PM", "2025-03-11 7:32AM", "440", "60", "30", "1,500", "100", "N/A", "80")


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write rows into the section Sleep, and read the file as an export."""

    def read_rows(*rows: Sequence[str], before: str = "", zone: str | None = "Europe/Berlin") -> Imported:
        path = tmp_path / "fitbit_export.csv"
        lines = [",".join(f'"{field}"' for field in row) for row in rows]
        path.write_text("\n".join([f"{before}Sleep", HEADER, *lines, AFTER]))
        with Export(path) as export:
            (claim,) = recognise(export, "fitbit", untested_ok=True)
            return claim.read(ReadOptions(participant="P07", zone=zone, zone_source="option" if zone else "none"))

    return read_rows


def row(start: str, end: str, asleep: int = 440, awake: int = 60) -> list[str]:
    """A row between two times."""
    return [start, end, str(asleep), str(awake), "30", "500", "100", "260", "80"]


def starts(imported: Imported) -> list[str]:
    """When the sessions start, UTC."""
    return [f"{start:%Y-%m-%d %H:%M}" for start in imported.sessions["start"]]


@pytest.mark.parametrize("before", ["", BEFORE])
def test_a_row_is_a_night_of_sums(read: Read, before: str) -> None:
    """Sums are kept, ``N/A`` is missing, and the section may stand anywhere in the file."""
    imported = read(NIGHT, before=before)
    session = imported.sessions.row(0, named=True)
    assert (session["stream"], session["staging"], session["kind"]) == ("fitbit/app", "totals", "unknown")
    assert session["start"] == datetime(2025, 3, 10, 22, 12, tzinfo=UTC)
    assert session["end"] == datetime(2025, 3, 11, 6, 32, tzinfo=UTC)
    assert session["totals"] == {
        "wake_s": 3600, "light_s": None, "deep_s": 4800, "rem_s": 6000, "asleep_s": 26400,
    }  # fmt: skip
    assert (imported.read, imported.rejected, imported.warnings) == (1, (), ())


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-03-10 11:12PM", "2025-03-11 7:32AM"),
        ("31-03-2025 11:12 pm", "01-04-2025 7:32 am"),
        ("03/31/2025 23:12", "04/01/2025 07:32"),
        ("31.03.2025 23:12:00", "01.04.2025 7:32:00"),
        ("2025-03-10 12:12AM", "2025-03-10 8:32 a.m."),
    ],
)
def test_dates_in_the_style_of_the_account(read: Read, start: str, end: str) -> None:
    """Year first, day first with a marker of the half day, month first on a clock of 24 hours."""
    session = read(row(start, end)).sessions.row(0, named=True)
    assert (session["end"] - session["start"]).total_seconds() == 500 * 60
    assert session["start"].month == 3


def test_one_night_over_midnight_tells_the_order_of_all(read: Read) -> None:
    """Of two readings of a date the one stands under which every night ends within two days."""
    after_midnight = row("05-03-2025 12:10 am", "05-03-2025 8:30 am")
    imported = read(after_midnight, row("06-03-2025 11:10 pm", "07-03-2025 7:30 am"))
    assert starts(imported) == ["2025-03-04 23:10", "2025-03-06 22:10"]
    imported = read(after_midnight, row("03-06-2025 11:10 pm", "03-07-2025 7:30 am"))
    assert starts(imported) == ["2025-03-06 22:10", "2025-05-02 22:10"]


def test_an_order_that_nothing_shows_is_not_guessed(read: Read) -> None:
    """Dates with two readings are refused where no night of the file decides, and where the nights disagree."""
    ambiguous = row("05-03-2025 12:10 am", "05-03-2025 8:30 am")
    day_first = row("06-03-2025 11:10 pm", "07-03-2025 7:30 am")
    month_first = row("03-06-2025 11:10 pm", "03-07-2025 7:30 am")
    for rows in ([ambiguous], [ambiguous, day_first, month_first]):
        imported = read(*rows)
        assert [*imported.sessions["start"]] == []
        assert all("day-month or month-day" in one.reason for one in imported.rejected)
    assert read(ambiguous, NIGHT).sessions.height == 1


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2025-03-29 11:00PM", "2025-03-30 8:00AM", 480),  # the clocks go forward at 02:00
        ("2025-03-29 11:00PM", "2025-03-30 7:00AM", 480),  # the end on the clock of the start
        ("2025-10-25 11:00PM", "2025-10-26 6:00AM", 480),  # the clocks go back at 03:00
        ("2025-10-25 11:00PM", "2025-10-26 2:30AM", 270),  # the end in the hour that comes twice
        ("2025-10-25 11:00PM", "2025-10-26 2:30AM", 210),
    ],
)
def test_a_clock_change_neither_makes_nor_loses_time(read: Read, start: str, end: str, minutes: int) -> None:
    """Asleep and awake together tell on which clock the end stands."""
    fields = [start, end, str(minutes - 20), "20", *["N/A"] * 5]
    session = read(fields).sessions.row(0, named=True)
    assert (session["end"] - session["start"]).total_seconds() == minutes * 60


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (row("2025-03-11 7:32AM", "2025-03-10 11:12PM"), "ends before it starts"),
        (row("2025-03-10 11:12PM", "2025-03-14 11:12PM"), "longer than two days"),
        (row("2025-02-30 11:12PM", "2025-03-01 7:12AM"), "is not a time"),
        (row("2025-03-10 13:12PM", "2025-03-11 7:12AM"), "is not a time"),
        (row("10-03-25 11:12PM", "11-03-25 7:12AM"), "day-month or month-day"),
        (row("yesterday", "today"), "is not a time as nof1 knows it"),
        (["2025-03-10 11:12PM", "2025-03-11 7:32AM"], "does not have the fields of the header"),
        (row("2025-03-10 11:12PM", "2025-03-11 7:32AM", asleep=900), "does not fit"),
        ([*NIGHT[:2], *["N/A"] * 7], "neither stages nor totals"),
    ],
)
def test_a_bad_row_is_rejected_alone(read: Read, fields: Sequence[str], reason: str) -> None:
    """A row that cannot be used is rejected by its line, and the next is read."""
    imported = read(fields, NIGHT)
    assert imported.sessions.height == 1
    assert [(one.record, reason in one.reason) for one in imported.rejected] == [("fitbit_export.csv line 3", True)]


def test_the_same_night_in_two_sections_is_one(read: Read) -> None:
    """Rows repeat where people join files."""
    imported = read(NIGHT, ["Sleep"], HEADER.split(","), NIGHT)
    assert (imported.read, imported.merged, imported.sessions.height) == (2, 1, 1)


def test_a_month_without_nights_holds_none(tmp_path: Path) -> None:
    """Other sections are recognised, because Sleep may stand far below them, and hold no record."""
    path = tmp_path / "fitbit_export.csv"
    path.write_text(BEFORE)
    with Export(path) as export:
        (claim,) = recognise(export, "fitbit", untested_ok=True)
        assert claim.read(ReadOptions()).read == 0
