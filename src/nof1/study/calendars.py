"""The trial as a calendar for the phone: an alarm every evening, blind where the trial is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final

from nof1.errors import NotAllowedError, UsageError
from nof1.report.ics import MAKER, Reminder, render_calendar
from nof1.store.events import Record
from nof1.store.folder import replace_file
from nof1.study.diaries import what_to_take
from nof1.study.study import Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.conduct import Pause
from nof1.trial.diary import moment_on
from nof1.trial.evenings import Evening, evenings
from nof1.trial.schedule import Schedule

REMIND: Final = "21:30"
LOOKED_AT: Final = 4_096
"""Bytes of a file in the way, in which its maker must stand."""


@dataclass(frozen=True, slots=True)
class CalendarExported:
    """What was written.

    Parameters
    ----------
    remind
        When the alarms sound, on the clock of `zone`.
    evenings, cancelled
        Events that stand, and events of an earlier export that are no more.
    export
        Which export of this trial it is, from 0: the SEQUENCE of its events.
    """

    participant: str
    file: Path
    zone: str
    remind: str
    evenings: int
    cancelled: int
    export: int
    first_night: date
    last_night: date


def export_calendar(
    study: Study, file: Path | str | None = None, *, remind: str | None = None, participant: str | None = None
) -> CalendarExported:
    """Write the calendar as it stands now; importing it again moves the events of the export before.

    Parameters
    ----------
    file
        Where to write, by default ``trial-P01.ics`` (the participant's code) in the working directory. An earlier
        calendar of nof1 is replaced, any other file is not.
    remind
        When the alarms sound, such as ``21:30``; small hours belong to the same night. By default as in the export
        before, in the first at `REMIND`.

    Raises
    ------
    UsageError
        Another file is in the way.
    NotAllowedError
        No evening is left on the calendar, and none was exported.
    DataError
        `remind` is no time of day, or the spring clock change skipped it on one of the nights.
    WriteError
        The file cannot be written.
    """
    with study.record() as record, record.writing():
        trial = read_trial(study, record, participant)
        path = Path(file or f"trial-{trial.participant.code}.ics")
        before = record.events("exported_calendar", participant=trial.participant.code)
        at = remind or (before[-1].payload["remind"] if before else REMIND)
        standing, gone = _evenings(record, trial, exported=bool(before))
        if not standing and not gone:
            raise NotAllowedError(_why_empty(trial))
        now = study.clock()
        text = render_calendar(
            [*_reminders(trial, standing, at, now), *_cancelled(trial, gone, at)],
            trial.zone,
            name=f"nof1 {trial.participant.code}",
            stamp=now,
            sequence=len(before),
        )
        study.append(
            record, "calendar-exported", {"remind": at}, command="calendar", participant=trial.participant.code
        )
        _write(path, text)
    return CalendarExported(
        participant=trial.participant.code,
        file=path,
        zone=trial.participant.zone,
        remind=at,
        evenings=len(standing),
        cancelled=len(gone),
        export=len(before),
        first_night=trial.schedule.first_night,
        last_night=trial.schedule.last_night,
    )


def _why_empty(trial: Trial) -> str:
    if since := trial.conduct.paused_since:
        return f"The trial rests from {since} on, and nobody knows its evenings yet: nof1 resume, then nof1 calendar."
    return "No evening is on the calendar: there is nothing to be reminded of."


def _evenings(record: Record, trial: Trial, *, exported: bool) -> tuple[list[Evening], list[Evening]]:
    """The evenings that stand, and those that an earlier export may hold and that are no more."""
    lasting = trial.conduct.paused_since
    pauses = [*trial.conduct.pauses, *([Pause(lasting, None)] if lasting else [])]
    standing = evenings(trial.schedule, pauses)
    if not exported:
        return standing, []
    names = {evening.name for evening in standing}
    payload = record.events("started_trial", participant=trial.participant.code)[0].payload
    planned = evenings(Schedule.from_payload(payload["schedule"]))
    return standing, [evening for evening in planned if evening.name not in names]


def _reminders(trial: Trial, standing: list[Evening], remind: str, now: datetime) -> Iterator[Reminder]:
    for evening in standing:
        at = _at(trial, evening, remind)
        last = _is_guessed(trial) and evening.period is not None and evening.number == evening.of
        guess = " Last night of this bottle: say which treatment you think it was (nof1 guess)." if last else ""
        yield Reminder(
            uid=_uid(trial, evening),
            at=at,
            title=f"nof1: {_what(trial, evening)}, night {evening.number} of {evening.of}"
            + (", guess" if last else ""),
            text=f"{_asks(trial, evening)} Then: nof1 log.{guess}",
            alarm=at > now,
        )


def _cancelled(trial: Trial, gone: list[Evening], remind: str) -> Iterator[Reminder]:
    for evening in gone:
        yield Reminder(_uid(trial, evening), _at(trial, evening, remind), "nof1: no longer planned", "", cancelled=True)


def _uid(trial: Trial, evening: Evening) -> str:
    """By place in the trial: what a pause moves to another date stays one event."""
    return f"{evening.name}.{trial.participant.code}.{trial.receipt[:32]}@nof1"


def _at(trial: Trial, evening: Evening, remind: str) -> datetime:
    instant = moment_on(evening.night, remind, trial.zone, boundary_h=trial.protocol.sleep.night_boundary_h)
    return instant.astimezone(trial.zone)


def _is_guessed(trial: Trial) -> bool:
    return trial.seal is not None and trial.protocol.blinding.guess != "never"


def _what(trial: Trial, evening: Evening) -> str:
    if evening.period is None:
        return "nothing to take, wear the device"
    if trial.seal is not None:
        return f"bottle {evening.period.number}"
    return trial.protocol.arm(str(evening.period.arm)).label


def _asks(trial: Trial, evening: Evening) -> str:
    if evening.period is None:
        return "Wear the device; there is nothing to take tonight."
    # An allocation that was sealed stays out of calendars, also after it was opened: phones show them to everybody.
    period = replace(evening.period, arm=None) if trial.seal is not None else evening.period
    return f"Tonight: {what_to_take(trial, period)}."


def _write(path: Path, text: bytes) -> None:
    if path.exists() and not _is_own(path):
        raise UsageError(f"{path} is in the way, and it is no calendar of nof1. Name another file with --output.")
    replace_file(path, text)


def _is_own(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return MAKER.encode() in file.read(LOOKED_AT)
    except OSError:  # a folder, or not ours to read
        return False
