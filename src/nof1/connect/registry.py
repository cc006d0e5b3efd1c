"""Which connectors are installed: found by entry point."""

import re
import warnings
from importlib import resources
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from nof1.connect.connector import About, Connector, Form
from nof1.errors import ConnectorFailedError, UsageError

GROUP: Final = "nof1.connectors"
"""The entry point group whose entries are instances of `Connector`."""

_LONGEST_WHY: Final = 200
"""Some libraries' errors fill pages."""
_HOW: Final = re.compile(r"^## How to get the export\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


class ConnectorNotLoadedWarning(UserWarning):
    """An installed connector could not be loaded, and nof1 goes on without it.

    It occurs when a package that offers a connector is broken or was made for another version of nof1. Update that
    package or uninstall it; to go on without the warning:
    ``warnings.simplefilter("ignore", ConnectorNotLoadedWarning)``.
    """


class ConnectorFailedWarning(UserWarning):
    """An installed connector failed while it looked at an export, and nof1 went on without it.

    It is a fault of the connector's package. Update that package or uninstall it; to go on without the warning:
    ``warnings.simplefilter("ignore", ConnectorFailedWarning)``.
    """


def find_connectors() -> dict[str, Connector]:
    """Load every installed connector, by name; one that fails to load, or whose name is taken, is warned about."""
    found: dict[str, Connector] = {}
    for entry in _entries():
        try:
            connector = _load(entry)
        except ConnectorFailedError as error:
            _warn(str(error))
            continue
        if connector.name in found:
            _warn(_not_loaded(entry, f"another one is named {connector.name!r} too"))
        else:
            found[connector.name] = connector
    return found


def find_connector(name: str) -> Connector:
    """Load one connector.

    Raises
    ------
    UsageError
        There is none of that name.
    ConnectorFailedError
        There is one, and it cannot be loaded.
    """
    name = name.lower()
    for entry in _entries():
        if entry.name == name:
            _load(entry)  # whoever asks for it hears that it fails as an error, not as a warning
    connectors = find_connectors()
    if name not in connectors:
        raise UsageError(f"There is no connector {name!r}. Installed: {', '.join(connectors) or 'none'}.")
    return connectors[name]


def failed(connector: Connector, doing: str, error: BaseException) -> str:
    """Say that a connector failed at something, in words that name it, its package and the error."""
    why = f"{type(error).__name__}: {error}".partition("\n")[0][:_LONGEST_WHY]
    return (
        f"The connector {connector.name!r} ({type(connector).__module__}) failed {doing} ({why}). "
        "That is a fault of the connector: update or uninstall its package."
    )


def how_to_get_the_export(connector: Connector) -> str | None:
    """Give the section "How to get the export" of the README.md that lies beside the connector's package, if any."""
    package = type(connector).__module__
    while package:
        try:
            readme = resources.files(package).joinpath("README.md").read_text(encoding="utf-8")
        except (ModuleNotFoundError, FileNotFoundError, NotADirectoryError, TypeError, UnicodeDecodeError):
            package = package.rpartition(".")[0]
            continue
        section = _HOW.search(readme)
        return section[1].strip() if section else None
    return None


def _entries() -> list[EntryPoint]:
    return sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))


def _load(entry: EntryPoint) -> Connector:
    try:
        connector: Connector = entry.load()
        _check(connector)
    except (Exception, SystemExit) as error:  # a stranger's module may fail in any way, and must not stop the others
        raise ConnectorFailedError(_not_loaded(entry, f"{type(error).__name__}: {error}")) from error
    return connector


def _check(connector: Connector) -> None:
    """Refuse what does not keep the contract, before anybody relies on it.

    Raises
    ------
    AttributeError, TypeError
        Something is missing, or is something else.
    """
    _ = connector.name, connector.version, connector.about, connector.forms, connector.read
    if not (isinstance(connector.name, str) and isinstance(connector.about, About)):
        raise TypeError("its name is no text, or its about is no About")
    if not all(isinstance(form, Form) for form in connector.forms):
        raise TypeError("one of its forms is no Form")


def _not_loaded(entry: EntryPoint, why: str) -> str:
    return f"The connector {entry.name!r} ({entry.value}) cannot be loaded: {why}. Update or uninstall its package."


def _warn(message: str) -> None:
    warnings.warn(message, ConnectorNotLoadedWarning, stacklevel=3)
