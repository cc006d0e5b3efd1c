"""Beginning a trial, and the trial as the record tells it."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from nof1.errors import InputMissingError, NotAllowedError, TamperedError, UsageError
from nof1.model.priors import require_model
from nof1.store.events import Record
from nof1.store.seal import Custodian, seal
from nof1.store.state import ChosenStream, chosen_stream
from nof1.study.conducted import Conduct, as_conducted, read_conduct
from nof1.study.new_calendar import brought_calendar, draw_calendar
from nof1.study.openings import Opening, all_told, before_lock, read_openings, with_opened
from nof1.study.plausibility import require_possible
from nof1.study.protocols import keep_protocol, new_protocol, protocol_text
from nof1.study.safety_gate import (
    ANSWERED,
    answers_at_gate,
    gate_account,
    is_stopped,
    keep_refusal,
    require_explained,
    stopped_words,
)
from nof1.study.study import Participant, Study
from nof1.trial.allocation import Allocation, smallest_p
from nof1.trial.blinding import OPEN_LABEL, CustodianRole, after_openings, blinding_words
from nof1.trial.commitment import SALT_BYTES, Sealed
from nof1.trial.protocol import Outcome, Protocol, parse_protocol
from nof1.trial.safety import SafetyAnswers
from nof1.trial.schedule import Schedule, calendar, evening_of, evening_to_come
from nof1.trial.scheme import FIXED
from nof1.trial.strength import weaknesses


@dataclass(frozen=True, slots=True)
class Seal:
    """The sealed allocation, as the record holds it.

    Parameters
    ----------
    commitment
        What binds it: see `nof1.trial.commitment`.
    ciphertext
        age, in base64.
    custodian
        The public key that it is sealed to, or ``passphrase``.
    role
        Who holds the key; None: not said.
    """

    commitment: str
    ciphertext: str
    custodian: str
    role: CustodianRole | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial that has begun: what was registered, and what was drawn.

    Parameters
    ----------
    planned
        The calendar as it was drawn. Its arms are None until every one of them was opened, those of periods that a
        trial ended before included: nothing that reads a sealed trial can tell them.
    schedule
        The same, as pauses moved it and an early end cut it.
    allocation
        The draw; None when the schedule was brought and nof1 drew nothing, and while it is sealed.
    seal
        The sealed allocation, where the protocol conceals it; it stays after the seal was opened.
    openings
        When the seal was opened, whole or for one period.
    receipt
        The hash of the event that began it: kept elsewhere, it shows that the record still holds that event.
    conduct
        What came between: a pause that lasts, an early end, amendments.
    blinding
        In words, for every page and table (`nof1.trial.blinding`): ``open label``, or from whom the arms are concealed.
    stream
        The stream that the nights come from, and its best latency source; None before the first import.
    """

    participant: Participant
    protocol: Protocol
    planned: Schedule
    schedule: Schedule
    allocation: Allocation | None
    seal: Seal | None
    openings: tuple[Opening, ...]
    conduct: Conduct
    blinding: str
    started_at: str
    receipt: str
    stream: ChosenStream | None

    @property
    def smallest_p(self) -> float | None:
        """The smallest two-sided p that a randomisation test could reach; None for a schedule that was brought."""
        return smallest_p(self.protocol.design, self.protocol.arms)

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """Where the design is weak, and what that costs (`nof1.trial.strength`)."""
        return weaknesses(self.protocol)

    @property
    def drawn(self) -> bool:
        """Whether nof1 drew the sequence."""
        return self.protocol.design.scheme != FIXED

    @property
    def is_sealed(self) -> bool:
        """Whether the arm of any period is still concealed, be it one that nobody lived."""
        return any(period.arm is None for period in self.planned.periods)

    @property
    def cut_short(self) -> date | None:
        """The last evening, where an early end left planned nights unlived; an end after them is none."""
        return self.conduct.ended_early if self.schedule.planned_nights < self.planned.planned_nights else None

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

    @property
    def of_past_nights(self) -> bool:
        """Whether every night was over when the trial was registered: nothing is taken, asked or logged any more."""
        return self.has_ended(datetime.fromisoformat(self.started_at))

    def is_early(self, instant: datetime) -> bool:
        """Whether an instant lies before the morning after the last night."""
        return self.evening(instant) <= self.schedule.last_night

    def has_ended(self, instant: datetime) -> bool:
        """Whether the last night is over; a trial that is paused has not ended."""
        return self.conduct.paused_since is None and not self.is_early(instant)


def start_trial(
    study: Study,
    protocol: Path | str,
    *,
    on: date | None = None,
    schedule_file: Path | str | None = None,
    custodian: Custodian | None = None,
    open_label: bool = False,
    safety: SafetyAnswers | None = None,
    reason: str | None = None,
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
        CSV with the columns ``date,arm`` (the evening's date; an empty arm is a night on none), and ``period`` where
        two periods on one arm follow each other; for scheme ``fixed``.
    custodian
        To whom the allocation is sealed, where the protocol conceals it.
    open_label
        Run a protocol that conceals its arms without concealment.
    safety
        Answers to the protocol's safety questions; needed where it asks any, and not for nights that are all past.
    reason
        Why a risk is denied now for which the gate stopped a start before.
    entropy
        Gives the random bytes of the draw, and those of the commitment.

    Raises
    ------
    ProtocolError
        The protocol has mistakes.
    DataError
        An outcome has no model yet.
    UsageError
        A trial has begun already, the date is past, or the protocol and the options do not fit together.
    NotAllowedError
        The protocol conceals its arms, and neither a custodian nor `open_label` is given; or its safety questions are
        not answered, or tell a risk that no clinician has agreed to; then nothing is drawn, and the answers are kept.
    AnswerChangedError
        A risk is denied now for which the gate stopped a start before, and neither a reason nor a clinician is given.
    """
    text, where = protocol_text(protocol)
    checked = new_protocol(text, where)
    _check_startable(checked, custodian, open_label=open_label)
    with study.record() as record, record.writing():
        person = study.participant(record, participant)
        _check_fits_study(record, person, checked)
        today = evening_of(study.clock().astimezone(ZoneInfo(person.zone)), checked.sleep.night_boundary_h)
        soonest = evening_to_come(study.clock().astimezone(ZoneInfo(person.zone)), checked.sleep.night_boundary_h)
        brought = brought_calendar(checked, on, schedule_file, today=soonest)
        answered = (
            answers_at_gate(record, person, checked, safety) if brought is None or brought.last_night >= today else None
        )
        if answered is None or not is_stopped(answered):
            require_explained(record, person, answered, reason)
            drawn, planned = (None, brought) if brought else draw_calendar(checked, on, entropy)
            keep_protocol(study, text, came_from=protocol)
            if answered is not None:
                study.append(record, ANSWERED, answered, command="start", participant=person.code, reason=reason)
            payload = _payload(checked, planned, drawn, custodian, entropy)
            study.append(record, "trial-started", payload, command="start", participant=person.code)
            return read_trial(study, record, person.code)
        keep_refusal(study, record, person, checked, answered, reason=reason)
    raise NotAllowedError(stopped_words(answered))


def read_trial(study: Study, record: Record, participant: str | None = None) -> Trial:
    """The participant's trial.

    Raises
    ------
    InputMissingError
        None has begun.
    TamperedError
        ``protocol.toml`` is not the text that was registered, or the record tells what cannot have happened.
    """
    person = study.participant(record, participant)
    events = record.events("started_trial", participant=person.code)
    if not events:
        refused = "".join(f" {told}" for told in gate_account(record, person))
        raise InputMissingError(
            f"No trial has begun for {person.code}.{refused} Begin one with: nof1 start PROTOCOL --on DATE."
        )
    if faults := protocol_faults(study, record):
        raise TamperedError(f"{study.folder.path}: {'; '.join(faults)}. Restore it from a copy.")
    payload = events[0].payload
    drawn, sealed = payload["allocation"], payload["seal"]
    conducted = record.events("conduct", participant=person.code)
    opened = read_openings(record, person.code)
    planned = with_opened(Schedule.from_payload(payload["schedule"]), opened)
    protocol = parse_protocol(study.folder.protocol.read_text(encoding="utf-8"))
    require_possible(protocol, payload, opened, conducted)
    whole = next((opening.allocation for opening in opened if opening.allocation), drawn)
    trial = Trial(
        participant=person,
        protocol=protocol,
        planned=planned,
        schedule=as_conducted(planned, conducted),
        allocation=Allocation.from_payload(whole) if whole else None,
        seal=Seal(**sealed) if sealed else None,
        openings=opened,
        conduct=read_conduct(planned, conducted, ZoneInfo(person.zone), protocol.sleep.night_boundary_h),
        blinding=payload["blinding"],
        started_at=events[0].at,
        receipt=events[0].hash,
        stream=chosen_stream(record, person.code),
    )
    early = [opening for opening in opened if trial.is_early(opening.at)]
    told, unlocked = all_told(protocol, trial.schedule, early), bool(before_lock(record, person.code, opened))
    return replace(trial, blinding=after_openings(trial.blinding, some=bool(early), every=told, unlocked=unlocked))


def protocol_faults(study: Study, record: Record) -> list[str]:
    """What is wrong with the registered protocol; empty when it is whole or none is registered."""
    registered = {event.payload["protocol_sha256"] for event in record.events("started_trial")}
    if not registered:
        return []
    path = study.folder.protocol
    if not path.is_file():
        return ["protocol.toml is missing"]
    if {hashlib.sha256(path.read_bytes()).hexdigest()} != registered:
        return ["protocol.toml is not the text that was registered"]
    return []


def _check_startable(protocol: Protocol, custodian: Custodian | None, *, open_label: bool) -> None:
    if protocol.conceals and custodian is None and not open_label:
        raise NotAllowedError(
            f"Protocol {protocol.id} conceals its arms from {' and '.join(protocol.blinding.concealed_from)}: somebody "
            "else must hold the key. Seal it with --custodian AGE-PUBLIC-KEY (they make one with nof1 keygen) or with "
            "--passphrase; or run it unsealed with --open-label, and every page will say so."
        )
    if custodian is not None and (open_label or not protocol.conceals):
        raise UsageError(f"Protocol {protocol.id} runs open label here: there is nothing to seal.")
    if custodian is not None and protocol.design.scheme == FIXED:
        raise UsageError("A schedule that is brought is known to who brought it: nof1 cannot seal it.")
    require_models(protocol)


def require_models(protocol: Protocol) -> None:
    """Say before the first night what analysis would refuse after the last.

    Raises
    ------
    DataError
        An outcome has no model yet.
    """
    for outcome in protocol.outcomes:
        require_model(outcome.measure, effect_sd=own_prior_sd(protocol, outcome))


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


def _payload(
    protocol: Protocol,
    planned: Schedule,
    drawn: Allocation | None,
    custodian: Custodian | None,
    entropy: Callable[[int], bytes],
) -> dict[str, Any]:
    payload = {"protocol_id": protocol.id, "protocol_sha256": protocol.sha256}
    if custodian is None or drawn is None:
        allocation = drawn.to_payload() if drawn else None
        return payload | {
            "schedule": planned.to_payload(),
            "allocation": allocation,
            "seal": None,
            "blinding": OPEN_LABEL,
        }
    inside = Sealed(drawn, entropy(SALT_BYTES).hex())
    sealed = Seal(inside.commitment, seal(inside.to_text(), custodian), custodian.name, custodian.role)
    return payload | {
        "schedule": planned.concealed().to_payload(),
        "allocation": None,
        "seal": asdict(sealed),
        "blinding": blinding_words(protocol.blinding.concealed_from, custodian.role),
    }
