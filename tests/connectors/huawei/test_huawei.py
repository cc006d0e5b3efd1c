"""Huawei's points become sessions."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.connectors.documents import hypnogram, read_documents, read_export

from nof1.connect.connector import ReadOptions
from nof1.errors import DataError
from nof1.sleep.session import STARTS_AT_ONSET
from nof1_connectors.huawei import connector
from nof1_connectors.huawei.parse import Point, parse_session, sessions_of

EXPORT = Path(__file__).parent / "exports" / "health detail data.json"
MIDNIGHT = datetime(2025, 1, 14, 16, tzinfo=UTC)
"""In the zone of the export, eight hours east."""


def point(start_min: float, end_min: float, key: Any) -> dict[str, Any]:
    """A point, in minutes after `MIDNIGHT`."""
    start, end = (int(1000 * (MIDNIGHT + timedelta(minutes=at)).timestamp()) for at in (start_min, end_min))
    return {"startTime": start, "endTime": end, "key": key, "value": "1"}


def record(*points: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A record with these points."""
    return {"type": 9, "timeZone": "+0800", "startTime": 0, "endTime": 0, "samplePoints": list(points)} | more


def test_points_are_put_together_to_sessions() -> None:
    """Points told twice count once, neighbours are one stretch, a gap is not filled, and a nap stands alone."""
    imported = read_export(EXPORT)
    night, nap = imported.sessions.iter_rows(named=True)
    assert hypnogram(night) == [(0, 3600, "light"), (3600, 2400, "deep"), (6000, 600, "wake"), (7500, 1500, "rem")]
    assert (night["stream"], night["start"], night["offset_start"]) == ("huawei/trusleep", MIDNIGHT, 480)
    assert (nap["kind"], nap["staging"], hypnogram(nap)) == ("nap", "sleep_wake", [(0, 1800, "asleep")])
    assert imported.warnings == ("1 point told again; each counts once.",)


def test_lying_down_is_marked_and_is_no_stage() -> None:
    """A BED point says when the person lay down; the recording itself still begins with sleep."""
    night, nap = read_export(EXPORT).sessions.iter_rows(named=True)
    assert (night["in_bed"], night["in_bed_source"]) == (MIDNIGHT - timedelta(minutes=20), "in_bed")
    assert (nap["in_bed"], nap["in_bed_source"]) == (None, "none")
    assert STARTS_AT_ONSET in night["flags"]


@pytest.mark.parametrize(("before_min", "kept"), [(200, True), (300, False)])
def test_a_mark_of_lying_down_waits_for_sleep(tmp_path: Path, before_min: int, kept: bool) -> None:
    """A mark without length belongs to the sleep that follows within four hours: long latencies are not lost."""
    mark = point(-before_min, -before_min, "PROFESSIONAL_SLEEP_BED")
    imported = read_documents(tmp_path, {"a.json": [record(mark, point(0, 60, "PROFESSIONAL_SLEEP_DEEP"))]})
    (row,) = imported.sessions.iter_rows(named=True)
    assert (row["in_bed"] is not None, len(imported.rejected)) == (kept, int(not kept))


def test_numbers_are_keys_too(tmp_path: Path) -> None:
    """Keys come as words or as numbers, in quotes or not; older bands are a stream of their own."""
    told = [record(point(0, 60, 22101), point(60, 90, "22103")), record(point(2000, 2060, 22001), type=3)]
    imported = read_documents(tmp_path, {"a.json": told})
    assert [hypnogram(row) for row in imported.sessions.iter_rows(named=True)] == [
        [(0, 3600, "light"), (3600, 1800, "deep")],
        [(0, 3600, "deep")],
    ]
    assert imported.sessions["stream"].to_list() == ["huawei/trusleep", "huawei/basic"]


def test_a_night_told_twice_is_merged(tmp_path: Path) -> None:
    """A second file with the same night adds nothing, and is accounted for."""
    night = [record(point(0, 60, "PROFESSIONAL_SLEEP_DEEP"), point(60, 90, "PROFESSIONAL_SLEEP_WAKE"))]
    imported = read_documents(tmp_path, {"a.json": night, "b.json": night})
    assert (imported.read, imported.sessions.height, imported.merged) == (2, 1, 1)


def test_the_later_version_stands(tmp_path: Path) -> None:
    """Where two versions of a night contradict each other the later one stands, and the person is told."""
    old = record(point(0, 120, "PROFESSIONAL_SLEEP_DEEP"), version=1)
    new = record(point(60, 90, "PROFESSIONAL_SLEEP_WAKE"), version=2)
    imported = read_documents(tmp_path, {"a.json": [new, old]})
    (row,) = imported.sessions.iter_rows(named=True)
    assert hypnogram(row) == [(0, 3600, "deep"), (3600, 1800, "wake"), (5400, 1800, "deep")]
    assert "contradict each other" in imported.warnings[0]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (record(point(10, 5, "PROFESSIONAL_SLEEP_DEEP")), "ends before it starts"),
        (record(point(0, 10, "PROFESSIONAL_SLEEP_DEEP") | {"endTime": "soon"}), "not a time of this century"),
        (record(point(0, 10, "PROFESSIONAL_SLEEP_DEEP"), timeZone="+9900"), "not an offset"),
        (record(point(0, 10, "PROFESSIONAL_SLEEP_DEEP"), subUser="abc"), "another person"),
        (record(point(0, 10, "PROFESSIONAL_SLEEP_BED")), "tell of no stage: PROFESSIONAL_SLEEP_BED"),
        (record(*(point(at, at + 60, "SLEEP_LIGHT") for at in range(0, 3000, 60))), "longer than two days"),
    ],
)
def test_what_cannot_be_used_is_refused_alone(tmp_path: Path, told: dict[str, Any], reason: str) -> None:
    """A bad point, another person's, or points without sleep are refused with the reason; the other night is kept."""
    good = record(point(9000, 9060, "PROFESSIONAL_SLEEP_DEEP"))
    imported = read_documents(tmp_path, {"a.json": [told, good]})
    assert imported.sessions.height == 1
    assert reason in imported.rejected[0].reason


def test_an_unknown_key_of_sleep_is_kept_as_unscored(tmp_path: Path) -> None:
    """A stage that a later watch may tell keeps its place, gives way to known stages, and is said."""
    told = record(point(0, 30, "PROFESSIONAL_SLEEP_DEEP"), point(20, 60, "PROFESSIONAL_SLEEP_ON"), point(60, 70, 22104))
    imported = read_documents(tmp_path, {"a.json": [told]})
    (row,) = imported.sessions.iter_rows(named=True)
    assert hypnogram(row) == [(0, 1800, "deep"), (1800, 1800, "unscored"), (3600, 600, "wake")]
    assert any("PROFESSIONAL_SLEEP_ON" in warning for warning in imported.warnings)


def test_a_record_without_offset_takes_the_stated_zone(tmp_path: Path) -> None:
    """Instants are known; where no offset is told, the stated zone tells the wall clock."""
    told = record(point(0, 30, "PROFESSIONAL_SLEEP_DEEP"), timeZone=None)
    (row,) = read_documents(tmp_path, {"a.json": [told]}).sessions.iter_rows(named=True)
    assert (row["start"], row["zone"], row["zone_source"]) == (MIDNIGHT, "Europe/Berlin", "option")


def test_health_records_without_sleep_hold_no_session(tmp_path: Path) -> None:
    """A file of heart rates alone is recognised and holds no sleep."""
    told = record(point(0, 0, "DATA_POINT_DYNAMIC_HEARTRATE"), type=7)
    assert read_documents(tmp_path, {"a.json": [told]}).read == 0


def test_too_large_a_file_is_refused_with_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beyond the bound is refused with the command that cuts the sleep out of it."""
    monkeypatch.setattr(connector, "MAX_TEXT_BYTES", 100)
    with pytest.raises(DataError, match=r"fewer months.*jq"):
        read_documents(tmp_path, {"a.json": json.dumps([record(point(0, 9, "PROFESSIONAL_SLEEP_DEEP"))])})


KEYS = st.sampled_from(["PROFESSIONAL_SLEEP_DEEP", "PROFESSIONAL_SLEEP_WAKE", "PROFESSIONAL_SLEEP_ODD", "22106"])


@given(st.lists(st.tuples(st.integers(0, 25), st.integers(1, 5), KEYS, st.integers(0, 2)), min_size=1), st.randoms())
def test_points_are_resolved_whatever_their_order(told: list[tuple[int, int, str, int]], random: Any) -> None:
    """Any points, in any order, give one hypnogram without overlap, and the same one."""
    points = [
        Point(MIDNIGHT + timedelta(minutes=at), MIDNIGHT + timedelta(minutes=at + lasts), key, version, 480)
        for at, lasts, key, version in told
    ] + [Point(MIDNIGHT, MIDNIGHT + timedelta(minutes=1), "22101", 0, 480)]
    (session,) = sessions_of(points)
    shuffled = list(points)
    random.shuffle(shuffled)
    (again,) = sessions_of(shuffled)
    row = parse_session(tuple(session), ReadOptions()).row
    assert row == parse_session(tuple(again), ReadOptions()).row
    bounds = [(piece["start_s"], piece["start_s"] + piece["seconds"]) for piece in row["hypnogram"]]
    assert all(end <= start for (_, end), (start, _) in pairwise(bounds))
