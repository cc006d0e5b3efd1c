"""Recognise Oura's sleep in any of its forms, and read all that it holds."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import LINE, RAGGED, read_csv, read_json
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger, Session, counted
from nof1.connect.reading import Member
from nof1_connectors.oura.parse import parse_document

_NAMED: Final = re.compile(r"(^|/)sleepmodel\.csv$", re.IGNORECASE)
_ENVELOPES: Final = ("data", "sleep")


def _holds_documents(head: Head) -> bool:
    told = r'"(sleep_phase_(5_min|30_sec)|total_sleep_duration|time_in_bed|deep_sleep_duration)"'
    return head.has_keys("bedtime_start", "bedtime_end") and re.search(told, head.text) is not None


def _holds_first_version(head: Head) -> bool:
    told = r'"(hypnogram_5min|onset_latency|is_longest|period_id)"'
    return head.has_keys("bedtime_start", "bedtime_end") and re.search(told, head.text) is not None


class OuraConnector:
    """Responses of the API, versions 1 and 2, and the table of sleep in the account export."""

    name: ClassVar[str] = "oura"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="Oura",
        staging=("stages", "totals"),
        latency=("vendor", "stages"),
        latency_note="Oura's own figure, to 30 seconds, counted from a bedtime that the ring guesses",
        zone="record",
        naps=True,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="v2",
            evidence="sleep documents with bedtime_start and sleep_phase_5_min",
            kind="json",
            matches=_holds_documents,
        ),
        Form(
            name="v1",
            evidence="sleep periods with bedtime_start and hypnogram_5min",
            kind="json",
            matches=_holds_first_version,
        ),
        Form(
            name="account",
            evidence="a table with the columns bedtime_start, bedtime_end and total_sleep_duration",
            kind="text",
            matches=lambda head: head.has_columns("bedtime_start", "bedtime_end", "total_sleep_duration"),
            seen=False,
            named=_NAMED,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every document; the same one in two forms is one session.

        Raises
        ------
        nof1.errors.DataError
            A member that reads like Oura's sleep is damaged.
        """
        ledger, empty = Ledger(self.name, options), 0
        for member in (*found["v2"], *found["v1"]):
            for where, record in _documents(read_json(member), ""):
                if record is None:
                    empty += 1
                else:
                    ledger.add(f"{member.name}: {_called(record, where)}", partial(parse_document, record, options))
        for member in found["account"]:
            for line, ragged, row in _rows(member):
                where = f"{member.name} line {line}: {_called(row, 'a sleep')}"
                ledger.add(where, partial(_parse_row, row, options, ragged=ragged))
        return ledger.imported([f"{counted(empty, 'response')} of the API without sleep."] if empty else [])


def _documents(value: Any, where: str) -> Iterator[tuple[str, object]]:
    """Give every document of a file: a response, a list of responses, a list of documents, or one document.

    A response without any gives None. `read_json` bounds the depth.
    """
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _documents("not a document" if item is None else item, f"{where} {i + 1}")
    elif isinstance(value, dict) and "bedtime_start" not in value and _inside(value) is not None:
        yield from _documents(_inside(value), where) if _inside(value) else [(where, None)]
    else:
        yield f"record{where}", value


def _inside(envelope: dict[str, Any]) -> Any:
    return next((envelope[name] for name in _ENVELOPES if isinstance(envelope.get(name), list | dict)), None)


def _called(record: object, where: str) -> str:
    """Name a document by what it says of itself, which does not depend on its place in the file."""
    told = [record.get("id"), record.get("bedtime_start")] if isinstance(record, dict) else []
    name = next((name for name in told if isinstance(name, str) and name), None)
    return where if name is None else "sleep " + re.sub(r"[^ -~]", "?", name)[:60]


def _rows(member: Member) -> Iterator[tuple[int, bool, dict[str, Any]]]:
    """Give the rows of the account export: line, whether ragged, and the cells that are not empty."""
    first_line = member.head(4096).partition(b"\n")[0]
    bare_json = b'"' not in first_line and b";" in first_line  # cells hold {"interval":300.0} without quotes around
    table = read_csv(member, quotes=not bare_json)
    for row in table.iter_rows(named=True):
        line, ragged = row.pop(LINE), row.pop(RAGGED)
        yield line, ragged, {name.lower(): cell for name, cell in row.items() if cell is not None}


def _parse_row(row: dict[str, Any], options: ReadOptions, *, ragged: bool) -> Session:
    if ragged:
        raise ValueError("its row does not have the fields of the header")
    return parse_document(row, options, text=True)
