"""What an import did, in values: the keys of ``nof1 import --json``."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import dataframely as dy
import polars as pl

from nof1.connect.connector import Imported, ReadOptions, Recognition
from nof1.sleep.assembly import assemble_nights
from nof1.sleep.nights import Nights
from nof1.sleep.session import KEY
from nof1.sleep.streams import describe_streams
from nof1.store.state import ChosenStream

LATENCY_SOURCES: Final = ("vendor", "stages", "in_bed", "none")
LATENCY_NOTES: Final = {
    "stages": "The device guessed when you meant to sleep: the time to fall asleep is shown, but gets no verdict. Your "
    'own lights-out is better: log it every evening, with latency_source = "diary" in the protocol.',
    "none": "This export cannot tell how long you took to fall asleep. Log lights-out every evening, with "
    'latency_source = "diary" in the protocol.',
}


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
        The zone for times that name none, and who named it; the source is `record` where every record brings its own.
    streams
        Sessions of each stream in these exports.
    stream
        The one stream that the nights come from.
    latency
        How many nights can have their latency from each source.
    bedtime
        One night spelled out, for the person to recognise.
    notes
        What the person should know about these nights: what their latency can tell, and the like.
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
    notes: list[str]


def distinct_sessions(exports: Sequence[ReadExport]) -> pl.DataFrame:
    """The sessions of several exports, each once."""
    return pl.concat([export.imported.sessions for export in exports]).unique(KEY, maintain_order=True)


def nights_of(sessions: pl.DataFrame, stream: ChosenStream | None) -> dy.DataFrame[Nights]:
    """The nights of one stream, with the latency source that it offers."""
    if stream is None:
        return assemble_nights(sessions.clear())
    own = sessions.filter(pl.col("stream") == stream.stream)
    return assemble_nights(own, latency_source=stream.latency_source)


def summarise(
    exports: Sequence[ReadExport],
    options: ReadOptions,
    stream: ChosenStream | None,
    *,
    known: frozenset[str],
    new_sessions: int | None,
) -> ImportSummary:
    """Say what was found in these exports.

    Parameters
    ----------
    stream
        The stream that the study uses, or would use.
    known
        Keys of the imports that the study held before.
    """
    files = [_file_imported(export, already=export.key in known) for export in exports]
    found = distinct_sessions(exports)
    nights = nights_of(found, stream)
    dates: list[date] = nights["night"].to_list()
    return ImportSummary(
        files=files,
        read=sum(file.read for file in files),
        accepted=sum(file.accepted for file in files),
        merged=sum(file.merged for file in files),
        rejected=sum(file.rejected for file in files),
        sessions=found.height,
        new_sessions=new_sessions,
        nights=nights.height,
        first_night=dates[0] if dates else None,
        last_night=dates[-1] if dates else None,
        zone=options.zone,
        zone_source="record" if found["zone_source"].unique().to_list() == ["record"] else options.zone_source,
        streams=dict(found.group_by("stream").len().sort("stream").iter_rows()),
        stream=stream.stream if stream else None,
        latency=_latency_counts(found, stream),
        bedtime=_bedtime(nights),
        notes=_notes(nights, stream),
    )


def _latency_counts(sessions: pl.DataFrame, stream: ChosenStream | None) -> dict[str, int]:
    own = sessions.filter(pl.col("stream") == (stream.stream if stream else ""))
    rows = describe_streams(own).rows(named=True)
    return {source: rows[0][f"latency_{source}"] if rows else 0 for source in LATENCY_SOURCES}


def _bedtime(nights: pl.DataFrame) -> str | None:
    """The last night on the clock of its evening; without an offset, as the export writes it."""
    if nights.is_empty():
        return None
    last = nights.row(-1, named=True)
    start, end = (last[name] + timedelta(minutes=last["offset_start"] or 0) for name in ("start", "end"))
    return f"Your last night here: {start:%A, %d %B %Y}, recorded from {start:%H:%M} to {end:%H:%M}. Is that right?"


def _notes(nights: pl.DataFrame, stream: ChosenStream | None) -> list[str]:
    if stream is None:
        return []
    if nights.is_empty():
        return [f"None of these sessions belong to {stream.stream}, the stream that this study uses. They are kept."]
    return [LATENCY_NOTES[stream.latency_source]] if stream.latency_source in LATENCY_NOTES else []


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
