"""What cannot be so is not entered, and no evening is written over another by chance."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.cases import ZONE

from nof1.errors import DataError, UsageError
from nof1.study.conduct import end_trial, pause_trial
from nof1.study.diaries import log_night, read_diary, read_side_effects
from nof1.study.diary_csv import diary_csv, diary_table, import_diary
from nof1.study.study import Study, create_study
from nof1.study.trials import read_trial, start_trial

FIRST = date(2026, 12, 1)
PROTOCOL = """
[[arm]]
code = "magnesium"
label = "Magnesium"
units_per_dose = 1
[[arm]]
code = "placebo"
label = "Placebo"
units_per_dose = 1
reference = true
[design]
scheme = "randomised-pairs"
blocks = 2
period_nights = 3
transition_nights = 0
run_in_nights = 2
[safety]
nothing_to_ask = "invented for the tests"

[[outcome]]
measure = "deep_min"
"""
LAST = date(2026, 12, 14)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A trial of two nights of run-in and twelve on treatment, at nine in Berlin in the evening of 5 December."""
    (tmp_path / "p.toml").write_text(PROTOCOL)
    study = create_study(tmp_path / "s", zone=ZONE, clock=lambda: datetime(2026, 11, 30, 12, tzinfo=UTC))
    start_trial(study, tmp_path / "p.toml", on=FIRST)
    return at(study, datetime(2026, 12, 5, 20, tzinfo=UTC))


def at(study: Study, instant: datetime) -> Study:
    """The same study at another moment."""
    return replace(study, clock=lambda: instant)


def entries(study: Study) -> int:
    """How often something was written into the diary."""
    with study.record() as record:
        return len(record.events("diary_entry"))


@pytest.mark.parametrize("lights_out", ["22:50", "0:40"])
def test_the_lights_out_of_this_evening_is_logged_on_the_way_to_bed(study: Study, lights_out: str) -> None:
    """The alarm and ``today`` ask for the evening before it is over: hours ahead are what people write then."""
    assert log_night(study, lights_out=lights_out)["lights_out"]


@pytest.mark.parametrize("said", [{"lights_out": "23:10"}, {"dose_taken": True, "dose_at": "22:00"}])
def test_the_evening_is_not_logged_at_noon(study: Study, said: dict[str, str]) -> None:
    """What is half a day ahead is a plan, or last evening's: the refusal tells the clock, and how to name the other."""
    noon = at(study, datetime(2026, 12, 5, 11, 30, tzinfo=UTC))
    with pytest.raises(UsageError, match=r"far ahead \(times are those of Europe/Berlin, where it is 12:30\).*-12-04"):
        log_night(noon, **said)  # type: ignore[arg-type]
    assert entries(study) == 0
    log_night(noon, night=date(2026, 12, 4), **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("night", "told"),
    [(FIRST, "first dose is that of 2026-12-03"), (LAST + timedelta(days=1), "last evening was 2026-12-14")],
)
@pytest.mark.parametrize("said", [{"dose_taken": True}, {"dose_at": "21:10"}])
def test_no_dose_is_logged_where_the_trial_had_none(study: Study, night: date, told: str, said: dict[str, str]) -> None:
    """Neither in the run-in nor after the last evening; all else can be, and a dose all the same goes into the note."""
    later = at(study, datetime(2026, 12, 20, 20, tzinfo=UTC))
    with pytest.raises(UsageError, match=rf"{told}.*--note"):
        log_night(later, night=night, **said)  # type: ignore[arg-type]
    log_night(later, night=night, note="took one all the same", side_effects={"nausea": "mild"})


def test_no_dose_is_entered_from_a_file_where_the_trial_had_none(study: Study, tmp_path: Path) -> None:
    """The file's line is told."""
    (tmp_path / "d.csv").write_text("night,dose_taken\n2026-12-02,yes\n2026-12-04,yes\n")
    with pytest.raises(DataError, match=r"line 2, night: The evening of 2026-12-02 is of the run-in"):
        import_diary(study, tmp_path / "d.csv")


def test_a_trial_stopped_early_has_no_dose_afterwards(study: Study) -> None:
    """The last evening is the one that the end left."""
    end_trial(study, reason="moved house")
    with pytest.raises(UsageError, match="last evening was 2026-12-04"):
        log_night(at(study, datetime(2026, 12, 7, 20, tzinfo=UTC)), dose_taken=True)


def test_a_dose_in_a_pause_can_be_logged(study: Study) -> None:
    """It was taken although nothing was due: that is worth knowing, and is warned of."""
    pause_trial(study, reason="influenza")
    assert "Nothing was to be taken" in log_night(study, dose_taken=True)["warnings"][0]


def test_two_evenings_far_from_home_are_not_written_over_each_other(study: Study) -> None:
    """Ten at night in Tokyo, and half past seven a day later, are one evening in Berlin: the second is asked back."""
    tokyo = at(study, datetime(2026, 12, 5, 13, tzinfo=UTC))
    log_night(tokyo, dose_taken=True)
    day_after = at(study, datetime(2026, 12, 6, 10, 30, tzinfo=UTC))
    for said in ({"dose_taken": True}, {"dose_taken": False}):
        with pytest.raises(UsageError, match="05 December 2026 says already: dose taken yes") as refused:
            log_night(day_after, **said)  # type: ignore[arg-type]
        assert "from 12:00 on (times are those of Europe/Berlin, where it is 11:30)" in str(refused.value)
    with pytest.raises(UsageError, match="can be logged from 12:00 on"):
        log_night(day_after, night=date(2026, 12, 6), dose_taken=True)
    assert entries(study) == 1
    log_night(at(study, datetime(2026, 12, 6, 11, 30, tzinfo=UTC)), dose_taken=True)
    with study.record() as record:
        assert read_diary(record, read_trial(study, record).participant).height == 2


def test_the_morning_after_corrects_by_date_or_with_a_reason(study: Study) -> None:
    """At one sitting it is said again without ado; hours later it has to be meant. What is new needs nothing."""
    log_night(study, dose_taken=True)
    log_night(study, dose_taken=True, lights_out="22:50")
    log_night(study, lights_out="23:20")
    morning = at(study, datetime(2026, 12, 6, 7, tzinfo=UTC))
    log_night(morning, awakenings=2)
    with pytest.raises(UsageError, match=r"lights out 23:20\. Nothing was written.*--date 2026-12-05"):
        log_night(morning, lights_out="23:30")
    log_night(morning, night=date(2026, 12, 5), lights_out="23:30")
    assert log_night(morning, lights_out="23:40", reason="mistyped")["lights_out"].minute == 40


def test_the_time_of_a_dose_goes_with_it(study: Study) -> None:
    """Not taken after all: its time is gone for good, also when it was taken in the end; what was felt stays."""
    night = date(2026, 12, 4)
    log_night(study, night=night, dose_taken=True, dose_at="21:40", side_effects={"nausea": "mild"})
    log_night(study, night=night, dose_taken=False, reason="found it in the box")
    with pytest.raises(UsageError, match="logged as not taken"):
        log_night(study, night=night, dose_at="22:00")
    now = log_night(study, night=night, dose_taken=True, reason="there were two boxes")
    assert (now["dose_taken"], now["dose_at"], now["side_effects"]) == (True, None, {"nausea": "mild"})
    with study.record() as record:
        assert read_side_effects(record, read_trial(study, record).participant).height == 1


def test_a_file_enters_again_the_time_that_a_denial_took_away(study: Study, tmp_path: Path) -> None:
    """What was once said and is denied since is news; entered once more it is none."""
    night = date(2026, 12, 4)
    log_night(study, night=night, dose_taken=True, dose_at="21:40")
    log_night(study, night=night, dose_taken=False)
    (tmp_path / "d.csv").write_text("night,dose_taken,dose_at\n2026-12-04,yes,21:40\n")
    assert import_diary(study, tmp_path / "d.csv").entered == [night]
    assert "yes,21:40" in diary_csv(diary_table(study))
    assert import_diary(study, tmp_path / "d.csv").entered == []


def test_a_file_s_time_of_a_dose_that_was_not_taken_is_a_mistake(study: Study, tmp_path: Path) -> None:
    """A time alone does not say whether it was taken after all: the line is told, and nothing entered."""
    log_night(study, night=date(2026, 12, 4), dose_taken=False)
    (tmp_path / "d.csv").write_text("night,dose_at\n2026-12-04,21:40\n")
    with pytest.raises(DataError, match="line 2, night: The dose of 2026-12-04 is logged as not taken"):
        import_diary(study, tmp_path / "d.csv")
    assert entries(study) == 1
