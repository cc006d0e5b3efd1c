"""Recognise a Gadgetbridge database, and read the sleep of every device in it."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger, counted
from nof1.connect.reading import Member
from nof1.connect.sqlite import Database, open_database
from nof1_connectors.gadgetbridge.parse import (
    FAMILIES,
    GARMIN,
    Bounds,
    Device,
    Family,
    Mark,
    outside,
    pair_events,
    parse_sleep,
)

NOT_READ: Final = (
    "GARMIN_NAP_SAMPLE",
    "GENERIC_SLEEP_STAGE_SAMPLE",
    "HPLUS_HEALTH_ACTIVITY_OVERLAY",
    "HUAMI_EXTENDED_ACTIVITY_SAMPLE",
    "HUAMI_SLEEP_SESSION_SAMPLE",
    "HUAWEI_SLEEP_STAGE_SAMPLE",
    "HUAWEI_SLEEP_STATS_SAMPLE",
    "LEFUN_SLEEP_SAMPLE",
    "MI_BAND_ACTIVITY_SAMPLE",
    "PEBBLE_HEALTH_ACTIVITY_OVERLAY",
)
"""Tables that may hold sleep of other devices, or naps without stages."""
SLEEP_EVENT: Final = 74
"""The number of sleep among the events of a Garmin watch."""


def _is_gadgetbridge(head: Head) -> bool:
    known = {family.stages.lower() for family in FAMILIES} | {table.lower() for table in NOT_READ}
    return {"device", "user"} <= head.tables and not known.isdisjoint(head.tables)


class GadgetbridgeConnector:
    """The exported database, alone or in the zip of a full export."""

    name: ClassVar[str] = "gadgetbridge"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="Gadgetbridge",
        staging=("stages", "totals"),
        latency=(),
        latency_note="its devices begin their recordings with sleep itself",
        zone="none",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="database",
            evidence="a database with the tables DEVICE, USER and those of sleep",
            kind="sqlite",
            matches=_is_gadgetbridge,
            seen=False,
            named=re.compile(r"(^|/)Gadgetbridge[^/]*$"),
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read the sleep of every device; a record is a row of bounds, or a Garmin watch's pair of events.

        Raises
        ------
        nof1.errors.DataError
            A database is damaged, or of a version that nof1 does not know.
        """
        ledger = Ledger("gadgetbridge", options)
        warnings = [warning for member in found["database"] for warning in _read(member, ledger, options)]
        return ledger.imported(warnings)


def _read(member: Member, ledger: Ledger, options: ReadOptions) -> list[str]:
    with open_database(member) as database:
        rows = database.rows("DEVICE", ("_id",), ("NAME", "IDENTIFIER", "MODEL"))
        devices = {row["_id"]: _device(row) for row in rows}
        told = [_tell(database, family) for family in FAMILIES]
        not_read = [table for table in NOT_READ if database.has_rows(table)]
    warnings = []
    for one in told:
        for device_id, bounds in one.sleeps:
            device = devices.get(device_id) or Device(str(device_id), f"device {str(device_id)[:20]}", None)
            where = f"{member.name}: {one.family.name} sleep of {str(bounds.start or bounds.end)[:20]}"
            ledger.add(where, partial(parse_sleep, bounds, one.marks.get(device_id, []), one.family, device, options))
        if left := one.left_over():
            stages = f"{counted(left, 'stage')} of {one.family.stages}"
            warnings.append(f"{member.name}: {stages} in no sleep that the database tells.")
    if not_read:
        warnings.append(f"{member.name}: nof1 does not read the tables {', '.join(not_read)}, which may hold sleep.")
    return warnings


@dataclass(frozen=True, slots=True)
class _Told:
    """What a database tells of one family: the bounds of sleeps and the sorted stages, by the device's number.

    `misplaced` counts the stages whose time is no number.
    """

    family: Family
    sleeps: list[tuple[object, Bounds]]
    marks: dict[object, list[Mark]]
    misplaced: int

    def left_over(self) -> int:
        """Count the stages that lie in no sleep."""
        sleeps: dict[object, list[Bounds]] = defaultdict(list)
        for device_id, bounds in self.sleeps:
            sleeps[device_id].append(bounds)
        return self.misplaced + sum(outside(some, sleeps[device_id]) for device_id, some in self.marks.items())


def _tell(database: Database, family: Family) -> _Told:
    if not (database.columns(family.sleeps) and database.columns(family.stages)):
        return _Told(family, [], {}, 0)
    sleeps = _garmin_sleeps(database) if family is GARMIN else _sleeps(database, family)
    return _Told(family, list(sleeps), *_marks(database, family))


def _marks(database: Database, family: Family) -> tuple[dict[object, list[Mark]], int]:
    """Collect the stages of each device, sorted, and count those whose time is no number."""
    marks: dict[object, list[Mark]] = defaultdict(list)
    misplaced = 0
    columns = ("TIMESTAMP", "STAGE", "DEVICE_ID", *family.lasts)
    for at, number, device_id, *lasts in database.rows(family.stages, columns):
        if isinstance(at, int):
            marks[device_id].append(Mark(at, number, *lasts))
        else:
            misplaced += 1
    for some in marks.values():
        some.sort(key=lambda mark: (mark.at, str(mark)))
    return marks, misplaced


def _sleeps(database: Database, family: Family) -> Iterator[tuple[object, Bounds]]:
    columns = ("TIMESTAMP", "WAKEUP_TIME", "DEVICE_ID")
    for start, end, device_id, *sums in database.rows(family.sleeps, columns, tuple(family.minutes.values())):
        yield device_id, Bounds(start, end, dict(zip(family.minutes, sums, strict=True)))


def _garmin_sleeps(database: Database) -> Iterator[tuple[object, Bounds]]:
    events: dict[object, list[tuple[object, object]]] = defaultdict(list)
    for at, device_id, event, kind in database.rows(GARMIN.sleeps, ("TIMESTAMP", "DEVICE_ID", "EVENT", "EVENT_TYPE")):
        if event == SLEEP_EVENT and kind in {0, 1}:
            events[device_id].append((at, kind))
    for device_id, some in events.items():
        yield from ((device_id, bounds) for bounds in pair_events(sorted(some, key=_by_time)))


def _by_time(event: tuple[object, object]) -> tuple[bool, int, str]:
    at, kind = event
    return (isinstance(at, int), at if isinstance(at, int) else 0, str(kind))


def _device(row: sqlite3.Row) -> Device:
    name, key, model = (
        value if isinstance(value, str) else "" for value in (row["NAME"], row["IDENTIFIER"], row["MODEL"])
    )
    shown = re.sub(r"[^\w .+()-]", "?", name.strip())[:60]
    return Device(
        key or str(row["_id"]), shown or f"device {str(row['_id'])[:20]}", model.strip()[:60] or shown or None
    )
