"""Small synthetic exports, and exactly the sessions that they give."""

from pathlib import Path
from typing import Any

import pytest

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise

EXPORTS = Path(__file__).parent / "exports"


def read(case: str) -> Imported:
    """Read one of the exports; every record of them brings its own offset."""
    with Export(EXPORTS / case) as export:
        (claim,) = recognise(export, "whoop", untested_ok=True)
        return claim.read(ReadOptions())


def told(row: dict[str, Any]) -> str:
    """A session in one line: its bounds in UTC, its offset, its sums in minutes, its latency, its flags."""
    sums = " ".join(f"{name[:-2]} {seconds // 60}" for name, seconds in row["totals"].items())
    latency = "" if row["vendor_sol_s"] is None else f"; latency {row['vendor_sol_s'] / 60:g}"
    flags = "".join(f"; {flag}" for flag in row["flags"])
    bounds = f"{row['start']:%m-%d %H:%M:%S}-{row['end']:%H:%M:%S} {row['offset_start']} {row['zone_source']}"
    return f"{row['kind']} {bounds}: {sums}{latency}{flags}"


def test_the_export_of_the_app_gives_its_sleeps() -> None:
    """Offsets follow the traveller, naps say so, and what the strap did not measure flags the night."""
    imported = read("app")
    assert [told(row) for row in imported.sessions.iter_rows(named=True)] == [
        "main 06-04 09:12:05-17:12:05 -480 record: wake 43 light 241 deep 98 rem 98 asleep 437",
        "main 06-05 14:50:30-22:21:30 540 record: wake 37 light 190 deep 75 rem 88 asleep 353; incomplete",
        "nap 06-06 05:02:11-05:40:41 540 record: wake 7 light 31 deep 0 rem 0 asleep 31",
    ]
    assert (imported.read, imported.merged, imported.warnings) == (7, 2, ())


def test_blank_rows_are_rejected_with_their_reason() -> None:
    """A sleep without score and a cycle without sleep are no nights of zero minutes."""
    assert [(one.record, one.reason) for one in read("app").rejected] == [
        ("physiological_cycles.csv line 2", "it holds no sleep"),
        ("sleeps.csv line 2", "WHOOP did not score it: it tells no durations"),
    ]


def test_an_export_in_spanish_is_read_alike() -> None:
    """The app translates names and headers to the language of the account."""
    assert [told(row) for row in read("spanish").sessions.iter_rows(named=True)] == [
        "main 06-04 06:12:05-14:12:05 -300 record: wake 43 light 241 deep 98 rem 98 asleep 437",
        "nap 06-04 20:00:00-20:30:00 -300 record: wake 6 light 24 deep 0 rem 0 asleep 24",
    ]


def test_pages_of_the_api_give_scored_sleeps() -> None:
    """Of one sleep told twice the later updated stands, although it is shorter; unscored ones say why not."""
    imported = read("pages.json")
    assert [told(row) for row in imported.sessions.iter_rows(named=True)] == [
        "main 06-04 02:00:00-10:00:00 120 record: wake 30 light 250 deep 110 rem 90 asleep 450",
    ]
    assert (imported.read, imported.merged) == (4, 1)
    assert [one.reason for one in imported.rejected] == [
        "WHOOP did not score it: UNSCORABLE",
        "WHOOP did not score it: PENDING_SCORE",
    ]


def test_a_dump_of_the_app_tells_latency() -> None:
    """A latency of 0, which stands where the person set the window, is missing; others are kept."""
    imported = read("dump.json")
    assert [told(row) for row in imported.sessions.iter_rows(named=True)] == [
        "main 06-04 22:00:00-06:00:00 120 record: wake 40 light 240 deep 100 rem 100 asleep 440; latency 9"
        "; guessed_bedtime",
        "main 06-05 22:30:00-06:00:00 120 record: wake 40 light 220 deep 90 rem 100 asleep 410",
    ]
    assert imported.sessions["algorithm"].unique().to_list() == ["9.1.8.2"]
    assert (imported.read, imported.rejected, imported.warnings) == (2, (), ())


def test_a_dump_of_the_first_generation_is_read_too() -> None:
    """Names in camelCase and bounds in an object mean the same; naps lie beside the sleeps."""
    imported = read("older_dump.json")
    assert [told(row) for row in imported.sessions.iter_rows(named=True)] == [
        "main 03-20 03:00:00-11:00:00 -240 record: wake 60 light 200 deep 120 rem 100 asleep 420; latency 11"
        "; guessed_bedtime",
        "nap 03-20 18:00:00-18:40:00 -240 record: wake 10 light 30 deep 0 rem 0 asleep 30; latency 2; guessed_bedtime",
    ]


@pytest.mark.parametrize("case", ["app", "spanish", "pages.json"])
def test_only_dumps_tell_a_latency(case: str) -> None:
    """The column Sleep onset is the start of the window: nothing of the export or the API becomes a latency."""
    sessions = read(case).sessions
    assert sessions["vendor_sol_s"].null_count() == sessions["in_bed"].null_count() == sessions.height
    assert sessions["staging"].unique().to_list() == ["totals"]
