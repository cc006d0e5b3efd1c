"""Is everything still as it was recorded?"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from nof1.errors import DataError, Nof1Error, TamperedError, UsageError
from nof1.store.events import Event, Record, chain_faults
from nof1.store.history import clock_warnings, history_faults
from nof1.store.sessions import SleepFile, file_fault
from nof1.store.state import admitted_files
from nof1.study.sealing import seal_faults
from nof1.study.study import Study
from nof1.study.trials import protocol_faults, read_trial

WRITES: Final = ("analysed", "report-rendered")
"""Events whose payload is file name → SHA-256."""

HEAD: Final = re.compile(r"[0-9a-f]{16,64}")
"""Fewer digits could be those of another event by chance."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was checked and found whole.

    Parameters
    ----------
    chain_head
        The hash of the last event.
    warnings
        What is whole and still odd: events dated before those they follow. A wrong clock is not tampering.
    """

    events: int
    sleep_files: int
    protocol: str
    chain_head: str
    warnings: tuple[str, ...]


def verify(study: Study, *, head: str | None = None) -> Verified:
    """Recompute the chain of events and the hashes of the sleep files, the protocol and the last results.

    Parameters
    ----------
    head
        A chain head that was written down elsewhere, or its first 16 digits or more: the record must still hold that
        event.

    Raises
    ------
    UsageError
        The head is none: too short to name one event, or not hexadecimal.
    TamperedError
        Something is not what was recorded; every fault is listed.
    """
    kept = None if head is None else _head(head)
    events, files, faults = _read_and_check(study)
    faults += _result_faults(study, events)
    if kept is not None and not any(event.hash.startswith(kept) for event in events):
        faults.append(f"the record does not hold event {kept[:16]}...: it was cut short, or rewritten")
    _refuse(study, faults)
    return Verified(len(events), files, _protocol_state(events), events[-1].hash, tuple(clock_warnings(events)))


def _head(typed: str) -> str:
    head = typed.strip().casefold()
    if not HEAD.fullmatch(head):
        raise UsageError(
            "--head takes a receipt or a chain head: its 64 digits from 0 to 9 and a to f, or at least the first 16. "
            f"This is {len(head)} characters."
        )
    return head


def require_intact(study: Study) -> None:
    """Refuse to go on from a record, a protocol or sleep files that are not what was recorded.

    Raises
    ------
    TamperedError
        As `verify`; results and pages are not looked at, for they can be made again.
    """
    _, _, faults = _read_and_check(study)
    _refuse(study, faults)


def _read_and_check(study: Study) -> tuple[list[Event], int, list[str]]:
    with Record.open(study.folder.record) as record:
        try:
            events = record.events()
        except DataError as error:
            raise TamperedError(f"{study.folder.path}: the record cannot be read as it was written: {error}") from error
        faults = record.file_faults() + (chain_faults(events) or history_faults(events))
        files: list[SleepFile] = []
        try:
            files += (file for code in record.participants() for file in admitted_files(record, code))
            faults += [fault for file in files if (fault := file_fault(study.folder, file))]
            faults += protocol_faults(study, record)
            for event in record.events("started_trial"):
                faults += seal_faults(read_trial(study, record, event.participant), record)
        except (Nof1Error, LookupError, TypeError, ValueError, AttributeError) as error:  # a payload may say anything
            faults.append(f"the record cannot be read as it was written: {error}")
    return events, len(files), faults if events else [*faults, "the record holds no event"]


def _refuse(study: Study, faults: list[str]) -> None:
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults)
        raise TamperedError(f"{study.folder.path} is not as it was recorded:\n{listed}\nRestore it from a copy.")


def _result_faults(study: Study, events: list[Event]) -> list[str]:
    """Results and pages that are there and are not what was written last."""
    last = {
        (event.participant, name): digest
        for event in events
        if event.kind in WRITES
        for name, digest in event.payload.items()
    }
    paths = {study.folder.reports(code or "") / name: digest for (code, name), digest in last.items()}
    return [
        f"{path.name} is not what nof1 wrote"
        for path, digest in paths.items()
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() != digest
    ]


def _protocol_state(events: list[Event]) -> str:
    started = any(event.kind == "trial-started" for event in events)
    return "the registered protocol" if started else "no protocol yet"
