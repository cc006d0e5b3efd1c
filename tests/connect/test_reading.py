"""Exports seen as members."""

import hashlib
import os
import socket
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nof1.connect.reading import Export
from nof1.errors import DataError, InputMissingError, ReadError


def read_all(export: Export, wanted: str = ".json") -> None:
    """Read every member whose name ends so."""
    for member in export.members:
        if member.name.endswith(wanted):
            member.read(2**20)


def test_nothing_there_is_said(tmp_path: Path) -> None:
    """A path with nothing at it is an input that is missing, not data that is bad."""
    with pytest.raises(InputMissingError, match=r"nothing at .*sleep\.zip"):
        Export(tmp_path / "sleep.zip")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    """An empty file is refused."""
    (tmp_path / "sleep.json").touch()
    with pytest.raises(DataError, match="is empty"):
        Export(tmp_path / "sleep.json")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """A folder without files is refused."""
    with pytest.raises(DataError, match="holds no files"):
        Export(tmp_path)


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_a_device_is_refused_unread(device: str) -> None:
    """A device is refused before a byte of it is read: it might never end."""
    with pytest.raises(DataError, match="device or a pipe"):
        Export(device)


def test_a_pipe_is_refused_unopened(tmp_path: Path) -> None:
    """A pipe is refused without waiting for its writer."""
    os.mkfifo(tmp_path / "sleep.json")
    with pytest.raises(DataError, match="device or a pipe"):
        Export(tmp_path / "sleep.json")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_said(tmp_path: Path) -> None:
    """A file that the person may not read is a reading error."""
    (tmp_path / "sleep.json").write_text("[]")
    (tmp_path / "sleep.json").chmod(0)
    with pytest.raises(ReadError, match="permissions"):
        Export(tmp_path / "sleep.json")


def test_a_failing_disk_is_a_reading_error(tmp_path: Path) -> None:
    """What the system reports while a member is opened becomes a reading error that names the member."""
    (tmp_path / "sleep.json").write_text("[]")
    (member,) = Export(tmp_path).members
    (tmp_path / "sleep.json").unlink()
    with pytest.raises(ReadError, match=r"sleep\.json cannot be opened"):
        member.read(10)


def test_links_and_odd_files_in_a_folder_are_skipped_and_named(tmp_path: Path) -> None:
    """Inside a folder no link is followed, and what is not a regular file is not opened; both are named."""
    (tmp_path / "sleep.json").write_text("[]")
    (tmp_path / "secret.json").symlink_to("/etc/passwd")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.json")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        export = Export(tmp_path)
    assert [member.name for member in export.members] == ["sleep.json"]
    assert {name for name, _ in export.skipped} == {"secret.json", "loop", "pipe.json", "s"}


def test_a_zip_in_a_zip_is_skipped_and_named(tmp_path: Path) -> None:
    """A zip inside the zip is listed as skipped and never opened."""
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("sleep.json", "[]")
        archive.writestr("more.ZIP", b"PK\x03\x04 not even a zip")
    export = Export(tmp_path / "export.zip")
    assert [member.name for member in export.members] == ["sleep.json"]
    assert [name for name, _ in export.skipped] == ["more.ZIP"]


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """A file that grows between the first and the last byte is refused."""
    path = tmp_path / "sleep.json"
    path.write_bytes(b"[" + b" " * 3_000_000 + b"]")
    (member,) = Export(path).members
    with member.open() as stream:
        stream.read(10)
        with path.open("ab") as writer:
            writer.write(b"more")
        with pytest.raises(DataError, match="changed while it was read"):
            stream.read()


def test_a_wrong_checksum_names_the_member(tmp_path: Path) -> None:
    """A member whose bytes do not match their checksum is an error that names it."""
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("sleep.json", "[1234567890]")
    path.write_bytes(path.read_bytes().replace(b"[1234567890]", b"[1234567891]"))
    with pytest.raises(DataError, match=r"sleep\.json is damaged"):
        Export(path).members[0].read(100)


def test_a_member_larger_than_the_bound_is_refused(tmp_path: Path) -> None:
    """Reading stops at the bound, and says so."""
    (tmp_path / "sleep.json").write_bytes(b"x" * 101)
    with pytest.raises(DataError, match="larger than 100 bytes"):
        Export(tmp_path).members[0].read(100)


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    """The same file gives the same fingerprint alone, in a folder and in a zip, under any name, beside anything."""
    content = b'[{"logId": 1}]'
    alone, folder, archive = tmp_path / "one.json", tmp_path / "folder", tmp_path / "two.zip"
    alone.write_bytes(content)
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "three.json").write_bytes(content)
    (folder / "notes.txt").write_text("unrelated")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("other.txt", "unrelated too")
        target.writestr("Takeout/four.json", content)
    fingerprints = set()
    for path in (alone, folder, archive):
        with Export(path) as export:
            read_all(export)
            fingerprints.add(export.fingerprint())
    assert fingerprints == {hashlib.sha256(hashlib.sha256(content).digest()).hexdigest()}


def test_looking_is_not_reading(tmp_path: Path) -> None:
    """A member whose beginning was only looked at has no part in the fingerprint."""
    (tmp_path / "a.json").write_text("[1]")
    (tmp_path / "b.txt").write_text("b")
    export = Export(tmp_path)
    for member in export.members:
        member.head(1)
    with pytest.raises(ValueError, match="nothing of this export has been read"):
        export.fingerprint()


def test_a_member_read_in_part_is_fingerprinted_whole(tmp_path: Path) -> None:
    """A reader that stops early does not change the fingerprint."""
    (tmp_path / "a.json").write_bytes(b"x" * 5_000_000)
    whole, part = Export(tmp_path), Export(tmp_path)
    read_all(whole, "nothing")
    with whole.members[0].open() as stream:
        stream.read()
    with part.members[0].open() as stream:
        stream.read(1)
    assert whole.fingerprint() == part.fingerprint()


@settings(deadline=None)
@given(content=st.binary(min_size=1, max_size=3000), count=st.integers(1, 4000))
def test_head_and_read_tell_the_same(tmp_path_factory: pytest.TempPathFactory, content: bytes, count: int) -> None:
    """The head of a member is the beginning of what reading it gives."""
    path = tmp_path_factory.mktemp("head") / "member.bin"
    path.write_bytes(content)
    with zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("member.bin", content)
    (member,) = Export(path.with_suffix(".zip")).members
    assert member.head(count) == content[:count]
    assert member.read(10_000) == content
