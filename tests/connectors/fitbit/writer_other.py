"""Nights as the Fitbit app's CSV and the Google Health API tell them."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

BEFORE: Final = """Body
Date,Weight,BMI,Fat
"2025-03-10","70.1","22.1","0"

Foods
Date,Calories In
"2025-03-10","0"

Activities
Date,Calories Burned,Steps,Distance,Floors,Minutes Sedentary,Minutes Lightly Active,Activity Calories
"2025-03-10","2,310","8,021","5.71","12","701","220","1,004"

"""
HEADER: Final = (
    "Start Time,End Time,Minutes Asleep,Minutes Awake,Number of Awakenings,Time in Bed,"
    "Minutes REM Sleep,Minutes Light Sleep,Minutes Deep Sleep"
)
AFTER: Final = """
Food Log 20250310
Daily Totals
"","Calories","0"

"""
TYPE: Final = {WAKE: "AWAKE", LIGHT: "LIGHT", DEEP: "DEEP", REM: "REM"}


def app_time(local: datetime) -> str:
    """A wall-clock time as the app writes it."""
    return f"{local:%Y-%m-%d} {local.hour % 12 or 12}:{local:%M%p}"


def app_row(night: Night) -> str:
    """One row of the section Sleep."""
    minutes = [night.minutes(*stages) for stages in (SLEEP, (WAKE,), (*SLEEP, WAKE), (REM,), (LIGHT,), (DEEP,))]
    minutes.insert(2, 24)
    fields = [app_time(night.local(night.start)), app_time(night.local(night.end)), *(f"{n:,}" for n in minutes)]
    return ",".join(f'"{field}"' for field in fields)


def write_app_csv(nights: Sequence[Night], folder: Path) -> Path:
    """Write a month of the website's export: the section Sleep stands among others."""
    path = folder / "fitbit_export_20250401.csv"
    rows = "\n".join(app_row(night) for night in nights)
    path.write_text(f"{BEFORE}Sleep\n{HEADER}\n{rows}\n{AFTER}")
    return path


def data_point(night: Night) -> dict[str, Any]:
    """One data point of sleep, numbers as text."""
    offsets = [night.local(at).utcoffset() for at in (night.start, night.end)]
    first, last = (f"{offset.total_seconds():.0f}s" for offset in offsets if offset is not None)
    stages = [
        {
            "startTime": utc(start),
            "startUtcOffset": first,
            "endTime": utc(end),
            "endUtcOffset": last,
            "type": TYPE[stage],
        }
        for start, end, stage in night.pieces
    ]
    summary = {
        "minutesInSleepPeriod": str(night.minutes(*SLEEP, WAKE)),
        "minutesAfterWakeUp": "0",
        "minutesToFallAsleep": "0",
        "minutesAsleep": str(night.minutes(*SLEEP)),
        "minutesAwake": str(night.minutes(WAKE)),
        "stagesSummary": [{"type": name, "minutes": str(night.minutes(stage))} for stage, name in TYPE.items()],
    }
    return {
        "name": f"users/me/dataTypes/sleep/dataPoints/{night.start:%Y%m%d%H%M}",
        "dataSource": {
            "recordingMethod": "DERIVED",
            "device": {"displayName": "Charge 6"},
            "platform": "FITBIT",
        },
        "sleep": {
            "interval": {
                "startTime": utc(night.start),
                "startUtcOffset": first,
                "endTime": utc(night.end),
                "endUtcOffset": last,
            },
            "type": "STAGES",
            "stages": stages,
            "metadata": {"stagesStatus": "SUCCEEDED", "processed": True, "nap": False, "mainSleep": True},
            "summary": summary,
            "createTime": utc(night.end),
            "updateTime": utc(night.end),
        },
    }


def utc(instant: datetime) -> str:
    """The instant as the API writes it."""
    return f"{instant:%Y-%m-%dT%H:%M:%S}Z"


def write_data_points(nights: Sequence[Night], folder: Path) -> Path:
    """Write two answers of the API, as someone saved them in one file."""
    path = folder / "sleep.json"
    points = [data_point(night) for night in nights]
    answers = [{"dataPoints": points[:2], "nextPageToken": "two"}, {"dataPoints": points[2:]}]
    path.write_text(json.dumps([answer for answer in answers if answer["dataPoints"]]))
    return path


OTHER_WRITTEN: Final = (
    Written(
        connector="fitbit",
        form="app",
        write=write_app_csv,
        carries=("tst_min", "light_min", "deep_min", "rem_min"),
        latency_source="none",
    ),
    Written(
        connector="fitbit",
        form="google_health",
        write=write_data_points,
        carries=("sol_min", "tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min"),
        latency_source="stages",
    ),
)
