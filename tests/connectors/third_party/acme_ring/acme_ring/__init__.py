"""Lets nof1 read the nights of the ACME Ring: one line a night, one letter a minute."""

import re
from functools import partial
from typing import ClassVar, Final

from nof1.connect.clock import with_offset
from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import read_rows
from nof1.connect.ledger import Ledger, Session, identity, make_session
from nof1.connect.timeline import epochs
from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE

STAGE_OF: Final = {"a": WAKE, "l": LIGHT, "d": DEEP, "r": REM}
"""The ring's letters, in lower case; a letter that is not here becomes unscored, and the person hears of it."""


def parse_night(start: str, letters: str) -> Session:
    """Turn one line into one session; a ValueError rejects this line alone, with its words as the reason."""
    begins = with_offset(start)
    return make_session(
        stream="acme_ring/2",
        record_id=identity(start),
        start=begins,
        end=begins.plus(60 * len(letters)),
        pieces=epochs(letters, 60),
        stage_of=STAGE_OF,
    )


class AcmeRing:
    """The file that the ring's app shares."""

    name: ClassVar[str] = "acme_ring"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="ACME Ring",
        staging=("stages",),
        latency=("stages",),
        latency_note="the ring guesses when bed began",
        zone="record",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="nights",
            evidence="the line ACME RING 2",
            kind="text",
            matches=lambda head: head.text.startswith("ACME RING 2"),
            named=re.compile(r"(^|/)ring.*\.txt$"),
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every night of every file."""
        ledger = Ledger(self.name, options)
        for member in found["nights"]:
            for line, fields in read_rows(member, delimiter=";"):
                where = f"{member.name} line {line}"
                if len(fields) == 2:
                    ledger.add(where, partial(parse_night, *fields))
                elif line > 1:
                    ledger.reject(where, "it is not a time and the letters of a night")
        return ledger.imported()


CONNECTOR: Final = AcmeRing()
