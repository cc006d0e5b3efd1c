"""Whatever is done to a study behind nof1's back, `nof1 verify` finds it, or it changes nothing; and nothing crashes.

Mutations are made by somebody with a database tool who covers their tracks (triggers dropped and made again, hashes
recomputed), and by a disk that rots. The receipt of the start and the chain head are what was written down elsewhere.
"""

import hashlib
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from tests.cases import ZONE, Typist, write_export
from tests.study.test_sealing import PROTOCOL

from nof1.errors import DataError, InputMissingError, TamperedError
from nof1.store.events import Event, Record
from nof1.store.folder import write_private_file
from nof1.store.seal import Custodian, new_key
from nof1.study.conduct import pause_trial, resume_trial
from nof1.study.diaries import log_night
from nof1.study.imports import import_exports
from nof1.study.sealing import lock_analysis
from nof1.study.study import Study, create_study, open_study
from nof1.study.trials import start_trial
from nof1.study.verification import Verified, verify

FIRST: Final = date(2026, 12, 1)
HARMLESS: Final = "without effect"
COLUMNS: Final = ("seq", "at", "actor", "command", "kind", "participant", "payload", "reason", "previous", "hash")

type Row = tuple[Any, ...]
type Mutation = Callable[[Path, random.Random], None]


@dataclass(frozen=True, slots=True)
class Original:
    """A study that nobody touched: its files by name, what `verify` says of it, and its events."""

    files: dict[str, bytes]
    verified: Verified
    events: list[Event]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """A sealed trial with a diary, corrections, a pause, two imports, a lock and a result."""
    home = tmp_path_factory.mktemp("original")
    (home / "sealed.toml").write_text(PROTOCOL)
    study = create_study(home / "study", zone=ZONE, clock=lambda: datetime(2026, 11, 30, 12, tzinfo=UTC))
    start_trial(study, home / "sealed.toml", on=FIRST, custodian=Custodian(public_key=new_key(home / "custodian.key")))
    for day in range(14):
        study = replace(study, clock=lambda day=day: datetime(2026, 12, 1, 21, tzinfo=UTC) + timedelta(days=day))
        if day == 5:
            pause_trial(study, reason="influenza")
        if day == 7:
            resume_trial(study)
        log_night(study, dose_taken=day % 3 != 0, lights_out="23:10", note=f"day {day}")
    log_night(study, night=FIRST, dose_taken=True)
    study = replace(study, clock=lambda: datetime(2026, 12, 20, 12, tzinfo=UTC))
    for nights in (10, 16):
        import_exports(study, [write_export(home / "takeout.zip", nights, first=FIRST)])
    lock_analysis(study, looked="no")
    _write_result(study)
    with study.record() as record:
        return Original(files_of(study.folder.path), verify(study), record.events())


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file, by its name in the study."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _write_result(study: Study) -> None:
    written = {"result.json": b'{"schema": 1}', "posterior.nc": b"draws"}
    for name, content in written.items():
        write_private_file(study.folder.reports("P01") / name, content)
    payload = {name: hashlib.sha256(content).hexdigest() for name, content in written.items()}
    with study.record() as record, record.writing():
        study.append(record, "analysed", payload, command="analyse", participant="P01")


def rows_of(folder: Path) -> list[Row]:
    """Every event as SQLite gives it."""
    with closing(sqlite3.connect(folder / "record.sqlite")) as connection:
        return connection.execute("SELECT * FROM event ORDER BY seq").fetchall()


def rewrite(folder: Path, rows: list[Row]) -> None:
    """Replace all rows, and leave tables, views and triggers as they were."""
    with closing(sqlite3.connect(folder / "record.sqlite")) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")  # the test's own writing need not survive a power cut
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM event")
        connection.executemany(f"INSERT INTO event VALUES ({', '.join('?' * len(COLUMNS))})", rows)
        for _, definition in triggers:
            connection.execute(definition)


def hashed(row: Row, previous: str) -> Row:
    """The row as somebody would write it who knows how events are hashed."""
    event = Event(*row[:6], json.loads(row[6]), row[7], previous, "")
    return (*row[:8], previous, event.expected_hash())


def chained(rows: list[Row], start: int) -> list[Row]:
    """Recompute the chain from a row on."""
    done = rows[:start]
    for row in rows[start:]:
        done.append(hashed(row, done[-1][9] if done else "0" * 64))
    return done


def other_text(rng: random.Random, text: str) -> str:
    """The same text with one character replaced, removed or added."""
    at = rng.randrange(len(text) + 1)
    kept = text[at + rng.choice((0, 1, 1)) :]
    changed = text[:at] + rng.choice(("", "0", "f", "x", '"', "\0", "ü", " ")) + kept
    return changed if changed != text else text + "x"


def other_payload(rng: random.Random, payload: str) -> str:
    """The same payload with one value changed, spelled as nof1 spells it."""
    content = json.loads(payload)
    key = rng.choice([*content, "more"])
    content[key] = rng.choice([None, 1, "x", True, [], {"a": 1}, "2026-12-02", *content.values()])
    changed = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return changed if changed != payload else json.dumps({"x": 1}, separators=(",", ":"))


def edit_a_field(folder: Path, rng: random.Random) -> None:
    """One field of one event becomes another; sometimes its own hash is made to fit."""
    rows = rows_of(folder)
    number, column = rng.randrange(len(rows)), rng.randrange(1, len(COLUMNS))
    row = list(rows[number])
    if column == COLUMNS.index("payload") and rng.random() < 0.7:
        row[column] = other_payload(rng, row[column])
    else:
        row[column] = other_text(rng, row[column] or "")
    try:
        rows[number] = hashed(tuple(row), row[8]) if rng.random() < 0.3 and column < 8 else tuple(row)
    except ValueError:  # the payload is no JSON any more
        rows[number] = tuple(row)
    rewrite(folder, rows)


def delete_events(folder: Path, rng: random.Random) -> None:
    """Some events vanish; sometimes the rest is numbered anew."""
    rows = rows_of(folder)
    for _ in range(rng.randint(1, 3)):
        del rows[rng.randrange(len(rows))]
    if rng.random() < 0.5:
        rows = [(seq, *row[1:]) for seq, row in enumerate(rows, start=1)]
    rewrite(folder, rows)


def reorder_events(folder: Path, rng: random.Random) -> None:
    """Two events change places; sometimes a new chain is made over the result."""
    rows = rows_of(folder)
    one, other = rng.sample(range(len(rows)), 2)
    rows[one], rows[other] = (rows[one][0], *rows[other][1:]), (rows[other][0], *rows[one][1:])
    rewrite(folder, chained(rows, min(one, other)) if rng.random() < 0.5 else rows)


def duplicate_an_event(folder: Path, rng: random.Random) -> None:
    """An event stands there twice, at the end or in between; its hash, which must be another, is made up."""
    rows = rows_of(folder)
    copied, place = rng.choice(rows), rng.randint(0, len(rows))
    rows.insert(place, (*copied[:9], rng.randbytes(32).hex()))
    rewrite(folder, [(seq, *row[1:]) for seq, row in enumerate(rows, start=1)])


def cut_the_end_off(folder: Path, rng: random.Random) -> None:
    """The last events are gone, and what is left is a whole chain."""
    rows = rows_of(folder)
    rewrite(folder, rows[: rng.randrange(len(rows))])


def rewrite_history(folder: Path, rng: random.Random) -> None:
    """One event is changed and the whole chain after it made anew: only what is held outside can tell."""
    rows = rows_of(folder)
    number = rng.randrange(len(rows))
    column = rng.choice((1, 2, 3, 6, 7))
    row = list(rows[number])
    row[column] = other_payload(rng, row[column]) if column == 6 else other_text(rng, row[column] or "")
    rows[number] = tuple(row)
    rewrite(folder, chained(rows, number))


def change_the_ciphertext(folder: Path, rng: random.Random) -> None:
    """One character of the sealed allocation, or of its commitment, is another."""
    rows = rows_of(folder)
    number = next(place for place, row in enumerate(rows) if row[4] == "trial-started")
    payload = json.loads(rows[number][6])
    name = rng.choice(("ciphertext", "ciphertext", "commitment", "custodian"))
    text = payload["seal"][name]
    at = rng.randrange(len(text.rstrip()))
    payload["seal"][name] = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    changed = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    rows[number] = (*rows[number][:6], changed, *rows[number][7:])
    rewrite(folder, chained(rows, number) if rng.random() < 0.3 else rows)


def damage_a_file(name: str, *, may_go: bool = True) -> Mutation:
    """Flip, blank, cut, lengthen or remove one of the files of that name."""

    def damage(folder: Path, rng: random.Random) -> None:
        path = rng.choice(sorted(folder.rglob(name)))
        content = bytearray(path.read_bytes())
        at = rng.randrange(len(content))
        what = rng.choice(("flip", "flip", "flip", "blank", "cut", "more", "gone" if may_go else "cut"))
        if what == "flip":
            content[at] ^= rng.randrange(1, 256)
        elif what == "blank":
            content[at : at + 512] = bytes(len(content[at : at + 512]))
        elif what == "cut":
            del content[at:]
        elif what == "more":
            content += rng.randbytes(rng.randint(1, 5000))
        path.unlink()
        if what != "gone":
            path.write_bytes(content)

    damage.__name__ = f"damage {name}"
    return damage


MUTATIONS: Final[tuple[Mutation, ...]] = (
    edit_a_field,
    delete_events,
    reorder_events,
    duplicate_an_event,
    cut_the_end_off,
    rewrite_history,
    change_the_ciphertext,
    damage_a_file("*.parquet"),
    damage_a_file("protocol.toml"),
    damage_a_file("result.json", may_go=False),  # results may be made again
    damage_the_record := damage_a_file("record.sqlite"),
    damage_the_record,
)


def found_or_harmless(original: Original, folder: Path) -> str:
    """Say how `verify` took a mutation: the name of its error, or that everything is as it was."""
    try:
        verified = verify(open_study(folder), head=original.verified.chain_head)
    except (TamperedError, DataError, InputMissingError) as error:
        return type(error).__name__
    assert verified == original.verified
    with Record.open(folder / "record.sqlite") as record:
        assert record.events() == original.events
    now = files_of(folder) | {"record.sqlite": original.files["record.sqlite"]}
    assert now == original.files
    return HARMLESS


def lay_out(original: Original, folder: Path) -> None:
    """Make a copy of the study; what a mutation did to an earlier one is undone."""
    for name, content in original.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def mutate(original: Original, folder: Path, seed: int) -> tuple[str, str]:
    """Make one mutation of a fresh copy, and give its name and how it was taken."""
    rng = random.Random(seed)
    mutation = MUTATIONS[seed % len(MUTATIONS)]
    lay_out(original, folder)
    mutation(folder, rng)
    try:
        return mutation.__name__, found_or_harmless(original, folder)
    except Exception as error:
        raise AssertionError(f"mutation {seed} ({mutation.__name__}): {error}") from error


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(300), id="300"),
        pytest.param(range(300, 2_000), id="2000", marks=pytest.mark.faults),
        pytest.param(range(2_000, 10_000), id="10000", marks=[pytest.mark.faults, pytest.mark.calibration]),
    ],
)
def test_every_mutation_is_found_or_changes_nothing(original: Original, tmp_path: Path, seeds: range) -> None:
    """Only a byte in a spare corner of the record's file may go unnoticed, and then nothing reads differently."""
    taken = Counter(mutate(original, tmp_path, seed) for seed in seeds)
    unnoticed = {name for name, how in taken if how == HARMLESS}
    assert unnoticed <= {damage_the_record.__name__}
    found = sum(count for (name, how), count in taken.items() if name == damage_the_record.__name__ and how != HARMLESS)
    assert found > taken[damage_the_record.__name__, HARMLESS]


@pytest.mark.parametrize("mutation", MUTATIONS[:-1], ids=lambda mutation: mutation.__name__)
def test_a_changed_study_is_refused_on_the_command_line(typist: Typist, original: Original, mutation: Mutation) -> None:
    """Whatever was changed, `nof1 verify` ends with a sentence and exit code 76, or 65 and 66 for what is no record."""
    lay_out(original, typist.home / "s")
    mutation(typist.home / "s", random.Random(4))
    result = typist("verify", "--head", original.verified.chain_head, "--study", "s")
    assert result.exit_code in ({65, 66, 76} if mutation is damage_the_record else {76})
    assert result.stderr.startswith("nof1: ")


def test_nothing_is_found_where_nothing_was_changed(original: Original, tmp_path: Path) -> None:
    """A copy of the study, and rows written back as they were, verify like the original."""
    for change in (lambda folder: None, lambda folder: rewrite(folder, rows_of(folder))):
        lay_out(original, tmp_path)
        change(tmp_path)
        assert found_or_harmless(original, tmp_path) == HARMLESS
