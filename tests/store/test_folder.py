"""A study folder is private, found from inside, and its files are whole or absent."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from nof1.errors import InputMissingError, UsageError, WriteError
from nof1.store.folder import create_study_folder, find_study, require_new, write_new_folder, write_private_file


@pytest.fixture(params=[0o000, 0o022, 0o277, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Any umask a person may have."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """The permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_everything_is_private_under_any_umask(tmp_path: Path) -> None:
    """Folders are 0700 and files 0600, whatever the umask."""
    folder = create_study_folder(tmp_path / "a" / "study")
    path = folder.sleep("P01") / "x.parquet"
    write_private_file(path, b"night")
    assert path.read_bytes() == b"night"
    assert mode(path) == 0o600
    assert {mode(one) for one in (folder.path, folder.path.parent, path.parent, path.parent.parent)} == {0o700}


def test_a_study_is_found_from_inside(tmp_path: Path) -> None:
    """From a folder inside the study, the study is found; outside there is none, and the error says how to make one."""
    folder = create_study_folder(tmp_path / "study")
    folder.record.touch()
    inside = folder.path / "reports" / "P01"
    inside.mkdir(parents=True)
    assert find_study(inside) == folder
    with pytest.raises(InputMissingError, match="nof1 init"):
        find_study(tmp_path)


def test_a_study_is_not_made_twice(tmp_path: Path) -> None:
    """Making a study where one is says so; what lies in a folder that is none stays."""
    (tmp_path / "export.json").write_text("[]")
    folder = create_study_folder(tmp_path)
    assert (tmp_path / "export.json").exists()
    folder.record.touch()
    with pytest.raises(UsageError, match="already"):
        create_study_folder(tmp_path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that refuses half-way leaves the old content and no rubbish."""
    path = tmp_path / "result.json"
    write_private_file(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left"):
        write_private_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["result.json"]


def test_who_breaks_off_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of a write: the old file is whole, and nothing of the new one stays behind."""
    write_private_file(tmp_path / "report.html", b"old")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_private_file(tmp_path / "report.html", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("report.html", b"old")]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """A file in the way is named."""
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="file"):
        create_study_folder(tmp_path / "file" / "study")


@pytest.mark.parametrize("name", [".", "../here", "sub/.."])
def test_an_export_does_not_replace_the_folder_one_stands_in(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is spelt: a shell would stand in a folder that is no more. A new one inside is made."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    if name.startswith("sub"):
        Path("sub").mkdir()
    with pytest.raises(WriteError, match="the folder you are in"):
        write_new_folder(Path(name), {"a": b"b"})
    write_new_folder(Path("new/../fresh"), {"a": b"b"})
    assert Path("fresh/a").read_bytes() == b"b"


def test_an_empty_folder_is_nothing_to_a_folder_and_something_to_a_file(tmp_path: Path) -> None:
    """A folder may take its place; a file cannot, and says so before any work."""
    require_new(tmp_path)
    with pytest.raises(WriteError, match="is there already"):
        require_new(tmp_path, folder=False)
