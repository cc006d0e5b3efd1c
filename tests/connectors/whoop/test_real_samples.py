"""Real, public exports, where this machine has them: they are never part of the project."""

from pathlib import Path

import polars as pl
import pytest

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise


def read(path: Path) -> Imported:
    """Read one sample, whose rows bring their offsets."""
    with Export(path) as export:
        (claim,) = recognise(export, "whoop")
        return claim.read(ReadOptions())


@pytest.fixture(scope="module")
def imported(shared_samples: Path) -> Imported:
    """The real table of sleeps."""
    return read(shared_samples / "whoop" / "sleeps.csv")


@pytest.fixture(scope="module")
def rows(shared_samples: Path) -> pl.DataFrame:
    """The scored rows of that table as they stand, in order of time."""
    table = pl.read_csv(shared_samples / "whoop" / "sleeps.csv", try_parse_dates=True)
    offset = pl.col("Cycle timezone").str.extract(r"UTC([+-]\d\d)").cast(pl.Int64)
    utc = pl.col("Sleep onset") - pl.duration(hours=offset)
    return table.drop_nulls("Asleep duration (min)").sort(utc)


def test_every_row_is_accounted_for(imported: Imported) -> None:
    """Of 409 rows one was never scored; 44 are naps; the rest are nights."""
    assert (imported.read, imported.sessions.height, imported.merged) == (409, 408, 0)
    assert [one.reason for one in imported.rejected] == ["WHOOP did not score it: it tells no durations"]
    assert dict(imported.sessions.group_by("kind").len().iter_rows()) == {"main": 364, "nap": 44}


def test_the_sums_are_the_vendors(imported: Imported, rows: pl.DataFrame) -> None:
    """Stages add up to Asleep in every row, and Asleep with Awake to In bed in all but one."""
    sums = imported.sessions.unnest("totals")
    minutes = {
        "asleep_s": "Asleep",
        "light_s": "Light sleep",
        "deep_s": "Deep (SWS)",
        "rem_s": "REM",
        "wake_s": "Awake",
    }
    for column, name in minutes.items():
        assert (sums[column] / 60).to_list() == rows[f"{name} duration (min)"].to_list()
    assert (sums["asleep_s"] == sums["light_s"] + sums["deep_s"] + sums["rem_s"]).all()
    assert ((sums["asleep_s"] + sums["wake_s"]) / 60 != rows["In bed duration (min)"]).sum() == 1


def test_no_window_became_a_latency(imported: Imported) -> None:
    """The column Sleep onset is the start of the window, and nothing is made of it."""
    assert imported.sessions["vendor_sol_s"].null_count() == imported.sessions.height
    assert imported.sessions["in_bed_source"].unique().to_list() == ["none"]


def test_travel_is_kept_with_each_night(imported: Imported) -> None:
    """Each row has the offset of its own cycle."""
    offsets = dict(imported.sessions.group_by("offset_start").len().iter_rows())
    assert offsets == {-420: 231, -480: 158, 540: 19}


def test_the_tables_of_an_export_tell_the_same_nights(shared_samples: Path) -> None:
    """60 sleeps and 60 cycles of the published fixture are 60 sessions, without a difference."""
    imported = read(shared_samples / "whoop" / "whoop_export_fixture_synthetic.zip")
    assert (imported.read, imported.sessions.height, imported.merged, imported.warnings) == (120, 60, 60, ())
