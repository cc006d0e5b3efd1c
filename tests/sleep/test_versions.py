"""Which of several versions of one session stands."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.sleep.session import SCHEMA
from nof1.sleep.versions import devices_known, keep_best, rank_exports, standing

STAGES = [("light", 60), ("deep", 60)]
DAY = [datetime(2026, 6, day, tzinfo=UTC) for day in (1, 2)]
STATED = {"zone": "Europe/Berlin", "zone_source": "participant", "offset_start": 120, "offset_end": 120}
MOVED = {"zone": "Pacific/Auckland", "zone_source": "option", "offset_start": 720, "offset_end": 720}
Exports = Callable[..., pl.LazyFrame]


@pytest.fixture(scope="session")
def exports(table) -> Exports:
    """Give `exports([row, …], [row, …])`: the sessions that each export tells, in the order of import."""

    def build(*told: list[dict[str, Any]], at: datetime | None = None) -> pl.LazyFrame:
        marks = [{"_key": pl.lit(f"key {nth}"), "_nth": pl.lit(nth, pl.Int32)} for nth in range(len(told))]
        frames = [table(*rows).lazy().with_columns(**mark) for rows, mark in zip(told, marks, strict=True)]
        return pl.concat(frames).with_columns(_at=pl.lit(at, SCHEMA["end"]))

    return build


def standing_ids(versions: pl.LazyFrame) -> list[str]:
    """The sessions that stand."""
    return sorted(standing(versions).collect()["record_id"])


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"updated": DAY[1], "stages": STAGES[:1]}, {"updated": DAY[0]}),
        ({"updated": DAY[0], "stages": STAGES[:1]}, {"updated": None}),
        ({}, {"stages": STAGES[:1]}),
        ({"staging": "sleep_wake"}, {"staging": "totals"}),
        ({"stages": [("light", 30), ("light", 30), ("deep", 60)]}, {}),
        ({"device": "b"}, {"device": "a"}),
    ],
    ids=["later change", "any change", "longer", "finer", "more segments", "last resort"],
)
@pytest.mark.parametrize("turn", [1, -1], ids=["first", "last"])
def test_the_better_version_stands(session, table, better: dict[str, Any], worse: dict[str, Any], turn: int) -> None:
    """The vendor's later change stands, then length, then detail, then segments, and last what is asked for."""
    rows = [session("2026-05-12 23:00", record_id="r", **{"stages": STAGES} | version) for version in (better, worse)]
    kept = keep_best(pl.concat([table(row) for row in rows[::turn]]), last_resort=["device"])
    assert kept.equals(table(rows[0]))


@given(
    st.lists(st.tuples(st.sampled_from("rst"), st.sampled_from([None, *DAY]), st.integers(1, 3)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_order_never_decides(session, table, versions: Any, order: random.Random) -> None:
    """In any order, and kept twice, the same version of each session stands, and each session once."""
    rows = [
        session("2026-05-12 23:00", [("light", 60 * n)], record_id=name, updated=updated)
        for name, updated, n in versions
    ]
    if not rows:
        return
    frame = pl.concat([table(row) for row in rows])
    shuffled = list(range(frame.height))
    order.shuffle(shuffled)
    kept, other = (keep_best(some, last_resort=["device"]).sort("record_id") for some in (frame, frame[shuffled]))
    assert kept.equals(other)
    assert keep_best(kept, last_resort=["device"]).sort("record_id").equals(kept)
    assert kept["record_id"].to_list() == sorted({name for name, _, _ in versions})


def night(session, day: int, record_id: str, *, hours: float = 8, clock: str = "23:00", **other: Any) -> dict[str, Any]:
    """Record one night of May 2026 on the clock of Greenwich."""
    return session(f"2026-05-{day:02} {clock}", [("light", 60 * hours)], record_id=record_id, **other)


def test_a_night_that_the_newer_export_tells_too_is_not_overruled_by_its_nap(session, exports: Exports) -> None:
    """The older export tells a night in finer stages; the newer tells it and what overlaps it: both stand."""
    older = [night(session, 1, "1"), night(session, 2, "2")]
    newer = [
        night(session, 1, "1"),
        night(session, 2, "2", staging="sleep_wake"),
        night(session, 3, "nap", clock="06:30", hours=1),
        night(session, 3, "3"),
    ]
    for order in ((older, newer), (newer, older)):
        assert standing_ids(exports(*order)) == ["1", "2", "3", "nap"]
        told = standing(exports(*order)).filter(pl.col("record_id") == "2").collect()
        assert told["staging"].to_list() == ["stages"]


def test_an_export_does_not_speak_for_the_time_before_its_first_session(session, exports: Exports) -> None:
    """A night that began before the newer export's first session stays, although that one overlaps it."""
    older = [night(session, 1, "night")]
    newer = [night(session, 2, "rest", clock="06:30", hours=1), night(session, 2, "next")]
    assert standing_ids(exports(older, newer)) == ["next", "night", "rest"]


def test_a_night_of_finer_stages_speaks_from_where_the_newer_export_begins(session, exports: Exports) -> None:
    """The version that stands is the older export's, and what it speaks for is the newer's: it does not reach back."""
    older = [night(session, 1, "nap", clock="22:00", hours=1.5), night(session, 1, "night")]
    newer = [night(session, 1, "night", staging="sleep_wake"), night(session, 2, "next")]
    assert standing_ids(exports(older, newer)) == ["nap", "next", "night"]


def test_sessions_that_touch_do_not_overlap(session, exports: Exports) -> None:
    """A newer session that begins the moment an older one ends, or ends when it begins, does not speak against it."""
    older = [night(session, 2, "night", clock="00:00")]
    newer = [
        night(session, 1, "before", clock="22:00", hours=2),
        night(session, 2, "after", clock="08:00"),
        night(session, 2, "next"),
    ]
    assert standing_ids(exports(older, newer)) == ["after", "before", "next", "night"]


def test_a_watch_does_not_overrule_a_phone(session, exports: Exports) -> None:
    """Sessions of two streams that overlap stand side by side, whichever export is the newer."""
    phone = [night(session, day, f"phone {day}", stream="phone/v1") for day in (1, 2)]
    watch = [night(session, day, f"watch {day}", clock="22:30") for day in (1, 2, 3)]
    assert len(standing_ids(exports(phone, watch))) == 5


def test_each_stream_of_an_archive_speaks_from_its_own_first_session(session, exports: Exports) -> None:
    """That the archive's phone tells nights of long ago does not make its watch speak for them."""
    older = [night(session, 1, "night")]
    phone = [night(session, 1, "phone", stream="phone/v1", clock="20:00")]
    watch = [night(session, 2, "rest", clock="06:30", hours=1), night(session, 2, "next")]
    assert standing_ids(exports(older, phone + watch)) == ["next", "night", "phone", "rest"]


def test_each_stream_of_an_archive_is_as_new_as_its_own_last_session(session, exports: Exports) -> None:
    """That the archive's phone tells nights of yesterday does not make its watch, given away long ago, newer."""
    archive = [night(session, 1, "1"), night(session, 2, "2"), night(session, 20, "phone", stream="phone/v1")]
    watch = [night(session, 1, "1"), night(session, 2, "2 mended", hours=7), night(session, 3, "3")]
    assert standing_ids(exports(watch, archive)) == ["1", "2 mended", "3", "phone"]


@pytest.mark.parametrize("ids", [("2", "2"), ("2", "2 mended")], ids=["with the vendor's id", "without"])
@pytest.mark.parametrize("day", [1, 2])
def test_of_exports_that_reach_equally_far_the_later_import_stands(
    session, exports: Exports, ids: tuple[str, str], day: int
) -> None:
    """A night made shorter on the day of the first export, be it the last or an earlier one, is the shorter one."""
    other = night(session, 3 - day, "other")
    long, short = night(session, day, ids[0]), night(session, day, ids[1], hours=7)
    for first, last in ((long, short), (short, long)):
        told = standing(exports([first, other], [last, other])).filter(pl.col("record_id") != "other").collect()
        assert told.select("record_id", "end").rows() == [(last["record_id"], last["end"])]


def test_a_session_in_the_future_does_not_make_its_export_the_newest(session, exports: Exports) -> None:
    """A record dated 2098 says nothing of how new an export is; where the computer's clock is wrong, reach decides."""
    poisoned = [night(session, 1, "1"), session("2098-01-01 23:00", STAGES, record_id="clock")]
    mended = [night(session, 1, "1", hours=7), night(session, 2, "2")]
    for at, hours in ((DAY[0], 7), (datetime(1980, 1, 1, tzinfo=UTC), 8)):
        for order in ((poisoned, mended), (mended, poisoned)):
            told = standing(exports(*order, at=at)).filter(pl.col("record_id") == "1").collect()
            assert (told["end"] - told["start"]).to_list() == [timedelta(hours=hours)]


def test_a_night_revised_after_a_move_replaces_the_one_it_revises(session, exports: Exports) -> None:
    """What a cumulative export tells of old nights in a new zone is compared by the clock on the wall."""
    zones = {"old": STATED, "new": MOVED}

    def told(day: int, name: str, zone: str, clock: str = "23:00") -> dict[str, Any]:
        row = night(session, day, name, clock=clock)
        shift = timedelta(minutes=zones[zone]["offset_start"])
        return row | zones[zone] | {"start": row["start"] - shift, "end": row["end"] - shift}

    old = [told(day, str(day), "old") for day in (1, 2, 3)]
    new = [told(1, "1", "new"), told(2, "2 mended", "new", "23:20"), told(3, "3", "new"), told(4, "4", "new")]
    stands = standing(exports(old, new)).sort("_from").collect()
    assert stands["record_id"].to_list() == ["1", "2 mended", "3", "4"]
    assert stands["zone"].to_list() == ["Europe/Berlin", "Pacific/Auckland", "Europe/Berlin", "Pacific/Auckland"]


def test_a_record_that_two_devices_tell_is_of_neither(session, exports: Exports) -> None:
    """Where an archive tells one record of mat and watch, nobody can say whose an export means that tells no device."""
    archive = [night(session, 1, "1", stream="watch/mat"), night(session, 1, "1", stream="watch/wrist")]
    bare = [night(session, 1, "1", stream="watch/unknown")]
    known = devices_known(exports(archive, bare)).collect()
    assert known.select("_known", "_inferred").rows() == [("watch/unknown", False)]


def test_what_is_inferred_of_a_device_says_so(session, exports: Exports) -> None:
    """A record that the archive tells is known; the rest of its export is only inferred."""
    archive = [night(session, 1, "1", stream="watch/mat")]
    bare = [night(session, day, str(day), stream="watch/unknown") for day in (1, 2)]
    known = devices_known(exports(archive, bare)).sort("record_id").collect()
    assert known.select("_known", "_inferred").rows() == [("watch/mat", False), ("watch/mat", True)]


SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8), st.sampled_from("pq")), min_size=1, max_size=5)


@given(st.lists(SPANS, min_size=1, max_size=4))
def test_what_is_overruled_is_what_the_rule_says(
    session, exports: Exports, told: list[list[tuple[int, int, str]]]
) -> None:
    """Compared pair by pair, as the rule is written, the same sessions stand."""
    rows = [
        [
            session(DAY[0] + timedelta(hours=start), [("light", 60 * hours)], stream=stream)
            for start, hours, stream in dict.fromkeys(spans)
        ]
        for spans in told
    ]
    versions = exports(*rows)
    key = ("stream", "record_id")
    each = rank_exports(versions).unique(["stream", "record_id"]).collect().rows(named=True)
    kept = {
        tuple(old[name] for name in key)
        for old in each
        if not any(
            new["stream"] == old["stream"]
            and new["_told"] > old["_told"]
            and old["_from"] >= new["_first"]
            and new["_from"] < old["_to"]
            and old["_from"] < new["_to"]
            for new in each
        )
    }
    assert set(standing(versions).select(key).collect().rows()) == kept


def test_twice_twelve_thousand_overlapping_sessions_are_compared_in_seconds(session, exports: Exports) -> None:
    """The comparison grows with the sessions and not with the pairs that overlap, however strange the export."""
    versions = exports([night(session, 1, "old")], [night(session, 1, "new", clock="22:00")])
    many = versions.join(pl.LazyFrame({"copy": range(12_000)}), how="cross")
    many = many.with_columns(record_id=pl.col("record_id") + pl.col("copy").cast(pl.String)).drop("copy")
    began = time.monotonic()
    assert standing(many).collect()["_key"].unique().to_list() == ["key 1"]
    assert time.monotonic() - began < 5
