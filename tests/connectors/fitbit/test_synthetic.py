"""The synthetic Takeout reads back as what was planted."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.errors import WriteError
from nof1.study.synthetic import SyntheticNight, write_fitbit_takeout

ZONE = "Europe/Berlin"
EVENING = datetime.fromisoformat("2026-01-10T23:00")


@pytest.fixture(scope="session")
def takeout(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Write nights as a Takeout and read them back."""

    def there_and_back(nights: list[SyntheticNight], seed: int = 7, files: int | None = None) -> Imported:
        path = tmp_path_factory.mktemp("takeout") / "takeout.zip"
        write_fitbit_takeout(nights, path, seed=seed, zone=ZONE)
        with Export(path) as export:
            (claim,) = recognise(export)
            assert files in (None, len(claim.members))
            return claim.read(ReadOptions(zone=ZONE, zone_source="option"))

    return there_and_back


def measured(imported: Imported) -> list[dict[str, Any]]:
    """Minutes of deep and REM sleep, of leading wake and of the whole recording, night by night."""
    nights = []
    for row in imported.sessions.iter_rows(named=True):
        pieces = row["hypnogram"]
        asleep = next(p["start_s"] for p in pieces if p["stage"] != "wake")
        stage = {s: sum(p["seconds"] for p in pieces if p["stage"] == s) / 60 for s in ("deep", "rem", "wake")}
        nights.append({"latency": asleep / 60, "in_bed": (row["end"] - row["start"]).total_seconds() / 60, **stage})
    return nights


@given(
    minutes=st.tuples(st.integers(0, 200), st.integers(0, 120), st.integers(0, 60)),
    wakes=st.integers(0, 35),
    day=st.integers(0, 364),
    seed=st.integers(0, 2**32),
)
def test_what_was_planted_is_read_back(
    takeout: Any, minutes: tuple[int, int, int], wakes: int, day: int, seed: int
) -> None:
    """Deep sleep, latency and length come back to the half minute on any night of the year, clock changes included."""
    deep, latency, long_wake = (half / 2 for half in minutes)
    night = SyntheticNight(
        bedtime=EVENING + timedelta(days=day),
        deep_min=deep,
        latency_min=latency,
        short_wakes=wakes,
        long_wake_min=long_wake,
    )
    (found,) = measured(takeout([night], seed))
    assert (found["deep"], found["latency"], found["in_bed"]) == (deep, latency, 480)


def test_a_reader_that_forgot_the_short_wakes_would_find_too_much_deep_sleep(takeout: Any) -> None:
    """Short wakes do cut deep sleep in these exports, so reading them back exactly needs the overlay."""
    imported = takeout([SyntheticNight(bedtime=EVENING + timedelta(days=i), deep_min=90) for i in range(20)])
    pieces = imported.sessions.explode("hypnogram").unnest("hypnogram")
    woken = pl.col("stage").eq("wake") & pl.col("stage").shift(1).eq("deep") & pl.col("stage").shift(-1).eq("deep")
    assert pieces.filter(woken & pl.col("seconds").le(180)).height > 10
    assert [night["deep"] for night in measured(imported)] == [90.0] * 20


def test_every_night_comes_back_once_with_its_kind(takeout: Any) -> None:
    """Nights over several files, classic nights and naps all come back once, and nothing else does."""
    nights = [SyntheticNight(bedtime=EVENING + timedelta(days=i)) for i in range(70)]
    nights[5] = replace(nights[5], classic=True)
    nap = SyntheticNight(
        bedtime=EVENING + timedelta(days=20, hours=-9), in_bed_min=80, latency_min=4, classic=True, main=False
    )
    imported = takeout([*nights, nap], files=3)
    assert (imported.read, imported.merged, imported.rejected, imported.warnings) == (71, 0, (), ())
    assert dict(imported.sessions.group_by("kind").len().iter_rows()) == {"main": 70, "nap": 1}
    assert imported.sessions.filter(staging="sleep_wake").height == 2
    assert imported.sessions["vendor_sol_s"].null_count() == 71


def test_deep_sleep_comes_early_and_rem_sleep_late(takeout: Any) -> None:
    """A synthetic night has the shape of a night: more deep sleep in its first half, more REM sleep in its second."""
    imported = takeout([SyntheticNight(bedtime=EVENING + timedelta(days=i)) for i in range(10)])
    pieces = imported.sessions.select("hypnogram").explode("hypnogram").unnest("hypnogram")
    halves = pieces.group_by("stage", early=pl.col("start_s") < 4 * 3600).agg(pl.col("seconds").sum())
    seconds = {(stage, early): total for stage, early, total in halves.iter_rows()}
    assert seconds["deep", True] > 2 * seconds["deep", False]
    assert seconds["rem", False] > 2 * seconds["rem", True]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """An archive is the same, byte for byte, whenever it is written; another seed gives another night."""
    nights = [SyntheticNight(bedtime=EVENING)]
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_fitbit_takeout(nights, tmp_path / name, seed=seed)
    first, again, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == again
    assert first != other


@pytest.mark.parametrize("more", [{"deep_min": 900.0}, {"latency_min": 480.0}, {"latency_min": 480.0, "classic": True}])
def test_a_night_that_does_not_fit_is_refused(tmp_path: Path, more: dict[str, Any]) -> None:
    """A night whose parts are longer than itself is a mistake in the call."""
    with pytest.raises(ValueError, match="the night of 2026-01-10"):
        write_fitbit_takeout([SyntheticNight(bedtime=EVENING, **more)], tmp_path / "x.zip", seed=1)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A folder that does not exist is a writing error."""
    with pytest.raises(WriteError, match="cannot be written"):
        write_fitbit_takeout([SyntheticNight(bedtime=EVENING)], tmp_path / "no" / "x.zip", seed=1)
