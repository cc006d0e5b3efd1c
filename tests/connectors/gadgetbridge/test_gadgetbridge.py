"""Gadgetbridge: four families of devices, each with its own sense of when a stage begins."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.connectors.gadgetbridge.writer import SCHEMA

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1_connectors.gadgetbridge.parse import (
    CMF,
    COLMI,
    XIAOMI,
    Bounds,
    Device,
    Family,
    Mark,
    outside,
    pair_events,
    parse_sleep,
)

EXPORTS = Path(__file__).parent / "exports"
OPTIONS = ReadOptions(participant="P07", zone="Europe/Berlin", zone_source="option")
MIDNIGHT = 1742857200000
MINUTE = 60_000
MARKS = [Mark(MIDNIGHT, 3), Mark(MIDNIGHT + 60 * MINUTE, 2)]

type Read = Callable[[str], Imported]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Fill a database with rows, and read it as an export."""

    def read_filled(rows: str) -> Imported:
        path = tmp_path / "Gadgetbridge"
        with closing(sqlite3.connect(path)) as database, database:
            database.executescript(SCHEMA + rows)
        database.close()
        with Export(path) as export:
            (claim,) = recognise(export, "gadgetbridge", untested_ok=True)
            return claim.read(OPTIONS)

    return read_filled


@pytest.fixture
def sample(read: Read) -> Imported:
    """What the sample holds."""
    return read((EXPORTS / "nights.sql").read_text())


def hypnogram(imported: Imported, row: int) -> list[tuple[int, int, str, str]]:
    """The pieces of a session, in minutes."""
    pieces = imported.sessions["hypnogram"][row]
    return [(p["start_s"] / 60, p["seconds"] / 60, p["stage"], p["label"]) for p in pieces.to_list()]


def test_xiaomi_stages_hold_until_the_next(sample: Imported) -> None:
    """Each row says when a stage begins, and the last one lasts until the wake-up time of the sleep."""
    assert hypnogram(sample, 0) == [
        (0, 60, "light", "light"),
        (60, 60, "deep", "deep"),
        (120, 60, "rem", "rem"),
        (180, 10, "wake", "awake"),
        (190, 10, "wake", "not_sleep"),
        (200, 10, "unscored", "n/a"),
        (210, 150, "light", "light"),
    ]


def test_garmin_stages_hold_since_the_last(sample: Imported) -> None:
    """Each row says when a stage ended; the first one began with the event that began the sleep."""
    assert hypnogram(sample, 1) == [
        (0, 60, "light", "light"),
        (60, 60, "deep", "deep"),
        (120, 30, "unscored", "unmeasurable"),
        (150, 60, "rem", "rem"),
        (210, 30, "wake", "awake"),
        (240, 60.5, "light", "light"),
    ]


def test_sums_stand_where_stages_are_missing(sample: Imported) -> None:
    """A night of sums is a night of sums; a REM sleep of 0 minutes is one that the band cannot tell."""
    assert sample.sessions["staging"].to_list() == ["stages", "stages", "totals"]
    assert sample.sessions["totals"][2] == {
        "wake_s": 1200, "light_s": 18600, "deep_s": 5400, "rem_s": None, "asleep_s": 24000,
    }  # fmt: skip


def test_everything_is_accounted_for(sample: Imported) -> None:
    """What cannot be used is rejected with its reason, and what is not read is named."""
    assert sample.read == 5
    assert sorted(one.reason for one in sample.rejected) == [
        "it holds neither stages nor totals",
        "only its beginning or only its end is told",
    ]
    assert sample.warnings == (
        "Gadgetbridge: 1 stage of XIAOMI_SLEEP_STAGE_SAMPLE in no sleep that the database tells.",
        "Gadgetbridge: 1 stage of GARMIN_SLEEP_STAGE_SAMPLE in no sleep that the database tells.",
        "Gadgetbridge: nof1 does not read the tables GARMIN_NAP_SAMPLE, HUAMI_EXTENDED_ACTIVITY_SAMPLE, which may hold "
        "sleep.",
    )


def test_each_device_is_a_stream_in_the_stated_zone(sample: Imported) -> None:
    """A night is its device's; the database has no zone; recordings begin with sleep, so that latency is not told."""
    columns = ("stream", "device", "offset_start", "zone_source", "flags")
    assert sample.sessions.select(columns).rows()[:2] == [
        ("gadgetbridge/Band 8 0A1B", "M2239B1", 60, "option", ["starts_at_onset"]),
        ("gadgetbridge/Instinct 2", "Instinct 2", 60, "option", ["starts_at_onset"]),
    ]


def test_a_sleep_that_goes_on_keeps_its_identity() -> None:
    """A night synchronised before the person woke has the id of the whole one, and gives way to it."""
    device = Device("00:00:5E:00:53:01", "Band", None)
    ids = {
        parse_sleep(Bounds(MIDNIGHT, MIDNIGHT + hours * 60 * MINUTE), MARKS, XIAOMI, device, OPTIONS).row["record_id"]
        for hours in (3, 8)
    }
    assert len(ids) == 1


@pytest.mark.parametrize(("family", "unit_s", "three"), [(CMF, 1, "rem"), (COLMI, 60, "deep")])
def test_other_stages_last_as_long_as_told(family: Family, unit_s: int, three: str) -> None:
    """CMF counts a stage in seconds and Colmi in minutes, with numbers of their own; gaps stay gaps."""
    marks = [Mark(MIDNIGHT, 2, 3600 // unit_s), Mark(MIDNIGHT + 90 * MINUTE, 3, 1800 // unit_s)]
    session = parse_sleep(
        Bounds(MIDNIGHT, MIDNIGHT + 120 * MINUTE), marks, family, Device("key", "Ring", None), OPTIONS
    )
    pieces = [(piece["start_s"], piece["seconds"], piece["stage"]) for piece in session.row["hypnogram"]]
    assert pieces == [(0, 3600, "light"), (5400, 1800, three)]
    assert session.row["flags"] == ["incomplete", "starts_at_onset"]
    assert session.row["end"] - session.row["start"] == timedelta(hours=2)


def test_events_pair_in_order() -> None:
    """A second beginning leaves the first without an end, and an end without a beginning stands alone."""
    events = [(1, 1), (2, 0), (3, 0), (4, 1), (5, 0)]
    assert list(pair_events(events)) == [Bounds(None, 1), Bounds(2, None), Bounds(3, 4), Bounds(5, None)]


@given(
    times=st.lists(st.integers(0, 10**7)),
    sleeps=st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7))),
)
def test_stages_in_no_sleep_are_counted(times: list[int], sleeps: list[tuple[int, int]]) -> None:
    """The count agrees with asking every stage of every sleep; the grace after a sleep's end counts as inside."""
    marks = [Mark(at, 3) for at in sorted(times)]
    alone = [at for at in times if not any(start <= at <= end + MINUTE for start, end in sleeps if start <= end)]
    assert outside(marks, [Bounds(*sleep) for sleep in sleeps if sleep[0] <= sleep[1]]) == len(alone)


@pytest.mark.parametrize("value", ["'soon'", "x'ff'", "9223372036854775807", "-1", "1e300", "1742857200"])
def test_a_hostile_value_costs_its_record_alone(read: Read, value: str) -> None:
    """Text, blobs, huge numbers and seconds for milliseconds reject one sleep, and the others are read."""
    hostile = """
        INSERT INTO XIAOMI_SLEEP_TIME_SAMPLE VALUES (1743100000000, 1, 1, ?, 0, 1, 1, 1, 1, 1);
        INSERT INTO XIAOMI_SLEEP_STAGE_SAMPLE VALUES (?, 1, 1, ?);
        INSERT INTO GARMIN_SLEEP_STAGE_SAMPLE VALUES (1742860000001, 2, 1, ?);
    """
    imported = read((EXPORTS / "nights.sql").read_text() + hostile.replace("?", value))
    assert (imported.sessions.height, len(imported.rejected)) == (3, 3)
