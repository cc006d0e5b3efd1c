"""Sleep Cycle's nights become sessions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.connectors.nights import NIGHTS
from tests.connectors.sleepcycle.conftest import read_path
from tests.connectors.sleepcycle.writer import GEN_3, gen_3, write_gen_2, write_gen_3

from nof1.errors import DataError

EXPORTS = Path(__file__).parent / "exports"
NIGHT = gen_3(NIGHTS[0])


def sums(row: dict[str, Any]) -> dict[str, int]:
    """The totals that are told."""
    return {name: seconds for name, seconds in row["totals"].items() if seconds is not None}


def test_the_export_gives_exactly_its_sessions() -> None:
    """Seven nights of generation 3, each with a trap, are seven sessions with what can be believed of them."""
    imported = read_path(EXPORTS / "sleepdata_gen3.csv")
    staged, plain, contradictory, aborted, spring, autumn, unmeasured = imported.sessions.iter_rows(named=True)
    assert (imported.read, imported.merged, imported.rejected) == (7, 0, ())
    assert sums(staged) == {"wake_s": 2700, "light_s": 14400, "deep_s": 6000, "rem_s": 5400, "asleep_s": 25800}
    assert (staged["vendor_sol_s"], staged["in_bed"], staged["in_bed_source"]) == (1500.0, staged["start"], "tap")
    assert (staged["staging"], staged["stream"], staged["zone_source"]) == ("totals", "sleepcycle", "participant")
    assert sums(plain) == {"wake_s": 3000, "asleep_s": 25800}
    assert sums(contradictory) == {"asleep_s": 22300}
    assert (sums(aborted), aborted["vendor_sol_s"]) == ({"wake_s": 1200, "asleep_s": 0}, None)
    assert spring["end"] - spring["start"] == timedelta(hours=7)
    assert (spring["offset_start"], spring["offset_end"]) == (60, 120)
    assert (autumn["start"], autumn["end"]) == (
        datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
        datetime(2025, 10, 26, 8, 30, tzinfo=UTC),
    )
    assert unmeasured["end"] - unmeasured["start"] == timedelta(hours=8)
    assert [warning.partition(" (first")[0] for warning in imported.warnings] == [
        "1 session with a latency of exactly a 50th or a 150th of the time in bed: the app's least figure, not a "
        "measurement",
        "1 session with a start that the clock change repeats; the earlier reading stands",
        "1 session with no time in bed; its end is taken from the clock",
        "1 session with stages that do not add up to its own time asleep; the stages are left out",
    ]


def test_no_deep_sleep_on_paper_is_not_no_deep_sleep() -> None:
    """Where the app wrote 0 for both deep and dream it did not stage the night: deep sleep is missing."""
    row = read_path(EXPORTS / "sleepdata_gen3.csv").sessions.row(1, named=True)
    assert (row["totals"]["deep_s"], row["totals"]["rem_s"]) == (None, None)


def test_the_oldest_generation_is_refused_with_the_reason() -> None:
    """An export that knows only the time in bed is read and every night refused, saying so."""
    imported = read_path(EXPORTS / "sleepdata_gen1.csv")
    assert (imported.read, imported.sessions.height) == (1, 0)
    assert "not how long you slept" in imported.rejected[0].reason


def test_the_newest_generation_is_read_by_its_own_names() -> None:
    """Other names, a byte order mark, whole seconds and a line shorter than its header."""
    (row,) = read_path(EXPORTS / "sleepdata_gen4.csv").sessions.iter_rows(named=True)
    assert (row["start"], row["vendor_sol_s"]) == (datetime(2025, 11, 2, 22, 30, tzinfo=UTC), 840.0)
    assert (sums(row), row["end"] - row["start"]) == ({"asleep_s": 25200}, timedelta(seconds=27900))


def test_one_night_has_one_identity_in_every_generation(tmp_path: Path) -> None:
    """The same nights in two generations of the export are the same records."""
    (tmp_path / "2").mkdir()
    (tmp_path / "3").mkdir()
    older, newer = (
        read_path(write(NIGHTS, tmp_path / name)) for write, name in ((write_gen_2, "2"), (write_gen_3, "3"))
    )
    assert older.sessions["record_id"].to_list() == newer.sessions["record_id"].to_list()
    both = read_path(tmp_path)
    assert (both.read, both.merged, both.sessions.height) == (12, 6, 6)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("2025-03-10 22:45:00", "10/3/25 22:45", "is not a time"),
        ("2025-03-10 22:45:00", "", "'None' is not a time"),
        ("24600.0", "1e400", "which is no number of seconds"),
        ("22800.0", "NaN", "which is no number of seconds"),
        ("22800.0", "-5", "which is no number of seconds"),
        ("22800.0", "228000.0", "does not fit"),
        ("24600.0", "246000.0", "longer than two days"),
        (";37.6;", ";37.6;x;", "fields under 25 columns"),
        (NIGHT[NIGHT.index(";24600.0") :], ";246", "cut short"),
    ],
)
def test_a_broken_night_is_refused_and_the_rest_is_kept(read_rows: Any, old: str, new: str, reason: str) -> None:
    """One bad line is refused with its number and reason, beside a good one that is kept."""
    assert old in NIGHT
    imported = read_rows(gen_3(NIGHTS[1]), NIGHT.replace(old, new, 1))
    assert imported.sessions.height == 1
    (refused,) = imported.rejected
    assert refused.record == "sleepdata.csv line 3"
    assert reason in refused.reason


def test_a_latency_longer_than_the_night_is_missing(read_rows: Any) -> None:
    """A latency that cannot be is missing, and the person hears of it; the night is kept."""
    imported = read_rows(NIGHT.replace(";900.0;", ";90000.0;"))
    assert imported.sessions["vendor_sol_s"].to_list() == [None]
    assert "it counts as missing" in imported.warnings[0]


def test_numbers_with_a_comma_are_numbers(read_rows: Any) -> None:
    """Phones set to German write 22800,0."""
    commas = read_rows(NIGHT.replace("22800.0", "22800,0"))
    assert commas.sessions.equals(read_rows(NIGHT).sessions)


def test_a_column_named_twice_refuses_the_file(read_rows: Any) -> None:
    """Which of two columns of one name is meant cannot be known."""
    with pytest.raises(DataError, match="2 columns of 'time asleep"):
        read_rows(NIGHT, header=GEN_3 + ";Time asleep (seconds)")


def noted(number: int, note: str) -> str:
    """One of the nights, in generation 3, with this in its notes."""
    cells = gen_3(NIGHTS[number]).split(";")
    cells[GEN_3.split(";").index("Notes")] = note
    return ";".join(cells)


@pytest.mark.parametrize("where", range(3))
@pytest.mark.parametrize(
    "note", ['"', '"late again', 'said "good night', '"late" again', "6'2\"", '"""', '"Tea\nand "toast']
)
def test_a_quotation_mark_in_a_note_loses_no_night(read_rows: Any, note: str, where: int) -> None:
    """Marks that nobody closed, on the first night, in the middle and on the last, leave all nights as they were."""
    imported = read_rows(*(noted(number, note if number == where else "") for number in range(3)))
    sessions = read_rows(*(noted(number, "") for number in range(3))).sessions
    assert imported.sessions.equals(sessions)
    assert [one.reason for one in imported.rejected] == (["it is cut short"] if "\n" in note else [])


def test_two_open_marks_do_not_swallow_what_is_between(read_rows: Any) -> None:
    """A mark on one night and the next mark two nights later are not one note: the night between is there."""
    imported = read_rows(noted(0, '"tea'), noted(1, ""), noted(2, '"tea'))
    assert (imported.read, imported.sessions.height) == (3, 3)


def test_a_note_of_several_lines_is_one_note(read_rows: Any) -> None:
    """In closed quotation marks a note may have lines, marks and semicolons."""
    imported = read_rows(noted(0, '"Tea;\n""and""\ntoast"'), noted(1, ""))
    assert (imported.read, imported.sessions.height) == (2, 2)


@pytest.mark.parametrize("old", ["Ate late:Tea", '"Halle, Saale"'])
def test_an_open_mark_among_commas_refuses_its_own_night_only(tmp_path: Path, old: str) -> None:
    """With commas in a quoted place one night cannot be read any more: it is refused by its line, and no other."""
    path = write_gen_2(NIGHTS, tmp_path)
    path.write_text(path.read_text().replace(old, '"Ate, late', 1))
    imported = read_path(path)
    assert (imported.read, imported.sessions.height) == (len(NIGHTS), len(NIGHTS) - 1)
    assert imported.rejected[0].record.endswith("line 2")


@given(notes=st.lists(st.text('"; \na', max_size=6), min_size=4, max_size=4))
def test_whatever_people_write_no_night_is_lost(read_rows: Any, notes: list[str]) -> None:
    """Each line that begins a night is accepted, or refused by its line; what follows it in its note adds no night."""
    told = read_rows(*(noted(number, note) for number, note in enumerate(notes)))
    starts = {night.start for night in NIGHTS[:4]}
    assert set(told.sessions["start"]) <= starts
    assert (told.merged, told.sessions.height + len(told.rejected) >= 4) == (0, True)
    refused = {int(one.record.rpartition(" ")[2]) for one in told.rejected}
    lines = [2 + sum(1 + note.count("\n") for note in notes[:number]) for number in range(4)]
    for line, night in zip(lines, NIGHTS, strict=False):
        assert night.start in set(told.sessions["start"]) or refused & set(range(line, line + 7))


CELLS = st.sampled_from(
    ["", "—", "0", "-1", "0.0", "1e9", "inf", "x", "2025-03-10 22:45:00", "9999-12-31 00:00:00", "86400"]
)


@given(changes=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 24), CELLS), max_size=6))
def test_whatever_stands_in_the_cells_no_night_is_lost(read_rows: Any, changes: Any) -> None:
    """Whatever is written into cells, each line is accepted, merged or refused, in any order alike."""
    rows = [gen_3(night).split(";") for night in NIGHTS[:3]]
    for row, column, cell in changes:
        rows[row][column] = cell
    lines = [";".join(row) for row in rows]
    one, two = read_rows(*lines), read_rows(*lines[::-1])
    assert one.read == 3 == one.sessions.height + one.merged + len(one.rejected)
    assert one.sessions.equals(two.sessions)
