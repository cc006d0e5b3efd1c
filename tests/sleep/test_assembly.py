"""Which sessions are one sleep, which sleep is the night, and what becomes of the others."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.errors import DataError, UsageError
from nof1.sleep.assembly import assemble_nights
from nof1.sleep.nights import SCHEMA
from nof1.sleep.sleeps import place_sessions

FULL = [("wake", 10), ("light", 200), ("deep", 100), ("rem", 120), ("wake", 5)]
FIRST_PART = [("light", 164), ("deep", 60), ("light", 40)]  # 23:02 to 03:26
SECOND_PART = [("light", 131), ("rem", 60), ("light", 40)]  # 04:53 to 08:44


def test_split_night_is_two_sleeps(session, table):
    """After 87 minutes out of bed the second sleep is another one, and counts as a nap before the next evening."""
    parts = session("2019-11-08 23:02", FIRST_PART), session("2019-11-09 04:53", SECOND_PART)
    nights = assemble_nights(table(*parts, session("2019-11-09 23:30", FULL)))
    assert nights["tst_min"].to_list() == [264, 420]
    assert nights["nap_min"].to_list() == [0, 231]
    assert nights["flags"].to_list() == [[], []]


def test_split_night_is_one_sleep_when_the_protocol_says_so(session, table):
    """With a merge gap of 120 minutes the same night is one sleep, and the time out of bed is wake after onset."""
    parts = session("2019-11-08 23:02", FIRST_PART), session("2019-11-09 04:53", SECOND_PART)
    night = assemble_nights(table(*parts), merge_gap_min=120).row(0, named=True)
    assert night["tst_min"] == 264 + 231
    assert night["waso_min"] == night["wake_min"] == 87
    assert night["spt_min"] == 264 + 87 + 231
    assert night["awakenings"] == 1
    assert night["flags"] == ["merged"]


@pytest.mark.parametrize(("gap", "sleeps"), [(0, 1), (59, 1), (60, 2), (61, 2)])
def test_merge_gap_is_exclusive(session, table, gap, sleeps):
    """Recordings exactly as far apart as the merge gap are two sleeps; one minute less makes them one."""
    first = session("2026-05-12 22:00", [("light", 120)])
    second = session(first["end"] + timedelta(minutes=gap), [("light", 100)])
    placed = place_sessions(table(first, second))
    assert sorted(placed["part"]) == (["main", "main"] if sleeps == 1 else ["main", "nap"])


def test_wake_inside_a_recording_never_divides_a_sleep(session, table):
    """A recording with three hours of wake in it is one sleep, whole or cut in two in the middle of that wake."""
    whole = session("2026-05-12 22:00", [("light", 120), ("wake", 180), ("light", 100)])
    halves = (
        session("2026-05-12 22:00", [("light", 120), ("wake", 90)]),
        session("2026-05-13 01:30", [("wake", 90), ("light", 100)]),
    )
    not_flags = pl.exclude("flags")
    assert assemble_nights(table(*halves)).select(not_flags).equals(assemble_nights(table(whole)).select(not_flags))


def test_hole_inside_a_recording_is_unscored(session, table):
    """Time inside a recording that no segment covers is neither sleep nor wake, and ends a run of either."""
    row = session("2026-05-12 22:00", [("light", 6), ("unscored", 30), ("light", 6), ("deep", 200)])
    night = assemble_nights(table(row)).row(0, named=True)
    assert (night["tst_min"], night["waso_min"], night["spt_min"], night["awakenings"]) == (212, 0, 242, 0)
    assert night["lps_min"] == 36


@pytest.mark.parametrize(("minutes", "flags"), [(22, []), (23, ["incomplete"])])
def test_incomplete_nights(session, table, minutes, flags):
    """A night is incomplete when more than a tenth of it, between onset and last sleep, was not scored."""
    stages = [("wake", 5), ("light", 100), ("unscored", minutes), ("light", 98), ("unscored", 60)]
    assert assemble_nights(table(session("2026-05-12 22:00", stages)))["flags"].to_list() == [flags]


def test_night_without_a_word(session, table):
    """A night in which nothing was scored keeps its row, and has no sleep time: it is unknown, not zero."""
    parts = session("2026-05-12 22:00", [("unscored", 200)]), session("2026-05-13 02:00", [("unscored", 200)])
    night = assemble_nights(table(*parts)).row(0, named=True)
    assert night["night"] == date(2026, 5, 12)
    assert [name for name, value in night.items() if name.endswith("_min") and value is not None] == ["nap_min"]
    assert (night["sol_source"], night["flags"]) == ("none", ["merged", "no_lights_out", "unstaged"])


def test_naps_belong_to_the_evening_after_them(session, table):
    """A nap at 15:00 on 12 May and a late sleep at 11:21 that morning both come before the evening of 12 May."""
    nights = assemble_nights(
        table(
            session("2026-05-11 23:00", FULL),
            session("2026-05-12 11:21", [("light", 20)]),
            session("2026-05-12 15:00", [("asleep", 30), ("wake", 10)], staging="sleep_wake"),
            session("2026-05-12 23:00", FULL),
        )
    )
    assert nights["night"].to_list() == [date(2026, 5, 11), date(2026, 5, 12)]
    assert nights["nap_min"].to_list() == [0, 50]


def test_nap_without_a_night_after_it(session, table):
    """A nap that no main sleep follows within 24 hours counts in no night, and is placed in none."""
    rows = (
        session("2026-05-11 22:00", FULL),
        session("2026-05-12 11:21", [("light", 20)], record_id="nap"),
        session("2026-05-13 23:00", FULL),
    )
    assert assemble_nights(table(*rows))["nap_min"].to_list() == [0, 0]
    placed = place_sessions(table(*rows)).filter(pl.col("record_id") == "nap")
    assert placed.select("part", "night").row(0) == ("nap", None)


def test_the_longest_sleep_is_the_main_one(session, table):
    """Whatever the vendor calls main, the sleep with most minutes asleep is the night."""
    rows = (
        session("2026-05-12 15:00", [("light", 90)], kind="main"),
        session("2026-05-12 22:00", [("wake", 300), ("light", 200)], kind="nap"),
    )
    night = assemble_nights(table(*rows)).row(0, named=True)
    assert (night["tst_min"], night["nap_min"]) == (200, 90)


def test_growing_sessions(session, table):
    """Of partial sessions that grow through the night, each inside the next, only the longest speaks."""
    growing = [[("light", 60)], [("light", 60), ("deep", 60)], [("light", 70), ("deep", 50), ("rem", 120)]]
    rows = [session("2026-05-12 23:00", stages, record_id=str(number)) for number, stages in enumerate(growing)]
    night = assemble_nights(table(*rows)).row(0, named=True)
    assert (night["light_min"], night["deep_min"], night["rem_min"]) == (70, 50, 120)
    assert night["flags"] == ["overlap"]
    assert place_sessions(table(*rows))["part"].to_list() == ["gave_way", "gave_way", "main"]


def test_the_later_version_of_one_recording(session, table):
    """Of two sessions over the same time the one that the vendor changed last speaks."""
    old = session("2026-05-12 23:00", [("light", 240)], record_id="b", updated=datetime(2026, 5, 13, tzinfo=UTC))
    new = session("2026-05-12 23:00", [("deep", 240)], record_id="a", updated=datetime(2026, 5, 14, tzinfo=UTC))
    assert assemble_nights(table(old, new))["deep_min"].item() == 240


def test_detail_is_not_lost_to_length(session, table):
    """A staged recording inside a longer one without stages keeps its word for its own time."""
    rows = (
        session("2026-05-12 22:00", [("asleep", 480)], staging="sleep_wake"),
        session("2026-05-12 23:00", [("wake", 30), ("light", 200), ("deep", 100)]),
    )
    night = assemble_nights(table(*rows)).row(0, named=True)
    assert night["tst_min"] == 480
    assert night["asleep_min"] == 180
    assert night["deep_min"] is None, "part of the night was not staged: its deep minutes are unknown, not 100"
    assert night["flags"] == ["merged", "overlap", "unstaged"]


def test_gap_after_nested_recordings(session, table):
    """The gap before a third recording begins where the last of the others ended, not where the last to start did."""
    rows = (
        session("2026-05-12 22:00", [("asleep", 300)], staging="sleep_wake"),
        session("2026-05-12 23:00", [("light", 60)]),
        session("2026-05-13 03:20", [("light", 60)]),
    )
    night = assemble_nights(table(*rows)).row(0, named=True)
    assert (night["tst_min"], night["waso_min"], night["spt_min"]) == (360, 20, 380)


SEGMENT = st.tuples(st.sampled_from(["wake", "light", "deep", "rem", "asleep", "unscored"]), st.integers(1, 40))
HYPNOGRAM = st.lists(SEGMENT, min_size=1, max_size=8)
PRECEDENCE = {"deep": 0, "rem": 0, "light": 0, "asleep": 1, "wake": 2, "unscored": 3}


@given(st.lists(st.tuples(st.integers(0, 90), HYPNOGRAM), min_size=2, max_size=4))
def test_overlaps_resolve_minute_by_minute(session, table, recordings):
    """Overlapping recordings give each minute its most specific stage; between equals the longest recording speaks."""
    begins = datetime(2026, 5, 12, 23, 30, tzinfo=UTC)
    rows = [
        session(begins + timedelta(minutes=later), stages, record_id=str(number))
        for number, (later, stages) in enumerate(recordings)
    ]
    night = assemble_nights(table(*rows), merge_gap_min=1000).row(0, named=True)
    assert {stage: night[f"{stage}_min"] or 0 for stage in _painted(rows)} == _painted(rows)


def _painted(rows):
    """Paint the recordings minute by minute: an independent, slow way to the minutes of each stage."""
    kept = [row for row in rows if not any(_gives_way(row, other) for other in rows)]
    said = {}
    for row in sorted(kept, key=_rank):
        start = round(row["start"].timestamp()) // 60
        for segment in row["hypnogram"]:
            for minute in range(segment["start_s"] // 60, (segment["start_s"] + segment["seconds"]) // 60):
                known = said.setdefault(start + minute, segment["stage"])
                if PRECEDENCE[segment["stage"]] < PRECEDENCE[known]:
                    said[start + minute] = segment["stage"]
    spans = [(round(row["start"].timestamp()) // 60, round(row["end"].timestamp()) // 60) for row in kept]
    scored = set(said.values()) != {"unscored"}
    for minute in range(min(start for start, _ in spans), max(end for _, end in spans)):
        if scored and not any(start <= minute < end for start, end in spans):
            said[minute] = "wake"
    return {stage: sum(one == stage for one in said.values()) for stage in ("wake", "light", "deep", "rem", "asleep")}


def _rank(row):
    return (-(row["end"] - row["start"]), row["record_id"])


def _gives_way(row, other):
    inside = other["start"] <= row["start"] and row["end"] <= other["end"]
    return row is not other and inside and _rank(other) < _rank(row)


SHAPES = st.lists(
    st.tuples(
        st.integers(0, 5 * 24 * 60),
        HYPNOGRAM,
        st.sampled_from(["P01", "P02"]),
        st.sampled_from(["stages", "sleep_wake"]),
    ),
    min_size=1,
    max_size=10,
)


def _rows(session, shapes):
    begins = datetime(2026, 5, 12, tzinfo=UTC)
    return [
        session(
            begins + timedelta(minutes=later),
            stages,
            record_id=str(number),
            participant=participant,
            staging=staging,
            flags=["manual"] if number % 3 == 0 else [],
        )
        for number, (later, stages, participant, staging) in enumerate(shapes)
    ]


@given(shapes=SHAPES, shuffled=st.randoms(use_true_random=False))
def test_order_of_rows_is_irrelevant(session, table, shapes, shuffled):
    """The same sessions in any order are the same nights."""
    sessions = table(*_rows(session, shapes))
    order = list(range(sessions.height))
    shuffled.shuffle(order)
    assert assemble_nights(sessions[order]).equals(assemble_nights(sessions))


@given(shapes=SHAPES)
def test_nothing_is_lost(session, table, shapes):
    """Every session is in a night, a nap, or counted as one that gave way; no night stands without a session."""
    sessions = table(*_rows(session, shapes))
    placed = place_sessions(sessions)
    nights = assemble_nights(sessions)
    assert sorted(placed.select("participant", "record_id").rows()) == sorted(
        sessions.select("participant", "record_id").rows()
    )
    mains = placed.filter(pl.col("part") == "main").select("participant", "night").unique()
    assert sorted(mains.rows()) == sorted(nights.select("participant", "night").rows())


def test_two_people(session, table):
    """Two people's nights of the same date stay apart."""
    rows = session("2026-05-12 23:00", FULL), session("2026-05-12 23:10", FULL, participant="P02")
    assert assemble_nights(table(*rows)).select("participant", "tst_min").rows() == [("P01", 420), ("P02", 420)]


def test_two_streams(session, table):
    """Two streams of one person are refused by name: they must not be blended."""
    rows = session("2026-05-12 23:00", FULL), session("2026-05-12 23:00", FULL, stream="watch/v2")
    with pytest.raises(DataError, match=r"P01 has 2 streams \(watch/v1, watch/v2\)"):
        assemble_nights(table(*rows))


def test_unknown_latency_source(session, table):
    """A latency source that does not exist is an error that lists those that do."""
    with pytest.raises(UsageError, match="diary, in_bed, vendor, stages, none"):
        assemble_nights(table(session("2026-05-12 23:00", FULL)), latency_source="guess")


def test_no_sessions(table):
    """No sessions are no nights, in a table of the same shape."""
    nights = assemble_nights(table())
    assert nights.height == 0
    assert nights.schema == SCHEMA
    assert place_sessions(table()).height == 0


def test_stated_end_before_the_last_segment(session, table):
    """Where a vendor states an end half a minute too early, the recording still holds its last segment."""
    row = session("2026-05-12 23:00", FULL)
    night = assemble_nights(table(row | {"end": row["end"] - timedelta(seconds=30)})).row(0, named=True)
    assert (night["tib_min"], night["terminal_wake_min"]) == (435, 5)


def test_flags_of_sessions(session, table):
    """What the source said of a session is said of its night; what it said of one that gave way is not."""
    rows = (
        session("2026-05-12 23:00", FULL, flags=["manual", "unknown_label"]),
        session("2026-05-12 23:30", [("light", 60)], flags=["incomplete"]),
    )
    assert assemble_nights(table(*rows))["flags"].to_list() == [["manual", "overlap", "unknown_label"]]


@pytest.mark.parametrize(("minutes", "flags"), [(179.5, ["short"]), (180, [])])
def test_short_nights(session, table, minutes, flags):
    """A night of less than 180 minutes of sleep keeps its row and is flagged."""
    assert assemble_nights(table(session("2026-05-12 23:00", [("light", minutes)])))["flags"].to_list() == [flags]


def test_changed_device_and_algorithm(session, table):
    """A night is flagged when device or algorithm differ from the last night on which they were known."""
    said = [("A", "1"), (None, "1"), ("A", None), ("B", "2"), ("B", "2")]
    rows = [
        session(f"2026-05-{10 + day} 23:00", FULL, device=device, algorithm=algorithm)
        for day, (device, algorithm) in enumerate(said)
    ]
    flags = assemble_nights(table(*rows, session("2026-05-15 23:00", FULL, participant="P02", device="Z")))["flags"]
    assert flags.to_list() == [[], [], [], ["algorithm_changed", "device_changed"], [], []]


@pytest.mark.benchmark
def test_three_years_of_nights(session, table):
    """Three years of nights of 60 segments each are assembled in less than 0.3 seconds."""
    import time

    stages = [("wake", 10), *[("light", 7), ("deep", 6), ("rem", 5), ("wake", 1)] * 15]
    days = [datetime(2023, 1, 1, 23, tzinfo=UTC) + timedelta(days=day) for day in range(1100)]
    sessions = table(*(session(day, stages) for day in days))
    assemble_nights(sessions)
    begins = time.perf_counter()
    nights = assemble_nights(sessions)
    took = time.perf_counter() - begins
    print(f"\n{nights.height} nights in {took:.3f} s")
    assert nights.height == 1100
    assert took < 0.3
