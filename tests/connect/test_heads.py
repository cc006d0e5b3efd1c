"""What the beginning of a file tells."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nof1.connect.heads import HEAD_BYTES, Head
from nof1.connect.reading import Export
from nof1.errors import DataError


@pytest.fixture
def head(tmp_path: Path) -> object:
    """Write a file and look at its beginning."""

    def look(content: bytes) -> Head:
        (tmp_path / "member").write_bytes(content)
        (member,) = Export(tmp_path / "member").members
        return Head(member, member.head(HEAD_BYTES))

    return look


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"a": 1}', "json"),
        (b"\n\t [1]", "json"),
        (b'\xef\xbb\xbf{"a": 1}', "json"),
        ('\ufeff{"a": 1}'.encode("utf-16-le"), "json"),
        ('{"a": 1}'.encode("utf-16-be"), "json"),
        (b"<?xml version='1.0'?>", "xml"),
        (b"  <a/>", "xml"),
        (b"date;hours\n1;2", "text"),
        (b"W W 1 1 2 3 R", "text"),
        ("Größe\n".encode("latin-1"), "text"),
        (b"0       X X X X\x00\x01\x02", "binary"),
        (b"\x89PNG\r\n\x1a\n\x00", "binary"),
        (b"\x0e\x10\x43\x08", "binary"),
        (b"SQLite format 3\x00", "sqlite"),
    ],
)
def test_the_kind_is_told_by_the_first_bytes(head, content: bytes, kind: str) -> None:
    """JSON, XML, SQLite, text and the rest are told apart by content, in any encoding that text comes in."""
    assert head(content).kind == kind


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_columns_are_those_of_the_first_line(head, encoding: str, delimiter: str, end: str) -> None:
    """The header's fields are found behind any delimiter, encoding and line end, in lower case, without quotes."""
    header = delimiter.join(["Start", '"Time in bed"', " Quality "])
    found = head(f"{header}{end}".encode(encoding))
    assert found.columns == {"start", "time in bed", "quality"}
    assert found.has_columns("QUALITY", "start")
    assert not found.has_columns("start", "end")


def test_a_header_that_is_cut_or_broken_names_nothing_wrong(head) -> None:
    """A quotation mark that never closes, or a first line of four kilobytes, is no error."""
    assert "b" not in head(b'a,"b,c\n1,2').columns
    assert len(head(b"x," * 5000).columns) == 2


def test_keys_are_found_at_any_depth_within_the_first_bytes(head) -> None:
    """Keys count wherever they stand in the beginning, and not beyond it."""
    early = head(b'{"a": [{"b": 1}], "c":' + b" " * HEAD_BYTES + b'"d"}')
    assert early.has_keys("a", "b", "c")
    assert not early.has_keys("a", "d")


def test_tables_of_a_database(head, tmp_path: Path) -> None:
    """The tables of a database are named in lower case; what is none has no tables, and a damaged one says so."""
    with closing(sqlite3.connect(tmp_path / "made.db")) as database, database:
        database.execute("CREATE TABLE Sleep_Session (a)")
    database.close()
    content = (tmp_path / "made.db").read_bytes()
    assert head(content).tables == {"sleep_session"}
    with pytest.raises(DataError, match="damaged database"):
        head(content[:60] + b"\xff" * 60).tables  # noqa: B018 (a property)
    assert head(b"date,hours").tables == frozenset()
