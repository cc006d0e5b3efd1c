"""Before there is a result the page tells how far a trial is, and nothing that anything did."""

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.cases import ZONE

from nof1.errors import InputMissingError, TamperedError
from nof1.report import trial_map
from nof1.store.seal import Custodian, new_key
from nof1.study import overview, status
from nof1.study.conduct import end_trial, pause_trial
from nof1.study.demo import InventedPerson, invent_nights
from nof1.study.diaries import log_night
from nof1.study.imports import import_exports
from nof1.study.nights import read_nights
from nof1.study.overview import write_all_reports
from nof1.study.pages import write_report
from nof1.study.participants import add_participant
from nof1.study.progress import read_progress
from nof1.study.sealing import lock_analysis
from nof1.study.status import trial_status
from nof1.study.study import Study, create_study
from nof1.study.synthetic import write_fitbit_takeout
from nof1.study.trials import start_trial
from nof1.trial.adherence import AS_ASSIGNED, MISSED, UNKNOWN

FIRST = date(2026, 12, 1)
NIGHTS = 12
RUN_IN = 2
BEFORE = datetime(2026, 11, 30, 12, tzinfo=UTC)
MIDDLE = datetime(2026, 12, 8, 16, tzinfo=UTC)
AFTER = datetime(2026, 12, 20, 12, tzinfo=UTC)
ARMS = ("Quartz dust", "Chalk dust", "quartz", "chalk")
PROTOCOL = """
id = "dusts"
title = "Two sorts of <capsules>"

[[arm]]
code = "quartz"
label = "Quartz dust"
units_per_dose = 3

[[arm]]
code = "chalk"
label = "Chalk dust"
units_per_dose = 3
reference = true

[design]
scheme = "randomised-pairs"
blocks = 2
period_nights = 3
transition_nights = 0
run_in_nights = 2

[blinding]

[safety]
nothing_to_ask = "invented for the tests"

[[outcome]]
measure = "deep_min"
"""


@pytest.fixture
def begun(tmp_path: Path) -> Study:
    """A sealed trial of two nights of run-in and twelve on an arm."""
    key = tmp_path / "custodian.key"
    new_key(key)
    public = key.read_text().splitlines()[0].removeprefix("# public key: ")
    (tmp_path / "dusts.toml").write_text(PROTOCOL)
    study = create_study(tmp_path / "study", zone=ZONE, clock=lambda: BEFORE)
    start_trial(study, tmp_path / "dusts.toml", on=FIRST, custodian=Custodian(public_key=public))
    return study


@pytest.fixture
def running(begun: Study, tmp_path: Path) -> Study:
    """Seven of its evenings are over; the fourth was not recorded, two doses are logged, one of them not taken."""
    study = replace(begun, clock=lambda: MIDDLE)
    invented = invent_nights(InventedPerson(missing=0.0), FIRST, 7, lambda _: 0.0, seed=1)
    recorded = [night for evening, night in invented.items() if evening != FIRST + timedelta(days=3)]
    write_fitbit_takeout(recorded, tmp_path / "takeout.zip", seed=1, zone=ZONE)
    import_exports(study, [tmp_path / "takeout.zip"])
    log_night(study, night=date(2026, 12, 3), dose_taken=True, reason="test")
    log_night(study, night=date(2026, 12, 4), dose_taken=False, reason="test")
    log_night(study, night=date(2026, 12, 4), side_effects={"diarrhoea": "mild"}, reason="test")
    return study


def everything_on(page: str) -> str:
    """The page with its figures, which it carries encoded, written out behind it."""
    figures = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", page)
    return "\n".join([page, *(base64.b64decode(figure).decode() for figure in figures)])


def names_or_places(page: str) -> list[str]:
    """What a page of progress must not hold: arms, and what a night belongs to."""
    whole = everything_on(page)
    return [name for name in (*ARMS, "Bottle", "bottle", "Period", "period") if name in whole]


def test_every_evening_so_far_is_what_it_was(running: Study) -> None:
    """Recorded, missing and to come; a dose is due after the run-in only, and not logged is not the same as missed."""
    told = read_progress(running)
    states = told.evenings["state"].to_list()
    assert len(states) == RUN_IN + NIGHTS
    assert states[3] == "missing"
    assert states[7:] == ["ahead"] * 7
    assert states.count("used") + states.count("aside") == 6
    assert told.evenings["dose"].to_list()[2:7] == [AS_ASSIGNED, MISSED, UNKNOWN, UNKNOWN, UNKNOWN]
    assert told.standing[0] == f"5 of {NIGHTS} nights on treatment are over. The last night is that of 2026-12-14."


def test_a_sealed_trial_has_a_page_of_progress(running: Study) -> None:
    """How far, how many nights and doses, what was felt, and where the sleep comes from; never what is compared."""
    page = write_report(running).read_text(encoding="utf-8")
    assert "5 of 12 nights on treatment are over. The last night is that of 2026-12-14." in page
    assert '<th scope="row">not recorded</th><td>1</td>' in page
    assert '<th scope="row">not taken</th><td>1</td>' in page
    assert '<th scope="row">diarrhoea</th><td data-name="None">0</td><td data-name="Mild">1</td>' in page
    assert "Sleep comes from fitbit" in page
    assert "Two sorts of &lt;capsules&gt;" in page
    assert names_or_places(page) == []


def test_a_figure_that_names_a_bottle_is_seen(running: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above reads into the figure, where a name would be as legible as on the page."""
    honest = trial_map._figure

    def telling(rows: Sequence[trial_map.Row], *words: Any) -> Any:
        return honest([replace(row, name="bottle: Quartz dust") for row in rows], *words)

    monkeypatch.setattr(trial_map, "_figure", telling)
    assert names_or_places(write_report(running).read_text(encoding="utf-8")) == ["Quartz dust", "bottle"]


def test_a_trial_that_is_over_says_what_comes_next(running: Study, tmp_path: Path) -> None:
    """Sealed: lock, unblind, analyse; and still no arm."""
    page = write_report(replace(running, clock=lambda: AFTER)).read_text(encoding="utf-8")
    assert "Next: nof1 lock, then nof1 unblind, then nof1 analyse." in page
    assert names_or_places(page) == []


def test_who_withdrew_is_told_that_nothing_is_analysed(running: Study) -> None:
    """Nobody is sent to an analysis that is refused."""
    end_trial(running, reason="no more", withdraw=True)
    page = write_report(replace(running, clock=lambda: AFTER)).read_text(encoding="utf-8")
    assert "The consent was taken back: nothing of this trial is analysed." in page
    assert "nof1 analyse" not in page


def test_a_trial_that_was_stopped_says_when_and_what_was_planned(running: Study) -> None:
    """Of twelve nights five are over; the evening on which it was stopped is told, and sealed it stays."""
    end_trial(running, reason="moved house")
    page = write_report(replace(running, clock=lambda: AFTER)).read_text(encoding="utf-8")
    assert "5 of 12 nights on treatment are over. It was ended early, with the night of 2026-12-07." in page
    assert "Next: nof1 lock, then nof1 unblind, then nof1 analyse." in page


def test_a_trial_that_rests_names_no_last_night(running: Study) -> None:
    """Weeks into a pause the end is not known: no past evening is called the last."""
    pause_trial(running, reason="influenza")
    for clock in (MIDDLE, AFTER + timedelta(days=30)):
        page = write_report(replace(running, clock=lambda at=clock: at)).read_text(encoding="utf-8")
        assert "5 of 12 nights on treatment are over. The trial rests from 2026-12-08 on" in page
        assert "The last night is that" not in page
        assert "Next: nof1" not in page


def test_a_trial_that_is_locked_is_not_sent_to_the_lock_again(running: Study) -> None:
    """What comes next is the key."""
    over = replace(running, clock=lambda: AFTER)
    lock_analysis(over, looked="no")
    assert "Next: nof1 unblind, then nof1 analyse." in trial_status(over).standing[-1]


def test_a_change_of_device_says_nothing_of_periods(running: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """The status tells whether a period began that night; the page, which anybody may print, does not."""
    nights = read_nights(running)
    changed = pl.when(pl.col("night") == FIRST + timedelta(days=RUN_IN)).then(pl.lit(["device_changed"]))
    told = nights.with_columns(flags=changed.otherwise("flags"))
    monkeypatch.setattr(status, "recorded_nights", lambda *_, **__: told)
    assert trial_status(running).changes == ["2026-12-03: another device (a period began that night)"]
    page = write_report(running).read_text(encoding="utf-8")
    assert "Change: 2026-12-03: another device." in page
    assert "period" not in page


def test_nights_that_do_not_tell_the_outcome_are_not_counted_as_good(
    running: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded without stages, there is no deep sleep to compare: page and index say so."""
    unstaged = pl.when(pl.col("night") <= FIRST + timedelta(days=1)).then(None).otherwise("deep_min")
    told = read_nights(running).with_columns(deep_min=unstaged)
    monkeypatch.setattr(status, "recorded_nights", lambda *_, **__: told)
    progress = read_progress(running)
    assert progress.evenings["state"].to_list()[:4] == ["aside", "aside", "used", "missing"]
    assert progress.kept_out == {"deep sleep was not measured": 2}
    index = write_all_reports(running).index.read_text(encoding="utf-8")
    assert "deep sleep was not measured: 2 nights" in index


def test_a_trial_that_was_stopped_before_its_first_night_has_a_page(begun: Study) -> None:
    """It has no evening to draw, says that none is over, and sends nobody to an analysis."""
    end_trial(begun, reason="moved house")
    page = write_report(begun).read_text(encoding="utf-8")
    assert "0 of 12 nights on treatment are over." in page
    assert "nothing can be analysed" in page
    assert "Next:" not in page
    assert "<img" not in page


def test_nights_that_the_protocol_keeps_out_are_counted_with_their_reason(
    running: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night that was typed by hand is recorded and kept out, in words."""
    nights = read_nights(running)
    by_hand = pl.when(pl.col("night") == FIRST).then(pl.lit(["manual"])).otherwise("flags")
    monkeypatch.setattr(status, "recorded_nights", lambda *_, **__: nights.with_columns(flags=by_hand))
    told = read_progress(running)
    assert told.evenings["state"].to_list()[0] == "aside"
    assert told.kept_out == {"entered by hand, not recorded": 1}
    assert "kept out: entered by hand, not recorded" in write_report(running).read_text(encoding="utf-8")


def test_without_a_trial_there_is_no_page(tmp_path: Path) -> None:
    """The message says how to begin."""
    study = create_study(tmp_path / "study", zone=ZONE, clock=lambda: BEFORE)
    with pytest.raises(InputMissingError, match="nof1 start"):
        write_report(study)


def test_an_index_links_everybody(running: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """One on the way, one without a trial, two whose page cannot be made: each has a row that says so."""
    for code in ("P02", "P03", "P04"):
        add_participant(running, code, zone=ZONE)
    for code in ("P03", "P04"):
        start_trial(running, running.folder.protocol, participant=code, open_label=True, on=MIDDLE.date())
    written = overview.write_report

    def refused(study: Study, *, participant: str) -> Path:
        if participant == "P03":
            raise TamperedError("result.json is not what the analysis wrote.")
        if participant == "P04":
            raise KeyError("colour")
        return written(study, participant=participant)

    monkeypatch.setattr(overview, "write_report", refused)
    made = write_all_reports(running)
    page = made.index.read_text(encoding="utf-8")
    assert made.index == running.folder.path / "reports" / "index.html"
    assert page.count("<tr>") == 1 + 4
    assert '<a href="P01/report.html">P01</a>' in page
    assert "5 of 12 nights on treatment are over." in page
    assert "1 night not recorded" in page
    assert page.count("No trial has begun.") == 1
    assert "No page could be made: result.json is not what the analysis wrote." in page
    assert {code: failure.exit_code for code, failure in made.failures.items()} == {"P03": 76, "P04": 1}
    assert "KeyError: &#39;colour&#39;. That is a fault of nof1" in page
    assert names_or_places(page) == []
