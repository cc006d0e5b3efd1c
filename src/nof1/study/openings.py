"""Openings of the seal, as the record tells them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nof1.store.events import Event, Record
from nof1.trial.allocation import told_by
from nof1.trial.protocol import Protocol
from nof1.trial.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening of the seal: of the whole allocation, or of a single period.

    Parameters
    ----------
    period
        The number of the single period; None where the whole was opened.
    arms
        The codes of the arms that were told, by the number of the period.
    allocation
        What was drawn, where the whole was opened (`nof1.trial.allocation.Allocation.to_payload`).
    at
        The instant, in UTC.
    actor
        Who did it.
    """

    period: int | None
    arms: Mapping[int, str]
    allocation: Mapping[str, Any] | None
    at: datetime
    actor: str
    reason: str


def read_openings(record: Record, participant: str) -> tuple[Opening, ...]:
    """Every opening of one participant's seal, in order."""
    return tuple(_opening(event) for event in record.events("unsealed_period", participant=participant))


def locks(record: Record, participant: str) -> list[Event]:
    """Every lock of the analysis, in order; the first one counts, or a second would hide what changed after it."""
    return [event for event in record.events(participant=participant) if event.kind == "analysis-locked"]


def before_lock(record: Record, participant: str, openings: Sequence[Opening]) -> list[Opening]:
    """The openings that no lock came before."""
    if not openings:
        return []
    locked = locks(record, participant)
    return [opening for opening in openings if not locked or opening.at < datetime.fromisoformat(locked[0].at)]


def with_opened(planned: Schedule, openings: Sequence[Opening]) -> Schedule:
    """Fill the arms in when all are open: what was opened for an emergency is not told to everybody else.

    Parameters
    ----------
    planned
        The calendar as it was drawn: of one that an early end cut, the bottles opened so far may seem to be all.
    """
    arms = opened(openings)
    return planned.with_arms(arms) if arms.keys() >= _numbers(planned) else planned


def opened(openings: Sequence[Opening]) -> dict[int, str]:
    """The arms that openings told, by the number of the period."""
    return {number: arm for opening in openings for number, arm in opening.arms.items()}


def known_from(protocol: Protocol, openings: Sequence[Opening]) -> set[int]:
    """The periods whose arm openings told, and those that follow from them."""
    arms = opened(openings)
    return told_by(protocol.design, protocol.arms, arms) if arms else set()


def all_told(protocol: Protocol, schedule: Schedule, openings: Sequence[Opening]) -> bool:
    """Whether openings, and what follows from them, leave no period concealed."""
    told = known_from(protocol, openings)
    return bool(told) and told >= _numbers(schedule)


def _numbers(schedule: Schedule) -> set[int]:
    return {period.number for period in schedule.periods}


def _opening(event: Event) -> Opening:
    arms = {int(number): arm for number, arm in event.payload["arms"].items()}
    allocation = event.payload["allocation"]
    return Opening(
        period=next(iter(arms)) if allocation is None else None,
        arms=arms,
        allocation=allocation,
        at=datetime.fromisoformat(event.at),
        actor=event.actor,
        reason=event.reason or "",
    )
