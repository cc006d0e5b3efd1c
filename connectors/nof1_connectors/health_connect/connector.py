"""Recognise a Health Connect database, and read the sleep that every app wrote into it."""

import re
import sqlite3
from collections import defaultdict
from functools import partial
from typing import ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.ledger import Ledger, counted
from nof1.connect.reading import Member
from nof1.connect.sqlite import Database, open_database
from nof1_connectors.health_connect.parse import Stage, app_name, parse_session, record_id

SESSIONS: Final = "sleep_session_record_table"
STAGES: Final = "sleep_stages_table"
APPS: Final = "application_info_table"
DEVICES: Final = "device_info_table"

_ID: Final = ("row_id",)
_TIMES: Final = ("uuid", "start_time", "end_time", "app_info_id")
_MORE: Final = ("start_zone_offset", "end_zone_offset", "recording_method", "last_modified_time", "device_info_id")


class HealthConnectConnector:
    """The database of Android's scheduled export, alone or in its zip."""

    name: ClassVar[str] = "health_connect"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="Health Connect",
        staging=("stages", "sleep_wake", "totals"),
        latency=("stages",),
        latency_note="depends on the app that wrote the night: many begin at sleep onset",
        zone="record",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="database",
            evidence=f"a database with the tables {SESSIONS} and {STAGES}",
            kind="sqlite",
            matches=lambda head: {SESSIONS, STAGES, APPS} <= head.tables,
            seen=False,
            named=re.compile(r"(^|/)health_connect[^/]*\.db$", re.IGNORECASE),
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every sleep session of every app; a record is a row of `sleep_session_record_table`.

        Raises
        ------
        nof1.errors.DataError
            A database is damaged, or of a version that nof1 does not know.
        """
        ledger = Ledger("health_connect", options)
        warnings = [warning for member in found["database"] for warning in _read(member, ledger, options)]
        return ledger.imported(warnings)


def _read(member: Member, ledger: Ledger, options: ReadOptions) -> list[str]:
    with open_database(member) as database:
        apps = {row["row_id"]: app_name(row["package_name"]) for row in database.rows(APPS, (*_ID, "package_name"))}
        devices = _devices(database)
        stages = _stages(database)
        sessions = list(database.rows(SESSIONS, (*_ID, *_TIMES), _MORE))
    for session in sessions:
        parse = partial(
            parse_session,
            dict(session),
            stages.pop(session["row_id"], []),
            app=apps.get(session["app_info_id"], app_name(None)),
            device=devices.get(session["device_info_id"]),
            options=options,
        )
        ledger.add(f"{member.name}: session {record_id(session['uuid']) or session['row_id']}", parse)
    left = sum(map(len, stages.values()))
    return [f"{member.name}: {counted(left, 'stage')} of sessions that are not there."] if left else []


def _stages(database: Database) -> dict[object, list[Stage]]:
    """Collect the stages of each session, by its `row_id`."""
    stages: dict[object, list[Stage]] = defaultdict(list)
    for row in database.rows(STAGES, ("parent_key", "stage_start_time", "stage_end_time", "stage_type")):
        stages[row["parent_key"]].append(Stage(row["stage_start_time"], row["stage_end_time"], row["stage_type"]))
    return stages


def _devices(database: Database) -> dict[object, str]:
    if not database.columns(DEVICES):
        return {}
    rows = database.rows(DEVICES, _ID, ("manufacturer", "model"))
    return {row["row_id"]: name for row in rows if (name := _device_name(row))}


def _device_name(row: sqlite3.Row) -> str:
    return " ".join(str(part).strip() for part in (row["manufacturer"], row["model"]) if isinstance(part, str))[:100]
