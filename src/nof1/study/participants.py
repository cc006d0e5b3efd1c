"""The participants of a study: each with a home zone, and a start date, a sequence and a seal of their own."""

from dataclasses import dataclass
from datetime import date

from nof1.errors import InputMissingError, UsageError
from nof1.store.events import Event, Record
from nof1.study.study import Participant, Study, check_code, check_zone
from nof1.study.trials import read_trial


@dataclass(frozen=True, slots=True)
class ParticipantListed:
    """One participant. `joined` is an instant in UTC; what follows is None before the trial has begun."""

    code: str
    zone: str
    joined: str
    protocol: str | None
    first_night: date | None
    last_night: date | None
    blinding: str | None


def add_participant(study: Study, code: str, *, zone: str) -> Participant:
    """Take another participant into the study; the trial begins with `start_trial`, which draws anew.

    Parameters
    ----------
    code
        A code, never a name: letters and digits.
    zone
        The home zone, an IANA name such as ``Europe/Berlin``.

    Raises
    ------
    UsageError
        The zone or the code cannot be used, or somebody has that code.
    """
    check_zone(zone)
    check_code(code)
    with study.record() as record, record.writing():
        for other in record.participants():
            if other.casefold() == code.casefold():  # folders are named by it, and some disks know no capitals
                raise UsageError(f"Participant {other} is in this study already. Choose another code.")
        study.append(record, "participant-added", {"zone": zone}, command="participant add", participant=code)
    return Participant(code, zone)


def list_participants(study: Study) -> list[ParticipantListed]:
    """Everybody in the study, in the order in which they joined."""
    with study.record() as record:
        return [_listed(study, record, event) for event in record.events("participant")]


def _listed(study: Study, record: Record, joined: Event) -> ParticipantListed:
    code, zone = str(joined.participant), joined.payload["zone"]
    try:
        trial = read_trial(study, record, code)
    except InputMissingError:
        return ParticipantListed(code, zone, joined.at, None, None, None, None)
    schedule = trial.schedule
    return ParticipantListed(
        code, zone, joined.at, trial.protocol.id, schedule.first_night, schedule.last_night, trial.blinding
    )
