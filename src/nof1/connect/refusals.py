"""Why an export, or a part of it, is not read: in words, with what to do."""

from collections.abc import Sequence
from typing import Final, NoReturn

from nof1.connect.connector import Connector, Form
from nof1.connect.ledger import counted
from nof1.connect.reading import Export, Member
from nof1.errors import DataError, UsageError

_PACKED: Final = {
    b"\x1f\x8b": "a .gz or .tgz archive: unpack it (tar -xzf) and give the folder",
    b"7z\xbc\xaf\x27\x1c": "a .7z archive: unpack it and give the folder",
    b"Rar!": "a .rar archive: unpack it and give the folder",
}


def untested(connector: Connector, form: Form) -> str:
    """Say why a member of a form that was never met is left out."""
    return f"{connector.name} has never met a real export of {form.evidence}: add --untested-ok to read it"


def doubted(connector: Connector, form: Form) -> str:
    """Say why a member is left alone that is known by weak evidence only."""
    options = f"--from {connector.name}" + ("" if form.seen else " --untested-ok")
    return f"it may be {form.evidence} or anything else, and beside other exports it is left alone: {options} reads it"


def without_nights(export: str) -> str:
    """Say why a member is left out that only helps to read nights, and lies in an export that holds none of them."""
    return (
        f"it goes with nights that {export} does not hold. Are they in another part of its download? Import the parts "
        "of that download again, in a command without the other exports"
    )


def refuse(
    export: Export, asked: Sequence[Connector], met: Sequence[tuple[Connector, Form, Member]], source: str | None
) -> NoReturn:
    """Say why nothing can be read, and what to do.

    Parameters
    ----------
    asked
        The connectors that looked.
    met
        The members that they know, and do not read.
    source
        The connector that the person asked for.

    Raises
    ------
    DataError, UsageError
        Always.
    """
    first = export.members[0]
    packed = next((told for magic, told in _PACKED.items() if first.head(8).startswith(magic)), None)
    if packed:
        raise DataError(f"{export.path} is {packed}.")
    for connector, form, member in met:
        if form.alone:
            raise UsageError(
                f"{export.path}: {member.name} holds {form.evidence}, and this reader was written from documents: it "
                f"has never met a real export of {connector.about.title}. Look first: nof1 import --dry-run "
                f"--untested-ok {export.path}. If the nights are yours, import it with --untested-ok."
            )
    if met:
        member = met[0][2]
        raise DataError(
            f"{export.path}: {member.name} goes with nights that are not here. Give the whole export; "
            "name all parts of a download in several parts in one command."
        )
    if source is not None:
        raise DataError(
            f"{export.path} holds no sleep that nof1 knows as {source}. Leave --from out: nof1 finds the source by "
            "the content."
        )
    if first.name.lower().endswith((".xlsx", ".xls", ".ods", ".numbers")):
        raise DataError(
            f"{export.path} is a spreadsheet. Save it as CSV; nof1 connectors generic_csv tells its columns."
        )
    names = ", ".join(connector.name for connector in asked) or "none is installed"
    raise DataError(
        f"{export.path} holds no sleep that nof1 knows. Looked into {counted(len(export.members), 'file')} for the "
        f"exports of: {names}. Give the export as it was downloaded, whole; nof1 connectors tells how to get each, "
        "and nof1 connectors generic_csv how to write a table of your own."
    )
