"""Bounded readers of text, JSON and CSV: what the members of an export hold."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec
import polars as pl

from nof1.connect.reading import Member
from nof1.errors import DataError

MAX_TEXT_BYTES: Final = 2**27
"""The largest JSON or CSV member that is read, 128 MiB; ten years of one person's nights are a tenth of it."""
MAX_DEPTH: Final = 64
"""The deepest nesting of JSON that is read; real exports stay under 10."""
MAX_VALUES: Final = 8_000_000
"""The most values of JSON, or fields of CSV, that are read: they take far more memory than their text."""
MAX_ROWS: Final = 2_000_000
"""The most rows of CSV that are read; ten years of stages are a fifth of it."""
MAX_LINE: Final = 2**20
"""The longest line of a table that is streamed, in letters; a night's stages are a hundredth of it."""
LINE: Final = "#line"
"""The column of `read_csv` with each row's line number, counted from 1 at the header."""
RAGGED: Final = "#ragged"
"""The column of `read_csv` that says whether a row has more or fewer fields than the header."""
DELIMITERS: Final = (",", ";", "\t", "|")
"""What may separate the fields of a table."""

_CHUNK: Final = 2**20
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


def text_of(head: bytes) -> str:
    """Give the beginning of a file as text, to recognise it; bytes that are not text are left out."""
    return head.decode(_encoding(head), errors="ignore")


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
    if content.count(b",") > MAX_VALUES or content.count(b"{") + content.count(b"[") > MAX_VALUES // 4:
        raise DataError(f"{member.name} holds more than {MAX_VALUES:,} values; no export of sleep does.")
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


def read_rows(member: Member, *, delimiter: str | None = None) -> Iterator[tuple[int, list[str]]]:
    """Read a CSV member line by line, as it stands: its line number, counted from 1, and its fields. No blank lines.

    For tables that are not one: a line before the header, headers between records, more fields than the header names.

    Parameters
    ----------
    delimiter
        What separates fields; by default what the first line holds most often.

    Raises
    ------
    DataError
        The content is not text, has a field that never ends, or too many rows.
    """
    text, mark = _table_text(member, delimiter)
    yield from _rows(text, mark, csv.QUOTE_MINIMAL, member.name)


def _rows(text: str, mark: str, quoting: Literal[0, 3], name: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True, quoting=quoting)
    try:
        for count, row in enumerate(reader):
            if count > MAX_ROWS:
                raise DataError(f"{name} holds more than {MAX_ROWS:,} rows; no person has slept that often.")
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        where = f"{name} line {reader.line_num}"
        raise DataError(f"{where} is not CSV: {error}. Export it again, unedited.") from error


def read_rows_that_begin(member: Member, begin: re.Pattern[str]) -> Iterator[tuple[int, list[str]]]:
    """Read a CSV member whose rows are known by their beginning, as `read_rows`: no row can swallow the next.

    For tables in which people write notes: a quotation mark that nobody closes reaches to the next mark, however many
    rows later. Here it reaches to the next line that begins as a row does, at most, and a row whose marks do not match
    is read as if they were letters.

    Parameters
    ----------
    begin
        What the lines begin with that begin a row. Other lines belong to the row before, if its quotation marks say so.

    Raises
    ------
    DataError
        The content is not text, has a field that never ends, or too many lines.
    """
    text, mark = _table_text(member, None)
    yield from _to_the_end(_rows_that_begin(text, mark, begin, member.name), text, member.name)


def _rows_that_begin(text: str, mark: str, begin: re.Pattern[str], name: str) -> Iterator[tuple[int, list[str]]]:
    lines: list[str] = []
    before = 0
    for number, line in enumerate(io.StringIO(text, newline="")):
        if number > MAX_ROWS:
            raise DataError(f"{name} holds more than {MAX_ROWS:,} lines; no person has slept that often.")
        if begin.match(line):
            yield from _rows_within(lines, before, mark, name)
            lines, before = [], number
        lines.append(line)
    yield from _rows_within(lines, before, mark, name)


def _rows_within(lines: list[str], before: int, mark: str, where: str) -> list[tuple[int, list[str]]]:
    quotings: tuple[Literal[0, 3], ...] = (csv.QUOTE_MINIMAL, csv.QUOTE_NONE)
    for quoting in quotings:
        reader = csv.reader(lines, delimiter=mark, strict=True, quoting=quoting)
        try:
            return [(before + reader.line_num, row) for row in reader if row]
        except csv.Error as error:
            problem = error
    raise DataError(f"{where} line {before + 1} is not CSV: {problem}. Export it again, unedited.")


def _table_text(member: Member, delimiter: str | None) -> tuple[str, str]:
    """Give the text of a table and what separates its fields."""
    text = decode_text(member.read(MAX_TEXT_BYTES), member.name)
    mark = delimiter or max(DELIMITERS, key=text.partition("\n")[0].count)
    if text.count(mark) > MAX_VALUES:
        raise DataError(f"{member.name} holds more than {MAX_VALUES:,} fields; no export of sleep does.")
    return text, mark


def _to_the_end(rows: Iterator[tuple[int, list[str]]], text: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """Give the rows; refuse a table that stops within one: no line end, and fewer fields than the row before."""
    before, last = 0, 0
    for line, row in rows:
        before, last = last, len(row)
        yield line, row
    if last < before and not text.endswith(("\n", "\r")):
        raise DataError(f"{where} ends in the middle of a row: the download was cut short. Download it again, whole.")


def stream_rows(member: Member, *, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Read a CSV member of any size row by row: its line number, counted from 1, and its fields. No blank lines.

    For tables that hold a person's every heart beat beside their sleep: only one row is in memory at a time.

    Raises
    ------
    DataError
        The content is not text, or has a line or a field that never ends.
    """
    reader = csv.reader(_lines(member), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        where = f"{member.name} line {reader.line_num}"
        raise DataError(f"{where} is not CSV: {error}. Export it again, unedited.") from error


def _lines(member: Member) -> Iterator[str]:
    encoding = _encoding(member.head(4))
    with io.TextIOWrapper(member.open(), encoding=encoding, newline="") as text:
        try:
            while line := text.readline(MAX_LINE):
                if len(line) == MAX_LINE:
                    raise DataError(f"{member.name} has a line of more than {MAX_LINE:,} letters: it is no table.")
                yield line
        except UnicodeDecodeError as error:
            raise DataError(f"{member.name} is not {encoding} text. Download it again.") from error


def read_csv(member: Member, *, delimiter: str | None = None, quotes: bool = True) -> pl.DataFrame:
    """Read a CSV member, every column as text, with the columns `LINE` and `RAGGED` beside them.

    An empty cell is null. A ragged row is filled with nulls or cut to the header's width, and says so.

    Parameters
    ----------
    delimiter
        As for `read_rows`.
    quotes
        Whether quotation marks enclose fields; without, they are letters like others.

    Raises
    ------
    DataError
        The content is not text, has no header, names a column twice, stops within a row, has a field that never ends,
        or too many rows.
    """
    text, mark = _table_text(member, delimiter)
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    numbered = list(_to_the_end(_rows(text, mark, quoting, member.name), text, member.name))
    return _table([row for _, row in numbered], [line for line, _ in numbered], member.name)


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
