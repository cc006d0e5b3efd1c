"""What an import did, in values: the keys of ``nof1 import --json``."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import dataframely as dy
import polars as pl

from nof1.connect.connector import Imported, ReadOptions, Rejected
from nof1.sleep.assembly import SHORT_MIN, assemble_nights
from nof1.sleep.nights import Nights
from nof1.sleep.session import KEY
from nof1.sleep.streams import describe_streams
from nof1.sleep.versions import keep_best
from nof1.store.state import ChosenStream

LAST_NIGHTS: Final = 3
EXAMPLES: Final = 2
VARYING: Final = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|\d[\d.,:T+-]*(?<![.,:])")
"""What differs between the reasons of two records that are wrong in the same way: quotations, numbers and times."""
LATENCY_SOURCES: Final = ("vendor", "stages", "in_bed", "none")
LATENCY_NOTES: Final = {
    "stages": "The device guessed when you meant to sleep: the time to fall asleep is shown, but gets no verdict. Your "
    'own lights-out is better: log it every evening, with latency_source = "diary" in the protocol.',
    "none": "These nights cannot tell how long you took to fall asleep. During a trial, log lights-out every evening "
    '(nof1 log --lights-out 23:10) under a protocol that says latency_source = "diary".',
}


@dataclass(frozen=True, slots=True)
class ReadExport:
    """What one connector read of one export, not yet stored; `because` and `skipped` as in `Claim`.

    `path` names the export as the person did; of an export in several parts all of them, with commas.
    """

    path: str
    because: str
    skipped: tuple[tuple[str, str], ...]
    imported: Imported
    about: dict[str, Any]
    key: str


@dataclass(frozen=True, slots=True)
class FileImported:
    """What one export held. `read` = `accepted` + `merged` + `rejected`.

    `reasons` counts the rejected records by reason, with the first record of each and two `examples`; of more than
    two that differ in numbers or quotations only, one with dots in their place. `rejected_records` holds all.
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
    rejected_records: list[dict[str, str]]


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
    last_nights
        The last nights in words, for the person to compare with what the device showed.
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
    last_nights: list[str]
    notes: list[str]


def account_of(imported: Imported) -> dict[str, Any]:
    """The account of an import as it is kept: the counts, and every rejected record with its reason."""
    return {
        "read": imported.read,
        "accepted": imported.sessions.height,
        "merged": imported.merged,
        "rejected": len(imported.rejected),
        "rejected_records": [[writable(one.record), one.reason] for one in imported.rejected],
    }


def writable(name: str) -> str:
    """A name that is not UTF-8 on disk, with a question mark in place of each byte that is no character."""
    return name.encode(errors="replace").decode()


def distinct_sessions(exports: Sequence[ReadExport]) -> pl.DataFrame:
    """The sessions of several exports, each once."""
    versions = [export.imported.sessions.with_columns(_key=pl.lit(export.key)) for export in exports]
    return keep_best(pl.concat(versions), last_resort=["_key"]).drop("_key").sort("start", *KEY)


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
        last_nights=[_in_words(night) for night in nights.tail(LAST_NIGHTS).iter_rows(named=True)],
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
    if "nominal_times" in last["flags"]:
        return f"Your last night here: the evening of {last['night']:%A, %d %B %Y}. The export tells no times of day."
    start, end = (last[name] + timedelta(minutes=last["offset_start"] or 0) for name in ("start", "end"))
    return (
        f"Your last night here: {start:%A, %d %B %Y}, recorded from {start:%H:%M} to {end:%H:%M}. Is that right? "
        "If not: give --zone; an import that stands already is withdrawn with nof1 retract."
    )


def _in_words(night: Mapping[str, Any]) -> str:
    start, end = (night[name] + timedelta(minutes=night["offset_start"] or 0) for name in ("start", "end"))
    told = {"asleep": "tst_min", "deep": "deep_min", "REM": "rem_min", "to fall asleep": "sol_min"}
    minutes = [f"{what} {night[name]:.0f} min" for what, name in told.items() if night[name] is not None]
    times = "" if "nominal_times" in night["flags"] else f" {start:%H:%M} to {end:%H:%M},"
    return f"{night['night']}:{times} {', '.join(minutes) or 'nothing measured'}"


def _notes(nights: pl.DataFrame, stream: ChosenStream | None) -> list[str]:
    if stream is None:
        return []
    if nights.is_empty():
        return [
            f"None of these sessions belong to {stream.stream}, the stream that this study uses. They are kept; "
            "--stream NAME takes the nights from another."
        ]
    if (nights["tst_min"].fill_null(0) < SHORT_MIN).all():
        return ["No night here has three hours of sleep: what this device can tell of latency is not known yet."]
    return [LATENCY_NOTES[stream.latency_source]] if stream.latency_source in LATENCY_NOTES else []


def _file_imported(export: ReadExport, *, already: bool) -> FileImported:
    imported = export.imported
    return FileImported(
        path=export.path,
        connector=export.about["connector"],
        because=export.because,
        read=imported.read,
        accepted=imported.sessions.height,
        merged=imported.merged,
        rejected=len(imported.rejected),
        reasons=_reasons(imported.rejected),
        skipped=[{"member": member, "reason": why} for member, why in export.skipped],
        warnings=list(imported.warnings),
        already_imported=already,
        rejected_records=[_plain(one) for one in imported.rejected],
    )


def _reasons(rejected: Iterable[Rejected]) -> list[dict[str, Any]]:
    """Group rejected records by reason, the most frequent first."""
    alike: dict[str, list[Rejected]] = {}
    for one in rejected:
        alike.setdefault(VARYING.sub("...", one.reason), []).append(one)
    groups = [some for group in alike.values() for some in ([group] if len(group) > EXAMPLES else _by_reason(group))]
    return [
        {
            "reason": _common([one.reason for one in some]),
            "count": len(some),
            "first_record": writable(some[0].record),
            "examples": [_plain(one) for one in some[:EXAMPLES]],
        }
        for some in sorted(groups, key=len, reverse=True)
    ]


def _by_reason(rejected: Iterable[Rejected]) -> Iterable[list[Rejected]]:
    groups: dict[str, list[Rejected]] = {}
    for one in rejected:
        groups.setdefault(one.reason, []).append(one)
    return groups.values()


def _common(reasons: Sequence[str]) -> str:
    """What reasons that are worded alike have in common, with dots for what varies."""
    varying = zip(*(VARYING.findall(reason) for reason in set(reasons)), strict=True)
    words = iter([some[0] if len(set(some)) == 1 else "..." for some in varying])
    return VARYING.sub(lambda _: next(words), reasons[0])


def _plain(one: Rejected) -> dict[str, str]:
    return {"record": writable(one.record), "reason": one.reason}
