"""Bounded readers of text, JSON and CSV: what the members of an export hold."""

import csv
import io
import json
from collections import Counter
from typing import Any, Final

import msgspec
import polars as pl

from nof1.connect.reading import Member
from nof1.errors import DataError

MAX_TEXT_BYTES: Final = 2**27
"""The largest JSON or CSV member that is read, 128 MiB; ten years of one person's nights are a tenth of it."""
MAX_DEPTH: Final = 64
"""The deepest nesting of JSON that is read; real exports stay under 10."""
MAX_ROWS: Final = 2_000_000
"""The most rows of CSV that are read; ten years of stages are a fifth of it."""
LINE: Final = "#line"
"""The column of `read_csv` with each row's line number, counted from 1 at the header."""
RAGGED: Final = "#ragged"
"""The column of `read_csv` that says whether a row has more or fewer fields than the header."""

_CHUNK: Final = 2**20
_DELIMITERS: Final = (",", ";", "\t", "|")
_NOT_STRUCTURE: Final = bytes(set(range(256)) - set(b'[]{}":'))
_BRACES_TO_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")


def decode_text(content: bytes, where: str) -> str:
    """Decode text that says its encoding by a byte order mark, or is UTF-8, or is evidently UTF-16.

    Raises
    ------
    DataError
        The bytes are not text in that encoding.
    """
    encoding = _encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not {encoding} text: byte {error.start:,} is wrong. Download it again.") from error


def peek(member: Member, count: int = 4096) -> str:
    """Give the beginning of a member as text, to recognise it; bytes that are not text are left out."""
    content = member.head(count)
    return content.decode(_encoding(content), errors="ignore")


def _encoding(content: bytes) -> str:
    if content.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" in content[:2]:
        return "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
    return "utf-8"


def read_json(member: Member) -> Any:
    """Read a JSON member into plain Python values.

    Raises
    ------
    DataError
        The content is not JSON (`NaN` and `Infinity` are not), is nested deeper than `MAX_DEPTH`, holds a key twice in
        one object, or is not text.
    """
    content = decode_text(member.read(MAX_TEXT_BYTES), member.name).encode()
    keys = _check_structure(content, member.name)
    try:
        value = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{member.name} is not JSON: {error}. Download the export again.") from error
    if _check_structure(msgspec.json.encode(value), member.name) != keys:  # a decoder keeps the last of two
        raise DataError(f"{member.name} says {_repeated_key(content)!r} twice in one object: refused.")
    return value


def _check_structure(content: bytes, where: str) -> int:
    """Check the nesting without recursion, in a few passes of C speed; give the number of keys."""
    if b"\\" in content:  # an escaped quotation mark does not end a string
        content = content.replace(rb"\\", b"").replace(rb"\"", b"")
    skeleton = content.translate(_BRACES_TO_BRACKETS, _NOT_STRUCTURE)
    outside = _outside_strings(skeleton)
    keys = outside.count(b":")
    brackets = outside.replace(b":", b"")
    for _ in range(MAX_DEPTH):
        if b"[" * (MAX_DEPTH + 1) in brackets:
            break
        brackets, before = brackets.replace(b"[]", b""), len(brackets)
        if not brackets:
            return keys
        if len(brackets) == before:
            raise DataError(f"{where} is cut short or damaged: its brackets do not match. Download the export again.")
    raise DataError(f"{where} is nested deeper than {MAX_DEPTH} levels: no export of sleep is.")


def _outside_strings(skeleton: bytes) -> bytes:
    kept, inside = bytearray(), False
    for start in range(0, len(skeleton), _CHUNK):  # by pieces: 100 MB of quotation marks must not become a list
        parts = skeleton[start : start + _CHUNK].split(b'"')
        kept += b"".join(parts[inside::2])
        inside ^= len(parts) % 2 == 0
    return bytes(kept)


def _repeated_key(content: bytes) -> str:
    repeated: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> None:
        repeated.extend(key for key, count in Counter(key for key, _ in items).items() if count > 1)

    json.loads(content, object_pairs_hook=pairs)
    return repeated[0] if repeated else "a key"


def read_csv(member: Member) -> pl.DataFrame:
    """Read a CSV member, every column as text, with the columns `LINE` and `RAGGED` beside them.

    The delimiter is the one that the header holds most often. An empty cell is null. A ragged row is filled with nulls
    or cut to the header's width, and says so.

    Raises
    ------
    DataError
        The content is not text, has no header, names a column twice, has a field that never ends, or too many rows.
    """
    text = decode_text(member.read(MAX_TEXT_BYTES), member.name)
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(reader.line_num)
            if len(rows) > MAX_ROWS:
                raise DataError(f"{member.name} holds more than {MAX_ROWS:,} rows; no person has slept that often.")
    except csv.Error as error:
        where = f"{member.name} line {reader.line_num}"
        raise DataError(f"{where} is not CSV: {error}. Export it again, unedited.") from error
    return _table(rows, lines, member.name)


def _table(rows: list[list[str]], lines: list[int], where: str) -> pl.DataFrame:
    if not rows:
        raise DataError(f"{where} holds no header. Download the export again.")
    header = [name.strip() for name in rows[0]]
    width = len(header)
    if len({*header, LINE, RAGGED}) != width + 2:
        raise DataError(f"{where} names a column twice: {max(header, key=header.count)!r}. Export it again, unedited.")
    ragged = [len(row) != width for row in rows[1:]]
    even = [row if len(row) == width else (row + [""] * (width - len(row)))[:width] for row in rows[1:]]
    columns = zip(*even, strict=True) if even else [()] * width
    cells = {name: pl.Series(column, dtype=pl.String) for name, column in zip(header, columns, strict=True)}
    return (
        pl.DataFrame(cells)
        .select(pl.all().replace("", None))
        .with_columns(pl.Series(LINE, lines[1:], dtype=pl.Int64), pl.Series(RAGGED, ragged, dtype=pl.Boolean))
    )
