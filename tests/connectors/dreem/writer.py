"""Writes nights as Dreem's CSV."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

COLUMNS: Final = (
    "Type;Start Time;Stop Time;Sleep Duration;Sleep Onset Duration;Light Sleep Duration;Deep Sleep Duration;"
    "REM Duration;Wake After Sleep Onset Duration;Number of awakenings;Position Changes;Mean Heart Rate;"
    "Mean Respiration CPM;Number of Stimulations;Sleep efficiency;Hypnogram"
)
LABELS: Final = {WAKE: "WAKE", LIGHT: "Light", DEEP: "Deep", REM: "REM"}


def duration(minutes: int) -> str:
    """Minutes as Dreem writes them."""
    return str(timedelta(minutes=minutes))


def row(night: Night) -> str:
    """One night as a row; the hypnogram has an epoch more than the time holds, as about half of the real ones."""
    labels = [LABELS[stage] for stage, minutes in night.stages for _ in range(2 * minutes)]
    sums = [
        duration(minutes)
        for minutes in (
            night.minutes(*SLEEP),
            night.stages[0][1],
            *(night.minutes(stage) for stage in (LIGHT, DEEP, REM)),
            int(night.measures()["waso_min"]),
        )
    ]
    times = [night.local(at).isoformat() for at in (night.start, night.end)]
    return ";".join(["night", *times, *sums, "3", "21", "None", "14.2", "0", "91", f"[{','.join([*labels, 'WAKE'])}]"])


def write_csv(nights: Sequence[Night], folder: Path) -> Path:
    """One row a night."""
    path = folder / "dreem_export.csv"
    path.write_text("\n".join([COLUMNS, *map(row, nights), ""]))
    return path


WRITTEN: Final = (
    Written(
        connector="dreem",
        form="nights",
        write=write_csv,
        carries=("sol_min", "tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min"),
        latency_source="vendor",
    ),
)
