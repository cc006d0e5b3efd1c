"""No trial of a supplement begins before its questions are answered."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pytest
from tests.cases import FIXED_PROTOCOL, ZONE, alternating, schedule_csv, write_export

from nof1.errors import (
    AnswerChangedError,
    InputMissingError,
    NotAllowedError,
    SafetyUnansweredError,
    UsageError,
    WriteError,
)
from nof1.store.events import Record
from nof1.study.analysis import analyse
from nof1.study.baselines import record_baseline
from nof1.study.conduct import amend_protocol
from nof1.study.imports import import_exports
from nof1.study.pages import write_report
from nof1.study.protocols import protocol_text
from nof1.study.status import trial_status
from nof1.study.study import Study, create_study
from nof1.study.trials import read_trial, start_trial
from nof1.study.verification import verify
from nof1.trial.baseline import Baseline
from nof1.trial.safety import Clinician, SafetyAnswers
from nof1.trial.safety_rules import Safety

FIRST = date(2026, 12, 1)
AGREED = Clinician(name="Dr A. Example", reason="eGFR 28, monitored")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study in which nothing has begun."""
    return create_study(tmp_path / "study", zone=ZONE, clock=lambda: datetime(2026, 11, 30, 12, tzinfo=UTC))


def begin(study: Study, answers: SafetyAnswers | None) -> None:
    """Begin a trial of magnesium."""
    start_trial(study, "magnesium-or-none", on=FIRST, safety=answers)


def kinds(study: Study) -> list[str]:
    """What is on record, in order."""
    with study.record() as record:
        return [event.kind for event in record.events()]


def test_without_answers_nothing_begins(study: Study) -> None:
    """The refusal lists the questions, and leaves neither an event nor a protocol."""
    with pytest.raises(SafetyUnansweredError, match="--no-risks") as refused:
        begin(study, None)
    assert refused.value.questions == Safety().ask_before
    assert kinds(study) == ["study-created", "participant-added"]
    assert not study.folder.protocol.exists()


@pytest.mark.parametrize("answers", [SafetyAnswers(yes=("lithium",)), SafetyAnswers(unsure=("lithium",))])
def test_a_risk_stops(study: Study, answers: SafetyAnswers) -> None:
    """Yes and don't know both wait for a clinician: nothing is drawn, and no protocol is registered."""

    def no_seed(number: int) -> bytes:
        raise AssertionError(f"{number} random bytes were asked for")

    with pytest.raises(NotAllowedError, match="Ask your clinician"):
        start_trial(study, "magnesium-or-none", on=FIRST, safety=answers, entropy=no_seed)
    with study.record() as record, pytest.raises(InputMissingError):
        read_trial(study, record)
    assert not study.folder.protocol.exists()


def test_a_start_that_was_stopped_is_on_record(study: Study) -> None:
    """What was asked and answered stays, with who answered and when; the chain holds it like any other event."""
    with pytest.raises(NotAllowedError, match="on record"):
        begin(study, SafetyAnswers(yes=("lithium",), medicines=("lithium carbonate",)))
    with study.record() as record:
        refused = record.events()[-1]
    assert (refused.kind, refused.participant, refused.actor) == ("start-refused", "P01", study.actor)
    assert refused.at.startswith("2026-11-30T12:00")
    assert refused.payload["protocol_id"] == "magnesium-or-none"
    assert refused.payload["answers"] == dict.fromkeys(Safety().ask_before, "no") | {"lithium": "yes"}
    assert refused.payload["medicines"] == ["lithium carbonate"]
    assert verify(study).events == 3


def test_a_start_that_is_stopped_twice_alike_is_one_event(study: Study) -> None:
    """Repeating a command changes nothing; another answer, or another person who answers, is told again."""
    for answers in (SafetyAnswers(yes=("lithium",)), SafetyAnswers(yes=("lithium",)), SafetyAnswers(yes=("digoxin",))):
        with pytest.raises(NotAllowedError):
            begin(study, answers)
    assert kinds(study)[2:] == ["start-refused"] * 2
    with pytest.raises(NotAllowedError):
        begin(replace(study, actor="somebody else"), SafetyAnswers(yes=("digoxin",)))
    assert kinds(study)[2:] == ["start-refused"] * 3


def test_a_refusal_that_cannot_be_kept_leaves_nothing(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails while the answers are written leaves the record as it was."""

    def fails(*_: object, **__: object) -> None:
        raise WriteError("the disk is full")

    before = study.folder.record.read_bytes()
    monkeypatch.setattr(Record, "append", fails)
    with pytest.raises(WriteError):
        begin(study, SafetyAnswers(yes=("lithium",)))
    assert study.folder.record.read_bytes() == before


def test_who_asks_for_a_trial_that_was_stopped_is_told_why(study: Study) -> None:
    """Status before any trial says which start was stopped, when, and by which answers."""
    with pytest.raises(NotAllowedError):
        begin(study, SafetyAnswers(yes=("lithium",), unsure=("digoxin",)))
    told = f"stopped a start of magnesium-or-none on 2026-11-30, answered by {study.actor}: digoxin .don't know.; lith"
    with pytest.raises(InputMissingError, match=told):
        trial_status(study)


def test_status_tells_what_the_gate_stopped_and_who_overruled_it(study: Study) -> None:
    """First the start that was stopped, then the clinician's agreement with its reason."""
    with pytest.raises(NotAllowedError):
        begin(study, SafetyAnswers(yes=("lithium",)))
    begin(study, SafetyAnswers(yes=("lithium",), clinician=AGREED))
    stopped, overruled = trial_status(study).safety
    assert "stopped a start" in stopped
    assert "overruled on 2026-11-30 by Dr A. Example: eGFR 28, monitored." in overruled
    assert overruled.endswith("lithium (yes).")


def test_a_risk_that_is_denied_later_needs_a_reason(study: Study) -> None:
    """What stopped a start is not wiped out by saying no the next time; a reason stays beside both answers."""
    with pytest.raises(NotAllowedError):
        begin(study, SafetyAnswers(yes=("lithium",), unsure=("heart block",)))
    with pytest.raises(AnswerChangedError, match=r"heart block .don't know.; lithium .yes.*--reason"):
        begin(study, SafetyAnswers())
    assert kinds(study)[2:] == ["start-refused"]
    start_trial(
        study, "magnesium-or-none", on=FIRST, safety=SafetyAnswers(), reason="lithium ended in May; ECG normal."
    )
    _, denied = trial_status(study).safety
    assert "Answered with no on 2026-11-30" in denied
    assert denied.endswith("heart block (don't know); lithium (yes). Why: lithium ended in May; ECG normal.")


def test_a_denial_without_a_reason_does_not_pass_by_another_risk(study: Study) -> None:
    """A second start that is stopped for something else is kept, and makes no no of the first answer."""
    for answers in (SafetyAnswers(yes=("lithium",)), SafetyAnswers(yes=("digoxin",))):
        with pytest.raises(NotAllowedError, match="Ask your clinician"):
            begin(study, answers)
    with pytest.raises(AnswerChangedError, match=r"digoxin .yes.; lithium .yes."):
        begin(study, SafetyAnswers())


def test_a_clinician_may_stand_for_the_reason(study: Study) -> None:
    """Who agrees says why, and that is told."""
    with pytest.raises(NotAllowedError):
        begin(study, SafetyAnswers(yes=("lithium",)))
    begin(study, SafetyAnswers(clinician=AGREED))
    assert trial_status(study).safety[-1].endswith("Why: Dr A. Example agrees, eGFR 28, monitored.")


def test_a_clinician_who_agrees_to_no_risk_overrules_nothing(study: Study) -> None:
    """Where every answer is no, status tells nothing of the gate, whoever agreed."""
    begin(study, SafetyAnswers(clinician=AGREED))
    assert trial_status(study).safety == []


def test_a_risk_that_nobody_judged_does_not_pass_unseen(study: Study) -> None:
    """Where a record holds a trial that began in spite of the gate, and names no clinician, status says so."""
    begin(study, SafetyAnswers())
    with study.record() as record, record.writing():
        forged = SafetyAnswers(yes=("lithium",)).to_payload(Safety().ask_before)
        study.append(record, "safety-answered", forged, command="start", participant="P01")
    (told,) = trial_status(study).safety
    assert "no clinician is named" in told


def test_answers_are_on_record_before_the_trial(study: Study) -> None:
    """Every question with its answer, just before the event whose hash is the receipt."""
    begin(study, SafetyAnswers(medicines=("ibuprofen",)))
    with study.record() as record:
        *_, answered, started = record.events()
    assert (answered.kind, started.kind) == ("safety-answered", "trial-started")
    assert answered.payload["answers"] == dict.fromkeys(Safety().ask_before, "no")
    assert answered.payload["medicines"] == ["ibuprofen"]
    assert (answered.actor, answered.participant) == (study.actor, "P01")
    assert verify(study).events == 4


def test_a_clinician_may_agree_on_record(study: Study) -> None:
    """Name and reason stay beside the answer that was overruled."""
    begin(study, SafetyAnswers(yes=("lithium",), clinician=AGREED))
    with study.record() as record:
        answered = record.events()[-2]
    assert answered.payload["answers"]["lithium"] == "yes"
    assert answered.payload["clinician"] == {"name": AGREED.name, "reason": AGREED.reason}


def test_a_draw_that_is_refused_for_its_date_asks_nothing(study: Study) -> None:
    """All else is settled before anybody answers eleven questions."""
    with pytest.raises(UsageError, match="past"):
        start_trial(study, "magnesium-or-none", on=date(2026, 1, 1))


ASKED = FIXED_PROTOCOL.replace('nothing_to_ask = "invented for the tests"\n', "")
SUPPLEMENT = ASKED.replace("units_per_dose = 1", "units_per_dose = 1\nelemental_mg = 200", 1)


def test_result_and_page_tell_who_overruled_the_gate(study: Study, tmp_path: Path) -> None:
    """Name, date and reason stand among the deviations of result.json, and on the page."""
    (tmp_path / "p.toml").write_text(SUPPLEMENT.format(transition=1, prior_sd=30))
    (tmp_path / "s.csv").write_text(schedule_csv(alternating(4), 24, date(2026, 11, 10)))
    brought = partial(start_trial, study, tmp_path / "p.toml", schedule_file=tmp_path / "s.csv")
    with pytest.raises(NotAllowedError):
        brought(safety=SafetyAnswers(yes=("lithium",)))
    brought(safety=SafetyAnswers(yes=("lithium",), clinician=AGREED))
    over = replace(study, clock=lambda: datetime(2026, 12, 20, 12, tzinfo=UTC))
    import_exports(over, [write_export(tmp_path / "takeout.zip", 4, first=date(2026, 11, 8))])  # no fit: too few
    stopped, overruled = analyse(over).result["trial"]["deviations"]
    assert stopped.startswith("The safety gate stopped a start of test on 2026-11-30")
    assert overruled.startswith("The safety gate was overruled on 2026-11-30 by Dr A. Example: eGFR 28, monitored.")
    page = write_report(over).read_text().replace("\u00a0", " ")
    assert stopped in page
    assert overruled in page


@pytest.mark.parametrize(("first", "is_asked"), [(date(2026, 1, 5), False), (date(2026, 11, 25), True)])
def test_a_schedule_that_is_brought_is_asked_about_while_it_lasts(
    study: Study, tmp_path: Path, first: date, is_asked: bool
) -> None:
    """A trial whose nights are all past has nothing left to prevent; one that still runs has."""
    (tmp_path / "p.toml").write_text(
        '[[arm]]\ncode = "magnesium"\nlabel = "M"\nelemental_mg = 200\n[[arm]]\ncode = "placebo"\nlabel = "P"\n'
        '[design]\nscheme = "fixed"\ntransition_nights = 0\n[[outcome]]\nmeasure = "deep_min"\n'
    )
    (tmp_path / "s.csv").write_text(schedule_csv(alternating(3), 12, first))
    if is_asked:
        with pytest.raises(SafetyUnansweredError):
            start_trial(study, tmp_path / "p.toml", schedule_file=tmp_path / "s.csv")
    else:
        start_trial(study, tmp_path / "p.toml", schedule_file=tmp_path / "s.csv")
        assert "safety-answered" not in kinds(study)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Baseline(age_band="under 18"), "under 18"),
        (Baseline(egfr=15), "eGFR 15"),
        (Baseline(medicines=("Lithium carbonate",)), "Lithium carbonate"),
    ],
)
def test_a_no_that_the_baseline_contradicts_begins_nothing(study: Study, said: Baseline, told: str) -> None:
    """What was told before the trial stands on the same record: a gate that forgets it is none."""
    record_baseline(study, said)
    with pytest.raises(NotAllowedError, match=f"the baseline says .*{told}.*which is true"):
        begin(study, SafetyAnswers())
    assert "trial-started" not in kinds(study)
    record_baseline(study, Baseline(age_band="30-39", egfr=90, medicines=()))
    begin(study, SafetyAnswers())


def test_a_dose_above_an_upper_limit_waits_for_a_clinician(study: Study, tmp_path: Path) -> None:
    """An acknowledgement in the protocol is not enough: who agreed is named on record when the trial begins."""
    text = protocol_text("magnesium-or-none")[0]
    above = text.replace("elemental_mg = 200", "acknowledged_above_limit = true\nelemental_mg = 300")
    (tmp_path / "p.toml").write_text(above)
    with pytest.raises(NotAllowedError, match=r"a dose above the upper limit .* EU \(EFSA 2006\) \(yes"):
        start_trial(study, tmp_path / "p.toml", on=FIRST, safety=SafetyAnswers())
    start_trial(study, tmp_path / "p.toml", on=FIRST, safety=SafetyAnswers(clinician=AGREED))
    assert "overruled on 2026-11-30 by Dr A. Example" in trial_status(study).safety[-1]


def test_a_protocol_of_ones_own_is_never_written_over(study: Study, tmp_path: Path) -> None:
    """Whoever keeps a draft as protocol.toml in the study keeps it; beginning with that draft itself is fine."""
    draft = protocol_text("magnesium-or-none")[0] + "\n# a draft\n"
    study.folder.protocol.write_text(f"\ufeff{draft}")
    with pytest.raises(UsageError, match="another protocol"):
        begin(study, SafetyAnswers())
    assert study.folder.protocol.read_text() == f"\ufeff{draft}"
    assert "trial-started" not in kinds(study)
    start_trial(study, study.folder.protocol, on=FIRST, safety=SafetyAnswers())
    assert study.folder.protocol.read_text() == draft


def test_a_reason_is_one_plain_line(study: Study) -> None:
    """A reason that clears the screen or forges a line of the report is refused before it is on record."""
    begin(study, SafetyAnswers())
    with pytest.raises(UsageError, match="one plain line"):
        amend_protocol(study, reason="x\x1b[2J\nStopped early; the last evening was 2026-12-02: forged")
    assert "amended" not in kinds(study)
