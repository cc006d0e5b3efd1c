"""Oura's sleep documents become sessions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.nights import NIGHTS
from tests.connectors.oura.writer import document, period, table

EXPORT = Path(__file__).parent / "exports" / "sleep.json"


@pytest.fixture(scope="module")
def rows(read_files: Any) -> dict[str, dict[str, Any]]:
    """The sessions of the synthetic export, by the last letter of their id."""
    return {
        row["record_id"][-1]: row
        for row in read_files({"sleep.json": EXPORT.read_text()}).sessions.iter_rows(named=True)
    }


def test_the_last_five_minutes_are_cut_at_the_end(rows: dict[str, dict[str, Any]]) -> None:
    """A night of 21 steps of five minutes lasts its 6,090 s: the last step covers what is left of it."""
    night = rows["1"]
    pieces = [(piece["start_s"], piece["seconds"], piece["stage"], piece["label"]) for piece in night["hypnogram"]]
    assert pieces == [
        (0, 600, "wake", "4"),
        (600, 1500, "light", "2"),
        (2100, 1800, "deep", "1"),
        (3900, 900, "rem", "3"),
        (4800, 900, "light", "2"),
        (5700, 390, "wake", "4"),
    ]
    assert night["end"] - night["start"] == timedelta(seconds=6090)
    assert (night["stream"], night["algorithm"], night["kind"]) == ("oura/v2", "v2; 5-minute stages", "main")


def test_latency_and_sums_are_ouras_own(rows: dict[str, dict[str, Any]]) -> None:
    """The latency is the field, in seconds, not the leading wake; the sums are the fields; the offset is kept."""
    night = rows["1"]
    assert night["vendor_sol_s"] == 630
    assert night["totals"] == {"wake_s": 1050, "light_s": 2340, "deep_s": 1740, "rem_s": 960, "asleep_s": 5040}
    assert night["start"] == datetime(2026, 2, 2, 21, 21, 11, tzinfo=UTC)
    assert (night["offset_start"], night["zone_source"], night["in_bed"]) == (120, "record", None)


def test_stages_of_30_seconds_are_preferred(rows: dict[str, dict[str, Any]]) -> None:
    """Where both are told the finer stages stand, one step short as Oura's are; a missing latency is missing."""
    nap = rows["2"]
    assert [(piece["seconds"], piece["label"]) for piece in nap["hypnogram"]] == [
        (60, "4"),
        (150, "2"),
        (30, "3"),
        (30, "0"),
        (60, "2"),
        (30, "4"),
    ]
    assert (nap["kind"], nap["algorithm"], nap["device"]) == ("nap", "v2", "a-ring")
    assert (nap["flags"], nap["vendor_sol_s"]) == (["edited", "incomplete"], None)
    assert nap["hypnogram"][3]["stage"] == "unscored"


def test_a_sleep_without_stages_keeps_its_sums(rows: dict[str, dict[str, Any]]) -> None:
    """Without stages the sums are kept; a latency of 0 is Oura's; a version that is not told is a stream of its own."""
    sleep = rows["5"]
    assert (sleep["hypnogram"], sleep["staging"], sleep["totals"]["asleep_s"]) == (None, "totals", 7200)
    assert (sleep["vendor_sol_s"], sleep["stream"], sleep["kind"]) == (0, "oura/unversioned", "unknown")


def test_rest_and_deleted_sleep_are_rejected_with_their_reason(read_files: Any) -> None:
    """What Oura calls rest, and what was deleted in the app, is no sleep, and is said."""
    imported = read_files({"sleep.json": EXPORT.read_text()})
    assert (imported.read, imported.sessions.height, imported.merged) == (5, 3, 0)
    assert [one.reason for one in imported.rejected] == [
        "Oura itself calls it rest, not sleep",
        "it was deleted in the Oura app",
    ]
    assert any("unknown label '0'" in warning for warning in imported.warnings)


@pytest.mark.parametrize(
    "value",
    [
        [document(night) for night in NIGHTS],
        {"data": [document(night) for night in NIGHTS], "next_token": None},
        [{"data": [document(NIGHTS[0])]}, {"data": [document(night) for night in NIGHTS[1:]]}],
        {"sleep": [document(night) for night in NIGHTS], "activity": [], "readiness": []},
    ],
    ids=["documents", "response", "responses", "old web export"],
)
def test_every_wrapping_gives_the_same_sessions(read_files: Any, value: Any) -> None:
    """Documents bare, in a response, in several, and in the old web export are the same sessions."""
    once = read_files({"a.json": [document(night) for night in NIGHTS]})
    assert read_files({"b.json": value}).sessions.equals(once.sessions)
    assert once.sessions.height == len(NIGHTS)


def test_one_sleep_in_two_forms_is_one_session(read_files: Any) -> None:
    """The account export and the API tell one sleep under one id: it is one session, and the finer stages stand."""
    phases = document(NIGHTS[0])["sleep_phase_30_sec"]
    coarse = document(NIGHTS[0], sleep_phase_30_sec=None)
    fine = document(NIGHTS[0], sleep_phase_30_sec=phases[:100] + "4" + phases[101:])
    imported = read_files({"api.json": {"data": [coarse]}, "sleepmodel.csv": table([fine])})
    assert (imported.read, imported.sessions.height, imported.merged) == (2, 1, 1)
    assert imported.sessions["algorithm"].item() == "v2"


def test_the_first_version_is_a_stream_of_its_own(read_files: Any) -> None:
    """Version 1 of the API names no algorithm, so its nights are not put beside those that do."""
    imported = read_files({"sleep.json": {"sleep": [period(NIGHTS[0]), period(NIGHTS[1], is_longest=0)]}})
    assert imported.sessions["stream"].to_list() == ["oura/unversioned"] * 2
    assert imported.sessions["kind"].to_list() == ["main", "unknown"]
    assert imported.sessions["vendor_sol_s"].to_list() == [60.0 * night.stages[0][1] for night in NIGHTS[:2]]


def test_empty_responses_are_counted(read_files: Any) -> None:
    """A response without sleep is said, and is no record."""
    imported = read_files({"a.json": [{"data": [document(NIGHTS[0])]}, {"data": [], "next_token": None}]})
    assert (imported.read, imported.warnings) == (1, ("1 response of the API without sleep.",))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"bedtime_end": "2025-03-10T21:00:00+01:00"}, "ends before it starts"),
        ({"bedtime_start": "2025-03-10T22:45:00"}, "does not say its offset"),
        ({"bedtime_start": None}, "Expected `str`"),
        ({"latency": "750"}, "Expected `float | null`, got `str`"),
        ({"deep_sleep_duration": -60}, ">= 0"),
        ({"sleep_phase_30_sec": "2" * 1500}, "its stages last 45,000 s"),
        ({"sleep_phase_30_sec": "2" * 10_000}, "length <= 5760"),
        ({"awake_time": 170_000}, "wake time of 170,000 s does not fit"),
    ],
)
def test_a_broken_document_is_rejected_and_the_rest_is_kept(read_files: Any, more: dict[str, Any], reason: str) -> None:
    """One document that cannot be used is rejected with its reason, and no other."""
    imported = read_files({"a.json": {"data": [document(NIGHTS[0], **more), document(NIGHTS[1])]}})
    assert imported.sessions.height == 1
    (rejected,) = imported.rejected
    assert reason in rejected.reason
    assert rejected.record.startswith("a.json: sleep ")


def test_a_row_that_lacks_fields_is_rejected(read_files: Any) -> None:
    """A row of the account export that lacks fields is rejected by its line."""
    text = table([document(NIGHTS[0]), document(NIGHTS[1])])
    imported = read_files({"sleepmodel.csv": text[: text.rindex(";", 0, -1)] + "\n"})
    (rejected,) = imported.rejected
    assert (imported.sessions.height, rejected.reason) == (1, "its row does not have the fields of the header")
    assert rejected.record.startswith("sleepmodel.csv line 3: sleep ")


def test_a_newer_type_is_read_as_sleep(read_files: Any) -> None:
    """A type that nobody knows does not drop the night, and is said."""
    imported = read_files({"a.json": [document(NIGHTS[0], type="polyphasic")]})
    assert imported.sessions["kind"].item() == "unknown"
    assert any("unknown type 'polyphasic'" in warning for warning in imported.warnings)
