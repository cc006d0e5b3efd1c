"""How far a trial is: nights recorded, missing and excluded, what was taken, what changed. Never effects."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from nof1.errors import InputMissingError
from nof1.sleep.nights import ALGORITHM_CHANGED, DEVICE_CHANGED, SCHEMA
from nof1.study.diaries import read_diary, read_side_effects
from nof1.study.guesses import asked_periods, read_guesses
from nof1.study.nights import latency_source, read_nights
from nof1.study.safety_gate import gate_account
from nof1.study.study import Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.adherence import AS_ASSIGNED, MISSED, UNKNOWN, adherence, adherence_by_period
from nof1.trial.diary import count_side_effects


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
    guess
        Whether the arm was guessed: ``given``, ``asked``, or empty where it is not asked (yet).
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
    guess: str


@dataclass(frozen=True, slots=True)
class SideEffectCount:
    """On how many nights of the whole trial a symptom was said to be of each severity; never by period."""

    symptom: str
    none: int
    mild: int
    moderate: int
    severe: int


@dataclass(frozen=True, slots=True)
class TrialStatus:
    """A trial so far. `changes` names nights on which device or algorithm changed, and whether a period began there;
    `conduct` tells of pauses, an early end and amendments, `safety` of starts that the safety gate stopped, and of who
    overruled it."""

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
    side_effects: list[SideEffectCount]
    changes: list[str]
    conduct: list[str]
    safety: list[str]


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
        side_effects = read_side_effects(record, trial.participant)
        guesses = read_guesses(record, trial.participant)
        safety = gate_account(record, trial.participant)
    now = trial.evening(study.clock())
    over = min(now, trial.conduct.paused_since or now)
    calendar = trial.calendar().filter(pl.col("night") < over)
    nights = _recorded(study, trial)
    periods = _periods(trial, calendar, nights, diary, _guess_states(trial, guesses, now))
    return TrialStatus(
        participant=trial.participant.code,
        protocol=trial.protocol.id,
        title=trial.protocol.title,
        blinding=trial.blinding,
        today=now,
        first_night=trial.schedule.first_night,
        last_night=trial.schedule.last_night,
        ended=trial.has_ended(study.clock()),
        nights_done=sum(one.past for one in periods),
        nights_planned=trial.schedule.planned_nights,
        stream=trial.stream.stream if trial.stream else None,
        latency_source=latency_source(trial.stream, trial.protocol.sleep) if trial.stream else None,
        periods=periods,
        side_effects=[SideEffectCount(**row) for row in count_side_effects(side_effects).iter_rows(named=True)],
        changes=_changes(trial, nights),
        conduct=list(trial.conduct.said),
        safety=safety,
    )


def _recorded(study: Study, trial: Trial) -> pl.DataFrame:
    try:
        return read_nights(study, participant=trial.participant.code)
    except InputMissingError:
        return pl.DataFrame(schema=SCHEMA)


def _guess_states(trial: Trial, guesses: Collection[int], now: date) -> dict[int, str]:
    return dict.fromkeys(asked_periods(trial, now), "asked") | dict.fromkeys(guesses, "given")


def _periods(
    trial: Trial, calendar: pl.DataFrame, nights: pl.DataFrame, diary: pl.DataFrame, guesses: Mapping[int, str]
) -> list[PeriodStatus]:
    joined = calendar.join(nights.select("night", "flags"), on="night", how="left")
    without_dose = [arm.code for arm in trial.protocol.arms if arm.units_per_dose == 0]
    taken = adherence_by_period(adherence(calendar, diary, without_dose=without_dose))
    counts = {row["period"]: row for row in taken.iter_rows(named=True)}
    statuses = []
    for number in dict.fromkeys(period.number for period in trial.schedule.periods):
        parts = [period for period in trial.schedule.periods if period.number == number]
        own = joined.filter(pl.col("period") == number)
        recorded = own.filter(pl.col("flags").is_not_null())
        said = counts.get(number, {})
        statuses.append(
            PeriodStatus(
                period=number,
                first_night=parts[0].first_night,
                last_night=parts[-1].last_night,
                nights=sum(part.nights for part in parts),
                past=own.height,
                recorded=recorded.height,
                missing=own.height - recorded.height,
                excluded=_excluded(recorded, trial.protocol.sleep.exclude_flags),
                taken=said.get(AS_ASSIGNED, 0),
                not_taken=said.get(MISSED, 0),
                unknown=said.get(UNKNOWN, 0),
                guess=guesses.get(number, ""),
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
