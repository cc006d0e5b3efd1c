"""Recognise a Sleep Cycle export of any generation, and read it."""

import re
from functools import partial
from typing import ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import read_rows_that_begin
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger
from nof1_connectors.sleepcycle.parse import NIGHT, columns_of, parse_night

_NAMED: Final = re.compile(r"(^|/)sleepdata[^/]*\.csv$", re.IGNORECASE)


def _holds_nights(head: Head) -> bool:
    in_bed = head.has_columns("Time in bed (seconds)") or head.has_columns("Time in bed")
    return in_bed and head.has_columns("Start", "End", "Sleep quality")


class SleepCycleConnector:
    """One line a night: sums of sleep and the app's own latency, no hypnogram."""

    name: ClassVar[str] = "sleepcycle"
    version: ClassVar[str] = "2"
    about: ClassVar[About] = About(
        title="Sleep Cycle",
        staging=("totals",),
        latency=("vendor",),
        latency_note="the app's own figure from the moment you start it; on most nights the least that it can write",
        zone="none",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="nights",
            evidence="nights with the columns Start, End, Sleep Quality and Time in bed",
            kind="text",
            matches=_holds_nights,
            named=_NAMED,
        ),
        Form(
            name="newest",
            evidence="nights with the columns Went to bed, Woke up and Asleep after (seconds)",
            kind="text",
            matches=lambda head: head.has_columns("Went to bed", "Woke up", "Sleep quality", "Time in bed (seconds)"),
            seen=False,
            named=_NAMED,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every night.

        Raises
        ------
        nof1.errors.DataError
            A member is not text, has a field that never ends, or names a column twice.
        """
        ledger = Ledger(self.name, options)
        for member in (*found["nights"], *found["newest"]):
            rows = read_rows_that_begin(member, NIGHT)
            _, header = next(rows, (0, []))
            columns = columns_of(header, member.name)
            for line, row in rows:
                ledger.add(f"{member.name} line {line}", partial(parse_night, row, columns, options))
        return ledger.imported()
