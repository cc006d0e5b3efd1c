"""Writes nights as EDF+ files."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE

LABELS: Final = {WAKE: "Sleep stage W", LIGHT: "Sleep stage N2", DEEP: "Sleep stage N3", REM: "Sleep stage R"}
BEFORE_S: Final = 1800
"""So long the recorder runs before lights-off."""


def annotation(onset: float, text: str, seconds: float | None = None) -> bytes:
    """One annotation, alone in its list."""
    lasts = "" if seconds is None else f"\x15{seconds:g}"
    return f"{onset:+g}{lasts}\x14{text}\x14\0".encode()


def edf(
    start: datetime,
    annotations: Sequence[bytes],
    *,
    signals: int = 0,
    recording: str | None = None,
    date: str | None = None,
) -> bytes:
    """A file with one data record; `signals` is the number of signals before that of the annotations."""
    lists = b"+0\x14\x14\0" + b"".join(annotations)
    lists += b"\0" * (len(lists) % 2)
    samples = [10] * signals + [len(lists) // 2]
    labels = [f"EEG {i}" for i in range(signals)] + ["EDF Annotations"]
    told = f"Startdate {start:%d-%b-%Y}".upper().replace("STARTDATE", "Startdate") + " X X X"
    fixed = [
        ("0", 8), ("X F X Someone", 80), (told if recording is None else recording, 80),
        (f"{start:%d.%m.%y}" if date is None else date, 8), (f"{start:%H.%M.%S}", 8),
        (256 * (2 + signals), 8), ("EDF+C", 44), (1, 8), (0, 8), (1 + signals, 4),
    ]  # fmt: skip
    of_each = [(labels, 16), ([""] * len(labels), 80), ([""] * len(labels), 8)]
    of_each += [([str(bound)] * len(labels), 8) for bound in (-1, 1, -32768, 32767)]
    of_each += [([""] * len(labels), 80), ([str(n) for n in samples], 8), ([""] * len(labels), 32)]
    header = "".join(str(value).ljust(width) for value, width in fixed)
    header += "".join(value.ljust(width) for values, width in of_each for value in values)
    return header.encode() + bytes(range(20)) * signals + lists


def night_annotations(night: Night) -> list[bytes]:
    """The stages of a night between half an hour of wake before lights-off and ten minutes after lights-on."""
    at = [(begins - night.start).total_seconds() + BEFORE_S for begins, _, _ in night.pieces]
    lights_on = (night.end - night.start).total_seconds() + BEFORE_S
    return [
        annotation(0, LABELS[WAKE], BEFORE_S),
        annotation(BEFORE_S, "Lights off@@EEG Fpz-Cz"),
        *(
            annotation(begins, LABELS[stage], 60 * minutes)
            for begins, (stage, minutes) in zip(at, night.stages, strict=True)
        ),
        annotation(at[-1], "Limb movement", 2.5),
        annotation(lights_on, "Lights on"),
        annotation(lights_on, LABELS[WAKE], 600),
    ]


def write_hypnograms(nights: Sequence[Night], folder: Path, *, signals: int = 0) -> Path:
    """A folder of files; the recorder's clock is that of the wall when it was started."""
    for number, night in enumerate(nights):
        start = datetime.fromtimestamp(night.start.timestamp() - BEFORE_S, night.local(night.start).tzinfo)
        (folder / f"night{number:02}.edf").write_bytes(edf(start, night_annotations(night), signals=signals))
    return folder


def write_recordings(nights: Sequence[Night], folder: Path) -> Path:
    """The same among twenty signals."""
    return write_hypnograms(nights, folder, signals=20)


_CARRIES: Final = ("sol_min", "tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min")

WRITTEN: Final = (
    Written(
        connector="edf",
        form="recordings",
        write=write_hypnograms,
        carries=_CARRIES,
        latency_source="in_bed",
    ),
    Written(
        connector="edf",
        form="wide_recordings",
        write=write_recordings,
        carries=_CARRIES,
        latency_source="in_bed",
    ),
)
