"""Guessing which arm a period was, while nobody has told."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from nof1.errors import NotAllowedError, UsageError
from nof1.store.events import Record
from nof1.study.openings import known_from
from nof1.study.study import Participant, Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.guess import Guess, current_guesses

DO_NOT_KNOW: Final = "dont-know"
"""What is said in place of an arm."""
SUREST: Final = 100


@dataclass(frozen=True, slots=True)
class GuessForm:
    """What is asked: about which period, and which arms it may have been, by code."""

    period: int
    arms: dict[str, str]


def guess_form(study: Study, *, period: int | None = None, participant: str | None = None) -> GuessForm:
    """What to ask about a period, by default the last one that is on its last night or over.

    Raises
    ------
    UsageError
        The trial conceals nothing, or there is no such period, or its last night is still to come.
    NotAllowedError
        Its arm was told.
    """
    with study.record() as record:
        trial = read_trial(study, record, participant)
    number = _guessable(trial, study, period)
    return GuessForm(number, {arm.code: arm.label for arm in trial.protocol.arms})


def guess_period(
    study: Study,
    *,
    arm: str,
    sure: int | None = None,
    why: str | None = None,
    period: int | None = None,
    participant: str | None = None,
) -> Guess:
    """Put a guess on record; said again, the later one counts and the first stays.

    Parameters
    ----------
    arm
        The code of an arm, or `DO_NOT_KNOW`.
    sure
        0, a coin toss, to 100, certain; needed with an arm.
    period
        Its number; by default the last one that is on its last night or over.

    Raises
    ------
    UsageError
        The trial conceals nothing, there is no such arm or period, or its last night is still to come.
    NotAllowedError
        Its arm was told: what is known cannot be guessed.
    """
    with study.record() as record, record.writing():
        trial = read_trial(study, record, participant)
        number = _guessable(trial, study, period)
        guess = _checked(trial, number, arm, sure, why)
        study.append(record, "guessed", guess.to_payload(), command="guess", participant=trial.participant.code)
    return guess


def read_guesses(record: Record, person: Participant) -> dict[int, Guess]:
    """The guesses as they stand now, by the number of the period."""
    events = record.events("period_guess", participant=person.code)
    return current_guesses([Guess.from_payload(event.payload) for event in events])


def asked_periods(trial: Trial, night: date) -> list[int]:
    """The periods that have been asked about by an evening: those on their last night or over, if the protocol asks."""
    if trial.seal is None or trial.protocol.blinding.guess == "never":
        return []
    return [number for number in _last_nights(trial) if _is_reached(trial, number, night)]


def open_question(trial: Trial, guesses: dict[int, Guess], night: date) -> int | None:
    """The period to ask about on an evening: the last one asked about, where no guess was given and no arm told."""
    asked = asked_periods(trial, night)
    return asked[-1] if asked and asked[-1] not in guesses and not _is_told(trial, asked[-1]) else None


def _guessable(trial: Trial, study: Study, period: int | None) -> int:
    if trial.seal is None:
        raise UsageError(f"This trial is {trial.blinding}: there is nothing to guess.")
    tonight, last_nights = trial.evening(study.clock()), _last_nights(trial)
    if period is not None and period not in last_nights:
        raise UsageError(f"There is no period {period}; they are numbered 1 to {max(last_nights, default=0)}.")
    reached = [number for number in last_nights if _is_reached(trial, number, tonight)]
    number = period if period is not None else max(reached, default=1)
    if number not in reached:
        last = last_nights.get(number, "which is not set")
        raise UsageError(f"Period {number} is guessed on its last night, {last}, or later.")
    if _is_told(trial, number):
        raise NotAllowedError(f"The arm of period {number} was told when the seal was opened: it cannot be guessed.")
    return number


def _checked(trial: Trial, period: int, arm: str, sure: int | None, why: str | None) -> Guess:
    codes = [one.code for one in trial.protocol.arms]
    if arm == DO_NOT_KNOW and arm not in codes:
        return Guess(period=period, arm=None, sure=None, why=why)
    if arm not in codes:
        raise UsageError(f"No arm is called {arm!r}: say one of {', '.join([*codes, DO_NOT_KNOW])}.")
    if sure is None or not 0 <= sure <= SUREST:
        raise UsageError(f"How sure are you, from 0 (a coin toss) to {SUREST} (certain)? Say it with --sure.")
    return Guess(period=period, arm=arm, sure=sure, why=why)


def _last_nights(trial: Trial) -> dict[int, date]:
    """The last evening of each period; one that a pause interrupted ends with its last part."""
    return {period.number: period.last_night for period in trial.schedule.periods}


def _is_reached(trial: Trial, number: int, night: date) -> bool:
    """Whether a period is on its last night or over; none that a pause keeps from ending is."""
    last, paused = _last_nights(trial)[number], trial.conduct.paused_since
    return last <= night and (paused is None or last < paused)


def _is_told(trial: Trial, number: int) -> bool:
    return number in known_from(trial.protocol, trial.openings)
