"""Google Fit: sessions and streams of segments, each told apart."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.google_fit.writer import activity_json, point_json, session_json
from tests.connectors.nights import NIGHTS

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.errors import UsageError

EXPORTS = Path(__file__).parent / "exports"
OPTIONS = ReadOptions(participant="P07", zone="Europe/Berlin", zone_source="option")
START = datetime(2025, 3, 24, 23, tzinfo=UTC)

type Read = Callable[..., Imported]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write values as JSON files, and read the folder as an export."""

    def read_written(*values: object) -> Imported:
        for i, value in enumerate(values):
            (tmp_path / f"{i}.json").write_text(json.dumps(value))
        with Export(tmp_path) as export:
            (claim,) = recognise(export, "google_fit", untested_ok=True)
            return claim.read(OPTIONS)

    return read_written


def points(*told: tuple[float, float, int]) -> dict[str, Any]:
    """A stream of segments: hours after `START`, and numbers."""
    made = [point_json(START + timedelta(hours=a), START + timedelta(hours=b), number) for a, b, number in told]
    return {"Data Source": "raw:com.google.sleep.segment:com.example.other:x", "Data Points": made}


def hypnogram(imported: Imported, row: int = 0) -> list[tuple[int, int, str, str]]:
    """The pieces of a session, in minutes."""
    pieces = imported.sessions["hypnogram"][row].to_list()
    return [(p["start_s"] // 60, p["seconds"] // 60, p["stage"], p["label"]) for p in pieces]


@pytest.fixture(scope="module")
def sample() -> Imported:
    """What the sample holds."""
    with Export(EXPORTS) as export:
        (claim,) = recognise(export, "google_fit", untested_ok=True)
        return claim.read(OPTIONS)


def test_a_session_is_sleep_and_waking(sample: Imported) -> None:
    """Segments stand in any order; times are UTC, and the stated zone tells the wall clock."""
    session = sample.sessions.row(1, named=True)
    assert (session["stream"], session["staging"]) == ("google_fit/sessions", "sleep_wake")
    assert (session["start"], session["offset_start"]) == (datetime(2019, 6, 10, 20, 6, tzinfo=UTC), 120)
    assert (session["zone"], session["zone_source"], session["flags"]) == (
        "Europe/Berlin",
        "option",
        ["starts_at_onset"],
    )
    assert hypnogram(sample, 1) == [
        (0, 240, "asleep", "sleep"),
        (240, 30, "wake", "sleep.awake"),
        (270, 252, "asleep", "sleep"),
    ]


def test_a_session_without_segments_is_a_stream_of_its_own(sample: Imported) -> None:
    """It tells its bounds alone, and must not be mixed with nights whose waking is known."""
    session = sample.sessions.row(2, named=True)
    assert (session["stream"], session["totals"]["asleep_s"]) == ("google_fit/sessions without segments", 900)
    assert session["hypnogram"] is None


def test_a_stage_stands_over_plain_sleep(sample: Imported) -> None:
    """Where segments overlap the more specific one stands; an activity that nobody knows gives way."""
    assert hypnogram(sample, 3) == [
        (0, 60, "asleep", "sleep"),
        (60, 30, "deep", "sleep.deep"),
        (90, 90, "asleep", "sleep"),
    ]


def test_a_run_of_segments_is_a_session(sample: Imported) -> None:
    """Segments less than an hour apart are one recording of the app that wrote them; the gap is a gap."""
    session = sample.sessions.row(4, named=True)
    assert session["stream"] == "google_fit/com.example.sleepwatch"
    assert hypnogram(sample, 4) == [
        (0, 120, "light", "light"),
        (120, 60, "deep", "deep"),
        (220, 20, "unscored", "number 7"),
    ]


def test_sleep_typed_in_is_manual(sample: Imported) -> None:
    """The older type of data holds every activity; its sleep is read, its walks are not."""
    session = sample.sessions.row(0, named=True)
    assert (session["stream"], session["staging"]) == ("google_fit/com.google.android.apps.fitness", "sleep_wake")
    assert session["flags"] == ["manual", "starts_at_onset"]


def test_everything_is_accounted_for(sample: Imported) -> None:
    """Bad points are rejected one by one; the walk is another activity."""
    assert (sample.read, sample.sessions.height) == (7, 5)
    assert [one.reason for one in sample.rejected] == [
        "it ends before it starts, or lasts no time",
        "it lasts longer than a day",
    ]
    assert len(sample.warnings) == 2


def test_raw_and_merged_streams_are_one(read: Read) -> None:
    """A Takeout tells each point twice, in the file of the app and in the merged one; it counts once."""
    told = points((0, 2, 4), (2, 3, 5))
    imported = read(told, told | {"Data Source": "derived:com.google.sleep.segment:com.google.android.gms:merged"})
    assert (imported.read, imported.sessions.height) == (1, 1)


def test_an_hour_parts_two_recordings(read: Read) -> None:
    """Segments a full hour apart are two recordings."""
    assert read(points((0, 2, 2), (2.9, 4, 2))).sessions.height == 1
    assert read(points((0, 2, 2), (3, 4, 2))).sessions.height == 2


def test_a_session_told_twice_is_merged(read: Read) -> None:
    """Parts of a Takeout repeat files."""
    imported = read(session_json(NIGHTS[0]), session_json(NIGHTS[0]), session_json(NIGHTS[1]))
    assert (imported.read, imported.sessions.height, imported.merged) == (3, 2, 1)


@pytest.mark.parametrize(
    "bad",
    [
        {"startTime": None},
        {"startTime": "9999-01-01T00:00:00Z"},
        {"endTime": "2025-03-10T20:00:00Z"},
        {"endTime": "2025-03-20T20:00:00Z"},
        {"segment": "none"},
        {"segment": [{"startTime": "2025-03-11T02:00:00Z", "endTime": "2025-03-11T01:00:00Z"}]},
        {"segment": [{"startTime": "2025-03-10T02:00:00Z", "endTime": "2025-03-11T01:00:00Z"}]},
        {"fitnessActivity": "running", "name": [{"fitnessActivity": "sleep"}]},
    ],
)
def test_a_bad_session_is_rejected(read: Read, bad: dict[str, object]) -> None:
    """Wrong types, impossible times and segments outside the session reject it, with the file's name."""
    imported = read(session_json(NIGHTS[0]) | bad, session_json(NIGHTS[1]))
    assert (imported.sessions.height, [one.record for one in imported.rejected]) == (1, ["0.json"])


@pytest.mark.parametrize(
    "bad", [{"startTimeNanos": 10**400}, {"startTimeNanos": "x"}, {"fitValue": [{"value": 4}]}, {"dataTypeName": None}]
)
def test_a_bad_point_is_rejected(read: Read, bad: dict[str, object]) -> None:
    """Numbers that no clock shows and wrong types reject one point."""
    told = points((0, 2, 4), (2, 3, 5))
    told["Data Points"][1] |= bad
    imported = read(told)
    assert (imported.sessions.height, len(imported.rejected)) == (1, 1)


def test_a_rest_data_set_is_read_when_asked_twice(shared_samples: Path) -> None:
    """A data set of the REST interface, half an hour typed in by hand, is the same points under other keys."""
    (path,) = (shared_samples / "google-fit").glob("*.json")
    with Export(path) as export:
        with pytest.raises(UsageError, match="--untested-ok"):
            recognise(export)
        (claim,) = recognise(export, untested_ok=True)
        imported = claim.read(OPTIONS)
    session = imported.sessions.row(0, named=True)
    assert (imported.read, session["flags"]) == (1, ["manual", "starts_at_onset"])
    assert hypnogram(imported) == [(0, 30, "asleep", "sleep")]


def test_activities_without_sleep_are_read_and_said_to_hold_none(read: Read) -> None:
    """Only reading it all tells that a stream of walks holds no sleep; then that is said."""
    walk = activity_json(START, START + timedelta(hours=1), 7)
    imported = read({"Data Source": "derived:com.google.activity.segment:com.example", "Data Points": [walk]})
    assert (imported.read, imported.warnings) == (0, ("0.json holds activities, and no sleep among them.",))


def test_a_session_behind_a_long_beginning_is_named(tmp_path: Path) -> None:
    """A file called sleep whose sleep stands behind the bytes that are looked at is told about, never passed over."""
    late = {"name": "x" * 5000} | session_json(NIGHTS[0])
    (tmp_path / "2025-03-10T23_00_00+01_00_SLEEP.json").write_text(json.dumps(late))
    (tmp_path / "other.json").write_text(json.dumps(session_json(NIGHTS[1])))
    with Export(tmp_path) as export:
        (claim,) = recognise(export, untested_ok=True)
    ((name, why),) = claim.skipped
    assert name.endswith("_SLEEP.json")
    assert "named like a session" in why
