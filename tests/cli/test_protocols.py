"""Protocols as a person meets them: look, copy, write, check, start."""

import json
from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from tests.cases import ZONE, Typist, alternating, schedule_csv

from nof1.errors import ProtocolError
from nof1.study import trials
from nof1.study.study import open_study
from nof1.study.trials import read_trial, start_trial
from nof1.trial.protocol import parse_protocol
from nof1.trial.safety_rules import GENERAL

TEN = {
    'id = "trial"': 'id = "My Trial"',
    'label = "What is tried"': "label = 3",
    "blocks = 6": "blocks = 1",
    "period_nights = 10": 'period_nights = "ten"',
    'scheme = "randomised-pairs"': 'scheme = "coin"',
    'measure = "sol_min"': 'measure = "deep_min"',
    'latency_source = "best"': 'latency_source = "guess"',
    "benefit = 0.95": "benefit = 1.5",
    "meaningful = 0.8": "meaningful = 0.4",
    "supplement_upper_limit_mg = 250": "upper_limit = 250",
}
"""Ten passages of the template, and a mistake for each."""
FILLED = {
    'label = "What is tried"': 'label = "Magnesium"',
    'label = "What it is compared with: a placebo, or nothing"': 'label = "Nothing"',
}
"""What nobody but the person can say."""
PATHS = (
    "id",
    "arm[1].label",
    "design.blocks",
    "design.period_nights",
    "design.scheme",
    "outcome[2].measure",
    "sleep.latency_source",
    "analysis.benefit",
    "analysis.meaningful",
    "safety.upper_limit",
)

WEAK = """
id = "quick"
[[arm]]
code = "early"
label = "Lights out at ten"
units_per_dose = 0
[[arm]]
code = "late"
label = "Lights out as usual"
reference = true
[design]
scheme = "alternating"
blocks = 2
period_nights = 4
[[outcome]]
measure = "deep_min"
"""


@pytest.fixture
def weak(typist: Typist) -> Path:
    """A protocol with a weak design, beside a study ``s``."""
    typist.does("init", "s", "--zone", ZONE)
    path = typist.home / "weak.toml"
    path.write_text(WEAK)
    return path


def test_the_library_is_listed_and_each_of_it_shown(typist: Typist) -> None:
    """Without a word the list, with an id the text, in JSON wherever ``--json`` stands."""
    listed = json.loads(typist.does("protocols", "--json"))
    assert {"magnesium-glycinate", "glycinate-or-citrate"} <= {one["id"] for one in listed}
    assert all(one["id"] in typist.does("protocols") for one in listed)
    shown = typist.does("protocols", "abab-pilot")
    assert 'id = "abab-pilot"' in shown
    for words in (["protocols", "abab-pilot", "--json"], ["protocols", "--json", "abab-pilot"]):
        assert json.loads(typist.does(*words))["id"] == "abab-pilot"


def test_the_shown_text_is_the_protocol(typist: Typist) -> None:
    """What is shown can be redirected to a file, which is the same protocol to the byte."""
    copy = typist.home / "copy.toml"
    copy.write_text(typist.does("protocols", "magnesium-oxide"))
    of_copy, of_library = (typist.does("protocols", one, "--json") for one in (copy, "magnesium-oxide"))
    assert json.loads(of_copy)["sha256"] == json.loads(of_library)["sha256"]


def test_a_protocol_of_ones_own_begins_with_the_template(typist: Typist) -> None:
    """``new`` writes a file that ``check`` accepts once its arms have a name, and never over another."""
    path = typist.home / "own.toml"
    typist.does("protocols", "new", path)
    assert path.read_text() == typist.does("protocols", "new")
    path.write_text(filled(path.read_text()))
    assert "no mistakes" in typist.does("protocols", "check", path)
    path.write_text("mine")
    again = typist("protocols", "new", path)
    assert (again.exit_code, path.read_text()) == (73, "mine")
    assert "exists already" in again.stderr
    assert typist("protocols", "new", typist.home / "nowhere" / "own.toml").exit_code == 73


def filled(text: str) -> str:
    """The template with its arms named."""
    for left, said in FILLED.items():
        assert left in text
        text = text.replace(left, said)
    return text


@pytest.mark.parametrize(
    "words", [["protocols", "check"], ["protocols"], ["start", "--on", "2026-12-01", "--study", "s"]]
)
def test_what_nobody_filled_in_is_told_with_its_place(typist: Typist, weak: Path, words: list[str]) -> None:
    """The untouched template, and a sample that was only uncommented, are refused: nobody is treated with "..."."""
    text = typist.does("protocols", "new").replace('#question = "..."', 'question = "..."')
    weak.with_name("own.toml").write_text(text)
    result = typist(*words, weak.with_name("own.toml"))
    assert result.exit_code == 65
    told = [line.strip().partition(":")[0] for line in result.stderr.splitlines()[1:]]
    assert told == ["question", "arm[1].label", "arm[2].label"]


def test_what_nobody_filled_in_is_told_beside_other_mistakes(typist: Typist, weak: Path) -> None:
    """One reading of the file tells both."""
    weak.write_text(WEAK.replace("blocks = 2", "blocks = 0").replace("Lights out at ten", "What is tried"))
    told = json.loads(typist("protocols", "check", weak, "--json").stdout)["mistakes"]
    assert [line.partition(":")[0] for line in told] == ["design.blocks", "arm[1].label"]


def test_python_begins_no_trial_with_the_template_s_words(
    typist: Typist, weak: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a script; a trial that began with them, under an earlier version, is read all the same."""
    study = open_study(typist.home / "s", clock=lambda: typist.now)
    weak.write_text(WEAK.replace("Lights out at ten", "What is tried"))
    with pytest.raises(ProtocolError, match=r"arm\[1\]\.label: 'What is tried' stands there as in the template"):
        start_trial(study, weak, on=date(2026, 12, 1))
    with monkeypatch.context() as patch:
        patch.setattr(trials, "new_protocol", lambda text, where: parse_protocol(text, where=where))
        start_trial(study, weak, on=date(2026, 12, 1))
    with study.record() as record:
        assert read_trial(study, record).protocol.arm("early").label == "What is tried"


@pytest.mark.parametrize(
    "words", [["protocols", "check"], ["protocols"], ["start", "--on", "2026-12-01", "--study", "s"]]
)
def test_ten_mistakes_are_told_at_once(typist: Typist, weak: Path, words: list[str]) -> None:
    """A protocol with ten different mistakes lists ten, each beginning with its key path, and is refused with 65."""
    text = typist.does("protocols", "new").replace(*list(FILLED.items())[1])
    for right, wrong in TEN.items():
        assert right in text
        text = text.replace(right, wrong, 1)
    weak.with_name("bad.toml").write_text(text)
    result = typist(*words, weak.with_name("bad.toml"))
    assert result.exit_code == 65
    assert "10 mistakes" in result.stderr
    told = [line.strip().partition(":")[0] for line in result.stderr.splitlines()[1:]]
    assert sorted(told) == sorted(PATHS)


def test_a_script_gets_the_mistakes_as_json(typist: Typist, weak: Path) -> None:
    """``check --json`` gives the list on stdout, and the exit code all the same."""
    weak.write_text(WEAK.replace("blocks = 2", "blocks = 0"))
    result = typist("protocols", "check", weak, "--json")
    assert result.exit_code == 65
    (mistake,) = json.loads(result.stdout)["mistakes"]
    assert mistake.startswith("design.blocks: ")
    sound = json.loads(typist.does("protocols", "check", "magnesium-long", "--json"))
    assert sound["mistakes"] == sound["checked"]["weaknesses"] == []
    assert sound["checked"]["smallest_p"] == 0.125


def test_an_outcome_without_a_model_is_told_before_the_start(typist: Typist, weak: Path) -> None:
    """What ``start`` would refuse, ``check`` refuses."""
    weak.write_text(WEAK.replace("deep_min", "awakenings"))
    checked = typist("protocols", "check", weak)
    started = typist("start", weak, "--on", "2026-12-01", "--study", "s")
    assert checked.exit_code == started.exit_code == 65
    assert "awakenings cannot be analysed yet" in checked.stderr


def test_the_schema_is_printed_for_editors(typist: Typist) -> None:
    """``nof1 protocols schema`` is JSON Schema, and nothing else is on stdout."""
    Draft202012Validator.check_schema(json.loads(typist.does("protocols", "schema")))


@pytest.mark.parametrize("name", ["new", "check", "schema"])
def test_each_command_on_protocols_has_an_example(typist: Typist, name: str) -> None:
    """``--help`` of the commands inside shows how they are typed."""
    assert f"nof1 protocols {name}" in typist.does("protocols", name, "--help")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_weak_design_is_told_by_check_and_by_start(typist: Typist, weak: Path, form: tuple[str, ...]) -> None:
    """Where nobody can be asked, `start` says what the design costs and ends with exit code 77, nothing registered;
    accepted on the command line it begins, and the JSON holds what was accepted."""
    checked = typist.does("protocols", "check", weak)
    assert checked.count("Weak design: design.") == 3
    words = ("start", weak, "--on", "2026-12-01", "--study", "s", *form)
    refused = typist(*words)
    assert (refused.exit_code, refused.stdout) == (77, "")
    assert "--accept-weak-design" in refused.stderr
    assert not (typist.home / "s" / "protocol.toml").exists()
    started = typist(*words, "--accept-weak-design")
    assert started.exit_code == 0
    assert refused.stderr.count("Weak design: design.") == started.stderr.count("Weak design: design.") == 3
    if form:
        assert len(json.loads(started.stdout)["weaknesses"]) == 3


@pytest.mark.parametrize(("typed", "code"), [("n", 130), ("y", 0), ("--accept-weak-design", 0)])
def test_a_person_is_asked_before_a_weak_design_begins(
    typist: Typist, weak: Path, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    """At a terminal nothing is registered until the person says yes, or said so on the command line."""
    from nof1.cli import asking, main

    monkeypatch.setattr(asking, "at_terminal", lambda: True)
    options = [typed] if typed.startswith("-") else []
    words = ["start", str(weak), "--on", "2026-12-01", "--study", "s", *options]
    result = typist.runner.invoke(main, words, input=f"{typed}\n", obj=lambda: typist.now)
    assert result.exit_code == code
    assert ("Begin with this design?" in result.stderr) == (not options)
    assert ("nothing was done" in result.stderr) == (code != 0)
    assert (typist.home / "s" / "protocol.toml").exists() == (code == 0)


def test_a_good_design_begins_without_a_word(typist: Typist, weak: Path) -> None:
    """The default design has nothing to confess."""
    started = typist("start", "fixed-bedtime", "--on", "2026-12-01", "--no-risks", "--study", "s")
    assert (started.exit_code, started.stderr) == (0, "")


OWN = """
id = "tea"
[[arm]]
code = "tea"
label = "A cup of tea"
[[arm]]
code = "nothing"
label = "No tea"
reference = true
units_per_dose = 0
[design]
scheme = "{scheme}"
[[outcome]]
measure = "deep_min"
[safety]
stop_if = ["a rash"]
{asks}
"""


@pytest.mark.usefixtures("weak")
def test_a_treatment_that_nobody_has_questions_about_is_asked_about_in_general(typist: Typist) -> None:
    """Whoever tries tea is asked who should ask first of anything: unanswered, nothing begins; a yes waits for a
    clinician; and `start` says that nothing was asked about tea in particular."""
    path = typist.home / "tea.toml"
    path.write_text(OWN.format(scheme="randomised-pairs", asks=""))
    words = ("start", path, "--on", "2026-12-01", "--accept-weak-design", "--study", "s")
    unanswered = typist(*words)
    assert unanswered.exit_code == 77
    assert all(question in unanswered.stderr for question in GENERAL)
    stopped = typist(*words, "--risk", GENERAL[1])
    assert (stopped.exit_code, "Ask your clinician before you begin" in stopped.stderr) == (77, True)
    denied = typist(*words, "--no-risks", "--medicine", "warfarin")
    assert (denied.exit_code, "warfarin is among the medicines" in denied.stderr) == (2, True)
    assert not (typist.home / "s" / "protocol.toml").exists()
    assert typist(*words, "--no-risks").exit_code == 77
    said = typist.does(*words, "--no-risks", "--reason", "the test was negative")
    assert "Only general questions were asked: nobody has any about tea in particular" in said
    assert "Stop and ask if: a rash." in said


@pytest.mark.usefixtures("weak")
@pytest.mark.parametrize(
    ("asks", "said"),
    [
        ('ask_before = ["an allergy to tea"]', None),
        (
            'nothing_to_ask = "hot water only"',
            "Nothing was asked before the first night, as the protocol says: hot water",
        ),
    ],
)
def test_a_protocol_says_what_is_asked_or_why_nothing_is(typist: Typist, asks: str, said: str | None) -> None:
    """Questions of its own take the place of the general ones; a reason why there are none is repeated."""
    path = typist.home / "tea.toml"
    path.write_text(OWN.format(scheme="randomised-pairs", asks=asks))
    words = ("start", path, "--on", "2026-12-01", "--accept-weak-design", "--study", "s")
    if said is None:
        assert "an allergy to tea" in typist(*words).stderr
        assert "general questions" not in typist.does(*words, "--no-risks")
    else:
        assert said in typist.does(*words)


def test_nights_that_are_past_are_called_past(typist: Typist) -> None:
    """A trial whose last night is over asks for no dose: what is next is the import and the analysis."""
    typist.does("init", "s", "--zone", ZONE)
    path, schedule = typist.home / "tea.toml", typist.home / "tea.csv"
    path.write_text(OWN.format(scheme="fixed", asks=""))
    schedule.write_text(schedule_csv(alternating(8, codes=("tea", "nothing")), 64, date(2019, 11, 3)))
    said = typist.does("start", path, "--schedule", schedule, "--study", "s")
    assert "Every one of these nights is past" in said
    assert "Next: nof1 import" in said
    assert "nof1 today" not in said
    assert "questions" not in said


IGNORED = ("blocks", "period_nights", "run_in_nights", "washout_nights", "longest_run")


@pytest.mark.usefixtures("weak")
@pytest.mark.parametrize("key", IGNORED)
def test_what_a_brought_schedule_says_itself_is_refused_in_the_protocol(typist: Typist, key: str) -> None:
    """A run-in, or any number of periods, of a schedule that is brought is a mistake with its key path: nothing that
    somebody wrote is ignored. A protocol that is registered already is read as it was."""
    path, schedule = typist.home / "tea.toml", typist.home / "tea.csv"
    text = OWN.format(scheme="fixed", asks="")
    path.write_text(text.replace('"fixed"', f'"fixed"\n{key} = 7'))
    schedule.write_text(schedule_csv(alternating(8, codes=("tea", "nothing")), 64, date(2019, 11, 3)))
    refused = typist("start", path, "--schedule", schedule, "--study", "s")
    assert refused.exit_code == 65
    assert f'design.{key}: with scheme = "fixed" the schedule says this' in refused.stderr
    assert f"design.{key}" in typist("protocols", "check", path).stderr
    assert getattr(parse_protocol(path.read_text()).design, key) == 7
    path.write_text(text)
    typist.does("start", path, "--schedule", schedule, "--study", "s")
