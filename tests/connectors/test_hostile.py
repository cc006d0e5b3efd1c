"""Exports that are sound as files and strange inside: one strange value costs at most the night that it stands in."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.connectors.hostile import GONE, json_of, misshapen_tables, strange_copies
from tests.connectors.test_mutations import Tally, in_time, read_or_refuse
from tests.connectors.written import ALL_WRITTEN, Packed, read_all

from nof1.errors import DataError

A_FEW = 12
MANY = 400

every_export = pytest.mark.parametrize("name", sorted(ALL_WRITTEN))
DUPLICATE = '{"a": 1, "a": 2, '


def lost(before: pl.DataFrame, after: pl.DataFrame) -> int:
    """How many sessions are no more what they were."""
    kept = set(map(repr, after.iter_rows()))
    return sum(repr(row) not in kept for row in before.iter_rows())


def check_strange_values(name: str, apart: Packed, before: pl.DataFrame, folder: Path, count: int) -> None:
    """Read copies of an export with one strange value each: the other nights must be what they were."""
    dear = []
    for number, member in enumerate(apart.members):
        for turn, (done, content) in enumerate(strange_copies(apart.members[member], count)):
            here = folder / f"{number}-{turn}"
            here.mkdir()
            with in_time():
                after = read_all(apart.pack(here, {member: content}))[ALL_WRITTEN[name].connector].sessions
            if lost(before, after) > 1:
                dear.append(f"{member}: {done}")
    assert dear == []


@every_export
def test_one_strange_value_costs_one_night_at_most(packed: Any, read_back: Any, tmp_path: Path, name: str) -> None:
    """A value of a wrong type, far out of bounds or missing, in a record: all other nights are read as they were."""
    apart: Packed = packed(name)
    few = max(1, A_FEW // len(apart.members))
    check_strange_values(name, apart, read_back(name).sessions, tmp_path, few)


@every_export
@pytest.mark.mutations
def test_no_strange_value_costs_more(packed: Any, read_back: Any, tmp_path: Path, name: str) -> None:
    """The same for hundreds of values and places."""
    check_strange_values(name, packed(name), read_back(name).sessions, tmp_path, MANY)


@every_export
def test_a_table_of_another_shape_is_refused_or_accounted_for(packed: Any, tmp_path: Path, name: str) -> None:
    """Ragged rows, columns that are missing or twice there, and headers alone or left out: read or refused in words."""
    apart: Packed = packed(name)
    for number, (member, content) in enumerate(apart.members.items()):
        for turn, (_, misshapen) in enumerate(misshapen_tables(content)):
            folder = tmp_path / f"{number}-{turn}"
            folder.mkdir()
            read_or_refuse(apart.pack(folder, {member: misshapen}), Tally())


TRICKS: dict[str, tuple[Callable[[str], str], str]] = {
    "deep nesting": (lambda text: text[:-1] + (", " if len(text) > 2 else "") + nested(text), "nested deeper"),
    "NaN": (lambda text: "[NaN, " + text + "]", "is not JSON"),
    "a key twice": (lambda text: '[{"a": 1, "a": 2}, ' + text + "]", "says 'a' twice"),
    "bad UTF-8": (lambda text: text[:-1].rstrip() + " " + "\udcff" + text[-1:], "is not utf-8 text"),
}


def nested(text: str) -> str:
    """A hundred levels, in the way that the text's last bracket asks for."""
    deep = "[" * 100 + "]" * 100
    return f'"deep": {deep}}}' if text.endswith("}") else f"{deep}]"


@every_export
@pytest.mark.parametrize("trick", TRICKS)
def test_json_that_tricks_decoders_is_refused(packed: Any, tmp_path: Path, name: str, trick: str) -> None:
    """Nesting without end, numbers that are none, keys said twice and bytes that are no text refuse the export."""
    apart: Packed = packed(name)
    change, reason = TRICKS[trick]
    for number, (member, content) in enumerate(apart.members.items()):
        value = json_of(content)
        if value is GONE or not read_alone(apart, member, tmp_path / f"alone {number}"):
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        text = change(json.dumps(value)).encode(errors="surrogateescape")
        with pytest.raises(DataError, match=reason):
            read_all(apart.pack(folder, {member: text}))


def read_alone(apart: Packed, member: str, folder: Path) -> bool:
    """Say whether this member, by itself, is read by a connector."""
    folder.mkdir()
    try:
        return bool(read_all(Packed("folder", "alone", {member: apart.members[member]}).pack(folder, {})))
    except DataError:
        return False


@pytest.mark.parametrize("evil", ["../sleep.json", "/sleep.json", "C:\\sleep.json", "sleep\x00.json"])
def test_no_connector_sees_a_member_that_leads_outside(packed: Any, tmp_path: Path, evil: str) -> None:
    """A real night under a name that leads outside the archive is refused before any connector is asked."""
    content = max(packed("fitbit-logs-0").members.values(), key=len)
    path = tmp_path / "takeout.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("sleep.json")
        info.filename = info.orig_filename = evil
        archive.writestr(info, content)
    with pytest.raises(DataError, match="leads outside the archive"):
        read_all(path)
