"""The current state of a study, read from the views over its record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nof1.store.events import Event, Record

if TYPE_CHECKING:
    from nof1.store.sessions import SleepFile


@dataclass(frozen=True, slots=True)
class ChosenStream:
    """The one stream that a participant's nights come from, and the best latency source of its `nights` when chosen.

    `by` says who chose it: `nof1` or `person`.
    """

    stream: str
    latency_source: str
    nights: int
    by: str = "nof1"


def admitted_files(record: Record, participant: str) -> "list[SleepFile]":
    """The sleep files that the record admits, in the order they came; a newer reading has the place of the older."""
    events = record.events("admitted_import", participant=participant)
    places = _places(record, participant)
    events.sort(key=lambda event: min(event.seq, places.get(_content(event), event.seq)))
    return _files(participant, events)


def _places(record: Record, participant: str) -> dict[tuple[Any, ...], int]:
    """Where each content first came that was read again by a newer connector."""
    events = record.events(participant=participant)
    read_again = {e.payload["key"] for e in events if e.kind == "import-retracted" and e.command == "import"}
    imported = [e for e in events if e.kind == "imported" and e.payload["key"] in read_again]
    return {_content(event): event.seq for event in reversed(imported)}


def _content(event: Event) -> tuple[Any, ...]:
    return tuple(event.payload.get(name) for name in ("fingerprint", "connector", "zone"))


def written_files(record: Record, participant: str) -> "list[SleepFile]":
    """The sleep files that the record ever admitted: a retracted import stays on disk, and is not read."""
    events = [event for event in record.events(participant=participant) if event.kind == "imported"]
    return _files(participant, events)


def _files(participant: str, events: Sequence[Event]) -> "list[SleepFile]":
    from nof1.store.sessions import SleepFile  # brings Arrow along, which nobody who asks for tonight's dose waits for

    return [SleepFile(participant, event.payload["key"], event.payload["sha256"], event.at) for event in events]


def chosen_stream(record: Record, participant: str) -> ChosenStream | None:
    """The stream that was chosen last; None before the first import."""
    events = record.events("chosen_stream", participant=participant)
    return ChosenStream(**events[0].payload) if events else None


def standing_analysis(record: Record, participant: str) -> Event | None:
    """The last analysis; None where there was none, or where sleep that it may have used was withdrawn after it."""
    events = record.events(participant=participant)
    last = next((event for event in reversed(events) if event.kind == "analysed"), None)
    if last is None:
        return None
    admitted = {event.payload["key"] for event in record.events("admitted_import", participant=participant)}
    used = {event.payload["key"] for event in events if event.kind == "imported" and event.seq < last.seq}
    withdrawn = (
        event.payload["key"]
        for event in events
        if event.kind == "import-retracted" and event.command == "retract" and event.seq > last.seq
    )
    return None if used.intersection(withdrawn) - admitted else last
