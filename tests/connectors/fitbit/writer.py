"""Writes nights as Fitbit does: a Takeout, a classic log of the Web API, and Google's tables."""

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.connectors.fitbit.writer_other import OTHER_WRITTEN
from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

ALL: Final = ("sol_min", "tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min")
LEVELS: Final = {WAKE: "wake", LIGHT: "light", DEEP: "deep", REM: "rem"}
TYPES: Final = {WAKE: "AWAKE", LIGHT: "LIGHT", DEEP: "DEEP", REM: "REM"}


def _wall(night: Night, instant: datetime) -> str:
    return night.local(instant).replace(tzinfo=None).isoformat(timespec="milliseconds")


def _log(night: Night, levels: dict[str, str], **more: Any) -> dict[str, Any]:
    """One log; wall-clock times without a zone, which jump where the clocks change."""
    segments = [
        {"dateTime": _wall(night, start), "level": levels[stage], "seconds": int((end - start).total_seconds())}
        for start, end, stage in night.pieces
    ]
    lasts_s = int((night.end - night.start).total_seconds())
    sums = {levels[stage]: {"count": 1, "minutes": night.minutes(stage)} for stage in levels}
    return {
        "logId": 40_000_000_000 + int(night.start.timestamp()) % 1_000_000_000,
        "dateOfSleep": f"{night.local(night.end):%Y-%m-%d}",
        "startTime": _wall(night, night.start),
        "endTime": _wall(night, night.end),
        "duration": lasts_s * 1000,
        "minutesToFallAsleep": 0,
        "minutesAsleep": night.minutes(*SLEEP),
        "minutesAwake": night.minutes(WAKE),
        "minutesAfterWakeup": 0,
        "timeInBed": lasts_s // 60,
        "efficiency": 91,
        "type": "stages",
        "infoCode": 0,
        "logType": "auto_detected",
        "levels": {"summary": sums, "data": segments, "shortData": []},
        "mainSleep": True,
    } | more


def write_takeout(nights: Sequence[Night], folder: Path) -> Path:
    """A Takeout archive: one file of logs a month, newest first, among files that hold no sleep."""
    months: dict[str, list[dict[str, Any]]] = {}
    for night in nights:
        months.setdefault(f"{night.local(night.end):%Y-%m}", []).insert(0, _log(night, LEVELS))
    path = folder / "takeout-20260401T120000Z-001.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        home = "Takeout/Fitbit/Global Export Data"
        for month, logs in months.items():
            archive.writestr(f"{home}/sleep-{month}-01.json", json.dumps(logs, indent=2))
        archive.writestr(f"{home}/steps-2025-03-01.json", '[{"dateTime": "03/01/25 00:00:00", "value": "12"}]')
        archive.writestr("Takeout/Fitbit/Sleep Score/sleep_score.csv", "sleep_log_entry_id,timestamp,overall_score\n")
        archive.writestr("Takeout/Fitbit/Media/avatar.jpg", b"\xff\xd8\xff\xe0")
    return path


def write_classic_days(nights: Sequence[Night], folder: Path) -> Path:
    """Responses of the Web API, one a day, of a watch that knows only sleep and wake and states its latency."""
    levels = {WAKE: "awake", **dict.fromkeys((LIGHT, DEEP, REM), "asleep")}
    days = []
    for night in nights:
        log = _log(night, levels, type="classic", minutesToFallAsleep=night.stages[0][1], logType="manual")
        log["levels"]["summary"] = {"asleep": {"minutes": night.minutes(*SLEEP)}, "restless": {"minutes": 0}}
        log["isMainSleep"] = log.pop("mainSleep")
        days.append({"sleep": [log], "summary": {"totalMinutesAsleep": 0, "totalSleepRecords": 1}})
    path = folder / "days.json"
    path.write_text(json.dumps([{"sleep": [], "summary": {"totalMinutesAsleep": 0}}, *days]))
    return path


def _utc(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}+0000"


def _table(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]))
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def write_tables(nights: Sequence[Night], folder: Path) -> Path:
    """Google's pair of tables, stages unsorted, in the folder they come in."""
    sleeps, stages = [], []
    for night in nights:
        sleep_id = 1_270_000_000_000_000_000 + int(night.start.timestamp())
        offsets = [f"{night.local(at):%z}" for at in (night.start, night.end)]
        start_offset, end_offset = (f"{text[:3]}:{text[3:]}" for text in offsets)
        sleeps.append(
            {
                "sleep_id": sleep_id,
                "sleep_type": "STAGES",
                "minutes_in_sleep_period": int((night.end - night.start).total_seconds()) // 60,
                "minutes_after_wake_up": 0,
                "minutes_to_fall_asleep": 0,
                "minutes_asleep": night.minutes(*SLEEP),
                "minutes_awake": night.minutes(WAKE),
                "start_utc_offset": start_offset,
                "sleep_start": _utc(night.start),
                "end_utc_offset": end_offset,
                "sleep_end": _utc(night.end),
                "data_source": "DERIVED",
                "algorithm_version": "sleep_session_v2",
                "sleep_created": _utc(night.end),
                "sleep_last_updated": _utc(night.end),
            }
        )
        stages += [
            {
                "sleep_id": sleep_id,
                "sleep_stage_id": number,
                "sleep_stage_type": TYPES[stage],
                "start_utc_offset": start_offset,
                "sleep_stage_start": _utc(start),
                "end_utc_offset": end_offset,
                "sleep_stage_end": _utc(end),
                "data_source": "DERIVED",
                "algorithm_version": "sleep_stages_v2",
            }
            for number, (start, end, stage) in enumerate(night.pieces)
        ]
    home = folder / "Fitbit" / "Health Fitness Data_GoogleData"
    home.mkdir(parents=True)
    (home / "UserSleeps_2025-03-01.csv").write_text(_table(sleeps))
    (home / "UserSleepStages_2025-03-01.csv").write_text(_table(stages[::-1]))
    (home / "UserExercises_2025-03-01.csv").write_text("exercise_id,exercise_start\n")
    return folder


WRITTEN: Final = (
    Written(connector="fitbit", form="logs", write=write_takeout, carries=ALL, latency_source="stages"),
    Written(
        connector="fitbit",
        form="logs",
        write=write_classic_days,
        carries=("sol_min", "tst_min", "waso_min", "spt_min"),
        latency_source="vendor",
    ),
    Written(connector="fitbit", form="sleeps", write=write_tables, carries=ALL, latency_source="stages"),
    *OTHER_WRITTEN,
)
