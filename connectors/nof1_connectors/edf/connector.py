"""Recognise EDF+ files with annotations, and read the hypnogram of each."""

import re
from functools import partial
from typing import ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger
from nof1_connectors.edf.annotations import has_annotations, read_annotations
from nof1_connectors.edf.parse import parse_recording

_EVIDENCE: Final = "an EDF+ recording with annotations"
_NAMED: Final = re.compile(r"\.edf$", re.IGNORECASE)


def _holds_annotations(head: Head) -> bool:
    return has_annotations(head.content)


class EdfConnector:
    """Hypnograms that a sleep laboratory, or a program, wrote as EDF+ annotations: one recording a file."""

    name: ClassVar[str] = "edf"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="EDF+ hypnogram",
        staging=("stages",),
        latency=("in_bed", "stages"),
        latency_note="only where lights-off is among the annotations",
        zone="none",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="recordings",
            evidence=_EVIDENCE,
            kind="binary",
            matches=_holds_annotations,
            seen=False,
            named=_NAMED,
        ),
        # a header of fifteen signals or more fills all that is looked at, and a header is text
        Form(
            name="wide_recordings",
            evidence=_EVIDENCE,
            kind="text",
            matches=_holds_annotations,
            seen=False,
            named=_NAMED,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every recording.

        Raises
        ------
        nof1.errors.DataError
            A member is damaged or cut short.
        """
        ledger = Ledger(self.name, options)
        for member in (*found["recordings"], *found["wide_recordings"]):
            header, annotations = read_annotations(member)
            ledger.add(member.name, partial(parse_recording, header, annotations, options))
        return ledger.imported()
