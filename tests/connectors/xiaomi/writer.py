"""Writes nights as Mi Fitness and Zepp do."""

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

CARRIES: Final = ("tst_min", "light_min", "deep_min", "rem_min")
STATES: Final = {DEEP: 2, LIGHT: 3, REM: 4, WAKE: 5}
HEADER: Final = ("Uid", "Sid", "Key", "Time", "Value", "UpdateTime")
UID: Final = "6400000001"


def asleep(night: Night) -> list[tuple[datetime, datetime, str]]:
    """The night from onset to the last waking."""
    pieces = night.pieces[1:]
    return pieces[:-1] if pieces[-1][2] == WAKE else pieces


def seconds(instant: datetime) -> int:
    """An instant as Mi Fitness writes it."""
    return int(instant.timestamp())


def sleep(night: Night, *, staged: bool = True) -> dict[str, Any]:
    """The JSON of one sleep."""
    pieces = asleep(night)
    offset = night.local(night.end).utcoffset()
    items = [{"start_time": seconds(at), "end_time": seconds(end), "state": STATES[st]} for at, end, st in pieces]
    told = {
        "bedtime": seconds(pieces[0][0]),
        "wake_up_time": seconds(pieces[-1][1]),
        "duration": night.minutes(*SLEEP),
        "sleep_deep_duration": night.minutes(DEEP),
        "sleep_light_duration": night.minutes(LIGHT),
        "sleep_rem_duration": night.minutes(REM),
        "sleep_awake_duration": int(night.measures()["waso_min"]),
        "awake_count": 1,
        "avg_hr": 55,
        "timezone": int(offset.total_seconds()) // 900 if offset else 0,
        "items": items,
    }
    none = dict.fromkeys((name for name in told if name.startswith("sleep_")), 0)
    return told if staged else told | none | {"items": []}


def row(key: str, night: Night, value: dict[str, Any]) -> tuple[Any, ...]:
    """One row of the table."""
    return (UID, "549000001", key, seconds(asleep(night)[-1][1]), json.dumps(value), seconds(night.end) + 600)


def table(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write a table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def write_mi_fitness(nights: Sequence[Night], folder: Path) -> Path:
    """The folder of the export: each night by the watch, again without stages by the app, and in a daily summary."""
    home = folder / "20260101_6400000001_MiFitness_ams1_data_copy"
    home.mkdir()
    rows: list[tuple[Any, ...]] = []
    for night in nights:
        beat = json.dumps({"time": seconds(night.start), "bpm": 61})
        rows += [
            (UID, "549000001", "heart_rate", seconds(night.start), beat, seconds(night.end)),
            row("sleep", night, sleep(night, staged=False)),
            row("watch_night_sleep", night, sleep(night)),
        ]
    table(home / f"20260101_{UID}_MiFitness_hlth_center_fitness_data.csv", HEADER, rows)
    days = [
        (UID, "549000001", "daily_report", "sleep", seconds(night.end), '{"total_duration": 400}', seconds(night.end))
        for night in nights
    ]
    summed = ("Uid", "Sid", "Tag", "Key", "Time", "Value", "UpdateTime")
    table(home / f"20260101_{UID}_MiFitness_hlth_center_aggregated_fitness_data.csv", summed, days)
    return folder


def write_zepp(nights: Sequence[Night], folder: Path) -> Path:
    """The unpacked folder of Zepp: one row a day, with days on which nothing was worn, and minutes beside it."""
    header = ("date", "deepSleepTime", "shallowSleepTime", "wakeTime", "start", "stop", "REMTime", "naps")
    rows = []
    for night in nights:
        start, end = asleep(night)[0][0], asleep(night)[-1][1]
        sums = (night.minutes(DEEP), night.minutes(LIGHT), int(night.measures()["waso_min"]))
        times = tuple(f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}+0000" for at in (start, end))
        rows.append((f"{night.local(end):%Y-%m-%d}", *sums, *times, night.minutes(REM), ""))
    rows.append(("2025-06-01", 0, 0, 0, "2025-05-31 22:00:00+0000", "2025-05-31 22:00:00+0000", 0, ""))
    for name in ("SLEEP", "SLEEP_MINUTE"):
        (folder / name).mkdir()
    table(folder / "SLEEP" / "SLEEP_1767260000000.csv", ("\ufeff" + header[0], *header[1:]), rows)
    minutes = [("2025-03-12", "23:00", "LIGHT", 55, 14.5)]
    table(
        folder / "SLEEP_MINUTE" / "SLEEP_MINUTE_1767260000000.csv",
        ("\ufeffdate", "time", "stage", "hr", "respiratory_rate"),
        minutes,
    )
    return folder


WRITTEN: Final = (
    Written(
        connector="xiaomi",
        form="records",
        write=write_mi_fitness,
        carries=(*CARRIES, "waso_min", "spt_min"),
        latency_source="none",
        records=lambda nights: 2 * len(nights),
    ),
    Written(
        connector="xiaomi",
        form="zepp",
        write=write_zepp,
        carries=CARRIES,
        latency_source="none",
        records=lambda nights: len(nights) + 1,
    ),
)
