"""Writes nights as Withings would: its account export, of a watch and of a mat, and responses of its API."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

STATE: Final = {WAKE: 0, LIGHT: 1, DEEP: 2, REM: 3}
ENGLISH: Final = ("from", "to", "light (s)", "deep (s)", "rem (s)", "awake (s)", "wake up")
GERMAN: Final = ("von", "bis", "leicht (s)", "tief (s)", "rem (s)", "wach (s)", "Aufwachen")
_LATER: Final = (
    "Duration to sleep (s)",
    "Duration to wake up (s)",
    "Snoring (s)",
    "Snoring episodes",
    "Average heart rate",
    "Heart rate (min)",
    "Heart rate (max)",
    "Night events",
    "Notes",
)
_SUMS: Final = ("sol_min", "tst_min", "light_min", "deep_min", "rem_min")
_ALL: Final = (*_SUMS, "waso_min", "spt_min")
_ELSEWHERE: Final = ZoneInfo("America/New_York")
"""The raw tables of Withings tell right instants at an offset that is not the user's."""


def night_row(night: Night) -> list[object]:
    """One row of ``sleep.csv``."""
    lasts_s = int((night.end - night.start).total_seconds())
    latency_s = 60 * night.stages[0][1]
    waking_s = 60 * night.stages[-1][1] if night.stages[-1][0] == WAKE else 0
    events = {"1": [0], "2": [latency_s], "3": [lasts_s - waking_s], "4": [lasts_s]}
    stages = [60 * night.minutes(stage) for stage in (LIGHT, DEEP, REM, WAKE)]
    bounds = [night.local(night.start).isoformat(), night.local(night.end).isoformat()]
    return [*bounds, *stages, 1, latency_s, waking_s, 0, 0, 58, 47, 74, json.dumps(events, separators=(",", ":")), ""]


def night_table(rows: Sequence[Sequence[object]], language: Sequence[str] = ENGLISH) -> str:
    """The table ``sleep.csv``."""
    return _csv([(*language, *_LATER), *rows])


def raw_table(rows: Sequence[tuple[datetime, Sequence[int], Sequence[int]]]) -> str:
    """A raw table: starts, durations and states."""
    cells = [
        (start.astimezone(_ELSEWHERE).isoformat(), _array(durations), _array(states))
        for start, durations, states in rows
    ]
    return _csv([("start", "duration", "value"), *cells])


def _array(numbers: Sequence[int]) -> str:
    return json.dumps(list(numbers), separators=(",", ":"))


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def watch_chunks(night: Night, size: int = 5) -> Iterator[tuple[datetime, list[int], list[int]]]:
    """The states of a watch: a chunk holds a few, each as long as it lasted."""
    for chunk in batched(night.pieces, size, strict=False):
        seconds = [int((end - start).total_seconds()) for start, end, _ in chunk]
        yield chunk[0][0], seconds, [STATE[stage] for _, _, stage in chunk]


def mat_chunks(night: Night, size: int = 180) -> Iterator[tuple[datetime, list[int], list[int]]]:
    """The states of a mat: minute by minute."""
    minutes = [STATE[stage] for stage, count in night.stages for _ in range(count)]
    for i, chunk in enumerate(batched(minutes, size, strict=False)):
        yield night.start + timedelta(minutes=i * size), [60] * len(chunk), list(chunk)


def write_account(nights: Sequence[Night], folder: Path, *, device: str | None, language: Sequence[str]) -> Path:
    """The archive of an account. A watch tells newest first; a mat tells every chunk twice."""
    path = folder / "data_export.zip"
    watch = sorted((chunk for night in nights for chunk in watch_chunks(night)), reverse=True)
    mat = [chunk for night in nights for chunk in mat_chunks(night)]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("README.txt", "Your Withings data.\n")
        archive.writestr("raw_tracker_steps.csv", "start,duration,value\n2025-03-10T08:00:00+01:00,[60],[1]\n")
        archive.writestr("raw_bed_snoring.csv", "start,duration,value\n2025-03-10T23:00:00+01:00,[60],[1]\n")
        archive.writestr("raw_tracker_sleep-state.csv", raw_table(watch if device == "tracker" else []))
        archive.writestr("raw_bed_sleep-state.csv", raw_table([*mat, *mat] if device == "bed" else []))
        archive.writestr("sleep.csv", night_table([night_row(night) for night in nights], language))
    return path


def summary(night: Night, **more: Any) -> dict[str, Any]:
    """One night of a ``getsummary`` response."""
    lasts_s = int((night.end - night.start).total_seconds())
    start = int(night.start.timestamp())
    return {
        "id": start * 3,
        "timezone": night.zone,
        "model": 32,
        "model_id": 63,
        "hash_deviceid": "0123456789abcdef",
        "startdate": start,
        "enddate": start + lasts_s,
        "date": str(night.local(night.end).date()),
        "data": {
            "wakeupduration": 60 * night.minutes(WAKE),
            "wakeupcount": 1,
            "durationtosleep": 60 * night.stages[0][1],
            "remsleepduration": 60 * night.minutes(REM),
            "total_sleep_time": 60 * night.minutes(*SLEEP),
            "sleep_efficiency": 0.91,
            "sleep_latency": 60 * night.stages[0][1],
            "out_of_bed_count": 0,
            "lightsleepduration": 60 * night.minutes(LIGHT),
            "deepsleepduration": 60 * night.minutes(DEEP),
            "hr_average": 58,
            "sleep_score": 77,
        },
        "created": start + lasts_s + 600,
        "modified": start + lasts_s + 600,
    } | more


def segments(night: Night, longest_s: int = 600) -> list[dict[str, Any]]:
    """The states of one night of a ``get`` response, none longer than ten minutes."""
    return [
        {
            "startdate": at,
            "state": STATE[stage],
            "enddate": min(at + longest_s, int(end.timestamp())),
            "model": "Aura Sensor V2",
            "hr": {str(at): 58},
            "hash_deviceid": "0123456789abcdef",
            "model_id": 63,
        }
        for start, end, stage in night.pieces
        for at in range(int(start.timestamp()), int(end.timestamp()), longest_s)
    ]


def response(series: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A response of the API."""
    return {"status": 0, "body": {"series": list(series), **more}}


def write_summaries(nights: Sequence[Night], folder: Path, *, with_states: bool) -> Path:
    """Responses of ``getsummary``, and of ``get`` where asked."""
    told = response([summary(night) for night in nights], more=False, offset=0)
    (folder / "summary.json").write_text(json.dumps(told, indent=1))
    if with_states:
        write_segments(nights, folder)
    return folder


def write_segments(nights: Sequence[Night], folder: Path) -> Path:
    """A response of ``get``, unsorted as Withings sends it."""
    path = folder / "states.json"
    told = [segment for night in nights for segment in segments(night)]
    path.write_text(json.dumps(response([*told[1::2], *told[::2]], model=32)))
    return path


WRITTEN: Final = (
    Written(
        connector="withings",
        form="nights",
        write=partial(write_account, device=None, language=ENGLISH),
        carries=_SUMS,
        latency_source="vendor",
    ),
    Written(
        connector="withings",
        form="nights",
        write=partial(write_account, device="tracker", language=GERMAN),
        carries=_ALL,
        latency_source="vendor",
    ),
    Written(
        connector="withings",
        form="nights",
        write=partial(write_account, device="bed", language=ENGLISH),
        carries=_ALL,
        latency_source="in_bed",
    ),
    Written(
        connector="withings",
        form="summaries",
        write=partial(write_summaries, with_states=False),
        carries=_SUMS,
        latency_source="vendor",
    ),
    Written(
        connector="withings",
        form="summaries",
        write=partial(write_summaries, with_states=True),
        carries=_ALL,
        latency_source="in_bed",
    ),
    Written(connector="withings", form="segments", write=write_segments, carries=_ALL, latency_source="in_bed"),
)
