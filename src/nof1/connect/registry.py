"""Which connector reads an export: found by entry point, decided by content."""

import warnings
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from nof1.connect.connector import Connector, Recognition
from nof1.connect.reading import Export
from nof1.errors import DataError, UsageError

GROUP: Final = "nof1.connectors"
"""The entry point group whose entries are instances of `Connector`."""


class ConnectorNotLoadedWarning(UserWarning):
    """An installed connector could not be loaded, and nof1 goes on without it.

    It occurs when a package that offers a connector is broken or was made for another version of nof1. Update that
    package or uninstall it; to go on without the warning:
    ``warnings.simplefilter("ignore", ConnectorNotLoadedWarning)``.
    """


def find_connectors() -> dict[str, Connector]:
    """Load every installed connector, by name; one that fails to load is warned about and left out."""
    found = [_load(entry) for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))]
    return {connector.name: connector for connector in found if connector is not None}


def _load(entry: EntryPoint) -> Connector | None:
    try:
        connector: Connector = entry.load()
        _ = connector.name, connector.version, connector.recognise, connector.read
    except Exception as error:  # noqa: BLE001 — a stranger's module may fail in any way, and must not stop the others
        message = (
            f"The connector {entry.name!r} ({entry.value}) cannot be loaded: {error}. Update or uninstall its package."
        )
        warnings.warn(message, ConnectorNotLoadedWarning, stacklevel=3)
        return None
    return connector


def recognise(export: Export, source: str | None = None) -> tuple[Connector, Recognition]:
    """Decide which connector reads an export, by its content.

    Parameters
    ----------
    source
        The name of the only connector to ask; None asks them all.

    Raises
    ------
    DataError
        No connector claims the export, or more than one does.
    UsageError
        There is no connector named `source`.
    """
    connectors = find_connectors()
    if source is not None and source not in connectors:
        raise UsageError(f"There is no connector {source!r}. Installed: {', '.join(connectors) or 'none'}.")
    asked = [connectors[source]] if source is not None else list(connectors.values())
    claims = [(one, claim) for one in asked if (claim := one.recognise(export)) is not None]
    if not claims:
        names = ", ".join(one.name for one in asked) or "none is installed"
        raise DataError(
            f"{export.path} holds no sleep that nof1 knows: {len(export.members):,} files were looked into for the"
            f" exports of: {names}. Give the export as it was downloaded, whole."
        )
    if len(claims) > 1:
        told = "; ".join(f"{claim.connector} because {claim.because}" for _, claim in claims)
        raise DataError(f"{export.path} is claimed twice: {told}. Choose one: --from {claims[0][0].name}.")
    return claims[0]
