"""The Google Health API: data points of sleep, one answer or many in a file."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.fitbit.writer_other import data_point
from tests.connectors.nights import NIGHTS

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.errors import UsageError

EXPORTS = Path(__file__).parent / "exports_other"

type Read = Callable[[object], Imported]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a value as JSON, and read the file as an export."""

    def read_written(value: object) -> Imported:
        path = tmp_path / "sleep.json"
        path.write_text(json.dumps(value))
        with Export(path) as export:
            (claim,) = recognise(export, "fitbit", untested_ok=True)
            return claim.read(ReadOptions(participant="P07", zone="Europe/Berlin", zone_source="option"))

    return read_written


def point(**changes: Any) -> dict[str, Any]:
    """A data point, its parts changed by a path such as ``sleep__metadata``."""
    made = data_point(NIGHTS[0])
    for path, value in changes.items():
        *parents, last = path.split("__")
        part = made
        for parent in parents:
            part = part[parent]
        part[last] = part[last] | value if isinstance(value, dict) and last in part else value
    return made


def only(imported: Imported) -> dict[str, Any]:
    """The only session."""
    assert imported.sessions.height == 1, imported.rejected
    return imported.sessions.row(0, named=True)


def test_the_sample_gives_its_sessions() -> None:
    """A night with a short awakening, and a nap of the classic kind, offsets as the API writes them."""
    with Export(EXPORTS / "answer.json") as export:
        with pytest.raises(UsageError, match="--untested-ok"):
            recognise(export)
        (claim,) = recognise(export, untested_ok=True)
        imported = claim.read(ReadOptions(participant="P07"))
    night, nap = imported.sessions.iter_rows(named=True)
    assert [(p["start_s"], p["seconds"], p["stage"], p["label"]) for p in night["hypnogram"]] == [
        (0, 210, "wake", "AWAKE"),
        (210, 1800, "light", "LIGHT"),
        (2010, 90, "wake", "AWAKE"),
        (2100, 390, "light", "LIGHT"),
        (2490, 3000, "deep", "DEEP"),
        (5490, 1710, "rem", "REM"),
    ]
    assert (night["stream"], night["record_id"], night["kind"]) == ("fitbit/google_health", "5550001", "main")
    assert (night["start"], night["offset_start"]) == (datetime(2026, 8, 1, 4, 20, tzinfo=UTC), -240)
    assert (night["device"], night["vendor_sol_s"], night["zone_source"]) == ("Example Band", None, "record")
    assert night["totals"] == {"wake_s": 300, "light_s": 2220, "deep_s": 3000, "rem_s": 1680, "asleep_s": 6900}
    assert night["updated"] == datetime(2026, 8, 1, 11, tzinfo=UTC)
    assert (nap["kind"], nap["staging"], nap["flags"]) == ("nap", "sleep_wake", ["edited", "manual"])
    assert [(p["stage"], p["label"]) for p in nap["hypnogram"]] == [("asleep", "ASLEEP"), ("wake", "RESTLESS")]


@pytest.mark.parametrize(
    "value", [point(), [point()], {"dataPoints": [point()]}, [{"reconciledDataPoints": [point()]}, {"dataPoints": []}]]
)
def test_points_come_alone_or_in_answers(read: Read, value: object) -> None:
    """One point, a list of points, one answer and a list of answers are the same night."""
    assert only(read(value))["record_id"] == f"{NIGHTS[0].start:%Y%m%d%H%M}"


def test_the_version_changed_last_stands(read: Read) -> None:
    """Of two answers of one night the later stands, wherever it stands in the file."""
    early = point(sleep__updateTime="2025-03-11T05:00:00Z", sleep__metadata={"processed": False}, sleep__stages=[])
    late = point(sleep__updateTime="2025-03-11T09:00:00Z")
    for order in ([early, late], [late, early]):
        imported = read({"dataPoints": order})
        assert (only(imported)["staging"], imported.merged) == ("stages", 1)
    assert any("had not finished" in warning for warning in imported.warnings)


def test_a_latency_of_zero_is_missing(read: Read) -> None:
    """0 minutes to fall asleep is what Fitbit writes where it does not know; a figure above is kept."""
    assert only(read(point()))["vendor_sol_s"] is None
    assert only(read(point(sleep__summary={"minutesToFallAsleep": "12"})))["vendor_sol_s"] == 720


def test_sleep_of_other_platforms_is_another_stream(read: Read) -> None:
    """What passes through from another platform is not Fitbit's staging."""
    assert only(read(point(dataSource={"platform": "HEALTH_KIT"})))["stream"] == "fitbit/google_health/health_kit"


@pytest.mark.parametrize(
    ("offset", "minutes", "source"),
    [("-14400s", -240, "record"), ("0s", 0, "record"), ("+05:30", 330, "record"), (None, 60, "option")],
)
def test_offsets_are_durations(read: Read, offset: str | None, minutes: int, source: str) -> None:
    """An offset is seconds with an s, or a clock's; where it is missing the stated zone tells."""
    session = only(read(point(sleep__interval={"startUtcOffset": offset})))
    assert (session["offset_start"], session["zone_source"]) == (minutes, source)


@pytest.mark.parametrize(
    "bad",
    [
        point(sleep__interval={"endTime": "2025-03-10T20:00:00Z"}),
        point(sleep__interval={"startTime": 17}),
        point(sleep__interval={"startUtcOffset": "99999s"}),
        point(sleep__stages=[{"type": "DEEP", "startTime": "2025-03-10T22:00:00Z", "endTime": "2025-03-10T21:50:00Z"}]),
        point(sleep__stages="many"),
        point(sleep__summary={"minutesAsleep": "-1"}),
        point(sleep__summary={"minutesAsleep": str(10**30)}),
        {"sleep": None},
        "not a point",
        None,
    ],
)
def test_a_bad_point_is_rejected_alone(read: Read, bad: object) -> None:
    """Wrong types and impossible values reject one point, and the next is read."""
    imported = read({"dataPoints": [point(name="users/me/dataTypes/sleep/dataPoints/good"), bad]})
    assert (only(imported)["record_id"], len(imported.rejected)) == ("good", 1)
