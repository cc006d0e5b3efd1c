"""Small synthetic exports, and exactly the sessions that they give."""

from pathlib import Path
from typing import Any

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1_connectors.garmin import CONNECTOR

EXPORTS = Path(__file__).parent / "exports"


def read(case: str, zone: str | None = "Europe/Berlin") -> Imported:
    """Read one of the exports."""
    with Export(EXPORTS / case) as export:
        (claim,) = recognise(export, CONNECTOR.name)
        return claim.read(ReadOptions(zone=zone, zone_source="option" if zone else "none"))


def told(row: dict[str, Any]) -> str:
    """A session in one line: its bounds in UTC, its offsets, its sums in minutes, its flags."""
    sums = " ".join(f"{name[:-2]} {seconds // 60}" for name, seconds in row["totals"].items() if seconds is not None)
    flags = " ".join(flag for flag in row["flags"] if flag != "starts_at_onset")
    bounds = f"{row['start']:%m-%d %H:%M}-{row['end']:%H:%M} {row['offset_start']} {row['offset_end']}"
    return f"{row['kind']} {bounds} {row['zone_source']}: {sums}" + (f"; {flags}" if flags else "")


def test_an_archive_gives_its_nights_and_naps() -> None:
    """Sums become totals, days tell offsets across the clock change, and a night told twice is the revised one."""
    imported = read("archive")
    assert [told(row) for row in imported.sessions.iter_rows(named=True)] == [
        "main 09-26 21:40-05:20 120 120 record: wake 20 light 295 deep 60 rem 85 asleep 440",
        "nap 09-27 12:10-12:38 120 120 record: asleep 25",
        "main 10-25 21:30-06:00 120 60 record: wake 120 light 320 deep 70 asleep 390",
        "main 10-27 22:00-06:00 60 60 option: wake 10 light 200 deep 50 rem 50 asleep 300; edited incomplete",
    ]
    assert imported.sessions["record_id"].to_list()[::2] == ["2025-09-27", "2025-10-26"]


def test_an_archive_accounts_for_every_row() -> None:
    """Rows without sleep are rejected as such, the earlier telling of a night is merged, and both are said."""
    imported = read("archive")
    assert (imported.read, imported.sessions.height, imported.merged) == (7, 4, 1)
    assert [(one.record.partition(": ")[2], one.reason) for one in imported.rejected] == [
        ("night 2025-09-28", "it holds no sleep"),
        ("record 3", "it holds no sleep"),
    ]
    assert imported.warnings[0].startswith("1 session in versions that differ; one stands (first: 2025-09-27)")
    assert "1 session with no day in UDSFile that tells its offset" in imported.warnings[1]


def test_responses_of_connect_give_stages() -> None:
    """Both meanings of activityLevel are told apart by remSleepData, and 0 is deep sleep, not nothing."""
    imported = read("connect", zone=None)
    old, new, nap = imported.sessions.iter_rows(named=True)
    assert told(old) == "main 01-16 22:00-06:00 60 60 record: wake 30 light 300 deep 150 asleep 450"
    assert told(new) == "main 03-29 21:00-04:00 60 120 record: wake 10 light 210 deep 100 rem 90 asleep 400"
    assert told(nap) == "nap 03-30 12:27-12:51 120 120 record: asleep 24"
    assert [(p["seconds"] // 60, p["stage"], p["label"]) for p in old["hypnogram"]] == [
        (300, "light", "light"),
        (150, "deep", "deep"),
        (20, "wake", "awake"),
        (10, "wake", "more awake"),
    ]
    assert [(p["start_s"] // 60, p["seconds"] // 60, p["stage"], p["label"]) for p in new["hypnogram"]] == [
        (0, 60, "light", "light"),
        (60, 100, "deep", "deep"),
        (160, 10, "wake", "awake"),
        (170, 10, "unscored", "unmeasurable"),
        (180, 90, "rem", "rem"),
        (270, 150, "light", "light"),
    ]
    assert (new["algorithm"], nap["hypnogram"], imported.warnings) == ("sleepVersion 2", None, ())


def test_an_empty_response_is_no_night() -> None:
    """A response whose night is all null is rejected by its date."""
    (rejected,) = read("connect").rejected
    assert (rejected.record, rejected.reason) == ("older.json: night 2017-01-18", "it holds no sleep")
