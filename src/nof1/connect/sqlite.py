"""SQLite databases inside exports: copied to a private temporary file, opened read-only, and never trusted.

A database is a program that runs in its reader: a view or a generated column may compute for ever, a schema may fill
the memory, a damaged page may give rows that nobody wrote. So only stored columns of plain tables are read, each table
is checked first, and time, memory and rows have bounds.
"""

import re
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nof1.connect.decoding import MAX_ROWS
from nof1.connect.reading import Member
from nof1.errors import DataError, WriteError

MAGIC: Final = b"SQLite format 3\x00"
MAX_DATABASE_BYTES: Final = 2**32
"""The largest database that is read, 4 GiB: it needs as much room in the temporary folder, and no memory."""
MAX_SECONDS: Final = 60
"""The longest that a database may be read: a hostile one can make it endless."""
MAX_HEAP_BYTES: Final = 2**29
"""The most memory that SQLite may take, 512 MiB, for all databases of the process together."""

_CHUNK: Final = 2**20
_MAX_CELL_BYTES: Final = 2**24
_STEPS_BETWEEN_CHECKS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Database:
    """A database while it is open. The names of tables and columns come from the connector, never from the export.

    Parameters
    ----------
    name
        The member's name, to say in errors.
    """

    connection: sqlite3.Connection
    name: str

    def columns(self, table: str) -> frozenset[str]:
        """Name the stored columns of a table in lower case; none where there is no such table, or it is a view."""
        plain = "SELECT 1 FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name = ? COLLATE NOCASE"
        if self.connection.execute(plain, (table,)).fetchone() is None:
            return frozenset()
        rows = self.connection.execute("SELECT name FROM pragma_table_info(?)", (table,))  # generated ones left out
        return frozenset(str(name).lower() for (name,) in rows)

    def rows(self, table: str, needed: Sequence[str], optional: Sequence[str] = ()) -> Iterator[sqlite3.Row]:
        """Read columns of a table row by row, in the order of storage, once the table has been found sound.

        Parameters
        ----------
        table
            Found in any case.
        needed, optional
            Columns, in any case; an optional one that is not there is null.

        Raises
        ------
        DataError
            There is no such table, it lacks a needed column, its pages are damaged, or it has over `MAX_ROWS` rows.
        """
        there = self.columns(table)
        missing = [column for column in needed if column.lower() not in there]
        if missing:
            raise DataError(
                f"{self.name} has no column {missing[0]!r} in the table {table}: nof1 does not know this version of "
                "the export. Please report it."
            )
        damage = self.connection.execute(f"PRAGMA quick_check({table})").fetchone()[0]
        if damage != "ok":
            raise DataError(f"{self.name} is a damaged database (table {table}: {_said(damage)}). Export it again.")
        chosen = [column if column.lower() in there else f"NULL AS {column}" for column in (*needed, *optional)]
        # no index takes part: a damaged or hostile one could hide rows
        query = f"SELECT {', '.join(chosen)} FROM {table} NOT INDEXED"  # noqa: S608 (the connector's own names)
        for count, row in enumerate(self.connection.execute(query)):
            if count >= MAX_ROWS:
                raise DataError(f"{self.name}: {table} has over {MAX_ROWS:,} rows; no person has slept that often.")
            yield row

    def has_rows(self, table: str) -> bool:
        """Say whether a table is there and holds anything."""
        query = f"SELECT 1 FROM {table} NOT INDEXED LIMIT 1"  # noqa: S608 (the connector's own name)
        return bool(self.columns(table)) and self.connection.execute(query).fetchone() is not None


@contextmanager
def open_database(member: Member) -> Iterator[Database]:
    """Open a member as a database; rows are `sqlite3.Row`, and broken text is kept with its bad bytes replaced.

    Raises
    ------
    DataError
        It is too large, it is not a sound SQLite database, or reading it fails or never ends.
    WriteError
        The temporary folder cannot hold a copy.
    """
    with tempfile.TemporaryDirectory(prefix="nof1-") as folder:
        path = Path(folder) / "copy.db"
        _copy(member, path)
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            _restrain(connection)
            yield Database(connection, member.name)
        except (sqlite3.Error, UnicodeDecodeError) as error:  # Python decodes SQLite's words, in which names may stand
            raise DataError(f"{member.name} is a damaged database ({_said(error)}). Export it again.") from error
        except MemoryError as error:
            raise DataError(f"{member.name} needs more memory than an export of sleep can. Export it again.") from error
        finally:
            connection.close()


def table_names(member: Member) -> frozenset[str]:
    """Name the tables of a database in lower case.

    Raises
    ------
    DataError, WriteError
        As `open_database`.
    """
    with open_database(member) as database:
        names = database.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchmany(10_000)
    return frozenset(str(name).lower() for (name,) in names)


def _said(what: object) -> str:
    """Repeat SQLite's words, which may quote the database, without what a terminal would obey."""
    return re.sub(r"[^ -~]", "?", str(what))[:200]


def _copy(member: Member, path: Path) -> None:
    copied = 0
    try:
        with member.open() as source, path.open("wb") as target:
            while chunk := source.read(_CHUNK):
                copied += len(chunk)
                if copied > MAX_DATABASE_BYTES:
                    raise DataError(
                        f"{member.name} is larger than {MAX_DATABASE_BYTES:,} bytes; nof1 does not read it."
                    )
                target.write(chunk)
    except OSError as error:  # of the copy: what goes wrong with the member itself is a ReadError by now
        raise WriteError(
            f"{path.parent} cannot hold a copy of {member.name}: {error.strerror}. Make room, or set TMPDIR."
        ) from error


def _restrain(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + MAX_SECONDS
    connection.row_factory = sqlite3.Row
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_CELL_BYTES)
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_TRUSTED_SCHEMA, False)
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_CHECKS)
    connection.execute(f"PRAGMA hard_heap_limit = {MAX_HEAP_BYTES}")
    connection.execute("PRAGMA cell_size_check = ON")
