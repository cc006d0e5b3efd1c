"""Importing twice, in any order, overlapping or interrupted leaves the table that importing once leaves."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from tests.cases import ZONE, write_export

from nof1.errors import DataError, InputMissingError, UsageError
from nof1.store.sessions import scan_sessions
from nof1.store.state import admitted_files
from nof1.study.imports import import_exports, list_imports, preview_in_study, retract_import
from nof1.study.nights import read_nights
from nof1.study.study import Study, create_study
from nof1.study.verification import verify
from nof1_connectors.generic_csv import CONNECTOR as GENERIC

NIGHTS = 40


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Takeout archive of forty nights."""
    return write_export(tmp_path_factory.mktemp("export") / "takeout.zip", NIGHTS)


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same person's next archive: the same forty nights, and twenty more."""
    return write_export(tmp_path_factory.mktemp("export") / "takeout.zip", NIGHTS + 20)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """An empty study."""
    return create_study(tmp_path / "study", zone=ZONE)


def table(study: Study) -> pl.DataFrame:
    """Everything that the study holds of its sleep."""
    with study.record() as record:
        files = [file for code in record.participants() for file in admitted_files(record, code)]
    return scan_sessions(study.folder, files).collect()


def test_importing_twice_is_importing_once(study: Study, archive: Path) -> None:
    """The second import finds nothing new, and leaves the same files, events and table."""
    first = import_exports(study, [archive])
    once = table(study), list_imports(study)
    again = import_exports(study, [archive, archive])
    assert first.new_sessions == first.sessions > 0
    assert again.new_sessions == 0
    assert (table(study).equals(once[0]), list_imports(study)) == (True, once[1])


def test_a_folder_a_zip_and_a_copy_are_the_same_import(study: Study, archive: Path, tmp_path: Path) -> None:
    """What counts is what was read, not how it was wrapped or named."""
    zipfile.ZipFile(archive).extractall(tmp_path / "unzipped")
    copy = tmp_path / "copy of takeout.zip"
    copy.write_bytes(archive.read_bytes())
    import_exports(study, [archive])
    for other in (tmp_path / "unzipped", copy):
        assert import_exports(study, [other]).files[0].already_imported
    assert len(list_imports(study)) == 1


def test_overlapping_exports_in_any_order(archive: Path, longer: Path, tmp_path: Path) -> None:
    """Two exports that share nights give one table, whichever comes first, and no session twice."""
    tables = []
    for number, order in enumerate(itertools.permutations([archive, longer])):
        study = create_study(tmp_path / f"study{number}", zone=ZONE)
        for export in order:
            import_exports(study, [export])
        tables.append(table(study))
    assert tables[0].equals(tables[1])
    assert tables[0].select("stream", "record_id").is_duplicated().sum() == 0


def test_two_imports_at_the_same_time(archive: Path, longer: Path, tmp_path: Path) -> None:
    """Two commands that import together both succeed, and leave what one after the other leaves."""
    together, apart = (create_study(tmp_path / name, zone=ZONE) for name in ("together", "apart"))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda export: import_exports(together, [export]), [archive, longer]))
    for export in (archive, longer):
        import_exports(apart, [export])
    assert table(together).equals(table(apart))
    verify(together)


def test_one_damaged_file_among_several_stops_them_all(study: Study, archive: Path, tmp_path: Path) -> None:
    """Nothing is written when one of the files is damaged."""
    broken = tmp_path / "broken.json"
    broken.write_text('[{"logId": 1, "dateOfSleep": "2026-01-05", ')
    before = sorted(study.folder.path.rglob("*"))
    with pytest.raises(DataError, match="broken"):
        import_exports(study, [archive, broken])
    assert sorted(study.folder.path.rglob("*")) == before
    assert list_imports(study) == []


def test_a_retracted_import_is_withdrawn_and_kept_on_record(study: Study, archive: Path) -> None:
    """After a retraction the nights are gone, the list still shows it, and it cannot be retracted twice."""
    import_exports(study, [archive])
    (listed,) = list_imports(study)
    retract_import(study, listed.key[:10], reason="somebody else's")
    assert table(study).is_empty()
    assert [one.retracted for one in list_imports(study)] == [True]
    with pytest.raises(UsageError, match="no standing import"):
        retract_import(study, listed.key, reason="again")
    verify(study)


def test_a_lost_sleep_file_comes_back_with_its_export(study: Study, archive: Path) -> None:
    """The same export restores a file that was lost, byte for byte."""
    import_exports(study, [archive])
    before = table(study)
    for path in study.folder.sleep("P01").iterdir():
        path.unlink()
    import_exports(study, [archive])
    assert table(study).equals(before)
    verify(study)


def test_a_wrong_person_s_stream_does_not_stay(study: Study, archive: Path, tmp_path: Path) -> None:
    """After the import that chose the stream is retracted, the right person's export chooses anew."""
    import_exports(study, [_google_pair(tmp_path / "google")])
    (wrong,) = list_imports(study)
    retract_import(study, wrong.key, reason="another person's")
    summary = import_exports(study, [archive])
    assert summary.stream == "fitbit/legacy"
    assert read_nights(study).height == summary.nights > 0


def test_nights_need_an_import(study: Study) -> None:
    """Asking for nights before any import says what to do."""
    with pytest.raises(InputMissingError, match="nof1 import"):
        read_nights(study)


def test_the_zone_is_the_option_s_else_the_participant_s(study: Study, archive: Path) -> None:
    """A naive time is read in the zone that was said, and the summary says whose word that was."""
    home, told = preview_in_study(study, [archive]), preview_in_study(study, [archive], zone="America/New_York")
    assert (home.zone, home.zone_source) == (ZONE, "participant")
    assert (told.zone, told.zone_source) == ("America/New_York", "option")
    assert home.bedtime == told.bedtime  # the wall clock is the same, the instant is not


def test_the_stream_of_the_first_import_stays(study: Study, archive: Path, tmp_path: Path) -> None:
    """Later exports of another stream are kept, and do not change which nights are analysed."""
    import_exports(study, [archive])
    nights = read_nights(study)
    other = import_exports(study, [_google_pair(tmp_path / "google")])
    assert other.streams == {"fitbit/sleep_stages_v2": 1}
    assert "None of these sessions" in other.notes[0]
    assert read_nights(study).equals(nights)


def _google_pair(folder: Path) -> Path:
    """One night in the tables of a newer Takeout."""
    folder.mkdir()
    start, end = "2026-01-05 22:00:00+0000", "2026-01-06 05:00:00+0000"
    (folder / "UserSleeps_2026-01-05.csv").write_text(
        "sleep_id,sleep_type,minutes_asleep,start_utc_offset,sleep_start,end_utc_offset,sleep_end,data_source,algorithm_version\n"
        f"1,STAGES,420,+01:00,{start},+01:00,{end},DERIVED,sleep_session_v2\n"
    )
    (folder / "UserSleepStages_2026-01-05.csv").write_text(
        "sleep_id,sleep_stage_id,sleep_stage_type,start_utc_offset,sleep_stage_start,end_utc_offset,sleep_stage_end,"
        "data_source,algorithm_version\n"
        f"1,2,LIGHT,+01:00,{start},+01:00,{end},DERIVED,sleep_stages_v2\n"
    )
    return folder


def nights_csv(path: Path, nights: int, offset: str = "") -> Path:
    """A table of nights; without an offset they are on the wall clock of nobody knows where."""
    rows = [f"2026-02-{day:02}T23:00{offset},2026-02-{day + 1:02}T07:00{offset},400" for day in range(1, nights + 1)]
    path.write_text("\n".join(["start,end,tst_min", *rows]) + "\n")
    return path


def read_with(study: Study, path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> bool:
    """Import a table as this version of its connector reads it; say whether that was imported before."""
    monkeypatch.setattr(type(GENERIC), "version", version)
    return import_exports(study, [path]).files[0].already_imported


def test_saying_the_home_zone_imports_nothing_again(study: Study, tmp_path: Path) -> None:
    """Who named the zone makes no other import: nothing is withdrawn, and no reason on record is untrue."""
    path = nights_csv(tmp_path / "mine.csv", 3)
    import_exports(study, [path])
    before = list_imports(study)
    assert preview_in_study(study, [path], zone=ZONE).notes == import_exports(study, [path], zone=ZONE).notes
    assert import_exports(study, [path], zone=ZONE).files[0].already_imported
    assert list_imports(study) == before


def test_an_older_reader_withdraws_nothing(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions are numbers: the ninth is older than the tenth, and its reading does not replace the tenth's."""
    path = nights_csv(tmp_path / "mine.csv", 3)
    again = [read_with(study, path, monkeypatch, version) for version in ("9", "10", "9", "10.1")]
    assert again == [False, False, True, False]
    assert [one.retracted for one in list_imports(study)] == [True, True, False]
    with study.record() as record:
        reasons = [event.reason for event in record.events() if event.kind == "import-retracted"]
    assert reasons == [f"read again by generic_csv version {version}" for version in ("10", "10.1")]


def test_another_zone_is_another_reading(study: Study, tmp_path: Path) -> None:
    """An export that tells its own zone may be imported under two: the second withdraws nothing."""
    path = nights_csv(tmp_path / "mine.csv", 3, "+01:00")
    import_exports(study, [path])
    import_exports(study, [path], zone="Asia/Tokyo")
    assert [(one.zone, one.retracted) for one in list_imports(study)] == [(ZONE, False), ("Asia/Tokyo", False)]


def test_a_wrong_zone_names_the_imports_that_hold_these_nights(study: Study, tmp_path: Path) -> None:
    """Imports of other nights in that zone, or of nights that tell their own, are not to be withdrawn."""
    import_exports(study, [nights_csv(tmp_path / "placed.csv", 9, "+01:00")])
    nights_csv(tmp_path / "others.csv", 9)
    (tmp_path / "others.csv").write_text((tmp_path / "others.csv").read_text().replace("2026-02", "2026-03"))
    import_exports(study, [tmp_path / "others.csv"])
    import_exports(study, [nights_csv(tmp_path / "mine.csv", 3)])
    *_, own = list_imports(study)
    with pytest.raises(UsageError, match=rf"was wrong: nof1 retract {own.key[:8]} --reason \S+ \S+ and import again"):
        import_exports(study, [tmp_path / "mine.csv"], zone="America/New_York")


@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are UTF-8")
def test_a_name_that_is_not_utf_8_goes_on_record_with_a_question_mark(study: Study, tmp_path: Path) -> None:
    """Old disks hold such names; what is in the file can be read all the same."""
    path = nights_csv(tmp_path / "mine.csv", 3).rename(tmp_path / os.fsdecode(b"n\xfcchte.csv"))
    assert import_exports(study, [path]).new_sessions == 3
    (listed,) = list_imports(study)
    assert listed.export == "n?chte.csv"
    with pytest.raises(DataError, match="reason must be text that can be written as UTF-8"):
        retract_import(study, listed.key, reason=os.fsdecode(b"\xfc"))
    assert not list_imports(study)[0].retracted


IMPORTING = """
import sys
from nof1.study.imports import import_exports
from nof1.study.study import open_study
study = open_study(sys.argv[1])
print("ready", flush=True)
import_exports(study, sys.argv[2:])
"""


def import_and_kill(study: Study, export: Path, after: float | None) -> float:
    """Import in a process of its own, killed so many seconds after it begins to read; give the seconds it lived."""
    words = [sys.executable, "-c", IMPORTING, study.folder.path, export]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        began = time.perf_counter()
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        return time.perf_counter() - began


@pytest.mark.faults
def test_an_import_killed_at_any_moment_loses_nothing(archive: Path, longer: Path, tmp_path: Path) -> None:
    """Killed at fifty random moments, an import leaves a sound study, and the same table once it is run again."""
    calm = create_study(tmp_path / "calm", zone=ZONE)
    import_exports(calm, [archive])
    before = table(calm)
    span = import_and_kill(calm, longer, None)
    after = table(calm)
    rng = random.Random(20260512)
    unfinished = 0
    for moment in range(50):
        study = create_study(tmp_path / f"study{moment}", zone=ZONE)
        import_exports(study, [archive])
        import_and_kill(study, longer, rng.uniform(0, span))
        verify(study)
        left = table(study)
        assert left.equals(before) or left.equals(after)
        unfinished += left.equals(before)
        import_exports(study, [longer])
        assert table(study).equals(after)
        assert len(list(study.folder.sleep("P01").iterdir())) == 2
    assert 10 <= unfinished <= 50
