"""Writes the shared nights as WHOOP would: the app's export, pages of the API, dumps of the app's interface."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

TOTALS: Final = ("tst_min", "deep_min", "light_min", "rem_min")


def offset(night: Night) -> str:
    """The offset of a night's cycle: the one that it began with, for both ends."""
    text = f"{night.local(night.start):%z}"
    return f"{text[:3]}:{text[3:]}"


def wall(night: Night, instant: datetime) -> str:
    """The wall clock in the cycle's offset."""
    zone = timezone(night.local(night.start).utcoffset() or timedelta(0))
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def shared_cells(night: Night) -> dict[str, Any]:
    """What the tables of sleeps and of cycles both tell."""
    in_bed = round((night.end - night.start).total_seconds() / 60)
    return {
        "Cycle start time": wall(night, night.start),
        "Cycle end time": wall(night, night.start + timedelta(days=1)),
        "Cycle timezone": f"UTC{offset(night)}",
        "Sleep onset": wall(night, night.start),
        "Wake onset": wall(night, night.end),
        "Sleep performance %": 83,
        "Respiratory rate (rpm)": 16.7,
        "Asleep duration (min)": night.minutes(*SLEEP),
        "In bed duration (min)": in_bed,
        "Light sleep duration (min)": night.minutes(LIGHT),
        "Deep (SWS) duration (min)": night.minutes(DEEP),
        "REM duration (min)": night.minutes(REM),
        "Awake duration (min)": night.minutes(WAKE),
        "Sleep need (min)": 537,
        "Sleep debt (min)": 80,
        "Sleep efficiency %": 85,
        "Sleep consistency %": 68,
    }


def sleep_row(night: Night) -> dict[str, Any]:
    """A row of sleeps.csv."""
    return shared_cells(night) | {"Nap": "false"}


def cycle_row(night: Night) -> dict[str, Any]:
    """A row of physiological_cycles.csv, which has its other columns between."""
    cells = list(shared_cells(night).items())
    others = {"Recovery score %": 68, "Resting heart rate (bpm)": 49, "Day Strain": 12.4}
    return dict(cells[:3]) | others | dict(cells[3:])


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """CSV as the app writes it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def api_sleep(night: Night, number: int) -> dict[str, Any]:
    """A record of the API; time in bed is not quite the length of the window."""
    span = night.end - night.start
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "cycle_id": 90_000 + number,
        "user_id": 1,
        "created_at": f"{night.end:%Y-%m-%dT%H:%M:%S}.774Z",
        "updated_at": f"{night.end:%Y-%m-%dT%H:%M:%S}.774Z",
        "start": f"{night.start:%Y-%m-%dT%H:%M:%S}.000Z",
        "end": f"{night.end:%Y-%m-%dT%H:%M:%S}.000Z",
        "timezone_offset": offset(night),
        "nap": False,
        "score_state": "SCORED",
        "score": {
            "stage_summary": {
                "total_in_bed_time_milli": round(span.total_seconds() * 1000) - 107_701,
                "total_awake_time_milli": 60_000 * night.minutes(WAKE),
                "total_no_data_time_milli": 0,
                "total_light_sleep_time_milli": 60_000 * night.minutes(LIGHT),
                "total_slow_wave_sleep_time_milli": 60_000 * night.minutes(DEEP),
                "total_rem_sleep_time_milli": 60_000 * night.minutes(REM),
                "sleep_cycle_count": 3,
                "disturbance_count": 12,
            },
            "respiratory_rate": 16.1,
        },
    }


def dumped_cycle(night: Night, number: int) -> dict[str, Any]:
    """A cycle of a dump, with its one sleep."""
    during = f"['{night.start:%Y-%m-%dT%H:%M:%S}.000Z','{night.end:%Y-%m-%dT%H:%M:%S}.000Z')"
    return {
        "cycle": {"id": 70_000 + number, "during": during, "timezone_offset": offset(night).replace(":", "")},
        "sleeps": [
            {
                "activity_id": f"00000000-0000-4000-8000-{number:012}",
                "updated_at": f"{night.end:%Y-%m-%dT%H:%M:%S}.416Z",
                "during": during,
                "timezone_offset": offset(night),
                "state": "complete",
                "source": "auto",
                "is_nap": False,
                "quality_duration": 60_000 * night.minutes(*SLEEP),
                "time_in_bed": round((night.end - night.start).total_seconds() * 1000.0),
                "light_sleep_duration": 60_000 * night.minutes(LIGHT),
                "slow_wave_sleep_duration": 60_000 * night.minutes(DEEP),
                "rem_sleep_duration": 60_000.0 * night.minutes(REM),
                "wake_duration": 60_000 * night.minutes(WAKE),
                "no_data_duration": 0,
                "latency": 60_000 * night.stages[0][1],
                "algo_version": "9.1.8.2",
            }
        ],
        "recovery": {"during": None, "recovery_score": 95},
        "workouts": [],
    }


def write_export(nights: Sequence[Night], folder: Path) -> Path:
    """The zip of the app, with all four tables; the cycles tell every night again."""
    path = folder / "my_whoop_data_2025_11_01.zip"
    journal = [
        {"Cycle start time": wall(n, n.start), "Question text": "Caffeine?", "Answered yes": "true"} for n in nights
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("my_whoop_data_2025_11_01/sleeps.csv", table([sleep_row(night) for night in nights]))
        archive.writestr(
            "my_whoop_data_2025_11_01/physiological_cycles.csv", table([cycle_row(night) for night in nights])
        )
        archive.writestr("my_whoop_data_2025_11_01/journal_entries.csv", table(journal))
    return path


def write_cycles(nights: Sequence[Night], folder: Path) -> Path:
    """The table of cycles alone."""
    path = folder / "physiological_cycles.csv"
    path.write_text(table([cycle_row(night) for night in nights]))
    return path


def write_api(nights: Sequence[Night], folder: Path) -> Path:
    """Two pages of the API in one list."""
    records = [api_sleep(night, int(f"{night.start:%y%m%d}")) for night in nights]
    pages = [{"records": records[:2], "next_token": "abc"}, {"records": records[2:], "next_token": None}]
    path = folder / "sleep.json"
    path.write_text(json.dumps(pages))
    return path


def write_dump(nights: Sequence[Night], folder: Path) -> Path:
    """A dump of cycles."""
    path = folder / "cycles.json"
    cycles = [dumped_cycle(night, int(f"{night.start:%y%m%d}")) for night in nights]
    path.write_text(json.dumps({"total_count": len(cycles), "offset": 0, "records": cycles}, indent=1))
    return path


WRITTEN: Final = (
    Written(
        connector="whoop",
        form="sleeps",
        write=write_export,
        carries=TOTALS,
        latency_source="none",
        records=lambda nights: 2 * len(nights),
    ),
    Written(connector="whoop", form="cycles", write=write_cycles, carries=TOTALS, latency_source="none"),
    Written(connector="whoop", form="api", write=write_api, carries=TOTALS, latency_source="none"),
    Written(connector="whoop", form="dumps", write=write_dump, carries=(*TOTALS, "sol_min"), latency_source="vendor"),
)
