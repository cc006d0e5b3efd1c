"""Pauses and ends: what is still to come moves, what was lived never does."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.cases import ZONE

from nof1.errors import NotAllowedError, UsageError
from nof1.study.calendars import export_calendar
from nof1.study.conduct import end_trial, pause_trial, resume_trial
from nof1.study.diaries import log_night
from nof1.study.status import trial_status
from nof1.study.study import Study, create_study
from nof1.study.trials import read_trial, start_trial
from nof1.study.verification import verify

FIRST = date(2026, 12, 1)
PROTOCOL = """
[[arm]]
code = "tea"
label = "Tea"
[[arm]]
code = "none"
label = "No tea"
units_per_dose = 0
reference = true
[design]
scheme = "randomised-pairs"
blocks = 2
period_nights = 3
transition_nights = 0
run_in_nights = 0
[safety]
nothing_to_ask = "invented for the tests"

[[outcome]]
measure = "deep_min"
"""


def night(number: int) -> date:
    """The evening of a night of the trial, counted from 1."""
    return FIRST + timedelta(days=number - 1)


def on_evening(study: Study, number: int) -> Study:
    """The same study at nine in the evening of a night counted from 1."""
    at = datetime(2026, 12, 1, 20, tzinfo=UTC) + timedelta(days=number - 1)
    return replace(study, clock=lambda: at)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A trial of four periods of three nights."""
    (tmp_path / "p.toml").write_text(PROTOCOL)
    study = create_study(tmp_path / "s", zone=ZONE, clock=lambda: datetime(2026, 11, 30, 12, tzinfo=UTC))
    start_trial(study, tmp_path / "p.toml", on=FIRST)
    return study


def arm_on(study: Study, number: int) -> str | None:
    """The arm of a night counted from 1."""
    with study.record() as record:
        return read_trial(study, record).schedule.arm_on(night(number))


def last_night(study: Study) -> date:
    """The last evening of the calendar as it stands."""
    with study.record() as record:
        return read_trial(study, record).schedule.last_night


def test_a_trial_that_ends_in_a_pause_ends_before_it(study: Study) -> None:
    """The evenings of a pause are on no arm, and no ending makes them treatment nights."""
    pause_trial(on_evening(study, 5), reason="influenza")
    end_trial(on_evening(study, 11), reason="still ill")
    assert last_night(study) == night(4)
    verify(study)


def test_a_pause_moves_no_night_with_a_dose(study: Study) -> None:
    """Whoever forgot to pause pauses from the evening after the last dose: nights that were lived stay."""
    log_night(on_evening(study, 4), dose_taken=True)
    with pytest.raises(UsageError, match="begins after it"):
        pause_trial(on_evening(study, 6), reason="influenza", night=night(3))
    pause_trial(on_evening(study, 6), reason="influenza", night=night(5))


def test_a_pause_moves_no_missed_dose_away(study: Study) -> None:
    """An evening logged as not taken under treatment stays a missed dose; the refusal says when the pause can begin."""
    number = next(one for one in range(1, 11) if arm_on(study, one) == "tea")
    log_night(on_evening(study, number), dose_taken=False)
    later = on_evening(study, number + 2)
    with pytest.raises(UsageError, match=rf"logged as not taken.* --on {night(number + 1)}"):
        pause_trial(later, reason="influenza", night=night(number))
    pause_trial(later, reason="influenza", night=night(number + 1))


def test_an_evening_without_a_dose_to_take_is_no_hindrance(study: Study) -> None:
    """That nothing was taken where nothing was due tells of no missed dose: the evening can be paused."""
    number = next(one for one in range(1, 11) if arm_on(study, one) == "none")
    log_night(on_evening(study, number), dose_taken=False)
    pause_trial(on_evening(study, number + 2), reason="influenza", night=night(number))


@pytest.mark.parametrize("taken", [True, False])
def test_a_pause_begins_tomorrow_where_tonight_is_logged(study: Study, taken: bool) -> None:
    """Whoever logged tonight's dose and then falls ill pauses without waiting, and tonight stays."""
    number = next(one for one in range(1, 11) if arm_on(study, one) == "tea")
    log_night(on_evening(study, number), dose_taken=taken)
    assert pause_trial(on_evening(study, number), reason="influenza").night == night(number + 1)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [(-1, "first evening is"), (13, "no evening is left"), (7, "still to come")],
)
def test_a_pause_off_the_calendar_is_refused_in_its_own_words(study: Study, wanted: int, told: str) -> None:
    """Before the trial, after it, and in the future: each says what is wrong."""
    with pytest.raises(UsageError, match=told):
        pause_trial(on_evening(study, 5), reason="influenza", night=night(wanted))


def test_a_resumption_is_told_late(study: Study) -> None:
    """Back on Tuesday and said on Thursday: the evenings between are on treatment, and what was logged counts."""
    pause_trial(on_evening(study, 3), reason="influenza")
    log_night(on_evening(study, 7), dose_taken=False)
    done = resume_trial(on_evening(study, 8), night=night(6))
    assert done.last_night == night(15)
    with on_evening(study, 8).record() as record:
        trial = read_trial(study, record)
    assert [trial.schedule.period_on(night(one)) is None for one in range(2, 9)] == [False, True, True, True] + [
        False
    ] * 3
    assert done.lived == [night(one) for one in (6, 7) if trial.schedule.arm_on(night(one)) == "tea"]
    assert trial_status(on_evening(study, 8)).conduct[-1] == f"Resumed on {night(6)}. That was said on {night(8)}."


@pytest.mark.parametrize(
    ("back", "told"),
    [(2, "cannot go on before it"), (10, "still to come")],
)
def test_a_resumption_that_cannot_be_is_refused(study: Study, back: int, told: str) -> None:
    """Before the pause, or later than tomorrow."""
    pause_trial(on_evening(study, 3), reason="influenza")
    with pytest.raises(UsageError, match=told):
        resume_trial(on_evening(study, 8), night=night(back))


def test_a_pause_is_taken_back_on_its_evening(study: Study) -> None:
    """Nothing moves, no period is torn and none of its nights set aside again; both stay on record."""
    with on_evening(study, 3).record() as record:
        before = read_trial(study, record).schedule
    pause_trial(on_evening(study, 3), reason="fever")
    assert resume_trial(on_evening(study, 3)).last_night == before.last_night
    with on_evening(study, 3).record() as record:
        assert read_trial(study, record).schedule == before
    log_night(on_evening(study, 4), note="well again")
    pause_trial(on_evening(study, 4), reason="fever again")
    assert len(trial_status(on_evening(study, 4)).conduct) == 3
    verify(study)


def test_a_calendar_in_a_pause_says_what_it_waits_for(study: Study, tmp_path: Path) -> None:
    """Before the first evening was lived nothing stands on it; that is no reason to say that nothing ever will."""
    pause_trial(on_evening(study, 1), reason="fever")
    with pytest.raises(NotAllowedError, match="nof1 resume, then nof1 calendar"):
        export_calendar(on_evening(study, 1), tmp_path / "t.ics")


def test_a_dose_in_the_pause_is_asked_back(study: Study) -> None:
    """A dose that was logged before the evening of return contradicts it: the refusal names both ways out."""
    pause_trial(on_evening(study, 3), reason="influenza")
    log_night(on_evening(study, 5), dose_taken=True)
    with pytest.raises(UsageError, match=rf"taken on {night(5)}, in the pause.* --on {night(5)}.* --not-taken"):
        resume_trial(on_evening(study, 8), night=night(7))
    assert resume_trial(on_evening(study, 8), night=night(5)).night == night(5)


def test_what_is_told_late_says_when(study: Study) -> None:
    """A pause that was told two days late carries the day of telling; one told in time does not, nor an early end."""
    pause_trial(on_evening(study, 3), reason="influenza")
    resume_trial(on_evening(study, 5))
    pause_trial(on_evening(study, 8), reason="travel", night=night(6))
    resume_trial(on_evening(study, 9))
    end_trial(on_evening(study, 11), reason="enough")
    end_trial(on_evening(study, 20), reason="delete my data", withdraw=True)
    assert list(trial_status(on_evening(study, 20)).conduct) == [
        f"Paused from {night(3)} on: influenza.",
        f"Resumed on {night(5)}.",
        f"Paused from {night(6)} on: travel. That was said on {night(8)}.",
        f"Resumed on {night(9)}.",
        f"Stopped early; the last evening was {night(10)}: enough.",
        f"The participant withdrew; the last evening was {night(10)}: delete my data. That was said on {night(20)}.",
    ]


def test_a_trial_that_ends_before_its_first_night_has_no_evening(study: Study, tmp_path: Path) -> None:
    """It is over at once, nothing is logged, and the phone's alarms are all cancelled: none stays behind."""
    eve = replace(study, clock=lambda: datetime(2026, 11, 30, 20, tzinfo=UTC))
    before = export_calendar(eve, tmp_path / "t.ics")
    done = end_trial(eve, reason="moved house")
    assert done.last_night is None
    after = export_calendar(eve, tmp_path / "t.ics")
    assert (before.evenings, after.evenings, after.cancelled) == (12, 0, 12)
    assert trial_status(eve).ended
    assert list(trial_status(eve).conduct) == ["Stopped before the first evening: moved house."]
    with pytest.raises(UsageError, match="no night to log"):
        log_night(on_evening(study, 1), note="?")
    verify(study)


def test_who_withdraws_before_the_first_night_had_no_evening(study: Study) -> None:
    """That is told as it was, however long before the first evening it was said."""
    long_before = replace(study, clock=lambda: datetime(2026, 11, 27, 20, tzinfo=UTC))
    end_trial(long_before, reason="moved house", withdraw=True)
    (told,) = trial_status(on_evening(study, 3)).conduct
    assert told == "The participant withdrew before the first evening: moved house."


def test_a_pause_does_not_begin_in_the_last_one(study: Study) -> None:
    """Pauses follow each other: one that begins before the last has ended would tear a period."""
    pause_trial(on_evening(study, 3), reason="influenza")
    resume_trial(on_evening(study, 6))
    with pytest.raises(UsageError, match="last pause ended"):
        pause_trial(on_evening(study, 7), reason="influenza", night=night(5))


def test_consent_can_be_taken_back_after_the_end(study: Study) -> None:
    """After an early end, and after the planned one, nothing is analysed any more once the participant says so."""
    end_trial(on_evening(study, 5), reason="moved house")
    end_trial(on_evening(study, 40), reason="delete my data", withdraw=True)
    with pytest.raises(NotAllowedError, match="already"):
        end_trial(on_evening(study, 41), reason="again", withdraw=True)
    assert last_night(study) == night(4)
    assert any("withdrew" in line for line in trial_status(on_evening(study, 41)).conduct)


def test_consent_can_be_taken_back_after_the_planned_end(study: Study) -> None:
    """A trial that ran to its end keeps its nights on the calendar when the consent is taken back."""
    end_trial(on_evening(study, 40), reason="delete my data", withdraw=True)
    assert last_night(study) == night(12)


def test_side_effects_are_logged_after_the_end_too(study: Study) -> None:
    """Whoever stops because of a side effect can still write down how it goes on, for two weeks."""
    end_trial(on_evening(study, 5), reason="diarrhoea")
    log_night(on_evening(study, 5), side_effects={"stools": "severe"})
    log_night(on_evening(study, 18), side_effects={"stools": "mild"})
    with pytest.raises(UsageError, match="not on the schedule"):
        log_night(on_evening(study, 19), note="long over")


@pytest.mark.parametrize("number", [2, 9])
def test_a_trial_ends_now(study: Study, number: int) -> None:
    """No convenient evening of the past, and none to come, becomes the last one."""
    with pytest.raises(UsageError, match="tonight or last night"):
        end_trial(on_evening(study, 8), reason="enough", night=night(number))
    assert last_night(study) == night(12)


def test_a_dose_of_tonight_stays_in_the_trial(study: Study) -> None:
    """Whoever takes tonight's dose, feels ill and stops has tonight as the last evening."""
    log_night(on_evening(study, 5), dose_taken=True)
    end_trial(on_evening(study, 5), reason="dizzy")
    assert last_night(study) == night(5)
