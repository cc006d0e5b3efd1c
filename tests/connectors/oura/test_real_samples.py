"""A real, public response of Oura's API, where this machine has it: it is never part of the project."""

from pathlib import Path

import polars as pl
import pytest

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.sleep.assembly import assemble_nights


@pytest.fixture(scope="module")
def imported(shared_samples: Path) -> Imported:
    """The sample, read."""
    with Export(shared_samples / "oura") as export:
        (claim,) = recognise(export, "oura")
        return claim.read(ReadOptions())


def test_both_sleeps_are_read(imported: Imported) -> None:
    """The night and the evening nap are accepted, each with Oura's latency and the end that it states."""
    assert (imported.read, imported.sessions.height, imported.rejected) == (2, 2, ())
    told = imported.sessions.select("kind", "vendor_sol_s", lasts=pl.col("end") - pl.col("start")).rows()
    assert [(kind, sol, int(lasts.total_seconds())) for kind, sol, lasts in told] == [
        ("nap", 300, 3960),
        ("main", 750, 22254),
    ]


def test_stages_are_within_their_grain_of_ouras_sums(imported: Imported) -> None:
    """After the last step is cut the stages fill the recording; five-minute steps are up to 14 minutes off Oura's."""
    (night,) = imported.sessions.filter(kind="main").iter_rows(named=True)
    seconds = {
        stage: sum(piece["seconds"] for piece in night["hypnogram"] if piece["stage"] == stage)
        for stage in ("wake", "light", "deep", "rem")
    }
    assert seconds == {"wake": 2454, "light": 10200, "deep": 5700, "rem": 3900}
    assert sum(seconds.values()) == 22254
    assert night["totals"] == {"wake_s": 2064, "light_s": 9630, "deep_s": 5850, "rem_s": 4710, "asleep_s": 20190}


def test_the_latency_of_the_night_is_the_vendors(imported: Imported) -> None:
    """12.5 minutes by Oura, where the leading stages would say 15."""
    (night,) = assemble_nights(imported.sessions, latency_source="vendor").iter_rows(named=True)
    assert (night["sol_min"], night["sol_source"]) == (12.5, "vendor")
