"""What a person says about a night, checked and made a diary entry."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, TypedDict

from nof1.errors import UsageError
from nof1.study.trials import Trial
from nof1.trial.diary import SEVERITIES, SLEEP_QUALITIES, Answer, DiaryEntry, Severity, SleepQuality, moment_on

DAYTIME_H: Final = 4
"""Nobody turns out the light to sleep within so many hours of the moment that parts two nights."""

YES_OR_NO: Final = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}
MORNING_H: Final = 7
"""A dose so many hours before that moment would be one of the morning after."""
MOST_AWAKENINGS: Final = 99
LONGEST_SYMPTOM: Final = 60


class Words(TypedDict, total=False):
    """What is said about one night, as it is said; what is absent or None is not said.

    `dose_at` and `lights_out` are times on the person's clock, such as ``23:10`` or ``0:40``; small hours belong to the
    same night. `answers` are those to the protocol's diary questions, by key, as text. `side_effects` are severities
    (`nof1.trial.diary.SEVERITIES`) by symptom, of the protocol's ``safety.log`` or any other.
    """

    dose_taken: bool | None
    dose_at: str | None
    lights_out: str | None
    awakenings: int | None
    sleep_quality: str | None
    note: str | None
    answers: Mapping[str, str]
    side_effects: Mapping[str, str]


def entry_from(trial: Trial, night: date, words: Words) -> DiaryEntry:
    """Make the diary entry that these words are.

    Raises
    ------
    UsageError
        An answer does not fit its question.
    DataError
        A time is no time of day.
    """
    _check_plausible(trial, words.get("lights_out"))
    _check_dose(trial, words.get("dose_taken"), words.get("dose_at"))
    return DiaryEntry(
        night=night,
        dose_taken=words.get("dose_taken"),
        dose_at=_moment(trial, night, words.get("dose_at")),
        lights_out=_moment(trial, night, words.get("lights_out")),
        awakenings=_awakenings(words.get("awakenings")),
        sleep_quality=_sleep_quality(words.get("sleep_quality")),
        note=words.get("note"),
        covariates=_answers(trial, words.get("answers", {})),
        side_effects=_side_effects(trial, words.get("side_effects", {})),
    )


def _check_plausible(trial: Trial, lights_out: str | None) -> None:
    """Lights out in the middle of the day is 11:10 written for 23:10."""
    clock = re.fullmatch(r"\s*(\d{1,2}):\d\d\s*", lights_out or "")
    if clock and abs(int(clock[1]) - trial.protocol.sleep.night_boundary_h) < DAYTIME_H:
        raise UsageError(
            f"Lights out at {lights_out}? Write 23:10 for ten past eleven at night, 0:40 for past midnight."
        )


def _check_dose(trial: Trial, taken: bool | None, at: str | None) -> None:
    """A dose that was not taken has no time; one in the morning is 9:40 written for 21:40."""
    if at is not None and taken is False:
        raise UsageError(f"The dose was not taken, and it was taken at {at}: which is true?")
    clock = re.fullmatch(r"\s*(\d{1,2}):\d\d\s*", at or "")
    boundary_h = trial.protocol.sleep.night_boundary_h
    if clock and boundary_h - MORNING_H <= int(clock[1]) < boundary_h:
        raise UsageError(f"A dose at {at} would be one of the morning after. Write 21:40 for twenty to ten at night.")


def _moment(trial: Trial, night: date, clock: str | None) -> datetime | None:
    if clock is None:
        return None
    return moment_on(night, clock, trial.zone, boundary_h=trial.protocol.sleep.night_boundary_h)


def _answers(trial: Trial, answers: Mapping[str, str]) -> dict[str, Answer]:
    items = {item.key: item for item in trial.protocol.diary}
    checked: dict[str, Answer] = {}
    for key, text in answers.items():
        if key not in items:
            asked = ", ".join(items) or "none"
            raise UsageError(f"This protocol does not ask for {key!r}. Its questions: {asked}.")
        checked[key] = _answer(key, items[key].type, text)
    return checked


def _awakenings(count: int | None) -> int | None:
    if count is not None and not 0 <= count <= MOST_AWAKENINGS:
        raise UsageError(f"Awakenings: 0 to {MOST_AWAKENINGS} can be remembered, not {count}.")
    return count


def _sleep_quality(word: str | None) -> SleepQuality | None:
    if word is not None and word not in SLEEP_QUALITIES:
        raise UsageError(f"The night was {word!r}? The words are: {', '.join(SLEEP_QUALITIES)}.")
    return word


def _side_effects(trial: Trial, side_effects: Mapping[str, str]) -> dict[str, Severity]:
    known = {name.casefold(): name for name in trial.protocol.safety.log}
    checked: dict[str, Severity] = {}
    for text, severity in side_effects.items():
        symptom = text.strip().casefold()
        if not symptom or len(symptom) > LONGEST_SYMPTOM or not symptom.isprintable():
            raise UsageError(f"{text[:LONGEST_SYMPTOM]!r} names no side effect: write a word or two, such as headache.")
        if severity not in SEVERITIES:
            raise UsageError(f"{text.strip()} was {severity[:20]!r}? The words are: {', '.join(SEVERITIES)}.")
        checked[known.get(symptom, symptom)] = severity
    return checked


def _answer(key: str, kind: str, text: str) -> Answer:
    if kind == "text":
        return text
    if kind == "boolean":
        if text.lower() not in YES_OR_NO:
            raise UsageError(f"{key} is a yes-or-no question: {text!r} is neither yes nor no.")
        return YES_OR_NO[text.lower()]
    try:
        number = float(text)
    except ValueError as error:
        raise UsageError(f"{key} is a number: {text!r} is none.") from error
    if not abs(number) < 1e9:  # noqa: PLR2004
        raise UsageError(f"{key} is {text}: no such number can be meant.")
    if number < 0:
        raise UsageError(f"{key} is {text}: a count of something cannot be negative.")
    return number
