"""The rules that a zip archive keeps before it is opened."""

import struct
import zipfile
from pathlib import Path

import pytest

from nof1.connect import zips
from nof1.connect.reading import Export
from nof1.errors import DataError


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    """Write an archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name", ["../sleep.json", "a/../../sleep.json", "/etc/sleep.json", "C:\\sleep.json", "a\\..\\b"]
)
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    """An archive with a member whose name leads outside of it is refused, and says which member."""
    with pytest.raises(DataError, match="leads outside the archive"):
        Export(zipped(tmp_path / "export.zip", {"sleep.json": b"[]", name: b"[]"}))


def test_a_link_is_refused(tmp_path: Path) -> None:
    """An archive that holds a symbolic link is refused."""
    link = zipfile.ZipInfo("sleep.json")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="link to another file"):
        Export(tmp_path / "export.zip")


@pytest.mark.parametrize(
    ("method", "how"), [(zipfile.ZIP_DEFLATED, r"unzip export\.zip -d export"), (99, r"7z x export\.zip -oexport")]
)
def test_an_encrypted_archive_says_how_to_unzip_it(tmp_path: Path, method: int, how: str) -> None:
    """An encrypted archive is refused with the command that unpacks it: AES, method 99, needs 7-Zip."""
    path = zipped(tmp_path / "export.zip", {"sleep.json": b"[]"})
    content = bytearray(path.read_bytes())
    for signature, flags_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(signature) + flags_at
        content[at] |= 1
        content[at + 2] = method
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"encrypted\. Run: {how}"):
        Export(path)


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    """An archive whose directory points twice at the same bytes is refused."""
    path = zipped(tmp_path / "export.zip", {"a.json": b"[1, 2, 3]" * 50, "b.json": b"[4, 5, 6]" * 50})
    content = bytearray(path.read_bytes())
    second_entry = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, second_entry + 42, 0)
    path.write_bytes(content)
    with pytest.raises(DataError, match="overlap"):
        Export(path)


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive with more members than the bound is refused."""
    monkeypatch.setattr(zips, "MAX_MEMBERS", 2)
    with pytest.raises(DataError, match="holds 3 files"):
        Export(zipped(tmp_path / "export.zip", {f"{i}.json": b"[]" for i in range(3)}))


def test_too_much_content_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that unpacks to more than the bound is refused before anything is unpacked."""
    monkeypatch.setattr(zips, "MAX_TOTAL_BYTES", 1000)
    with pytest.raises(DataError, match="unpacks to 1,200 bytes"):
        Export(zipped(tmp_path / "export.zip", {"a": b"x" * 600, "b": b"y" * 600}))


def test_what_unpacks_beyond_belief_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that is both large and packed beyond the ratio is refused; here with a small bound on large."""
    monkeypatch.setattr(zips, "RATIO_MATTERS_FROM_BYTES", 2**20)
    with pytest.raises(DataError, match="no export does"):
        Export(zipped(tmp_path / "bomb.zip", {"sleep.json": bytes(2**20 + 1)}))


@pytest.mark.faults
def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    """A megabyte that unpacks to more than a gigabyte is refused without being unpacked."""
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("sleep.json", "w") as member,
    ):
        for _ in range(1025):
            member.write(bytes(2**20))
    with pytest.raises(DataError, match="no export does"):
        Export(path)


def test_sleep_that_shrinks_well_is_not_a_bomb(tmp_path: Path) -> None:
    """A high ratio alone is no reason to refuse: small files of repeated text are common."""
    export = Export(zipped(tmp_path / "export.zip", {"sleep.json": b"0" * 2**20}))
    assert export.members[0].size == 2**20


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_cut_short_archive_is_refused(tmp_path: Path, kept: float) -> None:
    """An archive that was not downloaded to its end is refused, with advice."""
    path = zipped(tmp_path / "export.zip", {"sleep.json": bytes(range(256)) * 40})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(DataError, match=r"damaged zip archive .* Download it again"):
        Export(path)


def read_large(path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> bytes:
    """Read the only member as large ones are read, in pieces of at most this size."""
    monkeypatch.setattr(zips, "LARGE_BYTES", 0)
    with zipfile.ZipFile(path) as archive, zips.open_member(archive, archive.infolist()[0]) as stream:
        return b"".join(iter(lambda: stream.read(size), b""))


@pytest.mark.parametrize("size", [1, 100, 2**16, -1])
@pytest.mark.parametrize("content", [b"", b"sleep", b"deep sleep " * 30_000, bytes(range(256)) * 300])
def test_a_large_member_is_unpacked_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, size: int
) -> None:
    """Whatever it holds, and in pieces of any size, a large member gives what was packed."""
    path = zipped(tmp_path / "export.zip", {"export.xml": content[: 4_000 if size == 1 else None]})
    assert read_large(path, monkeypatch, size) == content[: 4_000 if size == 1 else None]


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("CRC", 1, "checksum is wrong"),
        ("file_size", 100, "not as long as it says"),
        ("file_size", 10**6, "not as long as it says"),
        ("compress_size", 20, "ends too early"),
    ],
)
def test_a_large_member_that_lies_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, value: int, error: str
) -> None:
    """A wrong checksum, a wrong length and a packed end that comes too early are seen at the end at the latest."""
    monkeypatch.setattr(zips, "LARGE_BYTES", 0)
    with zipfile.ZipFile(zipped(tmp_path / "export.zip", {"export.xml": b"deep sleep " * 3_000})) as archive:
        (info,) = archive.infolist()
        setattr(info, field, value)
        with zips.open_member(archive, info) as stream, pytest.raises((zipfile.BadZipFile, EOFError), match=error):
            list(iter(lambda: stream.read(1_000), b""))


def test_a_damaged_large_member_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte flipped anywhere in what is packed never passes."""
    monkeypatch.setattr(zips, "LARGE_BYTES", 0)
    path = zipped(tmp_path / "export.zip", {"export.xml": bytes(range(256)) * 50})
    sound = path.read_bytes()
    for at in range(60, 120, 7):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 0x40]) + sound[at + 1 :])
        with Export(path) as export, pytest.raises(DataError, match=r"export\.xml"):
            export.members[0].read(10**6)
