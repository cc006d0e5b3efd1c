"""Writes nights as Huawei's privacy centre does, unpacked from its encrypted archive."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE

CARRIES: Final = ("tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min")
WORDS: Final = {WAKE: "WAKE", LIGHT: "SHALLOW", DEEP: "DEEP", REM: "DREAM"}
BASIC: Final = {WAKE: "SLEEP_AWAKE", LIGHT: "SLEEP_LIGHT", REM: "SLEEP_LIGHT", DEEP: "SLEEP_DEEP"}
HEART: Final = "DATA_POINT_DYNAMIC_HEARTRATE"


def ms(instant: datetime) -> int:
    """An instant as Huawei writes it."""
    return int(instant.timestamp()) * 1000


def minutes(night: Night) -> Iterator[tuple[datetime, datetime, str]]:
    """The night from onset to the last waking, a minute at a time."""
    pieces = night.pieces[1:]
    for start, end, stage in pieces[:-1] if pieces[-1][2] == WAKE else pieces:
        at = start
        while at < end:
            yield at, at + timedelta(minutes=1), stage
            at += timedelta(minutes=1)


def record(night: Night, points: Sequence[tuple[datetime, datetime, str]], **more: Any) -> dict[str, Any]:
    """One record with points of these keys."""
    told = [{"startTime": ms(at), "endTime": ms(end), "key": key, "value": "1", "unit": ""} for at, end, key in points]
    return {
        "type": 9,
        "timeZone": f"{night.local(points[0][0]):%z}",
        "startTime": told[0]["startTime"],
        "endTime": told[-1]["endTime"],
        "deviceCode": 32,
        "version": 1_742_000_000_000,
        "samplePoints": told,
    } | more


def records(night: Night) -> list[dict[str, Any]]:
    """One night: an hour of minutes a record; the last hour is told by the phone too; lying down is marked."""
    told = [(at, end, f"PROFESSIONAL_SLEEP_{WORDS[stage]}") for at, end, stage in minutes(night)]
    hours = [record(night, told[i : i + 60]) for i in range(0, len(told), 60)]
    bed = record(night, [(night.start, night.onset, "PROFESSIONAL_SLEEP_BED")])
    return [bed, *hours, hours[-1] | {"deviceCode": 7}]


def write_folder(nights: Sequence[Night], folder: Path) -> Path:
    """The unpacked archive: everything of health in one file, sleep after heart rates."""
    home = folder / "HUAWEI_HEALTH_20260101120000" / "Health detail data & description"
    home.mkdir(parents=True)
    hearts = [record(night, [(night.start, night.start, HEART)], type=7) for night in nights]
    sleep = [one for night in nights for one in records(night)]
    (home / "health detail data.json").write_text(json.dumps([*hearts, *sleep]))
    (home.parent / "sport per minute merged data.json").write_text('[{"recordDay": 20250310, "sportDataUserData": []}]')
    return folder


def write_basic(nights: Sequence[Night], folder: Path) -> Path:
    """The file of an older band, which tells no dreams: light sleep stands for them. Keys are numbers."""
    numbers = {"SLEEP_DEEP": 22001, "SLEEP_LIGHT": 22002, "SLEEP_AWAKE": 22003}
    told = [
        record(night, [(at, end, str(numbers[BASIC[stage]])) for at, end, stage in minutes(night)], type=3)
        for night in nights
    ]
    path = folder / "health detail data.json"
    path.write_text(json.dumps(told, indent=1))
    return path


WRITTEN: Final = (
    Written(
        connector="huawei",
        form="records",
        write=write_folder,
        carries=("sol_min", *CARRIES),
        latency_source="in_bed",
    ),
    Written(
        connector="huawei",
        form="records",
        write=write_basic,
        carries=("tst_min", "deep_min", "waso_min", "spt_min"),
        latency_source="none",
    ),
)
