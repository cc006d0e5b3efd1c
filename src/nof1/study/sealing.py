"""Locking the analysis, and opening the seal: in this order, each on record."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal

from nof1.errors import InputMissingError, NotAllowedError, TamperedError, UsageError
from nof1.store.events import Event, Record
from nof1.store.folder import find_study
from nof1.store.seal import PASSPHRASE, Key, new_key, unseal
from nof1.store.state import admitted_files
from nof1.study.diaries import read_diary, read_side_effects
from nof1.study.nights import read_nights
from nof1.study.openings import Opening, all_told, before_lock, known_from, locks, read_openings
from nof1.study.study import Study
from nof1.study.trials import Seal, Trial, read_trial
from nof1.trial.commitment import Sealed, draw_faults

Looked = Literal["no", "yes", "not said"]
LOOKED: Final = ("no", "yes", "not said")
"""Whether anybody compared the nights by period, in the vendor's app or elsewhere, before the lock."""

_WHAT: Final = {
    "protocol": "the protocol",
    "nights": "the nights or their measures",
    "diary": "the diary",
    "nof1": "the version of nof1",
}


@dataclass(frozen=True, slots=True)
class Lock:
    """What was fixed before the seal was opened; hashes are SHA-256 in hexadecimal.

    Parameters
    ----------
    nights
        Over the table of nights as assembled: measures, flags, sources.
    looked
        One of `LOOKED`.
    """

    participant: str
    protocol: str
    nights: str
    diary: str
    nof1: str
    looked: str


@dataclass(frozen=True, slots=True)
class Unblinded:
    """What was opened: the arm of each opened period, and for the whole allocation also its seed."""

    participant: str
    arms: dict[int, str]
    seed: str | None
    also_told: list[int]
    """Periods that were not opened, and whose arm follows from those that were."""


def make_key(path: Path) -> str:
    """Make a custodian's key file, readable by its owner alone, and give its public key.

    Raises
    ------
    UsageError
        The file would lie in a study folder: the key must not travel with what it opens.
    WriteError
        The file exists or cannot be made.
    """
    require_outside_studies(path, "keep the key away from what it opens")
    return new_key(path)


def require_outside_studies(path: Path, why: str) -> None:
    """Refuse a place in or under a study folder for what would tell its arms.

    Raises
    ------
    UsageError
        The path lies in a study; links are followed.
    """
    try:
        study = find_study(path.resolve().parent)
    except InputMissingError:
        return
    raise UsageError(f"{path} lies in the study {study.path}: {why}.")


def lock_analysis(study: Study, *, looked: Looked, participant: str | None = None) -> Lock:
    """Fix by hash what will be analysed: nights, exclusions, protocol, diary and version.

    Raises
    ------
    NotAllowedError
        The last night is not over, or the seal is open already.
    """
    with study.record() as record:
        trial = read_trial(study, record, participant)
        _require_over(trial, study)
        if not trial.is_sealed:
            raise NotAllowedError("Nothing is sealed here: a lock is worth something only before the seal is opened.")
        fixed = _state(study, record, trial)
    lock = Lock(participant=trial.participant.code, looked=looked, **fixed)
    with study.record() as record, record.writing():
        payload = {key: value for key, value in asdict(lock).items() if key != "participant"}
        study.append(record, "analysis-locked", payload, command="lock", participant=trial.participant.code)
    return lock


def unblind(
    study: Study, key: Key, *, reason: str, period: int | None = None, participant: str | None = None
) -> Unblinded:
    """Open the whole allocation, or the arm of one period, and keep on record who did it, when and why.

    Parameters
    ----------
    period
        The number of the one period to open, at any time: an emergency does not wait. Without it the whole allocation
        is opened, after the last night and after `lock_analysis`.

    Raises
    ------
    NotAllowedError
        The key does not open the seal; or the trial is not over, or not locked.
    UsageError
        There is nothing sealed, no such period, or no reason.
    TamperedError
        What was sealed is not what was committed to, or not what its seed draws.
    """
    if not reason.strip():
        raise UsageError("Say why the seal is opened: --reason stays on record.")
    with study.record() as record, record.writing():
        trial = read_trial(study, record, participant)
        _require_openable(trial, study, record, period)
        sealed = open_seal(trial, key)
        arms = dict(enumerate(sealed.allocation.sequence, start=1))
        told = arms if period is None else {period: arms[period]}
        payload = {
            "arms": {str(number): arm for number, arm in told.items()},
            "allocation": sealed.allocation.to_payload() if period is None else None,
            "salt": sealed.salt if period is None else None,
        }
        code = trial.participant.code
        study.append(record, "unblinded", payload, command="unblind", participant=code, reason=reason)
        now = read_openings(record, code)
    before = known_from(trial.protocol, trial.openings)
    also = [] if period is None else sorted(known_from(trial.protocol, now) - before - {period})
    return Unblinded(code, told, sealed.allocation.seed if period is None else None, also)


def is_sealed_to_key(study: Study, *, participant: str | None = None) -> bool:
    """Whether the allocation is sealed to a key file, and no passphrase opens it.

    Raises
    ------
    UsageError
        There is nothing sealed.
    """
    with study.record() as record:
        return _seal_of(read_trial(study, record, participant)).custodian != PASSPHRASE


def open_seal(trial: Trial, key: Key) -> Sealed:
    """Decrypt a trial's allocation and check it against its commitment and its seed.

    Raises
    ------
    UsageError
        The trial has no seal.
    NotAllowedError
        The key does not open it.
    TamperedError
        It is not what was committed to.
    """
    sealed = Sealed.from_text(unseal(_seal_of(trial).ciphertext, key))
    if faults := sealed.faults(_seal_of(trial).commitment, trial.protocol):
        raise TamperedError(f"{'; '.join(faults)}. Do not go on with this trial.")
    return sealed


def sealing_deviations(study: Study, record: Record, trial: Trial) -> list[str]:
    """Tell what weakens a seal: periods opened singly, no lock, a look before the lock, changes after it."""
    if trial.seal is None:
        return []
    said = [
        _opened_singly(trial, trial.openings[: place + 1])
        for place, opening in enumerate(trial.openings)
        if opening.period is not None
    ]
    locked = locks(record, trial.participant.code)
    before = before_lock(record, trial.participant.code, trial.openings)
    if not locked or all_told(trial.protocol, trial.schedule, before):
        said.append("What would be analysed was not locked before the arms were known.")
    if not locked:
        return said
    now, then = _state(study, record, trial), locked[0].payload
    if any(lock.payload["looked"] == "yes" for lock in locked):
        said.append("Before the lock somebody had compared nights by period.")
    said += [_locked_again(trial, lock) for lock in locked[1:]]
    return said + [
        f"{what.capitalize()} changed after the lock." for key, what in _WHAT.items() if now[key] != then[key]
    ]


def sealing_account(record: Record, trial: Trial) -> dict[str, str | None] | None:
    """Who held the key, and when the analysis was locked and the whole opened, for the result; None without a seal.

    Instants are ISO 8601 in UTC; null is not said, or never happened.
    """
    if trial.seal is None:
        return None
    locked = locks(record, trial.participant.code)
    looked = {lock.payload["looked"] for lock in locked}
    whole = next((opening for opening in trial.openings if opening.period is None), None)
    return {
        "custodian": trial.seal.role,
        "locked_at": locked[0].at if locked else None,
        "looked": next((word for word in ("yes", "not said", "no") if word in looked), None),
        "opened_at": whole.at.isoformat() if whole else None,
        "opened_by": whole.actor if whole else None,
        "reason": whole.reason if whole else None,
    }


def _locked_again(trial: Trial, lock: Event) -> str:
    day = datetime.fromisoformat(lock.at).astimezone(trial.zone).date()
    return f"The analysis was locked once more on {day}, with looked: {lock.payload['looked']}; the first lock counts."


def _opened_singly(trial: Trial, openings: Sequence[Opening]) -> str:
    """Tell the last of some openings, and what follows from it and those before."""
    opening = openings[-1]
    early = ", before the last night" if trial.is_early(opening.at) else ""
    said = f"Period {opening.period} was opened on {opening.at.astimezone(trial.zone).date()}{early}: {opening.reason}."
    told = sorted(known_from(trial.protocol, openings) - known_from(trial.protocol, openings[:-1]) - {opening.period})
    return f"{said} That told {_periods(told)} too." if told else said


def _periods(numbers: Sequence[int]) -> str:
    return f"period{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def seal_faults(trial: Trial, record: Record) -> list[str]:
    """Say what speaks against an allocation that is open: its seed, the commitment, or arms told by single periods."""
    if trial.seal is None:
        return draw_faults(trial.allocation, trial.protocol) if trial.allocation else []
    faults: list[str] = []
    for event in record.events("unsealed_period", participant=trial.participant.code):
        if event.payload["allocation"] is not None:
            faults += Sealed.from_payload(dict(event.payload)).faults(trial.seal.commitment, trial.protocol)
        sequence = trial.allocation.sequence if trial.allocation else None
        faults += _wrong_arms(event.payload["arms"], sequence)
    return faults


def _wrong_arms(arms: Mapping[str, str], sequence: tuple[str, ...] | None) -> list[str]:
    if sequence is None:
        return []
    return [
        f"period {number} was opened as {arm}, and the allocation says otherwise"
        for number, arm in arms.items()
        if sequence[int(number) - 1] != arm
    ]


def _seal_of(trial: Trial) -> Seal:
    if trial.seal is None:
        raise UsageError("Nothing is sealed in this trial: its arms are on the schedule (nof1 schedule).")
    return trial.seal


def _require_over(trial: Trial, study: Study) -> None:
    if not trial.has_ended(study.clock()):
        raise NotAllowedError(f"The trial runs until the night of {trial.schedule.last_night}. Not before.")


def _require_openable(trial: Trial, study: Study, record: Record, period: int | None) -> None:
    _seal_of(trial)
    if period is not None:
        numbers = sorted({one.number for one in trial.schedule.periods})
        if period not in numbers:
            which = f"they are numbered {numbers[0]} to {numbers[-1]}" if numbers else "it ended before the first"
            raise UsageError(f"There is no period {period} in this trial; {which}.")
        if not trial.has_ended(study.clock()) or trial.stream is None:
            return  # an emergency does not wait; nor for an import, without which there is nothing to lock
    else:
        if not trial.is_sealed:
            raise UsageError("The seal is open already.")
        _require_over(trial, study)
    if not locks(record, trial.participant.code):
        raise NotAllowedError(
            "Fix what will be analysed before you know the arms: nof1 lock. It takes a moment; then the seal opens."
        )


def _state(study: Study, record: Record, trial: Trial) -> dict[str, str]:
    nights = read_nights(study, participant=trial.participant.code)
    diary, effects = read_diary(record, trial.participant), read_side_effects(record, trial.participant)
    files = sorted(file.sha256 for file in admitted_files(record, trial.participant.code))
    return {
        "protocol": trial.protocol.sha256,
        "nights": _digest(nights.write_json() + "".join(files)),
        "diary": _digest(diary.write_json() + effects.write_json()),
        "nof1": version("nof1"),
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
