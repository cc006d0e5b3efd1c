"""Writes the shared nights as Garmin would: an account archive, responses of Garmin Connect, files of the watch."""

import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE

TOTALS: Final = ("tst_min", "deep_min", "light_min", "rem_min")
STAGES: Final = (*TOTALS, "waso_min", "spt_min")
CONNECT_LEVEL: Final = {DEEP: 0.0, LIGHT: 1.0, REM: 2.0, WAKE: 3.0}
FIT_LEVEL: Final = {WAKE: 1, LIGHT: 2, DEEP: 3, REM: 4}
FIT_EPOCH: Final = datetime(1989, 12, 31, tzinfo=UTC)


def gmt(instant: datetime) -> str:
    """Garmin's way to write an instant: UTC without saying so, and one digit of a fraction."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.0"


def milliseconds(instant: datetime) -> int:
    """An instant as Garmin Connect counts it."""
    return round(instant.timestamp() * 1000)


def local_milliseconds(night: Night, instant: datetime) -> int:
    """The wall clock, counted as if it were UTC."""
    return milliseconds(night.local(instant).replace(tzinfo=UTC))


def calendar_date(night: Night) -> str:
    """Garmin's date of a night: the morning's."""
    return f"{night.local(night.end):%Y-%m-%d}"


def sums(night: Night) -> dict[str, int]:
    """Seconds of each stage; the wake before sleep is not recorded."""
    return {
        "deepSleepSeconds": 60 * night.minutes(DEEP),
        "lightSleepSeconds": 60 * night.minutes(LIGHT),
        "remSleepSeconds": 60 * night.minutes(REM),
        "awakeSleepSeconds": 60 * (night.minutes(WAKE) - night.stages[0][1]),
    }


def archived(night: Night) -> dict[str, Any]:
    """One night of the account archive."""
    return {
        "sleepStartTimestampGMT": gmt(night.onset),
        "sleepEndTimestampGMT": gmt(night.end),
        "calendarDate": calendar_date(night),
        "sleepWindowConfirmationType": "ENHANCED_CONFIRMED_FINAL",
        **sums(night),
        "unmeasurableSeconds": 0,
        "averageRespiration": 14.0,
        "retro": False,
        "awakeCount": 1,
        "sleepScores": {"overallScore": 79, "deepScore": 69},
        "restlessMomentCount": 41,
    }


def day(night: Night) -> dict[str, Any]:
    """The day on which a night ends, in both clocks, from midnight to midnight."""
    morning = night.local(night.end).replace(hour=0, minute=0, second=0)
    evening = morning + timedelta(days=1)
    return {
        "userProfilePK": 10,
        "calendarDate": calendar_date(night),
        "totalSteps": 7200,
        "wellnessStartTimeGmt": gmt(morning),
        "wellnessEndTimeGmt": gmt(evening),
        "wellnessStartTimeLocal": f"{morning:%Y-%m-%dT%H:%M:%S}.0",
        "wellnessEndTimeLocal": f"{evening:%Y-%m-%dT%H:%M:%S}.0",
        "bodyBattery": {"calendarDate": calendar_date(night), "chargedValue": 75},
    }


def response(night: Night) -> dict[str, Any]:
    """One response of Garmin Connect."""
    levels = [
        {"startGMT": gmt(start), "endGMT": gmt(end), "activityLevel": CONNECT_LEVEL[stage]}
        for start, end, stage in night.pieces[1:]
    ]
    asleep = sum(seconds for name, seconds in sums(night).items() if name != "awakeSleepSeconds")
    return {
        "dailySleepDTO": {
            "id": milliseconds(night.onset),
            "calendarDate": calendar_date(night),
            "sleepTimeSeconds": asleep,
            "napTimeSeconds": 0,
            "sleepWindowConfirmationType": "enhanced_confirmed_final",
            "sleepStartTimestampGMT": milliseconds(night.onset),
            "sleepEndTimestampGMT": milliseconds(night.end),
            "sleepStartTimestampLocal": local_milliseconds(night, night.onset),
            "sleepEndTimestampLocal": local_milliseconds(night, night.end),
            "autoSleepStartTimestampGMT": None,
            "unmeasurableSleepSeconds": 0,
            **sums(night),
            "deviceRemCapable": True,
            "sleepFromDevice": True,
            "sleepVersion": 2,
        },
        "remSleepData": True,
        "sleepLevels": levels,
        "sleepMovement": [{"startGMT": gmt(night.onset), "endGMT": gmt(night.end), "activityLevel": 5.67}],
        "restingHeartRate": 44,
    }


def fit_time(instant: datetime) -> bytes:
    """An instant as FIT counts it."""
    return round((instant - FIT_EPOCH).total_seconds()).to_bytes(4, "little")


def definition(local: int, number: int, *fields: tuple[int, int, int]) -> bytes:
    """A definition message; a field is its number, its size and its base type."""
    return bytes([0x40 | local, 0, 0]) + number.to_bytes(2, "little") + bytes([len(fields), *sum(fields, ())])


def fit_file(body: bytes) -> bytes:
    """The body with its header; the checksums are left out, as writers may."""
    return bytes([14, 0x20, 0x54, 0x08]) + len(body).to_bytes(4, "little") + b".FIT" + bytes(2) + body + bytes(2)


def sleep_file(night: Night) -> bytes:
    """One night as the watch keeps it: events for its bounds, a level at the end of every stretch."""
    local = night.local(night.onset).replace(tzinfo=UTC)
    body = [
        definition(0, 0, (0, 1, 0), (1, 2, 0x84), (3, 4, 0x8C), (4, 4, 0x86)) + bytes([0, 49, 1, 0, 7, 0, 0, 0]),
        fit_time(night.end),
        definition(1, 273, (253, 4, 0x86), (2, 4, 0x86), (1, 2, 0x84)) + b"\x01" + fit_time(night.onset),
        fit_time(local) + (60).to_bytes(2, "little"),
        definition(2, 21, (253, 4, 0x86), (0, 1, 0), (1, 1, 0)),
        b"\x02" + fit_time(night.onset) + bytes([74, 0]),
        definition(3, 275, (253, 4, 0x86), (0, 1, 0)),
        *(b"\x03" + fit_time(end) + bytes([FIT_LEVEL[stage]]) for _, end, stage in night.pieces[1:]),
        b"\x02" + fit_time(night.end) + bytes([74, 1]),
    ]
    return fit_file(b"".join(body))


def write_archive(nights: Sequence[Night], folder: Path) -> Path:
    """The account archive, with files that are no sleep, and rows that hold none."""
    path = folder / "3f2a_1.zip"
    wellness, aggregator = "DI_CONNECT/DI-Connect-Wellness", "DI_CONNECT/DI-Connect-Aggregator"
    files = {
        f"{wellness}/2025-03-01_2025-11-01_10_sleepData.json": [archived(night) for night in nights],
        f"{wellness}/10_heartRateZones.json": [{"trainingMethod": "HR_RESERVE", "restingHeartRateUsed": 44}],
        f"{aggregator}/UDSFile_2025-03-01_2025-11-01.json": [day(night) for night in nights],
        "customer_data/customer.json": {"emailAddress": "someone@example.org"},
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content, separators=(",", ":")))
    return path


def write_connect(nights: Sequence[Night], folder: Path) -> Path:
    """Responses of Garmin Connect, saved in one list."""
    path = folder / "dailySleepData.json"
    path.write_text(json.dumps([response(night) for night in nights], indent=2))
    return path


def write_watch(nights: Sequence[Night], folder: Path) -> Path:
    """The folder of the watch, one file a night."""
    for i, night in enumerate(nights):
        (folder / f"S{i:07}.fit").write_bytes(sleep_file(night))
    return folder


WRITTEN: Final = (
    Written(connector="garmin", form="archive", write=write_archive, carries=TOTALS, latency_source="none"),
    Written(connector="garmin", form="connect", write=write_connect, carries=STAGES, latency_source="none"),
    Written(connector="garmin", form="watch", write=write_watch, carries=STAGES, latency_source="none"),
)
