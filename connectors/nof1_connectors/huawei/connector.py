"""Recognise Huawei's health records, and read the sleep among them."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import MAX_TEXT_BYTES, read_json
from nof1.connect.ledger import Ledger, counted
from nof1.connect.reading import Member
from nof1.errors import DataError
from nof1_connectors.huawei.parse import Point, is_sleep, parse_point, parse_session, sessions_of


class HuaweiConnector:
    """The sleep points among the health records of a Huawei account."""

    name: ClassVar[str] = "huawei"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="Huawei Health",
        staging=("stages", "sleep_wake"),
        latency=("in_bed",),
        latency_note="only where the watch marks going to bed, which few are known to do",
        zone="record",
        naps=True,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="records",
            evidence="Huawei health records with samplePoints",
            kind="json",
            matches=lambda head: head.has_keys("samplePoints", "startTime", "endTime", "key"),
            seen=False,
            named=re.compile(r"(^|/)health detail data[^/]*\.json$", re.IGNORECASE),
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Put the sleep points of all members together to sessions.

        Raises
        ------
        nof1.errors.DataError
            A member is damaged as a whole, or too large.
        """
        ledger, points = Ledger(self.name, options), list[Point]()
        for member in found["records"]:
            for where, record, point in _sleep_points(member):
                try:
                    points.append(parse_point(point, record))
                except ValueError as error:
                    ledger.reject(f"{member.name}: {where}", str(error))
        for told in sessions_of(points):
            ledger.merge(min(told.values()) - 1)
            ledger.add(_called(told), partial(parse_session, tuple(told), options))
        repeated = len(points) - len(set(points))
        return ledger.imported([f"{counted(repeated, 'point')} told again; each counts once."] if repeated else [])


def _sleep_points(member: Member) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Give every point of sleep, with where it stands and the record that it is part of."""
    if member.size > MAX_TEXT_BYTES:
        raise DataError(
            f"{member.name} is larger than {MAX_TEXT_BYTES:,} bytes. Request an export of fewer months, or cut "
            'the sleep out of it: jq "[.[] | select(tostring | test("SLEEP|22[01]0"))]" FILE > sleep.json'
        )
    value = read_json(member)
    for i, record in enumerate(value if isinstance(value, list) else [value]):
        points = record.get("samplePoints") if isinstance(record, dict) else None
        for j, point in enumerate(points if isinstance(points, list) else []):
            if isinstance(point, dict) and is_sleep(point.get("key")):
                yield f"record {i + 1} point {j + 1}", record, point


def _called(points: dict[Point, int]) -> str:
    return f"sleep of {min(point.start for point in points):%Y-%m-%d %H:%M} UTC"
