"""Real, public Withings exports, where this machine has them: they are never part of the project."""

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.decoding import read_json
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.sleep.assembly import assemble_nights


@pytest.fixture(scope="module")
def imported(shared_samples: Path) -> Imported:
    """All samples read as one export."""
    with Export(shared_samples / "withings") as export:
        (claim,) = recognise(export, "withings")
        return claim.read(ReadOptions())


@pytest.fixture(scope="module")
def told(shared_samples: Path) -> dict[str, dict[str, Any]]:
    """Withings' own figures of the summaries, by record id."""
    with Export(shared_samples / "withings" / "api_v2_sleep_summary.json") as export:
        series = read_json(export.members[0])["body"]["series"]
    return {str(one["id"]): one["data"] for one in series}


def test_every_real_record_is_accounted_for(imported: Imported) -> None:
    """300 summaries and 6 rows are accepted; 613 states join 8 of the nights, and 4 blocks of the watch join none."""
    assert (imported.read, imported.sessions.height, imported.merged, imported.rejected) == (306, 306, 0, ())
    assert dict(imported.sessions.group_by("stream").len().iter_rows()) == {"withings/bed": 300, "withings/unknown": 6}
    assert imported.warnings == (
        "4 blocks of states outside every night, left out.",
        "1 session with a latency that leaves no room for its sleep; it counts as missing "
        "(first: api_v2_sleep_summary.json: record from 1625085039).",
        "1 session with states that do not add up to its sums; only the sums are kept "
        "(first: api_v2_sleep_summary.json: record from 1619296237).",
        "298 sessions with totals and no stages (first: api_v2_sleep_summary.json: record from 1615152642).",
    )


def test_states_agree_with_withings_figures_to_the_second(imported: Imported, told: dict[str, dict[str, Any]]) -> None:
    """On all seven nights with states, stages, sleep, wake after onset and latency are Withings' own."""
    staged = imported.sessions.filter(pl.col("hypnogram").list.len() > 0)
    nights = assemble_nights(staged, latency_source="in_bed")
    ids = dict(staged.select("start", "record_id").iter_rows())
    assert nights.height == 7
    for night in nights.iter_rows(named=True):
        figures = told[ids[night["start"]]]
        assert {name: 60 * night[name] for name in ("light_min", "deep_min", "rem_min", "tst_min", "waso_min")} == {
            "light_min": figures["lightsleepduration"],
            "deep_min": figures["deepsleepduration"],
            "rem_min": figures["remsleepduration"],
            "tst_min": figures["total_sleep_time"],
            "waso_min": pytest.approx(figures["waso"]),
        }
        assert 60 * night["sol_min"] == figures["sleep_latency"]


def test_every_sum_and_latency_is_withings_own(imported: Imported, told: dict[str, dict[str, Any]]) -> None:
    """On all 300 nights the sums are the fields, and the latency too, but for the one that cannot be."""
    bed = imported.sessions.filter(stream="withings/bed")
    latencies = {record: sol for record, sol in bed.select("record_id", "vendor_sol_s").iter_rows() if sol is not None}
    assert len(latencies) == 299
    assert latencies == {record: told[record]["sleep_latency"] for record in latencies}
    deep = dict(bed.select("record_id", pl.col("totals").struct.field("deep_s")).iter_rows())
    assert deep == {record: figures["deepsleepduration"] for record, figures in told.items()}


def test_the_account_export_tells_latency(imported: Imported) -> None:
    """Six nights of sleep.csv: latency as "Duration to sleep" says, at the offset of the person."""
    rows = imported.sessions.filter(stream="withings/unknown")
    assert rows["vendor_sol_s"].to_list() == [660, 780, 1200, 780, 1020, 1320]
    assert rows["offset_start"].unique().to_list() == [480]
    assert rows["totals"].struct.field("deep_s").to_list() == [5460, 6840, 4320, 7020, 1260, 0]


def test_states_alone_are_sessions_between_silences(shared_samples: Path) -> None:
    """The 613 states alone make the same seven nights; the minute at the end of the answer is no night."""
    with Export(shared_samples / "withings" / "api_v2_sleep_get.json") as export:
        (claim,) = recognise(export, "withings")
        alone = claim.read(ReadOptions(zone="Europe/Paris", zone_source="option"))
    assert (alone.read, alone.sessions.height) == (8, 7)
    assert [one.reason for one in alone.rejected] == ["it holds no sleep, and no summary says that it was a night"]
    nights = assemble_nights(alone.sessions, latency_source="in_bed")
    assert nights["sol_min"].to_list() == [9, 25, 15, 23, 24, 26, 14]
    assert nights["start"][0] == datetime.fromisoformat("2021-04-17T20:30:53+00:00")
