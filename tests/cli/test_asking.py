"""Somebody at a terminal is asked; a script never is."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cases import FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv

from nof1.cli import asking, main

Talk = Callable[..., tuple[int, str]]


@pytest.fixture
def talk(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> Talk:
    """Type a command at a terminal, and an answer to each of its questions; gives exit code and what was printed."""
    monkeypatch.setattr(asking, "at_terminal", lambda: True)

    def type_and_answer(words: str, *answers: str) -> tuple[int, str]:
        typed = "".join(f"{answer}\n" for answer in answers)
        result = typist.runner.invoke(main, [*words.split(), "--study", "s"], input=typed, obj=lambda: typist.now)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    return type_and_answer


@pytest.fixture
def trial(typist: Typist) -> Path:
    """A trial of twelve nights, on the evening of its fifth."""
    items = '\n[[diary]]\nkey = "drinks"\nlabel = "Drinks today"\n\n[[diary]]\nkey = "dreams"\nwhen = "morning"\n'
    (typist.home / "t.toml").write_text(FIXED_PROTOCOL.format(transition=0, prior_sd=10) + items)
    (typist.home / "t.csv").write_text(schedule_csv(alternating(3), 12))
    typist.does("init", "s", "--zone", ZONE)
    typist.does("start", "t.toml", "--schedule", "t.csv", "--study", "s")
    typist.now = datetime(2026, 1, 9, 20, tzinfo=UTC)
    return typist.home / "s"


def diary_events(typist: Typist) -> list[tuple[dict[str, object], str | None]]:
    """What was written into the diary, in order, with its reason."""
    from nof1.study.study import open_study

    with open_study(typist.home / "s").record() as record:
        return [(dict(event.payload), event.reason) for event in record.events("diary_entry")]


def test_an_evening_is_asked_question_by_question(typist: Typist, trial: Path, talk: Talk) -> None:
    """Dose, time, lights out and the protocol's evening questions; a slip is asked again; Enter skips."""
    code, said = talk("log", "y", "22:15", "11:10", "23:10", "two", "2", "", "")
    assert code == 0
    assert "Write 23:10" in said
    assert "drinks is a number" in said
    assert "dreams" not in said
    assert "that of 2026-01-08? Say it now" in said
    ((entry, reason),) = diary_events(typist)
    assert (entry["dose_taken"], entry["lights_out"], entry["covariates"]) == (
        True,
        "2026-01-09T22:10:00+00:00",
        {"drinks": 2.0},
    )
    assert (entry["note"], reason) == (None, None)


def test_a_morning_asks_what_the_evening_left_open(typist: Typist, trial: Path, talk: Talk) -> None:
    """The dose that was logged is not asked again; the night and its side effects are."""
    typist.does("log", "--taken", "--at", "22:15", "--study", "s")
    typist.now = datetime(2026, 1, 10, 7, tzinfo=UTC)
    effects = ("y", "mild", "", "none", "no", "headache", "moderate", "")
    code, said = talk("log", "23:10", "3", "good", *effects, "1", "4", "", "n")
    assert code == 0, said
    assert "Was the dose taken" not in said
    assert "stop and ask your clinician" in said
    entry, _ = diary_events(typist)[-1]
    assert (entry["awakenings"], entry["sleep_quality"]) == (3, "good")
    graded = {"diarrhoea": "mild", "cramps": "none", "light-headedness": "none", "headache": "moderate"}
    assert entry["side_effects"] == graded
    assert entry["covariates"] == {"drinks": 1.0, "dreams": 4.0}


def test_the_evening_offers_the_night_before(typist: Typist, trial: Path, talk: Talk) -> None:
    """Who logs in the evenings only is asked about side effects all the same; breaking off keeps the evening."""
    evening = ("y", "22:15", "23:10", "", "")
    before = ("", "", "", "", "y", "mild", "", "", "", "", "", "", "")
    code, said = talk("log", *evening, "y", *before)
    assert code == 0, said
    (tonight, _), (night_before, _) = diary_events(typist)
    assert (tonight["night"], night_before["night"]) == ("2026-01-09", "2026-01-08")
    assert night_before["side_effects"] == {"diarrhoea": "mild"}
    typist.now += timedelta(days=2)
    code, said = talk("log", *evening)
    assert code == 0, said
    assert "Later: nof1 log --date 2026-01-10" in said
    assert len(diary_events(typist)) == 3


def test_one_no_denies_every_side_effect(typist: Typist, trial: Path, talk: Talk) -> None:
    """No trouble at all is one key; a question that is skipped denies nothing."""
    talk("log --date 2026-01-08", *["", ""], "", "", "n", "", "", "")
    talk("log --date 2026-01-07", *["", ""], "", "", "", "", "", "slept well")
    (denied, _), (skipped, _) = diary_events(typist)
    assert set(denied["side_effects"].values()) == {"none"}  # type: ignore[attr-defined]
    assert skipped["side_effects"] == {}


def test_only_enters_write_nothing(typist: Typist, trial: Path, talk: Talk) -> None:
    """Whoever skips every question has said nothing."""
    code, said = talk("log", *[""] * 5)
    assert (code, diary_events(typist)) == (0, [])
    assert "nothing is written" in said


def test_a_change_asks_why(typist: Typist, trial: Path, talk: Talk) -> None:
    """With options or without, something said otherwise is asked about; what is new is not."""
    typist.does("log", "--taken", "--study", "s")
    assert talk("log --not-taken", "I mixed up the evenings")[0] == 0
    assert "Why does it change" not in talk("log --note tired")[1]
    assert [reason for _, reason in diary_events(typist)] == [None, "I mixed up the evenings", None]


def test_the_gate_asks_one_by_one(typist: Typist, talk: Talk) -> None:
    """Eleven questions, none of which can be skipped, then the medicines; a named one gets its hours."""
    typist.does("init", "s", "--zone", ZONE)
    answers = ["n", "", "n", "n", "n", "n", "n", "n", "n", "n", "n", "n", "iron, ibuprofen"]
    code, said = talk("start magnesium-or-none --on 2026-12-01", *answers)
    assert code == 0, said
    assert "needs an answer" in said
    assert "iron: take it at least 4 h before the dose or 4 h after it." in said
    assert "ibuprofen: the protocol names no hours" in said


@pytest.mark.parametrize("answer", ["y", "d"])
def test_a_yes_at_the_gate_stops(typist: Typist, talk: Talk, answer: str) -> None:
    """Yes and don't know end with exit 77, and no trial has begun."""
    typist.does("init", "s", "--zone", ZONE)
    code, said = talk("start magnesium-or-none --on 2026-12-01", answer, *["n"] * 10, "")
    assert code == 77
    assert "Ask your clinician" in said
    assert typist("today", "--study", "s").exit_code == 66


def test_a_no_after_a_yes_asks_why(typist: Typist, talk: Talk) -> None:
    """At the terminal the reason is asked for; Enter leaves the start refused; the start tells both answers."""
    typist.does("init", "s", "--zone", ZONE)
    start = "start magnesium-or-none --on 2026-12-01"
    talk(start, "y", *["n"] * 10, "")
    code, said = talk(f"{start} --no-risks", "")
    assert (code, "--reason" in said) == (77, True)
    code, said = talk(start, *["n"] * 11, "", "I mistyped my age")
    assert code == 0, said
    assert "The safety gate stopped a start" in said
    assert "under 18 (yes). Why: I mistyped my age." in said


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("", 77, "--no-risks"),
        ("--no-risks", 0, "within both"),
        ("--no-risks --risk lithium", 2, "one or the other"),
        ("--risk lithium", 77, "lithium (yes)"),
        ("--unsure pregnancy", 77, "pregnancy (don't know)"),
        ("--risk litium", 2, "did you mean lithium?"),
        ("--no-risks --medicine lithium", 2, "Which is true?"),
        ("--risk lithium --clinician-agrees nobody", 2, "a comma between"),
        (
            "--risk lithium --clinician-agrees Example,monitored",
            0,
            "200 mg of elemental magnesium a dose, in about 1.42 g",
        ),
    ],
)
def test_a_script_answers_the_gate_by_options(typist: Typist, words: str, code: int, says: str) -> None:
    """Without answers it is refused, never asked; each answer has its option."""
    typist.does("init", "s", "--zone", ZONE)
    result = typist("start", "magnesium-or-none", "--on", "2026-12-01", *words.split(), "--study", "s")
    assert result.exit_code == code, result.output
    assert says in result.output


def test_a_guess_is_asked_with_the_arms_in_words(typist: Typist, talk: Talk) -> None:
    """The arms by code and label; the answer says only what was written."""
    typist.does("init", "s", "--zone", ZONE)
    public = json.loads(typist.does("keygen", "custodian.key", "--json"))["public_key"]
    typist.does(
        "start", "magnesium-glycinate", "--on", "2026-12-01", "--no-risks", "--custodian", public, "--study", "s"
    )
    typist.now = datetime(2026, 12, 17, 20, tzinfo=UTC)
    assert "nof1 guess" in typist.does("today", "--study", "s")
    assert typist("guess", "--study", "s", "--json").exit_code == 2
    code, said = talk("guess", "p", "60", "no change")
    assert code == 0
    assert "Matching capsules without magnesium" in said
    assert said.rstrip().endswith("Written down for period 1: placebo, 60 of 100 sure.")
    assert "nof1 guess" not in typist.does("today", "--study", "s")


def test_the_baseline_is_asked_once_and_shown_after(typist: Typist, talk: Talk) -> None:
    """Impossible numbers are asked again; later the same command shows what is on record."""
    typist.does("init", "s", "--zone", ZONE)
    eaten = ["5", *[""] * 13]
    code, said = talk("baseline", "40", "29", "12", "", "90", "iron, lithium", "", "", "y", *eaten)
    assert code == 0, said
    assert "must be at most 28" in said
    shown = talk("baseline")[1]
    assert "Age: 40-49" in shown
    assert "Medicines: iron, lithium" in shown
    assert f"{156 * 5 / 7:.0f} mg a day from 1 of 14 foods" in shown


def test_a_baseline_in_a_script(typist: Typist) -> None:
    """Options record, without any it shows, and before there is one it is not there: exit 66."""
    typist.does("init", "s", "--zone", ZONE)
    assert typist("baseline", "--study", "s").exit_code == 66
    typist.does("baseline", "--isi", "12", "--study", "s")
    typist.does("baseline", "--egfr", "85", "--no-medicines", "--study", "s")
    now = json.loads(typist.does("baseline", "--json", "--study", "s"))
    assert (now["isi"], now["insomnia"], now["egfr"], now["medicines"]) == (12, "subthreshold", 85.0, [])
    assert typist("baseline", "--serum-magnesium", "20", "--study", "s").exit_code == 2
    assert len(json.loads(typist.does("baseline", "--foods", "--json"))) == 14


def test_a_real_terminal_is_recognised(typist: Typist) -> None:
    """On a pseudo-terminal the gate asks; on a pipe it refuses."""
    typist.does("init", "s", "--zone", ZONE)
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    words = [sys.executable, "-m", "nof1", "start", "fixed-bedtime", "--on", tomorrow, "--study", "s"]
    assert subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 77
    outer, inner = pty.openpty()
    with subprocess.Popen(words, stdin=inner, stdout=inner, stderr=inner) as run:
        os.close(inner)
        os.write(outer, b"n\n" * 5 + b"\n")
        said = _read_all(outer)
        assert run.wait() == 0, said
    assert "does any of these hold" in said
    assert "Began:" in said


def _read_all(terminal: int) -> str:
    read = b""
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # the other end has gone
            return read.decode()
        if not chunk:
            return read.decode()
        read += chunk
