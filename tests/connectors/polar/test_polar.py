"""Polar's results and AccessLink's nights become sessions."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.documents import hypnogram, read_documents, read_export

from nof1.sleep.session import STARTS_AT_ONSET
from nof1_connectors.polar.takeout import seconds_of

RESULTS = Path(__file__).parent / "exports" / "sleep_result_00000000-0000-4000-8000-000000000001.json"
NIGHT: dict[str, Any] = {
    "polar_user": "https://www.polaraccesslink.com/v3/users/1",
    "date": "2025-01-15",
    "sleep_start_time": "2025-01-14T23:39:07+01:00",
    "sleep_end_time": "2025-01-15T01:39:07+01:00",
    "light_sleep": 3600,
    "deep_sleep": 1853,
    "rem_sleep": 1200,
    "total_interruption_duration": 547,
    "hypnogram": {"23:39": 2, "00:09": 3, "00:40": 4, "01:10": 1, "01:30": 0},
}


def test_a_night_with_stages_is_read_as_polar_sums_it_up() -> None:
    """States hold until the next; the session ends with the span, the late WAKE ends nothing, unknown is unscored."""
    _, row = read_export(RESULTS).sessions.iter_rows(named=True)
    assert (row["stream"], row["record_id"], row["algorithm"]) == ("polar/flow", "2025-01-15", "SLEEP_PLUS_STAGES")
    assert (row["start"], row["end"]) == (
        datetime(2025, 1, 14, 22, 12, 30, tzinfo=UTC),
        datetime(2025, 1, 15, 0, 12, 30, tzinfo=UTC),
    )
    assert (row["offset_start"], row["offset_end"], row["zone_source"]) == (60, 60, "record")
    assert hypnogram(row) == [
        (0, 900, "light"),
        (900, 900, "light"),
        (1800, 1800, "deep"),
        (3600, 900, "wake"),
        (4500, 1200, "rem"),
        (5700, 600, "unscored"),
        (6300, 900, "light"),
    ]
    assert row["totals"] == {"wake_s": 900, "light_s": 2700, "deep_s": 1800, "rem_s": 1200, "asleep_s": 6300}
    assert row["flags"] == [STARTS_AT_ONSET]


def test_a_watch_without_stages_tells_sleep_from_wake() -> None:
    """A night in which neither REM nor deep sleep appears is not staged; a battery that ran out makes it incomplete."""
    row, _ = read_export(RESULTS).sessions.iter_rows(named=True)
    assert (row["staging"], row["algorithm"]) == ("sleep_wake", "SLEEP_PLUS")
    assert row["flags"] == ["incomplete", STARTS_AT_ONSET]


def test_the_person_hears_of_a_span_that_differs() -> None:
    """A span that is not end minus start is followed, and said."""
    assert read_export(RESULTS).warnings == (
        "1 session with a span that is not its end minus its start; the span stands "
        f"(first: {RESULTS.name}: night 2025-01-15).",
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"offsetFromStart": "PT3H", "state": "REM"}, "begins 10,800 s after its start"),
        ({"offsetFromStart": "3 hours", "state": "REM"}, "is not a duration"),
        ({"offsetFromStart": 5, "state": "REM"}, "Expected `str`, got `int`"),
    ],
)
def test_a_bad_state_refuses_its_night_only(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    """A state after the end, or without a place, refuses the night with the reason; the other night is kept."""
    nights = json.loads(RESULTS.read_text())
    nights[0]["sleepResult"]["hypnogram"]["sleepStateChanges"].append(change)
    imported = read_documents(tmp_path, {"a.json": nights})
    (refused,) = imported.rejected
    assert (imported.sessions.height, refused.record) == (1, "a.json: night 2025-01-15")
    assert reason in refused.reason


@pytest.mark.parametrize(
    ("duration", "seconds"), [("PT0S", 0), ("PT7H4M30S", 25470), ("PT90M", 5400), ("PT1.9S", 1), ("PT26H", 93600)]
)
def test_durations_are_seconds(duration: str, seconds: int) -> None:
    """ISO 8601 durations are read; parts of a second are cut off."""
    assert seconds_of(duration) == seconds


@pytest.mark.parametrize("duration", ["", "PT", "P1D", "PT-5S", "PT5", "7:30", "PT9999999H", "pt5s", "PT٣S٣"])
def test_what_is_no_duration_is_refused(duration: str) -> None:
    """Anything else is not a duration."""
    with pytest.raises(ValueError, match="is not a duration"):
        seconds_of(duration)


@pytest.mark.parametrize("wrap", [lambda n: {"nights": n}, lambda n: n, lambda n: [{"nights": n}], lambda n: n[0]])
def test_a_night_of_accesslink_is_counted_from_its_start(tmp_path: Path, wrap: Any) -> None:
    """Minutes of the local clock follow the start past midnight, however the response is wrapped."""
    (row,) = read_documents(tmp_path, {"sleep.json": wrap([NIGHT])}).sessions.iter_rows(named=True)
    assert (row["stream"], row["record_id"], row["offset_start"]) == ("polar/accesslink", "2025-01-15", 60)
    assert hypnogram(row) == [
        (0, 1793, "light"),
        (1793, 1860, "light"),
        (3653, 1800, "deep"),
        (5453, 1200, "rem"),
        (6653, 547, "wake"),
    ]
    assert row["flags"] == [STARTS_AT_ONSET]


def test_the_order_of_states_is_irrelevant(tmp_path: Path) -> None:
    """A tool that sorts the keys of JSON changes nothing."""
    sorted_ = NIGHT | {"hypnogram": dict(sorted(NIGHT["hypnogram"].items()))}
    one = read_documents(tmp_path / "a", {"sleep.json": [NIGHT]}).sessions
    assert read_documents(tmp_path / "b", {"sleep.json": [sorted_]}).sessions.equals(one)


def test_numbers_without_meaning_are_unscored(tmp_path: Path) -> None:
    """5 is Polar's word for unknown; 6, which stands in Polar's own example, is unknown to everybody, and said."""
    night = NIGHT | {"hypnogram": NIGHT["hypnogram"] | {"01:10": 5, "01:30": 6}}
    imported = read_documents(tmp_path, {"sleep.json": [night]})
    (row,) = imported.sessions.iter_rows(named=True)
    assert [stage for _, _, stage in hypnogram(row)][-2:] == ["unscored", "unscored"]
    assert not any("'5'" in warning for warning in imported.warnings)
    assert any("unknown label '6'" in warning for warning in imported.warnings)


AUTUMN: dict[str, Any] = NIGHT | {
    "date": "2025-10-26",
    "sleep_start_time": "2025-10-26T01:00:00+02:00",
    "sleep_end_time": "2025-10-26T05:00:00+01:00",
    "hypnogram": {"01:00": 3, "02:30": 4, "02:50": 3, "04:00": 1},
}


@pytest.mark.parametrize(
    ("deep_min", "light_min", "stages"),
    [
        (20, 220, [(0, 5400, "light"), (5400, 1200, "deep"), (6600, 7800, "light"), (14400, 3600, "rem")]),
        (80, 160, [(0, 5400, "light"), (5400, 4800, "deep"), (10200, 4200, "light"), (14400, 3600, "rem")]),
    ],
)
def test_an_hour_told_twice_is_read_as_the_sums_say(
    tmp_path: Path, deep_min: int, light_min: int, stages: list[tuple[int, int, str]]
) -> None:
    """When clocks go back, 02:50 is the first or the second one: Polar's own sums decide, and the person is told."""
    sums = {"deep_sleep": 60 * deep_min, "light_sleep": 60 * light_min, "rem_sleep": 3600}
    imported = read_documents(tmp_path, {"sleep.json": [AUTUMN | sums | {"total_interruption_duration": 0}]})
    (row,) = imported.sessions.iter_rows(named=True)
    assert hypnogram(row) == stages
    assert any("an hour that the clocks repeat" in warning for warning in imported.warnings)


def test_the_hour_that_is_skipped_is_not_slept(tmp_path: Path) -> None:
    """When clocks go forward the night keeps its true length: 01:30 and 03:30 are an hour apart."""
    spring = AUTUMN | {
        "sleep_start_time": "2025-03-30T01:00:00+01:00",
        "sleep_end_time": "2025-03-30T05:00:00+02:00",
        "hypnogram": {"01:00": 3, "01:30": 4, "03:30": 3},
    }
    (row,) = read_documents(tmp_path, {"sleep.json": [spring]}).sessions.iter_rows(named=True)
    assert hypnogram(row) == [(0, 1800, "light"), (1800, 3600, "deep"), (5400, 5400, "light")]


@pytest.mark.parametrize("zone", ["America/New_York", None])
def test_a_clock_change_elsewhere_leaves_the_sums(tmp_path: Path, zone: str | None) -> None:
    """Where the stated zone does not explain the change of offset, no stage is placed by guess; the sums are kept."""
    imported = read_documents(tmp_path, {"sleep.json": [AUTUMN]}, zone)
    (row,) = imported.sessions.iter_rows(named=True)
    assert (row["staging"], row["hypnogram"], row["totals"]["deep_s"]) == ("totals", None, 1853)
    assert "stages are left out, sums are kept" in imported.warnings[0]


def test_a_watch_that_stages_nothing_has_no_stages_of_zero(tmp_path: Path) -> None:
    """Sums that are all zero are missing, not zero minutes of deep sleep."""
    unstaged = NIGHT | {"light_sleep": 0, "deep_sleep": 0, "rem_sleep": 0, "hypnogram": {}}
    (row,) = read_documents(tmp_path, {"sleep.json": [unstaged]}).sessions.iter_rows(named=True)
    assert row["totals"] == {"wake_s": 547, "light_s": None, "deep_s": None, "rem_s": None, "asleep_s": None}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"hypnogram": {"12:00": 1}}, "state at 12:00 lies outside it"),
        ({"hypnogram": {"24:10": 1}}, "is not a minute of the day"),
        ({"sleep_start_time": "2025-01-14T23:39:07"}, "does not say its offset"),
        ({"light_sleep": -1}, "`int` >= 0"),
    ],
)
def test_a_bad_night_of_accesslink_is_refused(tmp_path: Path, more: dict[str, Any], reason: str) -> None:
    """A night that contradicts itself is refused with the reason, and the other kept."""
    other = copy.deepcopy(NIGHT) | {"date": "2025-01-20"}
    imported = read_documents(tmp_path, {"sleep.json": {"nights": [NIGHT | more, other]}})
    assert imported.sessions["record_id"].to_list() == ["2025-01-20"]
    assert reason in imported.rejected[0].reason
