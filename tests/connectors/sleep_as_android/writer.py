"""Write the shared nights as Sleep as Android would."""

import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE

HEADER: Final = "Id,Tz,From,To,Sched,Hours,Rating,Comment,Framerate,Snore,Noise,Cycles,DeepSleep,LenAdjust,Geo"
WITHIN: Final = {LIGHT: ["LIGHT"], DEEP: ["DEEP"], REM: ["DEEP", "REM"], WAKE: ["LIGHT", "AWAKE"]}
"""The app writes REM inside DEEP and AWAKE over LIGHT; which of the two holds is for the reader to know."""


def milliseconds(instant: datetime) -> int:
    """Milliseconds since 1970."""
    return round(instant.timestamp() * 1000)


def events(night: Night) -> Iterator[str]:
    """The events of a night: all starts before all ends, between readings of light and of unknown meaning."""
    yield f"DHA-{milliseconds(night.start)}-9.8E-45"
    yield f"LUX-{milliseconds(night.start)}-12.0"
    for side in ("START", "END"):
        for start, end, stage in night.pieces:
            at = milliseconds(start if side == "START" else end)
            yield from (f"{label}_{side}-{at}" for label in WITHIN[stage])
    yield f"DEVICE-{milliseconds(night.end)}-4.12052E-39"
    yield f"TRACKING_STOPPED_BY_USER-{milliseconds(night.end)}"


def record(night: Night) -> str:
    """The three lines of a night."""
    told = list(events(night))
    begins, ends = night.local(night.start), night.local(night.end)
    hours = (night.end - night.start).total_seconds() / 3600
    cells = [
        str(milliseconds(night.start)),
        night.zone,
        f"{begins:%d. %m. %Y} {begins.hour}:{begins:%M}",
        f"{ends:%d. %m. %Y} {ends.hour}:{ends:%M}",
        f"{ends:%d. %m. %Y} 23:30",
        f"{hours:.2f}0",
        "3.5",
        'slept ""well"" \\n #tea DEEP_START-1700000000000',
        "10007",
        "-1",
        "0.03",
        "4",
        "0.61",
        str(-night.minutes(WAKE)),
        "",
        "-0.01",
        "2.67",
        *told,
    ]
    names = HEADER + f',"{begins.hour}:{begins:%M}","{ends.hour}:{ends:%M}"' + ',"Event"' * len(told)
    return "\n".join([names, ",".join(f'"{cell}"' for cell in cells), ',,,,,,,,,,,,,,,"652.8","152.6"', ""])


def write_table(nights: Sequence[Night], folder: Path) -> Path:
    """Write sleep-export.csv, alone."""
    path = folder / "sleep-export.csv"
    path.write_text("".join(record(night) for night in nights), encoding="utf-8")
    return path


def write_backup(nights: Sequence[Night], folder: Path) -> Path:
    """Write the backup archive, with the alarms and settings that lie beside the table."""
    path = folder / "sleep-export.1750000000.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sleep-export.csv", "".join(record(night) for night in nights))
        archive.writestr(
            "prefs.xml", "<?xml version='1.0' encoding='utf-8'?>\n<map><int name='snooze' value='5'/></map>"
        )
        archive.writestr("alarms.json", '[{"hour": 7, "minutes": 30, "enabled": true}]')
    return path


_CARRIES: Final = ("sol_min", "tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min")
WRITTEN: Final = tuple(
    Written(connector="sleep_as_android", form="records", write=write, carries=_CARRIES, latency_source="in_bed")
    for write in (write_table, write_backup)
)
