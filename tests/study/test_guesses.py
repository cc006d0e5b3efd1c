"""Which arm was it? Asked before anybody tells, and of nobody who was told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.cases import ZONE

from nof1.errors import NotAllowedError, UsageError
from nof1.store.seal import Custodian, Key, new_key
from nof1.study.conduct import pause_trial
from nof1.study.diaries import tonight
from nof1.study.guesses import DO_NOT_KNOW, guess_form, guess_period, read_guesses
from nof1.study.sealing import unblind
from nof1.study.status import trial_status
from nof1.study.study import Study, create_study
from nof1.study.trials import start_trial
from nof1.trial.guess import Guess

FIRST = date(2026, 12, 1)
PROTOCOL = """
[[arm]]
code = "Mg"
label = "Magnesium"
units_per_dose = 3
[[arm]]
code = "Pl"
label = "Placebo"
units_per_dose = 3
reference = true
[design]
scheme = "randomised-pairs"
blocks = 2
period_nights = 3
transition_nights = 0
run_in_nights = 0
[blinding]
[safety]
nothing_to_ask = "invented for the tests"

[[outcome]]
measure = "deep_min"
"""


def on_evening(study: Study, night: int) -> Study:
    """The same study at nine in the evening of a night counted from 1."""
    at = datetime(2026, 12, 1, 20, tzinfo=UTC) + timedelta(days=night - 1)
    return replace(study, clock=lambda: at)


@pytest.fixture
def begin(tmp_path: Path) -> Callable[..., Study]:
    """Begin a trial of four periods of three nights, sealed to the key in ``key`` unless it is open."""

    def start(extra: str = "", *, sealed: bool = True) -> Study:
        (tmp_path / "p.toml").write_text(PROTOCOL.replace("[blinding]", f"[blinding]\n{extra}"))
        study = create_study(tmp_path / "s", zone=ZONE, clock=lambda: datetime(2026, 11, 30, 12, tzinfo=UTC))
        custodian = Custodian(public_key=new_key(tmp_path / "key")) if sealed else None
        start_trial(study, tmp_path / "p.toml", on=FIRST, custodian=custodian, open_label=not sealed)
        return study

    return start


@pytest.fixture
def study(begin: Callable[..., Study]) -> Study:
    """The sealed trial."""
    return begin()


def test_the_last_night_asks_and_a_guess_answers(study: Study) -> None:
    """Tonight asks on the last night of a period and until it is guessed or the next one ends, never before."""
    asked = [tonight(on_evening(study, night)).guess for night in range(1, 8)]
    assert asked == [None, None, 1, 1, 1, 2, 2]
    guess_period(on_evening(study, 6), arm="Mg", sure=70)
    assert [tonight(on_evening(study, night)).guess for night in (6, 7, 9)] == [None, None, 3]


def test_a_protocol_may_not_ask(begin: Callable[..., Study]) -> None:
    """With ``guess = "never"`` nobody is asked; who wants to guess may."""
    study = on_evening(begin('guess = "never"'), 3)
    assert tonight(study).guess is None
    assert guess_period(study, arm="Pl", sure=0).period == 1


def test_the_later_guess_counts_and_the_first_stays(study: Study) -> None:
    """Both are on record; not knowing is a guess of its own, without a figure."""
    study = on_evening(study, 3)
    guess_period(study, arm="Mg", sure=70, why="softer stools")
    guess_period(study, arm=DO_NOT_KNOW)
    with study.record() as record:
        events = [event.payload["arm"] for event in record.events() if event.kind == "guessed"]
        (now,) = read_guesses(record, study.participant(record)).values()
    assert events == ["Mg", None]
    assert now == Guess(period=1, arm=None, sure=None, why=None)


def test_status_tells_that_a_guess_was_given_and_not_which(study: Study) -> None:
    """Asked, given or neither; the arm that was guessed is nowhere in the status."""
    study = on_evening(study, 7)
    guess_period(study, arm="Mg", sure=70, period=1)
    status = trial_status(study)
    assert [period.guess for period in status.periods] == ["given", "asked", "", ""]
    assert "Mg" not in repr(status)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"arm": "mg", "sure": 50}, "Mg, Pl, dont-know"),
        ({"arm": "Mg"}, "--sure"),
        ({"arm": "Mg", "sure": 101}, "coin toss"),
        ({"arm": "Mg", "sure": 50, "period": 2}, "2026-12-06"),
        ({"arm": "Mg", "sure": 50, "period": 9}, "1 to 4"),
    ],
)
def test_a_guess_that_cannot_be_meant_is_refused(study: Study, words: dict[str, object], says: str) -> None:
    """An unknown arm, no certainty, a period that is not over: each names the way out."""
    with pytest.raises(UsageError, match=says):
        guess_period(on_evening(study, 3), **words)  # type: ignore[arg-type]


def test_before_the_first_period_is_over_there_is_nothing_to_guess(study: Study) -> None:
    """The refusal names the evening from which it can be guessed."""
    with pytest.raises(UsageError, match="2026-12-03"):
        guess_form(on_evening(study, 2))


def test_a_period_that_was_told_is_not_guessed(study: Study, tmp_path: Path) -> None:
    """Neither the opened period nor the other half of its pair; the next pair is asked about as ever."""
    unblind(on_evening(study, 4), Key(file=tmp_path / "key"), reason="emergency", period=1)
    for night, period in ((4, 1), (7, 2)):
        with pytest.raises(NotAllowedError, match="told"):
            guess_period(on_evening(study, night), arm="Mg", sure=100, period=period)
        assert tonight(on_evening(study, night)).guess is None
    assert guess_form(on_evening(study, 9)).period == 3


def test_an_open_trial_has_nothing_to_guess(begin: Callable[..., Study]) -> None:
    """Who knows the arm cannot guess it."""
    study = on_evening(begin(sealed=False), 3)
    assert tonight(study).guess is None
    with pytest.raises(UsageError, match="nothing to guess"):
        guess_period(study, arm="Mg", sure=50)


def test_a_paused_period_is_not_over(study: Study) -> None:
    """While a pause keeps a period from ending, nobody is asked about it."""
    pause_trial(on_evening(study, 5), reason="influenza")
    assert tonight(on_evening(study, 7)).guess == 1
    with pytest.raises(UsageError, match="last night"):
        guess_period(on_evening(study, 7), arm="Mg", sure=50, period=2)
