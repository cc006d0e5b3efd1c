"""Zeo's CSV: a small export with the quirks that its readers tell of."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.written import read_all

from nof1.connect.connector import Imported

EXPORT = Path(__file__).parent / "exports" / "zeodata.csv"


@pytest.fixture(scope="module")
def imported() -> Imported:
    """The export, read."""
    return read_all(EXPORT)["zeo"]


@pytest.fixture(scope="module")
def rows(imported: Imported) -> list[dict[str, Any]]:
    """Its sessions."""
    return list(imported.sessions.iter_rows(named=True))


def test_the_night_ends_where_the_headband_came_off(rows: list[dict[str, Any]]) -> None:
    """Undefined epochs at the end are cut off, those within are unscored, and so is a code that nobody knows."""
    first = rows[0]
    assert (first["start"], first["end"]) == (
        datetime(2010, 12, 31, 21, 57, tzinfo=UTC),
        datetime(2010, 12, 31, 22, 2, tzinfo=UTC),
    )
    assert [(piece["start_s"], piece["seconds"], piece["stage"], piece["label"]) for piece in first["hypnogram"]] == [
        (0, 60, "wake", "1"),
        (60, 60, "light", "3"),
        (120, 30, "unscored", "0"),
        (150, 60, "deep", "4"),
        (210, 60, "rem", "2"),
        (270, 30, "unscored", "7"),
    ]


def test_the_unknown_code_is_told(imported: Imported) -> None:
    """The person hears of it, with the line."""
    assert any("unknown label '7'" in warning for warning in imported.warnings)


def test_minutes_are_minutes(rows: list[dict[str, Any]]) -> None:
    """Zeo's sums and its latency are in minutes; the session keeps seconds."""
    assert rows[3]["totals"] == {"wake_s": 1200, "light_s": 13800, "deep_s": 4800, "rem_s": 5400, "asleep_s": 24000}
    assert (rows[3]["staging"], rows[3]["end"]) == ("totals", datetime(2011, 1, 4, 5, tzinfo=UTC))


def test_a_latency_of_zero_is_believed_only_where_the_night_begins_with_sleep(rows: list[dict[str, Any]]) -> None:
    """Converters write zeros: the third night begins with wake, and its zero is missing."""
    assert [row["vendor_sol_s"] for row in rows] == [60, 0, None, 720]


def test_a_date_with_the_day_first_is_rejected(imported: Imported) -> None:
    """Zeo writes the month first; 13/04 is none of its dates, and is not guessed at."""
    assert [one.record for one in imported.rejected] == ["zeodata.csv: line 6"]
