"""Writes nights as the data points of a Shimmer server."""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import SLEEP


def data_point(name: str, body: dict[str, Any], number: int) -> dict[str, Any]:
    """A data point with its header; ids are new in every response."""
    return {
        "header": {
            "id": str(uuid.UUID(int=number)),
            "creation_date_time": "2025-11-01T10:00:00Z",
            "acquisition_provenance": {"source_name": "Withings Resource API", "modality": "sensed"},
            "schema_id": {"namespace": "omh", "name": name, "version": "1.1"},
        },
        "body": body,
    }


def episode(night: Night, unit: int) -> dict[str, Any]:
    """One night from its onset to the final awakening, in one of the units of the schema."""
    last_wake = night.stages[-1][1] if night.stages[-1][0] == "wake" else 0
    awake = night.end - timedelta(minutes=last_wake)
    factor, name = [(1, "min"), (60, "sec"), (1 / 60, "h")][unit % 3]
    onset, waking = (at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (night.onset, awake))
    lasts = {"value": (awake - night.onset).total_seconds() / 3600, "unit": "h"}
    interval = [
        {"start_date_time": onset, "end_date_time": waking},
        {"start_date_time": onset, "duration": lasts},
        {"duration": lasts, "end_date_time": waking},
    ][unit % 3]

    def told(minutes: float) -> dict[str, Any]:
        return {"value": minutes * factor, "unit": name}

    return {
        "effective_time_frame": {"time_interval": interval},
        "latency_to_sleep_onset": told(night.stages[0][1]),
        "latency_to_arising": told(last_wake),
        "total_sleep_time": told(night.minutes(*SLEEP)),
        "wake_after_sleep_onset": told(night.measures()["waso_min"]),
        "number_of_awakenings": 1,
        "is_main_sleep": True,
        "sleep_maintenance_efficiency_percentage": {"value": 96.2, "unit": "%"},
    }


def write_response(nights: Sequence[Night], folder: Path) -> Path:
    """A response of Shimmer: sleep episodes in various units, among data points of another schema."""
    points = [data_point("sleep-episode", episode(night, night.start.day), i) for i, night in enumerate(nights)]
    duration = data_point("sleep-duration", {"sleep_duration": {"value": 400, "unit": "min"}}, 99)
    path = folder / "shimmer.json"
    path.write_text(json.dumps({"shim": "withings", "timeStamp": 1762000000, "body": [*points, duration]}, indent=2))
    return path


WRITTEN: Final = (
    Written(
        connector="openmhealth",
        form="episodes",
        write=write_response,
        carries=("sol_min", "tst_min"),
        latency_source="vendor",
    ),
)
