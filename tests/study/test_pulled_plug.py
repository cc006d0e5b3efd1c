"""A pulled plug, two writers, a full disk and a failing one: the record is as before the command, or as after it."""

import json
import random
import re
import shutil
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

import pytest
from tests.cases import ZONE, Typist, cannot_run, require_tool, write_export
from tests.study.test_sealing import PROTOCOL

from nof1.store import events as events_module
from nof1.store.events import Event, Record
from nof1.store.seal import Custodian, new_key
from nof1.study.study import Study, create_study, open_study
from nof1.study.trials import start_trial
from nof1.study.verification import verify

TODAY: Final = datetime.now(UTC)  # commands of their own run on the machine's clock
FIRST: Final = (TODAY - timedelta(days=6)).date()
NIGHT: Final = str((TODAY - timedelta(days=2)).date())

LONG: Final = [pytest.mark.faults, pytest.mark.calibration]
"""Too long for every change; the short run of the same test is not."""

PERSON: Final = """
import json, os, pathlib, resource, sys, time
import nof1.cli, numpy  # what has no threads yet: a fork takes none along

for line in sys.stdin:
    order = json.loads(line)
    began = time.perf_counter()
    listening, speaking = os.pipe()
    pid = os.fork()
    if pid == 0:
        sys.dont_write_bytecode = True  # cut short by the limit, it would break every later run of this tree
        if order["limit"] is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["limit"], resource.RLIM_INFINITY))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(speaking, 2)
        sys.argv = ["nof1", *order["words"]]
        nof1.cli.run()
    journal = pathlib.Path(order["journal"]) if order["journal"] else None
    status = (0, 0)
    while order["kill"] is not None and status[0] == 0:
        if journal is not None and journal.exists():
            journal, began = None, time.perf_counter()
        if journal is None and time.perf_counter() - began > order["kill"]:
            os.kill(pid, 9)
            break
        status = os.waitpid(pid, os.WNOHANG)
        time.sleep(0.0002)
    if status[0] == 0:
        status = os.waitpid(pid, 0)
    seconds = time.perf_counter() - began
    os.close(speaking)
    with open(listening, errors="replace") as said:
        print(json.dumps([os.waitstatus_to_exitcode(status[1]), seconds, said.read()]), flush=True)
"""
"""Types commands into processes of their own: as real as any, begun by a fork, and watched closely."""


class Person:
    """Somebody at a terminal. Each command is a process, which may be killed or kept from writing."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", PERSON], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def begin(
        self, *words: object, kill: float | None = None, journal: Path | None = None, limit: int | None = None
    ) -> None:
        """Type a command.

        Parameters
        ----------
        kill
            Kill it so many seconds after it began or, with `journal`, after that file was seen.
        limit
            No file may grow past so many bytes.
        """
        assert self._process.stdin is not None
        order = {
            "words": [str(word) for word in words],
            "kill": kill,
            "journal": str(journal) if journal else None,
            "limit": limit,
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def end(self) -> tuple[int, float, str]:
        """Wait for it: its exit code (-9 if it was killed), the seconds it took, and what it said on stderr."""
        assert self._process.stdout is not None
        code, seconds, said = json.loads(self._process.stdout.readline())
        return code, seconds, said

    def types(self, *words: object, **how: Any) -> tuple[int, float, str]:
        """Type a command and wait for it."""
        self.begin(*words, **how)
        return self.end()


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A sealed trial in its first week, on the machine's own clock."""
    (tmp_path / "sealed.toml").write_text(PROTOCOL)
    then = TODAY - timedelta(days=7)
    study = create_study(tmp_path / "study", zone=ZONE, clock=lambda: then)
    custodian = Custodian(public_key=new_key(tmp_path / "custodian.key"))
    start_trial(study, tmp_path / "sealed.toml", on=FIRST, custodian=custodian)
    return open_study(study.folder.path)


def events_of(study: Study) -> list[Event]:
    """The record as it is now; whoever opens it undoes what was begun and not ended."""
    with Record.open(study.folder.record) as record:
        return record.events()


def is_before_or_after(study: Study, before: list[Event], kinds: Sequence[str] = ("diary-logged",)) -> bool:
    """Whether the command happened (True) or did not (False); anything in between fails."""
    verify(study)
    now = events_of(study)
    assert now[: len(before)] == before
    assert [event.kind for event in now[len(before) :]] in ([], list(kinds))
    return len(now) > len(before)


@pytest.mark.parametrize("moments", [pytest.param(20, marks=pytest.mark.faults), pytest.param(200, marks=LONG)])
def test_a_log_killed_at_any_moment_is_written_or_not(study: Study, moments: int) -> None:
    """Killed at random moments, half of them while it writes, `nof1 log` has happened or has not."""
    rng = random.Random(20261201)
    journal = study.folder.path / "record.sqlite-journal"
    taken: Counter[str] = Counter()
    with Person() as person:
        for moment in range(moments):
            if moment % 10 < 2:  # what other programs do beside it may change at any time
                calm = [person.types("log", "--date", NIGHT, "--taken", "--study", study.folder.path) for _ in range(3)]
                span = statistics.median(seconds for _, seconds, _ in calm)
            before = events_of(study)
            words = ("log", "--date", NIGHT, "--note", f"moment {moment}", "--study", study.folder.path)
            if moment % 2:
                code, _, said = person.types(*words, kill=2 * span * (moment + rng.random()) / moments)
            else:
                code, _, said = person.types(*words, kill=rng.choice((0, 0.002, 0.01, 0.05)), journal=journal)
            assert code in {0, -9}, said
            taken["half-way"] += journal.exists()
            happened = is_before_or_after(study, before)
            assert happened or code == -9
            taken["happened" if happened else "did not"] += 1
        # A journal that was killed before it held anything is not undone by reading, only by the next writer.
        assert person.types("log", "--date", NIGHT, "--note", "calm again", "--study", study.folder.path)[0] == 0
    assert min(taken["happened"], taken["did not"]) > moments / 20
    assert taken["half-way"] > 0
    assert not journal.exists()


@pytest.mark.parametrize("rounds", [pytest.param(10, marks=pytest.mark.faults), pytest.param(100, marks=LONG)])
def test_two_people_write_at_once(study: Study, rounds: int) -> None:
    """Two `nof1 log` at the same moment both happen, one after the other, in one whole chain, round after round."""
    with Person() as one, Person() as other:
        for number in range(rounds):
            before = events_of(study)
            for name, person in (("one", one), ("other", other)):
                person.begin("log", "--date", NIGHT, "--note", f"{name} {number}", "--study", study.folder.path)
            assert [person.end()[0] for person in (one, other)] == [0, 0]
            new = events_of(study)[len(before) :]
            assert {event.payload["note"] for event in new} == {f"one {number}", f"other {number}"}
    verify(study)


def test_who_waits_too_long_is_told_to_try_again(typist: Typist, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another command writes, `nof1 log` ends with exit code 75, and nothing of it is kept."""
    monkeypatch.setattr(events_module, "BUSY_SECONDS", 0.05)
    typist.now = TODAY
    before = events_of(study)
    with Record.open(study.folder.record) as record, record.writing():
        result = typist("log", "--date", NIGHT, "--taken", "--study", study.folder.path)
    assert result.exit_code == 75
    assert "Try again" in result.stderr
    assert not is_before_or_after(study, before)


def test_a_full_disk_leaves_the_diary_as_it_was(study: Study) -> None:
    """However far a file may still grow, `nof1 log` is written whole, or says that it cannot write (73, 74)."""
    codes = Counter()
    size = study.folder.record.stat().st_size
    with Person() as person:
        for limit in [*range(0, size + 16_384, 4_096), 100, 512, 513, size - 1, size + 1]:
            before = events_of(study)
            words = ("log", "--date", NIGHT, "--note", "x" * 5_000, "--study", study.folder.path)
            code, _, said = person.types(*words, limit=limit)
            assert code in {0, 73, 74}, said
            assert "Traceback" not in said
            assert is_before_or_after(study, before) == (code == 0)
            codes[code] += 1
    assert codes[0] > 0
    assert codes[74] > 0


@pytest.mark.parametrize("step", [pytest.param(20_480, marks=pytest.mark.faults), pytest.param(8_192, marks=LONG)])
def test_a_full_disk_leaves_a_start_and_an_import_as_they_were(tmp_path: Path, step: int) -> None:
    """However far a file may still grow, `nof1 start` and `nof1 import` happen, or do not: never half."""
    (tmp_path / "sealed.toml").write_text(PROTOCOL)
    export = write_export(tmp_path / "takeout.zip", 40)
    public = new_key(tmp_path / "custodian.key")
    new = create_study(tmp_path / "new", zone=ZONE)
    commands = {
        ("trial-started",): (
            "start",
            tmp_path / "sealed.toml",
            "--on",
            TODAY.date(),
            "--custodian",
            public,
            "--accept-weak-design",
        ),
        ("imported", "stream-chosen"): ("import", export),
    }
    with Person() as person:
        for kinds, words in commands.items():
            codes: Counter[int] = Counter()
            for limit in range(0, 81_921, step):
                folder = tmp_path / "copy"
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(new.folder.path, folder)
                study = open_study(folder)
                before = events_of(study)
                code, _, said = person.types(*words, "--study", folder, limit=limit)
                assert code in {0, 73, 74}, said
                assert is_before_or_after(study, before, kinds) == (code == 0)
                assert not list(folder.rglob("*.tmp"))
                assert person.types(*words, "--study", folder)[0] == 0 or code == 0
                assert is_before_or_after(study, before, kinds)
                codes[code] += 1
            assert len(codes) > 1
            assert codes[0] > 0


WRITING: Final = "pwrite64,write,fsync,fdatasync,ftruncate,unlink,rename"
"""The calls by which SQLite changes a file."""


def traced(study: Study, *inject: str) -> subprocess.CompletedProcess[str]:
    """Run `nof1 log` under strace, which sees what SQLite asks of the record's files and can refuse it."""
    files = [study.folder.record, study.folder.path / "record.sqlite-journal"]
    watched = [word for path in files for word in ("-P", str(path))]
    words = [sys.executable, "-W", "ignore", "-m", "nof1", "log", "--date", NIGHT, "--taken", "--study"]
    told = study.folder.path.parent / "strace.txt"
    command = ["strace", "-f", "-qq", "-o", told, *watched, "-e", f"trace={WRITING}", *inject, *words]
    done = subprocess.run([*command, study.folder.path], capture_output=True, text=True, check=False)
    done.stdout = told.read_text() if told.exists() else ""
    return done


def calls_of_a_calm_log(study: Study) -> Counter[str]:
    """How often an undisturbed `nof1 log` makes each call that changes a file; skips where nobody may be traced."""
    require_tool("strace", "no failing disk can be played")
    calm = traced(study)
    if "ptrace" in calm.stderr.lower():
        cannot_run("this machine lets nobody trace a process: no failing disk can be played")
    assert calm.returncode == 0, calm.stderr
    return calls_in(calm)


def calls_in(done: subprocess.CompletedProcess[str]) -> Counter[str]:
    """How often each call was made. Its name follows the process at the start of a line; data may look like one."""
    return Counter(re.findall(r"^\d+ +(\w+)\(", done.stdout, re.MULTILINE))


@pytest.mark.parametrize("fault", ["error=EIO", "error=ENOSPC", "signal=KILL"])
@pytest.mark.parametrize("every", [pytest.param(5, marks=pytest.mark.faults), pytest.param(1, marks=LONG)])
def test_a_disk_that_fails_at_any_write_leaves_the_diary_as_it_was(study: Study, fault: str, every: int) -> None:
    """Each call by which SQLite changes a file fails once, or is the last: the entry is there whole, or not at all."""
    codes: Counter[int] = Counter()
    made = [(name, number) for name, calls in calls_of_a_calm_log(study).items() for number in range(1, calls + 1)]
    for name, number in made[::every]:
        before = events_of(study)
        done = traced(study, "-e", f"inject={name}:{fault}:when={number}")
        happened = is_before_or_after(study, before)
        assert "Traceback" not in done.stderr
        if calls_in(done)[name] < number:  # this entry fitted into fewer pages than the calm one
            assert (done.returncode, happened) == (0, True), done.stderr
            continue
        assert done.returncode in ({-9, 137} if "KILL" in fault else {0, 73, 74}), done.stderr
        assert happened if done.returncode == 0 else "KILL" in fault or not happened
        codes[done.returncode] += 1
    assert codes.total() > codes[0]
    assert codes.total() > len(made[::every]) / 2


def test_output_that_cannot_be_written_is_said(study: Study) -> None:
    """`nof1 status > /dev/full` does not pass for a success: exit code 74, and a sentence on stderr."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    for words in (("status",), ("schedule", "--json")):
        command = [sys.executable, "-W", "ignore", "-m", "nof1", *words, "--study", study.folder.path]
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 74, done.stderr
        assert done.stderr.startswith("nof1: ")
        assert "Traceback" not in done.stderr


def test_a_full_disk_leaves_a_stopped_start_as_it_was(tmp_path: Path) -> None:
    """However far a file may still grow, a start that the safety gate stops is on record (77), or is not (73, 74)."""
    study = create_study(tmp_path / "study", zone=ZONE)
    words = ("start", "magnesium-or-none", "--on", TODAY.date(), "--study", study.folder.path)
    codes: Counter[int] = Counter()
    with Person() as person:
        for number, limit in enumerate([0, 4_096, 16_384, 24_576, 32_768, 65_536]):
            before = events_of(study)
            medicine = ("--medicine", f"the {number}. one")  # other words than before: the same again are no news
            code, _, said = person.types(*words, "--risk", "lithium", *medicine, limit=limit)
            assert code in {73, 74, 77}, said
            assert is_before_or_after(study, before, ("start-refused",)) == (code == 77)
            assert not study.folder.protocol.exists()
            codes[code] += 1
    assert codes[77] > 0
    assert codes[77] < codes.total()
