"""Mi Fitness records become sessions."""

import csv
import io
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.documents import hypnogram, read_documents, read_export

from nof1.connect.reading import Export
from nof1.errors import DataError
from nof1.sleep.session import STARTS_AT_ONSET
from nof1_connectors.xiaomi.mi_fitness import sleep_rows

EXPORT = Path(__file__).parent / "exports" / "20250201_6400000001_MiFitness_hlth_center_fitness_data.csv"
HEADER = ("Uid", "Sid", "Key", "Time", "Value", "UpdateTime")
START = 1736895600
NIGHT: dict[str, Any] = {
    "bedtime": START,
    "wake_up_time": START + 7200,
    "duration": 105,
    "sleep_deep_duration": 30,
    "sleep_light_duration": 55,
    "sleep_rem_duration": 20,
    "sleep_awake_duration": 15,
    "timezone": 32,
    "items": [
        {"start_time": START + at, "end_time": START + until, "state": state}
        for at, until, state in [(0, 1800, 3), (1800, 3600, 2), (3600, 4500, 5), (4500, 5700, 4), (5700, 7200, 3)]
    ],
}


def table(*rows: tuple[str, object], header: tuple[str, ...] = HEADER) -> dict[str, str]:
    """A table with rows of these keys and values."""
    text = io.StringIO()
    told = [("1", "549", key, START + 9000, v if isinstance(v, str) else json.dumps(v), 1736920000) for key, v in rows]
    csv.writer(text).writerows([header, *told])
    return {"records.csv": text.getvalue()}


def test_a_night_of_the_watch_is_read_whole() -> None:
    """States become stages, quarter hours an offset; of two versions the later changed stands; no stages-latency."""
    imported = read_export(EXPORT)
    row = imported.sessions.filter(kind="main").row(0, named=True)
    assert (row["stream"], row["device"]) == ("xiaomi/mi_fitness", "549000001")
    assert (row["start"], row["end"]) == (
        datetime(2025, 1, 14, 23, tzinfo=UTC),
        datetime(2025, 1, 15, 1, tzinfo=UTC),
    )
    assert (row["offset_start"], row["zone_source"], row["flags"]) == (480, "record", [STARTS_AT_ONSET])
    assert [stage for _, _, stage in hypnogram(row)] == ["light", "deep", "wake", "rem", "light"]
    assert row["totals"] == {"wake_s": 900, "light_s": 3300, "deep_s": 1800, "rem_s": 1200, "asleep_s": 6300}
    assert (imported.read, imported.merged, imported.rejected) == (5, 2, ())


def test_a_nap_without_bedtime_takes_its_stretches() -> None:
    """A sleep by day that says bedtime 0 begins with its first stretch."""
    row = read_export(EXPORT).sessions.filter(kind="nap").row(0, named=True)
    assert (row["start"], hypnogram(row)) == (datetime(2025, 1, 15, 12, tzinfo=UTC), [(0, 2400, "light")])


def test_what_the_app_made_of_all_sources_is_a_stream_of_its_own() -> None:
    """`sleep` rows repeat the watch where both tell of one time; alone they are kept, without stages of zero."""
    row = read_export(EXPORT).sessions.filter(stream="xiaomi/mi_fitness_all_sources").row(0, named=True)
    assert (row["staging"], row["offset_start"]) == ("totals", -300)
    assert row["totals"] == {"wake_s": None, "light_s": None, "deep_s": None, "rem_s": None, "asleep_s": 21600}


def test_states_that_contradict_the_sums_are_said(tmp_path: Path) -> None:
    """Were the numbers of the states others than the documents say, each night would show it."""
    items = [item | {"state": {2: 4, 3: 3, 4: 2, 5: 5}[item["state"]]} for item in NIGHT["items"]]
    swapped = NIGHT | {"items": items}
    imported = read_documents(tmp_path, table(("watch_night_sleep", swapped)))
    assert "do not add up to the vendor's own sums" in imported.warnings[0]


def test_an_unknown_state_keeps_its_night(tmp_path: Path) -> None:
    """A state that nobody knows is unscored and said."""
    items = [*NIGHT["items"][:-1], NIGHT["items"][-1] | {"state": 9}]
    imported = read_documents(tmp_path, table(("watch_night_sleep", NIGHT | {"items": items})))
    assert hypnogram(imported.sessions.row(0, named=True))[-1] == (5700, 1500, "unscored")
    assert any("unknown label '9'" in warning for warning in imported.warnings)


def test_a_stretch_told_twice_is_told_once(tmp_path: Path) -> None:
    """A repeated stretch adds nothing, and the order of stretches is irrelevant."""
    items = [*NIGHT["items"][::-1], NIGHT["items"][0]]
    once = read_documents(tmp_path / "a", table(("watch_night_sleep", NIGHT))).sessions
    twice = read_documents(tmp_path / "b", table(("watch_night_sleep", NIGHT | {"items": items})))
    assert twice.sessions.equals(once)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("{", "is not a sleep as nof1 knows it"),
        ("[" * 60_000, "is not a sleep as nof1 knows it"),
        (NIGHT | {"bedtime": "late"}, "Expected `int | null`, got `str`"),
        (NIGHT | {"bedtime": 0, "wake_up_time": 0, "items": []}, "it holds no sleep"),
        (NIGHT | {"timezone": 4000}, "is not an offset"),
        (NIGHT | {"wake_up_time": 10**17}, "is not a time of this century"),
        (NIGHT | {"items": [{"start_time": START, "end_time": START - 60, "state": 3}]}, "its stages"),
        (NIGHT | {"items": [*NIGHT["items"], {"start_time": START, "end_time": START + 60, "state": 5}]}, "overlap"),
    ],
)
def test_a_bad_row_is_refused_alone(tmp_path: Path, value: Any, reason: str) -> None:
    """A row that cannot be used is refused by its line and with the reason; the nap beside it is kept."""
    nap = NIGHT | {"bedtime": START + 50_000, "wake_up_time": START + 59_000, "items": []}
    imported = read_documents(tmp_path, table(("watch_night_sleep", value), ("watch_daytime_sleep", nap)))
    (refused,) = imported.rejected
    assert (imported.sessions["kind"].to_list(), refused.record) == (["nap"], "records.csv line 2")
    assert reason in refused.reason


def test_a_row_cut_short_is_refused(tmp_path: Path) -> None:
    """A row with fewer fields than the header is refused."""
    files = table(("watch_night_sleep", NIGHT))
    imported = read_documents(tmp_path, {"a.csv": files["records.csv"] + "1,549,watch_night_sleep,5\r\n"})
    assert (imported.sessions.height, imported.rejected[0].record) == (1, "a.csv line 3")


def test_daily_summaries_are_counted_and_not_read(tmp_path: Path) -> None:
    """Summaries repeat the nights: as rows of the table or as a table of their own they are said, and not read."""
    day = {"total_duration": 105, "segment_details": [{"bedtime": START, "wake_up_time": START + 7200}]}
    files = table(("watch_night_sleep", NIGHT), ("sleep", day))
    files["daily.csv"] = "Uid,Sid,Tag,Key,Time,Value,UpdateTime\n1,5,daily_report,sleep,1,{},2\n"
    imported = read_documents(tmp_path, files)
    assert imported.sessions.height == 1
    assert imported.warnings == (
        "1 daily summary row not read: they repeat the nights.",
        "daily.csv is not read: it sums up the nights.",
    )


def test_a_table_without_a_column_is_refused(tmp_path: Path) -> None:
    """A table whose header is changed between recognition and reading names what it lacks."""
    (tmp_path / "a.csv").write_text("Uid,Sid,Key,Time\n")
    with pytest.raises(DataError, match=r"a\.csv lacks the columns value, updatetime"):
        list(sleep_rows(Export(tmp_path).members[0]))


def test_years_of_heart_beats_are_passed_by(tmp_path: Path) -> None:
    """Two hundred thousand rows of heart rate beside one night are passed by in a moment."""
    beat = '1,549,heart_rate,1736895600,"{""time"":1736895600,""bpm"":58}",1736920000\r\n'
    files = table(("watch_night_sleep", NIGHT))
    began = time.perf_counter()
    assert read_documents(tmp_path, {"a.csv": files["records.csv"] + 200_000 * beat}).read == 1
    assert time.perf_counter() - began < 5
