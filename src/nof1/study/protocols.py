"""The protocol library: the protocols that installed packages bring, and those in files."""

import hashlib
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

from nof1.errors import InputMissingError, ProtocolError, UsageError, WriteError
from nof1.store.folder import replace_file, write_private_file
from nof1.study.study import Study
from nof1.trial.contradictions import told_by_a_schedule
from nof1.trial.protocol import Protocol, parse_protocol
from nof1.trial.template import template, unfilled
from nof1.trial.toml import parse_toml


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


def keep_protocol(study: Study, text: str, *, came_from: Path | str) -> None:
    """Write the text of a protocol as the study's ``protocol.toml``, over no other that somebody put there.

    Raises
    ------
    UsageError
        Another file has that name.
    """
    path, content = study.folder.protocol, text.encode()
    if path.exists() and not (Path(came_from).exists() and path.samefile(came_from)) and path.read_bytes() != content:
        raise UsageError(
            f"{path} is there already, and is another protocol: nof1 would write {came_from} over it. Begin with that "
            "file, or move it away first. Nothing was begun."
        )
    write_private_file(path, content)


def load_protocol(protocol: Path | str) -> Protocol:
    """Read and check a protocol: a file, or the id of one in the library.

    Raises
    ------
    InputMissingError, UsageError
        As `protocol_text`.
    ProtocolError
        It has mistakes, all of them listed.
    """
    return new_protocol(*protocol_text(protocol))


def new_protocol(text: str, where: str) -> Protocol:
    """Check a protocol that somebody means to start: one that is registered may hold what this refuses.

    Raises
    ------
    ProtocolError
        It has mistakes, texts of the template that nobody filled in, or keys that mean nothing; all of them listed.
    """
    raw = parse_toml(text, where)
    left = [*unfilled(raw), *told_by_a_schedule(raw)]
    try:
        checked = parse_protocol(text, where=where)
    except ProtocolError as error:
        raise ProtocolError(where, [*error.mistakes, *left]) from None
    if left:
        raise ProtocolError(where, left)
    return checked


def write_template(path: Path) -> None:
    """Write the template of a protocol to a new file.

    Raises
    ------
    WriteError
        The file exists already, or cannot be written.
    """
    if path.exists():
        raise WriteError(f"{path} exists already, and is left as it is: choose another name.")
    replace_file(path, template().encode())


def write_document(protocol: Protocol, path: Path) -> str:
    """Write a protocol as a document, Markdown or by its ending HTML, and return the SHA-256 of what was written.

    Raises
    ------
    WriteError
        The file exists already and says something else, or cannot be written.
    """
    from nof1.report.spent import render_html, render_markdown

    content = (render_html if path.suffix in {".html", ".htm"} else render_markdown)(protocol).encode()
    if path.exists() and path.read_bytes() != content:
        raise WriteError(f"{path} exists already, and is left as it is: choose another name.")
    replace_file(path, content)
    return hashlib.sha256(content).hexdigest()


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
