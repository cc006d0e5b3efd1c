"""Dreem's CSV: a small export with the quirks that its readers tell of."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.connectors.written import read_all

from nof1.connect.connector import Imported
from nof1_connectors.dreem import CONNECTOR

EXPORT = Path(__file__).parent / "exports" / "dreem.csv"


@pytest.fixture(scope="module")
def imported() -> Imported:
    """The export, read."""
    return read_all(EXPORT)["dreem"]


@pytest.fixture(scope="module")
def rows(imported: Imported) -> list[dict[str, Any]]:
    """Its sessions."""
    return list(imported.sessions.iter_rows(named=True))


def test_epochs_are_cut_at_the_stop_time(rows: list[dict[str, Any]]) -> None:
    """Eleven epochs in five minutes are ten; what was not seen is unscored."""
    first = rows[0]
    assert first["start"] == datetime(2026, 3, 1, 22, 10, 4, tzinfo=UTC)
    assert [(piece["start_s"], piece["seconds"], piece["stage"]) for piece in first["hypnogram"]] == [
        (0, 90, "wake"),
        (90, 60, "light"),
        (150, 60, "deep"),
        (210, 30, "wake"),
        (240, 30, "rem"),
        (270, 30, "unscored"),
    ]


def test_dreems_own_sums_agree_with_its_hypnogram(rows: list[dict[str, Any]]) -> None:
    """Durations are read in seconds; wake after onset is not passed off as all wake."""
    assert rows[0]["totals"] == {"wake_s": None, "light_s": 60, "deep_s": 60, "rem_s": 30, "asleep_s": 150}


def test_a_latency_of_zero_is_believed_only_where_the_night_begins_with_sleep(rows: list[dict[str, Any]]) -> None:
    """Converters write zeros: the third night begins with wake, and its zero is missing."""
    assert [row["vendor_sol_s"] for row in rows] == [90, 0, None, 1200]


def test_no_start_is_taken_for_lights_out(imported: Imported) -> None:
    """Programs that write this form for other devices put a guess there."""
    assert imported.sessions["in_bed"].null_count() == imported.sessions.height


def test_a_time_without_offset_takes_the_stated_zone(rows: list[dict[str, Any]]) -> None:
    """It is a wall-clock time."""
    assert (rows[1]["start"], rows[1]["zone_source"]) == (datetime(2026, 3, 2, 22, tzinfo=UTC), "option")


def test_a_night_without_hypnogram_keeps_its_sums_and_a_bad_one_its_reason(imported: Imported) -> None:
    """The fourth night is of sums; the fifth is rejected for a duration that is none."""
    assert imported.sessions["staging"].to_list() == ["stages", "stages", "stages", "totals"]
    assert [(one.record, one.reason) for one in imported.rejected] == [
        ("dreem.csv: line 6", "'6 h 30' is not a duration such as 0:12:30")
    ]


def test_a_nap_is_the_headband_s_own_word(tmp_path: Path) -> None:
    """What it calls a nap is one, any other word leaves it open; and the table of sources says that it tells naps."""
    lines = EXPORT.read_text(encoding="utf-8-sig").splitlines()
    rest = lines[1].partition(";")[2]
    path = tmp_path / "dreem.csv"
    path.write_text("\n".join([lines[0], f"nap;{rest}", f"night;{rest.replace('2026-03-01', '2026-02-01')}"]) + "\n")
    assert set(read_all(path)["dreem"].sessions["kind"].cast(pl.String)) == {"nap", "unknown"}
    assert CONNECTOR.about.naps
