"""Hypnograms as text: what the lines at the top decide, and what is not guessed."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cases import write_export
from tests.connectors.written import read_all

from nof1.connect.connector import Imported
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.errors import DataError
from nof1.sleep.assembly import assemble_nights

EXPORTS = Path(__file__).parent / "exports"
TOP = "# start: 2026-03-01T23:10:00+01:00\n# epoch_s: 30\n"


def read(folder: Path, text: str) -> Imported:
    """Read one file."""
    path = folder / "night.txt"
    path.write_text(text)
    return read_all(path)["hypnogram"]


def session(imported: Imported) -> dict[str, Any]:
    """The only session."""
    (row,) = imported.sessions.iter_rows(named=True)
    return row


def stages(row: dict[str, Any]) -> list[tuple[int, int, str]]:
    """The hypnogram in few words."""
    return [(piece["start_s"], piece["seconds"], piece["stage"]) for piece in row["hypnogram"]]


def reason(folder: Path, text: str) -> str:
    """Why the only record was rejected."""
    (rejected,) = read(folder, text).rejected
    return rejected.reason


def test_yasas_numbers_are_read() -> None:
    """Artefacts and unscored epochs are unscored, both light stages are light, and 4 is REM sleep."""
    row = session(read_all(EXPORTS / "yasa.txt")["hypnogram"])
    assert (row["start"], row["stream"]) == (datetime(2026, 3, 1, 22, 10, tzinfo=UTC), "hypnogram/ZMax")
    assert stages(row) == [
        (0, 30, "unscored"),
        (30, 60, "wake"),
        (90, 30, "light"),
        (120, 30, "light"),
        (150, 60, "deep"),
        (210, 60, "rem"),
        (270, 30, "unscored"),
        (300, 30, "wake"),
    ]


def test_remlogics_events_are_read_over_midnight() -> None:
    """In French, with points in times and an accent of Windows; events that are no stages are passed over."""
    row = session(read_all(EXPORTS / "remlogic.txt")["hypnogram"])
    assert (row["start"], row["stream"]) == (datetime(2026, 3, 13, 22, 59, tzinfo=UTC), "hypnogram/RemLogic")
    assert stages(row) == [
        (0, 30, "wake"),
        (30, 30, "light"),
        (60, 30, "deep"),
        (90, 30, "deep"),
        (120, 30, "unscored"),
        (150, 30, "rem"),
    ]


@pytest.mark.parametrize(("mapping", "stage"), [("yasa", "rem"), ("rk", "deep")])
def test_the_same_four_is_what_the_mapping_says(tmp_path: Path, mapping: str, stage: str) -> None:
    """REM sleep to yasa, stage 4 to Rechtschaffen and Kales."""
    more = "5\n" if mapping == "rk" else ""
    assert stages(session(read(tmp_path, f"{TOP}# stages: {mapping}\n4\n4\n{more}")))[0] == (0, 60, stage)


@pytest.mark.parametrize(
    ("mapping", "tokens", "because"),
    [("yasa", "2\n3\n5\n", "`# stages: rk`"), ("rk", "2\n3\n4\n", "`# stages: yasa`")],
)
def test_a_mapping_that_the_numbers_deny_is_rejected(tmp_path: Path, mapping: str, tokens: str, because: str) -> None:
    """The wrong mapping would pass REM sleep off as deep sleep."""
    assert because in reason(tmp_path, f"{TOP}# stages: {mapping}\n{tokens}")


def test_words_are_read_in_any_case_and_unknown_ones_are_told(tmp_path: Path) -> None:
    """A word that nobody knows is unscored, and keeps its night."""
    imported = read(tmp_path, f"{TOP}# stages: words\nW\nn1\nN2\nN3\nREM\nART\ndrowsy\n")
    assert [stage for _, _, stage in stages(session(imported))] == [
        "wake",
        "light",
        "light",
        "deep",
        "rem",
        "unscored",
        "unscored",
    ]
    assert any("'drowsy'" in warning for warning in imported.warnings)


@pytest.mark.parametrize("damage", ["2\t2", "\ufffd", "<html>", "2" * 13])
def test_a_line_that_is_no_word_rejects_the_night(tmp_path: Path, damage: str) -> None:
    """What says at its top that it is a hypnogram is read as one: if it is damaged, the night is named as rejected."""
    (tmp_path / "whole.txt").write_text(f"{TOP}# stages: yasa\n2\n2\n3\n")
    (tmp_path / "damaged.txt").write_text(f"{TOP.replace('-01T', '-02T')}# stages: yasa\n2\n{damage}\n3\n")
    imported = read_all(tmp_path)["hypnogram"]
    assert [(one.record, damage in one.reason or repr(damage) in one.reason) for one in imported.rejected] == [
        ("damaged.txt", True)
    ]
    assert imported.sessions.height == 1


def test_missing_lines_are_named(tmp_path: Path) -> None:
    """The refusal shows the lines to add, and no others."""
    with pytest.raises(DataError) as refused:
        read(tmp_path, "# epoch_s: 30\n" + "2\n" * 100)
    told = str(refused.value)
    assert "  # start: 2026-03-01T23:10:00+01:00\n  # stages: yasa" in told
    assert "# epoch_s" not in told


def test_bare_numbers_are_asked_for_their_meaning(tmp_path: Path) -> None:
    """A file of many stages and nothing else is a hypnogram whose lines are missing; a few numbers are no hypnogram."""
    with pytest.raises(DataError, match="does not say what its lines mean"):
        read(tmp_path, "0\n2\n3\n" * 40)
    with pytest.raises(DataError, match="holds no sleep"):
        read(tmp_path, "0\n2\n3\n")


def test_latency_counts_from_lights_out_and_from_nothing_else(tmp_path: Path) -> None:
    """With the line there is a latency; without it none, by any source."""
    night = "0\n" * 20 + "2\n" * 800
    imported = read(tmp_path, f"{TOP}# stages: yasa\n# lights_out: 2026-03-01T23:12:00+01:00\n{night}")
    assert assemble_nights(imported.sessions, latency_source="in_bed")["sol_min"].to_list() == [8]
    without = read(tmp_path, f"{TOP}# stages: yasa\n{night}")
    for source in ("in_bed", "vendor", "stages"):
        assert assemble_nights(without.sessions, latency_source=source)["sol_min"].to_list() == [None]


@pytest.mark.parametrize(
    ("line", "because"),
    [("# epoch_s: 0", "its epoch_s is '0'"), ("# start: tonight", "'tonight' is not a time")],
)
def test_a_line_that_cannot_be_right_is_rejected(tmp_path: Path, line: str, because: str) -> None:
    """The first line of a name counts."""
    assert because in reason(tmp_path, f"{line}\n{TOP}# stages: yasa\n0\n2\n")


@pytest.mark.parametrize(("date", "because"), [("03/04/2026", "in two ways"), ("31/02/2026", "is no date")])
def test_a_date_that_can_be_read_in_two_ways_is_not_guessed(tmp_path: Path, date: str, because: str) -> None:
    """Day and month exchanged would put the night into another arm; a line at the top decides."""
    text = (EXPORTS / "remlogic.txt").read_text(encoding="cp1252").replace("13/03/2026", date)
    assert because in reason(tmp_path, text)
    assert session(read(tmp_path, f"# date: 2026-04-03\n{text}"))["start"].date().isoformat() == "2026-04-03"


def test_a_stage_without_a_time_rejects_the_night(tmp_path: Path) -> None:
    """A hole would be counted as no sleep."""
    text = (EXPORTS / "remlogic.txt").read_text(encoding="cp1252").replace("00.00.30", "??")
    assert "has no time or no length" in reason(tmp_path, text)


def test_a_list_of_numbers_beside_another_export_is_left_alone(tmp_path: Path) -> None:
    """Steps counted in a text file neither refuse nor pollute a Fitbit archive; asked for, they are a hypnogram."""
    path = write_export(tmp_path / "takeout.zip", 3)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("steps.txt", "0\n1\n2\n3\n" * 30)
    with Export(path) as export:
        (claim,) = recognise(export, untested_ok=True)
        assert claim.connector.name == "fitbit"
        assert [name for name, why in claim.skipped if "--from hypnogram --untested-ok" in why] == ["steps.txt"]
        (asked,) = recognise(export, "hypnogram", untested_ok=True)
        assert [member.name for member in asked.members] == ["steps.txt"]


def test_a_hypnogram_that_says_so_stands_beside_another_export(tmp_path: Path) -> None:
    """The lines at its top make it a hypnogram, whatever lies beside it."""
    path = write_export(tmp_path / "takeout.zip", 3)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("night.txt", f"{TOP}# stages: yasa\n2\n2\n3\n")
    with Export(path) as export:
        assert [claim.connector.name for claim in recognise(export, untested_ok=True)] == ["fitbit", "hypnogram"]
