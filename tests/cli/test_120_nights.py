"""A sealed trial of 120 nights, lived through its commands from the first evening to the report.

Once as a script types it, on a clock that the test sets; and once as a person does, each command a process of its own
on a pseudo-terminal, under Debian's faketime. Told as a document, with all answers, it is ``examples/trial.md``.
"""

import contextlib
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import pytest
from tests.cases import ZONE, Typist, require_tool, write_export

from nof1.store.seal import Key
from nof1.study.demo import InventedPerson
from nof1.study.sealing import open_seal
from nof1.study.study import open_study
from nof1.study.trials import read_trial

FIRST: Final = date(2026, 12, 1)
RUN_IN: Final = 7
PAUSE: Final = 4
EFFECT: Final = 25.0
SLEEPER: Final = InventedPerson(deep_sd=10.0, period_sd=1.0, missing=0.04)

FORGOTTEN: Final = frozenset({12, 50, 90})
"""Evenings, counted from the first, of which nothing was ever logged."""
LATE: Final = 47
"""Logged on the evening after."""
MISTAKEN: Final = 20
"""Logged as taken, and corrected in the morning."""
NOT_TAKEN: Final = 30
UNWELL: Final = 25
PAUSED_ON: Final = 60
IMPORTED_ON: Final = (40, 85)
AT_THE_FORM: Final = frozenset({0, 8, 9})
"""Evenings on which the person lets nof1 ask."""

MOST_OFF: Final = 1.0
"""In widths of the 95 % interval, or about four posterior SDs. The order is drawn anew in every run: a sound interval
leaves the truth out once in twenty, and is this far from it once in ten thousand."""
PATIENCE_S: Final = 120
"""Nothing is silent for longer."""
RISKS: Final = (
    "under 18:", "eGFR < 30:", "or diuretic:", "heart block:", "myasthenia gravis:", "obstruction:", "pregnancy:",
    "digoxin:", "lithium:", "potassium-sparing diuretic:", "antacid or laxative:",
)  # fmt: skip
"""How the questions of the protocol's safety gate end."""

type Typed = Sequence[tuple[str, str]]
"""What is asked, and what the person types."""


class Terminal(Protocol):
    """Where commands are typed."""

    def __call__(self, at: datetime, *words: object, typed: Typed = (), flags: Sequence[str] = ()) -> tuple[int, str]:
        """Type a command at an instant; give its exit code and what could be read.

        Parameters
        ----------
        typed
            How a person answers its questions.
        flags
            How a script says the same.
        """


@dataclass(frozen=True, slots=True)
class ScriptTerminal:
    """No terminal at all: flags, in this process, on the test's clock."""

    typist: Typist

    def __call__(self, at: datetime, *words: object, typed: Typed = (), flags: Sequence[str] = ()) -> tuple[int, str]:
        """See `Terminal`."""
        self.typist.now = at
        result = self.typist(*words, *flags)
        return result.exit_code, result.output


class PseudoTerminal:
    """A terminal with a person at it: every command is a process that believes the time is `at`."""

    def __call__(self, at: datetime, *words: object, typed: Typed = (), flags: Sequence[str] = ()) -> tuple[int, str]:
        """See `Terminal`."""
        terminal, inside = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
        steady = {"TZ": "UTC", "NO_FAKE_STAT": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        nof1 = [sys.executable, "-W", "ignore", "-m", "nof1", *map(str, words)]
        with subprocess.Popen(
            ["faketime", f"{at:%Y-%m-%d %H:%M:%S}", *nof1],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            env=os.environ | steady,
            start_new_session=True,
        ) as process:
            os.close(inside)
            read = self._converse(terminal, typed)
        os.close(terminal)
        return process.returncode, read.decode().replace("\r\n", "\n")

    def _converse(self, terminal: int, typed: Typed) -> bytes:
        read, answered = b"", 0
        with contextlib.suppress(OSError):  # the other end is closed when the process has gone
            while select.select([terminal], [], [], PATIENCE_S)[0] and (chunk := os.read(terminal, 65_536)):
                read += chunk
                while typed and (asked := read.find(typed[0][0].encode(), answered)) >= 0:
                    os.write(terminal, f"{typed[0][1]}\n".encode())
                    answered, typed = asked + len(typed[0][0].encode()), typed[1:]
            raise AssertionError(f"silent for {PATIENCE_S} s after {read.decode()}")
        assert not typed, f"never asked: {typed[0][0]!r} in {read.decode()}"
        return read


@dataclass(slots=True)
class Life:
    """One person's trial: what is typed, and what was true."""

    terminal: Terminal
    home: Path
    known: dict[str, str] = field(default_factory=dict)
    arms: dict[date, str] = field(default_factory=dict)
    taken: dict[date, bool | None] = field(default_factory=dict)

    def does(self, at: datetime, *words: object, **how: Any) -> str:
        """Type a command that must succeed."""
        code, text = self.terminal(at, *words, **how)
        assert code == 0, f"{words} at {at}: {text}"
        return text

    def is_refused(self, at: datetime, code: int, *words: object) -> str:
        """Type a command that must be refused with this exit code."""
        got, text = self.terminal(at, *words)
        assert got == code, text
        return text

    def at(self, day: int, hour: float = 22.0) -> datetime:
        """An hour on the person's clock, so many days after the first evening; 32 is eight in the next morning."""
        local = datetime.combine(FIRST + timedelta(days=day), datetime.min.time(), ZoneInfo(ZONE))
        return (local + timedelta(hours=hour)).astimezone(UTC)

    def begin(self) -> None:
        """Everything before the first evening."""
        monday = self.at(-1, 12)
        self.does(monday, "init", "trial", "--zone", ZONE)
        os.chdir(self.home / "trial")
        self.known["public"] = self.does(monday, "keygen", "../custodian/nof1.key").split()[-1]
        self.does(monday, "baseline", "--age-band", "40-49", "--isi", "14", "--egfr", "90", "--no-medicines")
        started = self.does(
            monday,
            *("start", "magnesium-glycinate", "--on", FIRST),
            *("--custodian", self.known["public"], "--custodian-role", "pharmacist"),
            typed=[*((risk, "n") for risk in RISKS), ("Which medicines", "")],
            flags=("--no-risks",),
        )
        self.known["receipt"] = started.split("before the first night: ")[1].split()[0]
        self.does(monday, "kits", "--key", "../custodian/nof1.key", "--output", "../custodian/kits.html")
        self.does(monday, "calendar", "--remind", "21:30", "--output", "../trial.ics")
        self.look_at_the_periods(monday)

    def look_at_the_periods(self, at: datetime) -> None:
        """Learn the calendar as a person may; and, as nature does, what each bottle holds."""
        periods = json.loads(self.does(at, "schedule", "--json"))["periods"]
        self.known["guessing"] = " ".join(
            str(date.fromisoformat(one["first_night"]) + timedelta(days=one["nights"] - 1)) for one in periods
        )
        assert not [one for one in periods if one["arm"]]
        study = open_study()
        with study.record() as record:
            trial = read_trial(study, record)
        sequence = open_seal(trial, Key(file=Path("../custodian/nof1.key"))).allocation.sequence
        self.arms = {
            evening: sequence[period.number - 1] for period in trial.schedule.periods for evening in period.evenings
        }

    def export(self, day: int) -> Path:
        """The wearable's export of the nights so far: deep sleep answers to what was really taken."""

        def effect(night: int) -> float:
            evening = FIRST + timedelta(days=night)
            swallowed = self.taken.get(evening, True) is not False
            return EFFECT * (self.arms.get(evening) == "magnesium" and swallowed)

        return write_export(self.home / "takeout.zip", day, effect, person=SLEEPER, first=FIRST, seed=7)

    def evening(self, day: int) -> None:
        """What is done on one evening, and sometimes in the morning after."""
        night = FIRST + timedelta(days=day)
        if day == PAUSED_ON:
            self.does(self.at(day), "pause", typed=[("Why", "influenza")], flags=("--reason", "influenza"))
        if day == PAUSED_ON + PAUSE:
            self.does(self.at(day), "resume")
            self.look_at_the_periods(self.at(day))
            self.does(self.at(day), "calendar", "--output", "../trial.ics")
        if day in IMPORTED_ON:
            self.does(self.at(day, 10), "import", self.export(day))
            self.does(self.at(day, 10), "status")
            assert "runs until" in self.is_refused(self.at(day, 10), 77, "analyse")
        self.log(day, night)
        if str(night) in self.known["guessing"].split():
            self.guess(day)

    def log(self, day: int, night: date) -> None:
        """Write the diary: at the form, with flags, late, wrongly, or not at all."""
        on_arm = night in self.arms and not PAUSED_ON <= day < PAUSED_ON + PAUSE
        self.taken[night] = None if day in FORGOTTEN or not on_arm else day not in {NOT_TAKEN, MISTAKEN}
        if day in FORGOTTEN or day == LATE:
            return
        dose = () if not on_arm else ("--not-taken",) if day == NOT_TAKEN else ("--taken",)
        flags = (*dose, "--lights-out", "22:50", "--answer", "alcohol_units=1", "--note", "calm")
        if day in AT_THE_FORM:
            asked = [("Was the dose taken", "y"), ("When, such as", "22:15")] if on_arm else []
            rest = [("Lights out", "22:50"), ("Alcoholic", "1"), ("Caffeine", ""), ("Ill", ""), ("worth", "calm")]
            before = [("Say it now", "n")] if day else []
            assert "22:50" in self.does(self.at(day), "log", typed=[*asked, *rest, *before], flags=flags)
        else:
            self.does(self.at(day), "log", *flags)
        if day == LATE + 1:
            self.does(self.at(day), "log", "--date", FIRST + timedelta(days=LATE), "--taken")
        if day == MISTAKEN:
            why = "found them in the box"
            words = ("log", "--date", night, "--not-taken")
            self.does(self.at(day, 32), *words, typed=[("Why does it change", why)], flags=("--reason", why))
        if day == UNWELL:
            told = self.does(self.at(day, 32), "log", "--date", night, "--side-effect", "diarrhoea=moderate")
            assert "emergency care" in told

    def guess(self, day: int) -> None:
        """Say which arm the period was, without being told."""
        guess = ("--arm", "magnesium", "--sure", "60", "--why", "calmer")
        typed = [("Your guess", "magnesium"), ("How sure", "60"), ("What makes you think so", "calmer")]
        self.does(self.at(day, 23), "guess", typed=typed, flags=guess)

    def end(self) -> None:
        """After the last night: import, lock, and only then open."""
        last = RUN_IN + 120 + PAUSE
        after = self.at(last, 12)
        assert "sealed" in self.is_refused(after, 77, "analyse")
        self.does(after, "import", self.export(last))
        self.is_refused(after, 77, "unblind", "--key", "../custodian/nof1.key", "--reason", "curious")
        self.does(after, "lock", typed=[("compare the nights", "no")], flags=("--looked", "no"))
        opened = self.does(
            after,
            *("unblind", "--key", "../custodian/nof1.key"),
            typed=[("Why is it opened", "the trial is over")],
            flags=("--reason", "the trial is over"),
        )
        arms = list(dict.fromkeys((number, arm) for number, arm in self._periods()))
        assert [f"Period {number}: {arm}" in opened for number, arm in arms] == [True] * 12
        self.does(after, "verify", "--head", self.known["receipt"])

    def _periods(self) -> list[tuple[int, str]]:
        study = open_study()
        with study.record() as record:
            periods = read_trial(study, record).schedule.periods
        return [(period.number, self.arms[period.evenings[0]]) for period in periods]


@pytest.fixture
def life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Life:
    """Somebody with an empty folder, and a custodian with another."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NOF1_STUDY", raising=False)
    (tmp_path / "custodian").mkdir()
    return Life(ScriptTerminal(Typist(tmp_path)), tmp_path)


def live(life: Life) -> None:
    """The whole trial, until the arms are known."""
    life.begin()
    for day in range(RUN_IN + 120 + PAUSE):
        life.evening(day)
    life.end()


def counted(life: Life) -> None:
    """Status counts each of the 120 nights as what was said of its dose in the end."""
    after = life.at(RUN_IN + 120 + PAUSE, 12)
    status = json.loads(life.does(after, "status", "--json"))
    assert (status["nights_done"], status["nights_planned"]) == (120, 120)
    truth = [life.taken[evening] for evening in life.arms]
    told = {name: sum(one[name] for one in status["periods"]) for name in ("taken", "not_taken", "unknown")}
    assert told == {"taken": truth.count(True), "not_taken": truth.count(False), "unknown": truth.count(None)}
    assert sum("influenza" in sentence for sentence in status["conduct"]) == 1


def test_a_trial_of_120_nights_as_a_script_types_it(life: Life) -> None:
    """From init to unblind: sealed throughout, every entry counted as it was corrected, the receipt still held."""
    live(life)
    counted(life)


@pytest.mark.faults
def test_a_trial_of_120_nights_as_a_person_types_it(life: Life) -> None:
    """On a terminal, evening by evening, to the report: the planted effect is found, and the pause is told."""
    require_tool("faketime", "a person cannot live 120 nights in a minute")
    life.terminal = PseudoTerminal()
    live(life)
    counted(life)
    after = life.at(RUN_IN + 120 + PAUSE, 12)
    life.does(after, "analyse")
    life.does(after, "report")
    life.does(after, "verify", "--head", life.known["receipt"])
    result = json.loads(Path("reports/P01/result.json").read_text())
    (deep,) = (outcome for outcome in result["outcomes"] if outcome["measure"] == "deep_min")
    low, high = deep["effect"]["ci95"]
    assert low > 0
    assert abs(deep["effect"]["median"] - EFFECT) < MOST_OFF * (high - low)
    assert "influenza" in json.dumps(result["trial"])
    assert "after the lock" not in json.dumps(result["trial"])
