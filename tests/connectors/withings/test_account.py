"""Withings' account export becomes sessions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.nights import NIGHTS
from tests.connectors.withings.writer import GERMAN, mat_chunks, night_row, night_table, raw_table, watch_chunks

from nof1.connect.connector import Imported
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.errors import DataError

EXPORTS = Path(__file__).parent / "exports"
ONE = night_table([night_row(NIGHTS[0])])
WATCH = raw_table(list(watch_chunks(NIGHTS[0])))


@pytest.fixture(scope="module")
def imported(read_files: Any) -> Imported:
    """The synthetic export, read."""
    return read_files({path.name: path.read_text() for path in EXPORTS.iterdir()}, zone=None)  # type: ignore[no-any-return]


def test_states_are_cut_out_of_the_raw_table(imported: Imported) -> None:
    """Repeated and overlapping chunks, told newest first at an offset of elsewhere, make up the night's stages."""
    night = imported.sessions.filter(stream="withings/tracker").row(0, named=True)
    assert [(piece["start_s"], piece["seconds"], piece["stage"], piece["label"]) for piece in night["hypnogram"]] == [
        (0, 600, "wake", "0"),
        (600, 1200, "deep", "2"),
        (1800, 1800, "light", "1"),
        (3600, 600, "deep", "2"),
        (4200, 240, "wake", "out of bed"),
        (4440, 240, "wake", "0"),
        (4680, 600, "rem", "3"),
        (5280, 1260, "light", "1"),
        (6540, 60, "wake", "0"),
    ]
    assert (night["start"], night["offset_start"]) == (datetime(2026, 5, 3, 21, 10, tzinfo=UTC), 120)
    assert night["totals"] == {"wake_s": 900, "light_s": 3060, "deep_s": 1800, "rem_s": 600, "asleep_s": 5460}
    assert (night["vendor_sol_s"], night["in_bed"], night["zone_source"]) == (600, None, "record")


def test_a_night_without_states_keeps_its_sums(imported: Imported) -> None:
    """Without states nobody knows the device; the sums and the latency are kept, and a REM of 0 is missing."""
    night = imported.sessions.filter(start=datetime(2026, 5, 2, 20, tzinfo=UTC)).row(0, named=True)
    assert (night["stream"], night["hypnogram"], night["vendor_sol_s"]) == ("withings/unknown", None, 900)
    assert (night["totals"]["rem_s"], night["totals"]["asleep_s"]) == (None, 27000)


def test_a_night_written_by_hand_is_flagged(imported: Imported) -> None:
    """No heart rate and stages that are not whole minutes: flagged, and its latency of 0 is missing."""
    night = imported.sessions.filter(start=datetime(2026, 5, 1, 20, tzinfo=UTC)).row(0, named=True)
    assert (night["flags"], night["vendor_sol_s"], night["totals"]["deep_s"]) == (["edited", "incomplete"], None, 1319)


def test_every_row_is_accounted_for(imported: Imported) -> None:
    """Four rows are three sessions and one that holds nothing; states outside the nights are counted."""
    assert (imported.read, imported.sessions.height, imported.merged) == (4, 3, 0)
    assert [(one.record, one.reason) for one in imported.rejected] == [("sleep.csv line 5", "all its stages last 0 s")]
    assert imported.warnings == (
        "1 block of states outside every night, left out.",
        "2 sessions with totals and no stages (first: sleep.csv line 3).",
    )


@pytest.mark.parametrize(
    "language",
    [
        GERMAN,
        ("de", "a", "ligero (s)", "profundo (s)", "rem (s)", "despierto (s)", "despertar"),
        ("de", "à", "léger (s)", "profond (s)", "rem (s)", "éveil (s)", "réveils"),
    ],
)
def test_the_language_of_the_header_is_irrelevant(read_files: Any, language: tuple[str, ...]) -> None:
    """German, Spanish and French headers give the sessions of the English one."""
    local = night_table([night_row(night) for night in NIGHTS], language)
    english = night_table([night_row(night) for night in NIGHTS])
    assert read_files({"a.csv": local}).sessions.equals(read_files({"b.csv": english}).sessions)


def test_a_mat_knows_when_somebody_lies_down(read_files: Any) -> None:
    """A mat's start is a mark of going to bed, and its silence while somebody is up is wake."""
    start, seconds, states = next(mat_chunks(NIGHTS[0], 600))
    raw = [(start, seconds[:200], states[:200]), (start + timedelta(minutes=204), seconds[204:], states[204:])]
    row = night_row(NIGHTS[0])
    row[2] -= 60 * sum(state == 1 for state in states[200:204])  # type: ignore[operator]
    row[5] -= 60 * sum(state == 0 for state in states[200:204])  # type: ignore[operator]
    imported = read_files({"sleep.csv": night_table([row]), "raw_bed_sleep-state.csv": raw_table(raw)})
    (session,) = imported.sessions.iter_rows(named=True)
    assert (session["stream"], session["in_bed"], session["in_bed_source"]) == ("withings/bed", start, "in_bed")
    (absence,) = (piece for piece in session["hypnogram"] if piece["label"] == "out of bed")
    assert (absence["start_s"], absence["seconds"], absence["stage"]) == (12_000, 240, "wake")


def test_a_night_goes_to_the_device_whose_states_add_up_to_it(read_files: Any) -> None:
    """Of a watch and a mat that both saw a night, the one that Withings summed up is found; they are two streams."""
    other = [
        (start, seconds, [(state + 1) % 4 for state in states]) for start, seconds, states in mat_chunks(NIGHTS[0])
    ]
    mat = [*other, *mat_chunks(NIGHTS[1])]
    nights = night_table([night_row(night) for night in NIGHTS[:2]])
    imported = read_files(
        {"sleep.csv": nights, "raw_bed_sleep-state.csv": raw_table(mat), "raw_tracker_sleep-state.csv": WATCH}
    )
    assert imported.sessions["stream"].to_list() == ["withings/tracker", "withings/bed"]
    assert imported.sessions["hypnogram"].null_count() == 0


def test_states_that_do_not_add_up_are_not_used(read_files: Any) -> None:
    """A night of which half the states are missing keeps its sums alone, and the person hears of it."""
    half = raw_table(list(watch_chunks(NIGHTS[0]))[:1])
    imported = read_files({"sleep.csv": ONE, "raw_tracker_sleep-state.csv": half})
    (session,) = imported.sessions.iter_rows(named=True)
    assert (session["stream"], session["hypnogram"]) == ("withings/tracker", None)
    assert any("do not add up" in warning for warning in imported.warnings)


def test_a_night_told_twice_is_one_session(read_files: Any) -> None:
    """Two archives of one account overlap: a night in both is one session."""
    imported = read_files({"sleep.csv": ONE, "sleep2.csv": ONE})
    assert (imported.read, imported.sessions.height, imported.merged) == (2, 1, 1)


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        (0, "2025-03-10T22:45:00", "does not say its offset"),
        (1, "2025-03-10T22:00:00+01:00", "ends before it starts"),
        (3, "-60", ">= 0"),
        (4, "many", "Expected `float | null`"),
        (2, "90000", "its stages add up to"),
    ],
)
def test_a_broken_row_is_rejected_and_the_rest_is_kept(read_files: Any, column: int, cell: str, reason: str) -> None:
    """One row that cannot be used is rejected by its line with the reason, and no other."""
    bad = night_row(NIGHTS[0])
    bad[column] = cell
    imported = read_files({"sleep.csv": night_table([bad, night_row(NIGHTS[1])])})
    (rejected,) = imported.rejected
    assert (imported.sessions.height, rejected.record) == (1, "sleep.csv line 2")
    assert reason in rejected.reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('2025-03-11T01:00:00+01:00,"[60,60]",[1]', "2 durations and 1 values"),
        ("2025-03-11T01:00:00+01:00,sixty,[1]", "not lists of whole numbers"),
        ("2025-03-11T01:00:00+01:00,[-60],[1]", "not lists of whole numbers"),
        ("yesterday,[60],[1]", "is not a time"),
        ("2025-03-11T01:00:00+01:00", "not lists of whole numbers"),
    ],
)
def test_a_broken_row_of_states_is_one_rejected_record(read_files: Any, row: str, reason: str) -> None:
    """States that cannot be read are rejected by their line; the night keeps the others that add up to it."""
    imported = read_files({"sleep.csv": ONE, "raw_tracker_sleep-state.csv": WATCH + row + "\n"})
    (rejected,) = imported.rejected
    assert reason in rejected.reason
    assert rejected.record.startswith("raw_tracker_sleep-state.csv line ")
    assert imported.sessions["hypnogram"].null_count() == 0


def test_events_that_cannot_be_read_are_left_out(read_files: Any) -> None:
    """Night events are only a help: where they are broken the night is kept, and that is said."""
    row = night_row(NIGHTS[0])
    row[14] = "{broken"
    imported = read_files({"sleep.csv": night_table([row])})
    assert imported.sessions["vendor_sol_s"].to_list() == [900]
    assert any("night events that cannot be read" in warning for warning in imported.warnings)


def test_other_raw_tables_are_not_sleep(tmp_path: Path) -> None:
    """Steps and snoring have the columns of states: alone they are no export of sleep."""
    for name in ("raw_tracker_steps.csv", "raw_bed_snoring.csv"):
        (tmp_path / name).write_text(WATCH)
    with Export(tmp_path) as export, pytest.raises(DataError, match="no sleep that nof1 knows"):
        recognise(export, "withings")


def test_raw_states_alone_are_not_an_export(tmp_path: Path) -> None:
    """States without the table of nights are refused, and the person is asked for the whole export."""
    (tmp_path / "raw_tracker_sleep-state.csv").write_text(WATCH)
    with Export(tmp_path) as export, pytest.raises(DataError, match="Give the whole export"):
        recognise(export, "withings")
