"""Recognise Eight Sleep's responses, and read their sessions."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import read_json
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger, counted
from nof1_connectors.eight_sleep.parse import parse_day, parse_interval, parse_session, parse_sums

_IN_DAY: Final = re.compile(r'"(presenceDuration|sleepDuration|sleepFitnessScore|sleepStart|presenceEnd)"')


def _holds_days(head: Head) -> bool:
    return head.has_keys("presenceStart") and _IN_DAY.search(head.text) is not None


def _holds_intervals(head: Head) -> bool:
    return head.has_keys("intervals", "ts", "stages", "stage", "duration")


class EightSleepConnector:
    """Trends, day by day, and the older intervals."""

    name: ClassVar[str] = "eight_sleep"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="Eight Sleep",
        staging=("stages", "totals"),
        latency=("in_bed", "stages"),
        latency_note="the mattress feels someone lie down",
        zone="some",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="trends",
            evidence="Eight Sleep days with presenceStart",
            kind="json",
            matches=_holds_days,
            seen=False,
        ),
        Form(
            name="intervals",
            evidence="Eight Sleep intervals with ts and stages",
            kind="json",
            matches=_holds_intervals,
            seen=False,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every session of every member.

        Raises
        ------
        nof1.errors.DataError
            A member is damaged as a whole.
        """
        ledger, empty = Ledger(self.name, options), 0
        for member in found["trends"]:
            for where, record in _records(read_json(member), "days", "day"):
                empty += _add_day(record, f"{member.name}: {where}", options, ledger)
        for member in found["intervals"]:
            for where, record in _records(read_json(member), "intervals", "id"):
                ledger.add(f"{member.name}: {where}", partial(parse_interval, record, options))
        return ledger.imported([f"{counted(empty, 'day')} without sleep."] if empty else [])


def _add_day(record: object, where: str, options: ReadOptions, ledger: Ledger) -> bool:
    """Take down the sessions of a day; say whether it has none at all."""
    try:
        day = parse_day(record)
    except ValueError as error:
        ledger.reject(where, str(error))
        return False
    for i, session in enumerate(day.sessions or ()):
        ledger.add(f"{where}, session {i + 1}", partial(parse_session, session, day, options))
    if not day.sessions and day.presence_start is not None:
        ledger.add(where, partial(parse_sums, day, options))
    return not day.sessions and day.presence_start is None


def _records(value: Any, key: str, name: str) -> Iterator[tuple[str, object]]:
    """Give every record of a response, of a list of responses, or of a list of records."""
    for i, item in enumerate(value if isinstance(value, list) else [value]):
        inner = item[key] if isinstance(item, dict) and key in item else [item]
        for j, record in enumerate(inner if isinstance(inner, list) else [inner]):
            told = record.get(name) if isinstance(record, dict) else None
            yield f"{name} {told}" if isinstance(told, str) else f"response {i + 1} record {j + 1}", record
