"""Exports seen as members."""

import hashlib
import os
import socket
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nof1.connect.reading import Export, fingerprint
from nof1.errors import DataError, InputMissingError, ReadError


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
    with pytest.raises(ReadError, match=r"sleep\.json cannot be read"):
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
            fingerprints.add(fingerprint([member for member in export.members if member.name.endswith(".json")]))
    assert fingerprints == {hashlib.sha256(hashlib.sha256(content).digest()).hexdigest()}


def test_the_fingerprint_has_no_order_and_no_copies(tmp_path: Path) -> None:
    """The same members in another order, or with a copy of one, have the same fingerprint; other bytes another."""
    for name, text in (("a.json", "[1]"), ("b.json", "[2]"), ("copy of a.json", "[1]"), ("c.json", "[3]")):
        (tmp_path / name).write_text(text)
    a, b, c, copy = Export(tmp_path).members
    assert copy.name == "copy of a.json"
    assert fingerprint([a, b]) == fingerprint([b, a]) == fingerprint([copy, b, a])
    assert fingerprint([a, c]) != fingerprint([a, b]) != fingerprint([a])


def test_a_fingerprint_is_of_something() -> None:
    """Nothing has no fingerprint: two empty readings must not look like one."""
    with pytest.raises(ValueError, match="at least one member"):
        fingerprint([])


@pytest.mark.parametrize("looked_at", [0, 1, 5_000_000])
def test_a_member_read_in_part_is_fingerprinted_whole(tmp_path: Path, looked_at: int) -> None:
    """Neither looking at a member's head nor reading a part of it, or all of it, changes its fingerprint."""
    content = b"x" * 5_000_000
    (tmp_path / "a.json").write_bytes(content)
    (member,) = Export(tmp_path).members
    member.head(1)
    with member.open() as stream:
        stream.read(looked_at)
    assert fingerprint([member]) == hashlib.sha256(hashlib.sha256(content).digest()).hexdigest()


def test_progress_is_told_in_bytes_that_go_by(tmp_path: Path) -> None:
    """What a member tells of its reading adds up to its size, and looking at its head tells nothing."""
    (tmp_path / "a.json").write_bytes(b"x" * 3_000_000)
    (member,) = Export(tmp_path).members
    counts: list[int] = []
    member.on_read = counts.append
    member.head(100)
    assert counts == []
    member.read(4_000_000)
    assert sum(counts) == member.size
    assert len(counts) > 1


def test_members_of_a_folder_are_sorted_by_name(tmp_path: Path) -> None:
    """However deep they lie, members come in the order of their names, as they do in a zip."""
    for name in ("z.json", "a/z.json", "a.json", "a/b/a.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("[]")
    assert [member.name for member in Export(tmp_path).members] == ["a.json", "a/b/a.json", "a/z.json", "z.json"]


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


@pytest.mark.parametrize("wrap", ["file", "zip"])
def test_large_members_are_hashed_as_they_go_by(tmp_path: Path, wrap: str) -> None:
    """Read in pieces or as a stream, the bytes and their digest are those of a content that spans several pieces."""
    content, path = os.urandom(1_000) * 5_000, tmp_path / "large"
    if wrap == "file":
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("large", content)
    for read in (lambda member: b"".join(member.chunks()), lambda member: member.read(len(content))):
        with Export(path) as export:
            (member,) = export.members
            assert read(member) == content
            assert member.digest == hashlib.sha256(content).digest()
