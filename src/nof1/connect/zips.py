"""The rules that a zip archive keeps before any member of it is opened.

An export comes from a stranger's server through a browser: it may be cut short, and it may be made to hurt. Nothing is
ever extracted; these rules make sure that streaming a member is harmless as well.
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from copy import copy
from itertools import pairwise
from pathlib import Path
from typing import IO, Final, cast

from nof1.errors import DataError, ReadError

MAX_MEMBERS: Final = 100_000
MAX_TOTAL_BYTES: Final = 16 * 2**30
MAX_RATIO: Final = 200
RATIO_MATTERS_FROM_BYTES: Final = 2**30
"""Sleep files shrink well: a high ratio is suspect only where it would also unpack to more than this."""

LARGE_BYTES: Final = 2**24
"""From here on, 16 MiB, it matters how fast a member is unpacked."""

_CHUNK: Final = 2**20
_PACKED_CHUNK: Final = 2**15
"""What shrank to this, 32 KiB, as a rule fits into one piece of what is read, and none of it is copied."""
_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
_LOCAL_HEADER_BYTES: Final = 30
_INCOMPRESSIBLE: Final = 128
"""By so much more than itself may what cannot shrink take up."""
_ENCRYPTED: Final = 0x1
_AES: Final = 99
"""The compression method that stands for AES: unzip cannot undo it, 7-Zip can."""
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


def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """Open a member of such an archive; what is wrong with it is raised while it is read, as `zipfile` does."""
    if info.compress_type == zipfile.ZIP_DEFLATED and info.file_size >= LARGE_BYTES:
        return cast("IO[bytes]", _Inflated(archive, info))
    return archive.open(info)


def read_head(archive: zipfile.ZipFile, info: zipfile.ZipInfo, count: int) -> bytes:
    """Give the first bytes of a member, in a quarter of the time that opening it takes: every member is looked into.

    Raises
    ------
    zipfile.BadZipFile, zlib.error, OSError
        As reading the opened member.
    """
    file = archive.fp
    if info.compress_type != zipfile.ZIP_DEFLATED or file is None:
        with archive.open(info) as stream:
            return stream.read(count)
    file.seek(info.header_offset)  # zipfile too seeks before whatever it reads
    header = file.read(_LOCAL_HEADER_BYTES)
    if len(header) < _LOCAL_HEADER_BYTES or not header.startswith(_MAGIC[0]):
        raise zipfile.BadZipFile("it does not begin like a member")
    names, extra = struct.unpack_from("<HH", header, _LOCAL_HEADER_BYTES - 4)
    file.seek(names + extra, io.SEEK_CUR)
    packed = file.read(min(info.compress_size, count + _INCOMPRESSIBLE))
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, count)


class _Inflated(io.RawIOBase):
    """A large deflated member, a third faster than `zipfile`, which copies all it has not used with every piece."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        packed = copy(info)
        packed.compress_type, packed.file_size = zipfile.ZIP_STORED, info.compress_size
        del packed.CRC  # it is that of the content
        self._packed = archive.open(packed)
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._info, self._crc, self._count = info, 0, 0

    def read(self, size: int = -1, /) -> bytes:
        """Read some bytes, at most `size`; none at the end."""
        piece = b""
        while size and not piece and not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._packed.read(_PACKED_CHUNK)
            piece = self._inflate.decompress(packed, size if size > 0 else _CHUNK)
            if not packed and not piece:
                raise EOFError("it ends too early")
        self._crc, self._count = zlib.crc32(piece, self._crc), self._count + len(piece)
        if self._count > self._info.file_size or (self._inflate.eof and self._count < self._info.file_size):
            raise zipfile.BadZipFile("it is not as long as it says")
        if self._inflate.eof and self._crc != self._info.CRC:
            raise zipfile.BadZipFile("its checksum is wrong")
        return piece

    def close(self) -> None:
        """Close the archive's stream."""
        if not self.closed and hasattr(self, "_packed"):
            self._packed.close()
        super().close()


def _check(archive: zipfile.ZipFile, path: Path) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise DataError(f"{path} holds {len(members):,} files; nof1 reads archives of up to {MAX_MEMBERS:,}.")
    for member in members:
        _check_member(member, path)
    _check_sizes(members, path)
    _check_overlap(archive, members, path)


def _check_member(member: zipfile.ZipInfo, path: Path) -> None:
    if fault := _fault(member, path):
        raise DataError(f"{path} holds the member {member.filename[:200]!r}, {fault}")


def _fault(member: zipfile.ZipInfo, path: Path) -> str | None:
    parts = member.orig_filename.replace("\\", "/").split("/")
    if not parts[0] or _DRIVE.match(parts[0]) or ".." in parts or "\0" in member.orig_filename:
        return "whose name leads outside the archive: refused."
    if stat.S_ISLNK(member.external_attr >> 16):
        return "which is a link to another file. Zip the files themselves, or give the folder."
    if member.flag_bits & _ENCRYPTED:
        run = f"7z x {path.name} -oexport" if member.compress_type == _AES else f"unzip {path.name} -d export"
        return f"which is encrypted. Run: {run} (it asks for the password); then import export."
    return None


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
    for (_, end), (next_start, _) in pairwise([(0, 0), *spans, (directory, directory)]):
        if end > next_start:  # a damaged directory can place a member before the file's beginning
            raise DataError(f"{path} holds members that overlap: damaged, or made to do harm. Download it again.")
