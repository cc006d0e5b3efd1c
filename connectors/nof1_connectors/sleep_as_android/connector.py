"""Recognise a Sleep as Android export, alone or in its backup archive, and read it."""

import re
from functools import partial
from typing import ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import read_rows
from nof1.connect.ledger import Ledger
from nof1_connectors.sleep_as_android.parse import parse_record, records

_NAMED: Final = re.compile(r"(^|/)sleep-export[^/]*\.csv$", re.IGNORECASE)


class SleepAsAndroidConnector:
    """The table in which every record brings its own header."""

    name: ClassVar[str] = "sleep_as_android"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="Sleep as Android",
        staging=("stages", "totals"),
        latency=("in_bed", "stages"),
        latency_note="you tap to start; falling asleep is seen only on nights that the app opens as awake",
        zone="record",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="records",
            evidence="records with the columns Id, Tz, Sched and Hours",
            kind="text",
            matches=lambda head: head.has_columns("Id", "Tz", "From", "To", "Sched", "Hours"),
            named=_NAMED,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every record.

        Raises
        ------
        nof1.errors.DataError
            A member is not text, or has a field that never ends.
        """
        ledger = Ledger(self.name, options)
        for member in found["records"]:
            for line, record in records(read_rows(member, delimiter=",")):
                ledger.add(f"{member.name} line {line}", partial(parse_record, record, options))
        return ledger.imported()
