"""Recognise WHOOP's exports in any of their forms, and read all that they hold."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import LINE, read_csv, read_json
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger, Session
from nof1.connect.reading import Member
from nof1_connectors.whoop import api, dumps
from nof1_connectors.whoop.tables import is_table_with, named_columns, parse_row

_NAMED: Final = re.compile(r"(^|/)(sleeps|sueño)\.csv$", re.IGNORECASE)
_DURATION: Final = re.compile(r'"(quality|light_sleep|lightSleep)_?[dD]uration"')

type SleepsIn = Callable[[Any], Iterator[Any]]
type Parse = Callable[[object, ReadOptions], Session]


def _is_dump(head: Head) -> bool:
    return head.has_keys("during") and _DURATION.search(head.text) is not None


class WhoopConnector:
    """The app's export, sleep collections of the API, and dumps of the app's own interface."""

    name: ClassVar[str] = "whoop"
    version: ClassVar[str] = "2"
    about: ClassVar[About] = About(
        title="WHOOP",
        staging=("totals",),
        latency=("vendor",),
        latency_note="only dumps of the app's own interface tell one; the export and the API do not",
        zone="record",
        naps=True,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="sleeps",
            evidence="a table with the columns Cycle timezone, Sleep onset and Nap",
            kind="text",
            matches=lambda head: is_table_with(head, "nap"),
            named=_NAMED,
            latency=(),
        ),
        Form(
            name="cycles",
            evidence="a table with the columns Cycle timezone, Sleep onset and Recovery score",
            kind="text",
            matches=lambda head: is_table_with(head, "recovery"),
            latency=(),
        ),
        Form(
            name="api",
            evidence="sleeps with score_state, nap and timezone_offset",
            kind="json",
            matches=lambda head: head.has_keys("score_state", "nap", "timezone_offset", "start"),
            seen=False,
            latency=(),
        ),
        Form(
            name="dumps",
            evidence="sleeps with during and their durations",
            kind="json",
            matches=_is_dump,
            seen=False,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every form that is there. The cycles tell the main sleeps again, and alone where nothing else does.

        Raises
        ------
        nof1.errors.DataError
            A member that reads like WHOOP's sleep is damaged.
        """
        ledger = Ledger(self.name, options)
        for member in (*found["sleeps"], *found["cycles"]):
            for row in named_columns(read_csv(member)).iter_rows(named=True):
                ledger.add(f"{member.name} line {row[LINE]}", partial(parse_row, row, options))
        _read_json(found["api"], api.sleeps_in, api.parse_sleep, options, ledger)
        _read_json(found["dumps"], dumps.sleeps_in, dumps.parse_sleep, options, ledger)
        return ledger.imported()


def _read_json(
    members: Sequence[Member], sleeps_in: SleepsIn, parse: Parse, options: ReadOptions, ledger: Ledger
) -> None:
    for member in members:
        sleeps = list(sleeps_in(read_json(member)))
        if not sleeps:
            ledger.reject(member.name, "no sleep is found in it")
        for i, record in enumerate(sleeps):
            ledger.add(f"{member.name}: sleep {i + 1}", partial(parse, record, options))
