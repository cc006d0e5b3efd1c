"""What an import did, in values: the keys of ``nof1 import --json``."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import dataframely as dy
import polars as pl

from nof1.connect.connector import Imported, ReadOptions, Recognition
from nof1.sleep.assembly import assemble_nights
from nof1.sleep.nights import Nights
from nof1.sleep.session import KEY
from nof1.sleep.streams import describe_streams
from nof1.store.state import ChosenStream


@dataclass(frozen=True, slots=True)
class ReadExport:
    """One export, read and not yet stored."""

    path: Path
    recognition: Recognition
    imported: Imported
    about: dict[str, Any]
    key: str


@dataclass(frozen=True, slots=True)
class FileImported:
    """What one export held. `read` = `accepted` + `merged` + `rejected`.

    `reasons` counts the rejected records by reason, with the first record of each.
    """

    path: str
    connector: str
    because: str
    read: int
    accepted: int
    merged: int
    rejected: int
    reasons: list[dict[str, Any]]
    skipped: list[dict[str, str]]
    warnings: list[str]
    already_imported: bool


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did; the keys of ``nof1 import --json``.

    Parameters
    ----------
    sessions
        Distinct sessions in these exports.
    new_sessions
        Those that the study did not hold before; None in a dry run outside a study.
    nights, first_night, last_night
        Nights of the stream that the trial uses, by the evening's date.
    zone, zone_source
        The zone that naive times were read in, and who named it.
    streams
        Sessions of each stream in these exports.
    stream
        The one stream that the nights come from.
    latency
        How many nights can have their latency from each source.
    bedtime
        One night spelled out, for the person to recognise.
    """

    files: list[FileImported]
    read: int
    accepted: int
    merged: int
    rejected: int
    sessions: int
    new_sessions: int | None
    nights: int
    first_night: date | None
    last_night: date | None
    zone: str | None
    zone_source: str
    streams: dict[str, int]
    stream: str | None
    latency: dict[str, int]
    bedtime: str | None


def distinct_sessions(exports: Sequence[ReadExport]) -> pl.DataFrame:
    return pl.concat([export.imported.sessions for export in exports]).unique(KEY, maintain_order=True)


def nights_of(sessions: pl.DataFrame, stream: str | None) -> dy.DataFrame[Nights]:
    return assemble_nights(sessions.filter(pl.col("stream") == (stream or "")))


def summarise(
    exports: Sequence[ReadExport],
    options: ReadOptions,
    *,
    known: frozenset[str],
    new_sessions: int | None,
    stream: str | None,
    nights: dy.DataFrame[Nights],
) -> ImportSummary:
    files = [_file_imported(export, already=export.key in known) for export in exports]
    found = distinct_sessions(exports)
    return ImportSummary(
        files=files,
        read=sum(file.read for file in files),
        accepted=sum(file.accepted for file in files),
        merged=sum(file.merged for file in files),
        rejected=sum(file.rejected for file in files),
        sessions=found.height,
        new_sessions=new_sessions,
        nights=nights.height,
        first_night=nights["night"].min(),  # type: ignore[arg-type]
        last_night=nights["night"].max(),  # type: ignore[arg-type]
        zone=options.zone,
        zone_source=options.zone_source,
        streams=dict(found.group_by("stream").len().sort("stream").iter_rows()),
        stream=stream,
        latency=_latency_counts(found, stream),
        bedtime=_bedtime(nights),
    )


def _file_imported(export: ReadExport, *, already: bool) -> FileImported:
    imported = export.imported
    counts = Counter(one.reason for one in imported.rejected)
    first = {one.reason: one.record for one in reversed(imported.rejected)}
    return FileImported(
        path=str(export.path),
        connector=export.recognition.connector,
        because=export.recognition.because,
        read=imported.read,
        accepted=imported.sessions.height,
        merged=imported.merged,
        rejected=len(imported.rejected),
        reasons=[{"reason": why, "count": n, "first_record": first[why]} for why, n in counts.most_common()],
        skipped=[{"member": member, "reason": why} for member, why in imported.members_skipped],
        warnings=list(imported.warnings),
        already_imported=already,
    )
