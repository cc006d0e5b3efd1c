"""Side effects are asked alike every night, kept with the night, and counted over the whole trial."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.cases import FIXED_PROTOCOL, ZONE, alternating, schedule_csv

from nof1.errors import UsageError
from nof1.report.progress import render_progress
from nof1.study.diaries import corrections, log_night, tonight
from nof1.study.diary_form import diary_form
from nof1.study.progress import read_progress
from nof1.study.status import SideEffectCount, trial_status
from nof1.study.study import Study, create_study
from nof1.study.trials import start_trial

FIRST = date(2026, 1, 5)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A trial of twelve nights in which three-night periods alternate, on the evening of its tenth night."""
    items = '\n[[diary]]\nkey = "stress"\n\n[[diary]]\nkey = "dreams"\ntype = "boolean"\nwhen = "morning"\n'
    (tmp_path / "t.toml").write_text(FIXED_PROTOCOL.format(transition=0, prior_sd=10) + items)
    (tmp_path / "t.csv").write_text(schedule_csv(alternating(3), 12, FIRST))
    study = create_study(tmp_path / "s", zone=ZONE, clock=lambda: datetime(2026, 1, 14, 20, tzinfo=UTC))
    start_trial(study, tmp_path / "t.toml", schedule_file=tmp_path / "t.csv")
    return study


def test_status_counts_nights_by_symptom(study: Study) -> None:
    """One count over the whole trial; a correction moves a night from one severity to another."""
    for night, severity in enumerate(("none", "mild", "mild", "severe")):
        log_night(study, night=FIRST + timedelta(days=night), side_effects={"nausea": severity})
    log_night(study, night=FIRST, side_effects={"nausea": "mild", "headache": "mild"}, reason="remembered")
    assert trial_status(study).side_effects == [
        SideEffectCount("headache", none=0, mild=1, moderate=0, severe=0),
        SideEffectCount("nausea", none=0, mild=3, moderate=0, severe=1),
    ]


def test_a_symptom_has_one_spelling(study: Study) -> None:
    """The protocol's own where it has it, small letters otherwise."""
    said = log_night(study, side_effects={" Nausea ": "mild", "Head Ache": "none"})
    assert said["side_effects"] == {"nausea": "mild", "head ache": "none"}


@pytest.mark.parametrize(
    ("first", "then", "is_warned"),
    [(None, "mild", False), (None, "moderate", True), ("mild", "mild", True), ("severe", "none", False)],
)
def test_the_rule_for_stopping_is_said_when_it_may_be_met(
    study: Study, first: str | None, then: str, is_warned: bool
) -> None:
    """Moderate and worse, and anything on a second night, repeats the rule and the emergency words."""
    if first:
        log_night(study, night=date(2026, 1, 13), side_effects={"diarrhoea": first})
    warnings = log_night(study, side_effects={"diarrhoea": then})["warnings"]
    assert len(warnings) == 2 * is_warned
    if is_warned:
        assert "diarrhoea on two days running" in warnings[0]
        assert "seek emergency care" in warnings[1]


def test_a_rule_that_is_met_is_called_met(study: Study) -> None:
    """In the diary's answer, tonight, and ever after in the status; one day, or a gap, meets nothing."""
    for day, severity in ((9, "mild"), (11, "mild")):
        said = log_night(study, night=date(2026, 1, day), side_effects={"Bad diarrhea": severity})
        assert not any("is met" in one for one in said["warnings"])
    assert trial_status(study).safety == []
    warnings = log_night(study, night=date(2026, 1, 12), side_effects={"diarrhoea": "mild"})["warnings"]
    when = "diarrhoea on two days running (evenings of 2026-01-11 to 2026-01-12)"
    assert warnings[0].startswith(f"The rule for stopping is met: {when}. Stop, and ask your clinician.")
    assert "seek emergency care" in warnings[1]
    assert tonight(replace(study, clock=lambda: datetime(2026, 1, 13, 20, tzinfo=UTC))).warnings == warnings
    assert not tonight(study).warnings
    assert trial_status(study).safety == [f"The protocol's rule for stopping was met: {when}."]
    assert f"rule for stopping was met: {when}." in render_progress(read_progress(study)).replace("&#39;", "'")


@pytest.mark.parametrize("words", [{"nausea": "awful"}, {"": "mild"}, {"x" * 61: "mild"}, {"a\x1b[2J": "mild"}])
def test_a_side_effect_that_says_nothing_is_refused(study: Study, words: dict[str, str]) -> None:
    """An unknown severity or a name that is none is asked about."""
    with pytest.raises(UsageError):
        log_night(study, side_effects=words)


def test_a_reason_stays_beside_the_correction(study: Study) -> None:
    """The first entry stays, the later one carries why."""
    log_night(study, dose_taken=True)
    assert corrections(study, dose_taken=False, note="new") == ["dose_taken"]
    log_night(study, dose_taken=False, reason="I mixed up the evenings")
    with study.record() as record:
        said = [(event.payload["dose_taken"], event.reason) for event in record.events("diary_entry")]
    assert said == [(True, None), (False, "I mixed up the evenings")]


@pytest.mark.parametrize(
    ("at", "night", "is_over"),
    [
        (datetime(2026, 1, 14, 20, tzinfo=UTC), date(2026, 1, 14), False),
        (datetime(2026, 1, 14, 23, 30, tzinfo=UTC), date(2026, 1, 14), False),  # half past midnight in Berlin
        (datetime(2026, 1, 15, 7, tzinfo=UTC), date(2026, 1, 14), True),
        (datetime(2026, 1, 15, 12, tzinfo=UTC), date(2026, 1, 15), False),
    ],
)
def test_the_morning_is_asked_about_in_the_morning(study: Study, at: datetime, night: date, is_over: bool) -> None:
    """Before noon the form is about the night just slept, later about the evening to come."""
    form = diary_form(replace(study, clock=lambda: at))
    assert (form.night, form.is_over) == (night, is_over)


def test_side_effect_questions_are_the_same_every_night(study: Study) -> None:
    """Whatever the arm, the same symptoms are asked for."""
    asked = {tuple(diary_form(study, night=FIRST + timedelta(days=night)).symptoms) for night in range(10)}
    assert asked == {("diarrhoea", "nausea", "cramps", "light-headedness")}


def test_a_morning_that_nobody_wrote_down_is_pointed_out(study: Study) -> None:
    """The evening's form names the night before until something was said about its morning."""
    before = date(2026, 1, 13)
    assert diary_form(study).unasked == before
    log_night(study, night=before, lights_out="23:10")
    assert diary_form(study).unasked == before
    log_night(study, night=before, awakenings=0)
    assert diary_form(study).unasked is None
    assert diary_form(study, night=FIRST).unasked is None
