"""Which event can follow which: what nof1 never writes, it does not read either.

A second start, or a second joining in another zone, would be a valid link of a valid chain and change everything that
came before. The rules are those that every command keeps already; they are told here once, as a table.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from nof1.store.events import Event

CREATED: Final = "study-created"
ONCE: Final = frozenset({"participant-added", "trial-started"})
"""Kinds of which each participant has one at most."""

_OF_A_TRIAL: Final = (
    "kits-rendered", "diary-logged", "guessed", "paused", "resumed", "stopped", "withdrawn", "amended",
    "calendar-exported", "analysis-locked", "unblinded", "analysed",
)  # fmt: skip

AFTER: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(_OF_A_TRIAL, "trial-started"),
        "resumed": "paused",
        "import-retracted": "imported",
        "stream-chosen": "imported",
        "report-rendered": "analysed",
    }
)
"""What must have happened to the same participant before; to whoever joined, anything else may happen."""


CLOCK_SLACK: Final = timedelta(minutes=1)
"""A clock that is put right by less is no news."""


def history_faults(events: Sequence["Event"]) -> list[str]:
    """Say which events could not be where they are, one sentence a fault; empty where all could."""
    happened: dict[str | None, set[str]] = defaultdict(set)
    faults = []
    for event in events:
        if fault := _fault(event, happened[event.participant]):
            faults.append(f"event {event.seq} ({event.kind}) {fault}")
        happened[event.participant].add(event.kind)
    return faults


def clock_warnings(events: Sequence["Event"]) -> list[str]:
    """Say which events are dated before the one they follow: the clock was wrong then, which changes nothing."""
    return [
        f"event {event.seq} ({event.kind}, {event.at[:10]}) is dated before event {last.seq} ({last.kind}, "
        f"{last.at[:10]}), which it follows: the clock was wrong, or set"
        for last, event in pairwise(events)
        if datetime.fromisoformat(event.at) < datetime.fromisoformat(last.at) - CLOCK_SLACK
    ]


def no_later_than(events: Sequence["Event"], event: "Event") -> datetime:
    """When an event happened at the latest: before those that follow it, whatever its own clock said."""
    return min(datetime.fromisoformat(one.at) for one in events if one.seq >= event.seq)


def _fault(event: "Event", before: set[str]) -> str | None:
    if (event.kind == CREATED) != (event.seq == 1):
        return "is not where a study begins, which is its first event"
    if event.kind == CREATED:
        return None
    if event.kind in ONCE and event.kind in before:
        return f"happens to {event.participant} a second time"
    needed = None if event.kind == "participant-added" else AFTER.get(event.kind, "participant-added")
    if needed is not None and needed not in before:
        return f"happens to {event.participant} before anything is {needed}"
    return None
