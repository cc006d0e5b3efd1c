"""Bounded readers of JSON and CSV."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nof1.connect import decoding
from nof1.connect.decoding import (
    LINE,
    MAX_DEPTH,
    RAGGED,
    read_csv,
    read_json,
    read_rows_that_begin,
    stream_rows,
)
from nof1.connect.reading import Export, Member
from nof1.errors import DataError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where members are written."""
    return tmp_path_factory.mktemp("members")


def member(folder: Path, content: bytes) -> Member:
    """Write a member with this content."""
    (folder / "sleep.json").write_bytes(content)
    return Export(folder / "sleep.json").members[0]


@settings(deadline=None)
@given(value=VALUES)
def test_json_reads_as_it_was_written(folder: Path, value: Any) -> None:
    """What is sound JSON is read as it was written, whatever its strings hold: quotes, brackets, backslashes."""
    assert read_json(member(folder, json.dumps(value).encode())) == value


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_json_in_other_encodings_is_read(folder: Path, encoding: str) -> None:
    """A byte order mark or evident UTF-16 is understood."""
    assert read_json(member(folder, '[{"naïve": "₂"}]'.encode(encoding))) == [{"naïve": "₂"}]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'[{"a": 1}, {"a": ', "cut short"),
        (b'[{"a": "unended}]', "cut short"),
        (b"%PDF-1.7", "not JSON"),
        (b"[NaN]", "not JSON"),
        (b"[Infinity]", "not JSON"),
        (b"[1] [2]", "not JSON"),
        (b'["\xff\xfe"]', "byte 2 is wrong"),
        (b'["\\ud800"]', "not JSON"),
        (b"[1e999]", "not JSON"),
        (b'[{"a": 1, "b": 2, "a": 3}]', "says 'a' twice"),
        (b'{"x": [{"a": {}, "\\u0061": 1}]}', "says 'a' twice"),
    ],
)
def test_what_is_not_sound_json_is_refused(folder: Path, content: bytes, says: str) -> None:
    """Damaged, ambiguous or wrongly encoded JSON is refused, naming the member and what is wrong."""
    with pytest.raises(DataError, match=says) as refusal:
        read_json(member(folder, content))
    assert "sleep.json" in str(refusal.value)


@pytest.mark.parametrize(
    "nested",
    [
        lambda n: b"[" * n + b"]" * n,
        lambda n: b'{"a":' * n + b"1" + b"}" * n,
        lambda n: b'[{"a":' * (n // 2) + b"1" + b"}]" * (n // 2),
        lambda n: b"[[]," * n + b"[]" + b"]" * n,
        lambda n: b"[" * n,
    ],
    ids=["arrays", "objects", "both", "with siblings", "unclosed"],
)
def test_five_megabytes_of_nesting_are_refused_at_once(folder: Path, nested: Any) -> None:
    """Deep nesting is refused without recursion, and before the decoder sees it."""
    content = nested(1_000_000)
    with pytest.raises(DataError, match=r"nested deeper than 64|brackets do not match"):
        read_json(member(folder, content))


@pytest.mark.faults
def test_two_hundred_megabytes_of_nesting_are_refused_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the bound on size would let it through, 200 MB of nested arrays are refused within seconds."""
    monkeypatch.setattr(decoding, "MAX_TEXT_BYTES", 2**28)
    deep = member(folder, b"[" * 100_000_000 + b"]" * 100_000_000)
    began = time.monotonic()
    with pytest.raises(DataError, match="nested deeper than 64"):
        read_json(deep)
    assert time.monotonic() - began < 20


@settings(deadline=None)
@given(
    depth=st.integers(1, 2 * MAX_DEPTH),
    brackets=st.lists(st.booleans(), min_size=2 * MAX_DEPTH, max_size=2 * MAX_DEPTH),
)
def test_the_depth_bound_is_exact(folder: Path, depth: int, brackets: list[bool]) -> None:
    """Nesting up to the bound is read, and one level more is refused, whatever mix of arrays and objects it is."""
    value: Any = "[[[{{{"
    for is_list in brackets[:depth]:
        value = [value, "]"] if is_list else {"}": value}
    content = member(folder, json.dumps(value).encode())
    if depth <= MAX_DEPTH:
        assert read_json(content) == value
    else:
        with pytest.raises(DataError, match="nested deeper"):
            read_json(content)


def test_a_file_beyond_the_bound_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON and CSV larger than the bound are refused unread."""
    monkeypatch.setattr(decoding, "MAX_TEXT_BYTES", 10)
    for read in (read_json, read_csv):
        with pytest.raises(DataError, match="larger than 10 bytes"):
            read(member(folder, b"[1, 2, 3, 4]"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_in_any_dress_is_the_same_table(folder: Path, encoding: str, delimiter: str, newline: str) -> None:
    """Encoding, delimiter and line ends do not change what is read; numbers stay text and an empty cell is null."""
    lines = ["id;name;note", '1274863277733400080;"a ""b"" c";', ";d;e", ""]
    text = newline.join(lines).replace(";", delimiter)
    table = read_csv(member(folder, text.encode(encoding)))
    assert table.drop(LINE, RAGGED).rows() == [("1274863277733400080", 'a "b" c', None), (None, "d", "e")]


def test_ragged_rows_are_kept_and_marked(folder: Path) -> None:
    """A row with too few or too many fields is kept, says so, and knows its line."""
    table = read_csv(member(folder, b'a,b\n1,2\n3\n"4\n4",5,6\n\n7,8\n'))
    assert table.select("a", "b", LINE, RAGGED).rows() == [
        ("1", "2", 2, False),
        ("3", None, 3, True),
        ("4\n4", "5", 5, True),
        ("7", "8", 7, False),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\n\n", "holds no header"),
        (b"a,b,a\n", "names a column twice: 'a'"),
        (b'a,b\n1,"2\n', "is not CSV"),
        (b"a\xff\n", "byte 1"),
    ],
)
def test_what_is_not_sound_csv_is_refused(folder: Path, content: bytes, says: str) -> None:
    """CSV without a header, with a column named twice, or with a quote that never closes is refused."""
    with pytest.raises(DataError, match=says):
        read_csv(member(folder, content))


def test_too_many_rows_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table with more rows than the bound is refused."""
    monkeypatch.setattr(decoding, "MAX_ROWS", 3)
    with pytest.raises(DataError, match="more than 3 rows"):
        read_csv(member(folder, b"a\n" * 5))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_streamed_table_has_its_rows(folder: Path, encoding: str) -> None:
    """Rows come one by one with their lines, fields with line breaks whole; and the member's digest is known then."""
    told = member(folder, 'Key,Value\r\n\r\nsleep,"{""é"":\n1}"\r\n'.encode(encoding))
    assert list(stream_rows(told, delimiter=",")) == [(1, ["Key", "Value"]), (4, ["sleep", '{"é":\n1}'])]
    assert told.digest is not None


@pytest.mark.parametrize(
    ("content", "says"), [(b'a,b\n1,"2\n', "is not CSV"), (b"a\n\xff\n", "not utf-8 text"), (b"x" * 99, "more than 50")]
)
def test_a_streamed_table_is_sound_or_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, says: str
) -> None:
    """A quote that never closes, bytes that are not text and a line without end are refused."""
    monkeypatch.setattr(decoding, "MAX_LINE", 50)
    with pytest.raises(DataError, match=says):
        list(stream_rows(member(folder, content), delimiter=","))


ROW_BEGINS = re.compile(r"\d+;")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_row_known_by_its_beginning_is_never_swallowed(folder: Path, newline: str) -> None:
    """A mark that is not closed ends with its row; closed marks hold lines and delimiters; line numbers are kept."""
    lines = ["id;note", '1;"open', '2;"a;', 'b"', "", '3;"open', '4;"x"y', "5;"]
    rows = list(read_rows_that_begin(member(folder, newline.join(lines).encode()), ROW_BEGINS))
    assert rows == [
        (1, ["id", "note"]),
        (2, ["1", '"open']),
        (4, ["2", f"a;{newline}b"]),
        (6, ["3", '"open']),
        (7, ["4", '"x"y']),
        (8, ["5", ""]),
    ]


def test_too_many_lines_of_any_kind_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that begin no row are counted too: they are held until the next row begins. A field has its bound."""
    monkeypatch.setattr(decoding, "MAX_ROWS", 10)
    with pytest.raises(DataError, match="more than 10 lines"):
        list(read_rows_that_begin(member(folder, b"\n" * 12), ROW_BEGINS))
    with pytest.raises(DataError, match="line 2 is not CSV"):
        list(read_rows_that_begin(member(folder, b"id;note\n1;" + b"a" * 200_000), ROW_BEGINS))


def test_a_table_that_stops_within_a_row_is_refused(tmp_path: Path) -> None:
    """Half a row without a line end is a download that was cut short; a whole last row needs no line end."""
    whole = "night,tst_min,deep_min\n2026-03-01,421,83\n2026-03-02,400,80"
    assert read_csv(member(tmp_path, whole.encode())).height == 2
    with pytest.raises(DataError, match="cut short"):
        read_csv(member(tmp_path, whole.removesuffix(",80").encode()))
