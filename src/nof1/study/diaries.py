"""The diary of a trial: what is to be done tonight, and what was done."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from nof1.errors import UsageError
from nof1.store.events import Record
from nof1.study.study import Participant, Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.diary import Answer, DiaryEntry, current_diary, moment_on
from nof1.trial.schedule import Period

ONE_NIGHT: Final = timedelta(days=1)
DAYTIME_H: Final = 4
"""Nobody turns out the light to sleep within so many hours of the moment that parts two nights."""


@dataclass(frozen=True, slots=True)
class Tonight:
    """What one evening asks for.

    Parameters
    ----------
    stage
        ``before``, ``run-in``, ``treatment``, ``between`` (washout or a gap) or ``ended``.
    take
        What to take, in the protocol's words; None when there is nothing to take.
    ask
        Keys of the protocol's diary questions.
    nights_done, nights_planned
        Nights on a treatment whose morning has come, and all of them.
    unlogged
        Past nights of the schedule without a word on the dose, newest first.
    """

    participant: str
    night: date
    stage: str
    period: int | None
    night_of_period: int | None
    nights_of_period: int | None
    take: str | None
    ask: list[str]
    nights_done: int
    nights_planned: int
    unlogged: list[date]
    blinding: str
    emergency: str


def read_diary(record: Record, person: Participant) -> pl.DataFrame:
    """The diary as it stands now: one row a night, later entries superseding earlier ones field by field."""
    events = record.events("diary_entry", participant=person.code)
    return current_diary([DiaryEntry.from_payload(event.payload) for event in events])


def tonight(study: Study, *, participant: str | None = None, night: date | None = None) -> Tonight:
    """What to take on an evening, what to log, and how far the trial is.

    Parameters
    ----------
    night
        The evening; by default the one that the clock says (00:30 belongs to the evening before).

    Raises
    ------
    InputMissingError
        No trial has begun.
    """
    with study.record() as record:
        trial = read_trial(study, record, participant)
        diary = read_diary(record, trial.participant)
    current = night or trial.evening(study.clock())
    period = trial.schedule.period_on(current)
    return Tonight(
        participant=trial.participant.code,
        night=current,
        stage=_stage(trial, period, current),
        period=period.number if period else None,
        night_of_period=(current - period.first_night).days + 1 if period else None,
        nights_of_period=period.nights if period else None,
        take=_take(trial, period),
        ask=[item.key for item in trial.protocol.diary],
        nights_done=sum(1 for one in _treatment_nights(trial) if one < current),
        nights_planned=trial.schedule.planned_nights,
        unlogged=_unlogged(trial, diary, current),
        blinding=trial.blinding,
        emergency=trial.protocol.safety.emergency,
    )


def log_night(
    study: Study,
    *,
    night: date | None = None,
    dose_taken: bool | None = None,
    dose_at: str | None = None,
    lights_out: str | None = None,
    note: str | None = None,
    answers: dict[str, str] | None = None,
    participant: str | None = None,
) -> dict[str, Any]:
    """Write into the diary of one night, and give what it says of that night now; null is not said.

    What is not said stays as it was; what is said again supersedes, and both stay on record.

    Parameters
    ----------
    night
        The evening's date; by default the present one (00:30 belongs to the evening before).
    dose_at, lights_out
        Times on the person's clock, such as ``23:10`` or ``0:40``; small hours belong to the same night.
    answers
        Answers to the protocol's diary questions, by key, as text.

    Raises
    ------
    UsageError
        Nothing was said, the night is still to come or not on the schedule, or an answer does not fit its question.
    DataError
        A time is no time of day.
    """
    with study.record() as record, record.writing():
        trial = read_trial(study, record, participant)
        evening = _loggable(trial, study, night)
        _check_plausible(trial, lights_out)
        entry = DiaryEntry(
            night=evening,
            dose_taken=dose_taken,
            dose_at=_moment(trial, evening, dose_at),
            lights_out=_moment(trial, evening, lights_out),
            note=note,
            covariates=_answers(trial, answers or {}),
        )
        if entry == DiaryEntry(night=evening):
            raise UsageError("Nothing to log: say --taken or --not-taken, --lights-out, --note or --answer KEY=VALUE.")
        payload = entry.to_payload()
        study.append(record, "diary-logged", payload, command="log", participant=trial.participant.code)
        diary = read_diary(record, trial.participant)
    said = diary.filter(pl.col("night") == evening).row(0, named=True)
    return {key: value.astimezone(trial.zone) if isinstance(value, datetime) else value for key, value in said.items()}


def _stage(trial: Trial, period: Period | None, night: date) -> str:
    if period is not None:
        return "treatment"
    if night < trial.schedule.first_night:
        return "before"
    if night > trial.schedule.last_night:
        return "ended"
    return "run-in" if night < trial.schedule.periods[0].first_night else "between"


def _take(trial: Trial, period: Period | None) -> str | None:
    if period is None or period.arm is None:
        return None
    arm = trial.protocol.arm(period.arm)
    if arm.units_per_dose == 0:
        return f"{arm.label} (nothing to take)"
    units = f"{arm.units_per_dose} × " if arm.units_per_dose else ""
    return f"{units}{arm.label}" + (f", {arm.take}" if arm.take else "")


def _treatment_nights(trial: Trial) -> list[date]:
    return [period.first_night + n * ONE_NIGHT for period in trial.schedule.periods for n in range(period.nights)]


def _unlogged(trial: Trial, diary: pl.DataFrame, current: date) -> list[date]:
    logged = set(diary.filter(pl.col("dose_taken").is_not_null())["night"])
    due = (night for night in _treatment_nights(trial) if night < current and _dose_due(trial, night))
    return sorted((night for night in due if night not in logged), reverse=True)


def _dose_due(trial: Trial, night: date) -> bool:
    arm = trial.schedule.arm_on(night)
    return arm is None or trial.protocol.arm(arm).units_per_dose != 0


def _loggable(trial: Trial, study: Study, night: date | None) -> date:
    current = trial.evening(study.clock())
    evening = night or current
    if evening > current:
        raise UsageError(f"The night of {evening} is still to come: log it when it is here.")
    if not trial.schedule.first_night <= evening <= trial.schedule.last_night:
        raise UsageError(
            f"The night of {evening} is not on the schedule, which goes from {trial.schedule.first_night} "
            f"to {trial.schedule.last_night}."
        )
    return evening


def _check_plausible(trial: Trial, lights_out: str | None) -> None:
    """Lights out in the middle of the day is 11:10 written for 23:10."""
    clock = re.fullmatch(r"\s*(\d{1,2}):\d\d\s*", lights_out or "")
    if clock and abs(int(clock[1]) - trial.protocol.sleep.night_boundary_h) < DAYTIME_H:
        raise UsageError(
            f"Lights out at {lights_out}? Write 23:10 for ten past eleven at night, 0:40 for past midnight."
        )


def _moment(trial: Trial, night: date, clock: str | None) -> Any:
    if clock is None:
        return None
    zone = ZoneInfo(trial.participant.zone)
    return moment_on(night, clock, zone, boundary_h=trial.protocol.sleep.night_boundary_h)


def _answers(trial: Trial, answers: dict[str, str]) -> dict[str, Answer]:
    items = {item.key: item for item in trial.protocol.diary}
    checked: dict[str, Answer] = {}
    for key, text in answers.items():
        if key not in items:
            asked = ", ".join(items) or "none"
            raise UsageError(f"This protocol does not ask for {key!r}. Its questions: {asked}.")
        checked[key] = _answer(key, items[key].type, text)
    return checked


def _answer(key: str, kind: str, text: str) -> Answer:
    if kind == "text":
        return text
    if kind == "boolean":
        said = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}
        if text.lower() not in said:
            raise UsageError(f"{key} is a yes-or-no question: {text!r} is neither yes nor no.")
        return said[text.lower()]
    try:
        number = float(text)
    except ValueError as error:
        raise UsageError(f"{key} is a number: {text!r} is none.") from error
    if not abs(number) < 1e9:  # noqa: PLR2004
        raise UsageError(f"{key} is {text}: no such number can be meant.")
    if number < 0:
        raise UsageError(f"{key} is {text}: a count of something cannot be negative.")
    return number
