"""One truth: the same nights come back from every export, wherever on earth they were slept."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from tests.connectors.nights import SLEPT, Written
from tests.connectors.written import ALL_WRITTEN

from nof1.connect.registry import find_connectors
from nof1.sleep.sleeps import place_sessions
from nof1.sleep.stages import SLEEP
from nof1.sleep.streams import DEVICE_LATENCY_SOURCES, best_latency_source, describe_streams

every_export = pytest.mark.parametrize("name", sorted(ALL_WRITTEN))
CONNECTORS = find_connectors()
PLACED = sorted(name for name, written in ALL_WRITTEN.items() if CONNECTORS[written.connector].about.zone != "none")
"""Exports some of whose records may tell where on earth they were made."""
ELSEWHERE = "America/Los_Angeles"
every_zone = pytest.mark.parametrize("zone", SLEPT)


@every_zone
@every_export
def test_every_night_comes_back_once(read_back: Any, name: str, zone: str) -> None:
    """Each night is one session and a main sleep, of one stream that is named after the connector."""
    sessions = read_back(name, zone).sessions
    assert sessions.height == len(SLEPT[zone])
    assert place_sessions(sessions)["part"].unique().to_list() == ["main"]
    written = ALL_WRITTEN[name]
    assert sessions.select("participant", "source").unique().rows() == [("P07", written.connector)]
    (stream,) = sessions["stream"].unique()
    assert stream.split("/")[0] == written.connector


@every_zone
@every_export
def test_stages_stand_where_they_were_slept(read_back: Any, name: str, zone: str) -> None:
    """On plain nights and on those of the clock changes sleep begins at the true instant and lasts its true length."""
    written = ALL_WRITTEN[name]
    grain = timedelta(minutes=written.grain_min)
    for night, row in zip(SLEPT[zone], read_back(name, zone).sessions.iter_rows(named=True), strict=True):
        pieces = [piece for piece in row["hypnogram"] or [] if piece["stage"] in SLEEP]
        if pieces:
            assert abs(row["start"] + timedelta(seconds=pieces[0]["start_s"]) - night.onset) <= grain
            assert abs(sum(piece["seconds"] for piece in pieces) / 60 - night.minutes(*SLEEP)) <= written.grain_min


@every_zone
@every_export
def test_offsets_are_those_of_the_wall_clock(read_back: Any, name: str, zone: str) -> None:
    """Both ends carry an offset that the clock on the wall had in that night; many vendors tell one for both."""
    for night, row in zip(SLEPT[zone], read_back(name, zone).sessions.iter_rows(named=True), strict=True):
        true = {night.local(instant).utcoffset() for instant in (night.start, night.end)}
        assert {timedelta(minutes=row[end]) for end in ("offset_start", "offset_end")} <= true


@every_zone
@every_export
def test_every_vendor_tells_the_same_nights(nights_told: Any, name: str, zone: str) -> None:
    """The measures that this form can tell are those of the nights that were slept, under the right dates."""
    written: Written = ALL_WRITTEN[name]
    nights = nights_told(name, written.latency_source, zone)
    assert nights["night"].to_list() == [night.evening for night in SLEPT[zone]]
    for night, told in zip(SLEPT[zone], nights.iter_rows(named=True), strict=True):
        true = night.measures()
        wrong = {
            measure: (told[measure], true[measure])
            for measure in written.carries
            if told[measure] is None or abs(told[measure] - true[measure]) > written.grain_min
        }
        assert wrong == {}, night.start


@every_zone
@every_export
@pytest.mark.parametrize("outcome", ["tst_min", "deep_min", "sol_min"])
def test_an_outcome_that_a_form_cannot_tell_is_missing(nights_told: Any, name: str, zone: str, outcome: str) -> None:
    """What a trial is about, and the form does not carry, is missing or happens to be true; never a wrong number."""
    written: Written = ALL_WRITTEN[name]
    told = nights_told(name, written.latency_source, zone)[outcome].to_list()
    wrong = [
        (minutes, night.measures()[outcome])
        for night, minutes in zip(SLEPT[zone], told, strict=True)
        if minutes is not None and abs(minutes - night.measures()[outcome]) > written.grain_min
    ]
    assert wrong == []


@every_export
def test_the_best_latency_is_offered_and_no_better_one(read_back: Any, nights_told: Any, name: str) -> None:
    """The best source of latency is the one that this form can answer for; where it is none, no source gives any."""
    written: Written = ALL_WRITTEN[name]
    (described,) = describe_streams(read_back(name).sessions).iter_rows(named=True)
    assert best_latency_source(described) == written.latency_source
    assert ("sol_min" in written.carries) == (written.latency_source != "none")
    if written.latency_source == "none":
        assert [nights_told(name, source)["sol_min"].count() for source in DEVICE_LATENCY_SOURCES] == [0, 0, 0]


@every_zone
@pytest.mark.parametrize("name", PLACED)
def test_what_the_record_tells_of_its_zone_wins(read_back: Any, name: str, zone: str) -> None:
    """Where records tell their zone or offset, another stated zone moves nothing; stages left out are told."""
    placed = ("record_id", "start", "end", "offset_start", "offset_end", "zone")
    own = pl.col("zone_source") == "record"
    expected = read_back(name, zone).sessions.filter(own)
    told = read_back(name, zone, stated=ELSEWHERE)
    sessions = told.sessions.filter(own)
    assert sessions.select(placed).equals(expected.select(placed))
    staged = pl.col("hypnogram").is_not_null()
    kept = sessions.filter(staged)
    assert kept["hypnogram"].equals(expected.join(kept, on="record_id", how="semi")["hypnogram"])
    assert kept.height == expected.filter(staged).height or any("stages are left out" in one for one in told.warnings)


@every_zone
@every_export
def test_a_record_has_one_name_in_every_stated_zone(read_back: Any, name: str, zone: str) -> None:
    """Who moves and imports again has no night twice; what the clocks of another zone contradict may be rejected."""
    told = read_back(name, zone, stated=ELSEWHERE)
    mine, theirs = (set(some.sessions.select("stream", "record_id").rows()) for some in (read_back(name, zone), told))
    assert theirs <= mine
    assert len(theirs) + len(told.rejected) >= len(mine)
