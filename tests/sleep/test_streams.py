"""Streams are described by what they hold, and one is chosen."""

from datetime import UTC, date, datetime, timedelta

import pytest

from nof1.errors import DataError
from nof1.sleep.streams import best_latency_source, choose_stream, describe_streams, grain_min

FULL = [("wake", 10), ("light", 200), ("deep", 100), ("rem", 120)]
NO_LEADING_WAKE = FULL[1:]
BEGINS = datetime(2026, 5, 12, 23, tzinfo=UTC)


def _nights(session, count, stages=FULL, **other):
    return [
        session(BEGINS + timedelta(days=day), stages, **{"record_id": f"{day} {other.get('stream')}", **other})
        for day in range(count)
    ]


def test_description(session, table):
    """A stream tells its sessions, its nights without naps and scraps, its dates, and what it knows of latency."""
    rows = _nights(session, 4)
    rows[0] |= {"in_bed": rows[0]["start"], "in_bed_source": "tap"}
    rows[1] |= {"vendor_sol_s": 600.0}
    rows[2] |= session(rows[2]["start"], NO_LEADING_WAKE)
    nap = session("2026-05-13 15:00", [("light", 30)])
    scrap = session("2026-05-20 23:00", [("light", 100)])
    unstaged = session("2026-05-16 23:00", [("asleep", 400)], staging="sleep_wake")
    (row,) = describe_streams(table(*rows, nap, scrap, unstaged)).iter_rows(named=True)
    assert row == {
        "participant": "P01",
        "stream": "watch/v1",
        "sessions": 7,
        "nights": 5,
        "first_night": date(2026, 5, 12),
        "last_night": date(2026, 5, 16),
        "staged_share": 0.8,
        "latency_in_bed": 1,
        "latency_vendor": 1,
        "latency_stages": 3,
        "latency_none": 2,
    }


def test_a_stream_that_starts_at_onset_offers_no_leading_wake(session, table):
    """Wake at the beginning of recordings that start with sleep by design is not offered as a latency."""
    (row,) = describe_streams(table(*_nights(session, 3, flags=["starts_at_onset"]))).iter_rows(named=True)
    assert (row["nights"], row["latency_stages"], row["latency_none"]) == (3, 0, 3)
    assert best_latency_source(row) == "none"


def test_streams_apart(session, table):
    """The same nights in two streams are described twice, neither disturbing the other."""
    rows = [*_nights(session, 3, stream="v1"), *_nights(session, 2, stream="v2")]
    described = describe_streams(table(*rows))
    assert described.select("stream", "nights").rows() == [("v1", 3), ("v2", 2)]
    assert choose_stream(described) == "v1"


def test_newer_stream_wins_a_tie(session, table):
    """Of two streams with as many nights the later name is chosen, in whatever order they come."""
    described = describe_streams(table(*_nights(session, 3, stream="v2"), *_nights(session, 3, stream="v1")))
    assert choose_stream(described) == choose_stream(described.reverse()) == "v2"


def test_a_stream_is_chosen_for_one_person(session, table):
    """Choosing among the streams of two people, or of none, is refused."""
    two = describe_streams(table(*_nights(session, 1), *_nights(session, 1, participant="P02")))
    for described in (two, two.head(0)):
        with pytest.raises(DataError, match="one participant at a time"):
            choose_stream(described)


@pytest.mark.parametrize(
    ("in_bed", "vendor", "stages", "best"),
    [
        (5, 10, 10, "in_bed"),
        (4, 10, 10, "vendor"),
        (4, 4, 10, "stages"),
        (4, 4, 4, "none"),
    ],
)
def test_best_latency_source(in_bed, vendor, stages, best):
    """The best source that covers at least half of the nights is chosen: mark, then vendor's figure, then stages."""
    row = {"nights": 10, "latency_in_bed": in_bed, "latency_vendor": vendor, "latency_stages": stages}
    assert best_latency_source(row) == best


def test_a_stream_of_naps(session, table):
    """A stream without a single full night has no nights, no dates, and no latency source."""
    (row,) = describe_streams(table(session("2026-05-13 15:00", [("wake", 5), ("light", 30)]))).iter_rows(named=True)
    assert (row["sessions"], row["nights"], row["first_night"], row["staged_share"]) == (1, 0, None, None)
    assert best_latency_source(row) == "none"


def test_no_sessions(table):
    """No sessions are no streams."""
    assert describe_streams(table()).height == 0


def test_latency_of_sums(totals, table):
    """A night of sums can have the vendor's latency and no other."""
    row = totals("2026-05-12 23:00", 450, {"asleep_s": 24000}, vendor_sol_s=600.0)
    (described,) = describe_streams(table(row | {"in_bed": row["start"], "in_bed_source": "tap"})).iter_rows(named=True)
    assert [described[f"latency_{source}"] for source in ("in_bed", "vendor", "stages", "none")] == [0, 1, 0, 0]


@pytest.mark.parametrize(("step", "grain"), [(5, 5), (1, 1), (0.5, 0.5), (0.25, 1 / 60)])
def test_grain(session, table, step, grain):
    """The grain of a stream is the coarsest step on which its stages change; one odd change does not refine it."""
    stages = [("light", step), ("deep", 3 * step), ("rem", 7 * step)] * 20
    odd = session("2026-06-12 23:00", [("light", 5 + 7 / 60), ("deep", 60)])
    assert grain_min(table(session("2026-05-12 23:00", stages), odd)) == pytest.approx(grain)


def test_grain_of_sums(totals, table):
    """A stream of sums has a grain of a minute: it shows no change of stage."""
    assert grain_min(table(totals("2026-05-12 23:00", 450, {"asleep_s": 24000}))) == 1
