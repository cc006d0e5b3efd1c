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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, Self

from nof1.connect import zips
from nof1.errors import DataError, InputMissingError, ReadError

_CHUNK: Final = 2**20
_WORTH_A_THREAD: Final = 2**17
"""Handing a piece to another thread costs as much as hashing a few kilobytes."""


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
    on_read: Callable[[int], object] = field(default=lambda _count: None, init=False)
    """Called with the number of bytes of every piece that is read."""
    digest: bytes | None = field(default=None, init=False)

    def head(self, count: int) -> bytes:
        """Give the first bytes, to recognise the content."""
        with _naming(self):
            return self.source.head(count)

    def open(self) -> IO[bytes]:
        """Open the content as a stream, to be closed by the caller.

        Raises
        ------
        DataError
            While reading: the archive is damaged, or the file changed.
        ReadError
            The system could not open or read it.
        """
        return io.BufferedReader(_Watched(self), _CHUNK)

    def chunks(self) -> Iterator[bytes]:
        """Give the content in pieces of about a mebibyte, uncopied: for what is searched and not kept.

        Raises
        ------
        DataError, ReadError
            As `open`.
        """
        with _Watched(self) as stream:
            while chunk := stream.next_chunk(_CHUNK):
                yield chunk

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
            for _ in self.chunks():
                pass
        if self.digest is None:
            raise AssertionError(f"{self.name} was read to its end and has no digest")
        return self.digest

    def keep_digest(self, digest: bytes) -> None:
        """Take down the SHA-256 of the whole content, once it has been seen.

        Raises
        ------
        DataError
            It was another before.
        """
        if self.digest not in (None, digest):
            raise DataError(f"{self.name} changed while it was read. Let it finish, then import it again.")
        self.digest = digest


@dataclass(frozen=True, slots=True)
class _Source:
    open: Callable[[], IO[bytes]]
    head: Callable[[int], bytes]
    changed: Callable[[], bool]


class _Watched(io.RawIOBase):
    """A stream that hashes what goes by, and that turns every failure into an error that names the member."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._hash = _Hash()
        with _naming(member):
            self._raw = member.source.open()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        chunk = self.next_chunk(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def next_chunk(self, count: int) -> bytes:
        """Read up to so many bytes; none at the end, when the digest is taken down."""
        with _naming(self._member):
            chunk = self._raw.read(count)
        self._hash.update(chunk)
        self._member.on_read(len(chunk))
        if not chunk and count:
            self._finish()
        return chunk

    def _finish(self) -> None:
        if self._member.source.changed():
            raise DataError(f"{self._member.name} changed while it was read. Let it finish, then import it again.")
        self._member.keep_digest(self._hash.digest())

    def close(self) -> None:
        if not self.closed and hasattr(self, "_raw"):
            self._raw.close()
            self._hash.close()
        super().close()


@contextmanager
def _naming(member: Member) -> Iterator[None]:
    """Turn whatever goes wrong with a member's content into an error that names it."""
    try:
        yield
    except RuntimeError as error:
        raise DataError(f"{member.name} cannot be unpacked ({error}). Unzip it, then import the folder.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise DataError(f"{member.name} is damaged ({error}). Download the export again.") from error
    except OSError as error:
        raise ReadError(f"{member.name} cannot be read: {error.strerror}. Check its permissions.") from error


class _Hash:
    """SHA-256 of what goes by. Of large members it is taken beside the reading: it costs as much as unpacking."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._beside: ThreadPoolExecutor | None = None
        self._last: Future[None] | None = None

    def update(self, chunk: bytes) -> None:
        if len(chunk) < _WORTH_A_THREAD:
            self._wait()
            self._hash.update(chunk)
            return
        self._beside = self._beside or ThreadPoolExecutor(1, thread_name_prefix="sha256")
        self._wait()
        self._last = self._beside.submit(self._hash.update, chunk)

    def digest(self) -> bytes:
        self._wait()
        return self._hash.digest()

    def close(self) -> None:
        if self._beside is not None:
            self._beside.shutdown()

    def _wait(self) -> None:
        """Wait for the chunk before: one at a time keeps the order, and memory within bounds."""
        if self._last is not None:
            self._last.result()
            self._last = None


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
        members = (item for item in found if isinstance(item, Member))
        self.members = tuple(sorted(members, key=lambda member: member.name))
        """The files of the export, sorted by name."""
        self.skipped = tuple(item for item in found if not isinstance(item, Member))
        self.size = sum(m.size for m in self.members) if stat.S_ISDIR(status.st_mode) else status.st_size
        """Bytes on disk."""
        if not self.members and self.skipped:
            raise DataError(f"{self.path} holds {self.skipped[0][0]}, {self.skipped[0][1]}.")
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
                opens, begins = partial(zips.open_member, archive, info), partial(zips.read_head, archive, info)
                yield Member(info.filename, info.file_size, _Source(opens, begins, whole.source.changed))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


def fingerprint(members: Sequence[Member]) -> str:
    """Give the SHA-256, in hexadecimal, that says which content was read, whatever it was wrapped in.

    It is taken over the sorted SHA-256 digests of these members: names, order and unrelated members have no part in
    it, so that the same files give the same key alone, in a folder and in a zip.

    Raises
    ------
    DataError, ReadError
        As `Member.open`: what has not been read to its end yet is read now.
    """
    digests = {member.content_digest() for member in members}
    if not digests:
        raise ValueError("a fingerprint is taken of at least one member")
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

    def head(count: int) -> bytes:
        with path.open("rb") as file:
            return file.read(count)

    return Member(name, status.st_size, _Source(lambda: path.open("rb"), head, changed))
