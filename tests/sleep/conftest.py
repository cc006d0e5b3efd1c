"""Sessions in a few words, shared by the tests of the sleep room."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dataframely as dy
import polars as pl
import pytest

from nof1.sleep.session import Sessions, sessions_from_rows

Row = dict[str, Any]


def local_instant(text: str, zone: str) -> datetime:
    """Read `2026-05-12 23:50` on a clock in the zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def make_session(start: str | datetime, stages: Sequence[tuple[str, float]], zone: str = "UTC", **other: Any) -> Row:
    """Record one session: its start on the local clock, its stages and their minutes one after another."""
    begins = local_instant(start, zone) if isinstance(start, str) else start
    hypnogram: list[Row] = []
    elapsed = 0
    for stage, minutes in stages:
        seconds = round(minutes * 60)
        hypnogram.append({"start_s": elapsed, "seconds": seconds, "stage": stage, "label": stage})
        elapsed += seconds
    ends = begins + timedelta(seconds=elapsed)
    row = {
        "participant": "P01",
        "source": "watch",
        "stream": "watch/v1",
        "record_id": f"{begins.isoformat()}+{elapsed}",
        "start": begins,
        "end": ends,
        "offset_start": _offset(begins, zone),
        "offset_end": _offset(ends, zone),
        "zone": zone,
        "zone_source": "record",
        "kind": "unknown",
        "staging": "stages",
        "hypnogram": hypnogram,
        "in_bed_source": "none",
        "flags": [],
    }
    return {**row, **other}


def make_totals(start: str, minutes: float, totals: Row, **other: Any) -> Row:
    """Record one session of which the vendor tells only sums, in seconds."""
    begins = local_instant(start, "UTC")
    row = make_session(begins, [], staging="totals", hypnogram=None, totals=totals)
    return {**row, "end": begins + timedelta(minutes=minutes), **other}


def _offset(instant: datetime, zone: str) -> int:
    difference = instant.astimezone(ZoneInfo(zone)).utcoffset()
    assert difference is not None
    return round(difference.total_seconds() / 60)


@pytest.fixture(scope="session")
def session() -> Callable[..., Row]:
    """Give `session(start, [(stage, minutes), …], zone, **columns)`."""
    return make_session


@pytest.fixture(scope="session")
def totals() -> Callable[..., Row]:
    """Give `totals(start, minutes, {"deep_s": …}, **columns)`."""
    return make_totals


@pytest.fixture(scope="session")
def table() -> Callable[..., dy.DataFrame[Sessions]]:
    """Give `table(row, row, …)`, the checked table."""

    def build(*rows: Row) -> dy.DataFrame[Sessions]:
        return sessions_from_rows(list(rows))

    return build


@pytest.fixture(scope="session")
def diary() -> Callable[..., pl.DataFrame]:
    """Give `diary((night, lights_out), …)`: dates and UTC clock times as text."""

    def build(*entries: tuple[str, str]) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "participant": ["P01"] * len(entries),
                "night": [datetime.fromisoformat(night).date() for night, _ in entries],
                "lights_out": [local_instant(lights_out, "UTC") for _, lights_out in entries],
            }
        )

    return build
