"""Writes nights as hypnograms of plain text."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE

YASA: Final = {WAKE: 0, LIGHT: 2, DEEP: 3, REM: 4}
EVENTS: Final = {WAKE: "SLEEP-S0", LIGHT: "SLEEP-S2", DEEP: "SLEEP-S3", REM: "SLEEP-REM"}
PREAMBLE: Final = (
    "RemLogic Event Export\nPatient:\tAndré P\nPatient ID:\tP07\nRecording Date:\t{date}\n\nEvents Included:\n"
    "MCAP-A1\nSLEEP-REM\nSLEEP-S0\nSLEEP-S2\nSLEEP-S3\n\nScoring Session:\n\n"
    "Sleep Stage\tPosition\tTime [hh:mm:ss]\tEvent\tDuration[s]\tLocation\n"
)


def epochs(night: Night) -> list[str]:
    """The stage of every half minute."""
    return [stage for stage, minutes in night.stages for _ in range(2 * minutes)]


def tokens(night: Night) -> str:
    """A night in the numbers of yasa, under the lines that a person adds."""
    start = night.local(night.start).isoformat()
    comments = [f"# start: {start}", "# epoch_s: 30", "# stages: yasa", f"# lights_out: {start}", "# scored by hand"]
    return "\n".join([*comments, *(str(YASA[stage]) for stage in epochs(night)), ""])


def events(night: Night) -> str:
    """A night as RemLogic writes it; a recorder's clock does not jump. Its date is said in full, as a person must."""
    start = night.local(night.start).replace(tzinfo=None)
    rows = []
    for number, stage in enumerate(epochs(night)):
        at = (start + timedelta(seconds=30 * number)).strftime("%H:%M:%S")
        rows.append(f"{stage}\tUnknown Position\t{at}\t{EVENTS[stage]}\t30\tROC-LOC\n")
        if stage == DEEP:
            rows.append(f"{stage}\tLeft\t{at}\tMCAP-A1\t6\tFp2-F4\n")
    added = f"# date: {start.date()}\n# lights_out: {night.local(night.start).isoformat()}\n"
    return added + PREAMBLE.format(date=start.strftime("%d/%m/%Y")) + "".join(rows)


def write_tokens(nights: Sequence[Night], folder: Path) -> Path:
    """A folder of files, one a night."""
    for number, night in enumerate(nights):
        (folder / f"night{number:02}.txt").write_text(tokens(night))
    return folder


def write_events(nights: Sequence[Night], folder: Path) -> Path:
    """A folder of files, one a night, in the encoding of Windows."""
    for number, night in enumerate(nights):
        (folder / f"n{number}.txt").write_bytes(events(night).encode("cp1252"))
    return folder


_CARRIES: Final = ("sol_min", "tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min")

WRITTEN: Final = (
    Written(connector="hypnogram", form="tokens", write=write_tokens, carries=_CARRIES, latency_source="in_bed"),
    Written(connector="hypnogram", form="events", write=write_events, carries=_CARRIES, latency_source="in_bed"),
)
