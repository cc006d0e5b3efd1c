"""Nights as Gadgetbridge stores them: every table is always there, and most are empty."""

import sqlite3
import zipfile
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

_KEY: Final = "TIMESTAMP INTEGER NOT NULL, DEVICE_ID INTEGER NOT NULL, USER_ID INTEGER NOT NULL"
_UNIQUE: Final = "PRIMARY KEY (TIMESTAMP, DEVICE_ID)"
SCHEMA: Final = f"""
PRAGMA user_version = 108;
CREATE TABLE DEVICE (_id INTEGER PRIMARY KEY, NAME TEXT NOT NULL, MANUFACTURER TEXT NOT NULL, IDENTIFIER TEXT UNIQUE,
    TYPE INTEGER NOT NULL, TYPE_NAME TEXT NOT NULL, MODEL TEXT, ALIAS TEXT, PARENT_FOLDER TEXT);
CREATE TABLE USER (_id INTEGER PRIMARY KEY, NAME TEXT NOT NULL, BIRTHDAY INTEGER NOT NULL, GENDER INTEGER NOT NULL);
CREATE TABLE XIAOMI_ACTIVITY_SAMPLE ({_KEY}, RAW_INTENSITY INTEGER, HEART_RATE INTEGER, {_UNIQUE});
CREATE TABLE XIAOMI_SLEEP_TIME_SAMPLE ({_KEY}, WAKEUP_TIME INTEGER, IS_AWAKE INTEGER, TOTAL_DURATION INTEGER,
    DEEP_SLEEP_DURATION INTEGER, LIGHT_SLEEP_DURATION INTEGER, REM_SLEEP_DURATION INTEGER, AWAKE_DURATION INTEGER,
    {_UNIQUE}) WITHOUT ROWID;
CREATE TABLE XIAOMI_SLEEP_STAGE_SAMPLE ({_KEY}, STAGE INTEGER, {_UNIQUE}) WITHOUT ROWID;
CREATE TABLE GARMIN_SLEEP_STAGE_SAMPLE ({_KEY}, STAGE INTEGER NOT NULL, {_UNIQUE}) WITHOUT ROWID;
CREATE TABLE GARMIN_EVENT_SAMPLE ({_KEY}, EVENT INTEGER NOT NULL, EVENT_TYPE INTEGER, DATA INTEGER,
    PRIMARY KEY (TIMESTAMP, DEVICE_ID, EVENT)) WITHOUT ROWID;
CREATE TABLE GARMIN_NAP_SAMPLE ({_KEY}, END_TIMESTAMP INTEGER, {_UNIQUE});
CREATE TABLE CMF_SLEEP_SESSION_SAMPLE ({_KEY}, WAKEUP_TIME INTEGER, METADATA BLOB, {_UNIQUE}) WITHOUT ROWID;
CREATE TABLE CMF_SLEEP_STAGE_SAMPLE ({_KEY}, DURATION INTEGER NOT NULL, STAGE INTEGER NOT NULL, {_UNIQUE});
CREATE TABLE COLMI_SLEEP_SESSION_SAMPLE ({_KEY}, WAKEUP_TIME INTEGER, {_UNIQUE}) WITHOUT ROWID;
CREATE TABLE COLMI_SLEEP_STAGE_SAMPLE ({_KEY}, DURATION INTEGER NOT NULL, STAGE INTEGER NOT NULL, {_UNIQUE});
CREATE TABLE HUAMI_EXTENDED_ACTIVITY_SAMPLE ({_KEY}, RAW_KIND INTEGER, {_UNIQUE});
INSERT INTO DEVICE VALUES (1, 'Band 8 0A1B', 'Xiaomi', '00:00:5E:00:53:01', -1, 'MIBAND8', 'M2239B1', NULL, NULL),
    (2, 'Instinct 2', 'Garmin', '00:00:5E:00:53:02', -1, 'GARMIN_INSTINCT_2', NULL, NULL, NULL),
    (3, 'Watch Pro', 'Nothing', '00:00:5E:00:53:03', -1, 'NOTHING_CMF_WATCH_PRO', NULL, NULL, NULL),
    (4, 'R02_0A1B', 'Colmi', '00:00:5E:00:53:04', -1, 'COLMI_R02', NULL, NULL, NULL);
INSERT INTO USER VALUES (1, 'gadgetbridge-user', 0, 2);
INSERT INTO XIAOMI_ACTIVITY_SAMPLE VALUES (1741600000, 1, 1, 20, 61);
"""
XIAOMI: Final = {DEEP: 2, LIGHT: 3, REM: 4, WAKE: 5}
GARMIN: Final = {WAKE: 1, LIGHT: 2, DEEP: 3, REM: 4}
CMF: Final = {DEEP: 1, LIGHT: 2, REM: 3}
COLMI: Final = {LIGHT: 2, DEEP: 3, REM: 4, WAKE: 5}


def milliseconds(instant: datetime) -> int:
    """Epoch milliseconds."""
    return round(instant.timestamp() * 1000)


def from_onset(night: Night) -> list[tuple[int, int, str]]:
    """The stages that such a device records: it begins with sleep itself."""
    return [(milliseconds(a), milliseconds(b), stage) for a, b, stage in night.pieces[1:]]


def _add_xiaomi(database: sqlite3.Connection, night: Night) -> None:
    minutes = (night.minutes(*SLEEP), night.minutes(DEEP), night.minutes(LIGHT), night.minutes(REM))
    awake = night.minutes(WAKE) - night.stages[0][1]
    sleep = (milliseconds(night.onset), milliseconds(night.end), *minutes, awake)
    database.execute("INSERT INTO XIAOMI_SLEEP_TIME_SAMPLE VALUES (?, 1, 1, ?, 0, ?, ?, ?, ?, ?)", sleep)
    marks = [(start, XIAOMI[stage]) for start, _, stage in from_onset(night)]
    database.executemany("INSERT INTO XIAOMI_SLEEP_STAGE_SAMPLE VALUES (?, 1, 1, ?)", marks)


def _add_garmin(database: sqlite3.Connection, night: Night) -> None:
    events = [(milliseconds(night.onset), 74, 0), (milliseconds(night.end), 74, 1), (milliseconds(night.end), 9, 3)]
    database.executemany("INSERT INTO GARMIN_EVENT_SAMPLE VALUES (?, 2, 1, ?, ?, NULL)", events)
    marks = [(end, GARMIN[stage]) for _, end, stage in from_onset(night)]
    database.executemany("INSERT INTO GARMIN_SLEEP_STAGE_SAMPLE VALUES (?, 2, 1, ?)", marks)


def _add_cmf(database: sqlite3.Connection, night: Night) -> None:
    bounds = (milliseconds(night.onset), milliseconds(night.end))
    database.execute("INSERT INTO CMF_SLEEP_SESSION_SAMPLE VALUES (?, 3, 1, ?, x'00')", bounds)
    marks = [(a, (b - a) // 1000, CMF[stage]) for a, b, stage in from_onset(night) if stage in CMF]
    database.executemany("INSERT INTO CMF_SLEEP_STAGE_SAMPLE VALUES (?, 3, 1, ?, ?)", marks)


def _add_colmi(database: sqlite3.Connection, night: Night) -> None:
    bounds = (milliseconds(night.onset), milliseconds(night.end))
    database.execute("INSERT INTO COLMI_SLEEP_SESSION_SAMPLE VALUES (?, 4, 1, ?)", bounds)
    marks = [(a, (b - a) // 60_000, COLMI[stage]) for a, b, stage in from_onset(night)]
    database.executemany("INSERT INTO COLMI_SLEEP_STAGE_SAMPLE VALUES (?, 4, 1, ?, ?)", marks)


ADD: Final = {"xiaomi": _add_xiaomi, "garmin": _add_garmin, "cmf": _add_cmf, "colmi": _add_colmi}


def write_database(nights: Sequence[Night], folder: Path, family: str = "xiaomi") -> Path:
    """Write the exported database: a file without an extension."""
    path = folder / "Gadgetbridge"
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(SCHEMA)
        for night in nights:
            ADD[family](database, night)
    database.close()
    return path


def write_zip(nights: Sequence[Night], folder: Path) -> Path:
    """Write a full export: the database among settings and files of the watches."""
    database = write_database(nights, folder)
    path = folder / "Gadgetbridge.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(database, "database/Gadgetbridge")
        archive.writestr("gadgetbridge.json", '{"appVersion": "0.86.1"}')
        archive.writestr("preferences/global.json", '{"theme": "dark"}')
    database.unlink()
    return path


_MEASURES: Final = ("tst_min", "light_min", "deep_min", "rem_min")
_FRAMED: Final = (*_MEASURES, "waso_min", "spt_min")

WRITTEN: Final = (
    Written(connector="gadgetbridge", form="database", write=write_database, carries=_FRAMED, latency_source="none"),
    Written(connector="gadgetbridge", form="database", write=write_zip, carries=_FRAMED, latency_source="none"),
    Written(
        connector="gadgetbridge",
        form="database",
        write=lambda nights, folder: write_database(nights, folder, "garmin"),
        carries=_FRAMED,
        latency_source="none",
    ),
    Written(
        connector="gadgetbridge",
        form="database",
        write=lambda nights, folder: write_database(nights, folder, "cmf"),
        carries=_MEASURES,
        latency_source="none",
    ),
    Written(
        connector="gadgetbridge",
        form="database",
        write=lambda nights, folder: write_database(nights, folder, "colmi"),
        carries=_FRAMED,
        latency_source="none",
    ),
)
