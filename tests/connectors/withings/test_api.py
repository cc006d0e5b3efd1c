"""Responses of Withings' API become sessions."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.nights import NIGHTS, ZONE
from tests.connectors.withings.writer import response, segments, summary

from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.errors import DataError


def test_a_summary_brings_its_zone_id_and_time_of_change(read_files: Any) -> None:
    """The zone is the record's, the id and the time of change are Withings', a mat's start is a mark of bed."""
    (row,) = read_files({"a.json": response([summary(NIGHTS[0])])}, zone="Asia/Tokyo").sessions.iter_rows(named=True)
    start = int(NIGHTS[0].start.timestamp())
    assert (row["zone"], row["zone_source"], row["offset_start"]) == (ZONE, "record", 60)
    assert (row["record_id"], row["device"], row["stream"]) == (str(3 * start), "model 63", "withings/bed")
    assert row["updated"] == NIGHTS[0].end + timedelta(minutes=10)
    assert (row["in_bed"], row["in_bed_source"], row["vendor_sol_s"]) == (NIGHTS[0].start, "in_bed", 900)


@pytest.mark.parametrize(
    ("more", "stream"),
    [
        ({"model": 16, "model_id": 93}, "withings/tracker"),
        ({"model": 16, "model_id": None}, "withings/tracker"),
        ({"model": None, "model_id": 61}, "withings/bed"),
        ({"model": 99, "model_id": None}, "withings/unknown"),
    ],
)
def test_the_model_tells_the_device(read_files: Any, more: dict[str, Any], stream: str) -> None:
    """16 is a watch and 32 a mat; else the model's id tells; else nobody knows. Only a mat marks going to bed."""
    (row,) = read_files({"a.json": response([summary(NIGHTS[0], **more)])}).sessions.iter_rows(named=True)
    assert row["stream"] == stream
    assert (row["in_bed"] is None) == (stream != "withings/bed")


def test_a_summary_tells_only_what_was_asked_for(read_files: Any) -> None:
    """A watch's summary without REM and with the older name of latency is read; what is not told is missing."""
    data = {"wakeupduration": 2700, "lightsleepduration": 9000, "deepsleepduration": 9000, "durationtosleep": 240}
    (row,) = read_files({"a.json": response([summary(NIGHTS[0], model=16, data=data)])}).sessions.iter_rows(named=True)
    assert row["totals"] == {"wake_s": 2700, "light_s": 9000, "deep_s": 9000, "rem_s": None, "asleep_s": 18000}
    assert row["vendor_sol_s"] == 240


def test_a_latency_that_leaves_no_room_for_sleep_is_missing(read_files: Any) -> None:
    """A latency of 8 hours in a night of 6.8 with 6.3 of sleep is a mistake of Withings', and is said."""
    told = summary(NIGHTS[0])
    told["data"] |= {"sleep_latency": 20_000, "durationtosleep": 20_000}
    imported = read_files({"a.json": response([told])})
    assert imported.sessions["vendor_sol_s"].to_list() == [None]
    assert any("leaves no room" in warning for warning in imported.warnings)


def test_a_summary_without_stages_takes_those_of_the_states(read_files: Any) -> None:
    """Where no sums were asked for, the states of its time make the session."""
    bare = summary(NIGHTS[0], data={"sleep_score": 80})
    imported = read_files({"a.json": [response([bare]), response(segments(NIGHTS[0]))]})
    (row,) = imported.sessions.iter_rows(named=True)
    assert sum(piece["seconds"] for piece in row["hypnogram"]) == (NIGHTS[0].end - NIGHTS[0].start).total_seconds()
    alone = read_files({"a.json": response([bare])})
    assert [one.reason for one in alone.rejected] == ["it holds neither stages nor totals"]


def test_states_outside_every_summary_are_sessions_of_their_own(read_files: Any) -> None:
    """Of three nights of states one has a summary: it joins it, and the two others stand by themselves."""
    told = [segment for night in NIGHTS[:3] for segment in segments(night)]
    imported = read_files({"get.json": response(told[::-1]), "summary.json": response([summary(NIGHTS[1])])})
    assert (imported.read, imported.sessions.height) == (3, 3)
    assert imported.sessions["zone_source"].to_list() == ["participant", "record", "participant"]
    assert imported.sessions["start"].to_list() == [night.start for night in NIGHTS[:3]]


def test_a_silence_of_the_mat_is_wake_and_an_hour_parts_two_sessions(read_files: Any) -> None:
    """Ten minutes without states are a walk; more than an hour is the end of one recording and the start of another."""
    told = segments(NIGHTS[0])
    short = read_files({"a.json": response([*told[:5], *told[6:]])}).sessions
    parted = read_files({"a.json": response([*told[:5], *told[13:]])}).sessions
    (walk,) = (piece for piece in short.row(0, named=True)["hypnogram"] if piece["label"] == "out of bed")
    assert (short.height, walk["stage"], walk["seconds"]) == (1, "wake", told[5]["enddate"] - told[5]["startdate"])
    assert parted.height == 2


def test_states_without_any_sleep_are_no_night(read_files: Any) -> None:
    """A minute awake at the end of what was asked for is rejected, not taken for a night without sleep."""
    imported = read_files({"a.json": response([*segments(NIGHTS[0]), segments(NIGHTS[1])[0]])})
    assert imported.sessions.height == 1
    assert [one.reason for one in imported.rejected] == ["it holds no sleep, and no summary says that it was a night"]


def test_unknown_states_are_kept_as_unscored(read_files: Any) -> None:
    """A state that nobody knows keeps its time and its number, and is said."""
    told = segments(NIGHTS[0])
    told[6] |= {"state": 5}
    imported = read_files({"a.json": response(told)})
    assert {p["stage"] for p in imported.sessions.row(0, named=True)["hypnogram"] if p["label"] == "5"} == {"unscored"}
    assert any("unknown label '5'" in warning for warning in imported.warnings)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"enddate": 1}, "not a time of this century"),
        ({"startdate": "soon"}, "Expected `int`, got `str`"),
        ({"data": {"sleep_latency": -5, "lightsleepduration": 60}}, ">= 0"),
        ({"data": None}, "Expected `object`"),
    ],
)
def test_a_broken_summary_is_rejected_and_the_rest_is_kept(read_files: Any, more: dict[str, Any], reason: str) -> None:
    """One summary that cannot be used is rejected with its reason, and no other."""
    imported = read_files({"a.json": response([summary(NIGHTS[1]), summary(NIGHTS[0], **more)])})
    (rejected,) = imported.rejected
    assert imported.sessions.height == 1
    assert reason in rejected.reason


def test_a_broken_state_is_rejected_and_the_rest_is_kept(read_files: Any) -> None:
    """One state that ends before it starts is one rejected record; the night goes on around it."""
    told = segments(NIGHTS[0])
    told[3] |= {"enddate": told[3]["startdate"] - 60}
    imported = read_files({"a.json": response(told)})
    assert (imported.read, imported.sessions.height, len(imported.rejected)) == (2, 1, 1)


def test_workouts_are_not_sleep(tmp_path: Path) -> None:
    """Workouts come in the same envelope, and are not claimed."""
    workout = {"id": 1, "category": 1, "timezone": ZONE, "startdate": 1, "enddate": 2, "data": {"calories": 9}}
    (tmp_path / "workouts.json").write_text(str(response([workout])).replace("'", '"'))
    with Export(tmp_path) as export, pytest.raises(DataError, match="no sleep that nof1 knows"):
        recognise(export, "withings")
