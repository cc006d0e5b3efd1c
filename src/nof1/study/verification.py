"""Is everything still as it was recorded?"""

import hashlib
from dataclasses import dataclass

from nof1.errors import DataError, TamperedError
from nof1.store.events import Event, Record, chain_faults
from nof1.store.sessions import file_fault
from nof1.store.state import admitted_files
from nof1.study.study import Study


@dataclass(frozen=True, slots=True)
class Verified:
    """What was checked and found whole. `chain_head` is the hash of the last event."""

    events: int
    sleep_files: int
    protocol: str
    chain_head: str


def verify(study: Study) -> Verified:
    """Recompute the chain of events and the hashes of the sleep files and the protocol.

    Raises
    ------
    TamperedError
        Something is not what was recorded; every fault is listed.
    """
    try:
        with study.record() as record:
            events = record.events()
            files = [file for code in record.participants() for file in admitted_files(record, code)]
            faults = chain_faults(events) + [fault for file in files if (fault := file_fault(study.folder, file))]
            faults += protocol_faults(study, record)
    except (DataError, KeyError, TypeError) as error:
        raise TamperedError(f"{study.folder.path}: the record cannot be read as it was written: {error}") from error
    if not events:
        faults.append("the record holds no event")
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults)
        raise TamperedError(f"{study.folder.path} is not as it was recorded:\n{listed}\nRestore it from a copy.")
    return Verified(len(events), len(files), _protocol_state(events), events[-1].hash)


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


def _protocol_state(events: list[Event]) -> str:
    started = any(event.kind == "trial-started" for event in events)
    return "the registered protocol" if started else "no protocol yet"
