"""What is on record has the shape that nof1 writes, whoever wrote it; what has not is refused in words."""

import ast
import hashlib
import inspect
import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nof1.errors import DataError, TamperedError
from nof1.store import payloads
from nof1.store.events import _TABLES, GENESIS, SCHEMA_VERSION, Event, Record, canonical_json
from nof1.store.payloads import event_fault, payload_fault

NOW = datetime(2026, 5, 12, 21, 0, tzinfo=UTC)
DIARY: dict[str, Any] = {
    "night": "2026-05-12",
    "dose_taken": True,
    "dose_at": "2026-05-12T20:10:00+00:00",
    "lights_out": None,
    "note": "calm",
    "covariates": {"alcohol_units": 1.5, "ill": False, "stress": "some"},
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"night": "2026-02-30"}, "payload.night must be a date"),
        ({"night": "0001-01-01"}, "payload.night must be a date"),
        ({"night": 20260512}, "payload.night must be a date"),
        ({"dose_taken": 1}, "payload.dose_taken must be true or false, it is 1"),
        ({"dose_at": "2026-05-12T20:10:00"}, "payload.dose_at must be an instant in UTC"),
        ({"dose_at": "2026-05-12T20:10:00+02:00"}, "payload.dose_at must be an instant in UTC"),
        ({"note": ["calm"]}, "payload.note must be text"),
        ({"covariates": []}, "payload.covariates must be a table"),
        ({"covariates": {"night": 1}}, "payload.covariates: a key must be the key of a question"),
        ({"covariates": {"alcohol_units": None}}, "payload.covariates.alcohol_units must be a number"),
        ({"covariates": {"alcohol_units": 10**30}}, "payload.covariates.alcohol_units must be a number"),
        ({"awakenings": -1}, "payload.awakenings must be a whole number of at least 0"),
        ({"awakenings": True}, "payload.awakenings must be a whole number"),
        ({"side_effects": {"nausea": "some"}}, "payload.side_effects.nausea must be one of none, mild"),
        ({"more": 1}, "payload must not hold 'more'"),
    ],
)
def test_a_diary_entry_of_another_shape_is_named(change: dict[str, Any], says: str) -> None:
    """The place inside the payload is named, with what belongs there and what was found."""
    assert payload_fault("diary-logged", DIARY) is None
    assert (payload_fault("diary-logged", DIARY | change) or "").startswith(says)


def test_a_key_that_is_missing_is_named() -> None:
    """A key that every version wrote must be there; one that an earlier version did not ask for may be absent."""
    assert payload_fault("diary-logged", DIARY | {"awakenings": 2, "side_effects": {}}) is None
    assert payload_fault("diary-logged", {"night": "2026-05-12"}) == "payload.covariates is missing"


def test_places_in_lists_are_counted() -> None:
    """A fault deep in a schedule is found by its path."""
    period = {"number": 1, "block": 1, "arm": None, "first_night": "2026-05-12", "nights": 10**9}
    payload = {
        "protocol_id": "x",
        "protocol_sha256": "0" * 64,
        "schedule": {"first_night": "2026-05-12", "transition_nights": 0, "periods": [period]},
        "allocation": None,
        "seal": None,
        "blinding": "open label",
    }
    fault = payload_fault("trial-started", payload) or ""
    assert fault.startswith("payload.schedule.periods[0].nights must be a whole number from 1 to")


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../../etc/passwd", "Europe", "x" * 5_000, "a\0b", None, 3])
def test_a_zone_that_there_is_not_is_refused(zone: object) -> None:
    """No zone of the record can make a clock fail later."""
    assert payload_fault("participant-added", {"zone": "Asia/Tokyo"}) is None
    assert "payload.zone must be a zone" in (payload_fault("participant-added", {"zone": zone}) or "")


def test_keys_of_files_are_no_paths() -> None:
    """What becomes the name of a file is hexadecimal, and nothing else."""
    assert payload_fault("import-retracted", {"key": "0" * 32}) is None
    assert payload_fault("import-retracted", {"key": "../../../etc/passwd"})
    assert payload_fault("report-rendered", {"../page.html": "0" * 64})


def test_an_event_says_whose_it_is_and_when() -> None:
    """Only the making of a study is nobody's; an instant is in UTC and of this age."""
    assert event_fault("guessed", "2026-05-12T21:00:00.000000+00:00", "P01") is None
    assert event_fault("study-created", "2026-05-12T21:00:00.000000+00:00", None) is None
    assert "participant" in (event_fault("guessed", "2026-05-12T21:00:00.000000+00:00", None) or "")
    assert "participant" in (event_fault("study-created", "2026-05-12T21:00:00.000000+00:00", "P01") or "")
    assert "at must be" in (event_fault("guessed", "0001-01-01T00:00:00+00:00", "P01") or "")


def test_nothing_of_another_shape_goes_on_record(tmp_path: Path) -> None:
    """A bug that would write what no command can read is stopped before it is written."""
    with Record.create(tmp_path / "record.sqlite") as record:
        for kind, payload in (("participant-added", {"zone": 1}), ("never-heard-of", {})):
            with pytest.raises(DataError, match="cannot go on record"), record.writing():
                record.append(kind, payload, at=NOW, actor="me", command="test", participant="P01")
        assert record.events() == []


@pytest.mark.parametrize(
    ("kind", "payload", "says"),
    [
        ("participant-added", '{"zone":"Mars/Base"}', r"Event 1 .*participant-added.*payload\.zone"),
        ("never-heard-of", "{}", "no kind of event that this version knows"),
        (
            "participant-added",
            '{"more":1,"zone":"Asia/Tokyo"}',
            "A newer nof1 wrote it, or it was changed: update nof1",
        ),
        ("participant-added", '{"zone":' + "[" * 50_000 + "]" * 50_000 + "}", "Event 1"),
    ],
)
def test_a_forged_event_is_refused_when_it_is_read(tmp_path: Path, kind: str, payload: str, says: str) -> None:
    """An event whose hash is right and whose payload is not is refused by its number, its kind and what is wrong."""
    Record.create(tmp_path / "record.sqlite").close()
    at = "2026-05-12T21:00:00.000000+00:00"
    told = f'[1,"{at}","me","test","{kind}","P01",{payload},null,"{GENESIS}"]'
    row = (1, at, "me", "test", kind, "P01", payload, None, GENESIS, hashlib.sha256(told.encode()).hexdigest())
    if len(payload) < 1_000:
        own = Event(1, at, "me", "test", kind, "P01", json.loads(payload), None, GENESIS, "")
        assert own.expected_hash() == row[-1]
        assert canonical_json(json.loads(payload)) == payload
    with closing(sqlite3.connect(tmp_path / "record.sqlite")) as connection, connection:
        connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    with Record.open(tmp_path / "record.sqlite") as record, pytest.raises((TamperedError, DataError), match=says):
        record.events()


HALF = "\udcfc"
"""What the system makes of a byte that is no UTF-8; it cannot be written, and so not be hashed."""


@pytest.mark.parametrize("change", [{"note": HALF}, {"covariates": {"stress": HALF}}, {"side_effects": {HALF: "mild"}}])
def test_half_a_character_is_no_text(change: dict[str, Any]) -> None:
    """It is refused in words before it is hashed; whole characters beyond the first plane are text."""
    assert re.search(r"must be .*text", payload_fault("diary-logged", DIARY | change) or "")
    assert payload_fault("diary-logged", DIARY | {"note": "calm \U0001f634"}) is None


@pytest.mark.parametrize("words", [{"actor": HALF}, {"reason": HALF}])
def test_words_beside_the_payload_are_text_too(tmp_path: Path, words: dict[str, str]) -> None:
    """Nothing is written, and the message names which it was."""
    told: dict[str, Any] = {"actor": "me", "reason": None, **words}
    with Record.create(tmp_path / "record.sqlite") as record:
        with pytest.raises(DataError, match=f"{next(iter(words))} must be text"), record.writing():
            record.append(
                "participant-added", {"zone": "Asia/Tokyo"}, at=NOW, command="test", participant="P01", **told
            )
        assert record.events() == []


def test_a_record_of_another_shape_has_another_version() -> None:
    """Who changes what an event holds, or the tables, raises SCHEMA_VERSION: else an older nof1 cries tampering."""
    tree = ast.parse(inspect.getsource(payloads))
    told = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    digest = hashlib.sha256("\n".join([_TABLES, *told]).encode()).hexdigest()
    assert (SCHEMA_VERSION, digest[:16]) == (1, "cd5f51452caf1d98")
