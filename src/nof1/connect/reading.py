"""Exports, seen as members that are streamed.

An export is one file, a folder or a zip archive. Nothing is extracted, no link is followed, and every read has a
bound, because an export is hostile input until it has been read. What the bytes mean is the business of
`nof1.connect.decoding`.
"""

import hashlib
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Self

from nof1.connect import zips
from nof1.errors import DataError, InputMissingError, ReadError

_CHUNK: Final = 2**20


@dataclass(slots=True, eq=False)
class Member:
    """One file of an export.

    Parameters
    ----------
    name
        The path inside the export, with forward slashes; shown to people, never opened.
    size
        Bytes, unpacked.
    source
        Opens the content, and says whether it is still what it was when the export was opened.
    """

    name: str
    size: int
    source: "_Source"
    opened: bool = field(default=False, init=False)
    digest: bytes | None = field(default=None, init=False)

    def head(self, count: int) -> bytes:
        """Give the first bytes, to recognise the content. A look is not a read: the fingerprint does not notice."""
        with io.BufferedReader(_Watched(self)) as stream:
            return stream.read(count)

    def open(self) -> IO[bytes]:
        """Open the content as a stream, to be closed by the caller.

        Raises
        ------
        DataError
            While reading: the archive is damaged, or the file changed.
        ReadError
            The system could not open or read it.
        """
        self.opened = True
        return io.BufferedReader(_Watched(self, self._keep_digest), _CHUNK)

    def read(self, limit: int) -> bytes:
        """Read the whole content.

        Raises
        ------
        DataError
            It is larger than `limit` bytes, the archive is damaged, or the file changed while it was read.
        """
        with self.open() as stream:
            content = stream.read(limit + 1)
            if len(content) > limit:
                raise DataError(f"{self.name} is larger than {limit:,} bytes; nof1 does not read it in one piece.")
            stream.read()  # the end must be seen for the digest and the checksum
        return content

    def content_digest(self) -> bytes:
        """Give the SHA-256 of the content, reading what has not been read to its end yet."""
        if self.digest is None:
            with self.open() as stream:
                while stream.read(_CHUNK):
                    pass
        if self.digest is None:
            raise AssertionError(f"{self.name} was read to its end and has no digest")
        return self.digest

    def _keep_digest(self, digest: bytes) -> None:
        if self.digest not in (None, digest):
            raise DataError(f"{self.name} changed while it was read. Let it finish, then import it again.")
        self.digest = digest


@dataclass(frozen=True, slots=True)
class _Source:
    open: Callable[[], IO[bytes]]
    changed: Callable[[], bool]


class _Watched(io.RawIOBase):
    """A stream that hashes what goes by, and that turns every failure into an error that names the member."""

    def __init__(self, member: Member, at_end: Callable[[bytes], None] | None = None) -> None:
        self._member = member
        self._at_end = at_end
        self._hash = hashlib.sha256()
        try:
            self._raw = member.source.open()
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise DataError(f"{member.name} cannot be unpacked ({error}). Unzip it, then import the folder.") from error
        except OSError as error:
            raise ReadError(f"{member.name} cannot be opened: {error.strerror}. Check its permissions.") from error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            chunk = self._raw.read(len(buffer))
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            raise DataError(f"{self._member.name} is damaged ({error}). Download the export again.") from error
        except OSError as error:
            raise ReadError(f"{self._member.name} cannot be read: {error.strerror}.") from error
        buffer[: len(chunk)] = chunk
        self._hash.update(chunk)
        if not chunk and len(buffer):
            self._finish()
        return len(chunk)

    def _finish(self) -> None:
        if self._member.source.changed():
            raise DataError(f"{self._member.name} changed while it was read. Let it finish, then import it again.")
        if self._at_end is not None:
            self._at_end(self._hash.digest())

    def close(self) -> None:
        if not self.closed and hasattr(self, "_raw"):
            self._raw.close()
        super().close()


class Export:
    """What a person was given by the vendor: one file, a folder or a zip archive.

    Parameters
    ----------
    path
        Where it is. A link is followed here, because the person named it, and nowhere below.

    Raises
    ------
    InputMissingError
        There is nothing at `path`.
    DataError
        It is empty, a device, or an archive that breaks a rule of `nof1.connect.zips`.
    ReadError
        The system could not read it.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._close: Callable[[], object] = lambda: None
        self.name = self.path.resolve().name
        self.skipped: tuple[tuple[str, str], ...] = ()
        """Names of what was found and is not a member, each with the reason: links, zips inside."""
        status = _status(self.path)
        if stat.S_ISDIR(status.st_mode):
            found = list(_walk(self.path))
        elif not stat.S_ISREG(status.st_mode):
            raise DataError(f"{self.path} is a device or a pipe. Save the export to a file first.")
        elif status.st_size == 0:
            raise DataError(f"{self.path} is empty. Download the export again.")
        else:
            found = list(self._one_file(status))
        self.members = tuple(item for item in found if isinstance(item, Member))
        """The files of the export, sorted by name."""
        self.skipped = tuple(item for item in found if not isinstance(item, Member))
        self.size = sum(m.size for m in self.members) if stat.S_ISDIR(status.st_mode) else status.st_size
        """Bytes on disk."""
        if not self.members:
            raise DataError(f"{self.path} holds no files. Is the export somewhere else?")

    def _one_file(self, status: os.stat_result) -> Iterator["Member | tuple[str, str]"]:
        whole = _file_member(self.path, self.name, status)
        if not zips.looks_like_zip(whole.head(4)):
            yield whole
            return
        archive = zips.open_zip(self.path)
        self._close = archive.close
        for info in sorted(archive.infolist(), key=lambda info: info.filename):
            if info.filename.lower().endswith(".zip"):
                yield info.filename, "a zip inside the zip: unpack it and import it by itself"
            elif not info.is_dir():
                yield Member(info.filename, info.file_size, _Source(_opener(archive, info), whole.source.changed))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def fingerprint(self) -> str:
        """Give the SHA-256, in hexadecimal, that says which content was read, whatever it was wrapped in.

        It is taken over the sorted SHA-256 digests of the members that were opened: names, order and unrelated members
        have no part in it, so that the same files give the same key alone, in a folder and in a zip.
        """
        digests = {member.content_digest() for member in self.members if member.opened}
        if not digests:
            raise ValueError("nothing of this export has been read yet, so there is no fingerprint")
        return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputMissingError(f"There is nothing at {path}. Check the name.") from error
    except (OSError, ValueError) as error:
        raise ReadError(f"{path} cannot be read: {error}.") from error


def _walk(folder: Path) -> Iterator[Member | tuple[str, str]]:
    def refuse(error: OSError) -> None:
        raise ReadError(f"{error.filename} cannot be read: {error.strerror}. Check its permissions.") from error

    count = 0
    for parent, folders, files in os.walk(folder, followlinks=False, onerror=refuse):
        folders.sort()
        for name in sorted([*files, *(f for f in folders if (Path(parent) / f).is_symlink())]):
            count += 1
            if count > zips.MAX_MEMBERS:
                raise DataError(f"{folder} holds more than {zips.MAX_MEMBERS:,} files. Give the export itself.")
            path = Path(parent) / name
            yield _walked(path, path.relative_to(folder).as_posix())


def _walked(path: Path, name: str) -> Member | tuple[str, str]:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return name, "a link: links are not followed"
    if not stat.S_ISREG(status.st_mode):
        return name, "not a regular file"
    if name.lower().endswith(".zip"):
        return name, "a zip in a folder: import it by itself"
    return _file_member(path, name, status)


def _file_member(path: Path, name: str, status: os.stat_result) -> Member:
    def state(status: os.stat_result) -> tuple[int, int, int]:
        return status.st_size, status.st_mtime_ns, status.st_ino

    def changed() -> bool:
        try:
            return state(path.stat()) != state(status)
        except OSError:
            return True

    return Member(name, status.st_size, _Source(lambda: path.open("rb"), changed))


def _opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: archive.open(info)
