"""Samsung's tables become sessions."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.connectors.samsung.conftest import read_path
from tests.connectors.samsung.writer import SLEEPS, STAGES

from nof1.errors import DataError

EXPORTS = Path(__file__).parent / "exports"
NIGHT = {
    "start_time": "2025-03-10 22:00:00.000",
    "end_time": "2025-03-11 06:00:00.000",
    "time_offset": "UTC+0100",
    "efficiency": "90.0",
    "datauuid": "night",
}


def stage(begin: str, end: str, code: str = "40002", **more: str) -> dict[str, str]:
    """A stage of that night, times of day after its start."""
    days = ["2025-03-10 " if time >= "12" else "2025-03-11 " for time in (begin, end)]
    times = {"start_time": f"{days[0]}{begin}:00.000", "end_time": f"{days[1]}{end}:00.000"}
    return {**times, "stage": code, "sleep_id": "night"} | more


def told(row: dict[str, Any]) -> list[str]:
    """A hypnogram in few words, in minutes."""
    return [f"{p['start_s'] / 60:g}+{p['seconds'] / 60:g} {p['stage']} {p['label']}" for p in row["hypnogram"] or []]


def test_the_export_gives_exactly_its_sessions() -> None:
    """Six sleeps of two apps, a joined one beside its parts, and stages of a sleep that was deleted."""
    imported = read_path(EXPORTS)
    rows = {row["record_id"]: row for row in imported.sessions.iter_rows(named=True)}
    assert (imported.read, imported.merged, imported.sessions.height) == (8, 1, 6)
    (refused,) = imported.rejected
    assert (refused.record, refused.reason) == (
        "sleep_id deleted-night",
        "1 stage of a sleep that is not in this export",
    )
    night = rows["night-1"]
    assert told(night) == [
        "0+11 wake 40001",
        "11+84 light 40002",
        "95+90 deep 40003",
        "185+120 rem 40004",
        "305+175 light 40002",
    ]
    assert (night["start"], night["offset_start"]) == (datetime(2025, 3, 10, 21, 55, tzinfo=UTC), 60)
    assert (night["stream"], night["device"], night["algorithm"]) == ("samsung", "aB3dE5fG7h", "data 9; app 100013")
    assert (night["vendor_sol_s"], night["flags"], night["kind"]) == (660.0, ["guessed_bedtime"], "unknown")
    assert night["updated"] == datetime(2025, 3, 11, 6, 1, 5, 558000, tzinfo=UTC)
    assert night["totals"] == {"wake_s": 2400, "light_s": 15000, "deep_s": 5400, "rem_s": 6000, "asleep_s": 26400}
    assert (rows["part-1"]["vendor_sol_s"], told(rows["part-2"])) == (None, ["0+220 light 40002"])
    moved = rows["moved"]
    assert (moved["flags"], moved["offset_start"]) == (["edited", "guessed_bedtime", "incomplete"], -210)
    assert told(moved) == ["40+380 light 40002", "420+60 unscored 40005"]
    other = rows["other-app"]
    assert (other["stream"], other["algorithm"], other["totals"]["asleep_s"]) == (
        "samsung/com.urbandroid.sleep",
        None,
        488 * 60,
    )
    assert (rows["by-phone"]["zone"], rows["by-phone"]["zone_source"]) == ("Europe/Berlin", "participant")
    assert [warning.partition(" (first")[0] for warning in imported.warnings] == [
        "2 sessions with no stages and no efficiency; all of its length counts as sleep",
        "1 session with stages that reach outside its bounds; they are cut there",
        "1 session with the unknown label '40005'; that time is kept as unscored",
    ]


def test_minus_one_is_missing(read_rows: Any) -> None:
    """Samsung writes −1 for what it does not know: no latency, no share of sleep."""
    (row,) = read_rows([NIGHT | {"sleep_latency": "-1.0", "efficiency": "-1"}]).sessions.iter_rows(named=True)
    assert (row["vendor_sol_s"], row["totals"]["asleep_s"]) == (None, 8 * 3600)


def test_unnamed_figures_are_believed_only_where_they_fit(read_rows: Any) -> None:
    """Deep sleep has no named column: it counts where the four sums make the night, and else is missing."""
    sums = {"factor_02": "80", "factor_05": "50", "total_light_duration": "250.0", "total_rem_duration": "100.0"}
    (fits,) = read_rows([NIGHT | sums]).sessions.iter_rows(named=True)
    (misses,) = read_rows([NIGHT | sums | {"factor_02": "8"}]).sessions.iter_rows(named=True)
    assert (fits["totals"]["deep_s"], fits["totals"]["asleep_s"]) == (4800, 430 * 60)
    assert (misses["totals"]["deep_s"], misses["totals"]["asleep_s"]) == (None, 8 * 3600 * 0.9)


def test_overlapping_stages_are_resolved_and_said(read_rows: Any) -> None:
    """Where stages overlap sleep stands before wake; a stage told twice is told once, and is no overlap."""
    stages = [stage("22:00", "23:00", "40001"), stage("22:50", "23:30", "40003"), stage("23:30", "06:00")]
    imported = read_rows([NIGHT], [*stages, stages[2]])
    (row,) = imported.sessions.iter_rows(named=True)
    assert told(row) == ["0+50 wake 40001", "50+40 deep 40003", "90+390 light 40002"]
    (warning,) = imported.warnings
    assert warning.startswith("1 session with stages that overlap;")
    assert read_rows([NIGHT], stages[1:] * 2).warnings == ()


def test_the_later_version_of_a_sleep_stands(read_rows: Any) -> None:
    """Of two rows with one id the later changed is kept, in either order, and the other counts as merged."""
    early = NIGHT | {"update_time": "2025-03-11 07:00:00.000", "sleep_latency": "60000"}
    late = NIGHT | {"update_time": "2025-03-12 07:00:00.000", "sleep_latency": "120000"}
    for pair in ([early, late], [late, early]):
        imported = read_rows(pair)
        assert (imported.read, imported.merged) == (2, 1)
        assert imported.sessions["vendor_sol_s"].to_list() == [120.0]


def test_milliseconds_since_1970_are_times(read_rows: Any) -> None:
    """Some exports write times as a count of milliseconds."""
    (row,) = read_rows([NIGHT | {"start_time": "1741644000000"}]).sessions.iter_rows(named=True)
    assert row["start"] == datetime(2025, 3, 10, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"start_time": ""}, "'None' is not a time"),
        ({"start_time": "soon"}, "'soon' is not a time"),
        ({"end_time": "2025-03-10 21:00:00.000"}, "ends before it starts"),
        ({"end_time": "2025-04-10 21:00:00.000"}, "longer than two days"),
        ({"time_offset": "UTC+9959"}, "not an offset from UTC"),
        ({"datauuid": ""}, "no datauuid"),
        ({"sleep_latency": "NaN"}, "its sleep_latency is 'NaN'"),
        ({"pkg_name": "a b"}, "not the name of an app"),
        ({"datauuid": "night,more"}, "fields than the header"),
    ],
)
def test_a_broken_row_is_refused_and_the_rest_is_kept(read_rows: Any, fields: Any, reason: str) -> None:
    """One bad row is refused with its line and reason, beside a good one that is kept."""
    good = NIGHT | {"datauuid": "good"}
    imported = read_rows([good, NIGHT | fields])
    assert imported.sessions["record_id"].to_list() == ["good"]
    (refused,) = imported.rejected
    assert refused.record.endswith("line 4")
    assert reason in refused.reason


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (stage("23:00", "22:00"), "ends before it starts"),
        (stage("23:00", "23:30") | {"end_time": "late"}, "'late' is not a time"),
        (stage("23:00", "23:30", "40002,40003"), "fields than the header"),
    ],
)
def test_a_broken_stage_refuses_its_sleep(read_rows: Any, broken: Any, reason: str) -> None:
    """A sleep one of whose stages cannot be read is refused, never shown with half a hypnogram."""
    imported = read_rows([NIGHT], [stage("22:00", "23:00"), broken])
    assert imported.sessions.is_empty()
    assert reason in imported.rejected[0].reason


def test_stages_that_all_lie_outside_refuse_their_sleep(read_rows: Any) -> None:
    """Stages of another day under the id of a sleep are not its stages."""
    imported = read_rows([NIGHT], [stage("12:00", "13:00")])
    assert "its stages lie outside it" in imported.rejected[0].reason


def test_a_table_without_its_columns_is_refused_whole(tmp_path: Path) -> None:
    """A table that lacks a column is damaged, and the column is named."""
    path = tmp_path / "com.samsung.shealth.sleep.20250401080000.csv"
    path.write_text("com.samsung.shealth.sleep,7006011,11\nstart_time,datauuid\n2025-03-10 22:00:00.000,a,\n")
    with pytest.raises(DataError, match="lacks the column 'end_time'"):
        read_path(path)


def test_stages_alone_are_no_export(tmp_path: Path) -> None:
    """A table of stages without its table of sleeps asks for the whole export."""
    (tmp_path / "stages.csv").write_text(f"com.samsung.health.sleep_stage,7006011,7\n{STAGES}\n")
    with pytest.raises(DataError, match="Give the whole export"):
        read_path(tmp_path)


def test_a_joined_sleep_without_its_parts_is_refused(tmp_path: Path) -> None:
    """A joined sleep of which no part is in the export is not passed over."""
    (tmp_path / "a.csv").write_text(f"com.samsung.shealth.sleep,7006011,11\n{SLEEPS}\n")
    (tmp_path / "b.csv").write_text(
        "com.samsung.shealth.sleep_combined,7006011,3\nstart_time,end_time,datauuid\n"
        "2025-03-10 22:00:00.000,2025-03-11 06:00:00.000,j,\n"
    )
    assert "the sleeps that it joins are not" in read_path(tmp_path).rejected[0].reason


CELLS = st.sampled_from(["", "-1", "9" * 25, "1900-01-01 00:00:00", "9999-12-31 23:59:59", "UTC+0200", "x,y", "40003"])


@given(changes=st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 40), CELLS), max_size=5))
def test_whatever_stands_in_the_cells_no_sleep_is_lost(read_rows: Any, changes: Any) -> None:
    """Whatever is written into cells, each sleep is accepted, merged or refused, in any order alike."""
    sleeps = [dict(NIGHT, datauuid=f"n{i}", update_time=f"2025-03-12 0{i}:00:00.000") for i in range(3)]
    stages = [dict(stage(f"0{i}:00", f"0{i + 1}:00"), sleep_id=f"n{i}") for i in range(3)]
    for in_sleeps, at, column, cell in changes:
        row, header = (sleeps[at], SLEEPS) if in_sleeps else (stages[at], STAGES)
        row[header.split(",")[column % len(header.split(","))].rpartition(".")[2]] = cell
    one, two = read_rows(sleeps, stages), read_rows(sleeps[::-1], stages[::-1])
    assert one.read == one.sessions.height + one.merged + len(one.rejected) >= 3
    assert one.sessions.equals(two.sessions)
