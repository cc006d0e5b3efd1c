"""Records in, sessions out, and every record accounted for."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.connect.clock import in_zone
from nof1.connect.connector import Imported, ReadOptions, Rejected
from nof1.connect.ledger import MAX_OVERRUN_S, Ledger, Session, identity, make_session
from nof1.connect.timeline import Piece
from nof1.sleep.session import sessions_from_rows

OPTIONS = ReadOptions(participant="P07", zone="Europe/Berlin", zone_source="option")
STAGE_OF = {"deep": "deep", "light": "light", "up": "wake", "asleep": "asleep"}


def session(
    *,
    at: str = "2026-05-12T21:00",
    seconds: float = 7200,
    pieces: list[tuple[int, int, str]] | None = None,
    **more: Any,
) -> Session:
    """One session of two hours, light and then deep."""
    start = in_zone(datetime.fromisoformat(at).replace(tzinfo=UTC), "Europe/Berlin", OPTIONS)
    told = [(0, 3600, "light"), (3600, 3600, "deep")] if pieces is None else pieces
    fixed = {"stream": "ring/v1", "record_id": at, "stage_of": STAGE_OF}
    return make_session(
        **fixed | {"start": start, "end": start.plus(seconds), "pieces": [Piece(*piece) for piece in told]} | more
    )


def account(*sessions: Session) -> Imported:
    """Take down these sessions and close the account."""
    ledger = Ledger("ring", OPTIONS)
    for number, one in enumerate(sessions):
        ledger.add(f"record {number}", lambda one=one: one)
    return ledger.imported()


def test_a_session_is_a_row_of_the_table() -> None:
    """What is made of a record obeys the table of sessions, with the participant and the source of the ledger."""
    (row,) = account(session(device="Ring 4")).sessions.iter_rows(named=True)
    assert (row["participant"], row["source"], row["device"]) == ("P07", "ring", "Ring 4")
    assert row["hypnogram"][1] == {"start_s": 3600, "seconds": 3600, "stage": "deep", "label": "deep"}
    assert (row["staging"], row["kind"], row["flags"], row["totals"]) == ("stages", "unknown", [], None)
    assert (row["zone"], row["offset_start"], row["offset_end"]) == ("Europe/Berlin", 120, 120)


@pytest.mark.parametrize(
    ("pieces", "staging"),
    [
        ([(0, 7200, "deep")], "stages"),
        ([(0, 600, "up"), (600, 6600, "asleep")], "sleep_wake"),
        ([(0, 7200, "dozing")], "sleep_wake"),
    ],
)
def test_the_staging_is_what_the_pieces_show(pieces: list[tuple[int, int, str]], staging: str) -> None:
    """Light, deep or REM sleep anywhere is staged; sleep and wake alone are not."""
    assert session(pieces=pieces).row["staging"] == staging


def test_sums_alone_are_totals() -> None:
    """Without pieces the sums stand, in whole seconds; what is not told stays missing."""
    row = session(pieces=[], totals={"asleep_s": 5400.4, "deep_s": 1200, "rem_s": None}).row
    assert (row["staging"], row["hypnogram"]) == ("totals", None)
    assert row["totals"] == {"wake_s": None, "light_s": None, "deep_s": 1200, "rem_s": None, "asleep_s": 5400}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"seconds": 0}, "lasts no time"),
        ({"seconds": -60}, "ends before it starts"),
        ({"seconds": 48 * 3600 + 1}, "longer than two days"),
        ({"pieces": []}, "neither stages nor totals"),
        ({"pieces": [], "totals": {"deep_s": None}}, "neither stages nor totals"),
        ({"pieces": [], "totals": {"deep_s": -1}}, "does not fit"),
        ({"pieces": [], "totals": {"deep_s": float("nan")}}, "does not fit"),
        ({"pieces": [], "totals": {"deep_s": 7200 + MAX_OVERRUN_S + 1}}, "does not fit"),
        ({"pieces": [(0, 3600, "deep"), (3599, 60, "light")]}, "stages overlap"),
        ({"pieces": [(-1, 3600, "deep")]}, "begin before it does"),
        ({"pieces": [(0, 0, "deep")]}, "overlap"),
        ({"pieces": [(0, 7200 + MAX_OVERRUN_S + 1, "deep")]}, "its stages last"),
    ],
)
def test_a_record_that_cannot_be_is_rejected_with_the_reason(more: dict[str, Any], reason: str) -> None:
    """Times, stages and sums that contradict each other reject the record."""
    with pytest.raises(ValueError, match=reason):
        session(**more)


def test_stages_may_run_over_by_a_little() -> None:
    """Vendors floor lengths: the end follows the stages for up to five minutes, and the stages are not cut."""
    row = session(pieces=[(0, 7200 + MAX_OVERRUN_S, "deep")]).row
    assert (row["end"] - row["start"]).total_seconds() == 7200 + MAX_OVERRUN_S


def test_a_length_across_a_clock_change_is_elapsed_time() -> None:
    """The offset of the end is that of the zone when the recording ends."""
    row = session(at="2026-03-28T23:00").row
    assert row["end"] - row["start"] == timedelta(hours=2)
    assert (row["offset_start"], row["offset_end"]) == (60, 120)


@pytest.mark.parametrize(
    ("told", "kept", "notes"),
    [(None, None, 0), (0, 0.0, 0), (7200, 7200.0, 0), (-1, None, 1), (7201, None, 1), (float("nan"), None, 1)],
)
def test_a_latency_longer_than_the_night_is_missing(told: float | None, kept: float | None, notes: int) -> None:
    """A vendor's latency below zero or beyond the recording counts as missing, and the person hears of it."""
    made = session(vendor_sol_s=told)
    assert (made.row["vendor_sol_s"], len(made.notes)) == (kept, notes)


def test_half_a_hypnogram_is_flagged() -> None:
    """Stages that cover less than 95 % of the recording flag it as incomplete, beside the vendor's flags."""
    assert session(pieces=[(0, 3600, "deep")], flags=["manual"]).row["flags"] == ["incomplete", "manual"]
    assert session(pieces=[(0, 6840, "deep")]).row["flags"] == []


def test_an_unknown_label_keeps_its_night_and_is_told() -> None:
    """Time under a label that nobody knows is unscored with its word kept, and one sentence tells how often."""
    odd = [session(at=f"2026-05-{day}T21:00", pieces=[(0, 3600, "Deep"), (3600, 3600, "Dozing")]) for day in (12, 13)]
    imported = account(*odd)
    assert imported.warnings == (
        "2 sessions with the unknown label 'Dozing'; that time is kept as unscored (first: record 0).",
    )
    assert [piece["stage"] for piece in imported.sessions["hypnogram"][0]] == ["deep", "unscored"]


def test_a_mark_without_a_time_has_no_source() -> None:
    """Where no going to bed is marked, nobody marked it."""
    assert session(in_bed=None, in_bed_source="tap").row["in_bed_source"] == "none"


def test_every_record_is_accounted_for() -> None:
    """Accepted, rejected and merged records add up, and each rejected one has its reason."""

    def broken() -> Session:
        raise ValueError("it is upside down")

    def huge() -> Session:
        return session(seconds=1e18)

    ledger = Ledger("ring", OPTIONS)
    ledger.add("a.json: 1", session)
    ledger.add("a.json: 3", huge)
    ledger.add("a.json: 2", broken)
    ledger.merge(2)
    imported = ledger.imported(["One more thing."])
    assert (imported.read, imported.sessions.height, imported.merged) == (5, 1, 2)
    assert imported.rejected == (
        Rejected("a.json: 2", "it is upside down"),
        Rejected("a.json: 3", "it holds a number that is out of all bounds"),
    )
    assert imported.warnings == ("One more thing.",)


@pytest.mark.parametrize("error", [KeyError("start"), TypeError("not a time"), AttributeError("plus")])
def test_a_mistake_in_a_connector_is_not_taken_for_a_bad_record(error: Exception) -> None:
    """Only a ValueError rejects a record: any other error is a bug, and is not hidden."""

    def wrong() -> Session:
        raise error

    with pytest.raises(type(error)):
        Ledger("ring", OPTIONS).add("a", wrong)


def test_more_sessions_than_fit_a_batch_all_come_out() -> None:
    """Twelve hundred sessions, the last of them told twice, are the same twelve hundred in the table."""
    days = [f"{datetime(2020, 1, 1, 21, tzinfo=UTC) + timedelta(days=day):%Y-%m-%dT%H:%M}" for day in range(1200)]
    imported = account(*(session(at=day) for day in [*days, days[-1]]))
    assert (imported.read, imported.merged, imported.rejected) == (1201, 1, ())
    assert imported.sessions["record_id"].to_list() == days


@pytest.mark.parametrize("days", [("12", "13"), ("12", "12")], ids=["a session", "a version of a session"])
def test_a_row_that_is_lost_on_the_way_out_stops_the_import(monkeypatch: pytest.MonkeyPatch, days: Any) -> None:
    """Records are counted as they come in: a ledger that drops a row, even one of two versions, cannot close."""
    flush = Ledger._flush

    def leak(ledger: Ledger) -> None:
        ledger._rows.pop()
        flush(ledger)

    monkeypatch.setattr(Ledger, "_flush", leak)
    with pytest.raises(AssertionError, match=f"2 accepted records became 1 row; .*2026-05-{days[1]}T21:00"):
        account(*(session(at=f"2026-05-{day}T21:00") for day in days))


def test_an_account_that_does_not_add_up_is_a_mistake() -> None:
    """A connector that loses a record cannot close its account."""
    with pytest.raises(AssertionError, match="lost records: read 3, accounted for 1"):
        Imported(sessions=sessions_from_rows([]), read=3, merged=1)


VERSIONS = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.sampled_from(["2026-05-12T21:00", "2026-05-13T21:00"]),
            "seconds": st.sampled_from([7200, 7260]),
            "updated": st.sampled_from([None, datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)]),
            "device": st.sampled_from([None, "Ring 3", "Ring 4"]),
        }
    ),
    max_size=8,
)


@given(VERSIONS, st.randoms(use_true_random=False))
def test_of_versions_one_stands_in_any_order(versions: list[dict[str, Any]], order: random.Random) -> None:
    """Versions in any order leave one and the same session; the others count as merged, and differences are told."""
    shuffled = list(versions)
    order.shuffle(shuffled)
    one, two = (account(*(session(**version) for version in some)) for some in (versions, shuffled))
    assert one.sessions.equals(two.sessions)
    assert one.read == len(versions) == one.sessions.height + one.merged
    differ = any(a["at"] == b["at"] and a != b for a in versions for b in versions)
    assert any("in versions that differ" in warning for warning in one.warnings) == differ


def test_an_identity_is_of_the_facts() -> None:
    """The same facts give the same id in every export; other facts, or the same letters cut elsewhere, another."""
    assert identity("a", 1) == identity("a", 1)
    assert len({identity("a", 1), identity("a", 2), identity("a1"), identity("", "a1")}) == 4
