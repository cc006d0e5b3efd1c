"""A synthetic Fitbit Takeout whose truth is known: for the demonstration, and for the tests.

Each night is first drawn as it truly was, on Fitbit's 30-second grid, and then written down the way Fitbit does: wakes
of up to three minutes are taken out of the stages and listed apart (`shortData`). A reader that forgets to lay them
back over the stages therefore finds more deep sleep than was planted.
"""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from nof1.errors import WriteError

EPOCH_S: Final = 30
"""The grain of Fitbit's stages."""
SHORT_WAKE_EPOCHS: Final = 6
"""Wakes of up to 180 s are `shortData`."""
CYCLE_EPOCHS: Final = 180
"""A sleep cycle of 90 minutes."""
FILE_DAYS: Final = 30

_FOLDER: Final = "Takeout/Fitbit/Global Export Data"
_ZIP_TIME: Final = (2026, 1, 1, 0, 0, 0)
_FIRST_LOG_ID: Final = 30_000_000_000
_CLASSIC_MINUTE: Final = 2
"""Epochs in a minute: classic logs have a grain of 60 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticNight:
    """One recording, as it truly was. Minutes are taken to the nearest half minute.

    Parameters
    ----------
    bedtime
        Local wall-clock time at which the recording begins, without a zone; the earlier of two, where it occurs twice.
    in_bed_min
        Minutes from the beginning of the recording to its end, wake included.
    deep_min
        Minutes of deep sleep, short wakes not counted.
    latency_min
        Minutes of wake before the first sleep.
    rem_share
        REM sleep as a share of all sleep.
    short_wakes
        How many times the person wakes, for 30 to 180 s each.
    long_wake_min
        Minutes of one long awakening in the middle of the night; 0 for none.
    classic
        Written without stages (asleep, restless, awake), as Fitbit does for short or badly measured sleep; the minutes
        of deep and REM sleep then have no meaning.
    main
        Fitbit's `mainSleep`; False for a nap.
    """

    bedtime: datetime
    in_bed_min: float = 480.0
    deep_min: float = 75.0
    latency_min: float = 8.0
    rem_share: float = 0.22
    short_wakes: int = 20
    long_wake_min: float = 0.0
    classic: bool = False
    main: bool = True


def write_fitbit_takeout(nights: Sequence[SyntheticNight], path: Path, *, seed: int, zone: str = "UTC") -> None:
    """Write a Google Takeout archive with these nights, the same bytes for the same arguments.

    Parameters
    ----------
    zone
        The IANA zone of the bedtimes: across a clock change wall-clock times follow from the instants.

    Raises
    ------
    ValueError
        There are no nights, or a night's parts do not fit into its time in bed.
    nof1.errors.WriteError
        The archive cannot be written.
    """
    random = Random(seed)  # noqa: S311 — a reproducible picture of sleep, not a secret
    ordered = sorted(nights, key=lambda night: night.bedtime)
    logs = [_log(night, _FIRST_LOG_ID + 7_919 * i, random, ZoneInfo(zone)) for i, night in enumerate(ordered)]
    members = _sleep_files(logs, ordered[0].bedtime.date()) | _unrelated_files(ordered[0].bedtime.date())
    try:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                member = zipfile.ZipInfo(name, _ZIP_TIME)
                member.compress_type = zipfile.ZIP_DEFLATED
                member.external_attr = 0o100600 << 16
                archive.writestr(member, content)
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror}. Choose another place.") from error


def _sleep_files(logs: list[dict[str, Any]], first: date) -> dict[str, str]:
    """Thirty days a file, named by its first day, newest log first."""
    files: dict[str, list[dict[str, Any]]] = {}
    for log in logs:
        window = (date.fromisoformat(log["dateOfSleep"]) - first).days // FILE_DAYS
        files.setdefault(f"sleep-{first + timedelta(days=window * FILE_DAYS)}.json", []).insert(0, log)
    return {f"{_FOLDER}/{name}": json.dumps(content, indent=1) for name, content in files.items()}


def _unrelated_files(first: date) -> dict[str, str]:
    beat = {"dateTime": f"{first:%m/%d/%y} 00:00:05", "value": {"bpm": 58, "confidence": 2}}
    return {
        "Takeout/archive_browser.html": "<!doctype html><title>Archive overview</title>",
        f"{_FOLDER}/README.txt": "Synthetic data written by nof1. No person slept these nights.\n",
        f"{_FOLDER}/heart_rate-{first}.json": json.dumps([beat]),
        f"{_FOLDER}/sleep_goals.json": json.dumps({"minDuration": 480}),
    }


def _log(night: SyntheticNight, log_id: int, random: Random, zone: ZoneInfo) -> dict[str, Any]:
    truth = _classic_epochs(night, random) if night.classic else _staged_epochs(night, random)
    start = night.bedtime.replace(tzinfo=zone).astimezone(UTC)
    seconds = len(truth) * EPOCH_S
    asleep = sum(stage in {"deep", "light", "rem", "asleep"} for stage in truth) // 2
    minutes = seconds // 60
    return {
        "logId": log_id,
        "dateOfSleep": _wall(start, seconds, zone)[:10],
        "startTime": _wall(start, 0, zone),
        "endTime": _wall(start, seconds, zone),
        "duration": minutes * 60_000,
        "minutesToFallAsleep": 0,
        "minutesAsleep": asleep,
        "minutesAwake": minutes - asleep,
        "minutesAfterWakeup": 0,
        "timeInBed": minutes,
        "efficiency": round(100 * asleep / minutes),
        "type": "classic" if night.classic else "stages",
        "infoCode": 2 if night.classic else 0,
        "logType": "auto_detected",
        "levels": _levels(truth, start, zone, classic=night.classic),
        "mainSleep": night.main,
    }


def _wall(start: datetime, seconds: int, zone: ZoneInfo) -> str:
    local = (start + timedelta(seconds=seconds)).astimezone(zone)
    return local.strftime("%Y-%m-%dT%H:%M:%S.000")


def _levels(truth: list[str], start: datetime, zone: ZoneInfo, *, classic: bool) -> dict[str, Any]:
    def segments(runs: list[tuple[int, int, str]]) -> list[dict[str, Any]]:
        return [
            {"dateTime": _wall(start, first * EPOCH_S, zone), "level": level, "seconds": count * EPOCH_S}
            for first, count, level in runs
        ]

    counted = _runs(truth)
    summary = {
        level: {"count": sum(run[2] == level for run in counted), "minutes": truth.count(level) // 2}
        for level in (("asleep", "restless", "awake") if classic else ("deep", "wake", "light", "rem"))
    }
    if classic:
        return {"summary": summary, "data": segments(counted)}
    short = [
        (first, count, level)
        for first, count, level in counted
        if level == "wake" and first > 0 and count <= SHORT_WAKE_EPOCHS and not _repeated(start, first * EPOCH_S, zone)
    ]
    return {"summary": summary, "data": segments(_runs(_without(truth, short))), "shortData": segments(short)}


def _repeated(start: datetime, seconds: int, zone: ZoneInfo) -> bool:
    """In the hour that the clocks repeat, a wall-clock time alone would not say where a short wake belongs."""
    local = (start + timedelta(seconds=seconds)).astimezone(zone)
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _runs(epochs: list[str]) -> list[tuple[int, int, str]]:
    """Runs of one stage: first epoch, number of epochs, stage."""
    runs, first = [], 0
    for level, group in groupby(epochs):
        count = len(list(group))
        runs.append((first, count, level))
        first += count
    return runs


def _without(truth: list[str], short: list[tuple[int, int, str]]) -> list[str]:
    """Give each short wake the stage that came before it, as Fitbit's `data` does."""
    epochs = list(truth)
    for first, count, _ in short:
        epochs[first : first + count] = [epochs[first - 1]] * count
    return epochs


def _staged_epochs(night: SyntheticNight, random: Random) -> list[str]:
    """The night as it truly was, one stage every 30 s."""
    latency, long_wake = _epochs(night.latency_min), _epochs(night.long_wake_min)
    wakes = [random.randint(1, SHORT_WAKE_EPOCHS) for _ in range(night.short_wakes)]
    asleep = _epochs(night.in_bed_min) - latency - long_wake - sum(wakes)
    deep, rem = _epochs(night.deep_min), round(night.rem_share * asleep)
    light = asleep - deep - rem
    if min(deep, rem, light - 1) < 0:
        raise ValueError(
            f"the night of {night.bedtime} has {asleep / 2} min of sleep for {night.deep_min} min of deep sleep"
        )
    epochs = _sleep(deep, rem, light, random)
    for place, count in sorted(_places(epochs, wakes, long_wake, random), reverse=True):
        epochs[place:place] = ["wake"] * count
    return ["wake"] * latency + epochs


def _places(epochs: list[str], wakes: list[int], long_wake: int, random: Random) -> list[tuple[int, int]]:
    """Before which epoch of sleep each wake comes: never the first, so that the latency stays what it is."""
    short = [(random.randrange(1, max(2, len(epochs))), count) for count in wakes]
    return short + ([(max(1, len(epochs) // 2), long_wake)] if long_wake else [])


def _sleep(deep: int, rem: int, light: int, random: Random) -> list[str]:
    """Cycles of about 90 minutes: deep sleep early in the night, REM sleep late."""
    cycles = max(1, round((deep + rem + light) / CYCLE_EPOCHS))
    deeps = _shared(deep, [0.5**i for i in range(cycles)])
    rems = _shared(rem, [i + 0.5 for i in range(cycles)])
    room = [max(1.0, (deep + rem + light) / cycles - d - r) for d, r in zip(deeps, rems, strict=True)]
    lights = _shared(light, room)
    epochs: list[str] = []
    for d, r, li in zip(deeps, rems, lights, strict=True):
        epochs += _cycle(d, r, li, random)
    return epochs


def _cycle(deep: int, rem: int, light: int, random: Random) -> list[str]:
    pieces = [(stage, n) for stage, total in (("deep", deep), ("rem", rem)) for n in _cut(total, random)]
    gaps = _shared(light, [3.0, *(random.uniform(0.2, 1.0) for _ in pieces[1:]), 1.5])
    epochs = ["light"] * gaps[0]
    for (stage, count), gap in zip(pieces, gaps[1:], strict=False):
        epochs += [stage] * count + ["light"] * gap
    return epochs


def _cut(total: int, random: Random) -> list[int]:
    """Two or three pieces of at least one epoch; none of nothing."""
    pieces = min(total, random.choice((2, 3)))
    cuts = sorted(random.sample(range(1, total), pieces - 1)) if pieces else []
    return [b - a for a, b in pairwise([0, *cuts, total])] if pieces else []


def _shared(total: int, weights: Sequence[float]) -> list[int]:
    """Share out whole epochs by weight; the sum is exact."""
    bounds = [0.0]
    for weight in weights:
        bounds.append(bounds[-1] + weight)
    edges = [round(total * bound / bounds[-1]) for bound in bounds]
    return [b - a for a, b in pairwise(edges)]


def _classic_epochs(night: SyntheticNight, random: Random) -> list[str]:
    """Whole minutes asleep, restless or awake, beginning with the latency, which Fitbit calls restless."""
    total, latency = _epochs(night.in_bed_min) // _CLASSIC_MINUTE, round(night.latency_min)
    if total <= latency:
        raise ValueError(
            f"the night of {night.bedtime} has no sleep: {night.latency_min} of {night.in_bed_min} min are latency"
        )
    minutes = ["asleep"] * (total - latency)
    for _ in range(min(night.short_wakes, len(minutes) // 10)):
        minutes[random.randrange(1, len(minutes) - 1)] = random.choice(("restless", "restless", "awake"))
    return [level for level in ["restless"] * latency + minutes for _ in range(_CLASSIC_MINUTE)]


def _epochs(minutes: float) -> int:
    return round(minutes * 60 / EPOCH_S)
