"""The diary of a trial: what is to be done tonight, and what was done."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Unpack

import polars as pl

from nof1.errors import UsageError
from nof1.store.events import Record
from nof1.study.diary_checks import ONE_EVENING, loggable_night, require_agreeing, require_meant, require_sayable
from nof1.study.diary_words import Words, entry_from
from nof1.study.guesses import open_question, read_guesses
from nof1.study.study import Participant, Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.diary import DiaryEntry, alarming, contradicted, current_diary, current_side_effects
from nof1.trial.schedule import Period, evening_to_come
from nof1.trial.stop_rules import rules_met


@dataclass(frozen=True, slots=True)
class Tonight:
    """What one evening asks for.

    Parameters
    ----------
    stage
        ``before``, ``run-in``, ``treatment``, ``between`` (washout or a gap), ``paused``, ``ended`` or ``withdrawn``.
    take
        What to take, in the protocol's words; None when there is nothing to take.
    dose_taken
        What the diary says already; None where it says nothing.
    is_over
        Whether the morning has come: what was not taken is not taken any more.
    coming
        What to take on the evening after, where this one is over; None when there is nothing to take.
    warnings
        The rule for stopping, and the emergency words, where symptoms of this evening or the one before call for them.
    ask
        Keys of the protocol's diary questions.
    nights_done, nights_planned
        Nights on a treatment whose morning has come, and all of them.
    unlogged
        Past nights of the schedule without a word on the dose, newest first.
    guess
        The period whose arm is to be guessed, where the protocol asks and nobody has guessed or told it.
    """

    participant: str
    night: date
    stage: str
    period: int | None
    night_of_period: int | None
    nights_of_period: int | None
    take: str | None
    dose_taken: bool | None
    is_over: bool
    coming: str | None
    warnings: list[str]
    ask: list[str]
    nights_done: int
    nights_planned: int
    unlogged: list[date]
    guess: int | None
    blinding: str
    emergency: str


def read_diary(record: Record, person: Participant) -> pl.DataFrame:
    """The diary as it stands now: one row a night, later entries superseding earlier ones field by field."""
    return current_diary(read_entries(record, person))


def read_side_effects(record: Record, person: Participant) -> pl.DataFrame:
    """The side effects as they stand now: one row a night and symptom."""
    return current_side_effects(read_entries(record, person))


def read_entries(record: Record, person: Participant) -> list[DiaryEntry]:
    """Everything that was ever said into the diary, in order."""
    events = record.events("diary_entry", participant=person.code)
    return [DiaryEntry.from_payload(event.payload) for event in events]


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
        entries = read_entries(record, trial.participant)
        guesses = read_guesses(record, trial.participant)
    diary = current_diary(entries)
    current = night or trial.evening(study.clock())
    period, over = _period_to_live(trial, current), night is None and _is_morning(trial, study.clock())
    own = [one for part in trial.schedule.periods if period and part.number == period.number for one in part.evenings]
    return Tonight(
        participant=trial.participant.code,
        night=current,
        stage=_stage(trial, period, current),
        period=period.number if period else None,
        night_of_period=sum(1 for one in own if one <= current) if period else None,
        nights_of_period=len(own) if period else None,
        take=what_to_take(trial, period),
        dose_taken=said_about(trial, entries, current).get("dose_taken"),
        is_over=over,
        coming=what_to_take(trial, _period_to_live(trial, current + timedelta(days=1))) if over else None,
        warnings=_standing_warnings(trial, entries, current),
        ask=[item.key for item in trial.protocol.diary],
        nights_done=sum(1 for one in _treatment_nights(trial) if one < current),
        nights_planned=trial.planned.planned_nights,
        unlogged=_unlogged(trial, diary, current),
        guess=None if trial.conduct.withdrawn else open_question(trial, guesses, current),
        blinding=trial.blinding,
        emergency=trial.protocol.safety.emergency,
    )


def _period_to_live(trial: Trial, night: date) -> Period | None:
    return None if is_paused(trial, night) else trial.schedule.period_on(night)


def _is_morning(trial: Trial, now: datetime) -> bool:
    """Whether the present evening is over, although the next has not begun: from five o'clock until noon."""
    return evening_to_come(now.astimezone(trial.zone)) > trial.evening(now)


def _standing_warnings(trial: Trial, entries: Sequence[DiaryEntry], night: date) -> list[str]:
    return safety_words(trial, current_side_effects(entries), (night - timedelta(days=1), night))


def log_night(
    study: Study,
    *,
    night: date | None = None,
    reason: str | None = None,
    participant: str | None = None,
    **words: Unpack[Words],
) -> dict[str, Any]:
    """Write into the diary of one night, and give what it says of that night now; null is not said.

    What is not said stays as it was; what is said again supersedes, and both stay on record. ``warnings`` in the result
    tell a rule for stopping that is met, and repeat it with the emergency words where a symptom is more than mild or
    lasts.

    Parameters
    ----------
    night
        The evening's date; by default the present one (00:30 belongs to the evening before).
    reason
        Why it is said otherwise than before. Hours later, what is said otherwise names its night or says why.
    words
        As in `Words`.

    Raises
    ------
    UsageError
        Nothing was said, the night is still to come or not on the schedule, an answer does not fit its question, or
        what is said cannot be meant (`nof1.study.diary_checks`).
    DataError
        A time is no time of day.
    """
    with study.record() as record, record.writing():
        trial = read_trial(study, record, participant)
        entry = entry_from(trial, loggable_night(trial, study.clock(), night), words)
        if entry == DiaryEntry(night=entry.night):
            raise UsageError("Nothing to log: say --taken or --not-taken, --lights-out, --note or --answer KEY=VALUE.")
        before = read_entries(record, trial.participant)
        require_sayable(trial, entry, study.clock())
        require_agreeing(before, entry)
        if night is None and reason is None and _said_earlier(record, trial, entry.night, study.clock()):
            require_meant(trial, before, entry, study.clock())
        study.append(
            record,
            "diary-logged",
            entry.to_payload(),
            command="log",
            participant=trial.participant.code,
            reason=reason,
        )
        entries = read_entries(record, trial.participant)
    said = said_about(trial, entries, entry.night)
    effects = current_side_effects(entries)
    warnings = safety_words(trial, effects, [entry.night]) if entry.side_effects else []
    return said | {"warnings": [*_taken_without_being_due(trial, entry), *warnings]}


def _said_earlier(record: Record, trial: Trial, night: date, now: datetime) -> bool:
    """Whether a night was first written about longer ago than one evening lasts."""
    events = record.events("diary_entry", participant=trial.participant.code)
    said = [datetime.fromisoformat(one.at) for one in events if one.payload["night"] == night.isoformat()]
    return bool(said) and now - min(said) > ONE_EVENING


def _taken_without_being_due(trial: Trial, entry: DiaryEntry) -> list[str]:
    """Tell of a dose on an evening that had none: it may be true, and it may be meant for another evening."""
    if not entry.dose_taken or (_period_to_live(trial, entry.night) is not None and dose_due(trial, entry.night)):
        return []
    return [
        f"Nothing was to be taken on the evening of {entry.night}. If this dose was taken on another one, say so: nof1 "
        f"log --date {entry.night} --not-taken, and nof1 log --date THE-OTHER --taken."
    ]


def corrections(
    study: Study, *, night: date | None = None, participant: str | None = None, **words: Unpack[Words]
) -> list[str]:
    """Name what these words would say otherwise than the diary does now. Nothing is written.

    Raises
    ------
    UsageError, DataError
        As `log_night`, save that nothing need be said.
    """
    with study.record() as record:
        trial = read_trial(study, record, participant)
        entry = entry_from(trial, loggable_night(trial, study.clock(), night), words)
        require_sayable(trial, entry, study.clock())
        return contradicted(read_entries(record, trial.participant), entry)


def said_about(trial: Trial, entries: Sequence[DiaryEntry], night: date) -> dict[str, Any]:
    """Give what the diary says of one night now, by column, times on the person's clock; only ``night`` if nothing."""
    rows = current_diary(entries).filter(pl.col("night") == night).rows(named=True)
    effects = current_side_effects(entries).filter(pl.col("night") == night)
    said = {
        name: value.astimezone(trial.zone) if isinstance(value, datetime) else value
        for name, value in (rows[0] if rows else {"night": night}).items()
    }
    return said | {"side_effects": dict(effects.select("symptom", "severity").iter_rows())}


def is_paused(trial: Trial, night: date) -> bool:
    """Whether a night falls into a pause that lasts."""
    return trial.conduct.paused_since is not None and night >= trial.conduct.paused_since


def _stage(trial: Trial, period: Period | None, night: date) -> str:
    if period is not None:
        return "treatment"
    if trial.conduct.withdrawn:
        return "withdrawn"
    if is_paused(trial, night):
        return "paused"
    if night < trial.schedule.first_night:
        return "before"
    if night > trial.schedule.last_night:
        return "ended"
    begins = trial.schedule.first_on_arm
    return "run-in" if begins is None or night < begins else "between"


def what_to_take(trial: Trial, period: Period | None) -> str | None:
    """What to take on an evening of a period, in the protocol's words; None on no arm. A concealed arm is a bottle."""
    if period is None:
        return None
    if period.arm is None:
        return _from_bottle(trial, period.number)
    arm = trial.protocol.arm(period.arm)
    if arm.units_per_dose == 0:
        return f"{arm.label} (nothing to take)"
    units = f"{arm.units_per_dose} × " if arm.units_per_dose else ""
    return f"{units}{arm.label}" + (f", {arm.take}" if arm.take else "")


def _from_bottle(trial: Trial, number: int) -> str:
    """What a sealed trial may say: the bottle, and what a protocol that conceals says alike of every arm."""
    arm = trial.protocol.arms[0]
    units = f"{arm.units_per_dose} from " if arm.units_per_dose else "from "
    return f"{units}bottle {number}" + (f", {arm.take}" if arm.take else "")


def _treatment_nights(trial: Trial) -> list[date]:
    nights = (night for period in trial.schedule.periods for night in period.evenings)
    return [night for night in nights if not is_paused(trial, night)]


def _unlogged(trial: Trial, diary: pl.DataFrame, current: date) -> list[date]:
    logged = set(diary.filter(pl.col("dose_taken").is_not_null())["night"])
    due = (night for night in _treatment_nights(trial) if night < current and dose_due(trial, night))
    return sorted((night for night in due if night not in logged), reverse=True)


def dose_due(trial: Trial, night: date) -> bool:
    """Whether a treatment night has something to take; where the arms are concealed, every one has."""
    arm = trial.schedule.arm_on(night)
    return arm is None or trial.protocol.arm(arm).units_per_dose != 0


def safety_words(trial: Trial, effects: pl.DataFrame, nights: Collection[date]) -> list[str]:
    """Say which rule for stopping was met on these nights, or may be, and what an emergency is; nothing without cause.

    Parameters
    ----------
    effects
        As `nof1.trial.diary.current_side_effects` makes it.
    """
    safety = trial.protocol.safety
    met = [one for one in rules_met(safety.stop_if, effects) if any(one.first <= night <= one.last for night in nights)]
    told = [
        f"The rule for stopping is met: {one.when}. Stop, and ask your clinician. nof1 stop --reason ... or nof1 pause "
        "puts it on record."
        for one in met
    ]
    symptoms = list(dict.fromkeys(name for night in sorted(nights) for name in alarming(effects, night)))
    grave = [symptom for symptom in symptoms if symptom.casefold() in safety.emergency.casefold()]
    if grave:
        return [*told, f"{', '.join(grave).capitalize()}: {safety.emergency}"]
    if symptoms and not met:
        named = ", ".join(symptoms).capitalize()
        told = [f"{named}: stop and ask your clinician if this holds: {'; '.join(safety.stop_if)}."]
    return [*told, safety.emergency] if told else []


def rules_account(trial: Trial, effects: pl.DataFrame) -> list[str]:
    """Tell which rules for stopping the diary says were met, for every later report."""
    return [
        f"The protocol's rule for stopping was met: {one.when}."
        for one in rules_met(trial.protocol.safety.stop_if, effects)
    ]
