"""Before unsealing, nothing that anybody can see depends on the arms.

Two worlds live the same script of use, with the same clock, the same randomness and the same sleep, under complementary
sequences: where one has magnesium the other has placebo. Every output, exit code and file must be the same, byte for
byte. Ciphertext and commitment, which are meant to differ, are given stand-ins of their true length, so that the hashes
of the chain, which cover them, are the same too.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import polars as pl
import pyrage
import pytest
from tests.cases import Typist, write_export
from tests.study.scripts import FIRST, NOT_TYPED, TYPED, Script, Step, make_emergency, make_script

from nof1.cli.main import SECTIONS
from nof1.store import folder as folder_module
from nof1.store import seal as seal_module
from nof1.study import deidentified, diaries, exports, fhir, progress, protocols, sealing, trials
from nof1.study.imports import list_imports
from nof1.study.study import open_study
from nof1.trial.commitment import Sealed
from nof1.trial.schedule import Schedule
from nof1.trial.scheme import Sequences

A_FEW: Final = 1
SCRIPTS: Final = 25
ALL_SCRIPTS: Final = 200
BEFORE_IT_LANDS: Final = [pytest.mark.faults]
"""What `.ci/run` lives beside the few."""
LONG: Final = [pytest.mark.faults, pytest.mark.calibration]
"""Too long for every change."""
COMMANDS: Final = [name for names in SECTIONS.values() for name in names]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one step left for anybody to see: what it printed, and every file by name: its permissions and content."""

    step: Step
    exit_code: int
    stdout: str
    stderr: str
    files: dict[str, tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Provisions:
    """What there is before the trial: exports of one sleep, the custodian's two keys, a key that opens nothing."""

    folder: Path
    public_key: str
    true_key: Path


@pytest.fixture(scope="module")
def provisions(tmp_path_factory: pytest.TempPathFactory) -> Provisions:
    """Make them once: both worlds have the same sleep and the same custodian."""
    folder = tmp_path_factory.mktemp("provisions")
    first = FIRST - timedelta(days=5)
    write_export(folder / "early.zip", 4, first=first)
    write_export(folder / "whole.zip", 30, first=first)
    (folder / "diary.csv").write_text(f"night,dose_taken,lights_out\n{FIRST},yes,23:10\n")
    seal_module.new_key(folder / "stranger.key")
    true_key = folder.parent / f"{folder.name}.key"
    return Provisions(folder, seal_module.new_key(true_key), true_key)


DRAW: Final = Sequences.nth


class Worlds:
    """Lives scripts in one place, under a sequence or under its complement."""

    def __init__(self, home: Path, provisions: Provisions, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.provisions = provisions
        self.drawn: tuple[str, ...] = ()
        self.exchanged = False
        monkeypatch.delenv("NOF1_STUDY", raising=False)
        monkeypatch.chdir(home.parent)
        monkeypatch.setattr(Sequences, "nth", lambda sequences, place: self._draw(DRAW(sequences, place)))
        monkeypatch.setattr(deidentified, "secrets", SimpleNamespace(randbelow=lambda _: 7))
        monkeypatch.setitem(trials.start_trial.__kwdefaults__, "entropy", lambda count: b"\x07" * count)

    def _draw(self, sequence: tuple[str, ...]) -> tuple[str, ...]:
        other = {"magnesium": "placebo", "placebo": "magnesium"}
        self.drawn = tuple(other[code] for code in sequence) if self.exchanged else sequence
        return self.drawn

    def live(self, script: Script, *, exchanged: bool) -> Iterator[Seen]:
        """Type the script from its beginning, and give what each step left to see."""
        self.exchanged = exchanged
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.provisions.folder, self.home)
        (self.home / "two-sorts.toml").write_text(script.protocol)
        os.chdir(self.home)
        typist = Typist(self.home)
        for step in script.steps:
            typist.now = step.now
            result = typist(*self._words(step))
            yield Seen(step, result.exit_code, result.stdout, result.stderr, self._files())
        os.chdir(self.home.parent)

    def _words(self, step: Step) -> list[str]:
        words = [self.provisions.public_key if word == "PUBLIC" else word for word in step.words]
        if "TRUE" in words:
            words[words.index("TRUE")] = str(self.provisions.true_key)
        if "IMPORT" in words:
            listed = list_imports(open_study("s"))
            words[words.index("IMPORT")] = listed[0].key if listed else "none"
        if words[0] not in {"init", "protocols", "connectors"}:
            words += ["--study", "s"]
        return words

    def _files(self) -> dict[str, tuple[int, bytes]]:
        paths = sorted(path for path in self.home.rglob("*") if path.is_file() and path.suffix != ".zip")
        return {str(path.relative_to(self.home)): (path.stat().st_mode, path.read_bytes()) for path in paths}

    def difference(self, script: Script) -> str | None:
        """Say where the two worlds first differ; None where nobody could tell them apart."""
        one = list(self.live(script, exchanged=False))
        for here, there in zip(one, self.live(script, exchanged=True), strict=True):
            if here != there:
                return f"{here.step}: {_first_difference(here, there)}"
        return None


def _first_difference(here: Seen, there: Seen) -> str:
    for name in ("exit_code", "stdout", "stderr"):
        if getattr(here, name) != getattr(there, name):
            return f"{name}: {getattr(here, name)!r} and {getattr(there, name)!r}"
    return f"files: {sorted(name for name in here.files if here.files[name] != there.files.get(name))}"


@pytest.fixture
def truly_sealed_worlds(tmp_path: Path, provisions: Provisions, monkeypatch: pytest.MonkeyPatch) -> Worlds:
    """A place to live scripts in; ciphertexts and commitments are real."""
    return Worlds(tmp_path / "home", provisions, monkeypatch)


@pytest.fixture
def worlds(truly_sealed_worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> Worlds:
    """The same, with stand-ins of the true length for what is meant to differ."""
    monkeypatch.setattr(Sealed, "commitment", property(lambda _: "c" * 64))
    monkeypatch.setattr(pyrage, "encrypt", lambda text, _: b"age" * 64 + b"C" * len(text))
    return truly_sealed_worlds


def test_every_command_is_in_the_scripts_or_says_why_not() -> None:
    """A command that is added later enters the scripts, or a reason stands here why it cannot."""
    assert set(COMMANDS) <= set(TYPED) | set(NOT_TYPED)


@pytest.mark.parametrize(
    "seed",
    [
        *range(A_FEW),
        *(pytest.param(seed, marks=BEFORE_IT_LANDS) for seed in range(A_FEW, SCRIPTS)),
        *(pytest.param(seed, marks=LONG) for seed in range(SCRIPTS, ALL_SCRIPTS)),
    ],
)
def test_nobody_can_tell_a_sequence_from_its_complement(worlds: Worlds, seed: int) -> None:
    """Whatever a person types, and whenever: outputs, exit codes and files are the same under both sequences."""
    assert worlds.difference(make_script(seed)) is None


def test_a_script_does_what_people_do(worlds: Worlds) -> None:
    """The scripts do not pass for being refused: most commands succeed, and the trial is locked at the end."""
    seen = [one for seed in range(3) for one in worlds.live(make_script(seed), exchanged=False)]
    done = {one.step.words[0] for one in seen if one.exit_code == 0}
    assert {
        "init",
        "start",
        "today",
        "log",
        "status",
        "schedule",
        "import",
        "nights",
        "verify",
        "lock",
        "export",
        "report",
    } <= done
    assert sum(one.exit_code == 0 for one in seen) > len(seen) / 2
    assert {one.exit_code for one in seen} <= {0, 2, 65, 66, 76, 77}


def test_with_the_real_seal_only_ciphertext_commitment_and_hashes_differ(truly_sealed_worlds: Worlds) -> None:
    """Without the stand-ins two worlds differ in what is meant to differ, in the hashes over it, and in no length."""
    told = []
    for exchanged in (False, True):
        list(truly_sealed_worlds.live(make_script(1), exchanged=exchanged))
        with open_study(truly_sealed_worlds.home / "s").record() as record:
            events = record.events()
        payloads = [dict(event.payload) for event in events]
        (begun,) = (payload for payload in payloads if "seal" in payload)
        secret = begun["seal"]["ciphertext"], begun["seal"]["commitment"]
        begun["seal"] = begun["seal"] | {name: len(begun["seal"][name]) for name in ("ciphertext", "commitment")}
        told.append((payloads, [replace(event, payload={}, previous="", hash="") for event in events], secret))
    (one, other), secrets = [world[:2] for world in told], [world[2] for world in told]
    assert one == other
    assert all(here != there for here, there in zip(*secrets, strict=True))


NAMES_WHAT_IT_OPENS: Final = ("unblind", "verify")
"""What one who holds the key types, and the hash over the record in which that stands."""


def lived_with_an_emergency(worlds: Worlds, seed: int) -> list[list[Seen]]:
    """Both worlds of `make_emergency`, without what the person with the key was told, and without the record of it."""
    return [
        [
            replace(one, files={name: file for name, file in one.files.items() if name != "s/record.sqlite"})
            for one in worlds.live(make_emergency(seed), exchanged=exchanged)
            if one.step.words[0] not in NAMES_WHAT_IT_OPENS
        ]
        for exchanged in (False, True)
    ]


@pytest.fixture
def opened_worlds(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> Worlds:
    """Worlds in which the true key opens what was drawn, though ciphertexts are stand-ins."""

    def open_seal(trial: Any, key: Any) -> Any:
        assert key.file == worlds.provisions.true_key
        return SimpleNamespace(allocation=SimpleNamespace(sequence=worlds.drawn, seed=None))

    monkeypatch.setattr(sealing, "open_seal", open_seal)
    return worlds


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=BEFORE_IT_LANDS) for seed in range(1, 5))])
def test_one_bottle_opened_tells_nobody_else(opened_worlds: Worlds, seed: int) -> None:
    """After an emergency and a stop whoever looks sees the same under both sequences; the opening itself did work."""
    one, other = lived_with_an_emergency(opened_worlds, seed)
    differing = [_first_difference(here, there) for here, there in zip(one, other, strict=True) if here != there]
    assert differing == []
    assert [step.exit_code for step in one if step.step.words[0] == "stop"] == [0]
    with open_study(opened_worlds.home / "s").record() as record:
        assert len(record.events("unsealed_period", participant="P01")) == 1


def test_an_opened_bottle_that_is_told_after_a_stop_is_found(
    opened_worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above is no formality: calling a cut calendar open, as nof1 once did, makes it fail."""
    honest = trials.as_conducted
    monkeypatch.setattr(trials, "with_opened", lambda planned, _: planned)

    def telling(planned: Schedule, events: Any) -> Schedule:
        cut = honest(planned, events)
        return cut.with_arms({1: opened_worlds.drawn[0]}) if len(cut.periods) == 1 else cut

    monkeypatch.setattr(trials, "as_conducted", telling)
    one, other = lived_with_an_emergency(opened_worlds, 0)
    assert one != other


def leaving_the_arms_on_the_schedule(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget to conceal."""
    monkeypatch.setattr(Schedule, "concealed", lambda self: self)


def ordering_the_periods_by_arm(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conceal the arms, and leave the periods in the record grouped by them."""

    def concealed(self: Schedule) -> Schedule:
        grouped = sorted(self.periods, key=lambda period: str(period.arm))
        return replace(self, periods=tuple(replace(period, arm=None) for period in grouped))

    monkeypatch.setattr(Schedule, "concealed", concealed)


def naming_the_bottle_by_its_content(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a blank to what tonight says, on magnesium only."""
    honest = diaries._from_bottle

    def telling(trial: Any, number: int) -> str:
        blank = " " if worlds.drawn[number - 1] == "magnesium" else ""
        return honest(trial, number) + blank

    monkeypatch.setattr(diaries, "_from_bottle", telling)


def letting_a_file_s_permissions_tell(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the protocol readable by the group where the first bottle holds magnesium."""

    def write(path: Path, content: bytes) -> None:
        folder_module.write_private_file(path, content)
        if worlds.drawn[0] == "magnesium":
            path.chmod(0o640)

    monkeypatch.setattr(protocols, "write_private_file", write)


def sealing_without_padding(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the ciphertext be longer where the first bottle holds the arm with the longer name."""
    monkeypatch.setattr(Sealed, "to_text", lambda self: self.allocation.sequence[0].encode())
    monkeypatch.setattr(seal_module, "PADDED_TO", 1)


def telling_the_arm_in_an_export(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill in the first arm in the exported schedule."""
    honest = exports._schedule

    def telling(*words: Any) -> pl.DataFrame:
        return honest(*words).with_columns(arm=pl.lit(worlds.drawn[0]))

    monkeypatch.setattr(exports, "_schedule", telling)


def naming_the_arm_in_a_bundle(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the status of a trial in the FHIR bundle depend on what was drawn."""
    monkeypatch.setattr(fhir, "_status", lambda *_, **__: worlds.drawn[0])


def numbering_the_nights_of_the_page_by_arm(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the page of progress keep out as many nights as the name of the first arm is long."""
    monkeypatch.setattr(progress, "_kept_out", lambda *_: {"odd": len(worlds.drawn[0])})


@pytest.mark.parametrize(
    "leak",
    [
        leaving_the_arms_on_the_schedule,
        letting_a_file_s_permissions_tell,
        *(
            pytest.param(leak, marks=BEFORE_IT_LANDS)
            for leak in (
                ordering_the_periods_by_arm,
                naming_the_bottle_by_its_content,
                sealing_without_padding,
                telling_the_arm_in_an_export,
                naming_the_arm_in_a_bundle,
                numbering_the_nights_of_the_page_by_arm,
            )
        ),
    ],
)
def test_a_planted_leak_is_found(
    worlds: Worlds, monkeypatch: pytest.MonkeyPatch, leak: Callable[[Worlds, pytest.MonkeyPatch], None]
) -> None:
    """The test above is no formality: a leak by content, order, a blank, a permission or a length makes it fail."""
    leak(worlds, monkeypatch)
    assert any(worlds.difference(make_script(seed)) for seed in range(3))
