"""Beginning a trial, and the trial as the record tells it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from nof1.errors import InputMissingError, NotAllowedError, TamperedError, UsageError
from nof1.model.priors import priors_for
from nof1.store.events import Record
from nof1.store.folder import write_private_file
from nof1.store.state import ChosenStream, chosen_stream
from nof1.study.protocols import protocol_text
from nof1.study.study import Participant, Study
from nof1.study.verification import protocol_faults
from nof1.trial.allocation import SEED_BYTES, Allocation, allocate, smallest_p
from nof1.trial.protocol import Outcome, Protocol, parse_protocol
from nof1.trial.schedule import Schedule, calendar, evening_of, schedule, schedule_from_csv

OPEN_LABEL: Final = "open label"
FARTHEST_START: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial that has begun: what was registered, and what was drawn.

    Parameters
    ----------
    allocation
        The draw; None when the schedule was brought and nof1 drew nothing.
    receipt
        The hash of the event that began it: kept elsewhere, it shows that the record still holds that event.
    blinding
        In words, for every page and table: ``open label``.
    stream
        The stream that the nights come from, and its best latency source; None before the first import.
    """

    participant: Participant
    protocol: Protocol
    schedule: Schedule
    allocation: Allocation | None
    blinding: str
    started_at: str
    receipt: str
    stream: ChosenStream | None

    @property
    def smallest_p(self) -> float | None:
        """The smallest two-sided p that a randomisation test could reach; None for a schedule that was brought."""
        return smallest_p(self.protocol.design, self.protocol.arms) if self.allocation else None

    @property
    def zone(self) -> ZoneInfo:
        """The participant's home zone."""
        return ZoneInfo(self.participant.zone)

    def calendar(self) -> pl.DataFrame:
        """One row a night of the schedule, as `nof1.trial.schedule.calendar` gives it."""
        return calendar(self.schedule)

    def evening(self, instant: datetime) -> date:
        """The night that an instant belongs to: 00:30 belongs to the evening before."""
        return evening_of(instant.astimezone(self.zone), self.protocol.sleep.night_boundary_h)

    @property
    def registered_before_first_night(self) -> bool:
        """Whether the protocol was registered no later than the first evening of the schedule."""
        return self.evening(datetime.fromisoformat(self.started_at)) <= self.schedule.first_night

    def has_ended(self, instant: datetime) -> bool:
        """Whether the last night is over."""
        return self.evening(instant) > self.schedule.last_night


def start_trial(
    study: Study,
    protocol: Path | str,
    *,
    on: date | None = None,
    schedule_file: Path | str | None = None,
    open_label: bool = False,
    participant: str | None = None,
    entropy: Callable[[int], bytes] = os.urandom,
) -> Trial:
    """Register a protocol and draw the sequence of its arms, or take over an existing schedule.

    Parameters
    ----------
    protocol
        A file, or the id of one in the library. Its exact text becomes ``protocol.toml``; its hash enters the record.
    on
        The evening of the first night on the schedule, run-in included. Not for a fixed schedule, which has its dates.
    schedule_file
        CSV with the columns ``date,arm`` (the evening's date; an empty arm is a night on none), for scheme ``fixed``.
    open_label
        Run a protocol that conceals its arms without concealment.
    entropy
        Gives the random bytes of the draw.

    Raises
    ------
    ProtocolError
        The protocol has mistakes.
    DataError
        An outcome has no model yet.
    UsageError
        A trial has begun already, the date is past, or the protocol and the options do not fit together.
    NotAllowedError
        The protocol conceals its arms, and `open_label` is not said.
    """
    text, where = protocol_text(protocol)
    checked = parse_protocol(text, where=where)
    _check_startable(checked, open_label=open_label)
    with study.record() as record, record.writing():
        person = study.participant(record, participant)
        _check_fits_study(record, person, checked)
        if (checked.design.scheme == "fixed") != (schedule_file is not None):
            raise UsageError('--schedule FILE goes with scheme = "fixed", and only with it.')
        drawn: Allocation | None = None
        if schedule_file is not None:
            planned = _brought_schedule(checked, Path(schedule_file), on)
        else:
            today = evening_of(study.clock().astimezone(ZoneInfo(person.zone)), checked.sleep.night_boundary_h)
            drawn, planned = _drawn_schedule(checked, on, today=today, entropy=entropy)
        write_private_file(study.folder.protocol, text.encode())
        payload = _payload(checked, planned, drawn)
        study.append(record, "trial-started", payload, command="start", participant=person.code)
        return read_trial(study, record, person.code)


def read_trial(study: Study, record: Record, participant: str | None = None) -> Trial:
    """The participant's trial.

    Raises
    ------
    InputMissingError
        None has begun.
    TamperedError
        ``protocol.toml`` is not the text that was registered.
    """
    person = study.participant(record, participant)
    events = record.events("started_trial", participant=person.code)
    if not events:
        raise InputMissingError(f"No trial has begun for {person.code}. Begin one with: nof1 start PROTOCOL --on DATE.")
    if faults := protocol_faults(study, record):
        raise TamperedError(f"{study.folder.path}: {'; '.join(faults)}. Restore it from a copy.")
    payload = events[0].payload
    drawn = payload["allocation"]
    return Trial(
        participant=person,
        protocol=parse_protocol(study.folder.protocol.read_text(encoding="utf-8")),
        schedule=Schedule.from_payload(payload["schedule"]),
        allocation=Allocation.from_payload(drawn) if drawn else None,
        blinding=payload["blinding"],
        started_at=events[0].at,
        receipt=events[0].hash,
        stream=chosen_stream(record, person.code),
    )


def _check_startable(protocol: Protocol, *, open_label: bool) -> None:
    if protocol.conceals and not open_label:
        raise NotAllowedError(
            f"Protocol {protocol.id} conceals its arms from {' and '.join(protocol.blinding.concealed_from)}, and this "
            "version cannot seal an allocation yet. With --open-label it runs unsealed, and every page will say so."
        )
    for outcome in protocol.outcomes:  # what analysis would refuse after the last night, say before the first
        priors_for(outcome.measure, baseline=None, effect_sd=own_prior_sd(protocol, outcome))


def own_prior_sd(protocol: Protocol, outcome: Outcome) -> float | None:
    """The protocol's own prior SD of the effect; it is meant for the primary outcome."""
    sd = protocol.analysis.prior_effect_sd
    return sd if outcome.role == "primary" and not isinstance(sd, str) else None


def _check_fits_study(record: Record, person: Participant, protocol: Protocol) -> None:
    started = record.events("started_trial")
    if any(event.participant == person.code for event in started):
        raise UsageError(
            f"{person.code}'s trial has begun already, and a study holds one each. Make a new study: nof1 init."
        )
    if any(event.payload["protocol_sha256"] != protocol.sha256 for event in started):
        raise UsageError("Another protocol is registered in this study. Make a new study with nof1 init.")


def _brought_schedule(protocol: Protocol, path: Path, on: date | None) -> Schedule:
    if on is not None:
        raise UsageError("The schedule brings its own dates: leave --on out.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputMissingError(f"{path} is not there. Name a CSV file with the columns date,arm.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as text: {error}.") from error
    return schedule_from_csv(text, protocol.arms, protocol.design.transition_nights, where=str(path))


def _drawn_schedule(
    protocol: Protocol, on: date | None, *, today: date, entropy: Callable[[int], bytes]
) -> tuple[Allocation, Schedule]:
    if on is None:
        raise UsageError(f"Protocol {protocol.id} draws its own sequence: give the first evening with --on DATE.")
    if on < today:
        raise UsageError(
            f"--on {on} is past, and a draw must come before the first night. Start tonight ({today}) or later; a "
            'trial run elsewhere is brought with scheme = "fixed" and --schedule FILE.'
        )
    if on > today + FARTHEST_START:
        raise UsageError(f"--on {on} is more than a year ahead: is the year mistyped?")
    drawn = allocate(protocol.design, protocol.arms, entropy(SEED_BYTES))
    return drawn, schedule(drawn, protocol.design, on)


def _payload(protocol: Protocol, planned: Schedule, drawn: Allocation | None) -> dict[str, Any]:
    return {
        "protocol_id": protocol.id,
        "protocol_sha256": protocol.sha256,
        "schedule": planned.to_payload(),
        "allocation": drawn.to_payload() if drawn else None,
        "blinding": OPEN_LABEL,
    }
