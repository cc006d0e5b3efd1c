"""Dumps of the interface that WHOOP's own app uses: cycles with their sleeps, which alone tell a latency.

Two generations are known: names in camelCase with `during` as an object (until about 2021), and names in snake_case
with `during` as the text of a PostgreSQL range.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

from nof1.connect.clock import utc_time
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Session, identity, make_session
from nof1.sleep.session import GUESSED_BEDTIME
from nof1_connectors.whoop.parse import Durations, Milliseconds, beside, in_seconds, kind_of

STREAM: Final = "whoop/app"

_RANGE: Final = re.compile(r"[\[(]'?([^',]+)'?,\s*'?([^',)\]]+)'?[)\]]")
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_OLD_NAMES: Final = {"id": "activity_id", "latency_duration": "latency"}


class Bounds(msgspec.Struct, frozen=True):
    """`during` of the first generation."""

    lower: str
    upper: str


class Sleep(msgspec.Struct, frozen=True):
    """One sleep: the fields that nof1 reads; durations are milliseconds. `time_in_bed` is not its length."""

    during: str | Bounds
    light_sleep_duration: Milliseconds | None = None
    slow_wave_sleep_duration: Milliseconds | None = None
    rem_sleep_duration: Milliseconds | None = None
    wake_duration: Milliseconds | None = None
    latency: Milliseconds | None = None
    activity_id: int | str | None = None
    is_nap: bool | None = None
    timezone_offset: str | None = None
    updated_at: str | None = None
    algo_version: str | None = None


def sleeps_in(value: Any) -> Iterator[Any]:
    """Give every sleep of a file, whatever holds the cycles; how deep a file is nested is bounded by its reader."""
    if isinstance(value, list):
        for item in value:
            yield from sleeps_in(item)
    elif isinstance(value, dict) and _is_sleep(value):
        yield value
    elif isinstance(value, dict):
        for name in ("sleeps", "naps"):
            yield from value[name] if isinstance(value.get(name), list) else ()
        for name in ("records", "cycles", "sleep"):
            yield from sleeps_in(value.get(name))


def parse_sleep(record: object, options: ReadOptions) -> Session:
    """Turn one sleep into one session.

    Raises
    ------
    ValueError
        The sleep cannot be used; the message is the reason.
    """
    try:
        sleep = msgspec.convert(_renamed(record), Sleep)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a sleep of the WHOOP app as nof1 knows it: {error}") from error
    start, end = (beside(instant, sleep.timezone_offset, options) for instant in _bounds(sleep.during))
    stages = (sleep.light_sleep_duration, sleep.slow_wave_sleep_duration, sleep.rem_sleep_duration)
    totals = Durations(*map(in_seconds, (*stages, sleep.wake_duration))).totals()
    return make_session(
        stream=STREAM,
        record_id=identity(start.instant, end.instant) if sleep.activity_id is None else str(sleep.activity_id),
        start=start,
        end=end,
        totals=totals,
        kind=kind_of(sleep.is_nap),
        vendor_sol_s=in_seconds(sleep.latency or None),  # 0 is what stands where the person set the window
        algorithm=sleep.algo_version,
        flags=[GUESSED_BEDTIME] if sleep.latency else [],
        updated=None if sleep.updated_at is None else utc_time(sleep.updated_at),
    )


def _is_sleep(item: dict[Any, Any]) -> bool:
    return "during" in item and ("light_sleep_duration" in item or "lightSleepDuration" in item)


def _renamed(record: object) -> object:
    """Give a sleep of the first generation the names of the second."""
    if not isinstance(record, dict):
        return record
    snakes = {_CAPITAL.sub("_", str(name)).lower(): value for name, value in record.items()}
    return {new: snakes[old] for old, new in _OLD_NAMES.items() if old in snakes} | snakes


def _bounds(during: str | Bounds) -> tuple[datetime, datetime]:
    if isinstance(during, Bounds):
        return utc_time(during.lower), utc_time(during.upper)
    told = _RANGE.fullmatch(during.strip())
    if told is None:
        raise ValueError(f"its times {during[:60]!r} are not a range")
    return utc_time(told[1]), utc_time(told[2])
