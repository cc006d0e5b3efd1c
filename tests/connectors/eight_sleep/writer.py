"""Writes nights as Eight Sleep's interface gives them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

ALL: Final = ("sol_min", "tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min")
STAGES: Final = {WAKE: "awake", LIGHT: "light", DEEP: "deep", REM: "rem"}


def utc(instant: datetime) -> str:
    """An instant as Eight Sleep writes it."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def stages(night: Night) -> list[dict[str, Any]]:
    """The stages of a night, end to end; a last waking is spent out of bed."""
    told = [{"stage": STAGES[stage], "duration": 60 * minutes} for stage, minutes in night.stages]
    if night.stages[-1][0] == WAKE:
        told[-1]["stage"] = "out"
    return told


def day(night: Night) -> dict[str, Any]:
    """One day of trends."""
    return {
        "day": f"{night.local(night.end):%Y-%m-%d}",
        "score": 82,
        "tnt": 8,
        "presenceStart": utc(night.start),
        "presenceEnd": utc(night.end),
        "presenceDuration": int((night.end - night.start).total_seconds()),
        "sleepDuration": 60 * night.minutes(*SLEEP),
        "lightDuration": 60 * night.minutes(LIGHT),
        "deepDuration": 60 * night.minutes(DEEP),
        "remDuration": 60 * night.minutes(REM),
        "processing": False,
        "sessions": [
            {
                "sleepStart": utc(night.onset),
                "sleepEnd": utc(night.end),
                "stages": stages(night),
                "timeseries": {"heartRate": [[utc(night.start), 61], [utc(night.onset), 57]]},
            }
        ],
    }


def write_trends(nights: Sequence[Night], folder: Path) -> Path:
    """One response with the days, among them one on which nobody lay down."""
    path = folder / "trends.json"
    path.write_text(json.dumps({"days": [{"day": "2025-03-09", "score": 0}, *map(day, nights)]}))
    return path


def write_intervals(nights: Sequence[Night], folder: Path) -> Path:
    """One response of the older interface."""
    told = [
        {
            "id": str(int(night.start.timestamp())),
            "ts": utc(night.start),
            "stages": stages(night),
            "score": 77,
            "timeseries": {"tnt": [[utc(night.start), 1]]},
        }
        for night in nights
    ]
    path = folder / "intervals.json"
    path.write_text(json.dumps({"intervals": told, "next": None}))
    return path


WRITTEN: Final = (
    Written(connector="eight_sleep", form="trends", write=write_trends, carries=ALL, latency_source="in_bed"),
    Written(connector="eight_sleep", form="intervals", write=write_intervals, carries=ALL, latency_source="stages"),
)
