"""Recognise a Fitbit export in any of its three forms, and read all that it holds."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal
from zoneinfo import ZoneInfo

import polars as pl

from nof1.connect.connector import Imported, ReadOptions, Recognition, Rejected
from nof1.connect.decoding import peek, read_csv, read_json
from nof1.connect.reading import Export, Member
from nof1.errors import DataError, ReadError
from nof1.sleep.session import SCHEMA, Sessions
from nof1_connectors.fitbit.parse import ParsedLog, parse_log
from nof1_connectors.fitbit.tables import ParsedTables, parse_tables, sleeps_table, stages_table

Form = Literal["logs", "sleeps", "stages"]

_EVIDENCE: Final[dict[Form, str]] = {
    "logs": "sleep logs with logId and dateOfSleep",
    "sleeps": "a table with the columns sleep_id and sleep_start",
    "stages": "a table with the columns sleep_id and sleep_stage_type",
}
_LOOKS_LIKE_SLEEP: Final = re.compile(
    r"(^|/)(sleep-\d{4}-\d\d-\d\d\.json|UserSleep(s|Stages)_[^/]*\.csv)$", re.IGNORECASE
)


class FitbitConnector:
    """Takeout and account archives, Web API 1.2 responses, and Google's tables of Fitbit sleep."""

    name: ClassVar[str] = "fitbit"
    version: ClassVar[str] = "1"

    def recognise(self, export: Export) -> Recognition | None:
        """Claim an export in which at least one member reads like Fitbit sleep."""
        for member in sorted(export.members, key=lambda member: "sleep" not in member.name.lower()):
            form, _ = _form(member)
            if form is not None:
                return Recognition(self.name, f"{member.name} holds {_EVIDENCE[form]}")
        return None

    def read(self, export: Export, options: ReadOptions) -> Imported:
        """Read every form that the export holds: a Takeout tells each night in two or three streams.

        Raises
        ------
        nof1.errors.DataError
            A member that reads like Fitbit sleep is damaged.
        """
        found = _Found.among(export)
        logs = _read_logs(found.logs, ZoneInfo(options.zone) if options.zone else None)
        tables = _read_tables(found.sleeps, found.stages, options.participant)
        from_logs = pl.DataFrame([_row(log, options) for log in logs.accepted.values()], schema=SCHEMA)
        sessions = pl.concat([from_logs, tables.sessions.cast(SCHEMA)]).sort("start", "stream", "record_id")
        return Imported(
            sessions=Sessions.validate(sessions),
            read=logs.read + tables.read,
            merged=logs.merged + tables.merged,
            rejected=tuple(sorted(logs.rejected, key=lambda one: (one.record, one.reason))) + tables.rejected,
            members_read=tuple(member.name for member in (*found.logs, *found.sleeps, *found.stages)),
            members_skipped=export.skipped + tuple(found.skipped),
            warnings=tuple(_warnings(logs, tables)),
        )


@dataclass(slots=True)
class _Found:
    logs: list[Member] = field(default_factory=list)
    sleeps: list[Member] = field(default_factory=list)
    stages: list[Member] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def among(cls, export: Export) -> "_Found":
        found = cls()
        for member in export.members:
            form, why = _form(member)
            if form is not None:
                {"logs": found.logs, "sleeps": found.sleeps, "stages": found.stages}[form].append(member)
            elif why is not None:
                found.skipped.append((member.name, why))
        return found


def _form(member: Member) -> tuple[Form | None, str | None]:
    """Say in which form a member holds Fitbit sleep, by its beginning; or why it does not, if that is worth saying.

    Raises
    ------
    nof1.errors.DataError, nof1.errors.ReadError
        A member that is named like sleep is damaged or unreadable: nights would be missing.
    """
    named_like_sleep = _LOOKS_LIKE_SLEEP.search(member.name) is not None
    try:
        form = _form_of(peek(member).lstrip())
    except (DataError, ReadError) as error:
        if named_like_sleep:
            raise
        return None, str(error)
    return form, "it is named like Fitbit sleep and holds none" if named_like_sleep else None


def _form_of(text: str) -> Form | None:
    if text.startswith(("[", "{")):
        log = '"dateOfSleep"' in text and re.search(r'"(logId|levels|minutesToFallAsleep)"', text)
        response = '"sleep"' in text and '"totalMinutesAsleep"' in text
        return "logs" if log or response else None
    columns = set(re.findall(r"\w+", text.partition("\n")[0]))
    if {"sleep_id", "sleep_stage_type"} <= columns:
        return "stages"
    return "sleeps" if {"sleep_id", "sleep_start"} <= columns else None


@dataclass(slots=True)
class _Logs:
    """What became of every log. `accepted` is by record id."""

    accepted: dict[str, ParsedLog] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    read: int = 0
    merged: int = 0
    differing: set[str] = field(default_factory=set)
    empty_responses: int = 0


def _read_logs(members: list[Member], zone: ZoneInfo | None) -> _Logs:
    logs = _Logs()
    for member in members:
        for where, record in _records(read_json(member), logs):
            logs.read += 1
            try:
                _accept(logs, parse_log(record, zone))
            except ValueError as error:
                logs.rejected.append(Rejected(f"{member.name}: {_called(record, where)}", str(error)))
    return logs


def _records(value: Any, logs: _Logs) -> Iterator[tuple[str, object]]:
    """Give every log of a file: an array of logs, one log, one Web API response, or an array of responses."""
    for i, item in enumerate(value if isinstance(value, list) else [value]):
        if not (isinstance(item, dict) and "sleep" in item):
            yield f"record {i + 1}", item
        elif not isinstance(item["sleep"], list):
            yield f"response {i + 1}", item["sleep"]
        else:
            logs.empty_responses += not item["sleep"]
            for j, log in enumerate(item["sleep"]):
                yield f"response {i + 1} record {j + 1}", log


def _called(record: object, where: str) -> str:
    log_id = record.get("logId") if isinstance(record, dict) else None
    return f"log {log_id}" if isinstance(log_id, int | str) else where


def _accept(logs: _Logs, log: ParsedLog) -> None:
    """Keep one log for each id: of two that differ, the longer and more detailed, whatever their order."""
    record_id = log.row["record_id"]
    known = logs.accepted.setdefault(record_id, log)
    if known is log:
        return
    logs.merged += 1
    if known != log:
        logs.differing.add(record_id)
        logs.accepted[record_id] = max(known, log, key=_detail)


def _detail(log: ParsedLog) -> tuple[Any, ...]:
    return log.row["end"] - log.row["start"], len(log.row["hypnogram"] or ()), repr(log)


def _row(log: ParsedLog, options: ReadOptions) -> dict[str, Any]:
    source = options.zone_source if options.zone else "none"
    return log.row | {"participant": options.participant, "zone": options.zone, "zone_source": source}


def _read_tables(sleeps: list[Member], stages: list[Member], participant: str) -> ParsedTables:
    if not sleeps and not stages:
        return ParsedTables(pl.DataFrame(schema=SCHEMA), read=0, merged=0, rejected=(), notes=())
    return parse_tables(
        [sleeps_table(read_csv(member), member.name) for member in sleeps],
        [stages_table(read_csv(member), member.name) for member in stages],
        participant,
    )


def _warnings(logs: _Logs, tables: ParsedTables) -> Iterator[str]:
    if logs.empty_responses:
        yield f"{_counted(logs.empty_responses, 'Web API response')} without sleep."
    if logs.differing:
        ids = sorted(logs.differing)
        yield f"{_counted(len(ids), 'log')} in versions that differ; the longer stands (first: log {ids[0]})."
    told = [(note, f"log {record}") for record, log in logs.accepted.items() for note in log.notes]
    about: dict[str, list[str]] = {}
    for note, record in (*told, *tables.notes):
        about.setdefault(note, []).append(record)
    for note, records in sorted(about.items()):
        yield f"{_counted(len(records), 'session')} with {note} (first: {min(records)})."


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
