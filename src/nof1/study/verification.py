"""Is everything still as it was recorded?"""

import hashlib
from dataclasses import dataclass
from typing import Final

from nof1.errors import DataError, TamperedError
from nof1.store.events import Event, Record, chain_faults
from nof1.store.sessions import file_fault
from nof1.store.state import admitted_files
from nof1.study.study import Study

WRITES: Final = ("analysed", "report-rendered")
"""Events whose payload is file name → SHA-256."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was checked and found whole. `chain_head` is the hash of the last event."""

    events: int
    sleep_files: int
    protocol: str
    chain_head: str


def verify(study: Study, *, head: str | None = None) -> Verified:
    """Recompute the chain of events and the hashes of the sleep files, the protocol and the last results.

    Parameters
    ----------
    head
        A chain head that was written down elsewhere: the record must still hold that event.

    Raises
    ------
    TamperedError
        Something is not what was recorded; every fault is listed.
    """
    events, files, faults = _read_and_check(study)
    faults += _result_faults(study, events)
    if head is not None and not any(event.hash.startswith(head) for event in events):
        faults.append(f"the record does not hold event {head[:16]}...: it was cut short, or rewritten")
    _refuse(study, faults)
    return Verified(len(events), files, _protocol_state(events), events[-1].hash)


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
    try:
        with Record.open(study.folder.record) as record:
            events = record.events()
            files = [file for code in record.participants() for file in admitted_files(record, code)]
            faults = chain_faults(events) + [fault for file in files if (fault := file_fault(study.folder, file))]
            faults += protocol_faults(study, record)
    except (DataError, KeyError, TypeError) as error:
        raise TamperedError(f"{study.folder.path}: the record cannot be read as it was written: {error}") from error
    return events, len(files), faults if events else [*faults, "the record holds no event"]


def _refuse(study: Study, faults: list[str]) -> None:
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults)
        raise TamperedError(f"{study.folder.path} is not as it was recorded:\n{listed}\nRestore it from a copy.")


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
