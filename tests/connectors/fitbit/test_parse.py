"""Fitbit's JSON logs become sessions."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nof1.connect.connector import ReadOptions
from nof1_connectors.fitbit.parse import parse_log

BERLIN = ReadOptions(zone="Europe/Berlin", zone_source="option")


def log(start: str, stages: list[tuple[str, int]], shorts: list[tuple[int, int]] = [], **more: Any) -> dict[str, Any]:  # noqa: B006
    """A log whose wall-clock times run on without a jump; `shorts` are (seconds after the start, seconds)."""
    began = datetime.fromisoformat(start)

    def wall(after: int) -> str:
        return (began + timedelta(seconds=after)).isoformat(timespec="milliseconds")

    at, data = 0, []
    for level, seconds in stages:
        data.append({"dateTime": wall(at), "level": level, "seconds": seconds})
        at += seconds
    return {
        "logId": 52257076264,
        "dateOfSleep": wall(at)[:10],
        "startTime": wall(0),
        "endTime": wall(at),
        "duration": at // 60 * 60_000,
        "minutesToFallAsleep": 0,
        "type": "stages",
        "levels": {
            "data": data,
            "shortData": [{"dateTime": wall(s), "level": "wake", "seconds": n} for s, n in shorts],
            "summary": {
                "deep": {"minutes": 12},
                "light": {"minutes": 34},
                "rem": {"minutes": 0},
                "wake": {"minutes": 5},
            },
        },
        "mainSleep": True,
    } | more


def pieces(row: dict[str, Any]) -> list[tuple[int, int, str]]:
    """The hypnogram as (start, seconds, label)."""
    return [(piece["start_s"], piece["seconds"], piece["label"]) for piece in row["hypnogram"]]


def test_short_wakes_are_laid_over_the_stages() -> None:
    """A short wake cuts the stage it falls into, to the second, and runs on into the next stage."""
    record = log("2026-04-14T04:26:30", [("wake", 600), ("light", 600), ("deep", 900)], [(700, 30), (1170, 90)])
    assert pieces(parse_log(record, BERLIN).row) == [
        (0, 600, "wake"),
        (600, 100, "light"),
        (700, 30, "wake"),
        (730, 440, "light"),
        (1170, 90, "wake"),
        (1260, 840, "deep"),
    ]


@settings(deadline=None)
@given(
    lengths=st.lists(
        st.tuples(st.integers(0, 300), st.sampled_from(["deep", "light", "rem"])), min_size=1, max_size=12
    ).filter(lambda lengths: sum(seconds for seconds, _ in lengths) >= 60),
    wakes=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 400)), max_size=8),
)
def test_short_wakes_are_painted_second_by_second(lengths: list[tuple[int, str]], wakes: list[tuple[int, int]]) -> None:
    """Laying wakes over stages gives what painting every single second would give, in order and without overlap."""
    stages = [(label, seconds) for seconds, label in lengths]
    canvas = [label for label, seconds in stages for _ in range(seconds)]
    shorts = sorted((start, seconds) for start, seconds in wakes if start < len(canvas))
    for start, seconds in shorts:
        end = min(start + seconds, len(canvas))
        canvas[start:end] = ["wake"] * (end - start)
    record = log("2026-04-14T23:00:00", stages, shorts)
    record["levels"]["summary"] = {}
    found = pieces(parse_log(record, BERLIN).row)
    assert [label for _, seconds, label in found for _ in range(seconds)] == canvas
    assert all(a[0] + a[1] == b[0] for a, b in pairwise(found))
    assert all(seconds > 0 for _, seconds, _ in found)


@pytest.mark.parametrize("jumps", [False, True], ids=["running on", "jumping"])
@pytest.mark.parametrize(
    ("start", "change_s"), [("2026-03-28T23:00:00", 3600), ("2026-10-24T23:00:00", -3600)], ids=["spring", "autumn"]
)
def test_a_night_crossing_a_clock_change_keeps_its_true_length(start: str, change_s: int, jumps: bool) -> None:
    """Eight hours stay eight hours, and short wakes stay in their stage, whether the log's clock jumps or runs on."""
    record = log(
        start,
        [("light", 7200), ("deep", 7200), ("rem", 7200), ("light", 7200)],
        [(3600, 60), (12_600, 60), (19_000, 60)],
    )
    change_at = 3 * 3600 if change_s > 0 else 4 * 3600
    if jumps:
        began = datetime.fromisoformat(start)
        for segment in record["levels"]["data"] + record["levels"]["shortData"]:
            wall = datetime.fromisoformat(segment["dateTime"])
            if (wall - began).total_seconds() >= change_at:
                segment["dateTime"] = (wall + timedelta(seconds=change_s)).isoformat()
        record["endTime"] = (datetime.fromisoformat(record["endTime"]) + timedelta(seconds=change_s)).isoformat()
    parsed = parse_log(record, BERLIN)
    assert parsed.row["end"] - parsed.row["start"] == timedelta(hours=8)
    assert parsed.row["offset_end"] - parsed.row["offset_start"] == change_s // 60
    assert [(s, n) for s, n, label in pieces(parsed.row) if label == "wake"] == [(3600, 60), (12_600, 60), (19_000, 60)]
    assert parsed.notes == ()


def test_a_start_on_a_clock_change_is_said() -> None:
    """A log that starts at a time that occurs twice is placed by the fixed rule, and the person hears of it."""
    parsed = parse_log(log("2026-10-25T02:30:00", [("light", 3600)]), BERLIN)
    assert parsed.row["start"].isoformat() == "2026-10-25T00:30:00+00:00"
    assert "repeats" in parsed.notes[0]


def test_without_a_zone_local_times_stand_and_offsets_are_missing() -> None:
    """A dry run without a zone shows wall-clock times as they are written."""
    row = parse_log(log("2026-04-14T23:30:00", [("light", 3600)]), ReadOptions()).row
    assert (row["start"].isoformat(), row["offset_start"], row["offset_end"]) == (
        "2026-04-14T23:30:00+00:00",
        None,
        None,
    )


def test_classic_logs_are_sleep_and_wake() -> None:
    """Classic logs are unstaged: asleep is asleep, restless and awake are wake, and the words are kept."""
    stages = [("restless", 480), ("asleep", 2820), ("awake", 60), ("asleep", 1980)]
    record = log("2026-04-14T13:00:00", stages, type="classic", mainSleep=False)
    row = parse_log(record, BERLIN).row
    assert [piece["stage"] for piece in row["hypnogram"]] == ["wake", "asleep", "wake", "asleep"]
    assert [label for _, _, label in pieces(row)] == [label for label, _ in stages]
    assert (row["staging"], row["kind"]) == ("sleep_wake", "nap")


@pytest.mark.parametrize(
    ("told", "kind"),
    [({"mainSleep": True}, "main"), ({"mainSleep": False}, "nap"), ({"isMainSleep": True}, "main"), ({}, "unknown")],
)
def test_the_kind_is_the_vendors_word(told: dict[str, bool], kind: str) -> None:
    """Both spellings of main sleep are read, and where neither stands the kind is unknown."""
    record = log("2026-04-14T23:00:00", [("light", 3600)])
    del record["mainSleep"]
    assert parse_log(record | told, BERLIN).row["kind"] == kind


@pytest.mark.parametrize(("minutes", "seconds"), [(0, None), (None, None), (-1, None), (7, 420.0), (61, None)])
@pytest.mark.parametrize("log_type", ["auto_detected", "manual", None])
def test_a_latency_of_zero_is_missing(minutes: int | None, seconds: float | None, log_type: str | None) -> None:
    """Fitbit's 0 never becomes a latency of 0 minutes; a figure longer than the night is missing too."""
    record = log("2026-04-14T23:00:00", [("light", 3600)], minutesToFallAsleep=minutes, logType=log_type)
    row = parse_log(record, BERLIN).row
    assert row["vendor_sol_s"] == seconds
    assert row["flags"] == (["manual"] if log_type == "manual" else [])


def test_an_unknown_label_keeps_its_night() -> None:
    """Time under a label that nobody knows is unscored, its word is kept, and the person hears of it."""
    parsed = parse_log(log("2026-04-14T23:00:00", [("light", 3600), ("dozing", 600)]), BERLIN)
    assert parsed.row["hypnogram"][1] == {"start_s": 3600, "seconds": 600, "stage": "unscored", "label": "dozing"}
    assert "'dozing'" in parsed.notes[0]


def test_a_gap_stays_a_gap() -> None:
    """Where the log jumps ahead nothing is invented, later stages keep their place, and the session is incomplete."""
    record = log("2026-04-14T23:00:00", [("light", 3600), ("wake", 1800), ("deep", 3600)])
    del record["levels"]["data"][1]
    parsed = parse_log(record, BERLIN)
    assert pieces(parsed.row) == [(0, 3600, "light"), (5400, 3600, "deep")]
    assert parsed.row["flags"] == ["incomplete"]
    assert "gap" in parsed.notes[0]


def test_a_duration_cut_to_minutes_does_not_cut_the_stages() -> None:
    """Fitbit floors durations to minutes; the session lasts as long as its stages. Totals are kept as told."""
    row = parse_log(log("2026-04-14T23:00:00", [("light", 3630)], minutesAsleep=46), BERLIN).row
    assert row["end"] - row["start"] == timedelta(seconds=3630)
    assert row["totals"] == {"wake_s": 300, "light_s": 2040, "deep_s": 720, "rem_s": 0, "asleep_s": 2760}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"logId": None}, "logId"),
        ({"duration": "8 hours"}, "duration"),
        ({"duration": -60_000}, "duration"),
        ({"startTime": "yesterday"}, "'yesterday' is not a time"),
        ({"startTime": "0001-01-01T00:00:00"}, "of this century"),
        ({"startTime": "2026-04-14T23:00:00+02:00"}, "without an offset"),
        ({"endTime": "2026-04-14T22:00:00.000"}, "ends .* before it starts"),
        ({"duration": 600_000}, "its stages last 3,600 s"),
        ({"levels": [1, 2]}, "levels"),
        ({"levels": {"data": {}}}, "data"),
        ({"levels": {}}, "neither stages nor totals"),
        ({"levels": {"data": [{"dateTime": "2026-04-14T23:00:00", "level": "deep", "seconds": -30}]}}, "seconds"),
        ({"levels": {"data": [{"dateTime": "2026-04-14T22:00:00", "level": "deep", "seconds": 30}]}}, "overlap"),
    ],
)
def test_a_broken_log_says_what_is_broken(change: dict[str, Any], reason: str) -> None:
    """A log that cannot be used is refused with the reason, and nothing else happens."""
    with pytest.raises(ValueError, match=reason):
        parse_log(log("2026-04-14T23:00:00", [("light", 3600)]) | change, BERLIN)


def test_a_log_that_would_keep_its_reader_busy_is_refused() -> None:
    """More stages and short wakes than any night has reject the log at once instead of comparing them all."""
    record = log("2026-04-14T23:00:00", [("light", 60), ("deep", 60)] * 300, [(36_100, 30)] * 600)
    with pytest.raises(ValueError, match="600 stages and 600 short wakes"):
        parse_log(record, BERLIN)


@pytest.mark.parametrize("record", [None, 7, "sleep", [], {}, {"minuteData": [{"dateTime": "03:13:00", "value": "2"}]}])
def test_what_is_not_a_log_is_refused(record: object) -> None:
    """Anything but a log of version 1.2 is refused as such."""
    with pytest.raises(ValueError, match="not a sleep log as nof1 knows it"):
        parse_log(record, BERLIN)
