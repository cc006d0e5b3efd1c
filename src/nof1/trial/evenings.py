"""Evenings: what each evening of a trial is, under a name that stays when a pause moves its date."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from nof1.trial.conduct import Pause
from nof1.trial.schedule import NIGHT, Period, Schedule


@dataclass(frozen=True, slots=True)
class Evening:
    """One evening of the calendar.

    Parameters
    ----------
    name
        Its place in the trial, such as ``period-3-night-4``, ``run-in-2`` or ``after-period-3-night-1``: no date.
    period
        The part of a period that it belongs to; None on no arm.
    number, of
        Which one it is of the nights of its period, its run-in or its gap; `number` counts from 1.
    """

    name: str
    night: date
    period: Period | None
    number: int
    of: int


def evenings(schedule: Schedule, pauses: Sequence[Pause] = ()) -> list[Evening]:
    """Name every evening of the trial, in order of their dates.

    Parameters
    ----------
    schedule
        The calendar as it stands.
    pauses
        Their nights are no evenings of the trial. While a pause lasts, nothing after it is known either.
    """
    lasting = min((pause.first_night for pause in pauses if pause.back is None), default=date.max)
    idle = {pause.first_night + day * NIGHT for pause in pauses if pause.back for day in range(_length(pause))}
    named = [one for group in _groups(schedule, idle) for one in group]
    return sorted((one for one in named if one.night < lasting), key=lambda one: one.night)


def _length(pause: Pause) -> int:
    return (pause.back - pause.first_night).days if pause.back else 0


def _groups(schedule: Schedule, idle: set[date]) -> Iterator[list[Evening]]:
    """Yield the run-in, then each period and the nights on no arm that follow it."""
    run_in = _between(schedule.first_night, schedule.first_on_arm or schedule.last_night + NIGHT)
    yield _numbered("run-in-", [night for night in run_in if night not in idle])
    for number in dict.fromkeys(period.number for period in schedule.periods):
        parts = [part for part in schedule.periods if part.number == number]
        yield _numbered(f"period-{number}-night-", [(night, part) for part in parts for night in part.evenings])
        following = [part.first_night for part in schedule.periods if part.first_night > parts[-1].last_night]
        gap = _between(parts[-1].last_night + NIGHT, min(following, default=date.min))
        yield _numbered(f"after-period-{number}-night-", [night for night in gap if night not in idle])


def _between(first: date, end: date) -> list[date]:
    """The dates from the first until the day before the end."""
    return [first + day * NIGHT for day in range((end - first).days)]


def _numbered(prefix: str, nights: Sequence[date | tuple[date, Period]]) -> list[Evening]:
    placed = [night if isinstance(night, tuple) else (night, None) for night in nights]
    return [
        Evening(f"{prefix}{number}", night, period, number, len(placed))
        for number, (night, period) in enumerate(placed, start=1)
    ]
