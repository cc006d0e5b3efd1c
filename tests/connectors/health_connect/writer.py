"""Nights as Health Connect exports them: the tables of Android's own schema, and what other apps leave in them."""

import sqlite3
import zipfile
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE

APP: Final = "com.example.sleepwatch"
NUMBER: Final = {WAKE: 1, LIGHT: 4, DEEP: 5, REM: 6}

_COMMON: Final = """row_id INTEGER PRIMARY KEY AUTOINCREMENT, uuid BLOB UNIQUE NOT NULL, last_modified_time INTEGER,
    client_record_id TEXT, client_record_version TEXT, device_info_id INTEGER, app_info_id INTEGER,
    recording_method INTEGER, dedupe_hash BLOB UNIQUE, start_time INTEGER, start_zone_offset INTEGER, end_time INTEGER,
    end_zone_offset INTEGER, local_date INTEGER"""
SCHEMA: Final = f"""
CREATE TABLE android_metadata (locale TEXT);
CREATE TABLE application_info_table (row_id INTEGER PRIMARY KEY AUTOINCREMENT, package_name TEXT NOT NULL UNIQUE,
    app_name TEXT, app_icon BLOB, record_types_used TEXT);
CREATE TABLE device_info_table (row_id INTEGER PRIMARY KEY AUTOINCREMENT, manufacturer TEXT, model TEXT,
    device_type INTEGER);
CREATE TABLE steps_record_table ({_COMMON}, count INTEGER);
CREATE TABLE sleep_session_record_table ({_COMMON},
    local_date_time_start_time INTEGER AS (start_time + 1000 * start_zone_offset),
    local_date_time_end_time INTEGER AS (end_time + 1000 * end_zone_offset), notes TEXT, title TEXT);
CREATE TABLE sleep_stages_table (parent_key INTEGER NOT NULL REFERENCES sleep_session_record_table(row_id)
    ON DELETE CASCADE, stage_start_time INTEGER NOT NULL, stage_end_time INTEGER NOT NULL, stage_type INTEGER NOT NULL);
CREATE INDEX sleep_by_start ON sleep_session_record_table (start_time);
INSERT INTO application_info_table VALUES (1, 'com.example.stepcounter', 'Steps', x'89504e47', '1'),
    (2, '{APP}', 'Sleep Watch', NULL, '38');
INSERT INTO device_info_table VALUES (1, NULL, NULL, 0), (2, 'Example', 'Watch 5', 1);
"""


def milliseconds(instant: datetime) -> int:
    """Epoch milliseconds."""
    return round(instant.timestamp() * 1000)


def add_session(database: sqlite3.Connection, start: int, end: int, **more: object) -> int:
    """Add a row of `sleep_session_record_table`, in epoch milliseconds, and give its `row_id`."""
    row = {
        "uuid": uuid5(NAMESPACE_URL, f"{start}-{end}-{more.get('app_info_id', 2)}").bytes,
        "start_time": start,
        "end_time": end,
        "start_zone_offset": 3600,
        "end_zone_offset": 3600,
        "app_info_id": 2,
        "device_info_id": 2,
        "recording_method": 2,
        "last_modified_time": end + 60_000,
    } | more
    marks = ", ".join("?" * len(row))
    query = f"INSERT INTO sleep_session_record_table ({', '.join(row)}) VALUES ({marks})"
    return int(database.execute(query, tuple(row.values())).lastrowid or 0)


def add_stages(database: sqlite3.Connection, session: int, stages: Sequence[tuple[int, int, int]]) -> None:
    """Add the stages of a session: start, end, both in epoch milliseconds, and number."""
    database.executemany("INSERT INTO sleep_stages_table VALUES (?, ?, ?, ?)", [(session, *one) for one in stages])


def write_database(nights: Sequence[Night], folder: Path) -> Path:
    """Write the bare database."""
    path = folder / "health_connect_export.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(SCHEMA)
        database.execute("INSERT INTO steps_record_table (uuid, app_info_id, count) VALUES (x'01', 1, 4021)")
        for night in nights:
            offsets = [(night.local(at).utcoffset()) for at in (night.start, night.end)]
            first, last = (int(offset.total_seconds()) for offset in offsets if offset is not None)
            start, end = milliseconds(night.start), milliseconds(night.end)
            session = add_session(database, start, end, start_zone_offset=first, end_zone_offset=last)
            pieces = [(milliseconds(a), milliseconds(b), NUMBER[stage]) for a, b, stage in night.pieces]
            add_stages(database, session, pieces)
    database.close()
    return path


def write_zip(nights: Sequence[Night], folder: Path) -> Path:
    """Write what the phone saves: the database in a zip."""
    database = write_database(nights, folder)
    path = folder / "Health Connect.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(database, database.name)
    database.unlink()
    return path


_CARRIES: Final = ("sol_min", "tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min")

WRITTEN: Final = tuple(
    Written(connector="health_connect", form="database", write=write, carries=_CARRIES, latency_source="stages")
    for write in (write_database, write_zip)
)
