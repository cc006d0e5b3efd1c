"""Health Connect: every app's sleep, each in its own stream."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.health_connect.writer import SCHEMA, add_session, add_stages

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.errors import DataError, UsageError

EXPORTS = Path(__file__).parent / "exports"
START = 1742853600000  # 2025-03-24 23:00 in Berlin
HOUR = 3_600_000

type Fill = Callable[[sqlite3.Connection], object]
type Read = Callable[[Fill], Imported]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Fill a database, and read it as an export."""

    def read_filled(fill: Fill) -> Imported:
        path = tmp_path / "health_connect_export.db"
        with closing(sqlite3.connect(path)) as database, database:
            database.executescript(SCHEMA)
            fill(database)
        database.close()
        with Export(path) as export:
            (claim,) = recognise(export, "health_connect", untested_ok=True)
            return claim.read(ReadOptions(participant="P07", zone="Europe/Berlin", zone_source="option"))

    return read_filled


def only(imported: Imported) -> dict[str, Any]:
    """The only session."""
    assert imported.sessions.height == 1, imported.rejected
    return imported.sessions.row(0, named=True)


def test_the_sample_gives_its_sessions(read: Read) -> None:
    """A staged night, a nap without stages, a night of another app, a bad record, a stage left over."""
    imported = read(lambda database: database.executescript((EXPORTS / "nights.sql").read_text()))
    staged, other, nap = imported.sessions.iter_rows(named=True)
    assert imported.read == 4
    assert [one.reason for one in imported.rejected] == ["it ends before it starts, or lasts no time"]
    assert [(one["start_s"], one["seconds"], one["stage"], one["label"]) for one in staged.pop("hypnogram")] == [
        (0, 900, "wake", "awake_in_bed"),
        (900, 6300, "deep", "deep"),
        (7200, 4800, "rem", "rem"),
        (15600, 3600, "unscored", "stage 9"),
        (19200, 9600, "light", "light"),
    ]
    assert staged == {
        "participant": "P07",
        "source": "health_connect",
        "stream": "health_connect/com.example.sleepwatch",
        "record_id": "00112233445566778899aabbccddeeff",
        "device": "Example Watch 5",
        "algorithm": None,
        "start": datetime(2025, 3, 24, 22, tzinfo=UTC),
        "end": datetime(2025, 3, 25, 6, tzinfo=UTC),
        "offset_start": 60,
        "offset_end": 60,
        "zone": None,
        "zone_source": "record",
        "kind": "unknown",
        "staging": "stages",
        "totals": None,
        "in_bed": None,
        "in_bed_source": "none",
        "vendor_sol_s": None,
        "updated": datetime(2025, 3, 25, 5, 20, tzinfo=UTC),
        "flags": ["incomplete"],
    }
    assert (nap["stream"], nap["staging"]) == ("health_connect/com.example.sleepwatch/without stages", "totals")
    assert (nap["totals"]["asleep_s"], nap["totals"]["wake_s"], nap["flags"]) == (3600, None, ["manual"])
    assert (other["stream"], other["staging"]) == ("health_connect/com.garmin.android.apps.connectmobile", "sleep_wake")
    assert (other["zone"], other["zone_source"], other["flags"]) == ("Europe/Berlin", "option", ["starts_at_onset"])
    assert imported.warnings == (
        "health_connect_export.db: 1 stage of sessions that are not there.",
        "1 session with bounds and no stages; all of it counts as sleep, as in Health Connect (first: "
        "health_connect_export.db: session 10112233445566778899aabbccddeeff).",
        "1 session with the unknown label 'stage 9'; that time is kept as unscored (first: health_connect_export.db: "
        "session 00112233445566778899aabbccddeeff).",
    )


def test_every_number_of_a_stage_has_its_meaning(read: Read) -> None:
    """Out of bed and awake in bed are wake, sleeping is sleep that was not staged, unknown is not scored."""

    def fill(database: sqlite3.Connection) -> None:
        session = add_session(database, START, START + 8 * HOUR)
        add_stages(database, session, [(START + i * HOUR, START + (i + 1) * HOUR, i) for i in range(8)])

    imported = read(fill)
    stages = [piece["stage"] for piece in only(imported)["hypnogram"]]
    assert stages == ["unscored", "wake", "asleep", "wake", "light", "deep", "rem", "wake"]
    assert imported.warnings == ()


@pytest.mark.parametrize(
    ("stages", "reason"),
    [
        ([(0, 2, 4), (1, 3, 5)], "overlap"),
        ([(-1, 2, 4)], "begin before it does"),
        ([(1, 9, 4)], "its stages last 32,400 s, and it lasts 28,800 s"),
        ([(3, 2, 4)], "ends before it starts"),
    ],
)
def test_stages_that_no_phone_exports_refuse_the_session(
    read: Read, stages: list[tuple[int, int, int]], reason: str
) -> None:
    """Health Connect keeps stages apart and inside their session; anything else is damage."""

    def fill(database: sqlite3.Connection) -> None:
        session = add_session(database, START, START + 8 * HOUR)
        add_stages(database, session, [(START + a * HOUR, START + b * HOUR, number) for a, b, number in stages])

    (rejected,) = read(fill).rejected
    assert reason in rejected.reason


@pytest.mark.parametrize(
    "bad",
    [
        {"start_time": "yesterday"},
        {"start_time": b"\xff"},
        {"end_time": 9_223_372_036_854_775_807},
        {"start_time": float("inf")},
        {"start_zone_offset": 3_600_000},
        {"start_time": -1},
    ],
)
def test_a_hostile_value_costs_its_record_alone(read: Read, bad: dict[str, object]) -> None:
    """Text, blobs, infinities and offsets in milliseconds reject one record, and the next is read."""

    def fill(database: sqlite3.Connection) -> None:
        for values in (bad, {"uuid": b"\x01", "start_time": START - 48 * HOUR, "end_time": START - 40 * HOUR}):
            session = add_session(database, START, START + 8 * HOUR, **values)
            add_stages(database, session, [(START - 48 * HOUR, START - 40 * HOUR, 4)] if "uuid" in values else [])

    imported = read(fill)
    assert (imported.sessions.height, len(imported.rejected)) == (1, 1)


def test_a_record_without_id_is_known_by_its_bounds(read: Read) -> None:
    """Where the uuid is no blob, app and bounds make the id, whatever else changes."""

    def fill(database: sqlite3.Connection) -> None:
        for row, modified in ((7, 0), (8, 1)):
            more = {"row_id": row, "uuid": f"text {row}", "last_modified_time": modified, "app_info_id": b"?"}
            session = add_session(database, START, START + HOUR, **more)
            add_stages(database, session, [(START, START + HOUR, 4)])

    imported = read(fill)
    assert only(imported)["stream"] == "health_connect/unknown"
    assert (imported.read, imported.merged) == (2, 1)


def test_columns_may_be_missing(tmp_path: Path) -> None:
    """An older database without offsets, devices and methods is read; one without times says which column it lacks."""
    path = tmp_path / "old.db"
    options = ReadOptions(participant="P07", zone="Europe/Berlin", zone_source="option")
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript("""
            CREATE TABLE application_info_table (row_id INTEGER PRIMARY KEY, package_name TEXT);
            CREATE TABLE sleep_session_record_table (row_id INTEGER PRIMARY KEY, uuid BLOB, start_time INTEGER,
                end_time INTEGER, app_info_id INTEGER);
            CREATE TABLE sleep_stages_table (parent_key INTEGER, stage_start_time INTEGER, stage_end_time INTEGER,
                stage_type INTEGER);
            INSERT INTO sleep_session_record_table VALUES (1, x'01', 1742853600000, 1742882400000, NULL);
            INSERT INTO sleep_stages_table VALUES (1, 1742853600000, 1742882400000, 2);
        """)
    with Export(path) as export:
        (claim,) = recognise(export, "health_connect", untested_ok=True)
    assert claim.read(options).sessions["offset_start"].to_list() == [60]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("ALTER TABLE sleep_session_record_table RENAME COLUMN end_time TO ends")
    with Export(path) as export:
        (claim,) = recognise(export, "health_connect", untested_ok=True)
    with pytest.raises(DataError, match="no column 'end_time'"):
        claim.read(options)


def test_a_database_is_only_read_when_asked_twice(tmp_path: Path) -> None:
    """No real export has been met, so that the person is asked for --untested-ok."""
    path = tmp_path / "export.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(SCHEMA)
    database.close()
    with Export(path) as export, pytest.raises(UsageError, match="--untested-ok"):
        recognise(export)


def test_a_damaged_database_is_called_damaged(tmp_path: Path) -> None:
    """Half a database is not taken for a stranger's file."""
    path = tmp_path / "health_connect_export.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(SCHEMA)
    database.close()
    path.write_bytes(path.read_bytes()[:6000])
    with Export(path) as export, pytest.raises(DataError, match="damaged database"):
        recognise(export, untested_ok=True)


def test_a_script_is_no_export(tmp_path: Path) -> None:
    """Statements that would make such a database are not one."""
    path = tmp_path / "health_connect_export.sql"
    path.write_text(SCHEMA)
    with Export(path) as export, pytest.raises(DataError, match="holds no sleep that nof1 knows"):
        recognise(export, untested_ok=True)


def test_the_schema_of_the_sources_is_read(shared_samples: Path, tmp_path: Path) -> None:
    """The script made from Android's own sources builds a database that is read whole; itself it is refused."""
    (script,) = (shared_samples / "health-connect").glob("*.sql")
    with Export(script) as export, pytest.raises(DataError, match="holds no sleep that nof1 knows"):
        recognise(export, untested_ok=True)
    path = tmp_path / "health_connect_export.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(script.read_text())
    database.close()
    with Export(path) as export:
        (claim,) = recognise(export, "health_connect", untested_ok=True)
        session = only(claim.read(ReadOptions()))
    pieces = session["hypnogram"]
    assert session["stream"] == "health_connect/com.sec.android.app.shealth"
    assert (session["offset_start"], session["device"]) == (60, "samsung SM-R960")
    assert sum(piece["seconds"] for piece in pieces) == (session["end"] - session["start"]).total_seconds() == 26400
    assert sum(piece["seconds"] for piece in pieces if piece["stage"] == "deep") == 3600
