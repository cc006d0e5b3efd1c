"""How far a trial is: nights recorded, missing and excluded, what was taken, what changed. Never effects."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from nof1.sleep.nights import ALGORITHM_CHANGED, DEVICE_CHANGED
from nof1.store.state import standing_analysis
from nof1.study.diaries import read_diary, read_side_effects, rules_account
from nof1.study.guesses import asked_periods, read_guesses
from nof1.study.nights import latency_source, recorded_nights
from nof1.study.openings import locks
from nof1.study.safety_gate import gate_account
from nof1.study.study import Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.adherence import AS_ASSIGNED, MISSED, UNKNOWN, adherence, adherence_by_period
from nof1.trial.diary import count_side_effects

NOT_BEFORE_THE_END: Final = (
    "What the treatment does is told to nobody before the planned end: who looks earlier stops on a good week."
)

SLEEP_WITHDRAWN: Final = "Sleep that was analysed was withdrawn since: what was found from it is told no more."


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
    """A trial so far.

    Parameters
    ----------
    nights_planned
        Those that were registered, whatever an early end left of them.
    standing
        How far it is and what comes next, in sentences.
    changes
        The nights on which device or algorithm changed, and whether a period began there.
    conduct
        Pauses, an early end and amendments, in sentences.
    safety
        Starts that the safety gate stopped, who overruled it, and rules for stopping that were met.
    """

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
    standing: list[str]
    stream: str | None
    latency_source: str | None
    periods: list[PeriodStatus]
    side_effects: list[SideEffectCount]
    changes: list[str]
    conduct: list[str]
    safety: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoFar:
    """What the record knows of a trial now.

    Parameters
    ----------
    now
        The evening that this moment belongs to.
    over
        The evenings before it are over, as far as they were lived: a pause that lasts ends them.
    nights
        As `nof1.study.nights.recorded_nights` gives them.
    is_locked, is_analysed
        Whether the analysis was locked, and whether there was one.
    analysis_stands
        Whether the sleep that was analysed was not withdrawn since.
    """

    trial: Trial
    now: date
    over: date
    has_ended: bool
    nights: pl.DataFrame
    diary: pl.DataFrame
    side_effects: pl.DataFrame
    guesses: Collection[int]
    safety: list[str]
    is_locked: bool
    is_analysed: bool
    analysis_stands: bool

    @property
    def calendar(self) -> pl.DataFrame:
        """The evenings of the schedule that are over, as `nof1.trial.schedule.calendar` gives them."""
        return self.trial.calendar().filter(pl.col("night") < self.over)

    @property
    def doses(self) -> pl.DataFrame:
        """What was taken on the evenings that are over, as `nof1.trial.adherence.adherence` gives it."""
        without_dose = [arm.code for arm in self.trial.protocol.arms if arm.units_per_dose == 0]
        return adherence(self.calendar, self.diary, without_dose=without_dose)


def read_so_far(study: Study, *, participant: str | None = None) -> SoFar:
    """Read what a trial is told from before it has a result.

    Raises
    ------
    InputMissingError
        No trial has begun.
    """
    with study.record() as record:
        trial = read_trial(study, record, participant)
        person = trial.participant
        now = trial.evening(study.clock())
        return SoFar(
            trial=trial,
            now=now,
            over=min(now, trial.conduct.paused_since or now),
            has_ended=trial.has_ended(study.clock()),
            nights=recorded_nights(study, participant=person.code),
            diary=read_diary(record, person),
            side_effects=(effects := read_side_effects(record, person)),
            guesses=read_guesses(record, person),
            safety=[*gate_account(record, person), *rules_account(trial, effects)],
            is_locked=bool(locks(record, person.code)),
            analysis_stands=standing_analysis(record, person.code) is not None,
            is_analysed=any(event.kind == "analysed" for event in record.events(participant=person.code)),
        )


def trial_status(study: Study, *, participant: str | None = None) -> TrialStatus:
    """Count nights and doses by period. Nothing here depends on which treatment a period has.

    Raises
    ------
    InputMissingError
        No trial has begun.
    """
    return status_of(read_so_far(study, participant=participant))


def status_of(so_far: SoFar) -> TrialStatus:
    """Count nights and doses by period, and say how far the trial is."""
    trial = so_far.trial
    starts = {period.first_night for period in trial.schedule.periods}
    periods = _periods(so_far)
    return TrialStatus(
        participant=trial.participant.code,
        protocol=trial.protocol.id,
        title=trial.protocol.title,
        blinding=trial.blinding,
        today=so_far.now,
        first_night=trial.schedule.first_night,
        last_night=trial.schedule.last_night,
        ended=so_far.has_ended,
        nights_done=sum(one.past for one in periods),
        nights_planned=trial.planned.planned_nights,
        standing=_standing(so_far),
        stream=trial.stream.stream if trial.stream else None,
        latency_source=latency_source(trial.stream, trial.protocol.sleep) if trial.stream else None,
        periods=periods,
        side_effects=[SideEffectCount(**row) for row in count_side_effects(so_far.side_effects).iter_rows(named=True)],
        changes=[
            f"{night}: {what}" + (" (a period began that night)" if night in starts else "")
            for night, what in device_changes(so_far)
        ],
        conduct=list(trial.conduct.said),
        safety=so_far.safety,
    )


def left_unsaid(so_far: SoFar) -> list[str]:
    """Say what could still be written down before the analysis is locked: nights, doses, guesses."""
    periods = _periods(so_far)
    missing, unknown = sum(one.missing for one in periods), sum(one.unknown for one in periods)
    unguessed = [str(one.period) for one in periods if one.guess == "asked"]
    said = []
    if missing:
        said.append(f"Nights on treatment that are not recorded: {missing}. Is the latest export imported?")
    if unknown:
        said.append(
            f"Doses that are not logged: {unknown}. They count as unknown, never as taken (nof1 log --date DATE)."
        )
    if unguessed:
        said.append(f"Periods without a guess: {', '.join(unguessed)} (nof1 guess --period N).")
    return said


def device_changes(so_far: SoFar) -> list[tuple[date, str]]:
    """The nights of the trial on which the device or its algorithm changed, and which of them did."""
    schedule = so_far.trial.schedule
    inside = so_far.nights.filter(pl.col("night").is_between(schedule.first_night, schedule.last_night))
    named = {DEVICE_CHANGED: "another device", ALGORITHM_CHANGED: "another staging algorithm"}
    return [
        (night, what)
        for night, flags in inside.select("night", "flags").iter_rows()
        for flag, what in named.items()
        if flag in flags
    ]


def _standing(so_far: SoFar) -> list[str]:
    """Say how far the trial is, why no effect is told yet, and what comes next."""
    trial, conduct = so_far.trial, so_far.trial.conduct
    done = so_far.calendar["period"].count()
    far = f"{done} of {trial.planned.planned_nights} nights on treatment are over."
    if conduct.withdrawn:
        return [far, "The consent was taken back: nothing of this trial is analysed."]
    if conduct.paused_since is not None:
        rest = f"The trial rests from {conduct.paused_since} on, and its last night moves with it, until nof1 resume."
        return [f"{far} {rest}", NOT_BEFORE_THE_END]
    if not so_far.has_ended:
        return [f"{far} The last night is that of {trial.schedule.last_night}.", NOT_BEFORE_THE_END]
    if not trial.schedule.periods:
        return [far, "It was ended before the first of them: nothing can be analysed."]
    cut = f" It was ended early, with the night of {trial.cut_short}." if trial.cut_short else ""
    return [f"{far}{cut}", _next(so_far)]


def _next(so_far: SoFar) -> str:
    """Say what is to be done with a trial that is over."""
    if so_far.trial.stream is None:
        return "No sleep was imported yet. Next: nof1 import YOUR-EXPORT."
    if so_far.trial.is_sealed:
        lock = "" if so_far.is_locked else "nof1 lock, then "
        return f"The treatments are still concealed. Next: {lock}nof1 unblind, then nof1 analyse."
    if so_far.is_analysed and not so_far.analysis_stands:
        return f"{SLEEP_WITHDRAWN} Next: nof1 import what is right, nof1 analyse."
    if so_far.is_analysed:
        return "It is analysed. Next: nof1 report."
    return "Nothing was analysed yet. Next: nof1 analyse."


def _periods(so_far: SoFar) -> list[PeriodStatus]:
    trial = so_far.trial
    joined = so_far.calendar.join(so_far.nights.select("night", "flags"), on="night", how="left")
    counts = {row["period"]: row for row in adherence_by_period(so_far.doses).iter_rows(named=True)}
    guesses = dict.fromkeys(asked_periods(trial, so_far.now), "asked") | dict.fromkeys(so_far.guesses, "given")
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
