"""Recognise hypnograms of plain text, and read the night of each file."""

from functools import partial
from typing import ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import text_of
from nof1.connect.heads import HEAD_BYTES, Head
from nof1.connect.ledger import Ledger
from nof1_connectors.hypnogram.comments import split_comments
from nof1_connectors.hypnogram.events import is_events, parse_events
from nof1_connectors.hypnogram.tokens import LINES, MAX_WORD, is_tokens, parse_tokens

MAX_NIGHT_BYTES: Final = 2**23
"""The largest file of one night that is read, 8 MiB: a word for each second of two days, five times."""


def _holds_tokens(head: Head) -> bool:
    """Say whether these are stages; without a line of a person at the top, numbers of anything look like them."""
    whole = head.text if len(head.content) < HEAD_BYTES else head.text.rpartition("\n")[0]
    last = whole.rstrip().rpartition("\n")[2].strip()
    if len(last) > MAX_WORD and not last.startswith("#"):
        return False  # a table, as almost all text files are: seen at once, an export may hold thousands
    return is_tokens(*split_comments(whole))


def _holds_told_tokens(head: Head) -> bool:
    told = split_comments(head.text)[0] if "#" in head.text else {}
    return LINES.keys() <= told.keys() or (not LINES.keys().isdisjoint(told) and _holds_tokens(head))


class HypnogramConnector:
    """Text files of one night each: a stage a line under a few comments, or the events that RemLogic writes."""

    name: ClassVar[str] = "hypnogram"
    version: ClassVar[str] = "2"
    about: ClassVar[About] = About(
        title="hypnogram as text",
        staging=("stages", "sleep_wake"),
        latency=("in_bed", "stages"),
        latency_note="only where you add a line with lights_out",
        zone="some",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="tokens",
            evidence="a hypnogram, one stage a line",
            kind="text",
            matches=_holds_told_tokens,
            seen=False,
        ),
        Form(
            name="bare",
            evidence="what may be stages, one a line, without the lines at the top that say so",
            kind="text",
            matches=_holds_tokens,
            seen=False,
            weak=True,
        ),
        Form(
            name="events",
            evidence="sleep stages in a list of events as RemLogic writes it",
            kind="text",
            matches=lambda head: is_events(head.text),
            seen=False,
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read every file.

        Raises
        ------
        nof1.errors.DataError
            A hypnogram does not say when it begins, how long an epoch is, or what its stages are called.
        """
        ledger = Ledger(self.name, options)
        for member in (*found["tokens"], *found["bare"]):
            told, lines = split_comments(text_of(member.read(MAX_NIGHT_BYTES)))
            ledger.add(member.name, partial(parse_tokens, told, lines, member.name, options))
        for member in found["events"]:  # accents of a name in the preamble may be in any encoding: they are left out
            told, lines = split_comments(text_of(member.read(MAX_NIGHT_BYTES)))
            ledger.add(member.name, partial(parse_events, told, lines, options))
        return ledger.imported()
