"""The record: one append-only, hash-chained table of events in SQLite; the current state is views over it.

A correction is a new event that supersedes; the first stays. Each event's hash covers its own fields and the hash
before it, so an edited, deleted or reordered row is found. A whole chain can be rewritten by who holds the folder:
tamper evidence is worth what was written down elsewhere (the chain head that `nof1 verify` prints).
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, Self

from nof1.errors import BusyError, DataError, InputMissingError, ReadError, TamperedError, WriteError
from nof1.store.folder import create_private_file
from nof1.store.history import history_faults
from nof1.store.payloads import event_fault, payload_fault, words_fault

SCHEMA_VERSION: Final = 1
APPLICATION_ID: Final = 0x6E6F6631  # "nof1"
BUSY_SECONDS: Final = 20.0
KEPT_IN_MIND: Final = 4096
"""Rows that were found sound in this process: a page reads the same ones forty times."""
CANNOT_WRITE: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}
GENESIS: Final = "0" * 64
"""What stands before the first event."""

_TABLES: Final = """
CREATE TABLE event (
  seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, command TEXT NOT NULL, kind TEXT NOT NULL,
  participant TEXT, payload TEXT NOT NULL, reason TEXT, previous TEXT NOT NULL, hash TEXT NOT NULL UNIQUE
) STRICT;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE VIEW participant AS SELECT * FROM event WHERE kind = 'participant-added';
CREATE VIEW admitted_import AS
  SELECT * FROM event AS e WHERE kind = 'imported' AND NOT EXISTS (
    SELECT 1 FROM event AS r WHERE r.kind = 'import-retracted' AND r.seq > e.seq
      AND r.participant = e.participant AND r.payload ->> 'key' = e.payload ->> 'key');
CREATE VIEW chosen_stream AS
  SELECT * FROM event WHERE seq IN (SELECT max(seq) FROM event WHERE kind = 'stream-chosen' GROUP BY participant);
CREATE VIEW started_trial AS
  SELECT * FROM event WHERE seq IN (SELECT max(seq) FROM event WHERE kind = 'trial-started' GROUP BY participant);
CREATE VIEW unsealed_period AS SELECT * FROM event WHERE kind = 'unblinded' ORDER BY seq;
CREATE VIEW locked_analysis AS
  SELECT * FROM event WHERE seq IN (SELECT max(seq) FROM event WHERE kind = 'analysis-locked' GROUP BY participant);
CREATE VIEW conduct AS
  SELECT * FROM event WHERE kind IN ('paused', 'resumed', 'stopped', 'withdrawn', 'amended') ORDER BY seq;
CREATE VIEW exported_calendar AS SELECT * FROM event WHERE kind = 'calendar-exported' ORDER BY seq;
CREATE VIEW period_guess AS SELECT * FROM event WHERE kind = 'guessed' ORDER BY seq;
CREATE VIEW recorded_baseline AS
  SELECT * FROM event WHERE seq IN (SELECT max(seq) FROM event WHERE kind = 'baseline-recorded' GROUP BY participant);
CREATE VIEW diary_entry AS SELECT * FROM event WHERE kind = 'diary-logged' ORDER BY seq;
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the record. `at` is ISO 8601 in UTC; `payload` holds JSON values."""

    seq: int
    at: str
    actor: str
    command: str
    kind: str
    participant: str | None
    payload: Mapping[str, Any]
    reason: str | None
    previous: str
    hash: str

    def expected_hash(self) -> str:
        """The hash that this event must carry."""
        fields = (self.seq, self.at, self.actor, self.command, self.kind, self.participant, self.payload, self.reason)
        return hashlib.sha256(canonical_json([*fields, self.previous]).encode()).hexdigest()


def canonical_json(value: object) -> str:
    """One spelling of a JSON value: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def chain_faults(events: Sequence[Event]) -> list[str]:
    """What is wrong with the chain, one sentence a fault; empty when it is whole."""
    faults = []
    previous = GENESIS
    for position, event in enumerate(events, start=1):
        if event.seq != position:
            faults.append(f"event {position} is missing: the next one is numbered {event.seq}")
            break
        if event.previous != previous:
            faults.append(f"event {event.seq} ({event.kind}) does not follow the one before it")
        if event.hash != event.expected_hash():
            faults.append(f"event {event.seq} ({event.kind}, {event.at}) was changed after it was written")
        previous = event.hash
    return faults


class Record:
    """An open record. A context manager: leaving it closes the file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make an empty record.

        Raises
        ------
        WriteError
            The file exists or cannot be made.
        """
        create_private_file(path)
        record = cls(_connect(path), path)
        try:
            record._lay_out()
        except BaseException:
            record.close()
            raise
        return record

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a record.

        Raises
        ------
        InputMissingError
            There is no such file.
        DataError
            It is not a record, or a newer nof1 wrote it.
        """
        if not path.is_file():
            raise InputMissingError(f"{path} is not there. Make a study with: nof1 init FOLDER --zone Europe/Berlin.")
        record = cls(_connect(path), path)
        try:
            record._check_format()
        except BaseException:
            record.close()
            raise
        return record

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _lay_out(self) -> None:
        with _reporting_faults(self.path):
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {_TABLES} PRAGMA application_id = {APPLICATION_ID};"
                f" PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )

    def _check_format(self) -> None:
        with _reporting_faults(self.path):
            (application,) = self._connection.execute("PRAGMA application_id").fetchone()
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise DataError(f"{self.path} is not the record of a nof1 study. Restore it from a copy.")
        if version > SCHEMA_VERSION:
            raise DataError(f"{self.path} was written by a newer nof1 (record version {version}). Update nof1.")
        with _reporting_faults(self.path):
            made_of = _structure(self._connection)
        if made_of != _expected_structure():
            raise TamperedError(f"The tables, views or triggers of {self.path} were changed. Restore it from a copy.")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: everything appended inside is kept together, or nothing is.

        Raises
        ------
        BusyError
            Another command has been writing for longer than `BUSY_SECONDS`.
        WriteError, ReadError
            The disk is full, or reports an error. Nothing was changed.
        """
        with _reporting_faults(self.path):
            self._connection.execute("PRAGMA synchronous = FULL")  # journal_mode is DELETE, SQLite's default
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with _reporting_faults(self.path):
                self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a failing disk may refuse this too; the next opening undoes it then
                self._connection.rollback()
            raise

    def append(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        at: datetime,
        actor: str,
        command: str,
        participant: str | None = None,
        reason: str | None = None,
    ) -> Event:
        """Add one event to the chain; call it inside `writing`.

        Raises
        ------
        DataError
            Nothing of this shape can be on record (`nof1.store.payloads`).
        """
        with _reporting_faults(self.path):
            last = self._connection.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        seq, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
        instant = at.astimezone(UTC).isoformat(timespec="microseconds")
        unhashed = Event(seq, instant, actor, command, kind, participant, payload, reason, previous, "")
        fault = payload_fault(kind, payload) or event_fault(kind, instant, participant)
        if fault := fault or words_fault(actor=actor, command=command, reason=reason):
            raise DataError(f"This cannot go on record ({kind}): {fault}. Nothing was changed.")
        event = replace(unhashed, hash=unhashed.expected_hash())
        row = (seq, instant, actor, command, kind, participant, canonical_json(payload), reason, previous, event.hash)
        with _reporting_faults(self.path):
            self._connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return event

    def events(self, view: str = "event", *, participant: str | None = None) -> list[Event]:
        """Events in order: all of them or those of one view of events; everyone's or one person's."""
        where = " WHERE participant = ?" if participant is not None else ""
        arguments = (participant,) if participant is not None else ()
        with _reporting_faults(self.path):
            rows = self._connection.execute(f"SELECT * FROM {view}{where} ORDER BY seq", arguments).fetchall()  # noqa: S608
        return [_event(row) for row in rows]

    def participants(self) -> dict[str, str]:
        """Everyone's code and home zone, in the order they joined."""
        return {event.participant or "": event.payload["zone"] for event in self.events("participant")}

    def file_faults(self) -> list[str]:
        """What SQLite itself finds wrong with the file; empty when it is whole."""
        with _reporting_faults(self.path):
            rows = self._connection.execute("PRAGMA integrity_check").fetchall()
        return [] if rows == [("ok",)] else [f"{self.path.name} is damaged: {row[0]}" for row in rows]

    def require_whole(self) -> None:
        """Refuse to go on from a record that was touched.

        Raises
        ------
        TamperedError
            The chain is broken, or holds what cannot have happened; every fault is listed.
        """
        events = self.events()
        if faults := chain_faults(events) or history_faults(events):
            listed = "\n".join(f"  {fault}" for fault in faults)
            raise TamperedError(f"{self.path} is not as it was recorded:\n{listed}\nRestore it from a copy.")


@contextmanager
def _reporting_faults(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # Python itself gives none: not UTF-8
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise BusyError(f"Another command is writing to {path}. Try again when it has finished.") from error
        if code in CANNOT_WRITE:
            raise WriteError(f"{path} cannot be written: {error}. Nothing was changed.") from error
        if code == sqlite3.SQLITE_IOERR:
            raise ReadError(f"{path}: {error}. Nothing was changed. Is the disk full, or failing?") from error
        raise DataError(f"{path} is damaged: {error}. Restore it from a copy.") from error
    except UnicodeDecodeError as error:  # SQLite's own message quotes the damage
        raise DataError(f"{path} is damaged: it is not text where it should be. Restore it from a copy.") from error


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with _reporting_faults(path):
        return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _structure(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """What a record is made of: views decide what the state is, so they must be the ones written here."""
    return connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()


@cache
def _expected_structure() -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_TABLES)
        return _structure(connection)


_TYPES: Final = (int, str, str, str, str, str | None, str, str | None, str, str)
"""Of the columns: the table is strict, and a disk is not."""


def _event(row: tuple[Any, ...]) -> Event:
    _require_sound(*row)
    seq, at, actor, command, kind, participant, payload, reason, previous, digest = row
    return Event(seq, at, actor, command, kind, participant, json.loads(payload), reason, previous, digest)


@lru_cache(maxsize=KEPT_IN_MIND, typed=True)
def _require_sound(*row: Any) -> None:
    """Refuse a row that nof1 cannot have written; one that passed is not looked at again: events never change."""
    seq, at, _, _, kind, participant, payload, _, _, _ = row
    if not all(map(isinstance, row, _TYPES)):
        raise DataError(f"Event {seq} of the record is damaged. Restore the study from a copy.")
    try:
        content = json.loads(payload)
        spelled = canonical_json(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"Event {seq} of the record cannot be read: {error}. Restore the study from a copy.") from error
    if spelled != payload or not isinstance(content, dict):
        # SQLite and Python may read two spellings of one payload differently; the hash covers only this one.
        raise TamperedError(f"Event {seq} of the record is not written as nof1 writes it. Restore it from a copy.")
    if fault := payload_fault(kind, content) or event_fault(kind, at, participant):
        raise TamperedError(
            f"Event {seq} of the record ({kind[:40]}) is not as this nof1 writes it: {fault}. A newer nof1 wrote "
            "it, or it was changed: update nof1, or restore it from a copy."
        )
