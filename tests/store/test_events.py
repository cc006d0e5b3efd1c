"""The record keeps every event, in order, and shows when one was touched."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nof1.errors import BusyError, DataError, InputMissingError, TamperedError, WriteError
from nof1.store import events as events_module
from nof1.store.events import GENESIS, Record, canonical_json, chain_faults

NOW = datetime(2026, 5, 12, 21, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a record may be."""
    return tmp_path / "record.sqlite"


@pytest.fixture
def record(path: Path) -> Iterator[Record]:
    """A record with three events of two people."""
    with Record.create(path) as record:
        with record.writing():
            add(record, "participant-added", {"zone": "Europe/Berlin"}, participant="P01")
            add(record, "participant-added", {"zone": "Asia/Tokyo"}, participant="P02")
            add(record, "imported", imported("1"), participant="P01")
        yield record


def add(record: Record, kind: str, payload: dict[str, object], participant: str | None = None) -> None:
    """Append an event without caring who and when."""
    record.append(kind, payload, at=NOW, actor="me", command="test", participant=participant)


def imported(digit: str) -> dict[str, object]:
    """What is told of an import; its key and the hash of its file repeat a digit."""
    how_many = dict.fromkeys(("size", "read", "accepted", "merged", "rejected"), 1)
    zone = {"zone": "Europe/Berlin", "zone_source": "participant"}
    connector = {"connector": "fitbit", "connector_version": "1"}
    told = {"export": "takeout.zip", "fingerprint": digit * 64, "key": digit * 32, "sha256": digit * 64}
    return {**told, **connector, **zone, **how_many}


def edit(path: Path, *statements: str) -> None:
    """Change the file behind the record's back, as somebody with a database tool would who then covers their tracks."""
    with closing(sqlite3.connect(path)) as connection, connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, definition in triggers:
            connection.execute(definition)


def test_chain_is_whole(record: Record) -> None:
    """A record that nobody touched has no faults, and each event follows the one before."""
    kept = record.events()
    assert chain_faults(kept) == []
    assert [event.previous for event in kept] == [GENESIS, kept[0].hash, kept[1].hash]


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ('UPDATE event SET payload = \'{"zone":"UTC"}\' WHERE seq = 1', "event 1"),
        ("UPDATE event SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 2", "event 2"),
        ("UPDATE event SET reason = 'none' WHERE seq = 3", "event 3"),
        ("UPDATE event SET participant = 'P02' WHERE seq = 3", "event 3"),
        ("DELETE FROM event WHERE seq = 2", "event 2 is missing"),
        ("DELETE FROM event WHERE seq = 1", "event 1 is missing"),
        ("UPDATE event SET seq = CASE seq WHEN 1 THEN 102 ELSE 101 END WHERE seq < 3", "event 1 is missing"),
    ],
)
def test_edits_are_found(path: Path, record: Record, statement: str, says: str) -> None:
    """An edited, deleted or renumbered row is named."""
    record.close()
    edit(path, statement)
    with Record.open(path) as reopened:
        faults = chain_faults(reopened.events())
    assert any(says in fault for fault in faults), faults


def test_rows_swapped_are_found(path: Path, record: Record) -> None:
    """Two events that change places, payload and all, break the chain."""
    record.close()
    edit(path, "UPDATE event SET seq = -seq WHERE seq < 3", "UPDATE event SET seq = 3 + seq WHERE seq < 0")
    with Record.open(path) as reopened:
        assert chain_faults(reopened.events())
        with pytest.raises(TamperedError, match="not as it was recorded"):
            reopened.require_whole()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP VIEW admitted_import",
        "DROP TRIGGER event_is_never_deleted",
        "CREATE TABLE more (x)",
        "CREATE TRIGGER t AFTER INSERT ON event BEGIN SELECT 1; END",
    ],
)
def test_what_a_record_is_made_of_cannot_change(path: Path, record: Record, statement: str) -> None:
    """Views say what the state is: a record whose views, triggers or tables are others is refused."""
    record.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    with pytest.raises(TamperedError, match="views or triggers"):
        Record.open(path)


def test_a_view_that_swaps_the_arms_is_refused(path: Path, record: Record) -> None:
    """A view redefined to tell another story, its rows untouched, is found."""
    record.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP VIEW started_trial")
        connection.execute("CREATE VIEW started_trial AS SELECT * FROM event WHERE 0")
    with pytest.raises(TamperedError):
        Record.open(path)


def test_one_payload_has_one_reading(path: Path, record: Record) -> None:
    """A payload with a key twice, which SQLite and Python would read differently, is refused."""
    record.close()
    edit(path, """UPDATE event SET payload = '{"zone":"Asia/Tokyo","zone":"Europe/Berlin"}' WHERE seq = 1""")
    with Record.open(path) as reopened, pytest.raises(TamperedError, match="Event 1"):
        reopened.events()


def test_rows_cannot_be_changed_by_accident(record: Record) -> None:
    """The table itself refuses updates and deletions."""
    for statement in ("UPDATE event SET kind = 'x'", "DELETE FROM event"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            record._connection.execute(statement)


def test_a_failed_command_leaves_nothing(record: Record) -> None:
    """Events of a command that fails half-way are not kept."""

    def fail_half_way() -> None:
        with record.writing():
            add(record, "imported", imported("2"), participant="P01")
            raise RuntimeError("plug pulled")

    before = record.events()
    with pytest.raises(RuntimeError):
        fail_half_way()
    assert record.events() == before


def test_views_follow_the_events(record: Record) -> None:
    """A retracted import is admitted no longer, and importing it again admits it again."""
    assert record.participants() == {"P01": "Europe/Berlin", "P02": "Asia/Tokyo"}
    with record.writing():
        add(record, "import-retracted", {"key": "1" * 32}, participant="P01")
    assert record.events("admitted_import") == []
    with record.writing():
        add(record, "imported", imported("1"), participant="P01")
    assert [event.payload["key"] for event in record.events("admitted_import", participant="P01")] == ["1" * 32]
    assert record.events("admitted_import", participant="P02") == []


def test_one_writer_at_a_time(path: Path, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second writer is told to try again, and changes nothing."""
    monkeypatch.setattr(events_module, "BUSY_SECONDS", 0.05)
    with Record.open(path) as second, record.writing():
        with pytest.raises(BusyError, match="Try again"), second.writing():
            pass
        add(record, "imported", imported("2"), participant="P01")
    assert len(record.events()) == 4


def test_a_record_that_is_none_is_refused(tmp_path: Path) -> None:
    """A missing file, a text file and a foreign database each get their own error."""
    with pytest.raises(InputMissingError):
        Record.open(tmp_path / "none.sqlite")
    text = tmp_path / "text.sqlite"
    text.write_text("not a database, " * 100)
    with pytest.raises(DataError, match="damaged"):
        Record.open(text)
    foreign = tmp_path / "foreign.sqlite"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.executescript("CREATE TABLE x (y); VACUUM;")
    with pytest.raises(DataError, match="not the record"):
        Record.open(foreign)


def test_a_newer_record_is_refused(path: Path, record: Record) -> None:
    """A record that a newer nof1 wrote is not guessed at."""
    record.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DataError, match="newer nof1"):
        Record.open(path)


def test_creating_over_a_record_is_refused(path: Path, record: Record) -> None:
    """A record is never overwritten by a new one."""
    with pytest.raises(WriteError):
        Record.create(path)


def test_canonical_json_has_one_spelling() -> None:
    """Key order does not matter, and what JSON cannot say is refused."""
    assert canonical_json({"b": 1, "a": [1.5, "ü"]}) == canonical_json({"a": [1.5, "ü"], "b": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(float("nan"))
