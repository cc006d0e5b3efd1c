"""Real, public exports, where this machine has them: they are never part of the project."""

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise


@pytest.fixture(scope="module")
def samples(shared_samples: Path) -> Path:
    """The Garmin samples."""
    return shared_samples / "garmin"


def read(path: Path) -> Imported:
    """Read one sample."""
    with Export(path) as export:
        (claim,) = recognise(export, "garmin")
        return claim.read(ReadOptions(zone="Europe/Madrid", zone_source="option"))


def test_the_archive_is_read_whole(samples: Path) -> None:
    """Every row is a night; its sums fill its window to the second, and are Garmin's own."""
    (path,) = samples.glob("*_sleepData.json")
    rows = json.loads(path.read_text())
    imported = read(path)
    assert (imported.read, imported.sessions.height, imported.rejected, imported.warnings) == (len(rows), 6, (), ())
    sums = imported.sessions.unnest("totals")
    assert sums.filter(
        pl.duration(seconds=pl.col("asleep_s") + pl.col("wake_s")) != pl.col("end") - pl.col("start")
    ).is_empty()
    assert sums["deep_s"].to_list() == [row["deepSleepSeconds"] for row in rows]
    assert sums["record_id"].to_list() == [row["calendarDate"] for row in rows]


def test_a_response_of_connect_agrees_with_itself(samples: Path) -> None:
    """The sum of sleep is Garmin's sleepTimeSeconds, and the offset is that of the clock on the wall."""
    (path,) = samples.glob("connect_*.json")
    told = json.loads(path.read_text())["dailySleepDTO"]
    (row,) = read(path).sessions.iter_rows(named=True)
    assert row["totals"]["asleep_s"] == told["sleepTimeSeconds"] == 24_180
    assert row["offset_start"] == row["offset_end"] == -360
    assert row["end"] - row["start"] == timedelta(seconds=24_180 + told["awakeSleepSeconds"])
