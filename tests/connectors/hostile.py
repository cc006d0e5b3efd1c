"""Values that no vendor writes, in the places where vendors write values: in JSON, in tables and in databases."""

import copy
import csv
import io
import json
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.connectors.nights import NIGHTS

JUNK: Final[tuple[Any, ...]] = (
    *(None, "", "x", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+23:59", "y" * 200, "\x1b[2J\u202e"),
    *(True, -1, 0, 10**18, -(10**25), 1e300, 0.5, [], {}, [[]], [None], {"x": None}),
)
CELLS: Final = (
    *("", "x", "-1", "0", "1e999", "NaN", "9" * 20, "-" + "9" * 30, "0001-01-01 00:00:00", "9999-12-31T23:59:59Z"),
    *("y" * 200, "\x1b[2J\u202e", "=1+1", "0x10", "1,5", "12:99", "[]"),
)
GONE: Final = object()
MANY_NIGHTS: Final = 0.3
"""A place that holds more than this share of a member holds more than one night."""
FEW_ROWS: Final = len(NIGHTS) - 1
"""A table of no more rows tells of devices or people, not of nights; and no header is longer."""

type Place = tuple[str | int, ...]


def json_of(content: bytes) -> Any:
    """The value that a member holds, or `GONE` where it is not JSON."""
    try:
        return json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return GONE


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """Every value within the first of each list, and within all of each object: the first record, place by place."""
    children: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value[:1]))
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def with_value(value: Any, path: Place, junk: Any) -> bytes:
    """The same JSON with something else in one place, or with that place left out."""
    changed = copy.deepcopy(value)
    *way, last = path
    holder = at(changed, tuple(way))
    if junk is GONE:
        del holder[last]
    else:
        holder[last] = junk
    return json.dumps(changed).encode()


def json_copies(content: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """So many copies with one strange value each, somewhere in the first record, and what was done."""
    value = json_of(content)
    if value is GONE:
        return
    limit = MANY_NIGHTS * len(json.dumps(value))
    inside = [place for place in places(value) if len(json.dumps(at(value, place))) < limit]
    for place, junk in some([(place, junk) for place in inside for junk in (GONE, *JUNK)], count):
        yield f"{place} = {'nothing' if junk is GONE else repr(junk)[:30]}", with_value(value, place, junk)


def at(value: Any, place: Place) -> Any:
    """What stands in a place."""
    for key in place:
        value = value[key]
    return value


def some[T](things: list[T], count: int) -> list[T]:
    """So many of these things, the same ones every time."""
    return random.Random(len(things)).sample(things, min(count, len(things)))


def table_of(content: bytes) -> tuple[list[list[str]], str] | None:
    """The rows of a table and its delimiter; None where it is none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    first = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    if "\0" in text or first.count(delimiter) < 2 or text.lstrip()[:1] in {"{", "[", "<"}:
        return None
    return list(csv.reader(io.StringIO(text), delimiter=delimiter)), delimiter


def text_of(rows: list[list[str]], delimiter: str) -> bytes:
    """Rows as the bytes of a table."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def table_copies(content: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """So many copies with one strange cell each, in the last line or the one before it, and what was done."""
    table = table_of(content)
    if table is None:
        return
    rows, delimiter = table
    last = [row for row in range(len(rows)) if rows[row]][FEW_ROWS:][-2:]
    for row, column, cell in some([(r, c, cell) for r in last for c in range(len(rows[r])) for cell in CELLS], count):
        changed = copy.deepcopy(rows)
        changed[row][column] = cell
        yield f"line {row + 1} column {column + 1} = {cell[:30]!r}", text_of(changed, delimiter)


def misshapen_tables(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Copies of another shape: ragged rows, a column less, a column twice, no header, headers only."""
    table = table_of(content)
    if table is None:
        return
    rows, delimiter = table
    width = len(rows[0])
    yield "a row too short", text_of([*rows[:1], rows[1][:-1], *rows[2:]], delimiter) if rows[1:] else b""
    yield "a row too long", text_of([*rows[:1], [*rows[1], "more"], *rows[2:]], delimiter) if rows[1:] else b""
    yield "no header", text_of(rows[1:], delimiter)
    yield "a header alone", text_of(rows[:1], delimiter)
    for column in range(0, width, max(1, width // 6)):
        yield f"no column {column + 1}", text_of([row[:column] + row[column + 1 :] for row in rows], delimiter)
    yield "a column twice", text_of([[*row, *row[:1]] for row in rows], delimiter)


def database_copies(content: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """So many copies of a database with one strange cell each, in the first row of a table, and what was done."""
    if not content.startswith(b"SQLite format 3"):
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.db"
        path.write_bytes(content)
        junk = [None, "x", b"\xff\x00", -1, 2**62, 1e300, "9" * 30]
        for table, column, value in some([(*where, value) for where in _columns(path) for value in junk], count):
            path.write_bytes(content)
            if _set(path, table, column, value):
                yield f"{table}.{column} = {value!r}", path.read_bytes()


def strange_copies(content: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """So many copies of a member with one strange value each, whichever kind of member it is, and what was done."""
    yield from json_copies(content, count)
    yield from table_copies(content, count)
    yield from database_copies(content, count)


def _columns(path: Path) -> list[tuple[str, str]]:
    """Every column of every table that tells of nights."""
    database = sqlite3.connect(path)
    try:
        named = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        count = {table: database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in named}
        tables = [table for table in named if count[table] > FEW_ROWS]
        return [(table, row[1]) for table in tables for row in database.execute(f'PRAGMA table_info("{table}")')]
    finally:
        database.close()


def _set(path: Path, table: str, column: str, value: object) -> bool:
    """Write the value into the first row, unless the schema forbids it."""
    database = sqlite3.connect(path)
    try:
        first = f'SELECT min(rowid) FROM "{table}"'
        database.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ({first})', (value,))
        database.commit()
    except (sqlite3.IntegrityError, sqlite3.OperationalError):
        return False
    finally:
        database.close()
    return True
