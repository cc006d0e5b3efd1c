"""The baseline of a participant, kept on record."""

from nof1.errors import InputMissingError, TamperedError, UsageError
from nof1.store.events import Record
from nof1.study.study import Participant, Study
from nof1.trial.baseline import Baseline


def record_baseline(
    study: Study, said: Baseline, *, reason: str | None = None, participant: str | None = None
) -> Baseline:
    """Write down what is said of a participant, and give what stands now.

    What is not said stays as it was; what is said again supersedes, and both stay on record.

    Raises
    ------
    UsageError
        Nothing was said.
    """
    if said == Baseline():
        raise UsageError("Nothing was said. See what can be: nof1 baseline --help.")
    with study.record() as record, record.writing():
        person = study.participant(record, participant)
        now = (current_baseline(record, person) or Baseline()).with_said(said)
        study.append(
            record,
            "baseline-recorded",
            now.to_payload(),
            command="baseline",
            participant=person.code,
            reason=reason,
        )
    return now


def read_baseline(study: Study, *, participant: str | None = None) -> Baseline:
    """What is on record of a participant.

    Raises
    ------
    InputMissingError
        Nothing is yet.
    """
    with study.record() as record:
        person = study.participant(record, participant)
        baseline = current_baseline(record, person)
    if baseline is None:
        raise InputMissingError(f"No baseline is recorded for {person.code}. Record one with: nof1 baseline --help.")
    return baseline


def current_baseline(record: Record, person: Participant) -> Baseline | None:
    """What is on record of a participant; None where nothing is."""
    events = record.events("recorded_baseline", participant=person.code)
    try:
        return Baseline.from_payload(events[0].payload) if events else None
    except UsageError as error:
        raise TamperedError(f"The baseline on record cannot have been said: {error} Restore it from a copy.") from error
