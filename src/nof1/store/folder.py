"""Where things are in a study folder, and writing there: private, all at once or not at all."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nof1.errors import InputMissingError, UsageError, WriteError

RECORD_NAME: Final = "record.sqlite"
"""Its presence makes a folder a study."""

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """The layout of one study. Only names: nothing is opened here."""

    path: Path

    @property
    def record(self) -> Path:
        """The SQLite file with every event."""
        return self.path / RECORD_NAME

    @property
    def protocol(self) -> Path:
        """The registered protocol, as text."""
        return self.path / "protocol.toml"

    def sleep(self, participant: str) -> Path:
        """The folder of one participant's sleep files."""
        return self.path / "sleep" / f"participant={participant}"

    @property
    def all_reports(self) -> Path:
        """The folder that holds everybody's."""
        return self.path / "reports"

    def reports(self, participant: str) -> Path:
        """The folder of one participant's results and pages."""
        return self.all_reports / participant


def find_study(start: Path) -> StudyFolder:
    """The study that `start` lies in, walking up as git does.

    Raises
    ------
    InputMissingError
        Neither `start` nor any folder above it is a study.
    """
    start = start.expanduser().absolute()
    for folder in (start, *start.parents):
        if (folder / RECORD_NAME).is_file():
            return StudyFolder(folder)
    raise InputMissingError(
        f"{start} is not inside a study (no {RECORD_NAME} here or above). "
        "Make one with: nof1 init my-trial --zone Europe/Berlin, or name one with --study FOLDER."
    )


def create_study_folder(path: Path) -> StudyFolder:
    """Make `path` the private folder of a new study; what already lies in it stays.

    Raises
    ------
    UsageError
        It is a study already.
    WriteError
        It cannot be made or written.
    """
    folder = StudyFolder(path.expanduser().absolute())
    if folder.record.exists():
        raise UsageError(f"{path} is a study already. Use it, or name another folder.")
    make_private_folder(folder.path)
    return folder


def make_private_folder(path: Path) -> None:
    """Make a folder that its owner alone may read, whatever the umask, and likewise those above it that are missing.

    Raises
    ------
    WriteError
        The folder cannot be made.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        for folder in (*reversed(missing), path):
            folder.mkdir(exist_ok=True)
            folder.chmod(PRIVATE_FOLDER)
    except OSError as error:
        raise WriteError(f"{path} cannot be created: {error.strerror}. Choose a folder you may write to.") from error


def create_private_file(path: Path) -> None:
    """Create an empty file that only its owner may read, whatever the umask.

    Raises
    ------
    WriteError
        It exists already, or cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE)
        os.fchmod(descriptor, PRIVATE_FILE)
        os.close(descriptor)
    except FileExistsError as error:
        raise WriteError(f"{path} is there already, and is not written over: choose another name.") from error
    except OSError as error:
        raise WriteError(f"{path} cannot be created: {error.strerror}.") from error


def write_private_file(path: Path, content: bytes) -> None:
    """Write a file so that after a crash at any moment it is the old one or the new one, whole.

    Raises
    ------
    WriteError
        It cannot be written; what was there before is unchanged.
    """
    make_private_folder(path.parent)
    replace_file(path, content)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file as `write_private_file` does, into a folder that is there and keeps its permissions.

    Raises
    ------
    WriteError
        It cannot be written; what was there before is unchanged.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        create_private_file(temporary)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror}. What was there before is unchanged.") from error
    finally:
        temporary.unlink(missing_ok=True)  # of a whole write it has the file's name by now


def require_new(path: Path, *, folder: bool = True) -> None:
    """Refuse a path at which something is.

    Parameters
    ----------
    folder
        Whether a folder will be written: an empty one is nothing then. The one that the command stands in is not
        written either, for it would be replaced under whoever stands in it.

    Raises
    ------
    WriteError
        Something is there already.
    """
    if folder and path.resolve() == Path.cwd():
        raise WriteError(f"{path} is the folder you are in. Name a new one in it: an export makes its own.")
    if path.exists() and not (folder and path.is_dir() and not any(path.iterdir())):
        raise WriteError(f"{path} is there already. Name a new folder or file: an export never writes over another.")


def write_new_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a private folder of files so that after a crash at any moment it is there with all of them, or not at all.

    Raises
    ------
    WriteError
        Something is there already, or it cannot be written; then nothing is left.
    """
    require_new(path)
    path = path.resolve()
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        for name, content in files.items():
            write_private_file(scratch / name, content)
        scratch.replace(path)
        sync_folder(scratch.parent)
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror}. Nothing was written.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
