"""Reading exports: those that were named together, each by itself or as the parts of one download."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export, fingerprint
from nof1.connect.recognition import Claim, Together, recognise_together
from nof1.connect.registry import failed
from nof1.errors import ConnectorFailedError, DataError, Nof1Error, UsageError
from nof1.sleep.session import Sessions
from nof1.store.sessions import import_key
from nof1.study.import_summary import ReadExport, account_of, writable

type Progress = Callable[[str, int, int], object]


def no_progress(_name: str, _done: int, _total: int) -> None:
    """Say nothing."""


def read_exports(
    paths: Sequence[Path | str], source: str | None, options: ReadOptions, untested_ok: bool, progress: Progress
) -> list[ReadExport]:
    """Read exports that were named in one command.

    Each is an import of its own, so that a later download corrects an earlier one and can be retracted alone. Only
    where they tell more as one export they are one: the parts of one download, whose nights may lie in one part and
    their stages in another. That is found out by reading, not by names, which browsers and phones change; two whole
    downloads tell no more joined than apart. The joined import has the key of the same files in one folder.

    Raises
    ------
    UsageError
        No path is given; else as `nof1.study.imports.import_exports`.
    """
    if not paths:
        raise UsageError("Name at least one export: a file, a folder or a zip.")
    with ExitStack() as opened:
        exports = [opened.enter_context(Export(Path(path))) for path in paths]
        together = recognise_together(exports, source, untested_ok=untested_ok)
        _report_bytes(exports, together, progress)
        placed = [one for claims in together for one in _read_together(exports, claims, options)]
        return [read for _, read in sorted(placed, key=_place)]


def _read_together(exports: Sequence[Export], claims: Together, options: ReadOptions) -> list[tuple[int, ReadExport]]:
    """Read what one connector claims, with the place of each reading among the exports.

    Each export by itself, those of one folder joined, or all joined: what goes further must tell more.
    """
    apart = [(i, _read([exports[i]], claim, options)) for i, claim in claims.apart if not claims.groups]
    apart += [one for group in claims.groups for one in _read_together(exports, group, options)]
    if claims.joined is None:
        return apart
    try:
        joined = _read([exports[i] for i in claims.parts], claims.joined, options)
    except DataError:  # they contradict each other: no parts of one download
        return apart
    return [(claims.parts[0], joined)] if _tell_more([joined], [one for _, one in apart]) else apart


def _place(placed: tuple[int, ReadExport]) -> int:
    return placed[0]


def _tell_more(some: Sequence[ReadExport], others: Sequence[ReadExport]) -> bool:
    """Say whether some readings hold all that others hold, and more: sleeps, staged ones, ones with their own zone."""
    mine, theirs = _telling(some), _telling(others)
    return mine != theirs and all(own >= other for own, other in zip(mine, theirs, strict=True))


def _telling(reads: Sequence[ReadExport]) -> tuple[int, ...]:
    sessions = pl.concat([read.imported.sessions.select("start", "end", "staging", "zone_source") for read in reads])
    staged, placed = pl.col("staging") == "stages", pl.col("zone_source") == "record"
    return tuple(sessions.filter(held).n_unique(["start", "end"]) for held in (pl.lit(value=True), staged, placed))


def _report_bytes(exports: Sequence[Export], together: Sequence[Together], progress: Progress) -> None:
    """Let every member say when a piece of it was read; members that are read twice, apart and joined, count twice."""
    members = [member for one in together for claim in one.claims for member in claim.members]
    name = exports[0].name if len(exports) == 1 else f"{len(exports)} exports"
    total, done = sum(member.size for member in members), 0

    def read(count: int) -> None:
        nonlocal done
        done += count
        progress(name, done, total)

    for member in members:
        member.on_read = read


def _read(exports: Sequence[Export], claim: Claim, options: ReadOptions) -> ReadExport:
    imported = _checked(claim, options)
    if claim.untested and imported.sessions.height:
        doubt = f"No real export of {claim.untested[0]} was ever met: compare the nights with what the device shows."
        imported = replace(imported, warnings=(doubt, *imported.warnings))
    about = _about(exports, claim, imported, options)
    read_with = {"participant": options.participant, "zone": options.zone, "zone_source": options.zone_source}
    key = import_key(about["fingerprint"], about["connector"], about["connector_version"], read_with)
    skipped = [one for export in exports for one in export.skipped]
    path = ", ".join(str(export.path) for export in exports)
    return ReadExport(path, claim.because, (*skipped, *claim.skipped), imported, about, key)


def _checked(claim: Claim, options: ReadOptions) -> Imported:
    """Read what is claimed, and see that it is what was promised.

    Raises
    ------
    ConnectorFailedError
        The connector failed otherwise than by an error of nof1.
    """
    try:
        imported = claim.read(options)
        Sessions.validate(imported.sessions)
    except (Nof1Error, MemoryError):
        raise
    except Exception as error:  # a stranger's module may fail in any way
        raise ConnectorFailedError(
            f"{failed(claim.connector, f'to read what it claims: {claim.because}', error)} Nothing was stored."
        ) from error
    return imported


def _about(exports: Sequence[Export], claim: Claim, imported: Imported, options: ReadOptions) -> dict[str, Any]:
    return {
        "export": writable(", ".join(export.name for export in exports)),
        "size": sum(export.size for export in exports),
        "fingerprint": fingerprint(claim.members),
        "connector": claim.connector.name,
        "connector_version": claim.connector.version,
        "zone": options.zone,
        "zone_source": options.zone_source,
    } | account_of(imported)
