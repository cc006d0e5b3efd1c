"""Recognise a Fitbit export in any of its forms, and read all that it holds."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import read_json
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger, counted
from nof1.connect.reading import Member
from nof1_connectors.fitbit.app_csv import holds_app_csv, order_of_dates, parse_row, sleep_section
from nof1_connectors.fitbit.google_health import data_points, holds_data_points, parse_point
from nof1_connectors.fitbit.parse import parse_log
from nof1_connectors.fitbit.tables import is_outdated, parse_sleep, sleep_rows, stage_rows, updated_at

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_NAMED: Final = re.compile(r"(^|/)(sleep-\d{4}-\d\d-\d\d\.json|UserSleep(s|Stages)_[^/]*\.csv)$", re.IGNORECASE)


def _holds_logs(head: Head) -> bool:
    log = head.has_keys("dateOfSleep") and re.search(r'"(logId|levels|minutesToFallAsleep)"', head.text)
    return bool(log) or head.has_keys("sleep", "totalMinutesAsleep")


class FitbitConnector:
    """Takeout and account archives, Web API 1.2 responses, Google's tables of Fitbit sleep, its API, the app's CSV."""

    name: ClassVar[str] = "fitbit"
    version: ClassVar[str] = "5"
    about: ClassVar[About] = About(
        title="Fitbit, Google Health",
        staging=("stages", "sleep_wake", "totals"),
        latency=("vendor", "stages"),
        latency_note="the watch guesses when bed began; its own latency is 0 where it does not know",
        zone="some",
        naps=True,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="logs",
            evidence="sleep logs with logId and dateOfSleep",
            kind="json",
            matches=_holds_logs,
            named=_NAMED,
        ),
        Form(
            name="sleeps",
            evidence="a table with the columns sleep_id and sleep_start",
            kind="text",
            matches=lambda head: head.has_columns("sleep_id", "sleep_start"),
            named=_NAMED,
        ),
        Form(
            name="stages",
            evidence="a table with the columns sleep_id and sleep_stage_type",
            kind="text",
            matches=lambda head: head.has_columns("sleep_id", "sleep_stage_type"),
            alone=False,
            named=_NAMED,
        ),
        Form(
            name="google_health",
            evidence="data points of sleep, as the Google Health API answers",
            kind="json",
            matches=holds_data_points,
            seen=False,
        ),
        Form(
            name="app",
            evidence="the sections of a CSV of the Fitbit app",
            kind="text",
            matches=holds_app_csv,
            seen=False,
            named=re.compile(r"(^|/)fitbit_export_\d{8}[^/]*\.csv$", re.IGNORECASE),
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every form that the export holds: a Takeout tells each night in two or three streams.

        Raises
        ------
        nof1.errors.DataError
            A member that reads like Fitbit sleep is damaged.
        """
        ledger = Ledger(self.name, options)
        empty = _read_logs(found["logs"], ledger, options)
        _read_tables(found["sleeps"], found["stages"], ledger)
        for member in found["google_health"]:
            for where, record in data_points(read_json(member)):
                ledger.add(f"{member.name}: {where}", partial(parse_point, record, options))
        for member in found["app"]:
            rows = list(sleep_section(member))
            order = order_of_dates(rows)
            for row in rows:
                ledger.add(f"{member.name} line {row.line}", partial(parse_row, row, order, options))
        return ledger.imported([f"{counted(empty, 'Web API response')} without sleep."] if empty else [])


def _read_logs(members: Sequence[Member], ledger: Ledger, options: ReadOptions) -> int:
    """Read the logs; give the number of responses without any."""
    empty = 0
    for member in members:
        for where, record in _records(read_json(member)):
            if record is None:
                empty += 1
            else:
                ledger.add(f"{member.name}: {_called(record, where)}", partial(parse_log, record, options))
    return empty


def _read_tables(sleeps: Sequence[Member], stages: Sequence[Member], ledger: Ledger) -> None:
    """Read the pairs of tables. A record is a row of sleeps; stages without one are a record for each `sleep_id`.

    Of a session in several versions the latest that can be used stands.
    """
    told = stage_rows(stages)
    rows = [row for member in sleeps for row in sleep_rows(member)]
    standing: dict[str, datetime | None] = {}
    for where, row in sorted(rows, key=lambda one: updated_at(one[1]) or _NEVER, reverse=True):
        if is_outdated(row, standing):
            ledger.merge()
        elif ledger.add(where, partial(parse_sleep, row, told.get(row["sleep_id"], {}))):
            standing.setdefault(row["sleep_id"], updated_at(row))
    for sleep_id in told.keys() - {row["sleep_id"] for _, row in rows}:
        where = f"{min(told[sleep_id].values())}: sleep {sleep_id or 'without id'}"
        ledger.reject(where, f"no session in UserSleeps has its {counted(len(told[sleep_id]), 'stage')}")


def _records(value: Any) -> Iterator[tuple[str, object]]:
    """Give every log of a file: an array of logs, one log, one Web API response, or an array of responses.

    A response without any log gives None.
    """
    for i, item in enumerate(value if isinstance(value, list) else [value]):
        if not (isinstance(item, dict) and "sleep" in item):
            yield f"record {i + 1}", "not a log" if item is None else item
        elif not isinstance(item["sleep"], list):
            yield f"response {i + 1}", "not a list of logs"
        elif not item["sleep"]:
            yield f"response {i + 1}", None
        else:
            for j, log in enumerate(item["sleep"]):
                yield f"response {i + 1} record {j + 1}", "not a log" if log is None else log


def _called(record: object, where: str) -> str:
    log_id = record.get("logId") if isinstance(record, dict) else None
    return f"log {log_id}" if isinstance(log_id, int | str) else where
