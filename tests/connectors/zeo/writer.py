"""Writes nights as the CSV of myZeo."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

COLUMNS: Final = (
    "Sleep Date,ZQ,Total Z,Time to Z,Time in Wake,Time in REM,Time in Light,Time in Deep,Awakenings,Start of Night,"
    "End of Night,Rise Time,Alarm Reason,Morning Feel,Sleep Graph,Detailed Sleep Graph,Firmware Version,MyZeo Version"
)
CODES: Final = {WAKE: 1, REM: 2, LIGHT: 3, DEEP: 4}
MOMENT: Final = "%m/%d/%Y %H:%M"


def row(night: Night) -> str:
    """One night as a row; the graph runs on for five epochs after the headband came off."""
    codes = [CODES[stage] for stage, minutes in night.stages for _ in range(2 * minutes)]
    sums = [night.minutes(*stages) for stages in (SLEEP, (WAKE,), (REM,), (LIGHT,), (DEEP,))]
    total, *stages = sums
    start, end = (night.local(at).strftime(MOMENT) for at in (night.start, night.end))
    graphs = [" ".join(map(str, codes[::10])), " ".join(map(str, [*codes, 0, 0, 0, 0, 0]))]
    date = night.local(night.start).strftime("%m/%d/%Y")
    cells = [date, 83, total, night.stages[0][1], *stages, 2, start, end, end, 0, 3, *graphs, "2.6.3", "1.1"]
    return ",".join(map(str, cells))


def write_csv(nights: Sequence[Night], folder: Path) -> Path:
    """One row a night."""
    path = folder / "zeodata.csv"
    path.write_text("\r\n".join([COLUMNS, *map(row, nights), ""]))
    return path


WRITTEN: Final = (
    Written(
        connector="zeo",
        form="nights",
        write=write_csv,
        carries=("sol_min", "tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min"),
        latency_source="vendor",
    ),
)
