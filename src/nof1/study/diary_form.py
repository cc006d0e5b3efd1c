"""The nightly form: what a person is asked about one night, in the same words every night."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from nof1.study.diaries import dose_due, is_paused, read_entries, said_about
from nof1.study.diary_checks import loggable_night
from nof1.study.study import Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.diary import DiaryEntry
from nof1.trial.protocol import DiaryItem

MORNING_H: Final = 8
"""So many hours before the moment that parts two nights, it is the morning after rather than the evening."""


@dataclass(frozen=True, slots=True)
class DiaryForm:
    """What is asked about one night.

    Parameters
    ----------
    is_over
        Whether its morning has come: then it is also asked how the night was, and the evening only where it is unsaid.
    dose_due
        Whether there was something to take. Where the arms are concealed that holds for every treatment night.
    evening, morning
        The protocol's questions for either.
    symptoms
        The side effects to ask for; they depend on neither night nor period.
    said
        What the diary says of this night now, by column (`nof1.study.diaries.said_about`).
    unasked
        The night before, where nothing was said about its morning yet; None otherwise.
    """

    night: date
    is_over: bool
    dose_due: bool
    evening: list[DiaryItem]
    morning: list[DiaryItem]
    symptoms: list[str]
    said: dict[str, Any]
    unasked: date | None

    def is_unsaid(self, name: str) -> bool:
        """Whether the diary says nothing under this name yet."""
        return self.said.get(name) is None


def diary_form(study: Study, *, night: date | None = None, participant: str | None = None) -> DiaryForm:
    """What to ask about a night, by default the present one.

    Raises
    ------
    InputMissingError
        No trial has begun.
    UsageError
        The night is still to come, or not on the schedule.
    """
    with study.record() as record:
        trial = read_trial(study, record, participant)
        evening = loggable_night(trial, study.clock(), night)
        entries = read_entries(record, trial.participant)
    items = trial.protocol.diary
    period = None if is_paused(trial, evening) else trial.schedule.period_on(evening)
    return DiaryForm(
        night=evening,
        is_over=_is_over(trial, study, evening),
        dose_due=period is not None and dose_due(trial, evening),
        evening=[item for item in items if item.when != "morning"],
        morning=[item for item in items if item.when == "morning"],
        symptoms=list(trial.protocol.safety.log),
        said=said_about(trial, entries, evening),
        unasked=_unasked(trial, entries, evening - timedelta(days=1)),
    )


def _is_over(trial: Trial, study: Study, night: date) -> bool:
    local = study.clock().astimezone(trial.zone)
    hours_left = (trial.protocol.sleep.night_boundary_h - local.hour - local.minute / 60) % 24
    return night < trial.evening(study.clock()) or 0 < hours_left <= MORNING_H


def _unasked(trial: Trial, entries: Sequence[DiaryEntry], night: date) -> date | None:
    about = [entry for entry in entries if entry.night == night]
    told = any(entry.side_effects or entry.sleep_quality or entry.awakenings is not None for entry in about)
    return None if told or not trial.schedule.first_night <= night <= trial.schedule.last_night else night
