"""Writes nights as Oura would: responses of both versions of its API, and its account export."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

DIGIT: Final = {DEEP: "1", LIGHT: "2", REM: "3", WAKE: "4"}
_ALL: Final = ("sol_min", "tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min")


def _phases(night: Night, epoch_s: int) -> str:
    return "".join(DIGIT[stage] * (60 * minutes // epoch_s) for stage, minutes in night.stages)


def _samples(night: Night) -> dict[str, Any]:
    count = len(_phases(night, 300))
    return {
        "interval": 300.0,
        "items": [None, *[52.0] * (count - 2), None],
        "timestamp": night.local(night.start).isoformat(timespec="milliseconds"),
    }


def document(night: Night, **more: Any) -> dict[str, Any]:
    """One sleep document of the second version, its fields in the order of the API."""
    return {
        "id": str(uuid5(NAMESPACE_URL, night.start.isoformat())),
        "average_breath": 15.25,
        "average_hrv": 44,
        "awake_time": 60 * night.minutes(WAKE),
        "bedtime_end": night.local(night.end).isoformat(),
        "bedtime_start": night.local(night.start).isoformat(),
        "day": str(night.local(night.end).date()),
        "deep_sleep_duration": 60 * night.minutes(DEEP),
        "efficiency": 91,
        "heart_rate": _samples(night),
        "hrv": _samples(night),
        "latency": 60 * night.stages[0][1],
        "light_sleep_duration": 60 * night.minutes(LIGHT),
        "low_battery_alert": False,
        "lowest_heart_rate": 48,
        "movement_30_sec": "1" * len(_phases(night, 30)),
        "period": 0,
        "readiness": {"contributors": {"hrv_balance": 80, "sleep_balance": None}, "score": 79},
        "rem_sleep_duration": 60 * night.minutes(REM),
        "restless_periods": 120,
        "sleep_phase_30_sec": _phases(night, 30),
        "sleep_phase_5_min": _phases(night, 300),
        "sleep_algorithm_version": "v2",
        "sleep_analysis_reason": "foreground_sleep_analysis",
        "time_in_bed": int((night.end - night.start).total_seconds()),
        "total_sleep_duration": 60 * night.minutes(*SLEEP),
        "type": "long_sleep",
    } | more


def period(night: Night, **more: Any) -> dict[str, Any]:
    """One sleep period of the first version of the API."""
    return {
        "summary_date": str(night.local(night.start).date()),
        "period_id": 0,
        "is_longest": 1,
        "timezone": int(night.local(night.start).utcoffset().total_seconds() // 60),  # type: ignore[union-attr]
        "bedtime_start": night.local(night.start).isoformat(),
        "bedtime_end": night.local(night.end).isoformat(),
        "score": 74,
        "total": 60 * night.minutes(*SLEEP),
        "duration": int((night.end - night.start).total_seconds()),
        "awake": 60 * night.minutes(WAKE),
        "light": 60 * night.minutes(LIGHT),
        "rem": 60 * night.minutes(REM),
        "deep": 60 * night.minutes(DEEP),
        "onset_latency": 60 * night.stages[0][1],
        "efficiency": 90,
        "midpoint_time": 12_000,
        "hypnogram_5min": _phases(night, 300),
        "hr_5min": [0, *[52] * (len(_phases(night, 300)) - 1)],
    } | more


def table(documents: Sequence[dict[str, Any]]) -> str:
    """The account export's table of these documents: columns by name, JSON without quotation marks around it."""
    columns = ["id", *sorted({name for one in documents for name in one} - {"id"})]
    rows = [";".join(_cell(one.get(name)) for name in columns) for one in documents]
    return "\n".join([";".join(columns), *rows]) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def write_v2(nights: Sequence[Night], folder: Path) -> Path:
    """A response of the API, version 2."""
    path = folder / "sleep.json"
    path.write_text(json.dumps({"data": [document(night) for night in nights], "next_token": None}, indent=2))
    return path


def write_v1(nights: Sequence[Night], folder: Path) -> Path:
    """A response of the API, version 1."""
    path = folder / "sleep.json"
    path.write_text(json.dumps({"sleep": [period(night) for night in nights]}))
    return path


def write_account(nights: Sequence[Night], folder: Path) -> Path:
    """The archive of an account, with tables that hold no sleep."""
    path = folder / "oura_export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("App Data/dailysleep.csv", "id;contributors;day;score;timestamp\nx;{};2025-03-11;80;\n")
        archive.writestr("App Data/heartrate.csv", "timestamp;bpm;source\n2025-03-11T01:00:00.000Z;51;sleep\n")
        archive.writestr("App Data/sleepmodel.csv", table([document(night) for night in nights]))
    return path


WRITTEN: Final = (
    Written(connector="oura", form="v2", write=write_v2, carries=_ALL, latency_source="vendor"),
    Written(connector="oura", form="v1", write=write_v1, carries=_ALL, latency_source="vendor"),
    Written(connector="oura", form="account", write=write_account, carries=_ALL, latency_source="vendor"),
)
