"""Writes nights as Polar does: the archive of the Flow account, and AccessLink responses."""

import json
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

CARRIES: Final = ("tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min")
STATES: Final = {WAKE: "WAKE", LIGHT: "NONREM2", DEEP: "NONREM3", REM: "REM"}
NUMBERS: Final = {WAKE: 0, REM: 1, LIGHT: 3, DEEP: 4}
USER: Final = "61234567-0a1b2c3d-0000-4000-8000-00000000beef"


def asleep(night: Night) -> list[tuple[datetime, datetime, str]]:
    """The night from onset to the last waking: what a watch that starts with sleep records."""
    pieces = night.pieces[1:]
    return pieces[:-1] if pieces[-1][2] == WAKE else pieces


def duration(minutes: int) -> str:
    """Minutes as Polar writes them."""
    return f"PT{minutes // 60}H{minutes % 60}M" if minutes >= 60 else f"PT{minutes}M"


def result(night: Night) -> dict[str, Any]:
    """One night of the archive, with a last WAKE after its span."""
    pieces = asleep(night)
    start, end = pieces[0][0], pieces[-1][1]
    span = int((end - start).total_seconds()) // 60
    waso = int(night.measures()["waso_min"])
    changes = [(int((at - start).total_seconds()), STATES[stage]) for at, _, stage in pieces]
    return {
        "night": f"{night.local(end):%Y-%m-%d}",
        "evaluation": {
            "sleepType": "SLEEP_PLUS_STAGES",
            "sleepSpan": duration(span),
            "asleepDuration": duration(night.minutes(*SLEEP)),
            "age": 52.0,
            "analysis": {"efficiencyPercent": 96.2, "continuityIndex": 3.9, "continuityClass": 4, "feedback": 1021},
            "interruptions": {"totalDuration": duration(waso), "totalCount": 1, "longCount": 1},
            "phaseDurations": {
                "wake": duration(waso),
                "rem": duration(night.minutes(REM)),
                "light": duration(night.minutes(LIGHT)),
                "deep": duration(night.minutes(DEEP)),
                "unknown": "PT0S",
                "remPercentage": 18.4,
                "deepPercentage": 17.0,
            },
        },
        "sleepResult": {
            "hypnogram": {
                "sleepStart": night.local(start).isoformat(timespec="milliseconds"),
                "sleepEnd": night.local(end).isoformat(timespec="milliseconds"),
                "sleepStartOffset": 0,
                "sleepEndOffset": 0,
                "rating": "SLEPT_WELL",
                "sleepGoal": "PT8H",
                "birthday": "1974-01-01",
                "deviceId": "0ABC1234",
                "batteryRanOut": False,
                "alarmSnoozeTimes": [],
                "sleepStateChanges": [
                    *({"offsetFromStart": f"PT{at}S", "state": state} for at, state in changes),
                    {"offsetFromStart": f"PT{60 * span + 30}S", "state": "WAKE"},
                ],
            },
            "sleepCycles": {"cycles": {"sleepCycleModels": [{"secondsFromSleepStart": 0, "sleepDepthStart": 1.2}]}},
        },
    }


def write_archive(nights: Sequence[Night], folder: Path) -> Path:
    """The archive of the account: the results, and files about the same nights that hold none."""
    path = folder / f"polar-user-data-export_{USER}.zip"
    dates = [f"{night.local(night.end):%Y-%m-%d}" for night in nights]
    wakes = [
        {"night": date, "sleepWake": [{"sleepStateChanges": {"sleepWakeStateChangeModels": []}}]} for date in dates
    ]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"sleep_result_{USER}.json", json.dumps([result(night) for night in nights]))
        archive.writestr(f"sleep_wake_{USER}.json", json.dumps(wakes))
        scores = [
            {"night": date, "sleepScoreResult": {"sleepScore": 81.5}, "sleepScoreBaselines": {}} for date in dates
        ]
        archive.writestr(f"sleep_score_{USER}.json", json.dumps(scores))
        archive.writestr(f"nightly_recovery_{USER}.json", json.dumps([{"night": date} for date in dates]))
    return path


def response(night: Night) -> dict[str, Any]:
    """One night of a response: each stage at its minute of the local clock."""
    pieces = asleep(night)
    return {
        "polar_user": "https://www.polaraccesslink.com/v3/users/1",
        "date": f"{night.local(pieces[-1][1]):%Y-%m-%d}",
        "sleep_start_time": night.local(pieces[0][0]).isoformat(),
        "sleep_end_time": night.local(pieces[-1][1]).isoformat(),
        "device_id": "0ABC1234",
        "continuity": 3.9,
        "continuity_class": 4,
        "light_sleep": 60 * night.minutes(LIGHT),
        "deep_sleep": 60 * night.minutes(DEEP),
        "rem_sleep": 60 * night.minutes(REM),
        "unrecognized_sleep_stage": 0,
        "sleep_score": 81,
        "total_interruption_duration": 60 * int(night.measures()["waso_min"]),
        "sleep_charge": 3,
        "hypnogram": {f"{night.local(at):%H:%M}": NUMBERS[stage] for at, _, stage in pieces},
        "heart_rate_samples": {"00:41": 56, "00:46": 57},
    }


def write_response(nights: Sequence[Night], folder: Path) -> Path:
    """One response of `/v3/users/sleep`."""
    path = folder / "sleep.json"
    path.write_text(json.dumps({"nights": [response(night) for night in nights]}, indent=1))
    return path


WRITTEN: Final = (
    Written(connector="polar", form="results", write=write_archive, carries=CARRIES, latency_source="none"),
    Written(connector="polar", form="accesslink", write=write_response, carries=CARRIES, latency_source="none"),
)
