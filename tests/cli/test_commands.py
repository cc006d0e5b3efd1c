"""Every command as a person meets it: help, JSON, errors, exit codes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from tests.cases import FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv, write_export

import nof1.cli
from nof1.cli import main
from nof1.cli.main import SECTIONS

COMMANDS = [name for names in SECTIONS.values() for name in names]


@pytest.fixture
def study(typist: Typist) -> Path:
    """A study in the working directory's folder ``s``, with sixty nights imported."""
    write_export(typist.home / "takeout.zip", 60)
    typist.does("init", "s", "--zone", ZONE)
    typist.does("import", "takeout.zip", "--study", "s")
    return typist.home / "s"


def start_fixed(typist: Typist, nights: int = 60) -> None:
    """Begin a trial of fifteen-night periods over the sixty nights."""
    (typist.home / "t.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10))
    (typist.home / "t.csv").write_text(schedule_csv(alternating(15), nights))
    typist.does("start", "t.toml", "--schedule", "t.csv", "--study", "s")


@pytest.mark.usefixtures("study")
def test_periods_that_may_be_two_are_told(typist: Typist) -> None:
    """A brought ABBA without a column ``period`` is three periods: `start` says which may be two, with the way out."""
    (typist.home / "t.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10))
    abba = ("magnesium", "placebo", "placebo", "magnesium")
    (typist.home / "t.csv").write_text(schedule_csv(lambda night: abba[night // 15], 60))
    said = typist.does("start", "t.toml", "--schedule", "t.csv", "--study", "s")
    assert "3 periods, 60 nights" in said
    assert "Period 2 is twice as long as the shortest, or more: nights on one arm running are one period" in said


SEALED = ("start", "magnesium-glycinate", "--on", "2026-12-01", "--study", "s", "--no-risks")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(typist: Typist, name: str) -> None:
    """``--help`` says what a command does and shows how it is typed."""
    text = typist.does(name, "--help")
    assert "Example" in text
    assert f"nof1 {name}" in text
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.help


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"demo"}))
def test_every_command_that_tells_something_has_json(typist: Typist, name: str) -> None:
    """A script can ask any command for JSON."""
    assert "--json" in typist.does(name, "--help")


def test_the_help_page_shows_every_command_by_section(typist: Typist) -> None:
    """The first page groups the commands, each with its whole first sentence, and names the exit codes."""
    text = typist.does("--help")
    for section, names in SECTIONS.items():
        assert f"{section}:" in text
        assert all(f"  {name} " in text for name in names)
    assert "..." not in text.removeprefix("Usage: nof1 [OPTIONS] COMMAND [ARGS]...")
    assert "Exit codes" in text


def test_every_module_of_a_command_is_on_the_help_page() -> None:
    """No command is forgotten, and none is hidden."""
    others = {"__init__", "main", "options", "progress", "tables", "conducting", "asking", "diary_prompts", "gate"}
    modules = {path.stem.removesuffix("_") for path in Path(nof1.cli.__file__).parent.glob("*.py")}
    assert modules - {"_"} - {"__init_"} | {"__init__"} == set(COMMANDS) | others


def test_american_spelling_is_understood(typist: Typist) -> None:
    """``nof1 analyze`` is ``nof1 analyse``."""
    assert "analyse" in typist.does("analyze", "--help")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["nights"], 66, "nof1 init"),
        (["import", "nothing.json", "--dry-run"], 66, "nothing.json"),
        (["init", "s2", "--zone", "Europe/Berln"], 2, "Europe/Berlin"),
        (["init", "s2", "--zone", ZONE, "--participant", "Ada Lovelace"], 2, "P01"),
        (["init", "s", "--zone", ZONE], 2, "already"),
        (["import", "takeout.zip", "--study", "s", "--from", "nobody"], 2, "fitbit"),
        (["import", "takeout.zip", "--study", "s", "--zone", "Mars/Base"], 2, "unknown"),
        (["nights", "--study", "s", "--participant", "P09"], 2, "P01"),
        (["today", "--study", "s"], 66, "nof1 start"),
        (["start", "magnesium-glycinate", "--on", "2026-12-01", "--study", "s"], 77, "--open-label"),
        (["start", "magnesium-or-none", "--on", "2020-12-01", "--study", "s"], 2, "past"),
        (["start", "magnesium-or-none", "--study", "s"], 2, "--on"),
        (["start", "nothing-such", "--on", "2026-12-01", "--study", "s"], 66, "magnesium-or-none"),
        (["start", "none.toml", "--on", "2026-12-01", "--study", "s"], 66, "none.toml"),
        ([*SEALED, "--custodian", "age1x", "--passphrase-env", "PP"], 2, "sealed once"),
        ([*SEALED, "--custodian", "age1x", "--passphrase"], 2, "sealed once"),
        (["verify", "--head", "", "--study", "s"], 2, "at least the first 16"),
        (["verify", "--head", "a", "--study", "s"], 2, "at least the first 16"),
        (["retract", "zzz", "--reason", "x", "--study", "s"], 2, "nof1 imports"),
        (["log", "--study", "s", "--answer", "x"], 2, "KEY=VALUE"),
    ],
)
def test_mistakes_get_one_clear_error(typist: Typist, study: Path, words: list[str], code: int, says: str) -> None:
    """A mistake ends with its exit code and one sentence on stderr that says what to do; the study stays as it was."""
    before = typist.does("verify", "--json", "--study", "s")
    result = typist(*words)
    assert result.exit_code == code, result.output
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert typist.does("verify", "--json", "--study", "s") == before


def test_nights_speak_table_csv_and_json(typist: Typist, study: Path) -> None:
    """The same nights come as a table, as CSV and as JSON, missing ones as null and never as zero."""
    rows = json.loads(typist.does("nights", "--json", "--study", "s"))
    lines = typist.does("nights", "--csv", "--study", "s").splitlines()
    table = typist.does("nights", "--hypnogram", "--study", "s")
    assert len(rows) == len(lines) - 1
    assert lines[0].split(",") == list(rows[0])
    assert all(row["night"] in table for row in rows)
    assert "▁" in table


def test_an_import_accounts_for_every_record_in_json(typist: Typist, study: Path) -> None:
    """Importing again finds nothing new, and read = accepted + merged + rejected."""
    again = json.loads(typist.does("import", "takeout.zip", "--study", "s", "--json"))
    assert again["new_sessions"] == 0
    assert again["read"] == again["accepted"] + again["merged"] + again["rejected"] > 0
    assert again["files"][0]["already_imported"]
    assert (again["zone"], again["zone_source"]) == (ZONE, "participant")


def test_a_dry_run_works_anywhere_and_stores_nothing(typist: Typist) -> None:
    """Without a study, and without a zone, an export can still be looked into."""
    write_export(typist.home / "takeout.zip", 10)
    seen = json.loads(typist.does("import", "--dry-run", "--json", "takeout.zip"))
    assert seen["nights"] > 0
    assert seen["zone"] is None
    assert seen["new_sessions"] is None
    assert sorted(path.name for path in typist.home.iterdir()) == ["takeout.zip"]


def test_start_warns_of_a_device_that_cannot_tell_latency(typist: Typist) -> None:
    """Beside the weak points of the design, and before anything is registered for good."""
    typist.does("init", "s", "--zone", ZONE)
    rows = "".join(f"2026-02-{day:02},400,80\n" for day in range(1, 10))
    (typist.home / "mine.csv").write_text(f"night,tst_min,deep_min\n{rows}")
    typist.does("import", "mine.csv", "--study", "s")
    (typist.home / "protocol.toml").write_text(FIXED_PROTOCOL.format(transition=0, prior_sd=20))
    (typist.home / "schedule.csv").write_text(schedule_csv(alternating(5), 20))
    started = typist("start", "protocol.toml", "--schedule", "schedule.csv", "--study", "s")
    assert started.exit_code == 0, started.output
    assert "Weak design: sol_min can be told on 0 of the 9 nights imported so far" in started.stderr


def test_a_retracted_import_is_gone_and_stays_on_record(typist: Typist, study: Path) -> None:
    """A wrong zone is refused a second reading, withdrawn, and imported again rightly; the list shows both."""
    words = ("import", "takeout.zip", "--zone", "Asia/Tokyo", "--study", "s")
    refused = typist(*words)
    assert refused.exit_code == 2
    (berlin,) = json.loads(typist.does("imports", "--json", "--study", "s"))
    assert f"nof1 retract {berlin['key'][:8]}" in refused.stderr
    typist.does("retract", berlin["key"][:8], "--reason", "wrong zone", "--study", "s")
    typist.does(*words)
    after = json.loads(typist.does("imports", "--json", "--study", "s"))
    assert [(one["zone"], one["retracted"]) for one in after] == [(ZONE, True), ("Asia/Tokyo", False)]


def test_an_evening_of_a_trial(typist: Typist, study: Path) -> None:
    """Today, log and status follow the clock; half past midnight is still the evening before."""
    start_fixed(typist)
    typist.now = datetime(2026, 1, 22, 23, 30, tzinfo=UTC)  # 00:30 in Berlin on the 23rd
    evening = json.loads(typist.does("today", "--json", "--study", "s"))
    assert (evening["night"], evening["period"], evening["night_of_period"]) == ("2026-01-22", 2, 3)
    assert "Placebo" in evening["take"]
    typist.does("log", "--taken", "--lights-out", "0:20", "--study", "s")
    typist.does("log", "--not-taken", "--study", "s")
    status = json.loads(typist.does("status", "--json", "--study", "s"))
    assert status["nights_done"] == 17
    typist.now = datetime(2026, 1, 23, 20, tzinfo=UTC)
    period = json.loads(typist.does("status", "--json", "--study", "s"))["periods"][1]
    assert (period["taken"], period["not_taken"], period["unknown"]) == (0, 1, 2)
    assert typist("log", "--taken", "--date", "2026-01-24", "--study", "s").exit_code == 2
    assert typist("log", "--study", "s").exit_code == 2


def test_analysis_waits_for_the_planned_end(typist: Typist, study: Path) -> None:
    """Before the last night is over, nobody sees effects: exit 77, in open trials too."""
    start_fixed(typist)
    typist.now = datetime(2026, 3, 5, 20, tzinfo=UTC)
    result = typist("analyse", "--study", "s")
    assert result.exit_code == 77
    assert "2026-03-05" in result.stderr
    assert not (study / "reports").exists()


def test_a_drawn_trial_says_that_it_is_open(typist: Typist) -> None:
    """A protocol that conceals starts with ``--open-label`` only, and everything printed says open label."""
    typist.does("init", "s", "--zone", ZONE)
    words = ("--on", "2026-12-01", "--open-label", "--no-risks", "--study", "s")
    started = typist.does("start", "magnesium-glycinate", *words)
    schedule = typist.does("schedule", "--study", "s")
    today = typist.does("today", "--study", "s")
    status = typist.does("status", "--study", "s")
    assert all("open label" in text.lower() for text in (started, schedule, today, status))
    assert json.loads(typist.does("status", "--json", "--study", "s"))["nights_planned"] == 120
    assert typist("start", "magnesium-or-none", "--on", "2026-12-01", "--study", "s").exit_code == 2


def test_five_mistakes_in_a_protocol_are_told_at_once(typist: Typist, study: Path) -> None:
    """A protocol with five mistakes lists five, each with its key path."""
    (typist.home / "bad.toml").write_text(
        FIXED_PROTOCOL.format(transition=-1, prior_sd=0)
        .replace('"deep_min"', '"deep_minutes"')
        .replace("reference = true", 'reference = "yes"')
        .replace('scheme = "fixed"', 'scheme = "coin"')
    )
    result = typist("start", "bad.toml", "--schedule", "x.csv", "--study", "s")
    assert result.exit_code == 65
    assert "5 mistakes" in result.stderr
    for path in (
        "design.transition_nights",
        "analysis.prior_effect_sd",
        "outcome[1].measure",
        "arm[2].reference",
        "scheme",
    ):
        assert path in result.stderr


def test_a_record_cut_short_is_found_by_a_head_that_was_kept(typist: Typist, study: Path) -> None:
    """A copy from before has a whole chain; only the head that somebody kept shows that it is not the latest."""
    before = (study / "record.sqlite").read_bytes()
    start_fixed(typist)
    head = json.loads(typist.does("verify", "--json", "--study", "s"))["chain_head"]
    typist.does("log", "--date", "2026-01-06", "--taken", "--study", "s")
    typist.does("verify", "--head", head, "--study", "s")
    (study / "record.sqlite").write_bytes(before)
    assert typist("verify", "--study", "s").exit_code == 0
    result = typist("verify", "--head", head, "--study", "s")
    assert result.exit_code == 76
    assert "cut short" in result.stderr


def test_the_diary_says_back_what_it_holds(typist: Typist, study: Path) -> None:
    """After each entry the whole night is shown, in the person's own time; nonsense is asked about."""
    start_fixed(typist)
    typist.does("log", "--date", "2026-01-06", "--taken", "--study", "s")
    said = typist.does("log", "--date", "2026-01-06", "--lights-out", "23:10", "--note", "tired", "--study", "s")
    assert "dose taken: yes" in said
    assert "lights out: 23:10" in said
    assert "note: tired" in said
    noon = typist("log", "--date", "2026-01-06", "--lights-out", "11:10", "--study", "s")
    assert noon.exit_code == 2
    assert "23:10" in noon.stderr


def test_a_changed_file_is_found(typist: Typist, study: Path) -> None:
    """Verify names a protocol or a sleep file whose bytes changed: exit 76."""
    start_fixed(typist)
    assert typist("verify", "--study", "s").exit_code == 0
    protocol = study / "protocol.toml"
    text = protocol.read_text()
    protocol.write_text(text.replace("worthwhile = 10", "worthwhile = 1"))
    for words in (("verify",), ("status",), ("analyse",)):
        result = typist(*words, "--study", "s")
        assert result.exit_code == 76
        assert "protocol.toml" in result.stderr
    protocol.write_text(text)
    (sleep,) = (study / "sleep").rglob("*.parquet")
    sleep.write_bytes(sleep.read_bytes()[:-1] + b"x")
    result = typist("verify", "--study", "s")
    assert result.exit_code == 76
    assert sleep.name in result.stderr


def test_verify_warns_of_a_clock_that_was_set_back(typist: Typist, study: Path) -> None:
    """A wrong clock is told, and is no reason to call a record touched."""
    start_fixed(typist)
    assert "Warning" not in typist.does("verify", "--study", "s")
    typist.now -= timedelta(days=2)
    typist.does("log", "--date", "2026-01-06", "--taken", "--study", "s")
    assert "Warning: event 6 (diary-logged, " in typist.does("verify", "--study", "s")


def test_a_note_cannot_act_on_a_terminal(typist: Typist, study: Path) -> None:
    """What an evening said is shown as text, whatever it holds."""
    start_fixed(typist)
    said = typist.does("log", "--date", "2026-01-06", "--note", "x\x1b[2J\nlights out: 23:10", "--study", "s")
    table = typist.does("diary", "--study", "s")
    assert "note: x [2J lights out: 23:10" in said
    assert "\x1b[2J" not in said + table
