"""How far a trial is: nights recorded, missing and excluded, what was taken, what changed. Never effects."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from nof1.errors import InputMissingError
from nof1.sleep.nights import ALGORITHM_CHANGED, DEVICE_CHANGED, SCHEMA
from nof1.study.diaries import read_diary
from nof1.study.nights import latency_source, read_nights
from nof1.study.study import Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.adherence import AS_ASSIGNED, MISSED, UNKNOWN, adherence, adherence_by_period


@dataclass(frozen=True, slots=True)
class PeriodStatus:
    """One period so far.

    Parameters
    ----------
    past
        Nights whose morning has come.
    recorded, missing
        Of those, with and without a night in the stream; `excluded` counts the recorded ones that the protocol keeps
        out, by flag.
    taken, not_taken, unknown
        Past nights by what the diary says of the dose.
    """

    period: int
    first_night: date
    last_night: date
    nights: int
    past: int
    recorded: int
    missing: int
    excluded: dict[str, int]
    taken: int
    not_taken: int
    unknown: int


@dataclass(frozen=True, slots=True)
class TrialStatus:
    """A trial so far. `changes` names nights on which device or algorithm changed, and whether a period began there."""

    participant: str
    protocol: str
    title: str
    blinding: str
    today: date
    first_night: date
    last_night: date
    ended: bool
    nights_done: int
    nights_planned: int
    stream: str | None
    latency_source: str | None
    periods: list[PeriodStatus]
    changes: list[str]


def trial_status(study: Study, *, participant: str | None = None) -> TrialStatus:
    """Count nights and doses by period. Nothing here depends on which treatment a period has.

    Raises
    ------
    InputMissingError
        No trial has begun.
    """
    with study.record() as record:
        trial = read_trial(study, record, participant)
        diary = read_diary(record, trial.participant)
    now = trial.evening(study.clock())
    calendar = trial.calendar().filter(pl.col("night") < now)
    nights = _recorded(study, trial)
    periods = _periods(trial, calendar, nights, diary)
    return TrialStatus(
        participant=trial.participant.code,
        protocol=trial.protocol.id,
        title=trial.protocol.title,
        blinding=trial.blinding,
        today=now,
        first_night=trial.schedule.first_night,
        last_night=trial.schedule.last_night,
        ended=now > trial.schedule.last_night,
        nights_done=sum(one.past for one in periods),
        nights_planned=trial.schedule.planned_nights,
        stream=trial.stream.stream if trial.stream else None,
        latency_source=latency_source(trial.stream, trial.protocol.sleep) if trial.stream else None,
        periods=periods,
        changes=_changes(trial, nights),
    )


def _recorded(study: Study, trial: Trial) -> pl.DataFrame:
    try:
        return read_nights(study, participant=trial.participant.code)
    except InputMissingError:
        return pl.DataFrame(schema=SCHEMA)


def _periods(trial: Trial, calendar: pl.DataFrame, nights: pl.DataFrame, diary: pl.DataFrame) -> list[PeriodStatus]:
    joined = calendar.join(nights.select("night", "flags"), on="night", how="left")
    without_dose = [arm.code for arm in trial.protocol.arms if arm.units_per_dose == 0]
    taken = adherence_by_period(adherence(calendar, diary, without_dose=without_dose))
    counts = {row["period"]: row for row in taken.iter_rows(named=True)}
    statuses = []
    for period in trial.schedule.periods:
        own = joined.filter(pl.col("period") == period.number)
        recorded = own.filter(pl.col("flags").is_not_null())
        said = counts.get(period.number, {})
        statuses.append(
            PeriodStatus(
                period=period.number,
                first_night=period.first_night,
                last_night=period.last_night,
                nights=period.nights,
                past=own.height,
                recorded=recorded.height,
                missing=own.height - recorded.height,
                excluded=_excluded(recorded, trial.protocol.sleep.exclude_flags),
                taken=said.get(AS_ASSIGNED, 0),
                not_taken=said.get(MISSED, 0),
                unknown=said.get(UNKNOWN, 0),
            )
        )
    return statuses


def _excluded(recorded: pl.DataFrame, flags: tuple[str, ...]) -> dict[str, int]:
    counts = {flag: recorded.filter(pl.col("flags").list.contains(flag)).height for flag in flags}
    return {flag: count for flag, count in counts.items() if count}


def _changes(trial: Trial, nights: pl.DataFrame) -> list[str]:
    starts = {period.first_night for period in trial.schedule.periods}
    inside = nights.filter(pl.col("night").is_between(trial.schedule.first_night, trial.schedule.last_night))
    named = {DEVICE_CHANGED: "another device", ALGORITHM_CHANGED: "another staging algorithm"}
    return [
        f"{night}: {what}" + (" (a period began that night)" if night in starts else "")
        for night, flags in inside.select("night", "flags").iter_rows()
        for flag, what in named.items()
        if flag in flags
    ]
