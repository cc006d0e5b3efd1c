"""Writes nights as nof1's own CSV."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

WORDS: Final = {WAKE: "wake", LIGHT: "light", DEEP: "deep", REM: "rem"}


def write_nights(nights: Sequence[Night], folder: Path) -> Path:
    """One row a night, with European delimiters and decimal commas, and a column that nof1 does not know."""
    path = folder / "my nights.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["Start", "End", "TST_min", "light_min", "deep_min", "rem_min", "wake_min", "sol_min", "mood"])
        for night in nights:
            minutes = [night.minutes(*SLEEP), *(night.minutes(stage) for stage in (LIGHT, DEEP, REM, WAKE))]
            told = [f"{value:.1f}".replace(".", ",") for value in (*minutes, night.stages[0][1])]
            rows.writerow([night.local(night.start).isoformat(), night.local(night.end).isoformat(), *told, "good"])
    return path


def write_dates(nights: Sequence[Night], folder: Path) -> Path:
    """One row a night, told by its date alone."""
    path = folder / "dates.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["night", "tst_min", "deep_min", "rem_min", "wake_min", "sol_min", "device"])
        for night in nights:
            evening = night.local(night.start)
            date = evening.date().toordinal() - (evening.hour < 12)
            minutes = [night.minutes(*SLEEP), night.minutes(DEEP), night.minutes(REM), night.minutes(WAKE)]
            rows.writerow([evening.date().fromordinal(date), *minutes, night.stages[0][1], "Muse S"])
    return path


def write_stages(nights: Sequence[Night], folder: Path) -> Path:
    """One row a stage, with lights-out beside each."""
    path = folder / "stages.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["start", "end", "stage", "lights_out", "device"])
        for night in nights:
            for start, end, stage in night.pieces:
                times = [night.local(at).isoformat() for at in (start, end)]
                rows.writerow([*times, WORDS[stage], night.local(night.start).isoformat(), "Muse S"])
    return path


WRITTEN: Final = (
    Written(
        connector="generic_csv",
        form="nights",
        write=write_nights,
        carries=("tst_min", "light_min", "deep_min", "rem_min", "sol_min"),
        latency_source="vendor",
    ),
    Written(
        connector="generic_csv",
        form="nights",
        write=write_dates,
        carries=("tst_min", "deep_min", "rem_min", "sol_min"),
        latency_source="vendor",
    ),
    Written(
        connector="generic_csv",
        form="stages",
        write=write_stages,
        carries=("sol_min", "tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min"),
        latency_source="in_bed",
    ),
)
