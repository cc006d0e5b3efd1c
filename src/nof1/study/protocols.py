"""The protocol library: the protocols that installed packages bring, and the one in a file."""

from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

from nof1.errors import InputMissingError, UsageError
from nof1.trial.protocol import Protocol, parse_protocol


def list_protocols() -> list[Protocol]:
    """Every protocol of the library, by its id.

    They are the TOML files of the packages named under the entry point group ``nof1.protocols``.
    """
    return sorted((parse_protocol(text, where=name) for name, text in _library()), key=lambda one: one.id)


def protocol_text(protocol: Path | str) -> tuple[str, str]:
    """The text of a protocol and where it came from: a file, or the id of one in the library.

    Raises
    ------
    InputMissingError
        Neither a file nor a protocol of the library has that name.
    UsageError
        The file is not text.
    """
    path = Path(protocol)
    if path.suffix == ".toml" or path.exists():
        return _file_text(path), str(path)
    texts = {name.removesuffix(".toml"): text for name, text in _library()}
    if str(protocol) not in texts:
        raise InputMissingError(
            f"No protocol is called {str(protocol)!r}. The library has {', '.join(sorted(texts))}; "
            "a file of your own ends in .toml."
        )
    return texts[str(protocol)], str(protocol)


def load_protocol(protocol: Path | str) -> Protocol:
    """Read and check a protocol: a file, or the id of one in the library.

    Raises
    ------
    InputMissingError, UsageError
        As `protocol_text`.
    ProtocolError
        It has mistakes, all of them listed.
    """
    text, where = protocol_text(protocol)
    return parse_protocol(text, where=where)


def _library() -> list[tuple[str, str]]:
    packages = [files(entry.value) for entry in entry_points(group="nof1.protocols")]
    found = [file for package in packages for file in package.iterdir() if file.name.endswith(".toml")]
    return [(file.name, file.read_text(encoding="utf-8")) for file in found]


def _file_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputMissingError(f"{path} is not there. Name a protocol file, or one of: nof1 protocols.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as text: {error}. A protocol is a TOML file in UTF-8.") from error
