"""Recognise the tables of Mi Fitness and of Zepp, and read the sleep in them."""

import re
from functools import partial
from typing import ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import read_csv
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger, counted
from nof1_connectors.xiaomi.mi_fitness import Row, divide, parse_row, sleep_rows
from nof1_connectors.xiaomi.zepp import called, naps_of, parse_nap, parse_night, sleeps_table

_FITNESS: Final = ("Uid", "Sid", "Key", "Time", "Value", "UpdateTime")


def _holds_records(head: Head) -> bool:
    return head.has_columns(*_FITNESS) and not head.has_columns("Tag")


class XiaomiConnector:
    """Mi Fitness records, night by night with stages; Zepp, Zepp Life and Mi Fit nights as sums."""

    name: ClassVar[str] = "xiaomi"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="Xiaomi: Mi Fitness, Zepp, Mi Fit",
        staging=("stages", "totals"),
        latency=(),
        latency_note="recordings begin with sleep itself",
        zone="some",
        naps=True,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="records",
            evidence="Mi Fitness records with the columns Uid, Sid, Key, Time, Value and UpdateTime",
            kind="text",
            matches=_holds_records,
            seen=False,
            named=re.compile(r"(^|/)[^/]*hlth_center_fitness_data\.csv$", re.IGNORECASE),
        ),
        Form(
            name="daily",
            evidence="Mi Fitness daily summaries with the column Tag",
            kind="text",
            matches=lambda head: head.has_columns(*_FITNESS, "Tag"),
            seen=False,
            alone=False,
        ),
        Form(
            name="zepp",
            evidence="Zepp nights with the columns deepSleepTime, shallowSleepTime, start and stop",
            kind="text",
            matches=lambda head: head.has_columns("deepSleepTime", "shallowSleepTime", "start", "stop"),
            seen=False,
            named=re.compile(r"(^|/)SLEEP_\d+\.csv$", re.IGNORECASE),
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read the sleep of both apps.

        Raises
        ------
        nof1.errors.DataError
            A member is damaged as a whole.
        """
        ledger = Ledger(self.name, options)
        repeated = counted(_add_mi_fitness(found, options, ledger), "daily summary row")
        _add_zepp(found, options, ledger)
        notes = [] if repeated.startswith("0 ") else [f"{repeated} not read: they repeat the nights."]
        return ledger.imported(
            [*notes, *(f"{member.name} is not read: it sums up the nights." for member in found["daily"])]
        )


def _add_mi_fitness(found: Found, options: ReadOptions, ledger: Ledger) -> int:
    rows = list[Row]()
    for member in found["records"]:
        for told, where, reason in sleep_rows(member):
            if told is None:
                ledger.reject(where, reason)
            else:
                rows.append(told)
    divided = divide(rows)
    ledger.merge(divided.repeated)
    for row in divided.nights:
        ledger.add(row.where, partial(parse_row, row, options))
    return divided.summaries


def _add_zepp(found: Found, options: ReadOptions, ledger: Ledger) -> None:
    for member in found["zepp"]:
        for row in sleeps_table(read_csv(member), member.name).iter_rows(named=True):
            where = f"{member.name} {called(row)}"
            if row["no_sleep"]:
                ledger.reject(where, "it holds no sleep")
            else:
                ledger.add(where, partial(parse_night, row, options))
            _add_naps(row["naps"], where, options, ledger)


def _add_naps(told: str | None, where: str, options: ReadOptions, ledger: Ledger) -> None:
    try:
        naps = naps_of(told)
    except ValueError as error:
        ledger.reject(f"{where}, naps", str(error))
        return
    for i, nap in enumerate(naps):
        ledger.add(f"{where}, nap {i + 1}", partial(parse_nap, nap, options))
