"""Recognise a Polar export in either of its forms, and read its nights."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import read_json
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger
from nof1_connectors.polar.accesslink import parse_response
from nof1_connectors.polar.takeout import parse_result

_IN_RESULT: Final = re.compile(r'"(hypnogram|evaluation)"')
_IN_RESPONSE: Final = re.compile(r'"(polar_user|hypnogram|unrecognized_sleep_stage|continuity_class)"')


def _holds_results(head: Head) -> bool:
    return head.has_keys("sleepResult") and _IN_RESULT.search(head.text) is not None


def _holds_responses(head: Head) -> bool:
    return head.has_keys("sleep_start_time", "sleep_end_time") and _IN_RESPONSE.search(head.text) is not None


class PolarConnector:
    """The results of Polar's own download, and the nights of its web interface."""

    name: ClassVar[str] = "polar"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="Polar",
        staging=("stages", "sleep_wake", "totals"),
        latency=(),
        latency_note="recordings begin with sleep itself",
        zone="record",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="results",
            evidence="Polar nights with sleepResult",
            kind="json",
            matches=_holds_results,
            seen=False,
            named=re.compile(r"(^|/)sleep_result_[^/]*\.json$", re.IGNORECASE),
        ),
        Form(
            name="accesslink",
            evidence="AccessLink nights with sleep_start_time and hypnogram",
            kind="json",
            matches=_holds_responses,
            seen=False,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every night of every member.

        Raises
        ------
        nof1.errors.DataError
            A member is damaged as a whole.
        """
        ledger = Ledger(self.name, options)
        for member in found["results"]:
            for where, record in _results(read_json(member)):
                ledger.add(f"{member.name}: {where}", partial(parse_result, record))
        for member in found["accesslink"]:
            for where, record in _nights(read_json(member)):
                ledger.add(f"{member.name}: {where}", partial(parse_response, record, options))
        return ledger.imported()


def _results(value: Any) -> Iterator[tuple[str, object]]:
    for i, item in enumerate(value if isinstance(value, list) else [value]):
        yield _called(item, "night", f"record {i + 1}"), item


def _nights(value: Any) -> Iterator[tuple[str, object]]:
    """Give every night of a response, of a list of responses, of a list of nights, or the one night of a file."""
    for i, item in enumerate(value if isinstance(value, list) else [value]):
        nights = item.get("nights") if isinstance(item, dict) and "nights" in item else [item]
        for j, night in enumerate(nights if isinstance(nights, list) else [nights]):
            yield _called(night, "date", f"response {i + 1} record {j + 1}"), night


def _called(record: object, key: str, where: str) -> str:
    date = record.get(key) if isinstance(record, dict) else None
    return f"night {date}" if isinstance(date, str) else where
