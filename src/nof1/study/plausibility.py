"""Whether what the record tells of a trial can have happened.

Each payload has its shape by now (`nof1.store.payloads`) and stands where it may (`nof1.store.history`). What is left
is what only the registered protocol and the calendar can tell: an arm that there is not, a period that was never
planned, a pause that ends before it began.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from nof1.errors import TamperedError
from nof1.store.events import Event
from nof1.study.openings import Opening
from nof1.trial.allocation import Allocation
from nof1.trial.protocol import Protocol
from nof1.trial.schedule import Schedule, schedule
from nof1.trial.scheme import FIXED


def require_possible(
    protocol: Protocol, started: Mapping[str, Any], openings: Sequence[Opening], conducted: Sequence[Event]
) -> None:
    """Refuse to make a trial of a record that tells what cannot have happened.

    Parameters
    ----------
    started
        The payload of the event that began the trial.
    conducted
        The events of the view `conduct`.

    Raises
    ------
    TamperedError
        Every fault is listed.
    """
    planned = Schedule.from_payload(started["schedule"])
    faults = _start_faults(protocol, planned, started) + _opening_faults(protocol, planned, openings)
    faults += [f"event {event.seq} ({event.kind}) {fault}" for event, fault in _conduct_faults(planned, conducted)]
    if faults:
        raise TamperedError(f"The record tells what cannot have happened: {'; '.join(faults)}. Restore it from a copy.")


def _start_faults(protocol: Protocol, planned: Schedule, started: Mapping[str, Any]) -> list[str]:
    """Say what the protocol's draw cannot have put on the calendar."""
    drawn, sealed = started["allocation"], started["seal"]
    if protocol.design.scheme == FIXED:
        return ["nof1 drew nothing, and a draw is on record"] if drawn or sealed else _brought_faults(protocol, planned)
    if (drawn is None) == (sealed is None):
        return ["a draw is either open or sealed, and this one is on record as both or as neither"]
    codes = [arm.code for arm in protocol.arms] * protocol.design.blocks
    sequence = drawn["sequence"] if drawn else codes
    if sorted(sequence) != sorted(codes):
        return ["the arms of the draw are not those of the protocol"]
    allocation = Allocation(protocol.design.scheme, 0, "", tuple(sequence))
    expected = schedule(allocation, protocol.design, planned.first_night)
    is_same = planned == (expected if drawn else expected.concealed())
    return [] if is_same else ["the calendar is not the one that the protocol and the draw give"]


def _opening_faults(protocol: Protocol, planned: Schedule, openings: Sequence[Opening]) -> list[str]:
    """Say which openings tell of a period or an arm that there is not."""
    numbers, codes = {period.number for period in planned.periods}, {arm.code for arm in protocol.arms}
    faults: list[str] = []
    for opening in openings:
        if opening.period is None and opening.arms.keys() != numbers:
            faults.append("an opening of the whole tells other periods than those planned")
        if opening.period is not None and len(opening.arms) != 1:
            faults.append("an opening of one period tells of several")
        for number, arm in opening.arms.items():
            if number not in numbers or arm not in codes:
                faults.append(f"period {number} was opened as {arm!r}: the protocol knows no such period or arm")
    return faults


def _conduct_faults(planned: Schedule, events: Sequence[Event]) -> Iterator[tuple[Event, str]]:
    """Yield which pauses, resumptions and endings cannot follow each other, and why."""
    paused: date | None = None
    free_from, ended, withdrawn = planned.first_night, False, False
    for event in events:
        if event.kind == "amended":
            continue
        if event.kind == "withdrawn":
            if withdrawn:
                yield event, "takes a consent back that was taken back"
            ended = withdrawn = True
        elif ended:
            yield event, "comes after the end of the trial"
        elif event.kind == "paused":
            first = date.fromisoformat(event.payload["first_night"])
            if paused is not None or first < free_from:
                yield event, "begins a pause in a pause, or before the trial"
            paused = first
        elif event.kind == "resumed":
            first, back = (date.fromisoformat(event.payload[name]) for name in ("first_night", "back"))
            if first != paused or back < first:
                yield event, "ends no pause that had begun"
            paused, free_from = None, back
        else:
            ended = True


def _brought_faults(protocol: Protocol, planned: Schedule) -> list[str]:
    codes = {arm.code for arm in protocol.arms}
    edges = [
        planned.first_night,
        *(edge for period in planned.periods for edge in (period.first_night, period.last_night)),
    ]
    faults = [] if edges == sorted(edges) else ["the periods are not one after the other"]
    if [period.number for period in planned.periods] != list(range(1, len(planned.periods) + 1)):
        faults.append("the periods are not numbered in order")
    if not {period.arm for period in planned.periods} <= codes:
        faults.append("a period is on an arm that the protocol does not have")
    return faults
