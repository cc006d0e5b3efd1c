"""nof1's own CSV: what its two tables give, and what they are refused for."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.written import OPTIONS, read_all

from nof1.connect.connector import Imported, ReadOptions
from nof1.errors import DataError
from nof1.sleep.assembly import assemble_nights

EXPORTS = Path(__file__).parent / "exports"


def read(folder: Path, text: str, options: ReadOptions = OPTIONS) -> Imported:
    """Read a table."""
    path = folder / "table.csv"
    path.write_text(text)
    return read_all(path, options)["generic_csv"]


def rows(imported: Imported) -> list[dict[str, Any]]:
    """The sessions."""
    return list(imported.sessions.iter_rows(named=True))


def reason(folder: Path, text: str) -> str:
    """Why the only record of a table was rejected."""
    (rejected,) = read(folder, text).rejected
    return rejected.reason


def test_the_example_of_nights_gives_its_sums() -> None:
    """Decimal commas, mixed times, empty cells and NA are read; the row that contradicts itself is rejected."""
    imported = read_all(EXPORTS / "nights.csv")["generic_csv"]
    first, nap, third = rows(imported)
    assert first["totals"] == {"wake_s": 3360, "light_s": 14730, "deep_s": 4950, "rem_s": 5550, "asleep_s": 25230}
    assert (first["start"], first["end"]) == (
        datetime(2026, 3, 1, 22, 5, tzinfo=UTC),
        datetime(2026, 3, 2, 6, 5, tzinfo=UTC),
    )
    assert (first["in_bed"], first["in_bed_source"]) == (datetime(2026, 3, 1, 22, 10, tzinfo=UTC), "tap")
    assert (first["vendor_sol_s"], first["record_id"], first["stream"]) == (1260, "n1", "generic_csv/Muse S")
    assert (nap["kind"], nap["zone_source"], nap["in_bed"], nap["vendor_sol_s"]) == ("nap", "record", None, None)
    assert (third["totals"]["deep_s"], third["totals"]["light_s"], third["vendor_sol_s"]) == (3660, None, 0)
    assert [(one.record, one.reason) for one in imported.rejected] == [
        ("nights.csv: line 5", "its stages last 360 min, and its sleep (tst_min) 60 min")
    ]
    assert imported.warnings == ("nights.csv: columns that are not read: 'alcohol'.",)


def test_the_example_of_stages_gives_its_recordings() -> None:
    """Stages in any order, one of them twice, with synonyms, a gap and an unknown word, are two recordings."""
    imported = read_all(EXPORTS / "stages.csv")["generic_csv"]
    night, nap = rows(imported)
    assert [(piece["start_s"], piece["seconds"], piece["stage"]) for piece in night["hypnogram"]] == [
        (0, 1260, "wake"),
        (1260, 1890, "light"),
        (3150, 2310, "deep"),
        (5460, 600, "rem"),
        (6300, 300, "unscored"),
    ]
    assert (night["staging"], night["in_bed_source"]) == ("stages", "tap")
    assert (nap["staging"], nap["in_bed"], nap["start"]) == ("sleep_wake", None, datetime(2026, 3, 2, 13, tzinfo=UTC))
    assert (imported.read, imported.rejected) == (2, ())
    assert "unknown label 'dozing'" in imported.warnings[0]


def test_a_night_told_by_its_date_has_nothing_but_its_date(tmp_path: Path) -> None:
    """Its sums and latency are there under the evening's date; time in bed and efficiency are missing, not made up."""
    imported = read(tmp_path, "night,tst_min,deep_min,sol_min\n2026-03-28,420,80,12\n2026-03-29,400,70,9\n")
    nights = assemble_nights(imported.sessions, latency_source="vendor")
    assert nights["night"].to_list() == [date(2026, 3, 28), date(2026, 3, 29)]
    assert nights.select("tst_min", "deep_min", "sol_min").rows() == [(420, 80, 12), (400, 70, 9)]
    assert nights.select("tib_min", "se_pct", "waso_min", "light_min").null_count().row(0) == (2, 2, 2, 2)
    assert all("nominal_times" in flags for flags in nights["flags"])


def test_lights_out_and_time_in_bed_place_a_night(tmp_path: Path) -> None:
    """With lights_out and tib_min a row needs neither start nor end."""
    (row,) = rows(read(tmp_path, "lights_out,tib_min,tst_min\n2026-03-01 23:00,480,420\n"))
    assert (row["start"], row["end"]) == (
        datetime(2026, 3, 1, 22, tzinfo=UTC),
        datetime(2026, 3, 2, 6, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("lights_out", "end", "begins", "lasts_min"),
    [
        ("23:10", "07:00", datetime(2026, 3, 1, 22, 10, tzinfo=UTC), 470),
        ("00:20", "7:00", datetime(2026, 3, 1, 23, 20, tzinfo=UTC), 400),
        ("12:00", "20:00", datetime(2026, 3, 1, 11, tzinfo=UTC), 480),
        ("05:30", "13:00:00", datetime(2026, 3, 2, 4, 30, tzinfo=UTC), 450),
        ("2026-03-01T23:10", "07:00", datetime(2026, 3, 1, 22, 10, tzinfo=UTC), 470),
    ],
)
def test_a_clock_time_beside_a_night_has_its_date(
    tmp_path: Path, lights_out: str, end: str, begins: datetime, lasts_min: int
) -> None:
    """From noon on it is the evening's, before noon the next morning's; the end is the first such time after it."""
    (row,) = rows(read(tmp_path, f"night,lights_out,end,tst_min\n2026-03-01,{lights_out},{end},380\n"))
    assert (row["start"], row["in_bed"], row["in_bed_source"]) == (begins, begins, "tap")
    assert (row["end"] - row["start"]).total_seconds() == 60 * lasts_min


@pytest.mark.parametrize("start", ["22:00", "2026-03-01T22:00"])
def test_an_end_on_the_clock_follows_the_start(tmp_path: Path, start: str) -> None:
    """Lights-out after it are no reason to look for the end a day later: the row contradicts itself."""
    head = "night,start,end,lights_out,tst_min\n2026-03-01,"
    assert "before its lights_out" in reason(tmp_path, f"{head}{start},06:00,06:30,380\n")
    (row,) = rows(read(tmp_path, f"{head}{start},06:00,21:50,380\n"))
    assert (row["end"] - row["start"]).total_seconds() == 8 * 3600


def test_the_same_clock_time_on_two_nights_is_two_nights(tmp_path: Path) -> None:
    """Lights out at 23:10 every evening makes no night the other's double."""
    table = "night,lights_out,tib_min,tst_min\n2026-03-01,23:10,480,400\n2026-03-02,23:10,480,390\n"
    imported = read(tmp_path, table)
    assert (imported.sessions.height, imported.rejected) == (2, ())
    assert assemble_nights(imported.sessions)["night"].to_list() == [date(2026, 3, 1), date(2026, 3, 2)]


@pytest.mark.parametrize(
    "table",
    [
        "lights_out,tib_min,tst_min\n9:10,480,400\n",
        "night,lights_out,tib_min,tst_min\n1.3.2026,9:10,480,400\n",
        "start,seconds,stage,lights_out\n2026-03-02T09:15,3600,light,9:10\n",
    ],
)
def test_a_clock_time_without_a_date_says_what_to_write(tmp_path: Path, table: str) -> None:
    """Nobody guesses the day: the reason names the form that is wanted."""
    assert "'9:10' is a time of day without its date: write 2026-03-01T09:10, or" in reason(tmp_path, table)


def test_a_time_in_utc_takes_the_wall_clock_of_the_stated_zone(tmp_path: Path) -> None:
    """``Z`` says when, not where."""
    (row,) = rows(read(tmp_path, "start,end,tst_min\n2026-03-01T22:00:00Z,2026-03-02T06:00:00Z,400\n"))
    assert (row["offset_start"], row["zone"]) == (60, "Europe/Berlin")


def test_a_corrected_row_is_the_same_session(tmp_path: Path) -> None:
    """Another sum or another end does not make another night."""
    row = "start,end,tst_min\n2026-03-01 23:00,2026-03-02 07:00,400\n"
    corrected = row.replace("07:00,400", "07:30,410").replace("01 23", "01T23")
    ids = [rows(read(tmp_path, text))[0]["record_id"] for text in (row, corrected)]
    assert ids[0] == ids[1]


def test_devices_are_kept_apart(tmp_path: Path) -> None:
    """Stages of two devices in one night are two recordings in two streams."""
    times = "2026-03-01 23:00,2026-03-02 06:00"
    imported = read(tmp_path, f"start,end,stage,device\n{times},light,a\n{times},deep,b\n")
    assert imported.sessions["stream"].to_list() == ["generic_csv/a", "generic_csv/b"]


def test_a_record_id_holds_stages_together(tmp_path: Path) -> None:
    """Stages two hours apart are one recording if the person says so; the gap is not scored."""
    text = "record_id,start,seconds,stage\na,2026-03-01 23:00,3600,light\na,2026-03-02 02:00,3600,deep\n"
    (row,) = rows(read(tmp_path, text))
    assert (row["record_id"], row["flags"]) == ("a", ["incomplete"])


@pytest.mark.parametrize(
    ("cells", "because"),
    [
        ("2026-03-01 23:00,2026-03-02 07:00,,,420,,500", "its sleep and wake last 920 min"),
        ("2026-03-01 23:00,2026-03-02 07:00,,400,420,,", "its tib_min is 400, and from its own times it is 480"),
        ("2026-03-02 07:00,2026-03-01 23:00,,,420,,", "it ends before it starts"),
        ("2026-03-01 23:00,,,,420,,", "not when it ends: give end, or tib_min"),
        (",2026-03-02 07:00,2026-03-01,,420,,", "not when it begins: give start"),
        (",,,,420,,", "neither start nor lights_out nor night"),
        ("2026-03-01 23:00,2026-03-02 07:00,,,,80,", "neither tst_min nor all of light_min, deep_min and rem_min"),
        ("2026-03-01 23:00,2026-03-02 07:00,,,7h,,", "its tst_min is '7h'"),
        ("2026-03-01 23:00,2026-03-02 07:00,,,-420,,", "its tst_min is '-420'"),
        ("01.03.2026 23:00,2026-03-02 07:00,,,420,,", "'01.03.2026 23:00' is not a time: write"),
        ("2026-03-01,2026-03-02,,,420,,", "is not a time"),
        (",,1.3.2026,,420,,", "not the date of an evening"),
        ("2026-03-01 23:00,2026-03-02 07:00", "does not have the fields of the header"),
    ],
)
def test_a_row_that_cannot_be_right_is_rejected(tmp_path: Path, cells: str, because: str) -> None:
    """The reason says what is wrong and, where it can, what to write."""
    assert because in reason(tmp_path, f"start,end,night,tib_min,tst_min,deep_min,wake_min\n{cells}\n")


def test_a_nap_needs_its_times(tmp_path: Path) -> None:
    """By its date alone a nap would take the place of the night."""
    assert "a nap needs start and end" in reason(tmp_path, "night,tst_min,kind\n2026-03-01,30,nap\n")


def test_a_night_that_is_not_the_evening_is_told(tmp_path: Path) -> None:
    """Many tables name a night by its morning: where the start says otherwise, the person hears of it."""
    imported = read(tmp_path, "night,start,end,tst_min\n2026-03-02,2026-03-01 23:00,2026-03-02 07:00,400\n")
    assert "not the evening of its start" in imported.warnings[0]
    assert assemble_nights(imported.sessions)["night"].to_list() == [date(2026, 3, 1)]


@pytest.mark.parametrize(
    ("rows_", "because"),
    [
        ("2026-03-01 23:00,2026-03-02 00:00,light\n2026-03-01 23:30,2026-03-02 00:30,deep", "its stages overlap"),
        ("2026-03-01 23:00,2026-03-02 00:00,light\n2026-03-02 00:00,soon,deep", "line 3: 'soon' is not a time"),
        ("2026-03-01 23:00,2026-03-02 00:00,light\n2026-03-02 00:00,2026-03-02 00:30,", "line 3: it names no stage"),
        ("2026-03-01 23:00,2026-03-01 23:00,light", "it lasts no time"),
        ("2026-10-25 01:00,2026-10-25 02:30,light", "in the hour of a clock change"),
    ],
)
def test_one_bad_stage_rejects_its_recording(tmp_path: Path, rows_: str, because: str) -> None:
    """A recording with a hole, or with times that can be read in two ways, would be a night that never was."""
    assert because in reason(tmp_path, f"start,end,stage\n{rows_}\n")


def test_a_stage_without_a_start_is_a_rejected_record(tmp_path: Path) -> None:
    """It is accounted for by itself, beside the recording that could be read."""
    imported = read(tmp_path, "start,seconds,stage\n2026-03-01 23:00,3600,light\n,600,deep\n")
    assert (imported.read, imported.sessions.height) == (2, 1)
    assert imported.rejected[0].record == "table.csv: line 3"


@pytest.mark.parametrize("column", ["deep_mins", "deep_minutes", "DEEP_MIN (min)", "lights_of"])
def test_a_misspelt_measure_refuses_the_table(tmp_path: Path, column: str) -> None:
    """A column that is nearly a measure must not be passed over in silence."""
    with pytest.raises(DataError, match="looks like"):
        read(tmp_path, f"night,tst_min,{column}\n2026-03-01,400,80\n")


def test_measures_that_need_stages_are_named(tmp_path: Path) -> None:
    """A WASO cannot be kept as a sum, and the person hears so."""
    imported = read(tmp_path, "night,tst_min,waso_min\n2026-03-01,400,30\n")
    assert imported.warnings == ("table.csv: not read, because nof1 computes them from stages: waso_min.",)


def test_two_rows_that_tell_one_night_differently_are_both_refused(tmp_path: Path) -> None:
    """A date typed twice must not make one night stand and another vanish: both lines are named."""
    imported = read(tmp_path, "night,tst_min\n2026-03-01,420\n2026-03-02,400\n2026-03-02,390\n")
    assert imported.sessions.height == 1
    assert {one.reason for one in imported.rejected} == {
        "line 3 and line 4 tell the same night differently: is one date mistyped? Keep one"
    }


def test_a_table_of_one_date_names_three_of_its_rows(tmp_path: Path) -> None:
    """A thousand rows that contradict each other are a thousand short reasons, not a million line numbers."""
    rows = "".join(f"2026-03-02,{300 + i}\n" for i in range(150))
    imported = read(tmp_path, f"night,tst_min\n{rows}")
    assert {one.reason.partition(" tell")[0] for one in imported.rejected} == {
        "line 2 and line 3 and line 4 and 147 more"
    }


def test_a_row_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    """The same words twice are one night, merged."""
    imported = read(tmp_path, "night,tst_min\n2026-03-01,420\n2026-03-01,420\n")
    assert (imported.sessions.height, imported.merged, imported.rejected) == (1, 1, ())


def test_a_table_of_hours_is_refused(tmp_path: Path) -> None:
    """7.5 in a column of minutes is a night of seven and a half hours, not of minutes."""
    with pytest.raises(DataError, match="Write minutes"):
        read(tmp_path, "night;tst_min\n2026-03-01;6,8\n2026-03-02;7,5\n")


def test_what_a_person_wrote_is_flagged(tmp_path: Path) -> None:
    """A latency or a lights-out in a table of one's own is self-reported: an open trial gives it no verdict."""
    imported = read(tmp_path, "night,tst_min,sol_min\n2026-03-01,420,15\n2026-03-02,400,\n")
    assert ["self_reported" in flags for flags in imported.sessions["flags"]] == [True, False]
