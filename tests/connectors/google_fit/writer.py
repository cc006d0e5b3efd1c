"""Nights as a Takeout of Google Fit holds them: a file a session, and streams of segments."""

import json
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE

APP: Final = "com.example.sleepwatch"
SOURCE: Final = f"raw:com.google.sleep.segment:{APP}:Example:Watch 5:0a1b2c3d:sleep"
NUMBER: Final = {WAKE: 1, LIGHT: 4, DEEP: 5, REM: 6}


def utc(instant: datetime) -> str:
    """The instant as Google Fit writes it."""
    return f"{instant:%Y-%m-%dT%H:%M:%S}Z"


def session_json(night: Night) -> dict[str, Any]:
    """One session: sleep and waking, from falling asleep on."""
    return {
        "fitnessActivity": "sleep",
        "startTime": utc(night.onset),
        "endTime": utc(night.end),
        "duration": f"{round((night.end - night.onset).total_seconds())}s",
        "segment": [
            {
                "fitnessActivity": "sleep.awake" if stage == WAKE else "sleep",
                "startTime": utc(start),
                "endTime": utc(end),
            }
            for start, end, stage in night.pieces[1:]
        ],
    }


def activity_json(start: datetime, end: datetime, number: int) -> dict[str, Any]:
    """One data point of the older type, which knows every activity."""
    return point_json(start, end, number) | {
        "dataTypeName": "com.google.activity.segment",
        "originDataSourceId": SOURCE.replace("sleep.segment", "activity.segment"),
    }


def point_json(start: datetime, end: datetime, number: int) -> dict[str, Any]:
    """One data point of sleep, as a Takeout writes it."""
    return {
        "fitValue": [{"value": {"intVal": number}}],
        "originDataSourceId": SOURCE,
        "endTimeNanos": round(end.timestamp()) * 10**9,
        "dataTypeName": "com.google.sleep.segment",
        "startTimeNanos": round(start.timestamp()) * 10**9,
        "modifiedTimeMillis": round(end.timestamp()) * 1000,
        "rawTimestampNanos": 0,
    }


def write_sessions(nights: Sequence[Night], folder: Path) -> Path:
    """Write a Takeout in a language that is not English, with a walk in it."""
    fit = folder / "Takeout" / "Fit"
    sessions = fit / "Все сеансы"
    sessions.mkdir(parents=True)
    for night in nights:
        local = night.local(night.onset)
        offset = f"{local:%z}"
        name = f"{local:%Y-%m-%dT%H_%M_%S}{offset[:3]}_{offset[3:]}_SLEEP.json"
        (sessions / name).write_text(json.dumps(session_json(night), indent=2))
    walk = {"fitnessActivity": "walking", "startTime": "2025-03-10T09:00:00Z", "endTime": "2025-03-10T09:30:00Z"}
    (sessions / "2025-03-10T10_00_00+01_00_WALKING.json").write_text(json.dumps(walk))
    (fit / "daily.csv").write_text("Date,Move Minutes count,Step count\n2025-03-10,41,4021\n")
    return folder / "Takeout"


def write_segments(nights: Sequence[Night], folder: Path) -> Path:
    """Write the streams of a Takeout, zipped: the raw one and the merged one tell the same."""
    points = [point_json(start, end, NUMBER[stage]) for night in nights for start, end, stage in night.pieces[1:]]
    merged = "derived:com.google.sleep.segment:com.google.android.gms:merged"
    path = folder / "takeout.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for source, name in [
            (SOURCE, "raw_com.google.sleep.segment_com.example"),
            (merged, "derived_com.google.sleep.segment_com.google.an"),
        ]:
            told = {"Data Source": source, "Data Points": points}
            archive.writestr(f"Takeout/Fit/All Data/{name}.json", json.dumps(told))
        steps = {"Data Source": "raw:com.google.step_count.delta:com.example", "Data Points": []}
        archive.writestr("Takeout/Fit/All Data/raw_com.google.step_count.delta.json", json.dumps(steps))
    return path


def write_activities(nights: Sequence[Night], folder: Path) -> Path:
    """Write the older stream, in which sleep is one activity among others, behind a long row of walks."""
    number = {WAKE: 112, LIGHT: 109, DEEP: 110, REM: 111}
    walked = min(night.onset for night in nights) - timedelta(days=9)
    walks = [(walked + timedelta(hours=i), walked + timedelta(hours=i, minutes=10), 7) for i in range(100)]
    slept = [(start, end, number[stage]) for night in nights for start, end, stage in night.pieces[1:]]
    points = [activity_json(*told) for told in [*walks, *slept]]
    source = SOURCE.replace("sleep.segment", "activity.segment")
    path = folder / "derived_com.google.activity.segment_com.google.an.json"
    path.write_text(json.dumps({"Data Source": source, "Data Points": points}))
    return path


WRITTEN: Final = (
    Written(
        connector="google_fit",
        form="sessions",
        write=write_sessions,
        carries=("tst_min", "waso_min", "spt_min"),
        latency_source="none",
    ),
    Written(
        connector="google_fit",
        form="segments",
        write=write_segments,
        carries=("tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min"),
        latency_source="none",
    ),
    Written(
        connector="google_fit",
        form="activities",
        write=write_activities,
        carries=("tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min"),
        latency_source="none",
    ),
)
