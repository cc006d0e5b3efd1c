"""Databases inside exports: read with bounds, and never believed."""

import errno
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from nof1.connect import sqlite
from nof1.connect.reading import Export, Member
from nof1.connect.sqlite import open_database, table_names
from nof1.errors import DataError, WriteError


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A database of one table with an index, another table, a view and a generated column."""
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript("""
            CREATE TABLE Sleep (id INTEGER PRIMARY KEY, stage TEXT, twice INTEGER AS (2 * id));
            CREATE INDEX by_stage ON Sleep (stage);
            CREATE TABLE other (text TEXT);
            CREATE VIEW looks AS SELECT id, stage FROM Sleep;
        """)
        database.executemany("INSERT INTO Sleep (stage) VALUES (?)", [(f"stage {i:05}",) for i in range(2000)])
        database.executemany("INSERT INTO other VALUES (?)", [("x" * 500,)] * 200)
    database.close()
    return path


def member(path: Path) -> Member:
    """The only member of an export."""
    return Export(path).members[0]


def test_rows_come_with_the_columns_asked_for(written: Path) -> None:
    """Columns are found in any case, and an optional one that is not there is null."""
    with open_database(member(written)) as database:
        rows = list(database.rows("SLEEP", ("ID", "stage"), ("quality",)))
    assert tuple(rows[0]) == (1, "stage 00000", None)
    assert len(rows) == 2000
    assert table_names(member(written)) == {"sleep", "other"}


@pytest.mark.parametrize(
    ("table", "column"), [("looks", "id"), ("sleep", "twice"), ("nothing", "id"), ("sqlite_master", "nothing")]
)
def test_only_stored_columns_of_tables_are_read(written: Path, table: str, column: str) -> None:
    """A view named as a table, a computed column and a missing table all lack what is needed."""
    with (
        open_database(member(written)) as database,
        pytest.raises(DataError, match=f"some.db has no column '{column}' in the table {table}"),
    ):
        list(database.rows(table, (column,)))


def test_has_rows_looks_at_tables_alone(written: Path) -> None:
    """A table with rows has rows; a view over it, and a table that is not there, have none."""
    with open_database(member(written)) as database:
        assert [database.has_rows(table) for table in ("other", "looks", "nothing")] == [True, False, False]


def test_a_database_without_end_is_stopped(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query that would run for ever ends when the time is up."""
    monkeypatch.setattr(sqlite, "MAX_SECONDS", 0)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(DataError, match="interrupted"), open_database(member(written)) as database:
        database.connection.execute(endless).fetchone()


def test_rows_have_a_bound(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table with more rows than a life has nights is refused, not loaded."""
    monkeypatch.setattr(sqlite, "MAX_ROWS", 1999)
    with pytest.raises(DataError, match="over 1,999 rows"), open_database(member(written)) as database:
        list(database.rows("sleep", ("id",)))


def test_a_cell_has_a_bound(tmp_path: Path) -> None:
    """A blob of more than 16 MiB refuses the database."""
    path = tmp_path / "huge.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE sleep (id INTEGER, icon BLOB)")
        database.execute("INSERT INTO sleep VALUES (1, zeroblob(17000000))")
    database.close()
    with pytest.raises(DataError, match="too big"), open_database(member(path)) as database:
        list(database.rows("sleep", ("icon",)))


def test_a_schema_has_a_bound(tmp_path: Path) -> None:
    """A schema that would fill the memory is refused; tried in a process of its own, because the bound is one's own."""
    path = tmp_path / "wide.db"
    with closing(sqlite3.connect(path)) as database, database:
        for i in range(600):
            database.execute(f"CREATE TABLE t{i} ({', '.join(f'column_{j}' for j in range(200))})")
    database.close()
    code = (
        "import sys; from nof1.connect import sqlite; from nof1.connect.reading import Export; "
        "sqlite.MAX_HEAP_BYTES = 2**21; sqlite.table_names(Export(sys.argv[1]).members[0])"
    )
    ran = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    assert "DataError: wide.db needs more memory" in ran.stderr


def damage(path: Path, word: bytes) -> None:
    """Overwrite the header of the page in which a word stands first."""
    content = bytearray(path.read_bytes())
    page = content.index(word) // 4096 * 4096
    content[page : page + 60] = b"\xff" * 60
    path.write_bytes(content)


def test_a_damaged_page_of_the_table_refuses_it(written: Path) -> None:
    """Rows of a damaged table are not given in part."""
    damage(written, b"stage 01000")
    with pytest.raises(DataError, match="damaged"), open_database(member(written)) as database:
        list(database.rows("sleep", ("id",)))


def test_a_damaged_page_elsewhere_does_not_matter(written: Path) -> None:
    """What is not read may be broken."""
    damage(written, b"x" * 500)
    with open_database(member(written)) as database:
        assert len(list(database.rows("sleep", ("id",)))) == 2000


def test_broken_text_is_kept(tmp_path: Path) -> None:
    """Bytes that are no text become replacement characters; the row stays."""
    path = tmp_path / "text.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE sleep (name TEXT)")
        database.execute("INSERT INTO sleep VALUES (CAST(x'ff41' AS TEXT))")
    database.close()
    with open_database(member(path)) as database:
        assert [row["name"] for row in database.rows("sleep", ("name",))] == ["\ufffdA"]


def test_a_damaged_schema_is_a_sentence(written: Path) -> None:
    """Whatever bytes stand in the schema, the error is nof1's own, and fit for a terminal."""
    content = written.read_bytes()
    at = content.index(b"CREATE TABLE Sleep")
    told = set()
    for seed in range(40):
        rng = random.Random(seed)
        broken = bytearray(content)
        for _ in range(6):
            broken[at + rng.randrange(60)] = rng.choice(b"\x00\x1b\xf1('\"\x80")
        written.write_bytes(broken)
        try:
            table_names(member(written))
        except DataError as error:
            told.add(str(error))
    assert told
    assert all(text.isprintable() and "damaged database" in text for text in told)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """The magic bytes alone make no database."""
    path = tmp_path / "fake.db"
    path.write_bytes(sqlite.MAGIC + b"\0" * 2000)
    with pytest.raises(DataError, match=r"fake\.db is a damaged database"):
        table_names(member(path))


def test_a_database_may_be_too_large(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy is not begun without end."""
    monkeypatch.setattr(sqlite, "MAX_DATABASE_BYTES", 4096)
    with pytest.raises(DataError, match="larger than 4,096 bytes"):
        table_names(member(written))


def test_a_full_disk_is_said(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the copy finds no room, the error says where room is needed."""

    found, really_open = member(written), Path.open

    def open_for_reading(self: Path, mode: str) -> Any:
        if mode != "rb":
            raise OSError(errno.ENOSPC, "No space left on device")
        return really_open(self, mode)

    monkeypatch.setattr(Path, "open", open_for_reading)
    with pytest.raises(WriteError, match=r"cannot hold a copy of some\.db: No space left on device"):
        table_names(found)


def test_nothing_is_left_behind(written: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The private copy is gone when reading ends, also when it fails."""
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(private))
    with open_database(member(written)) as database:
        assert database.columns("other")
        assert len(list(private.iterdir())) == 1
    with pytest.raises(DataError), open_database(member(written)) as database:
        list(database.rows("looks", ("id",)))
    assert list(private.iterdir()) == []
