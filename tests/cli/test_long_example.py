"""The long example of the README: every command in it is typed here, and every answer in it is what nof1 said.

The document is a script. A comment ``at DATE TIME`` sets the clock (Europe/Berlin), ``evenings DATE to DATE`` lives the
evenings that are alike, and ``fitted`` marks what takes a fit of the model: its numbers are not compared.
"""

import json
import os
import re
import shlex
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from tests.cases import ZONE, Typist, write_export

from nof1.cli import main
from nof1.store.seal import Key
from nof1.study import trials
from nof1.study.demo import InventedPerson
from nof1.study.sealing import open_seal
from nof1.study.study import open_study

EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "trial.md"
FIRST: Final = date(2026, 12, 1)
SLEEPER: Final = InventedPerson(deep_sd=10.0, period_sd=1.0, missing=0.04)
EFFECT: Final = 25.0
FITTED: Final = "fitted"
PART: Final = re.compile(r"<!-- (?P<said>.+?) -->|```console\n(?P<typed>.*?)```", re.DOTALL)
SECRET: Final = re.compile(r"age1[a-z0-9]{20,}|\b[0-9a-f]{12,}\b(?:\.\.\.)?")
"""Keys and hashes: other ones every time, and an ellipsis in the document."""

pytestmark = pytest.mark.skipif(not EXAMPLE.exists(), reason="the built wheel is tested without the examples")


@dataclass(slots=True)
class Reader:
    """Somebody who does what the document says."""

    typist: Typist
    fits: bool = False
    known: dict[str, str] = field(default_factory=dict)
    commands: set[str] = field(default_factory=set)

    def lives(self, text: str) -> str:
        """Do all that a document says; give the document with the answers that came."""
        skipped = False
        told = []
        rest = 0
        for part in PART.finditer(text):
            told.append(text[rest : part.start()])
            rest = part.end()
            if part["said"]:
                skipped = part["said"] == FITTED and not self.fits
                self._obey(part["said"])
                told.append(part[0])
            else:
                told.append(part[0] if skipped else f"```console\n{self._converse(part['typed'])}```")
                skipped = False
        return "".join(told) + text[rest:]

    def _obey(self, said: str) -> None:
        if match := re.fullmatch(r"at (.*)", said):
            self._at(datetime.fromisoformat(match[1]))
        elif match := re.fullmatch(r"evenings (\S+) to (\S+)", said):
            first, last = map(date.fromisoformat, match.groups())
            for days in range((last - first).days + 1):
                self._evening(first + timedelta(days=days))
        else:
            assert said == FITTED, said

    def _at(self, local: datetime) -> None:
        self.typist.now = local.replace(tzinfo=ZoneInfo(ZONE))

    def _converse(self, typed: str) -> str:
        return "".join(self._answered(line) for line in typed.splitlines() if line.startswith("$ "))

    def _answered(self, line: str) -> str:
        spelled, _, wanted = line.removeprefix("$ ").partition(' | grep "')
        words = [self._meant(word) for word in shlex.split(spelled)]
        if words[0] == "cd":
            os.chdir(words[1])
            return f"{line}\n"
        self.commands.add(words[1])
        if words[1] == "import":
            self._wear_the_device(Path(words[2]))
        typed = "four words nobody guesses\n" * 2 if "--passphrase" in words else None
        result = self.typist.runner.invoke(main, words[1:], obj=lambda: self.typist.now, input=typed)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        self._remember(result.output)
        ended = f"(exit code {result.exit_code})\n" if result.exit_code else ""
        shown = [one for one in self._shown(result.output) if wanted.removesuffix('"') in one]
        return f"{line}\n{''.join(shown)}{ended}"

    def _meant(self, word: str) -> str:
        return self.known.get(word, word.replace("~", str(self.typist.home)))

    def _remember(self, said: str) -> None:
        if key := re.search(r"age1[a-z0-9]{20,}", said):
            self.known["age1..."] = key[0]
        if receipt := re.search(r"before the first night: (\w+)", said):
            self.known["RECEIPT"] = receipt[1]

    def _shown(self, said: str) -> list[str]:
        lines = SECRET.sub(lambda secret: "age1..." if secret[0].startswith("age1") else "...", said).splitlines()
        return [line.rstrip().replace(str(self.typist.home), "~") + "\n" for line in lines]

    def _evening(self, night: date) -> None:
        period = next((one for one in self._schedule() if one["first_night"] <= str(night) <= one["last_night"]), None)
        self._at(datetime.fromisoformat(f"{night} 22:00"))
        dose = ["--taken"] if period else []
        self.typist.does("log", *dose, "--lights-out", "22:50", "--answer", "alcohol_units=1")
        if period and period["last_night"] == str(night):
            self.typist.does("guess", "--arm", "magnesium", "--sure", 60, "--why", "calmer")

    def _schedule(self) -> list[dict[str, str]]:
        periods = json.loads(self.typist.does("schedule", "--json"))["periods"]
        ends = [date.fromisoformat(one["first_night"]) + timedelta(days=one["nights"] - 1) for one in periods]
        return [one | {"last_night": str(end)} for one, end in zip(periods, ends, strict=True)]

    def _wear_the_device(self, export: Path) -> None:
        """Write what the wearable recorded until now; nature knows what each bottle held."""
        study = open_study()
        with study.record() as record:
            trial = trials.read_trial(study, record)
        arms = open_seal(trial, Key(file=self.typist.home / "safe" / "nof1.key")).allocation.sequence
        effects = {
            evening: EFFECT * (arms[period.number - 1] == "magnesium")
            for period in trial.schedule.periods
            for evening in period.evenings
        }
        export.parent.mkdir(exist_ok=True)
        nights = (self.typist.now.date() - FIRST).days

        def effect(night: int) -> float:
            return effects.get(FIRST + timedelta(days=night), 0.0)

        write_export(export, nights, effect, person=SLEEPER, first=FIRST, seed=7)


@pytest.fixture
def reader(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Somebody with the document, whose draws are always the same, and whose name is not the machine's."""

    def entropy(number: int) -> bytes:
        return sha256(b"the long example").digest()[:number]

    monkeypatch.setitem(trials.start_trial.__kwdefaults__ or {}, "entropy", entropy)
    monkeypatch.setenv("LOGNAME", "robin")
    (typist.home / "safe").mkdir()
    return Reader(typist)


def test_the_long_example_says_what_nof1_says(reader: Reader) -> None:
    """120 nights as the document tells them: each answer is the one that came, keys and hashes aside."""
    text = EXAMPLE.read_text()
    told = reader.lives(text)
    written = reader.typist.home / "trial.md"
    written.write_text(told)
    assert told == text, f"examples/trial.md should read as {written} does"
    assert reader.commands >= {
        *("init", "keygen", "baseline", "start", "kits", "calendar", "today", "log", "guess", "pause", "resume"),
        *("import", "status", "lock", "unblind", "verify", "analyse"),
    }


@pytest.mark.faults
def test_the_long_example_ends_with_its_answer(reader: Reader) -> None:
    """With the model fitted the verdict and every sentence are as the document shows them, but for the figures."""
    reader.fits = True
    text = EXAMPLE.read_text()
    told = reader.lives(text)
    written = reader.typist.home / "trial.md"
    written.write_text(told)
    assert without_figures(told) == without_figures(text), f"examples/trial.md should read as {written} does"
    assert "report" in reader.commands


def without_figures(text: str) -> str:
    """The words alone, without numbers, their signs, and the marks of the plot: another processor samples others."""
    return re.sub(r"\s+", " ", re.sub(r"[\d.,+−─━●│┼┊-]+", "", text))
