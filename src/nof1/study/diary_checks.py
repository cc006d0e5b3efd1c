"""What may be said of a night: nothing far ahead, no dose where none was there, and of no other evening by chance."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from nof1.errors import UsageError
from nof1.study.trials import Trial
from nof1.trial.diary import DiaryEntry, contradicted, news, standing
from nof1.trial.keys import shown

AHEAD: Final = timedelta(hours=4)
"""So far ahead a time may lie that is written down. The evening is logged on the way to bed: the alarm sounds at 21:30,
and ``today`` asks for the lights-out that one is about to have. What is further ahead is a plan, or last evening's."""

ONE_EVENING: Final = timedelta(hours=8)
"""Who says something otherwise within so many hours corrects what was just written; later it may be another evening."""

AFTERWARDS: Final = timedelta(days=14)
"""How long after the last evening the diary stays open: side effects outlast what caused them."""


def loggable_night(trial: Trial, now: datetime, night: date | None) -> date:
    """The night that an entry is about, by default the present one.

    Raises
    ------
    UsageError
        It is still to come, or not on the schedule.
    """
    current = trial.evening(now)
    evening, schedule = night or current, trial.schedule
    if evening > current:
        raise UsageError(
            f"The night of {evening} is still to come{_clock(trial, now)}: it can be logged from {_begins(trial)} on. "
            f"The one before is --date {current}."
            if evening == current + timedelta(days=1)
            else f"The night of {evening} is still to come: log it when it is here."
        )
    if trial.conduct.paused_since is not None and evening >= trial.conduct.paused_since:
        return evening
    if not schedule.has_evenings:
        raise UsageError("The trial was ended before its first evening: there is no night to log.")
    if not schedule.first_night <= evening <= schedule.last_night + AFTERWARDS:
        raise UsageError(
            f"The night of {evening} is not on the schedule, which goes from {schedule.first_night} "
            f"to {schedule.last_night}; two weeks later the diary closes."
        )
    return evening


def require_sayable(trial: Trial, entry: DiaryEntry, now: datetime) -> None:
    """Refuse what cannot be so.

    Raises
    ------
    UsageError
        A time that is far ahead; a dose before the first period, or after the last.
    """
    _require_here(trial, entry, now)
    if entry.dose_taken or entry.dose_at is not None:
        _require_a_dose(trial, entry.night)


def require_agreeing(before: Sequence[DiaryEntry], entry: DiaryEntry) -> None:
    """Ask back where a time is said of a dose that is logged as not taken.

    Parameters
    ----------
    before
        What was said until now, of every night or of this one.

    Raises
    ------
    UsageError
        It has a time and was not taken.
    """
    if entry.dose_at and entry.dose_taken is None and standing(before, entry.night).get("dose_taken") is False:
        raise UsageError(
            f"The dose of {entry.night} is logged as not taken. If it was taken after all, say both: --taken and --at."
        )


def require_meant(trial: Trial, before: Sequence[DiaryEntry], entry: DiaryEntry, now: datetime) -> None:
    """Ask back where the present evening has its words already and nobody named it: another one may be meant.

    Far from home two evenings can fall on one date of the home clock, and the later would be written over the earlier.
    Asked only where what stands was not said in the same hours (`ONE_EVENING`).

    Raises
    ------
    UsageError
        It says otherwise than the diary does, or nothing that is new.
    """
    changed, told = contradicted(before, entry), standing(before, entry.night)
    if not changed and news(before, entry) != DiaryEntry(night=entry.night):
        return
    said = "; ".join(f"{name.replace('_', ' ')} {_spelled(trial, told[name])}" for name in changed or told)
    raise UsageError(
        f"The evening of {entry.night:%A, %d %B %Y} says already: {said}. Nothing was written. If you mean that "
        f"evening, add --date {entry.night} (and --reason). If you mean another, add its --date; the next one can be "
        f"logged from {_begins(trial)} on{_clock(trial, now)}."
    )


def _require_here(trial: Trial, entry: DiaryEntry, now: datetime) -> None:
    for what, moment in (("A dose", entry.dose_at), ("Lights out", entry.lights_out)):
        if moment is not None and moment > now + AHEAD:
            raise UsageError(
                f"{what} at {_spelled(trial, moment)} is still far ahead{_clock(trial, now)}: write it down on the way "
                f"to bed, or in the morning. If another evening is meant, name it, such as --date "
                f"{entry.night - timedelta(days=1)}."
            )


def _require_a_dose(trial: Trial, night: date) -> None:
    """Refuse a dose before the first period and after the last; one in a pause or a washout can have been taken."""
    schedule, paused = trial.schedule, trial.conduct.paused_since
    instead = "What was taken all the same belongs into --note; a dose of another evening is logged with its --date."
    if paused is not None and night >= paused:
        return
    if night > schedule.last_night:
        raise UsageError(
            f"The trial's last evening was {schedule.last_night}: it had no dose on {night}. Side effects and notes "
            f"can be logged until {schedule.last_night + AFTERWARDS}. {instead}"
        )
    if schedule.first_on_arm is None or night < schedule.first_on_arm:
        first = f"the first dose is that of {schedule.first_on_arm}" if schedule.first_on_arm else "it had no dose"
        raise UsageError(
            f"The evening of {night} is of the run-in, with nothing to take; {first}. All else can be logged. {instead}"
        )


def _spelled(trial: Trial, value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(trial.zone):%H:%M}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown(value) if isinstance(value, str) else f"{value:g}"


def _clock(trial: Trial, now: datetime) -> str:
    """Tell the clock that decides, for who is far from it."""
    return f" (times are those of {trial.zone.key}, where it is {_spelled(trial, now)})"


def _begins(trial: Trial) -> str:
    """The time of day at which a new evening can be logged."""
    hour, minute = divmod(round(trial.protocol.sleep.night_boundary_h * 60), 60)
    return f"{hour:02}:{minute:02}"
