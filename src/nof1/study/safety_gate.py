"""The safety gate: no trial begins before its questions are answered, and a risk waits for a clinician."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from nof1.errors import AnswerChangedError, NotAllowedError, SafetyUnansweredError
from nof1.store.events import Event, Record
from nof1.study.baselines import current_baseline
from nof1.study.study import Participant, Study
from nof1.trial.baseline import Baseline
from nof1.trial.protocol import Protocol
from nof1.trial.safety import SafetyAnswers, denied_by_baseline, question_of_limits, questions_before_start

ANSWERED: Final = "safety-answered"
REFUSED: Final = "start-refused"
"""Kinds of events: what was answered before a trial that began, and before one that did not."""


def answers_at_gate(
    record: Record, person: Participant, protocol: Protocol, answers: SafetyAnswers | None
) -> dict[str, Any] | None:
    """Check the answers, and give them as they enter the record; None where nothing is asked and nothing was said.

    A dose above an upper limit is one answer more, with yes: it waits for a clinician as the others do.

    Raises
    ------
    SafetyUnansweredError
        The protocol asks, and nobody has answered.
    UsageError
        The answers contradict each other, or are to other questions.
    NotAllowedError
        The baseline tells a risk that was answered with no.
    """
    questions = questions_before_start(protocol)
    if answers is None and questions:
        raise SafetyUnansweredError(protocol.id, questions)
    if answers is None:
        return None
    answered = answers.to_payload(questions)
    if denied := denied_by_baseline(answered["answers"], current_baseline(record, person) or Baseline()):
        said = "; ".join(denied)
        raise NotAllowedError(
            f"{said[0].upper()}{said[1:]}: which is true? Nothing was begun. Answer again, or correct the baseline "
            "with nof1 baseline: both stay on record."
        )
    above = question_of_limits(protocol)
    return {**answered, "answers": answered["answers"] | ({above: "yes"} if above else {})}


def require_explained(
    record: Record, person: Participant, answered: Mapping[str, Any] | None, reason: str | None
) -> None:
    """Refuse a start by answers that deny what stopped one before, unless a reason or a clinician stands beside them.

    Raises
    ------
    AnswerChangedError
        Neither does.
    """
    if answered is None or reason or answered["clinician"]:
        return
    standing: dict[str, str] = {}
    for event in _at_the_gate(record, person):
        standing = _with(standing, event)
    if denied := _denied(standing, answered):
        raise AnswerChangedError(denied)


def _with(standing: Mapping[str, str], event: Event) -> dict[str, str]:
    """Give the answers as they stand after an event: no no takes the place of another without a reason."""
    is_explained = event.reason or event.payload["clinician"]
    new = {
        question: answer
        for question, answer in event.payload["answers"].items()
        if answer != "no" or is_explained or question not in standing
    }
    return {**standing, **new}


def _denied(standing: Mapping[str, str], answered: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{question} ({standing[question]})"
        for question, answer in answered["answers"].items()
        if answer == "no" and standing.get(question, "no") != "no"
    )


def _at_the_gate(record: Record, person: Participant) -> list[Event]:
    return [event for event in record.events(participant=person.code) if event.kind in {ANSWERED, REFUSED}]


def is_stopped(answered: Mapping[str, Any] | None) -> bool:
    """Whether a question was answered with yes or "don't know", and no clinician has agreed."""
    return answered is not None and bool(_risks(answered)) and answered["clinician"] is None


def stopped_words(answered: Mapping[str, Any]) -> str:
    """What is said to whom the gate stops."""
    return (
        f"Ask your clinician before you begin, because of: {_risks(answered)}. Nothing was begun; the answers are on "
        'record. A clinician who has judged this may agree on record: --clinician-agrees "NAME, REASON".'
    )


def keep_refusal(
    study: Study,
    record: Record,
    person: Participant,
    protocol: Protocol,
    answered: Mapping[str, Any],
    *,
    reason: str | None,
) -> None:
    """Put on record what was answered when the gate stopped a start, inside `Record.writing`.

    The same command again adds nothing: only where the last refusal was told otherwise, or by another, is it news.
    """
    payload = {"protocol_id": protocol.id, "protocol_sha256": protocol.sha256, **answered}
    before = [event for event in record.events(participant=person.code) if event.kind == REFUSED]
    if not before or (before[-1].payload, before[-1].actor, before[-1].reason) != (payload, study.actor, reason):
        study.append(record, REFUSED, payload, command="start", participant=person.code, reason=reason)


def gate_account(record: Record, person: Participant) -> list[str]:
    """Tell for every later report which starts the gate stopped, what was denied after that, and who overruled it."""
    told: list[str] = []
    standing: dict[str, str] = {}
    for event in _at_the_gate(record, person):
        day = datetime.fromisoformat(event.at).astimezone(ZoneInfo(person.zone)).date()
        if denied := _denied(standing, event.payload):
            why = (event.reason or "").rstrip(".") or _agreed(event.payload) or "nobody said why"
            told.append(f"Answered with no on {day} by {event.actor}, and otherwise before: {denied}. Why: {why}.")
        if risks := _risks(event.payload):
            told.append(_told(event, day, risks))
        standing = _with(standing, event)
    return told


def _agreed(answered: Mapping[str, Any]) -> str:
    clinician = answered["clinician"]
    return f"{clinician['name']} agrees, {clinician['reason'].rstrip('.')}" if clinician else ""


def _told(event: Event, day: date, risks: str) -> str:
    if event.kind == REFUSED:
        protocol = event.payload["protocol_id"]
        return f"The safety gate stopped a start of {protocol} on {day}, answered by {event.actor}: {risks}."
    answers = f"The answers, given by {event.actor}: {risks}."
    clinician = event.payload["clinician"]
    if clinician is None:  # nof1 does not write this; who did must not pass unseen
        return f"The trial began on {day} though the safety gate stops it, and no clinician is named. {answers}"
    reason = clinician["reason"].rstrip(".")
    return f"The safety gate was overruled on {day} by {clinician['name']}: {reason}. {answers}"


def _risks(answered: Mapping[str, Any]) -> str:
    return "; ".join(f"{question} ({answer})" for question, answer in answered["answers"].items() if answer != "no")
