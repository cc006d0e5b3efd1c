"""Recognise Zeo's CSV by its columns, and read all that it holds."""

from functools import partial
from typing import ClassVar

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import LINE, read_csv
from nof1.connect.ledger import Ledger
from nof1_connectors.zeo.parse import parse_night


class ZeoConnector:
    """The nights of a Zeo headband, one row each."""

    name: ClassVar[str] = "zeo"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="Zeo",
        staging=("stages", "totals"),
        latency=("vendor", "stages"),
        latency_note="counted from when the headband was put on",
        zone="none",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="nights",
            evidence="a table with the columns Start of Night, Time to Z and Time in Deep",
            kind="text",
            matches=lambda head: head.has_columns("Start of Night", "Time to Z", "Time in Deep"),
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
