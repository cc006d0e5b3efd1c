"""What became of the calendar: pauses that shift it, and an end that comes early."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from nof1.trial.schedule import NIGHT, Period, Schedule


@dataclass(frozen=True, slots=True)
class Pause:
    """Nights on no arm because of illness, travel and the like.

    Parameters
    ----------
    first_night
        The first evening without treatment.
    back
        The first evening on treatment again; None while the pause lasts.
    """

    first_night: date
    back: date | None


def shift_by_pauses(schedule: Schedule, pauses: Sequence[Pause]) -> Schedule:
    """Move what was still to come by the nights of each pause; a pause that lasts moves nothing yet.

    A period that is interrupted has two parts of one number. Its transition nights come again after the pause, for
    what had been taken has worn off by then.

    Parameters
    ----------
    pauses
        In order, each on the calendar as it stood when the pause began.
    """
    for pause in pauses:
        if pause.back is not None:
            moved = tuple(
                part for period in schedule.periods for part in _around(period, pause.first_night, pause.back)
            )
            schedule = replace(schedule, periods=moved)
    return schedule


def end_early(schedule: Schedule, last_night: date) -> Schedule:
    """Cut the calendar off after an evening; no period is left where none had begun."""
    kept = tuple(
        replace(period, nights=min(period.nights, (last_night - period.first_night).days + 1))
        for period in schedule.periods
        if period.first_night <= last_night
    )
    return replace(schedule, periods=kept, cut_off=None if kept else last_night)


def _around(period: Period, first_night: date, back: date) -> list[Period]:
    shift = back - first_night
    if period.last_night < first_night or not shift:
        return [period]
    if period.first_night >= first_night:
        return [replace(period, first_night=period.first_night + shift)]
    before = (first_night - period.first_night) // NIGHT
    return [
        replace(period, nights=before),
        replace(period, first_night=back, nights=period.nights - before),
    ]
