"""Whatever happens to the bytes of an export, nof1 reads it or says why not: in time, and with nothing lost."""

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from tests.connectors.mutations import mutate, mutate_one
from tests.connectors.written import ALL_WRITTEN, OPTIONS, Packed, read_all

from nof1.errors import ConnectorFailedError, Nof1Error
from nof1.study.imports import import_exports, list_imports
from nof1.study.study import Study, create_study
from nof1.study.verification import verify

A_FEW = 10
MANY = 500
MANY_IMPORTED = 100
"""Fewer, for an import takes ten times as long as reading, and what it writes does not depend on the connector."""
LONGEST_S = 5
"""Of processor time: other work on the machine does not count."""
HANGS_S = 60

every_export = pytest.mark.parametrize("name", sorted(ALL_WRITTEN))
every_connector = pytest.mark.parametrize("connector", sorted({written.connector for written in ALL_WRITTEN.values()}))


class TookTooLongError(BaseException):
    """Reading did not end. No part of nof1 may catch this."""


@dataclass(slots=True)
class Tally:
    """What became of damaged copies, and how many seconds of processor time the slowest of them took."""

    read: int = 0
    refused: int = 0
    slowest_s: float = 0.0

    def __str__(self) -> str:
        copies = self.read + self.refused
        return f"{copies} copies: {self.read} read, {self.refused} refused, slowest {self.slowest_s:.2f} s"

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count what is done with one copy. A connector that fails is no refusal: its mistake passes through."""
        begun = time.process_time()
        with in_time():
            try:
                yield
                self.read += 1
            except ConnectorFailedError:
                raise
            except Nof1Error as error:
                if not str(error).strip():
                    raise
                self.refused += 1
        self.slowest_s = max(self.slowest_s, time.process_time() - begun)


@contextmanager
def in_time() -> Iterator[None]:
    """Let reading take so long and no longer, and break off what would never end."""

    def break_off(_signal: int, _frame: FrameType | None) -> None:
        raise TookTooLongError

    before = signal.signal(signal.SIGALRM, break_off)
    signal.alarm(HANGS_S)
    begun = time.process_time()
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert time.process_time() - begun < LONGEST_S


def read_or_refuse(path: Path, tally: Tally) -> None:
    """Read an export, or be refused with an error of nof1's own; every account adds up (the ledger sees to that)."""
    with tally.one_more():
        read_all(path)


def import_or_refuse(study: Study, path: Path, tally: Tally) -> None:
    """Import an export, wholly and with a full account, or be refused and leave the study as it was."""
    before, read = everything(study), tally.read
    with tally.one_more():
        summary = import_exports(study, [path], untested_ok=True)
    if tally.read == read:
        assert everything(study) == before
        return
    assert all(file.read == file.accepted + file.merged + file.rejected for file in summary.files)
    admitted = {f"sleep/participant=P01/{one.key}.parquet" for one in list_imports(study)}
    assert everything(study).keys() - before.keys() == admitted
    verify(study)


def everything(study: Study) -> dict[str, bytes]:
    """Every file of a study by its path."""
    files = (path for path in study.folder.path.rglob("*") if path.is_file())
    return {path.relative_to(study.folder.path).as_posix(): path.read_bytes() for path in files}


def damaged(apart: Packed, seed: int, folder: Path) -> Path:
    """Write a copy in which one member is damaged, or now and then the archive itself."""
    folder.mkdir()
    if apart.wrap == "zip" and seed % 5 == 0:
        path = apart.pack(folder, {})
        path.write_bytes(mutate(path.read_bytes(), seed))
        return path
    return apart.pack(folder, dict([mutate_one(apart.members, seed)]))


def seed_of(name: str, number: int) -> int:
    """A number of its own for every copy of every export, the same on every machine."""
    return random.Random(f"{name} {number}").randrange(2**32)


@every_export
def test_a_damaged_copy_is_read_or_refused(packed: Any, tmp_path: Path, name: str) -> None:
    """A few damaged copies of each export: each is read with a full account or refused in words, within seconds."""
    for number in range(A_FEW):
        read_or_refuse(damaged(packed(name), seed_of(name, number), tmp_path / str(number)), Tally())


@every_export
@pytest.mark.mutations
def test_many_damaged_copies_are_read_or_refused(
    packed: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The same for five hundred copies of each."""
    tally = Tally()
    for number in range(A_FEW, A_FEW + MANY):
        read_or_refuse(damaged(packed(name), seed_of(name, number), tmp_path / str(number)), tally)
    with capsys.disabled():
        print(f"\n{name}: {tally}")


def import_copies(packed: Any, folder: Path, connector: str, count: int) -> Tally:
    """Import damaged copies of a connector's exports in turn, into a study that is new after each one that was read."""
    names = [name for name, written in ALL_WRITTEN.items() if written.connector == connector]
    tally, study = Tally(), None
    for number in range(count):
        if study is None or list_imports(study):
            study = create_study(folder / f"study {number}", zone=OPTIONS.zone or "")
        name = names[number % len(names)]
        import_or_refuse(study, damaged(packed(name), seed_of(name, -1 - number), folder / str(number)), tally)
    return tally


@every_connector
def test_a_damaged_copy_is_imported_or_leaves_the_study_as_it_was(packed: Any, tmp_path: Path, connector: str) -> None:
    """Damaged copies are imported into a study: after each refusal its folder is what it was, byte for byte."""
    import_copies(packed, tmp_path, connector, 3)


@every_connector
@pytest.mark.mutations
def test_many_damaged_copies_are_imported_or_leave_the_study_as_it_was(
    packed: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], connector: str
) -> None:
    """The same for a hundred copies of each connector's exports."""
    tally = import_copies(packed, tmp_path, connector, MANY_IMPORTED)
    with capsys.disabled():
        print(f"\n{connector}, imported: {tally}")
