"""Eight Sleep's days and intervals become sessions."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.documents import hypnogram, read_documents, read_export

from nof1.sleep.session import STARTS_AT_ONSET

EXPORT = Path(__file__).parent / "exports" / "trends.json"
INTERVAL: dict[str, Any] = {
    "id": "1736915400",
    "ts": "2025-01-15T04:30:00.000Z",
    "stages": [{"stage": "awake", "duration": 600}, {"stage": "light", "duration": 7200}],
    "timeseries": {},
}


def test_stages_end_where_the_next_begin() -> None:
    """Stages are laid so that sleep begins where it is said to; out of bed is wake; lying down is the mark of bed."""
    row = read_export(EXPORT).sessions.row(0, named=True)
    assert hypnogram(row) == [
        (0, 840, "wake"),
        (840, 60, "wake"),
        (900, 3600, "light"),
        (4500, 2400, "deep"),
        (6900, 540, "wake"),
        (7440, 2400, "rem"),
    ]
    lay_down = datetime(2025, 1, 15, 4, 31, tzinfo=UTC)
    assert (row["start"], row["in_bed"], row["in_bed_source"]) == (lay_down, lay_down, "in_bed")
    assert (row["stream"], row["zone"], row["flags"]) == ("eight_sleep/trends", "Europe/Berlin", [])
    assert row["totals"] == {"wake_s": None, "light_s": 3600, "deep_s": 2400, "rem_s": 2400, "asleep_s": 8400}


def test_the_first_session_of_a_day_has_its_mark() -> None:
    """Of two sessions the earlier has the day's mark of lying down, in any order; the day's sums are of neither."""
    early, late = read_export(EXPORT).sessions.filter(flags=["incomplete", STARTS_AT_ONSET]).iter_rows(named=True)
    assert (early["in_bed"], late["in_bed"]) == (datetime(2025, 1, 16, 3, tzinfo=UTC), None)
    assert (early["totals"], late["totals"]) == (None, None)


def test_a_day_without_session_keeps_its_sums() -> None:
    """A day that tells sums only is a session without stages; a day on which nobody lay down is said."""
    imported = read_export(EXPORT)
    row = imported.sessions.row(3, named=True)
    assert (row["staging"], row["totals"]["deep_s"], row["in_bed"]) == ("totals", 5400, row["start"])
    assert (imported.read, imported.rejected) == (4, ())
    assert "1 day without sleep." in imported.warnings


def test_an_interval_begins_with_its_time(tmp_path: Path) -> None:
    """An interval says when its stages begin and what it is called; an interval with a zone brings it."""
    files = {"intervals.json": {"intervals": [INTERVAL, INTERVAL | {"id": "2", "timezone": "America/New_York"}]}}
    one, two = read_documents(tmp_path, files).sessions.sort("record_id").iter_rows(named=True)
    assert (one["stream"], one["record_id"], one["in_bed"]) == ("eight_sleep/intervals", "1736915400", None)
    assert hypnogram(one) == [(0, 600, "wake"), (600, 7200, "light")]
    assert (one["zone_source"], two["zone"], two["zone_source"]) == ("option", "America/New_York", "record")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"ts": "2025-01-15T04:30:00"}, "does not say its offset"),
        ({"ts": None}, "does not say when it starts"),
        ({"stages": []}, "does not say when it starts and ends"),
        ({"stages": [{"stage": "light", "duration": 90_000}] * 3}, "longer than two days"),
        ({"stages": [{"stage": "light", "duration": -5}]}, "`float` >= 0"),
        ({"stages": "light"}, "Expected `array | null`"),
    ],
)
def test_a_bad_interval_is_refused_alone(tmp_path: Path, more: dict[str, Any], reason: str) -> None:
    """An interval that cannot be used is refused with the reason; the other is kept."""
    told = [INTERVAL, INTERVAL | {"id": "2"} | more]
    imported = read_documents(tmp_path, {"a.json": {"intervals": told}})
    assert imported.sessions["record_id"].to_list() == ["1736915400"]
    assert reason in imported.rejected[0].reason


def test_stages_that_miss_the_start_of_sleep_are_said(tmp_path: Path) -> None:
    """Where the stages put sleep elsewhere than the session says, they stand, and the person is told."""
    imported = read_documents(tmp_path, {"a.json": {"intervals": [INTERVAL | {"sleepStart": "2025-01-15T05:30:00Z"}]}})
    assert "start of sleep that its stages do not show" in imported.warnings[0]
