"""The current state of a study, read from the views over its record."""

from dataclasses import dataclass

from nof1.store.events import Record
from nof1.store.sessions import SleepFile


@dataclass(frozen=True, slots=True)
class ChosenStream:
    """The one stream that a participant's nights come from, and the best latency source of its `nights` when chosen."""

    stream: str
    latency_source: str
    nights: int


def admitted_files(record: Record, participant: str) -> list[SleepFile]:
    """The sleep files that the record admits, in the order they came."""
    events = record.events("admitted_import", participant=participant)
    return [SleepFile(participant, event.payload["key"], event.payload["sha256"]) for event in events]


def written_files(record: Record, participant: str) -> list[SleepFile]:
    """The sleep files that the record ever admitted: a retracted import stays on disk, and is not read."""
    events = [event for event in record.events(participant=participant) if event.kind == "imported"]
    return [SleepFile(participant, event.payload["key"], event.payload["sha256"]) for event in events]


def chosen_stream(record: Record, participant: str) -> ChosenStream | None:
    """What the first import fixed; None before it."""
    events = record.events("chosen_stream", participant=participant)
    return ChosenStream(**events[0].payload) if events else None
