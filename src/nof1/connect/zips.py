"""The rules that a zip archive keeps before any member of it is opened.

An export comes from a stranger's server through a browser: it may be cut short, and it may be made to hurt. Nothing is
ever extracted; these rules make sure that streaming a member is harmless as well.
"""

import re
import stat
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Final

from nof1.errors import DataError, ReadError

MAX_MEMBERS: Final = 100_000
MAX_TOTAL_BYTES: Final = 16 * 2**30
MAX_RATIO: Final = 200
RATIO_MATTERS_FROM_BYTES: Final = 2**30
"""Sleep files shrink well: a high ratio is suspect only where it would also unpack to more than this."""

_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
_LOCAL_HEADER_BYTES: Final = 30
_ENCRYPTED: Final = 0x1
_DRIVE: Final = re.compile(r"^[A-Za-z]:")


def looks_like_zip(head: bytes) -> bool:
    """Say whether these are the first bytes of a zip archive."""
    return head.startswith(_MAGIC)


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip archive that keeps every rule.

    Raises
    ------
    DataError
        The archive is damaged, or breaks a rule: the message says which, and what to do.
    ReadError
        The system could not read it.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise DataError(f"{path} is a damaged zip archive ({error}). Download it again.") from error
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        _check(archive, path)
    except DataError:
        archive.close()
        raise
    return archive


def _check(archive: zipfile.ZipFile, path: Path) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise DataError(f"{path} holds {len(members):,} files; nof1 reads archives of up to {MAX_MEMBERS:,}.")
    for member in members:
        _check_member(member, path)
    _check_sizes(members, path)
    _check_overlap(archive, members, path)


def _check_member(member: zipfile.ZipInfo, path: Path) -> None:
    where = f"{path} holds the member {member.filename[:200]!r},"
    parts = member.orig_filename.replace("\\", "/").split("/")
    if not parts[0] or _DRIVE.match(parts[0]) or ".." in parts or "\0" in member.orig_filename:
        raise DataError(f"{where} whose name leads outside the archive: refused.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise DataError(f"{where} which is a link to another file. Zip the files themselves, or give the folder.")
    if member.flag_bits & _ENCRYPTED:
        raise DataError(f"{where} which is encrypted. Run: unzip {path.name} -d export; then import export.")


def _check_sizes(members: list[zipfile.ZipInfo], path: Path) -> None:
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if total > MAX_TOTAL_BYTES:
        raise DataError(f"{path} unpacks to {total:,} bytes; nof1 reads archives of up to {MAX_TOTAL_BYTES:,}.")
    sizes = [(member.file_size, member.compress_size) for member in members]
    for unpacked, squeezed in [*sizes, (total, packed)]:
        if unpacked > RATIO_MATTERS_FROM_BYTES and unpacked > MAX_RATIO * squeezed:
            raise DataError(f"{path} unpacks {squeezed:,} bytes to {unpacked:,}: no export does, so it is refused.")


def _check_overlap(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], path: Path) -> None:
    spans = sorted((m.header_offset, m.header_offset + _LOCAL_HEADER_BYTES + m.compress_size) for m in members)
    directory = archive.start_dir
    for (_, end), (next_start, _) in pairwise([*spans, (directory, directory)]):
        if end > next_start:
            raise DataError(f"{path} holds members that overlap: damaged, or made to do harm. Download it again.")
