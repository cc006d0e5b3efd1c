"""What became of a trial, as its events tell it: pauses, an early end, amendments, and when each was said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from nof1.store.events import Event
from nof1.trial.conduct import Pause, end_early, shift_by_pauses
from nof1.trial.schedule import NIGHT, Schedule, evening_of

ENDINGS: Final = ("stopped", "withdrawn")
CONDUCT: Final = {
    "paused": "Paused from {first_night} on: {reason}.",
    "resumed": "Resumed on {back}.",
    "stopped": "Stopped early; the last evening was {last_night}: {reason}.",
    "withdrawn": "The participant withdrew; the last evening was {last_night}: {reason}.",
    "amended": "Amended on {date}: {reason}.",
}
"""Every kind of event of the view `conduct`, as it is told in reports."""

BEFORE_ALL: Final = {
    "stopped": "Stopped before the first evening: {reason}.",
    "withdrawn": "The participant withdrew before the first evening: {reason}.",
}
"""The same of a trial that ended before it had an evening."""

APPLIES: Final = {"paused": "first_night", "resumed": "back", "stopped": "last_night", "withdrawn": "last_night"}
"""By kind, the key of the evening that an event is about; an amendment is about the moment it is made."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """What came between, as the record tells it.

    Parameters
    ----------
    paused_since
        The first evening of the pause that lasts; None where none does.
    ended_early
        The last evening, where the trial was ended before its planned end; `withdrawn` where the participant took back
        the consent, and then nothing is analysed.
    pauses
        The pauses that are over.
    said
        Pauses, early end and amendments, in order: sentences with date and reason, and the day on which it was said
        where that is another one, for every later report.
    """

    paused_since: date | None
    ended_early: date | None
    withdrawn: bool
    pauses: tuple[Pause, ...]
    said: tuple[str, ...]


def as_conducted(planned: Schedule, events: Sequence[Event]) -> Schedule:
    """Play pauses and endings; a trial that ends while it is paused ends with the evening before the pause."""
    paused: date | None = None
    for event in events:
        if event.kind == "paused":
            paused = date.fromisoformat(event.payload["first_night"])
        elif event.kind == "resumed":
            planned, paused = shift_by_pauses(planned, [_pause(event)]), None
        elif event.kind in ENDINGS:
            last_night = date.fromisoformat(event.payload["last_night"])
            planned = end_early(planned, min(last_night, paused - NIGHT) if paused else last_night)
    return planned


def read_conduct(planned: Schedule, events: Sequence[Event], zone: ZoneInfo, boundary_h: float) -> Conduct:
    """Read the events of the view `conduct`.

    Parameters
    ----------
    planned
        The schedule before anything came between.
    zone, boundary_h
        Where the participant is at home, and the hour that parts two nights: they tell on which evening it was said.
    """
    pauses = [event for event in events if event.kind in {"paused", "resumed"}]
    endings = [event for event in events if event.kind in ENDINGS]
    ending = endings[0] if endings else None
    lasting = ending is None and pauses and pauses[-1].kind == "paused"
    return Conduct(
        paused_since=date.fromisoformat(pauses[-1].payload["first_night"]) if lasting else None,
        ended_early=date.fromisoformat(ending.payload["last_night"]) if ending else None,
        withdrawn=any(event.kind == "withdrawn" for event in endings),
        pauses=tuple(_pause(event) for event in events if event.kind == "resumed"),
        said=tuple(_told(event, planned.first_night, zone, boundary_h) for event in events),
    )


def _pause(resumed: Event) -> Pause:
    payload = resumed.payload
    return Pause(date.fromisoformat(payload["first_night"]), date.fromisoformat(payload["back"]))


def _told(event: Event, first_night: date, zone: ZoneInfo, boundary_h: float) -> str:
    said_at = datetime.fromisoformat(event.at).astimezone(zone)
    evening = evening_of(said_at, boundary_h)
    if event.kind in ENDINGS and date.fromisoformat(event.payload["last_night"]) < first_night:
        told, late = BEFORE_ALL[event.kind].format(reason=event.reason), evening > first_night
    else:
        told = CONDUCT[event.kind].format(reason=event.reason, **event.payload)
        late = event.kind in APPLIES and not _said_then(event, evening)
    return f"{told} That was said on {said_at.date()}." if late else told


def _said_then(event: Event, evening: date) -> bool:
    """Whether an event was said on the evening it is about; of an end also on the one after, which is the first off."""
    applies = date.fromisoformat(event.payload[APPLIES[event.kind]])
    return evening == applies or (event.kind in ENDINGS and evening == applies + NIGHT)
