"""Google's tables become sessions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.errors import DataError

SLEEPS = (
    "sleep_id,sleep_type,minutes_to_fall_asleep,minutes_asleep,minutes_awake,start_utc_offset,sleep_start,"
    "end_utc_offset,sleep_end,data_source,algorithm_version,sleep_last_updated"
)
STAGES = "sleep_id,sleep_stage_id,sleep_stage_type,sleep_stage_start,sleep_stage_end,algorithm_version"
NIGHT = (
    "1274863277733400080,STAGES,0,50,10,-04:00,2026-04-12 05:00:00+0000,-04:00,2026-04-12 06:00:00+0000,"
    "DERIVED,sleep_session_v1,2026-04-12 12:43:37+0000"
)
STAGE_ROWS = [
    "1274863277733400080,1,DEEP,2026-04-12 05:30:00+0000,2026-04-12 06:00:00+0000,sleep_stages_v1",
    "1274863277733400080,2,AWAKE,2026-04-12 05:00:00+0000,2026-04-12 05:10:00+0000,sleep_stages_v1",
    "1274863277733400080,3,LIGHT,2026-04-12 05:10:00+0000,2026-04-12 05:30:00+0000,sleep_stages_v1",
]


def files(sleeps: list[str], stages: list[str]) -> dict[str, Any]:
    """A pair of tables."""
    return {
        "UserSleeps_2026.csv": "\n".join([SLEEPS, *sleeps, ""]),
        "UserSleepStages_2026.csv": "\n".join([STAGES, *stages, ""]),
    }


def test_a_pair_of_tables_is_a_session(read_files: Any) -> None:
    """Unsorted stages join their session in order; ids, offsets, versions and times of change are kept exactly."""
    (row,) = read_files(files([NIGHT], STAGE_ROWS)).sessions.iter_rows(named=True)
    assert row["record_id"] == "1274863277733400080"
    assert (row["stream"], row["algorithm"]) == ("fitbit/sleep_stages_v1", "sleep_session_v1; sleep_stages_v1")
    assert (row["start"], row["end"]) == tuple(datetime(2026, 4, 12, hour, tzinfo=UTC) for hour in (5, 6))
    assert (row["offset_start"], row["offset_end"], row["zone"], row["zone_source"]) == (-240, -240, None, "record")
    assert row["updated"] == datetime(2026, 4, 12, 12, 43, 37, tzinfo=UTC)
    assert [(p["start_s"], p["seconds"], p["stage"], p["label"]) for p in row["hypnogram"]] == [
        (0, 600, "wake", "AWAKE"),
        (600, 1200, "light", "LIGHT"),
        (1800, 1800, "deep", "DEEP"),
    ]
    assert (row["vendor_sol_s"], row["flags"], row["kind"], row["device"]) == (None, [], "unknown", None)
    assert (row["totals"]["wake_s"], row["totals"]["asleep_s"]) == (600, 3000)


@pytest.mark.parametrize(
    ("version", "stream"),
    [
        ("sleep_session_v1", "fitbit/sleep_stages_v1"),
        ("sleep_session_v2", "fitbit/sleep_stages_v2"),
        ("", "fitbit/sleep_stages"),
    ],
)
def test_the_stream_is_the_sessions_version(read_files: Any, version: str, stream: str) -> None:
    """The session's version decides the stream, also for a nap without stages of that version."""
    nap = NIGHT.replace("STAGES", "CLASSIC").replace("sleep_session_v1", version)
    asleep = ["1274863277733400080,9,ASLEEP,2026-04-12 05:00:00+0000,2026-04-12 06:00:00+0000,restlessness"]
    (row,) = read_files(files([nap], asleep)).sessions.iter_rows(named=True)
    assert (row["stream"], row["staging"]) == (stream, "sleep_wake")


def test_the_older_header_has_no_version(read_files: Any) -> None:
    """Tables from before algorithm_version, with times that end in Z, are one stream of their own."""
    sleeps = "sleep_id,sleep_type,start_utc_offset,sleep_start,end_utc_offset,sleep_end\n"
    sleeps += "5,STAGES,+05:30,2026-04-12T05:00:00Z,+05:30,2026-04-12T05:10:00Z\n"
    stages = (
        "sleep_id,sleep_stage_type,sleep_stage_start,sleep_stage_end\n5,REM,2026-04-12T05:00:00Z,2026-04-12T05:10:00Z\n"
    )
    (row,) = read_files({"a.csv": sleeps, "b.csv": stages}).sessions.iter_rows(named=True)
    assert (row["stream"], row["algorithm"], row["offset_start"]) == ("fitbit/sleep_stages", None, 330)
    assert [piece["stage"] for piece in row["hypnogram"]] == ["rem"]


def test_the_later_version_of_a_session_stands(read_files: Any) -> None:
    """Of two rows with one id the later updated is kept, whichever file it stands in; the other counts as merged."""
    later = NIGHT.replace("12:43:37", "13:00:00").replace(",50,10,", ",51,9,")
    for first, second in ((NIGHT, later), (later, NIGHT)):
        both = files([first], STAGE_ROWS) | {"UserSleeps_2027.csv": f"{SLEEPS}\n{second}"}
        imported = read_files(both)
        assert (imported.read, imported.sessions.height, imported.merged) == (2, 1, 1)
        assert imported.sessions["totals"].struct.field("asleep_s").item() == 51 * 60


def test_an_outdated_row_need_not_fit_the_newer_stages(read_files: Any) -> None:
    """A session that Fitbit made longer stands with its stages; the older row, which they overrun, is no mistake."""
    longer = NIGHT.replace("06:00:00", "06:30:00").replace("12:43:37", "13:00:00")
    stages = [
        *STAGE_ROWS,
        "1274863277733400080,4,REM,2026-04-12 06:00:00+0000,2026-04-12 06:30:00+0000,sleep_stages_v1",
    ]
    for rows in ([NIGHT, longer], [longer, NIGHT]):
        imported = read_files(files(rows, stages))
        assert (imported.read, imported.merged, imported.rejected) == (2, 1, ())
        assert imported.sessions["end"].item() == datetime(2026, 4, 12, 6, 30, tzinfo=UTC)


def test_stages_told_twice_are_told_once(read_files: Any) -> None:
    """A pair of tables and its copy give the same sessions as the pair alone."""
    once = files([NIGHT], STAGE_ROWS)
    twice = read_files(once | {f"again/{name}": text for name, text in once.items()})
    assert twice.sessions.equals(read_files(once).sessions)
    assert (twice.read, twice.merged) == (2, 1)


def test_stages_without_a_session_are_one_rejected_record(read_files: Any) -> None:
    """Stages whose session is missing are refused once for each id, with their number."""
    imported = read_files(files([], STAGE_ROWS))
    assert imported.sessions.is_empty()
    (refused,) = imported.rejected
    assert "1274863277733400080" in refused.record
    assert refused.reason == "no session in UserSleeps has its 3 stages"


def test_a_session_without_stages_keeps_its_totals(read_files: Any) -> None:
    """A session without stages is kept for its totals, and the person hears of it."""
    imported = read_files(files([NIGHT], []))
    (row,) = imported.sessions.iter_rows(named=True)
    assert (row["hypnogram"], row["staging"], row["totals"]["asleep_s"]) == (None, "totals", 3000)
    assert any("totals and no stages" in warning for warning in imported.warnings)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("1274863277733400080", "", "no sleep_id"),
        ("2026-04-12 06:00:00+0000", "2026-04-12 04:00:00+0000", "ends before it starts"),
        ("2026-04-12 06:00:00+0000", "2027-04-12 04:00:00+0000", "longer than two days"),
        ("2026-04-12 05:00:00+0000", "2026-04-12 05:00:00", "does not say its offset"),
        ("-04:00", "EDT", "UTC offset"),
        (",DERIVED,sleep_session_v1,2026-04-12 12:43:37+0000", "", "fields of the header"),
        (",50,10,", ",99,10,", "does not fit"),
        (",50,10,", ",,,", "neither stages nor totals"),
        ("2026-04-12 0", "1926-04-12 0", "is not a time of this century"),
    ],
)
def test_a_broken_row_is_refused_and_the_rest_is_kept(read_files: Any, old: str, new: str, reason: str) -> None:
    """One bad row of sessions is refused with its line and reason, beside a good one that is kept."""
    good = NIGHT.replace("1274863277733400080", "7")
    imported = read_files(files([good, NIGHT.replace(old, new, 1)], []))
    assert imported.sessions["record_id"].to_list() == ["7"]
    (refused,) = imported.rejected
    assert reason in refused.reason
    assert "line 3" in refused.record


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1274863277733400080,4,REM,2026-04-12 05:40:00+0000,2026-04-12 05:50:00+0000,v", "overlap"),
        ("1274863277733400080,4,REM,2026-04-12 06:00:00+0000,2026-04-12 06:50:00+0000,v", "reach outside"),
        ("1274863277733400080,4,REM,2026-04-12 06:00:00+0000,2026-04-12 05:50:00+0000,v", "ends before it starts"),
        ("1274863277733400080,4,REM,soon,2026-04-12 05:50:00+0000,v", "has no time"),
        ("1274863277733400080,4,REM,2026-04-12 06:0", "cut short"),
    ],
)
def test_broken_stages_refuse_their_session(read_files: Any, row: str, reason: str) -> None:
    """A session whose stages contradict each other is refused with the reason, never shown with half a hypnogram."""
    imported = read_files(files([NIGHT], [*STAGE_ROWS, row]))
    assert imported.sessions.is_empty()
    assert reason in imported.rejected[0].reason


def test_a_stage_that_sticks_out_by_rounding_widens_its_session(read_files: Any) -> None:
    """Half a minute before the session still counts, and the other stages keep their distance from it."""
    early = STAGE_ROWS[1].replace("05:00:00", "04:59:30")
    (row,) = read_files(files([NIGHT], [STAGE_ROWS[0], early, STAGE_ROWS[2]])).sessions.iter_rows(named=True)
    assert row["end"] - row["start"] == timedelta(seconds=3630)
    assert [piece["start_s"] for piece in row["hypnogram"]] == [0, 630, 1830]


def test_manual_entries_and_unknown_labels_are_said(read_files: Any) -> None:
    """A manual session is flagged, a device named as source is the device, an unknown label is kept as unscored."""
    stages = [row.replace("LIGHT", "HYPNAGOGIC") for row in STAGE_ROWS]
    rows = [
        NIGHT.replace("DERIVED", "MANUAL"),
        NIGHT.replace("DERIVED", "Charge 6").replace("1274863277733400080", "7"),
    ]
    imported = read_files(files(rows, stages))
    manual, worn = imported.sessions.sort("record_id").iter_rows(named=True)
    assert (manual["flags"], manual["device"], worn["flags"], worn["device"]) == (["manual"], None, [], "Charge 6")
    assert manual["hypnogram"][1]["stage"] == "unscored"
    assert any("'HYPNAGOGIC'" in warning for warning in imported.warnings)


def test_missing_columns_refuse_the_file(read_files: Any) -> None:
    """A table without a column that is needed is damaged as a whole, and the column is named."""
    with pytest.raises(DataError, match=r"UserSleeps_2026\.csv lacks the columns sleep_end"):
        read_files({"UserSleeps_2026.csv": SLEEPS.replace(",sleep_end", "")})


def test_tables_are_checked_as_every_other_form(read_files: Any) -> None:
    """Half a hypnogram flags its session, and a latency longer than the night is missing and told."""
    late = NIGHT.replace(",0,50,10,", ",61,50,10,")
    imported = read_files(files([late], STAGE_ROWS[:1]))
    (row,) = imported.sessions.iter_rows(named=True)
    assert (row["flags"], row["vendor_sol_s"]) == (["incomplete"], None)
    assert [warning.split(";")[0] for warning in imported.warnings] == [
        "1 session with a latency that is negative or longer than itself"
    ]


def test_minus_one_is_missing(read_files: Any) -> None:
    """Google writes −1 for what it does not know; it becomes missing."""
    (row,) = read_files(files([NIGHT.replace(",0,50,10,", ",-1,-1,,")], STAGE_ROWS)).sessions.iter_rows(named=True)
    assert (row["vendor_sol_s"], row["totals"]["asleep_s"], row["totals"]["wake_s"]) == (None, None, None)


def test_the_order_of_rows_is_irrelevant(read_files: Any) -> None:
    """Shuffled tables give the same sessions."""
    other = [row.replace("1274863277733400080", "7") for row in STAGE_ROWS]
    rows = [NIGHT, NIGHT.replace("1274863277733400080", "7")]
    one = read_files(files(rows, STAGE_ROWS + other)).sessions
    two = read_files(files(rows[::-1], (STAGE_ROWS + other)[::-1])).sessions
    assert one.equals(two)


CELLS = st.sampled_from(
    [
        "",
        "-1",
        "99999999999",
        "1900-01-01 00:00:00+0000",
        "2026-04-12 05:20:00+0000",
        "9999-12-31T23:59:59Z",
        "+99:99",
        "x,y",
    ]
)


@given(
    changes=st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 11), CELLS), max_size=4),
    turn=st.integers(0, 5),
)
def test_whatever_happens_to_tables_no_row_is_lost(read_files: Any, changes: Any, turn: int) -> None:
    """Whatever is written into cells, each row of sessions is accepted, merged or rejected; no other error escapes."""
    second = [row.replace("1274863277733400080", "7") for row in STAGE_ROWS]
    sleeps = [row.split(",") for row in (NIGHT, NIGHT.replace("1274863277733400080", "7"), NIGHT)]
    stages = [row.split(",") for row in STAGE_ROWS + second]
    for in_sleeps, row, column, cell in changes:
        rows = sleeps if in_sleeps else stages
        cells = rows[row % len(rows)]
        cells[column % len(cells)] = cell
    sleep_rows, stage_rows = ([",".join(cells) for cells in rows] for rows in (sleeps, stages))
    one = read_files(files(sleep_rows, stage_rows))
    assert one.read == one.sessions.height + one.merged + len(one.rejected) >= 3
    turned = files(sleep_rows[turn % 3 :] + sleep_rows[: turn % 3], stage_rows[turn:] + stage_rows[:turn])
    assert read_files(turned).sessions.equals(one.sessions)


def test_where_the_latest_version_cannot_be_used_the_one_before_stands(read_files: Any) -> None:
    """The latest is rejected with its reason; the session is not lost with it, and still older versions are merged."""
    broken = NIGHT.replace("12:43:37", "14:00:00").replace("-04:00,2026-04-12 06", "?,2026-04-12 06")
    later = NIGHT.replace("12:43:37", "13:00:00").replace(",50,10,", ",51,9,")
    for rows in ([NIGHT, later, broken], [broken, later, NIGHT]):
        imported = read_files(files(rows, STAGE_ROWS))
        assert (imported.read, imported.sessions.height, imported.merged) == (3, 1, 1)
        assert [one.reason for one in imported.rejected] == ["its UTC offset is missing or not one"]
        assert imported.sessions["totals"].struct.field("asleep_s").item() == 51 * 60
