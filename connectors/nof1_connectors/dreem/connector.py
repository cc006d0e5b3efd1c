"""Recognise Dreem's CSV by its columns, and read all that it holds."""

from functools import partial
from typing import ClassVar

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import LINE, read_csv
from nof1.connect.ledger import Ledger
from nof1_connectors.dreem.parse import parse_night


class DreemConnector:
    """The nights of a Dreem headband, one row each."""

    name: ClassVar[str] = "dreem"
    version: ClassVar[str] = "2"
    about: ClassVar[About] = About(
        title="Dreem",
        staging=("stages", "totals"),
        latency=("vendor", "stages"),
        latency_note="counted from when the person started the recording",
        zone="some",
        naps=True,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="nights",
            evidence="a table with the columns Sleep Onset Duration, Stop Time and Hypnogram",
            kind="text",
            matches=lambda head: head.has_columns("Start Time", "Stop Time", "Sleep Onset Duration", "Hypnogram"),
            seen=False,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every row of every member.

        Raises
        ------
        nof1.errors.DataError
            A member is no CSV.
        """
        ledger = Ledger(self.name, options)
        for member in found["nights"]:
            for row in read_csv(member).to_dicts():
                cells = {name.lower(): cell for name, cell in row.items()}
                ledger.add(f"{member.name}: line {row[LINE]}", partial(parse_night, cells, options))
        return ledger.imported()
