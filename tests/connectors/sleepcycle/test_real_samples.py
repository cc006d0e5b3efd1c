"""Real, public exports, where this machine has them: they are never part of the project."""

import csv
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from tests.connectors.sleepcycle.conftest import read_path

from nof1.connect.connector import Imported

ROWS = {"gen2_comma": (1373, "Europe/London"), "gen3_stages": (1476, "America/New_York")}


@pytest.fixture(scope="module")
def samples(shared_samples: Path) -> Path:
    """The folder of Sleep Cycle's samples."""
    folder = shared_samples / "sleepcycle"
    if not folder.is_dir():
        pytest.skip(f"no real samples at {folder}")
    return folder


def lines(samples: Path, name: str) -> list[dict[str, str]]:
    """The file as it stands."""
    with (samples / f"sleepdata_{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter="," if "comma" in name else ";"))


def seconds(line: dict[str, str], *names: str) -> float:
    """The sum of these columns."""
    return sum(float(line[f"{name} (seconds)"]) for name in names)


@pytest.fixture(scope="module")
def both(samples: Path) -> dict[str, Imported]:
    """The samples, each read in the zone of its owner."""
    return {name: read_path(samples / f"sleepdata_{name}.csv", zone) for name, (_, zone) in ROWS.items()}


@pytest.fixture(params=ROWS)
def imported(request: pytest.FixtureRequest, both: dict[str, Imported]) -> tuple[str, Imported]:
    """One of them after the other."""
    return request.param, both[request.param]


def test_every_real_night_is_accepted(imported: tuple[str, Imported]) -> None:
    """1,373 nights of generation 2 and 1,476 of generation 3, with nothing refused and nothing merged."""
    name, read = imported
    assert (read.read, read.sessions.height, read.merged, read.rejected) == (ROWS[name][0], ROWS[name][0], 0, ())


def test_the_time_in_bed_ends_when_the_clock_said(imported: tuple[str, Imported], samples: Path) -> None:
    """Counted in elapsed time, nights end on the stated second, those of the clock changes too."""
    name, read = imported
    zone = ZoneInfo(ROWS[name][1])
    stated = {line["Start"]: datetime.fromisoformat(line["End"]) for line in lines(samples, name)}
    off = []
    for start, end in read.sessions.select("start", "end").iter_rows():
        began = f"{start.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        if abs((end.astimezone(zone).replace(tzinfo=None) - stated[began]).total_seconds()) > 2:
            off.append(began)
    assert off == []


@pytest.mark.parametrize("night", ["2020-11-01", "2022-11-06", "2024-11-03"])
def test_a_night_of_the_clock_change_is_an_hour_longer_than_the_clock(
    samples: Path, both: dict[str, Imported], night: str
) -> None:
    """On the three nights that prove it, the session lasts the time in bed: an hour more than End − Start."""
    (line,) = (line for line in lines(samples, "gen3_stages") if line["End"].startswith(night))
    by_clock = datetime.fromisoformat(line["End"]) - datetime.fromisoformat(line["Start"])
    ends = pl.col("end").dt.convert_time_zone("America/New_York").dt.strftime("%Y-%m-%d") == night
    (row,) = both["gen3_stages"].sessions.filter(ends).iter_rows(named=True)
    assert (row["end"] - row["start"] - by_clock).total_seconds() == pytest.approx(3600, abs=2)


def test_the_four_stages_are_the_time_in_bed(samples: Path) -> None:
    """Awake, dream, light and deep add up to the time in bed on all 1,476 lines of the real file."""
    told = lines(samples, "gen3_stages")
    off = [abs(seconds(line, "Awake", "Dream", "Light", "Deep") - seconds(line, "Time in bed")) for line in told]
    assert len(told) == 1476
    assert max(off) < 1


def test_no_real_night_has_stages_that_can_be_believed(samples: Path, both: dict[str, Imported]) -> None:
    """Deep and dream are 0 on 1,445 nights; on the 31 others the stages miss the app's own time asleep by minutes."""
    told = [line for line in lines(samples, "gen3_stages") if seconds(line, "Dream", "Deep") > 0]
    off = [seconds(line, "Dream", "Light", "Deep") - seconds(line, "Time asleep") for line in told]
    assert (len(told), min(off) > 500) == (31, True)
    totals = both["gen3_stages"].sessions.unnest("totals")
    assert totals["deep_s"].null_count() == totals.height
    assert totals["asleep_s"].null_count() == 0


def test_the_latency_is_the_apps_own(both: dict[str, Imported]) -> None:
    """Median 10.4 and longest 123 minutes; two nights without any sleep have none."""
    latency_min = both["gen3_stages"].sessions["vendor_sol_s"] / 60
    assert latency_min.null_count() == 2
    assert (round(latency_min.median(), 1), round(latency_min.max())) == (10.4, 123)


@pytest.mark.parametrize("name", ROWS)
def test_every_real_latency_is_a_whole_300th_of_the_night(samples: Path, name: str) -> None:
    """On every night of over three hours the latency is a whole number of 300ths of the time in bed, at least two."""
    told = [line for line in lines(samples, name) if seconds(line, "Time in bed") > 3 * 3600]
    steps = [300 * seconds(line, "Time before sleep") / seconds(line, "Time in bed") for line in told]
    assert max(abs(step - round(step)) for step in steps) < 0.05
    assert min(round(step) for step in steps) == 2


def test_most_real_latencies_are_the_least_figure(imported: tuple[str, Imported]) -> None:
    """On 650 and 1,070 nights the latency is a fixed part of the time in bed, and the person hears of it."""
    name, read = imported
    (warning,) = (warning for warning in read.warnings if "least figure" in warning)
    assert warning.startswith({"gen2_comma": "650 sessions", "gen3_stages": "1,070 sessions"}[name])
