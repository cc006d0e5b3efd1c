"""The beginnings of an export's members: what content is recognised by, read once and shown to every connector."""

import csv
import io
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from nof1.connect.decoding import DELIMITERS, text_of
from nof1.connect.reading import Member
from nof1.connect.sqlite import MAGIC, table_names

Kind = Literal["json", "xml", "sqlite", "text", "binary"]

HEAD_BYTES: Final = 4096
"""How much of a member is looked at: the first record of every export known lies within."""

_SQLITE_BYTES: Final = MAGIC
_CONTROL: Final = bytes({*range(0x20)} - {*b"\t\n\v\f\r\x1b"})
"""Bytes that stand in no text."""


@dataclass(frozen=True, eq=False)
class Head:
    """The first `HEAD_BYTES` bytes of a member. Names take no part: people and phones rename files."""

    member: Member
    content: bytes

    @cached_property
    def kind(self) -> Kind:
        """What sort of file it is: decides which forms are asked at all."""
        if self.content.startswith(_SQLITE_BYTES):
            return "sqlite"
        begins = self.text.lstrip()[:1]
        if begins in {"{", "["}:
            return "json"
        if begins == "<":
            return "xml"
        encoded = self.text.encode()
        return "text" if len(encoded.translate(None, _CONTROL)) == len(encoded) else "binary"

    @cached_property
    def text(self) -> str:
        """The beginning as text, without a byte order mark; bytes that are not text are left out."""
        return text_of(self.content)

    @cached_property
    def columns(self) -> frozenset[str]:
        """The fields of the first line in lower case, split at the delimiter that it holds most often."""
        line = self.text.partition("\n")[0].rstrip("\r")
        delimiter = max(DELIMITERS, key=line.count)
        try:
            fields = next(csv.reader(io.StringIO(line), delimiter=delimiter), [])
        except csv.Error:
            return frozenset()
        return frozenset(field.strip().lower() for field in fields)

    @cached_property
    def tables(self) -> frozenset[str]:
        """The tables of a SQLite database in lower case; none where it is no database.

        Raises
        ------
        DataError
            It is a damaged one.
        """
        return table_names(self.member) if self.kind == "sqlite" else frozenset()

    def has_keys(self, *keys: str) -> bool:
        """Say whether all these JSON keys stand in the beginning, at any depth."""
        return all(f'"{key}"' in self.text for key in keys)

    def has_columns(self, *names: str) -> bool:
        """Say whether the first line names all these columns, in any case and order."""
        return self.columns.issuperset(map(str.lower, names))
