"""Write the shared nights as Samsung Health would."""

import uuid
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

FOLDER: Final = "samsunghealth_sleeper_20251101070000"
STAMP: Final = "20251101070000"
PREFIX: Final = "com.samsung.health.sleep."
SLEEPS: Final = (
    "original_efficiency,mental_recovery,factor_01,factor_02,factor_05,factor_06,has_sleep_data,"
    "bedtime_detection_delay,total_rem_duration,combined_id,sleep_type,sleep_latency,data_version,"
    "original_wake_up_time,original_bed_time,goal_bed_time,quality,extra_data,total_light_duration,efficiency,"
    f"sleep_score,sleep_duration,{PREFIX}create_sh_ver,{PREFIX}start_time,{PREFIX}update_time,{PREFIX}create_time,"
    f"{PREFIX}time_offset,{PREFIX}deviceuuid,{PREFIX}comment,{PREFIX}pkg_name,{PREFIX}end_time,{PREFIX}datauuid"
)
STAGES: Final = (
    "create_sh_ver,start_time,sleep_id,custom,modify_sh_ver,update_time,create_time,stage,time_offset,deviceuuid,"
    "pkg_name,end_time,datauuid"
)
COMBINED: Final = "total_rem_duration,start_time,update_time,time_offset,sleep_duration,pkg_name,end_time,datauuid"
OLD: Final = "start_time,efficiency,time_offset,deviceuuid,comment,pkg_name,end_time,datauuid"
CODES: Final = {WAKE: "40001", LIGHT: "40002", DEEP: "40003", REM: "40004"}


def time(instant: datetime) -> str:
    """UTC, without saying so."""
    return f"{instant:%Y-%m-%d %H:%M:%S}.000"


def offset(night: Night) -> str:
    """What to add for the wall clock, at the start."""
    return f"UTC{night.local(night.start):%z}"


def own_id(*parts: object) -> str:
    """An id that is the same whenever the same is written."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, " ".join(map(str, parts))))


def row(header: str, values: Mapping[str, object]) -> str:
    """One row in the order of the header, with Samsung's comma too many."""
    names = [name.rpartition(".")[2] for name in header.split(",")]
    unknown = values.keys() - set(names)
    assert not unknown, unknown
    return ",".join(str(values.get(name, "")) for name in names) + ","


def table(name: str, header: str, rows: Sequence[str]) -> str:
    """A table with the line before its header."""
    return "\r\n".join([f"\ufeff{name},7006011,11", header, *rows, ""])


def sleep(night: Night, *, latency: bool = True) -> dict[str, object]:
    """The row of a night in the table of sleeps; older versions of the app tell no latency."""
    whole = night.minutes(*SLEEP, WAKE)
    return {
        "factor_01": 22,
        "factor_02": night.minutes(DEEP),
        "factor_05": night.minutes(WAKE),
        "factor_06": whole,
        "has_sleep_data": 0,
        "bedtime_detection_delay": 720000,
        "total_rem_duration": night.minutes(REM),
        "total_light_duration": night.minutes(LIGHT),
        "sleep_type": -1,
        "sleep_latency": 60_000 * night.stages[0][1] if latency else -1,
        "data_version": 9,
        "goal_bed_time": 82800000,
        "original_bed_time": time(night.start),
        "original_wake_up_time": time(night.end),
        "efficiency": 100 * night.minutes(*SLEEP) // whole,
        "sleep_duration": whole,
        "create_sh_ver": 100013,
        "start_time": time(night.start),
        "end_time": time(night.end),
        "update_time": time(night.end + timedelta(minutes=15)),
        "create_time": time(night.end),
        "time_offset": offset(night),
        "deviceuuid": "aB3dE5fG7h",
        "pkg_name": "com.sec.android.app.shealth",
        "datauuid": own_id(night.start),
    }


def stages(night: Night) -> list[str]:
    """The rows of a night in the table of stages, the last first."""
    return [
        row(
            STAGES,
            {
                "start_time": time(start),
                "end_time": time(end),
                "stage": CODES[stage],
                "sleep_id": own_id(night.start),
                "time_offset": offset(night),
                "pkg_name": "com.sec.android.app.shealth",
                "datauuid": own_id(start, stage),
            },
        )
        for start, end, stage in reversed(night.pieces)
    ]


def files(nights: Sequence[Night], *, latency: bool = True) -> dict[str, str]:
    """The tables of sleep, and some that hold none."""
    stage_rows = [line for night in nights for line in stages(night)]
    health, shealth = "com.samsung.health", "com.samsung.shealth"
    snoring = "duration,start_time,time_offset,end_time,datauuid"
    return {
        f"{shealth}.sleep.{STAMP}.csv": table(
            f"{shealth}.sleep", SLEEPS, [row(SLEEPS, sleep(night, latency=latency)) for night in nights]
        ),
        f"{health}.sleep_stage.{STAMP}.csv": table(f"{health}.sleep_stage", STAGES, stage_rows),
        f"{shealth}.sleep_combined.{STAMP}.csv": table(f"{shealth}.sleep_combined", COMBINED, []),
        f"{shealth}.sleep_snoring.{STAMP}.csv": table(f"{shealth}.sleep_snoring", snoring, []),
        f"{health}.user_profile.{STAMP}.csv": table(f"{health}.user_profile", "text_value,key,datauuid", []),
        f"jsons/{shealth}.sleep_raw_data/a/a.data.json": '{"acc": [1, 2], "rri_info": []}',
    }


def write_archive(nights: Sequence[Night], folder: Path) -> Path:
    """Write the archive of "Download personal data"."""
    path = folder / f"{FOLDER}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files(nights).items():
            archive.writestr(f"{FOLDER}/{name}", content)
    return path


def write_folder(nights: Sequence[Night], folder: Path) -> Path:
    """Write the folder that phones save, by a version of the app without latency."""
    for name, content in files(nights, latency=False).items():
        path = folder / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    return folder / FOLDER


def write_old(nights: Sequence[Night], folder: Path) -> Path:
    """Write the one table of before 2020: bounds and an efficiency in whole percent."""
    rows = [row(OLD, {name: value for name, value in sleep(night).items() if name in OLD}) for night in nights]
    path = folder / f"com.samsung.health.sleep.{STAMP}.csv"
    path.write_text(table("com.samsung.health.sleep", OLD, rows), encoding="utf-8", newline="")
    return path


_CARRIES: Final = ("sol_min", "tst_min", "light_min", "deep_min", "rem_min", "waso_min", "spt_min")
WRITTEN: Final = (
    Written(connector="samsung", form="sleeps", write=write_archive, carries=_CARRIES, latency_source="vendor"),
    Written(connector="samsung", form="sleeps", write=write_folder, carries=_CARRIES, latency_source="stages"),
    Written(connector="samsung", form="old", write=write_old, carries=("tst_min",), latency_source="none", grain_min=5),
)
