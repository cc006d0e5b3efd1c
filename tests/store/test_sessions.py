"""Sleep files hold what was imported, and reading them does not depend on the order of import."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dataframely as dy
import pytest
from tests.cases import ZONE

from nof1.errors import DataError, TamperedError
from nof1.sleep.session import SCHEMA, Sessions, sessions_from_rows
from nof1.store.folder import StudyFolder
from nof1.store.sessions import file_fault, import_key, read_about, scan_sessions, sweep_interrupted, write_sessions
from nof1.study.study import create_study

EVENING = datetime(2026, 5, 12, 21, 0, tzinfo=UTC)


def session(record_id: str = "1", *, night: int = 0, **changes: Any) -> dict[str, Any]:
    """One session of two segments."""
    segments = [(0, 600, "wake"), (600, 25_200, "deep")]
    return {
        "participant": "P01",
        "source": "fitbit",
        "stream": "fitbit/legacy",
        "record_id": record_id,
        "start": EVENING + timedelta(days=night),
        "end": EVENING + timedelta(days=night, hours=8),
        "zone_source": "option",
        "kind": "main",
        "staging": "stages",
        "hypnogram": [{"start_s": s, "seconds": n, "stage": stage, "label": stage} for s, n, stage in segments],
        "in_bed_source": "none",
        "flags": ["manual"],
    } | changes


def table(*rows: dict[str, Any]) -> dy.DataFrame[Sessions]:
    """A checked table."""
    return sessions_from_rows(list(rows))


@pytest.mark.parametrize("name", ["trial [2026]", "[", "why?*", "50%20off #1", "{a,b}", "year=2026", "~", "a&b;c"])
def test_a_study_may_lie_in_any_folder(name: str, tmp_path: Path) -> None:
    """Names that mean something to a shell, a glob or a URL are names of folders all the same."""
    study = create_study(tmp_path / name, zone=ZONE)
    file = write_sessions(study.folder, "P01", "key", table(session()), {})
    assert scan_sessions(study.folder, [file]).collect().height == 1
    with study.record() as record:
        assert list(record.participants()) == ["P01"]


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    """An empty study folder."""
    return StudyFolder(tmp_path)


def test_a_table_comes_back_as_it_was(folder: StudyFolder) -> None:
    """Nested enums, nulls and instants survive the round trip to Parquet exactly."""
    sessions = table(session("1"), session("2", night=1, hypnogram=None, staging="totals", totals={"deep_s": 60}))
    file = write_sessions(folder, "P01", "key", sessions, {"read": 2})
    back = scan_sessions(folder, [file]).collect()
    assert back.schema == SCHEMA
    assert back.equals(sessions)
    assert read_about(file.path(folder)) == {"schema": 1, "read": 2}
    assert scan_sessions(folder, []).collect().schema == SCHEMA


def test_the_same_import_has_the_same_bytes(folder: StudyFolder) -> None:
    """Writing twice gives the same hash: no clock and no machine in the file."""
    first = write_sessions(folder, "P01", "a", table(session()), {"x": 1})
    second = write_sessions(folder, "P01", "b", table(session()), {"x": 1})
    assert first.sha256 == second.sha256
    assert file_fault(folder, first) is None


def test_versions_of_a_session_resolve_by_update_then_reach_then_hash(folder: StudyFolder) -> None:
    """The vendor's later update wins; else the export that reaches further, whatever the order of import."""
    later = EVENING + timedelta(days=9)
    files = [
        write_sessions(
            folder, "P01", "a", table(session("1", device="old"), session("2", device="short", night=1)), {}
        ),
        write_sessions(folder, "P01", "b", table(session("1", device="new", updated=later)), {}),
        write_sessions(folder, "P01", "c", table(session("2", device="far", night=1), session("3", night=5)), {}),
    ]
    tables = [scan_sessions(folder, list(order)).collect() for order in itertools.permutations(files)]
    assert all(one.equals(tables[0]) for one in tables)
    devices = dict(tables[0].select("record_id", "device").iter_rows())
    assert devices == {"1": "new", "2": "far", "3": None}


def test_sessions_of_two_streams_are_kept_apart(folder: StudyFolder) -> None:
    """The same id in two streams is two sessions."""
    file = write_sessions(folder, "P01", "a", table(session(), session(stream="fitbit/sleep_stages_v2")), {})
    assert scan_sessions(folder, [file]).collect().height == 2


def test_missing_changed_and_newer_files_are_named(folder: StudyFolder) -> None:
    """A file that is gone, changed, foreign or newer is an error, never a gap."""
    file = write_sessions(folder, "P01", "a", table(session()), {})
    newer = write_sessions(folder, "P01", "b", table(session()), {"schema": 99})
    with pytest.raises(DataError, match="newer nof1"):
        scan_sessions(folder, [newer])
    path = file.path(folder)
    content = bytearray(path.read_bytes())
    content[random.Random(1).randrange(len(content))] ^= 1
    path.write_bytes(content)
    assert "bytes changed" in str(file_fault(folder, file))
    path.write_bytes(b"PAR1 nothing")
    with pytest.raises(DataError, match="not a sleep file"):
        scan_sessions(folder, [file])
    path.unlink()
    assert "missing" in str(file_fault(folder, file))
    with pytest.raises(TamperedError, match="missing"):
        scan_sessions(folder, [file])


def test_leftovers_of_an_interrupted_import_are_swept(folder: StudyFolder) -> None:
    """What no event admits and nof1 wrote is removed; admitted files and those of others stay."""
    kept, left = (write_sessions(folder, "P01", digit * 32, table(session()), {}) for digit in "ab")
    home = folder.sleep("P01")
    torn = home / f".{'c' * 32}.parquet.1.tmp"
    for path in (torn, home / "mine.parquet", home / "notes.txt"):
        path.touch()
    swept = sweep_interrupted(folder, "P01", [kept])
    assert sorted(swept) == sorted([torn, left.path(folder)])
    assert sorted(path.name for path in home.iterdir()) == [f"{kept.key}.parquet", "mine.parquet", "notes.txt"]


def test_nothing_is_swept_through_a_link(folder: StudyFolder, tmp_path: Path) -> None:
    """A sleep folder that is a link to somewhere else is left alone."""
    elsewhere = StudyFolder(tmp_path / "elsewhere")
    file = write_sessions(elsewhere, "P01", "a" * 32, table(session()), {})
    folder.sleep("P01").parent.mkdir(parents=True, exist_ok=True)
    folder.sleep("P01").symlink_to(elsewhere.sleep("P01"))
    assert sweep_interrupted(folder, "P01", []) == []
    assert file_fault(elsewhere, file) is None


def test_a_staged_version_beats_an_unstaged_one(folder: StudyFolder) -> None:
    """Of two versions of a session that say the same otherwise, the one with stages stands, whatever their hashes."""
    bare = session("1", hypnogram=None, staging="totals", totals={"deep_s": 60})
    for one, other in (("a", "b"), ("b", "a")):
        files = [
            write_sessions(folder, "P01", one * 32, table(session("1")), {}),
            write_sessions(folder, "P01", other * 32, table(bare, session("2", night=9)), {}),
        ]
        assert scan_sessions(folder, files).collect()["staging"].to_list() == ["stages", "stages"]


def test_the_key_knows_how_an_export_was_read() -> None:
    """Another export, version or zone is another import."""
    keys = [
        import_key("f1", "fitbit", "1", {"zone": "Europe/Berlin"}),
        import_key("f2", "fitbit", "1", {"zone": "Europe/Berlin"}),
        import_key("f1", "fitbit", "2", {"zone": "Europe/Berlin"}),
        import_key("f1", "fitbit", "1", {"zone": "Asia/Tokyo"}),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0] == import_key("f1", "fitbit", "1", {"zone": "Europe/Berlin"})
