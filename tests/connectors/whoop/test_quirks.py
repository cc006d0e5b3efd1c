"""Quirks of WHOOP's records, one at a time."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.nights import NIGHTS
from tests.connectors.whoop import writer

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.errors import DataError
from nof1_connectors.whoop import api, dumps

OPTIONS = ReadOptions(participant="P07", zone="Europe/Berlin", zone_source="option")
NIGHT = NIGHTS[0]


def read(path: Path, options: ReadOptions = OPTIONS) -> Imported:
    """Read an export."""
    with Export(path) as export:
        (claim,) = recognise(export, "whoop", untested_ok=True)
        return claim.read(options)


def read_row(folder: Path, **changed: Any) -> Imported:
    """Read a table of one sleep with some of its cells changed."""
    path = folder / "sleeps.csv"
    path.write_text(writer.table([writer.sleep_row(NIGHT) | changed]))
    return read(path)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Cycle timezone": "Berlin"}, "its timezone 'Berlin' is not an offset from UTC"),
        ({"Cycle timezone": "UTC+99:00"}, "5940 minutes is not an offset from UTC"),
        ({"Sleep onset": "soon"}, "'soon' is not a time"),
        ({"Wake onset": "2025-03-10 20:00:00"}, "it ends before it starts, or lasts no time"),
        ({"Deep (SWS) duration (min)": "much"}, "its deep duration 'much' is not a number of minutes"),
        ({"REM duration (min)": "nan"}, "its rem duration 'nan' is not a number of minutes"),
        ({"Awake duration (min)": -4}, "its awake duration '-4' is not a number of minutes"),
        ({"Asleep duration (min)": 2000}, "its asleep time of 120,000 s does not fit into 24,600 s"),
        ({"Asleep duration (min)": "", "REM duration (min)": ""}, "light, deep and REM sleep is missing"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(tmp_path: Path, cells: dict[str, Any], reason: str) -> None:
    """One bad cell rejects its row, with a reason that names the cell."""
    (rejected,) = read_row(tmp_path, **cells).rejected
    assert reason in rejected.reason


def test_a_row_of_other_width_is_rejected(tmp_path: Path) -> None:
    """A row that was edited by hand does not shift its cells."""
    path = tmp_path / "sleeps.csv"
    path.write_text(writer.table([writer.sleep_row(NIGHT)]).rstrip("\n") + ",7\n")
    (rejected,) = read(path).rejected
    assert rejected.reason == "its row does not have the fields of the header"


def test_without_a_timezone_the_stated_zone_places_a_row(tmp_path: Path) -> None:
    """A blank Cycle timezone leaves the wall clock, which the participant's zone explains."""
    (row,) = read_row(tmp_path, **{"Cycle timezone": ""}).sessions.iter_rows(named=True)
    assert (row["start"], row["offset_start"], row["zone_source"]) == (NIGHT.start, 60, "option")


def test_a_row_without_a_timezone_is_one_record_in_any_zone(tmp_path: Path) -> None:
    """Where the person was when the export was read tells nothing of which sleep it is; another sleep is another."""
    blank = {"Cycle timezone": ""}
    (here,) = read_row(tmp_path, **blank).sessions["record_id"]
    there = read(tmp_path / "sleeps.csv", replace(OPTIONS, zone="America/New_York"))
    assert there.sessions["record_id"].to_list() == [here]
    (other,) = read_row(tmp_path, **blank, **{"Wake onset": "2025-03-11 06:30:00"}).sessions["record_id"]
    assert other != here


def test_a_blank_nap_is_nobodys_word(tmp_path: Path) -> None:
    """Where WHOOP does not say whether it was a nap, nof1 does not either."""
    assert read_row(tmp_path, Nap="").sessions["kind"].to_list() == ["unknown"]


def test_header_case_does_not_matter(tmp_path: Path) -> None:
    """Headers have changed their case before."""
    path = tmp_path / "sleeps.csv"
    header, _, rows = writer.table([writer.sleep_row(NIGHT)]).partition("\n")
    path.write_text(f"\ufeff{header.upper()}\n{rows}", encoding="utf-8")
    assert read(path).sessions["totals"].struct.field("deep_s").to_list() == [70 * 60]


def test_a_table_in_another_language_is_told_about(tmp_path: Path) -> None:
    """A sleeps.csv whose headers nobody knows does not vanish beside a table that is read."""
    writer.write_cycles([NIGHT], tmp_path)
    (tmp_path / "sleeps.csv").write_text("Zyklusbeginn,Zykluszeitzone,Schlafbeginn\n1,2,3\n")
    with Export(tmp_path) as export:
        (claim,) = recognise(export, "whoop", untested_ok=True)
    assert [name for name, _ in claim.skipped] == ["sleeps.csv"]


def test_a_sleep_and_its_cycle_that_differ_are_one_session(tmp_path: Path) -> None:
    """The two tables tell one sleep; where they differ one telling stands, and that is said."""
    (tmp_path / "sleeps.csv").write_text(writer.table([writer.sleep_row(NIGHT)]))
    cycle = writer.cycle_row(NIGHT) | {"Awake duration (min)": 31}
    (tmp_path / "physiological_cycles.csv").write_text(writer.table([cycle]))
    imported = read(tmp_path)
    assert (imported.sessions.height, imported.merged) == (1, 1)
    assert imported.warnings[0].startswith("1 session in versions that differ")


def test_other_collections_of_the_api_are_not_sleep(tmp_path: Path) -> None:
    """Recoveries and workouts have a score_state too."""
    recovery = {"cycle_id": 1, "sleep_id": 2, "score_state": "SCORED", "score": {"recovery_score": 44}}
    (tmp_path / "recovery.json").write_text(json.dumps({"records": [recovery]}))
    with pytest.raises(DataError, match="holds no sleep that nof1 knows"):
        read(tmp_path / "recovery.json")


@pytest.mark.parametrize("record", [None, 7, "sleep", [], {}, {"id": True, "start": "x", "end": "y"}])
def test_what_is_not_a_sleep_is_refused(record: object) -> None:
    """Anything else in the place of a sleep is refused as such, in both forms."""
    with pytest.raises(ValueError, match="it is not a sleep of the WHOOP API"):
        api.parse_sleep(record, OPTIONS)
    with pytest.raises(ValueError, match="it is not a sleep of the WHOOP app"):
        dumps.parse_sleep(record, OPTIONS)


@pytest.mark.parametrize("during", ["", "[)", "['2025-03-10T22:00:00Z')", "2025-03-10", "['a','b')"])
def test_a_range_that_is_none_is_refused(during: str) -> None:
    """A sleep without two bounds has no place."""
    sleep = writer.dumped_cycle(NIGHT, 1)["sleeps"][0] | {"during": during}
    with pytest.raises(ValueError, match=r"are not a range|is not a time"):
        dumps.parse_sleep(sleep, OPTIONS)


def test_sleeps_of_a_dump_are_found_wherever_they_lie() -> None:
    """A list of cycles, one cycle and one sleep by itself are read alike."""
    cycle = writer.dumped_cycle(NIGHT, 1)
    for value in ([cycle], cycle, cycle["sleeps"], cycle["sleeps"][0], {"cycles": [cycle]}):
        assert list(dumps.sleeps_in(value)) == cycle["sleeps"]


def test_a_dump_without_sleeps_says_so(tmp_path: Path) -> None:
    """A file that looks like a dump and holds no sleep is one rejected record."""
    (tmp_path / "d.json").write_text(json.dumps({"x": {"during": "", "quality_duration": 1}}))
    (rejected,) = read(tmp_path / "d.json").rejected
    assert rejected.reason == "no sleep is found in it"
