"""Real, public exports, where this machine has them: they are never part of the project."""

from pathlib import Path

import polars as pl
import pytest
from tests.connectors.sleep_as_android.conftest import read_path


@pytest.fixture(scope="module")
def samples(shared_samples: Path) -> Path:
    """The folder of Sleep as Android's samples."""
    folder = shared_samples / "sleep-as-android"
    if not folder.is_dir():
        pytest.skip(f"no real samples at {folder}")
    return folder


def test_an_export_without_events_keeps_every_length(samples: Path) -> None:
    """332 records of seven values each, in a zone that does not exist, are 332 sessions of their whole length."""
    imported = read_path(samples / "sleep-export_2018.csv")
    assert (imported.read, imported.sessions.height, imported.rejected) == (332, 332, ())
    asleep_h = imported.sessions["totals"].struct.field("asleep_s") / 3600
    assert (round(asleep_h.min(), 2), round(asleep_h.max(), 2)) == (0.08, 14.33)
    assert imported.sessions["zone_source"].unique().to_list() == ["option"]
    assert imported.warnings[0].startswith("332 sessions with a length and nothing else")


def test_a_backup_archive_is_read_as_it_is(samples: Path) -> None:
    """Nine records: two typed by hand, one with a stage and a pause; that one agrees with the app's own sleep time."""
    imported = read_path(samples / "sleep-export.1606736472.zip")
    assert (imported.read, imported.sessions.height, imported.rejected) == (9, 9, ())
    assert imported.sessions.filter(pl.col("flags").list.contains("manual")).height == 2
    (staged,) = imported.sessions.filter(staging="stages").iter_rows(named=True)
    light_s = sum(piece["seconds"] for piece in staged["hypnogram"] if piece["stage"] == "light")
    paused_s = sum(piece["seconds"] for piece in staged["hypnogram"] if piece["label"] == "TRACKING_PAUSED")
    assert light_s + paused_s == staged["totals"]["asleep_s"] == round(0.61 * 3600)
    assert (staged["zone"], staged["flags"]) == ("Europe/London", ["starts_at_onset"])
