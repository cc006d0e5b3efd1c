"""An event that was forged into a whole chain, of a shape that nof1 never writes, is refused in words.

Whoever holds the folder can write a chain anew, and a bug could append what no command reads. What is then on record
may say anything; what every command makes of it is an answer, or a sentence and a documented exit code.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from tests.cases import ZONE, Typist, write_export
from tests.study.test_sealing import PROTOCOL
from tests.study.test_tampering import Row, chained, files_of, rewrite, rows_of

from nof1.model import plan as model
from nof1.store.events import canonical_json
from nof1.store.payloads import SHAPES, event_fault, payload_fault
from nof1.study import plan as planning

FIRST: Final = date(2026, 12, 1)
ASKING: Final = """
[[diary]]
key = "alcohol_units"
type = "number"

[safety]
ask_before = ["pregnancy"]
log = ["nausea"]
"""

DOCUMENTED: Final = {2, 65, 66, 69, 76, 77}
"""How a forged record may end a command: its night or period is not there any more, data, not found, fit not usable,
verification failed, not allowed."""
WRITES: Final = {"log", "analyse", "calendar", "guess", "report"}

COMMANDS: Final = (
    ("today",),
    ("status",),
    ("log", "--json", "--date", FIRST + timedelta(days=1), "--note", "calm"),
    ("nights",),
    ("analyse",),
    ("schedule",),
    ("diary",),
    ("imports",),
    ("baseline",),
    ("participant", "list"),
    ("calendar", "--output", "forged.ics"),
    ("guess", "--arm", "magnesium", "--sure", "60", "--period", "1"),
    ("report",),
)
EVERYBODY: Final = frozenset({"verify", "imports", "participant"})
"""Commands that take no ``--participant``."""


@dataclass(frozen=True, slots=True)
class Forgery:
    """A folder before it was forged, and the moment at which its commands are typed."""

    files: dict[str, bytes]
    rows: list[Row]
    now: datetime


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Forgery, Forgery]:
    """A sealed trial in its last week, paused; and the same after everything that can happen has happened to it."""
    home = tmp_path_factory.mktemp("originals")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("NOF1_STUDY", str(home / "s"))
        patch.setattr(planning, "TRIALS", 4)
        patch.setattr(model, "SEARCH_TRIALS", 2)
        return _lived(Typist(home))


def _lived(typist: Typist) -> tuple[Forgery, Forgery]:
    """Type a trial that leaves every kind of event."""
    (typist.home / "sealed.toml").write_text(
        PROTOCOL.partition("[safety]")[0] + PROTOCOL[PROTOCOL.index("[[outcome]]") :] + ASKING
    )
    typist.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    typist.does("init", "s", "--zone", ZONE)
    public = typist.does("keygen", "custodian.key").split()[-1]
    typist.does("baseline", "--isi", 12, "--egfr", 80, "--medicine", "none of note", "--servings", "almonds=5")
    typist.does("plan", "sealed.toml", "--keep", "--participant", "P01")
    begin = ("start", "sealed.toml", "--on", FIRST, "--custodian", public, "--accept-weak-design")
    assert typist(*begin, "--risk", "pregnancy").exit_code == 77
    typist.does(*begin, "--risk", "pregnancy", "--clinician-agrees", "Dr. M, second trimester")
    typist.does("kits", "--key", "custodian.key")
    typist.does("participant", "add", "P02", "--zone", "Asia/Tokyo")
    _live_through(typist)
    running = Forgery(files_of(typist.home / "s"), rows_of(typist.home / "s"), typist.now)
    _end(typist)
    return running, Forgery(files_of(typist.home / "s"), rows_of(typist.home / "s"), typist.now)


def _live_through(typist: Typist) -> None:
    own = ("--participant", "P01")
    for day in range(12):
        typist.now = datetime(2026, 12, 1, 21, tzinfo=UTC) + timedelta(days=day)
        if day in {4, 11}:
            typist.does("pause", "--reason", "influenza", *own)
        if day == 6:
            typist.does("resume", *own)
        said = ("--lights-out", "23:10", "--awakenings", 2, "--sleep-quality", "good")
        extra = ("--side-effect", "nausea=mild", "--answer", "alcohol_units=1.5", "--note", f"day {day}")
        dose = (("--taken", "--at", "22:10") if day % 3 else ("--not-taken",)) if day not in {4, 5, 11} else ()
        typist.does("log", *dose, *(said if dose else ()), *extra, *own)
    typist.does("guess", "--arm", "magnesium", "--sure", 70, "--why", "calmer", *own)
    typist.does("amend", "--reason", "another watch", *own)
    typist.does("calendar", *own)
    for nights in (5, 11):
        typist.does("import", write_export(typist.home / "takeout.zip", nights, first=FIRST), *own)
    first = json.loads(typist.does("imports", "--json"))[0]["key"]
    typist.does("retract", first, "--reason", "too early")


def _end(typist: Typist) -> None:
    own = ("--participant", "P01")
    typist.now = datetime(2026, 12, 13, 12, tzinfo=UTC)
    typist.does("resume", *own)
    typist.now = datetime(2027, 1, 10, 12, tzinfo=UTC)
    typist.does("lock", "--looked", "no", *own)
    typist.does("unblind", "--key", "custodian.key", "--reason", "a fall", "--period", 1, *own)
    typist.does("unblind", "--key", "custodian.key", "--reason", "the end", *own)
    assert typist("analyse", *own).exit_code in {0, 69}
    typist.does("report", *own)


VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 7, 99, 10**6, 10**12, 10**30, 0.5, -2.5, 1e300,
    "", "x", "P02", "magnesium", "2026-12-02", "0001-01-01", "9999-12-31", "2026-02-30", "2026-W01-1",
    "2026-12-02T21:00:00", "2026-12-02T21:00:00+00:00", "0001-01-01T00:00:00+14:00", "25:00", "../../etc", "\x00", "\n",
    "x" * 5_000, [], {}, [[]], [None], ["magnesium"], {"a": 1}, {"night": 1}, [{}], {"1": "magnesium"}, {"99": "x"},
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a JSON value, the whole included."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from places(inner, (*path, key))


def forged(payload: dict[str, Any], rng: random.Random, others: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A payload of another shape or another content: one place of it changed, or all of it that of another kind."""
    if rng.random() < 0.05:
        return dict(rng.choice(others))
    content = json.loads(json.dumps(payload))
    path = rng.choice(list(places(content)))
    if not path:
        return content | {"more": rng.choice(VALUES)}
    holder = content
    for key in path[:-1]:
        holder = holder[key]
    what = rng.choice(("gone", "renamed", "other", "other", "other", "other", "wrapped"))
    if what == "gone":
        del holder[path[-1]]
    elif what == "renamed" and isinstance(holder, dict):
        holder[rng.choice(("x", "", "night", "7", path[-1].upper()))] = holder.pop(path[-1])
    elif what == "wrapped":
        holder[path[-1]] = rng.choice(([holder[path[-1]]], {"value": holder[path[-1]]}, str(holder[path[-1]])))
    else:
        holder[path[-1]] = rng.choice(VALUES)
    return content


def forge(original: Forgery, folder: Path, rng: random.Random) -> str:
    """Forge one event, or add one, and make the chain anew; say what was done."""
    rows = list(original.rows)
    kind = rng.choice(sorted({row[4] for row in rows}))
    number = rng.choice([place for place, row in enumerate(rows) if row[4] == kind])
    payloads, own = [json.loads(row[6]) for row in rows], json.loads(rows[number][6])
    payload = forged(own, rng, payloads)
    if rng.random() < 0.5:  # half of them have the right shape, and say what cannot be
        tries = (forged(own, rng, payloads) for _ in range(300))
        payload = next((one for one in tries if one != own and payload_fault(kind, one) is None), payload)
    row = [*rows[number][:6], canonical_json(payload), *rows[number][7:]]
    if rng.random() < 0.1:
        column, values = rng.choice(((1, ("x", "", "2026-12-02", "0001-01-01T00:00:00+14:00")), (4, ("x", "paused")),
                                     (5, (None, "", "P02", "../x")), (7, (None, "x"))))  # fmt: skip
        row[column] = rng.choice(values)
    if rng.random() < 0.3:
        rows.append((len(rows) + 1, *row[1:]))
        number = len(rows) - 1
    else:
        rows[number] = tuple(row)
    rewrite(folder, chained(rows, number))
    return f"event {number + 1} ({kind}): {row[1]} {row[5]} {row[6][:500]}"


def lay(original: Forgery, folder: Path) -> None:
    """Make a copy of the study as it was; what an earlier forgery left behind is gone."""
    for path in folder.rglob("*"):
        if path.is_file() and str(path.relative_to(folder)) not in original.files:
            path.unlink()
    for name, content in original.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def answered(typist: Typist, words: Sequence[object]) -> int:
    """The exit code of a command: 0, or a documented one with a sentence; what fails or only reads changes nothing."""
    before = files_of(typist.home / "s")
    own = () if words[0] in EVERYBODY else ("--participant", "P01")
    result = typist(*words, *own, "--study", typist.home / "s")
    if result.exit_code != 0:
        assert result.exit_code in DOCUMENTED, result.stderr
        assert words[0] == "analyse" or result.stderr.startswith("nof1: "), result.stderr
    if words[0] not in WRITES or result.exit_code not in {0, 69}:
        assert files_of(typist.home / "s") == before
    return result.exit_code


def check(typist: Typist, original: Forgery, seed: int, commands: int) -> Counter[int]:
    """Forge once, and type `verify` and so many other commands; what is of no shape of nof1's is refused by all."""
    rng = random.Random(seed)
    lay(original, typist.home / "s")
    told = forge(original, typist.home / "s", rng)
    forged_rows, typist.now = rows_of(typist.home / "s"), original.now
    misshapen = [row for row in forged_rows if fault_of(row)]
    try:
        codes = [answered(typist, ("verify", "--head", original.rows[-1][9]))]
        assert codes == [76] or forged_rows[: len(original.rows)] == original.rows  # all that was is still there
        codes += [answered(typist, words) for words in rng.sample(COMMANDS, commands)]
    except Exception as error:
        raise AssertionError(f"forgery {seed}, {told}: {error!r}") from error
    assert not misshapen or set(codes) == {76}, f"forgery {seed}, {told}: {codes}"
    return Counter(codes)


def fault_of(row: Row) -> str | None:
    """What is wrong with the shape of one event."""
    return payload_fault(row[4], json.loads(row[6])) or event_fault(row[4], row[1], row[5])


@pytest.mark.parametrize(
    ("seeds", "commands"),
    [
        pytest.param(range(150), 2, id="150"),
        pytest.param(range(150, 300), 2, id="300"),
        pytest.param(range(300, 2_300), len(COMMANDS), id="2000", marks=pytest.mark.faults),
    ],
)
def test_a_forged_event_gets_an_answer_or_a_sentence(
    typist: Typist, originals: tuple[Forgery, Forgery], seeds: range, commands: int
) -> None:
    """Whatever a forged event says, no command fails without words; a receipt finds it, or its shape betrays it."""
    codes: Counter[int] = Counter()
    for seed in seeds:
        codes += check(typist, originals[seed % 2], seed, commands)
    assert codes[76] > codes.total() / 2
    assert codes[0] > 0


def test_every_kind_of_event_was_lived_through(originals: tuple[Forgery, Forgery]) -> None:
    """The trial that is forged here holds every kind of event but the two ends that come early."""
    assert {row[4] for original in originals for row in original.rows} == SHAPES.keys() - {"stopped", "withdrawn"}


def test_what_nof1_wrote_is_of_its_own_shape(typist: Typist, originals: tuple[Forgery, Forgery]) -> None:
    """Unforged, every command answers."""
    for original in originals:
        lay(original, typist.home / "s")
        rewrite(typist.home / "s", chained(original.rows, 0))
        typist.now = original.now
        assert not [row for row in original.rows if fault_of(row)]
        assert answered(typist, ("verify", "--head", original.rows[-1][9])) == 0
        assert {answered(typist, words) for words in COMMANDS} <= {0, 66, 69, 77}
