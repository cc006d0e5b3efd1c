"""EDF+ hypnograms, written byte by byte."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.edf.writer import annotation, edf, write_hypnograms
from tests.connectors.nights import NIGHTS
from tests.connectors.written import read_all

from nof1.connect.connector import Imported
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.errors import DataError
from nof1.sleep.assembly import assemble_nights

EXPORTS = Path(__file__).parent / "exports"
START = datetime(2026, 3, 1, 22, 0, 0)  # noqa: DTZ001 (a recorder's clock has no zone)


def read(folder: Path, content: bytes) -> Imported:
    """Read one file."""
    path = folder / "night.edf"
    path.write_bytes(content)
    return read_all(path)["edf"]


def session(imported: Imported) -> dict[str, Any]:
    """The only session."""
    (row,) = imported.sessions.iter_rows(named=True)
    return row


def stages(row: dict[str, Any]) -> list[tuple[int, int, str]]:
    """The hypnogram in few words."""
    return [(piece["start_s"], piece["seconds"], piece["stage"]) for piece in row["hypnogram"]]


def reason(folder: Path, content: bytes) -> str:
    """Why the only record was rejected."""
    (rejected,) = read(folder, content).rejected
    return rejected.reason


def test_the_example_is_read_between_lights_off_and_lights_on() -> None:
    """Wake before lights-off and after lights-on is cut off; old and new names of stages, and movement, are known."""
    row = session(read_all(EXPORTS / "hypnogram.edf")["edf"])
    assert (row["start"], row["end"]) == (
        datetime(2026, 3, 1, 21, 30, tzinfo=UTC),
        datetime(2026, 3, 1, 21, 40, tzinfo=UTC),
    )
    assert (row["in_bed"], row["in_bed_source"], row["flags"]) == (row["start"], "in_bed", [])
    assert stages(row) == [
        (0, 120, "wake"),
        (120, 60, "light"),
        (180, 60, "light"),
        (240, 60, "deep"),
        (300, 60, "deep"),
        (360, 30, "unscored"),
        (390, 60, "rem"),
        (450, 30, "asleep"),
        (480, 120, "wake"),
    ]


def test_without_lights_off_there_is_no_latency(tmp_path: Path) -> None:
    """Two hours of wake at the beginning of a recording are no latency, by any source."""
    imported = read(
        tmp_path,
        edf(START, [annotation(0, "Sleep stage W", 7200), annotation(7200, "Sleep stage 2", 14400)]),
    )
    assert session(imported)["flags"] == ["starts_at_onset"]
    for source in ("in_bed", "vendor", "stages"):
        assert assemble_nights(imported.sessions, latency_source=source)["sol_min"].to_list() == [None]
    assert "no mark of lights-off" in imported.warnings[0]


def test_a_stage_without_length_lasts_until_the_next(tmp_path: Path) -> None:
    """The last of them lasts an epoch."""
    row = session(read(tmp_path, edf(START, [annotation(at, f"Sleep stage N{n}") for at, n in [(0, 1), (90, 3)]])))
    assert stages(row) == [(0, 90, "light"), (90, 30, "deep")]


def test_a_stage_that_is_there_twice_counts_once_and_two_scorers_do_not_count(tmp_path: Path) -> None:
    """A copy is a copy; two opinions of one moment cannot both stand."""
    one, other = annotation(0, "Sleep stage 2", 60), annotation(30, "Sleep stage R", 60)
    assert stages(session(read(tmp_path, edf(START, [one, one])))) == [(0, 60, "light")]
    assert "its stages overlap" in reason(tmp_path, edf(START, [one, other]))


def test_the_full_date_goes_before_the_short_one(tmp_path: Path) -> None:
    """The short date of an anonymised file may be false while the full one is true."""
    stage = [annotation(0, "Sleep stage 2", 60)]
    assert session(read(tmp_path, edf(START, stage, date="01.01.85")))["start"].year == 2026
    row = session(read(tmp_path, edf(START, stage, recording="Startdate X X X X")))
    assert row["start"] == datetime(2026, 3, 1, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "because"),
    [
        ("01.01.85", "as in anonymised files: nobody can say which night it was"),
        ("24.04.89", "is not a time of this century"),
        ("31.02.26", "is not a date and time"),
        ("2026", "is not a date and time"),
    ],
)
def test_a_recording_without_a_date_is_rejected(tmp_path: Path, date: str, because: str) -> None:
    """A night that cannot be dated belongs to no arm of a trial."""
    content = edf(START, [annotation(0, "Sleep stage 2", 60)], recording="X X X X", date=date)
    assert because in reason(tmp_path, content)


def test_a_recording_without_stages_asks_for_the_hypnogram(tmp_path: Path) -> None:
    """Annotations of other things are no hypnogram."""
    assert "give the file with the hypnogram" in reason(tmp_path, edf(START, [annotation(5, "Arousal", 3)]))


def test_an_unknown_stage_keeps_its_night(tmp_path: Path) -> None:
    """Its time is unscored, its label is kept, and the person hears of it."""
    imported = read(tmp_path, edf(START, [annotation(0, "Sleep stage 2", 60), annotation(60, "Sleep stage 9", 30)]))
    assert stages(session(imported)) == [(0, 60, "light"), (60, 30, "unscored")]
    assert any("'Sleep stage 9'" in warning for warning in imported.warnings)


def test_signals_without_annotations_are_not_claimed(tmp_path: Path) -> None:
    """A plain recording is nobody's sleep export."""
    content = edf(START, []).replace(b"EDF Annotations", b"EEG Fpz-Cz     ")
    with pytest.raises(DataError, match="holds no sleep"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (lambda content: content[:-40], "data records and holds"),
        (lambda content: content[:300], "ends within its header"),
        (lambda content: content.replace(b"+0\x14\x14\0", b"+!\x14\x14\0"), "an annotation that is damaged"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, change: Any, because: str) -> None:
    """Half a night must not pass for a night."""
    with pytest.raises(DataError, match=because):
        read(tmp_path, change(edf(START, [annotation(30 * i, "Sleep stage 2", 30) for i in range(100)])))


def test_a_recording_that_is_not_recognised_beside_others_is_told(tmp_path: Path) -> None:
    """One wrong byte in the header of one night must not make that night vanish in silence."""
    write_hypnograms(NIGHTS[:2], tmp_path)
    damaged = tmp_path / "night01.edf"
    damaged.write_bytes(b"1" + damaged.read_bytes()[1:])
    with Export(tmp_path) as export:
        (claim,) = recognise(export, untested_ok=True)
        assert [name for name, _ in claim.skipped] == ["night01.edf"]
