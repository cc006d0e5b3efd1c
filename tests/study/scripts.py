"""Scripts of use: what people type during a sealed trial, invented from a seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from tests.cases import ZONE

FIRST: Final = date(2026, 3, 20)  # the clocks change in the second week
SCHEMES: Final = ("randomised-pairs", "alternating", "counterbalanced", "unrestricted", "permuted-blocks")

PROTOCOL: Final = """
schema = 1
id = "two-sorts"
title = "Two sorts of capsules"

[[arm]]
code = "magnesium"
label = "Magnesium, the long word"
units_per_dose = 3
take = "one hour before lights out"

[[arm]]
code = "placebo"
label = "Nothing"
units_per_dose = 3
take = "one hour before lights out"
reference = true

[design]
scheme = "{scheme}"
blocks = {blocks}
period_nights = {period_nights}
transition_nights = 1
run_in_nights = {run_in}
washout_nights = {washout}

[blinding]
concealed_from = ["participant", "clinician"]

[[outcome]]
measure = "deep_min"
worthwhile = 10

[[diary]]
key = "alcohol_units"
type = "number"
when = "before dose"

[safety]
nothing_to_ask = "invented for the tests"
log = ["stools", "nausea"]
"""

NOT_TYPED: Final = {
    "keygen": "makes another random key each time, outside of any study",
    "demo": "makes a study of its own, open label",
    "calibrate": "works on invented nights, and reads no study",
    "plan": "simulates trials from nights before the first period; it reads no order of arms, and takes seconds",
}
"""Commands that no script types, and why."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command, typed at a moment. The word ``IMPORT`` stands for the key of the first import."""

    now: datetime
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A protocol, and what a person types from the start of the trial until it is locked."""

    protocol: str
    steps: tuple[Step, ...]


type Typing = Callable[[random.Random, date], tuple[str, ...]]


def some_night(rng: random.Random, tonight: date) -> str:
    """Mostly an evening of late, sometimes one to come or long ago."""
    return str(tonight + timedelta(days=rng.choice((0, 0, -1, -1, -2, -3, 1, -40))))


def log_words(rng: random.Random, tonight: date) -> tuple[str, ...]:
    """Entries, whole and partial, corrections, and slips of the pen."""
    said: list[str] = []
    for flag, chance in (
        (rng.choice((("--taken",), ("--not-taken",))), 0.8),
        (("--at", rng.choice(("21:50", "22:15", "25:00"))), 0.4),
        (("--lights-out", rng.choice(("22:40", "23:10", "0:20", "11:10", "2:30"))), 0.6),
        (("--note", rng.choice(("late dinner", "", "ünruhig"))), 0.3),
        (("--awakenings", rng.choice(("0", "3"))), 0.2),
        (("--sleep-quality", rng.choice(("good", "splendid"))), 0.2),
        (("--side-effect", rng.choice(("stools=severe", "nausea=mild", "itch=moderate", "nausea"))), 0.3),
        (("--reason", "mistyped"), 0.2),
        (("--answer", rng.choice(("alcohol_units=2", "alcohol_units=many", "coffee=1", "alcohol_units"))), 0.3),
        (("--date", some_night(rng, tonight)), 0.5),
    ):
        said += flag if rng.random() < chance else ()
    return ("log", *said)


def dated(name: str, option: str = "--night", chance: float = 0.3, reason: str | None = None) -> Typing:
    """A command that takes an evening, and perhaps a reason."""

    def words(rng: random.Random, tonight: date) -> tuple[str, ...]:
        night = (option, some_night(rng, tonight)) if rng.random() < chance else ()
        return (name, *night, *(("--reason", reason) if reason is not None else ()))

    return words


def one_of(*choices: tuple[str, ...]) -> Typing:
    """One of several ways to type it."""
    return lambda rng, _: rng.choice(choices)


TYPED: Final[dict[str, tuple[float, Typing]]] = {
    "today": (4, dated("today", "--date")),
    "log": (10, log_words),
    "status": (1.5, one_of(("status",))),
    "schedule": (1, one_of(("schedule",))),
    "pause": (1.5, dated("pause", reason="influenza")),
    "resume": (2, dated("resume")),
    "stop": (0.1, dated("stop", reason="moved house")),
    "withdraw": (0.05, dated("withdraw", reason="no more")),
    "amend": (0.5, one_of(("amend", "--reason", "another watch"), ("amend", "--reason", " "))),
    "import": (0.4, one_of(("import", "whole.zip"), ("import", "early.zip"), ("import", "--dry-run", "whole.zip"))),
    "imports": (1, one_of(("imports",))),
    "retract": (0.3, one_of(("retract", "IMPORT", "--reason", "wrong zone"), ("retract", "0", "--reason", "x"))),
    "nights": (0.4, one_of(("nights",), ("nights", "--csv"), ("nights", "--hypnogram"))),
    "verify": (1, one_of(("verify",), ("verify", "--head", "0" * 16))),
    "analyse": (0.6, one_of(("analyse",))),
    "report": (1, one_of(("report",), ("report", "--all"), ("report", "--only", "patient"))),
    "lock": (0.5, one_of(("lock", "--looked", "no"))),
    "unblind": (
        1,
        one_of(
            ("unblind", "--key", "stranger.key", "--reason", "curious"),
            ("unblind", "--key", "stranger.key", "--reason", "curious", "--period", "2"),
            ("unblind", "--key", "no.key", "--reason", "curious", "--period", "1"),
        ),
    ),
    "start": (0.2, one_of(("start", "two-sorts.toml", "--on", "2026-04-20", "--open-label"))),
    "init": (0.1, one_of(("init", "s", "--zone", ZONE))),
    "protocols": (0.1, one_of(("protocols", "two-sorts.toml"))),
    "connectors": (0.05, one_of(("connectors",))),
    "guess": (
        2,
        one_of(
            ("guess", "--arm", "magnesium", "--sure", "70", "--why", "calmer"),
            ("guess", "--arm", "placebo", "--sure", "50", "--period", "1"),
            ("guess", "--arm", "dont-know", "--period", "2"),
            ("guess", "--arm", "neither"),
        ),
    ),
    "calendar": (0.7, one_of(("calendar",), ("calendar", "--output", "trial.ics", "--remind", "22:15"))),
    "diary": (
        1,
        one_of(
            ("diary",),
            ("diary", "--csv"),
            ("diary", "--from", "diary.csv"),
            ("diary", "--from", "diary.csv", "--reason", "x"),
        ),
    ),
    "export": (
        0.8,
        one_of(
            ("export", "csv", "tables"),
            ("export", "parquet", "s/tables"),
            ("export", "deidentified", "nobodys"),
            ("export", "fhir", "P01.json"),
            ("export", "package", "packed"),
        ),
    ),
    "baseline": (0.4, one_of(("baseline",), ("baseline", "--isi", "12", "--no-medicines", "--servings", "almonds=5"))),
    "participant": (0.2, one_of(("participant", "list"))),
    "kits": (
        0.5,
        one_of(("kits", "--key", "stranger.key"), ("kits", "--key", "stranger.key", "--output", "s/kits.html")),
    ),
}
"""How often each command is typed, and in which words."""

LAST_LOOK: Final = ("today", "schedule", "status", "nights", "verify", "calendar", "diary", "guess", "export")

EXPORTED: Final = ("csv", "parquet", "deidentified", "fhir", "package")
"""Every form is written at the end, while all is sealed."""


def make_script(seed: int) -> Script:
    """Invent a protocol and a person's use of nof1, from before the first night until after the last."""
    rng = random.Random(seed)
    blocks, period_nights = rng.choice((2, 2, 4)), rng.randint(2, 3)
    run_in, washout = rng.choice((0, 2)), rng.choice((0, 0, 1))
    protocol = PROTOCOL.format(
        scheme=SCHEMES[seed % len(SCHEMES)], blocks=blocks, period_nights=period_nights, run_in=run_in, washout=washout
    )
    begin = datetime.combine(FIRST - timedelta(days=1), datetime.min.time(), UTC).replace(hour=12)
    custodian = ("--custodian", "PUBLIC")
    steps = [
        Step(begin, ("init", "s", "--zone", ZONE)),
        Step(
            begin,
            ("start", "two-sorts.toml", "--on", str(FIRST), "--accept-weak-design", *custodian, *json_or_not(rng)),
        ),
        Step(begin, ("import", "early.zip", *json_or_not(rng))),
        *(Step(begin, ("today", "--date", str(FIRST + timedelta(days=run_in + night)))) for night in range(9)),
    ]
    days = run_in + 2 * blocks * (period_nights + washout) + 3
    names, weights = list(TYPED), [often for often, _ in TYPED.values()]
    for day in range(days):
        for hour in sorted(rng.uniform(6, 25) for _ in range(rng.randint(0, 2))):
            now = begin.replace(hour=0) + timedelta(days=day, hours=hour)
            name = rng.choices(names, weights)[0]
            tonight = (now - timedelta(hours=12)).date()
            steps.append(Step(now, (*TYPED[name][1](rng, tonight), *json_or_not(rng))))
    end = begin + timedelta(days=days + 60)
    steps.append(Step(end, ("import", "whole.zip", *json_or_not(rng))))
    steps += [Step(end, (*TYPED[name][1](rng, end.date()), *json_or_not(rng))) for name in LAST_LOOK]
    steps += [Step(end, ("export", form, f"last-{form}")) for form in EXPORTED]
    steps.append(Step(end, ("lock", "--looked", "no", *json_or_not(rng))))
    steps += [Step(end, words) for words in (("analyse",), ("unblind", "--key", "stranger.key", "--reason", "x"))]
    return Script(protocol, tuple(steps))


def make_emergency(seed: int) -> Script:
    """Invent a trial in which somebody opens the first bottle with the true key, and all of its arms that were lived
    are known to them when it is stopped; everybody else goes on looking."""
    script = make_script(seed)
    begin = script.steps[0].now
    start = next(place for place, step in enumerate(script.steps) if step.words[0] == "import")
    opening = begin + timedelta(days=4)
    ended, late = opening + timedelta(hours=1), opening + timedelta(days=60)
    looks = (*LAST_LOOK[:-1], "report", "imports", "baseline", "participant")
    rng = random.Random(seed)
    steps = [
        *script.steps[: start + 1],
        Step(opening, ("unblind", "--key", "TRUE", "--period", "1", "--reason", "emergency department asks")),
        Step(ended, ("stop", "--reason", "unwell")),
        *(Step(at, (*TYPED[name][1](rng, at.date()), *json_or_not(rng))) for at in (ended, late) for name in looks),
        *(Step(late, ("export", form, f"last-{form}")) for form in EXPORTED),
        *(Step(late, words) for words in (("report", "--all"), ("analyse",), ("lock", "--looked", "no"), ("status",))),
    ]
    return Script(script.protocol, tuple(steps))


def json_or_not(rng: random.Random) -> tuple[str, ...]:
    """Half of all commands are typed by a script that wants JSON."""
    return ("--json",) if rng.random() < 0.5 else ()
