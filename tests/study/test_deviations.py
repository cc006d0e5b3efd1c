"""What a result says was done otherwise than registered: nothing that moved its nights goes untold."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cases import FIXED_PROTOCOL, ZONE, alternating, schedule_csv, write_export

from nof1.study.analysis import analysable
from nof1.study.deviations import conduct_deviations, nights_of_other_streams
from nof1.study.imports import import_exports, list_imports, retract_import
from nof1.study.study import Study, create_study
from nof1.study.trials import read_trial, start_trial
from nof1.trial.safety import SafetyAnswers

NIGHTS = 56


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A trial of eight weeks that is over; its sleep is not imported."""
    study = create_study(tmp_path / "study", zone=ZONE, clock=lambda: datetime(2026, 11, 22, 12, tzinfo=UTC))
    (tmp_path / "t.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10))
    (tmp_path / "t.csv").write_text(schedule_csv(alternating(7), NIGHTS))
    start_trial(study, tmp_path / "t.toml", schedule_file=tmp_path / "t.csv")
    return study


def told(study: Study) -> list[str]:
    """All that is said of conduct and of other streams."""
    nights = analysable(study, None).nights
    with study.record() as record:
        trial, events = read_trial(study, record), record.events()
        return conduct_deviations(trial, events) + nights_of_other_streams(study, record, trial, nights)


def test_sleep_that_was_withdrawn_during_a_trial_is_told(study: Study, tmp_path: Path) -> None:
    """A retraction after the start stands in the result with its reason, and after an analysis it says so."""
    archive = write_export(tmp_path / "takeout.zip", NIGHTS)
    import_exports(study, [archive])
    assert told(study) == []
    retract_import(study, list_imports(study)[0].key, reason="wrong zone")
    import_exports(study, [archive])
    (said,) = told(study)
    assert "(wrong zone), after the trial had begun" in said
    with study.record() as record, record.writing():
        study.append(
            record,
            "analysed",
            {"result.json": "0" * 64, "posterior.nc": "0" * 64},
            command="analyse",
            participant="P01",
        )
    retract_import(study, next(one.key for one in list_imports(study) if not one.retracted), reason="looks odd")
    import_exports(study, [archive])
    assert "(looks odd), after the nights had been analysed" in told(study)[-1]


def test_nights_of_another_version_are_not_simply_missing(study: Study, tmp_path: Path) -> None:
    """Where the firmware changed in the middle and its nights are another stream, the result says how many they are."""
    rows = [
        f"2026-{month:02}-{day:02},{60 + day},420,MyRing,{'fw1' if month == 1 else 'fw2'}"
        for month, days in ((1, range(5, 32)), (2, range(1, 21)))
        for day in days
    ]
    (tmp_path / "nights.csv").write_text("night,deep_min,tst_min,device,algorithm\n" + "\n".join(rows) + "\n")
    import_exports(study, [tmp_path / "nights.csv"])
    (said,) = told(study)
    assert said.startswith("20 of the planned nights count as not recorded")
    assert "fw2" in said


LOOKS = '[analysis]\nlooks = "after the third pair"\n'
SET = f"reference_set = [{['magnesium', 'placebo'] * 4}, {['placebo', 'magnesium'] * 4}]\n"


@pytest.mark.parametrize(
    ("key", "begun", "words"),
    [
        ("reference_set", datetime(2026, 11, 22, 12, tzinfo=UTC), "2 orders that could have been drawn"),
        ("looks", datetime(2026, 11, 22, 12, tzinfo=UTC), "looks at nights before the end"),
        ("reference_set", datetime(2025, 12, 1, 12, tzinfo=UTC), None),
        ("looks", datetime(2025, 12, 1, 12, tzinfo=UTC), None),
    ],
)
def test_what_is_declared_after_the_first_night_is_told(
    tmp_path: Path, key: str, begun: datetime, words: str | None
) -> None:
    """A set of orders, or a look, that was declared when nights could be known stands in the result with both dates;
    declared before the first night it is no deviation."""
    study = create_study(tmp_path / "s", zone=ZONE, clock=lambda: begun)
    text = FIXED_PROTOCOL.format(transition=2, prior_sd=10)
    text = text.replace('scheme = "fixed"\n', f'scheme = "fixed"\n{SET}') if key == "reference_set" else text
    (tmp_path / "own.toml").write_text(text.replace("[analysis]\n", LOOKS) if key == "looks" else text)
    (tmp_path / "own.csv").write_text(schedule_csv(alternating(7), NIGHTS))
    start_trial(study, tmp_path / "own.toml", schedule_file=tmp_path / "own.csv", safety=SafetyAnswers())
    with study.record() as record:
        said = conduct_deviations(read_trial(study, record), record.events())
    if words is None:
        assert said == []
    else:
        (told,) = said
        assert words in told
        assert "declared on 2026-11-22, after the first night (2026-01-05)" in told
