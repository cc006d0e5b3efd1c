"""Sleep as Android's records become sessions."""

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.connectors.sleep_as_android.conftest import START_MS, read_path
from tests.connectors.sleep_as_android.writer import HEADER

EXPORTS = Path(__file__).parent / "exports"
NIGHT = [("LIGHT_START", 0), ("LIGHT_END", 60), ("DEEP_START", 60), ("DEEP_END", 480)]


def told(row: dict[str, Any]) -> list[str]:
    """A hypnogram in few words, in minutes."""
    return [f"{p['start_s'] / 60:g}+{p['seconds'] / 60:g} {p['stage']} {p['label']}" for p in row["hypnogram"]]


def test_the_export_gives_exactly_its_sessions() -> None:
    """Five records of five kinds are five sessions; the night of the clock change is placed by elapsed time."""
    imported = read_path(EXPORTS)
    staged, awake_first, by_hand, bare, sums = imported.sessions.iter_rows(named=True)
    assert (imported.read, imported.merged, imported.rejected) == (5, 0, ())
    assert imported.warnings == (
        "1 session with a length and nothing else; all of it counts as sleep (first: sleep-export.csv line 9).",
    )
    assert staged["start"] == datetime(2025, 3, 29, 22, tzinfo=UTC)
    assert staged["end"] == datetime(2025, 3, 30, 6, 1, 48, tzinfo=UTC)
    assert (staged["offset_start"], staged["offset_end"], staged["zone"]) == (60, 120, "Europe/Berlin")
    assert (staged["record_id"], staged["stream"]) == ("1743285600000", "sleep_as_android")
    assert told(staged)[1:] == [
        "0.0166667+9.98333 wake TRACKING_PAUSED",
        "10+50 light LIGHT",
        "60+120 deep DEEP",
        "180+20 rem REM",
        "200+50 light LIGHT",
        "250+12.5 wake AWAKE",
        "262.5+37.5 light LIGHT",
        "300+10 unscored BROKEN",
        "310+90 light LIGHT",
        "400+20 wake TRACKING_PAUSED",
        "420+61.8 light LIGHT",
    ]
    assert (staged["totals"]["asleep_s"], staged["flags"], staged["in_bed"]) == (
        28908 - 2520,
        ["starts_at_onset"],
        None,
    )
    assert told(awake_first) == ["0+25 wake AWAKE", "25+65 light LIGHT", "90+60 deep DEEP", "150+270 light LIGHT"]
    assert (awake_first["in_bed"], awake_first["in_bed_source"]) == (awake_first["start"], "tap")
    assert (by_hand["flags"], by_hand["totals"]["asleep_s"]) == (["manual"], 9 * 3600)
    assert (bare["zone_source"], bare["zone"], bare["totals"]["asleep_s"]) == ("option", "Europe/Berlin", 27000)
    assert (sums["staging"], sums["totals"]["asleep_s"], sums["flags"]) == ("totals", 27000, [])


def test_the_fraction_of_deep_sleep_is_not_believed(read_record: Any) -> None:
    """The app's own fraction counts REM sleep and waking as well: without stages, deep sleep is missing and not 0."""
    (row,) = read_record(DeepSleep="0.51").sessions.iter_rows(named=True)
    assert (row["totals"]["deep_s"], row["totals"]["asleep_s"]) == (None, 8 * 3600)


@pytest.mark.parametrize(
    "opening",
    [
        [("LIGHT_START", 0)],
        [("AWAKE_START", 0), ("AWAKE_END", 0.02), ("LIGHT_START", 0)],
        [("AWAKE_START", 0), ("AWAKE_END", 1), ("TRACKING_PAUSED", 1), ("TRACKING_RESUMED", 11), ("LIGHT_START", 0)],
        [("AWAKE_START", 0), ("AWAKE_END", 5), ("LIGHT_START", 20)],
        [("BROKEN_START", 0), ("BROKEN_END", 9), ("LIGHT_START", 9)],
    ],
    ids=["asleep at once", "awake for a second", "told to wait", "a gap", "no signal"],
)
def test_a_latency_that_nobody_saw_is_not_offered(read_record: Any, opening: Any) -> None:
    """Unless the app saw the person awake from the tap until sleep, the start says nothing of latency."""
    (row,) = read_record(*opening, ("LIGHT_END", 60), *NIGHT[2:]).sessions.iter_rows(named=True)
    assert (row["in_bed"], row["in_bed_source"]) == (None, "none")
    assert "starts_at_onset" in row["flags"]


def test_the_order_of_events_is_irrelevant(read_record: Any) -> None:
    """Events stand in no order, and any order gives the same session."""
    events = [*NIGHT, ("REM_START", 100), ("REM_END", 120), ("AWAKE_START", 110), ("AWAKE_END", 130)]
    shuffled = list(events)
    random.Random(7).shuffle(shuffled)
    one = read_record(*events).sessions
    assert read_record(*shuffled).sessions.equals(one)
    assert told(next(one.iter_rows(named=True)))[2:4] == ["100+20 rem REM", "120+10 wake AWAKE"]


def test_a_stage_without_an_end_lasts_until_the_next(read_record: Any) -> None:
    """A start without an end ends where any next stage starts, the last one with the record; the person hears of it."""
    imported = read_record(("LIGHT_START", 0), ("DEEP_START", 60), ("DEEP_END", 200), ("LIGHT_START", 200))
    (row,) = imported.sessions.iter_rows(named=True)
    assert told(row) == ["0+60 light LIGHT", "60+140 deep DEEP", "200+280 light LIGHT"]
    assert imported.warnings[0].startswith("1 session with a stage without an end")


def test_an_end_without_a_start_is_said(read_record: Any) -> None:
    """The end of a stage that never began tells no stage, and the person hears of it."""
    imported = read_record(("REM_END", 30), *NIGHT)
    assert told(next(imported.sessions.iter_rows(named=True)))[0] == "0+60 light LIGHT"
    assert "the end of a stage that never began" in imported.warnings[0]


def test_an_unknown_stage_fills_only_what_is_free(read_record: Any) -> None:
    """A label that nobody knows is kept as unscored time, and takes nothing from the stages that are known."""
    imported = read_record(("WALKING_START", 30), ("WALKING_END", 90), ("LIGHT_START", 0), ("LIGHT_END", 60))
    (row,) = imported.sessions.iter_rows(named=True)
    assert told(row) == ["0+60 light LIGHT", "60+30 unscored WALKING"]
    assert "'WALKING'" in imported.warnings[0]


def test_a_comment_cannot_make_a_stage(read_record: Any) -> None:
    """Words of the person that look like an event are words."""
    (row,) = read_record(*NIGHT, Comment=f"REM_START-{START_MS}").sessions.iter_rows(named=True)
    assert {piece["label"] for piece in row["hypnogram"]} == {"LIGHT", "DEEP"}


def test_minus_one_minute_is_not_the_mark_of_an_entry_by_hand(read_record: Any) -> None:
    """ "-1" takes a minute off the sleep; "-1.0" says that a person typed the record."""
    (minute,) = read_record(LenAdjust="-1").sessions.iter_rows(named=True)
    (typed,) = read_record(LenAdjust="-1.0").sessions.iter_rows(named=True)
    assert (minute["totals"]["asleep_s"], minute["flags"]) == (8 * 3600 - 60, [])
    assert (typed["totals"]["asleep_s"], typed["flags"]) == (8 * 3600, ["manual"])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"Id": "soon"}, "'soon' is not a time"),
        ({"Id": "99999999999999999999"}, "is not a time"),
        ({"Hours": "-2"}, "ends before it starts"),
        ({"Hours": "1e308"}, "its Hours is '1e308'"),
        ({"Hours": ""}, "its Hours is 'None'"),
        ({"Hours": "NaN"}, "its Hours is 'NaN'"),
        ({"Hours": "72"}, "longer than two days"),
        ({"LenAdjust": "-600"}, "neither stages nor totals"),
        ({"LenAdjust": "600"}, "does not fit"),
    ],
)
def test_a_broken_record_is_refused_and_the_rest_is_kept(read_text: Any, fields: Any, reason: str) -> None:
    """One bad record is refused with its line and reason, beside a good one that is kept."""
    lines = [HEADER]
    for own in ({}, fields):
        values = {"Id": START_MS, "Hours": "8.0", "LenAdjust": "0"} | own
        lines.append(",".join(str(values.get(name, "")) for name in HEADER.split(",")))
    imported = read_text("\n".join(lines))
    assert imported.sessions["record_id"].to_list() == [str(START_MS)]
    (refused,) = imported.rejected
    assert refused.record == "sleep-export.csv line 3"
    assert reason in refused.reason


def test_a_record_told_twice_is_one_session(read_text: Any) -> None:
    """Exports overlap: the same Id twice is one session, of which the longer version stands."""
    lines = [HEADER, *(f"{START_MS},Europe/Berlin,,,,{hours},,,,,,4,,0,," for hours in ("7.5", "8.0", "8.0"))]
    imported = read_text("\n".join(lines))
    assert (imported.read, imported.merged, imported.sessions.height) == (3, 2, 1)
    assert imported.sessions["totals"].struct.field("asleep_s").item() == 8 * 3600


LABELS = st.sampled_from(["LIGHT", "DEEP", "REM", "AWAKE", "BROKEN", "TRACKING_PAUSED", "NAPPING"])


@given(events=st.lists(st.tuples(LABELS, st.booleans(), st.integers(-100, 700)), max_size=30))
def test_whatever_the_events_say_there_is_one_sound_session(read_record: Any, events: Any) -> None:
    """Any events, paired or not, overlapping or outside, give one session that never lasts longer than its record."""
    imported = read_record(
        *[
            (
                ("TRACKING_PAUSED" if begins else "TRACKING_RESUMED")
                if label == "TRACKING_PAUSED"
                else f"{label}_{side}",
                at,
            )
            for label, begins, at in events
            for side in ["START" if begins else "END"]
        ]
    )
    (row,) = imported.sessions.iter_rows(named=True)
    assert row["end"] == datetime(2025, 3, 11, 6, tzinfo=UTC)
    assert sum(piece["seconds"] for piece in row["hypnogram"] or []) <= 8 * 3600
