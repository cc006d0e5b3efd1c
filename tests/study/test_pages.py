"""What a page takes from the record beside the result, and when there is no result to tell any more."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from tests.cases import ZONE, write_export

from nof1.errors import DataError
from nof1.store.folder import write_private_file
from nof1.store.state import standing_analysis
from nof1.study import pages
from nof1.study.conduct import amend_protocol, end_trial
from nof1.study.diaries import log_night
from nof1.study.imports import import_exports, list_imports, retract_import
from nof1.study.overview import write_all_reports
from nof1.study.package import export_package
from nof1.study.pages import write_report
from nof1.study.status import SLEEP_WITHDRAWN, trial_status
from nof1.study.study import Study, create_study
from nof1.study.trials import read_trial, start_trial
from nof1.trial.adherence import AS_ASSIGNED, MISSED, UNKNOWN

FIRST = date(2026, 12, 1)
LAST = date(2026, 12, 8)
AFTER = datetime(2026, 12, 20, 12, tzinfo=UTC)
NIGHTS = 8
NOT_LOGGED = [UNKNOWN] * 5
PROTOCOL = """
title = "Tea or water"
[[arm]]
code = "tea"
label = "Tea"
[[arm]]
code = "water"
label = "Water"
reference = true
[design]
scheme = "randomised-pairs"
blocks = 2
period_nights = 2
transition_nights = 0
run_in_nights = 0
[safety]
nothing_to_ask = "invented for the tests"
[[outcome]]
measure = "deep_min"
"""


def analysed(study: Study) -> Study:
    """Put stand-ins where an analysis writes, and the event with their hashes on record."""
    content = {"result.json": b"{}", "posterior.nc": b"draws"}
    for name, data in content.items():
        write_private_file(study.folder.reports("P01") / name, data)
    with study.record() as record, record.writing():
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
        study.append(record, "analysed", hashes, command="analyse", participant="P01")
    return study


@pytest.fixture
def begun(tmp_path: Path) -> Study:
    """An open trial of eight evenings, on the day before the first."""
    (tmp_path / "p.toml").write_text(PROTOCOL)
    study = create_study(tmp_path / "s", zone=ZONE, clock=lambda: datetime(2026, 11, 30, 12, tzinfo=UTC))
    start_trial(study, tmp_path / "p.toml", on=FIRST)
    return study


@pytest.fixture
def study(begun: Study) -> Study:
    """The same when it is over: two doses were taken, one was missed, and of the rest nothing was logged."""
    late = replace(begun, clock=lambda: AFTER)
    for place, taken in enumerate((True, False, True)):
        log_night(late, night=FIRST + timedelta(days=place), dose_taken=taken, reason="late")
    return late


def doses(study: Study) -> list[str] | None:
    """What the page would draw of the doses."""
    with study.record() as record:
        analysis = standing_analysis(record, "P01")
        assert analysis is not None
        told = pages._doses(record, read_trial(study, record), analysis)
    return None if told is None else told["status"].to_list()


def told(study: Study) -> bool:
    """Whether there is a result that a page tells."""
    with study.record() as record:
        return pages._to_tell(study, record, "P01") is not None


def test_doses_are_told_night_by_night(study: Study) -> None:
    """Where nothing was said of a dose since the analysis, every night has its status."""
    assert doses(analysed(study)) == [AS_ASSIGNED, MISSED, AS_ASSIGNED, *NOT_LOGGED]
    log_night(study, night=FIRST, note="a warm evening", side_effects={"nausea": "mild"})
    assert doses(study) == [AS_ASSIGNED, MISSED, AS_ASSIGNED, *NOT_LOGGED]


def test_a_dose_told_after_the_analysis_hides_them_all(study: Study) -> None:
    """Even where the counts stay as they were: two corrections that cancel each other are not what was analysed."""
    analysed(study)
    log_night(study, night=FIRST, dose_taken=False, reason="mistyped")
    log_night(study, night=FIRST + timedelta(days=1), dose_taken=True, reason="mistyped")
    assert doses(study) is None
    assert doses(analysed(study)) == [MISSED, AS_ASSIGNED, AS_ASSIGNED, *NOT_LOGGED]


def test_who_withdraws_after_the_analysis_takes_the_result_back(study: Study) -> None:
    """Page and index tell how far the trial was, and no effect; and an end after the last night is not an early one."""
    analysed(study)
    end_trial(study, reason="no more", withdraw=True)
    page = write_report(study).read_text(encoding="utf-8")
    assert "8 of 8 nights on treatment are over." in page
    assert "The consent was taken back: nothing of this trial is analysed." in page
    index = write_all_reports(study).index.read_text(encoding="utf-8")
    assert "8 of 8 nights on treatment are over." in index
    with study.record() as record:
        assert read_trial(study, record).cut_short is None


def test_what_was_found_from_sleep_that_was_withdrawn_is_told_no_more(study: Study, tmp_path: Path) -> None:
    """Neither page, index, status nor package; with the same sleep imported again it stands."""
    export = write_export(tmp_path / "takeout.zip", NIGHTS, first=FIRST)
    import_exports(study, [export])
    analysed(study)
    assert told(study)
    (held,) = list_imports(study)
    retract_import(study, held.key, reason="wrong person")
    page = write_report(study).read_text(encoding="utf-8")
    assert SLEEP_WITHDRAWN in page
    assert any(SLEEP_WITHDRAWN in line for line in trial_status(study).standing)
    assert SLEEP_WITHDRAWN in write_all_reports(study).index.read_text(encoding="utf-8")
    assert SLEEP_WITHDRAWN in export_package(study, tmp_path / "package").left_out["result.json"]
    assert not (tmp_path / "package" / "result.json").exists()
    import_exports(study, [export])
    assert told(study)


def test_an_import_that_came_and_went_after_the_analysis_changes_nothing(study: Study, tmp_path: Path) -> None:
    """Only sleep that may have been analysed takes the result along."""
    analysed(study)
    import_exports(study, [write_export(tmp_path / "takeout.zip", NIGHTS, first=FIRST)])
    (held,) = list_imports(study)
    retract_import(study, held.key, reason="wrong person")
    assert told(study)


def test_what_came_after_the_analysis_is_told(study: Study) -> None:
    """A diary, or an amendment, that the analysis did not know; nothing where nothing came."""
    analysed(study)
    with study.record() as record:
        analysis = standing_analysis(record, "P01")
        assert analysis is not None
        assert pages._changed_since(record, "P01", analysis) == []
    log_night(study, night=FIRST, note="x", reason="late")
    amend_protocol(study, reason="the capsules were swapped")
    with study.record() as record:
        (said,) = pages._changed_since(record, "P01", analysis)
    assert said == "The record has changed since this analysis (the diary, an amendment): nof1 analyse takes it in."


def test_a_result_of_another_format_is_refused_in_words(study: Study) -> None:
    """Whose keys are others is not read as if they were the same: analysing again is what helps."""
    analysed(study)
    with pytest.raises(DataError, match=r"of format None, and this version of nof1 reads 1\. .*nof1 analyse"):
        write_report(study)


@pytest.mark.parametrize(("evenings_left", "cut_short"), [(0, None), (1, date(2026, 12, 7))])
def test_only_an_end_that_leaves_nights_unlived_is_early(
    begun: Study, evenings_left: int, cut_short: date | None
) -> None:
    """Who stops on the last evening, its dose taken, has lived the whole trial."""
    evening = datetime.combine(LAST - timedelta(days=evenings_left), time(20), UTC)
    that_evening = replace(begun, clock=lambda: evening)
    log_night(that_evening, dose_taken=True)
    end_trial(that_evening, reason="moved house")
    with begun.record() as record:
        assert read_trial(begun, record).cut_short == cut_short
    page = write_report(replace(begun, clock=lambda: AFTER)).read_text(encoding="utf-8")
    assert f"{8 - evenings_left} of 8 nights on treatment are over." in page
    assert ("It was ended early, with the night of 2026-12-07." in page) == (cut_short is not None)
