"""Importing exports: recognise, read, store, and say what was found."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from nof1.connect.connector import Connector, Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.registry import recognise
from nof1.errors import UsageError
from nof1.sleep.session import KEY
from nof1.sleep.streams import best_latency_source, choose_stream, describe_streams
from nof1.store.events import Record
from nof1.store.sessions import SleepFile, import_key, scan_sessions, sweep_interrupted, write_sessions
from nof1.store.state import ChosenStream, admitted_files, chosen_stream, written_files
from nof1.study.import_summary import ImportSummary, ReadExport, distinct_sessions, summarise
from nof1.study.study import Participant, Study, check_zone

ENOUGH_NIGHTS: Final = 7
"""A stream chosen from fewer nights is looked at again when more have come."""


def preview_exports(
    paths: Sequence[Path | str], *, zone: str | None = None, source: str | None = None
) -> ImportSummary:
    """Read exports without a study and store nothing: say what they hold.

    Without `zone` local times stand as they are written.

    Raises
    ------
    InputMissingError, DataError, UsageError
        As `import_exports`.
    """
    options = ReadOptions(zone=_zone_name(zone), zone_source="option" if zone else "none")
    return _preview(_read_all(paths, source, options), options, None)


def preview_in_study(
    study: Study,
    paths: Sequence[Path | str],
    *,
    zone: str | None = None,
    source: str | None = None,
    participant: str | None = None,
) -> ImportSummary:
    """Read exports as `import_exports` would, and store nothing."""
    with study.record() as record:
        person = study.participant(record, participant)
        chosen = chosen_stream(record, person.code)
    options = _options(person, zone)
    return _preview(_read_all(paths, source, options), options, chosen)


def import_exports(
    study: Study,
    paths: Sequence[Path | str],
    *,
    zone: str | None = None,
    source: str | None = None,
    participant: str | None = None,
) -> ImportSummary:
    """Read exports and add their sessions to the study: all of them, or none when one is damaged.

    Parameters
    ----------
    paths
        Files, folders or zip archives.
    zone
        The zone of exports that name none; by default the participant's home zone.
    source
        The connector to use, where two claim the file.
    participant
        Whose they are; may be left out when the study has one participant.

    Raises
    ------
    InputMissingError
        A path is not there.
    DataError
        An export is not recognised, is claimed by two connectors, or is damaged as a whole. Nothing was written.
    UsageError
        The zone, the connector or the participant is unknown.
    """
    with study.record() as record:
        person = study.participant(record, participant)
        options = _options(person, zone)
        exports = _read_all(paths, source, options)
        found = distinct_sessions(exports)
        with record.writing():
            files = admitted_files(record, person.code)
            sweep_interrupted(study.folder, person.code, written_files(record, person.code))
            _refuse_other_zone(record, person, exports)
            _restore_missing(study, files, exports)
            held = scan_sessions(study.folder, files).select(KEY).collect()
            known = frozenset(file.key for file in files)
            for export in {one.key: one for one in exports if one.key not in known}.values():
                _admit(study, record, person, export)
            stream = _stream_in_use(study, record, person)
    new = found.join(held, on=KEY, how="anti").height
    return summarise(exports, options, stream, known=known, new_sessions=new)


@dataclass(frozen=True, slots=True)
class ImportListed:
    """One import on record."""

    key: str
    at: str
    participant: str
    export: str
    connector: str
    zone: str | None
    accepted: int
    rejected: int
    retracted: bool


def list_imports(study: Study) -> list[ImportListed]:
    """Every import of the study in order, retracted ones too."""
    with study.record() as record:
        admitted = {event.seq for event in record.events("admitted_import")}
        events = [event for event in record.events() if event.kind == "imported"]
    return [
        ImportListed(
            key=event.payload["key"],
            at=event.at,
            participant=event.participant or "",
            export=event.payload["export"],
            connector=event.payload["connector"],
            zone=event.payload["zone"],
            accepted=event.payload["accepted"],
            rejected=event.payload["rejected"],
            retracted=event.seq not in admitted,
        )
        for event in events
    ]


def retract_import(study: Study, key: str, *, reason: str) -> ImportListed:
    """Withdraw one import. It stays on record and on disk, and is read no more.

    Parameters
    ----------
    key
        The import's key or the beginning of it.

    Raises
    ------
    UsageError
        No import, or more than one, has a key that begins so; or it is retracted already.
    """
    if not key or not reason.strip():
        raise UsageError("Say which import (nof1 imports lists them) and why: the reason stays on record.")
    matching = [one for one in list_imports(study) if one.key.startswith(key) and not one.retracted]
    if len(matching) != 1:
        which = "no standing import has" if not matching else f"{len(matching)} standing imports have"
        raise UsageError(f"{which} a key beginning with {key!r}. See them with: nof1 imports.")
    with study.record() as record, record.writing():
        study.append(
            record,
            "import-retracted",
            {"key": matching[0].key},
            command="retract",
            participant=matching[0].participant,
            reason=reason,
        )
    return matching[0]


def _zone_name(zone: str | None) -> str | None:
    return check_zone(zone).key if zone is not None else None


def _options(person: Participant, zone: str | None) -> ReadOptions:
    return ReadOptions(
        participant=person.code,
        zone=_zone_name(zone) or person.zone,
        zone_source="option" if zone else "participant",
    )


def _read_all(paths: Iterable[Path | str], source: str | None, options: ReadOptions) -> list[ReadExport]:
    exports = [_read(Path(path), source, options) for path in paths]
    if not exports:
        raise UsageError("Name at least one export: a file, a folder or a zip.")
    return exports


def _read(path: Path, source: str | None, options: ReadOptions) -> ReadExport:
    with Export(path) as export:
        connector, recognition = recognise(export, source)
        imported = connector.read(export, options)
        about = _about(export, connector, imported, options)
    read_with = {"participant": options.participant, "zone": options.zone, "zone_source": options.zone_source}
    key = import_key(about["fingerprint"], connector.name, connector.version, read_with)
    return ReadExport(path, recognition, imported, about, key)


def _about(export: Export, connector: Connector, imported: Imported, options: ReadOptions) -> dict[str, Any]:
    return {
        "export": export.name,
        "size": export.size,
        "fingerprint": export.fingerprint(),
        "connector": connector.name,
        "connector_version": connector.version,
        "zone": options.zone,
        "zone_source": options.zone_source,
        "read": imported.read,
        "accepted": imported.sessions.height,
        "merged": imported.merged,
        "rejected": len(imported.rejected),
        "rejected_records": [[one.record, one.reason] for one in imported.rejected],
    }


def _refuse_other_zone(record: Record, person: Participant, exports: Sequence[ReadExport]) -> None:
    """The same export read in two zones is one mistake too many: which nights stand must not be left to chance."""
    admitted = record.events("admitted_import", participant=person.code)
    for export in exports:
        own_zones = export.imported.sessions["zone_source"].unique().to_list() == ["record"]
        for event in admitted:
            same = event.payload["fingerprint"] == export.about["fingerprint"]
            if same and event.payload["zone"] != export.about["zone"] and not own_zones:
                raise UsageError(
                    f"{export.path} was imported before, in the zone {event.payload['zone']}. If that was wrong: "
                    f'nof1 retract {event.payload["key"][:8]} --reason "wrong zone", and import again.'
                )


def _restore_missing(study: Study, files: Sequence[SleepFile], exports: Sequence[ReadExport]) -> None:
    """Write an admitted file that was lost again: the same export gives the same bytes."""
    for file in files:
        export = next((one for one in exports if one.key == file.key), None)
        if export is not None and not file.path(study.folder).exists():
            write_sessions(study.folder, file.participant, file.key, export.imported.sessions, export.about)


def _admit(study: Study, record: Record, person: Participant, export: ReadExport) -> None:
    file = write_sessions(study.folder, person.code, export.key, export.imported.sessions, export.about)
    payload = {key: value for key, value in export.about.items() if key != "rejected_records"}
    study.append(
        record,
        "imported",
        {**payload, "key": file.key, "sha256": file.sha256},
        command="import",
        participant=person.code,
    )


def _stream_in_use(study: Study, record: Record, person: Participant) -> ChosenStream | None:
    """The stream that stands; chosen anew from all that stands until the trial has begun with enough nights."""
    chosen = chosen_stream(record, person.code)
    standing = scan_sessions(study.folder, admitted_files(record, person.code)).collect()
    begun = bool(record.events("started_trial", participant=person.code))
    held = chosen is not None and chosen.stream in standing["stream"]
    settled = chosen is not None and held and begun and chosen.nights >= ENOUGH_NIGHTS
    if standing.is_empty() or settled:
        return chosen if held else None
    best = _best_stream(standing)
    if best != chosen:
        study.append(record, "stream-chosen", asdict(best), command="import", participant=person.code)
    return best


def _best_stream(sessions: pl.DataFrame) -> ChosenStream:
    described = describe_streams(sessions)
    stream = choose_stream(described)
    (row,) = described.filter(pl.col("stream") == stream).iter_rows(named=True)
    return ChosenStream(stream, best_latency_source(row), row["nights"])


def _preview(exports: Sequence[ReadExport], options: ReadOptions, chosen: ChosenStream | None) -> ImportSummary:
    found = distinct_sessions(exports)
    stream = chosen or (None if found.is_empty() else _best_stream(found))
    return summarise(exports, options, stream, known=frozenset(), new_sessions=None)
