"""Write the shared nights as three generations of Sleep Cycle would."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.connectors.nights import Night, Written

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

GEN_2: Final = (
    "Start,End,Sleep Quality,Regularity,Mood,Heart rate (bpm),Steps,Alarm mode,Air Pressure (Pa),City,"
    "Movements per hour,Time in bed (seconds),Time asleep (seconds),Time before sleep (seconds),Window start,"
    "Window stop,Did snore,Snore time,Weather temperature (°C),Weather type,Notes"
)
GEN_3: Final = (
    "Start;End;Sleep Quality;Regularity;Awake (seconds);Dream (seconds);Light (seconds);Deep (seconds);Mood;"
    "Heart rate (bpm);Steps;Alarm mode;Air Pressure (Pa);City;Movements per hour;Time in bed (seconds);"
    "Time asleep (seconds);Time before sleep (seconds);Window start;Window stop;Snore time (seconds);"
    "Weather temperature (°F);Weather type;Notes;Body temperature deviation (degrees Celsius)"
)
GEN_4: Final = (
    "Went to bed;Woke up;Sleep Quality;Time in bed (seconds);Time asleep (seconds);Asleep after (seconds);Regularity;"
    "Did snore;Snore time (seconds);Coughing (per hour);Steps;City;Breathing disruptions (per hour);"
    "Ambient noise (dB);Ambient light (lux);Alertness score;Alertness reaction time (seconds);Alertness accuracy;"
    "Movements per hour;Wake up window start;Wake up window stop;Notes"
)


def clock(night: Night) -> tuple[str, str]:
    """Start and end as the wall clock showed them."""
    return f"{night.local(night.start):%Y-%m-%d %H:%M:%S}", f"{night.local(night.end):%Y-%m-%d %H:%M:%S}"


def sums(night: Night) -> tuple[str, str, str]:
    """Time in bed, time asleep and time before sleep, in seconds."""
    latency = night.stages[0][1]
    whole = (night.end - night.start).total_seconds()
    return f"{whole:.1f}", f"{60.0 * night.minutes(*SLEEP):.1f}", f"{60.0 * latency:.1f}"


def gen_2(night: Night) -> str:
    """One line of 2018 to 2021: no stages."""
    cells = [*clock(night), "81%", "90%", ":)", "0", "2468", "Normal", "101.2", '"Halle, Saale"', "37.6", *sums(night)]
    return ",".join([*cells, "", "", "FALSE", "12.0", "3.5", "No weather", "Ate late:Tea"])


def gen_3(night: Night) -> str:
    """One line of 2022 to 2024: stages as sums."""
    stages = [f"{60.0 * night.minutes(stage):.1f}" for stage in (WAKE, REM, LIGHT, DEEP)]
    cells = [*clock(night), "81%", "90%", *stages, "", "56", "2468", "No alarm", "101.2", "", "37.6", *sums(night)]
    return ";".join([*cells, "", "", "0.0", "38.3", "Rain", "", ""])


def gen_4(night: Night) -> str:
    """One line since 2025: other names, whole seconds, dashes for what is missing."""
    whole, asleep, latency = (text.removesuffix(".0") for text in sums(night))
    cells = [*clock(night), "81%", whole, asleep, latency, "—", "false", "0", "0.3", "2468", "", "0.1", "31,5", "0.2"]
    return ";".join([*cells, "88%", "0.412", "95%", "37.6", "25-03-11 06:30", "25-03-11 07:00"])


def write_gen_2(nights: Sequence[Night], folder: Path) -> Path:
    """Write generation 2, with commas."""
    return _write(folder, "\n".join([GEN_2, *map(gen_2, nights), ""]))


def write_gen_3(nights: Sequence[Night], folder: Path) -> Path:
    """Write generation 3, with semicolons."""
    return _write(folder, "\n".join([GEN_3, *map(gen_3, nights), ""]))


def write_gen_4(nights: Sequence[Night], folder: Path) -> Path:
    """Write generation 4, with a byte order mark and the lines of Windows."""
    return _write(folder, "\r\n".join(["\ufeff" + GEN_4, *map(gen_4, nights), ""]))


def _write(folder: Path, text: str) -> Path:
    path = folder / "sleepdata.csv"
    path.write_bytes(text.encode())
    return path


_SUMS: Final = ("sol_min", "tst_min")
_STAGES: Final = (*_SUMS, "light_min", "deep_min", "rem_min")
WRITTEN: Final = (
    Written(connector="sleepcycle", form="nights", write=write_gen_2, carries=_SUMS, latency_source="vendor"),
    Written(connector="sleepcycle", form="nights", write=write_gen_3, carries=_STAGES, latency_source="vendor"),
    Written(connector="sleepcycle", form="newest", write=write_gen_4, carries=_SUMS, latency_source="vendor"),
)
