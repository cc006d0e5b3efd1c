"""Real, public exports, where this machine has them: they are never part of the project."""

from pathlib import Path

import polars as pl
import pytest

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export, fingerprint
from nof1.connect.recognition import recognise

SAMPLES = Path(__file__).parents[3].parent / "shared" / "samples" / "fitbit"

OPTIONS = ReadOptions(zone="America/New_York", zone_source="option")

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no real samples at {SAMPLES}")


@pytest.fixture(scope="module")
def imported() -> Imported:
    """All samples read as one export."""
    with Export(SAMPLES) as export:
        (claim,) = recognise(export, "fitbit")
        return claim.read(OPTIONS)


def minutes(sessions: pl.DataFrame) -> pl.DataFrame:
    """Minutes of each stage, one row a session."""
    pieces = sessions.select("stream", "record_id", "hypnogram").explode("hypnogram").unnest("hypnogram")
    stages = {
        stage: pl.col("seconds").filter(pl.col("stage") == stage).sum() / 60
        for stage in ("wake", "light", "deep", "rem")
    }
    asleep = pl.col("seconds").filter(pl.col("stage").is_in(["light", "deep", "rem", "asleep"])).sum() / 60
    return pieces.group_by("stream", "record_id").agg(**stages, asleep=asleep)


def test_every_real_record_is_accounted_for(imported: Imported) -> None:
    """59 logs of the Web API, and 26 rows of tables in two streams of 13, are accepted without a remark on any."""
    assert (imported.read, imported.merged, imported.rejected) == (85, 0, ())
    streams = dict(imported.sessions.group_by("stream").len().iter_rows())
    assert streams == {"fitbit/legacy": 59, "fitbit/sleep_stages_v1": 13, "fitbit/sleep_stages_v2": 13}
    assert imported.warnings == ("10 Web API responses without sleep.",)


def test_the_overlay_gives_fitbits_own_minutes(imported: Imported) -> None:
    """After the overlay every stage agrees with Fitbit's summary within a minute, on all staged nights but one."""
    staged = imported.sessions.filter(stream="fitbit/legacy", staging="stages").unnest("totals")
    both = staged.join(minutes(staged), on=["stream", "record_id"])
    off = [
        (pl.col(stage) - pl.col(f"{stage}_s") / 60).abs() > 1 for stage in ("wake", "light", "deep", "rem", "asleep")
    ]
    assert both.height == 56
    assert both.filter(pl.any_horizontal(off)).height <= 1


def test_the_tables_agree_with_googles_minutes_asleep(imported: Imported) -> None:
    """Stages of the tables add up to the vendor's minutes asleep, within a minute of rounding."""
    tables = imported.sessions.filter(pl.col("stream") != "fitbit/legacy").unnest("totals")
    both = tables.join(minutes(tables), on=["stream", "record_id"])
    staged = both.filter(staging="stages")
    assert both.height == 26
    assert staged.filter((pl.col("asleep") - pl.col("asleep_s") / 60).abs() > 1).is_empty()


def test_no_real_zero_became_a_latency(imported: Imported) -> None:
    """Not one of these records knows a latency, and not one is given one."""
    assert imported.sessions["vendor_sol_s"].null_count() == imported.sessions.height


def test_reading_twice_gives_the_same_table_and_fingerprint(imported: Imported) -> None:
    """Reading is repeatable."""
    with Export(SAMPLES) as one, Export(SAMPLES) as two:
        first, second = (recognise(export, "fitbit")[0] for export in (one, two))
        assert first.read(OPTIONS).sessions.equals(imported.sessions)
        assert fingerprint(first.members) == fingerprint(second.members)
