"""Importing exports: store what was read, and say what was found."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from nof1.connect.connector import ReadOptions
from nof1.errors import NothingImportedError, UsageError
from nof1.sleep.session import KEY, UNKNOWN_DEVICE
from nof1.store.events import Event, Record
from nof1.store.sessions import SleepFile, file_fault, scan_sessions, sweep_interrupted, write_sessions
from nof1.store.state import ChosenStream, admitted_files, chosen_stream, written_files
from nof1.study.ahead import present, without_the_future
from nof1.study.differences import tell_differences
from nof1.study.import_summary import ImportSummary, ReadExport, distinct_sessions, summarise
from nof1.study.reading import Progress, no_progress, read_exports
from nof1.study.standing import tell_other_zones, with_known_devices
from nof1.study.stream_choice import best_stream, stream_in_use
from nof1.study.study import Participant, Study, check_zone


def preview_exports(
    paths: Sequence[Path | str],
    *,
    zone: str | None = None,
    source: str | None = None,
    stream: str | None = None,
    untested_ok: bool = False,
    progress: Progress = no_progress,
    clock: Callable[[], datetime] = present,
) -> ImportSummary:
    """Read exports without a study and store nothing: say what they hold.

    Without `zone` local times stand as they are written.

    Raises
    ------
    InputMissingError, DataError, NothingImportedError, UsageError
        As `import_exports`.
    """
    options = ReadOptions(zone=_zone_name(zone), zone_source="option" if zone else "none")
    exports = read_exports(paths, source, options, untested_ok, progress)
    summary = _preview([without_the_future(one, clock()) for one in exports], options, None, stream)
    return _some(exports, summary)


def preview_in_study(
    study: Study,
    paths: Sequence[Path | str],
    *,
    zone: str | None = None,
    source: str | None = None,
    stream: str | None = None,
    participant: str | None = None,
    untested_ok: bool = False,
    progress: Progress = no_progress,
) -> ImportSummary:
    """Read exports as `import_exports` would, and store nothing; raises as it does."""
    with study.record() as record:
        person = study.participant(record, participant)
        chosen = chosen_stream(record, person.code)
        files = admitted_files(record, person.code)
        options = _options(person, zone)
        read = _slept(study, record, person, read_exports(paths, source, options, untested_ok, progress))
        exports = with_known_devices(study, files, read)
        fresh = _fresh(record, person, read)
        notes = [*tell_other_zones(study, record, person, exports), *tell_differences(study, files, fresh)]
    summary = _preview(exports, options, chosen, stream)
    return _some(exports, replace(summary, notes=[*notes, *summary.notes]))


def import_exports(
    study: Study,
    paths: Sequence[Path | str],
    *,
    zone: str | None = None,
    source: str | None = None,
    stream: str | None = None,
    participant: str | None = None,
    untested_ok: bool = False,
    progress: Progress = no_progress,
) -> ImportSummary:
    """Read exports and add their sessions to the study: all of them, or none when one is damaged.

    Parameters
    ----------
    paths
        Files, folders or zip archives; `reading.read_exports` says when several are one export.
    zone
        The zone of exports that name none; by default the participant's home zone.
    source
        The connector to use, where two claim the file.
    stream
        The stream that the nights shall come from; by default nof1 chooses, see `stream_choice`.
    participant
        Whose they are; may be left out when the study has one participant.
    untested_ok
        Whether forms that their reader has never met in a real export are read too.
    progress
        Called while an export is read: its name, bytes read, bytes to read.

    Raises
    ------
    InputMissingError
        A path is not there.
    DataError
        An export is not recognised, is claimed by two connectors, or is damaged as a whole. Nothing was written.
    NothingImportedError
        No record of any export was accepted; it brings the account. Nothing was written.
    ConnectorFailedError
        A connector failed at reading what it claims, or the one that was asked for cannot be used. Nothing was written.
    UsageError
        The zone, the connector, the stream or the participant is unknown; or it is another participant's sleep.
    NotAllowedError
        Another stream is asked for than the running trial measures with.
    """
    with study.record() as record:
        person = study.participant(record, participant)
        options = _options(person, zone)
        read = read_exports(paths, source, options, untested_ok, progress)
        with record.writing():
            exports = _slept(study, record, person, read)
            if not any(export.imported.sessions.height for export in exports):
                raise _nothing(exports, _preview(exports, options, None, None))
            return _store(study, record, options, exports, stream)


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
        person = study.participant(record, matching[0].participant)
        study.append(
            record,
            "import-retracted",
            {"key": matching[0].key},
            command="retract",
            participant=person.code,
            reason=reason,
        )
        if not any(file_fault(study.folder, file) for file in admitted_files(record, person.code)):
            stream_in_use(study, record, person, None, command="retract")
    return matching[0]


def _store(
    study: Study, record: Record, options: ReadOptions, exports: Sequence[ReadExport], asked: str | None
) -> ImportSummary:
    """Add what was read to the study, inside one transaction."""
    person = study.participant(record, options.participant)
    files = admitted_files(record, person.code)
    told = with_known_devices(study, files, exports)
    found = distinct_sessions(told)
    fresh = _fresh(record, person, exports)
    sweep_interrupted(study.folder, person.code, written_files(record, person.code))
    notes = [*tell_other_zones(study, record, person, told), *tell_differences(study, files, fresh)]
    _refuse_another_s_sleep(study, record, person, found)
    _restore_missing(study, files, exports)
    held = scan_sessions(study.folder, files).select(KEY).collect()
    for export in fresh:
        _supersede_older_reading(study, record, person, export)
        _admit(study, record, person, export)
    before = chosen_stream(record, person.code)
    chosen = stream_in_use(study, record, person, asked)
    notes += _other_stream(before, chosen)
    known = frozenset(one.key for one in exports) - {one.key for one in fresh}
    new = found.join(held, on=KEY, how="anti").height
    summary = summarise(told, options, chosen, known=known, new_sessions=new)
    return replace(summary, notes=[*notes, *summary.notes])


def _other_stream(before: ChosenStream | None, now: ChosenStream | None) -> list[str]:
    """Say that the nights come from another stream now; one of unknown device has only got its name."""
    if before is None or now is None or before.stream == now.stream or before.stream.endswith(f"/{UNKNOWN_DEVICE}"):
        return []
    return [
        f"The nights came from {before.stream} until now; from here on they come from {now.stream}. The sessions of "
        f"{before.stream} are kept. To count with it: import again with --stream {before.stream}."
    ]


def _zone_name(zone: str | None) -> str | None:
    return check_zone(zone).key if zone is not None else None


def _options(person: Participant, zone: str | None) -> ReadOptions:
    return ReadOptions(
        participant=person.code,
        zone=_zone_name(zone) or person.zone,
        zone_source="option" if zone else "participant",
    )


def _slept(study: Study, record: Record, person: Participant, exports: Sequence[ReadExport]) -> list[ReadExport]:
    """Give exports without what lies in the future; of those that stand already, what did when they were imported."""
    now = study.clock()
    slept = []
    for export in exports:
        standing = (event for event in _readings(record, person, export) if _is_as_new(event, export))
        before = min(standing, key=lambda event: event.payload["key"] != export.key, default=None)
        slept.append(without_the_future(export, now if before is None else datetime.fromisoformat(before.at)))
    return slept


def _some(exports: Sequence[ReadExport], account: ImportSummary) -> ImportSummary:
    if not account.accepted:
        raise _nothing(exports, account)
    return account


def _nothing(exports: Sequence[ReadExport], account: ImportSummary) -> NothingImportedError:
    """An import without a single session is a misunderstanding, and must not look like success."""
    said = [f"{one['first_record']}: {one['reason']}" for file in account.files for one in file.reasons[:3]]
    said += [warning for export in exports for warning in export.imported.warnings[:1]]
    told = "; ".join(said) or "no record of sleep is in it"
    paths = ", ".join(str(export.path) for export in exports)
    return NothingImportedError(f"Nothing to import from {paths}: {told}", account)


def _refuse_another_s_sleep(study: Study, record: Record, person: Participant, found: pl.DataFrame) -> None:
    """An export is refused where most of its sessions are another participant's already: nobody sleeps for two.

    They are told by their minutes on the clock: record numbers may begin at one for everybody, and a few sessions of
    two people may begin and end alike.
    """
    clock = [
        (pl.col(edge) + pl.duration(minutes=pl.col(f"offset_{edge}").fill_null(0))).alias(edge)
        for edge in ("start", "end")
    ]
    own = found.select("stream", *clock)
    for other in (code for code in record.participants() if code != person.code):
        theirs = scan_sessions(study.folder, admitted_files(record, other)).select("stream", *clock).collect()
        shared = own.join(theirs, on=own.columns, how="semi").height
        if shared > own.height / 2:
            raise UsageError(
                f"{shared} of these {own.height} sessions are {other}'s already, and this import is for {person.code}. "
                "One of the two is a mistake: nof1 imports lists every import, nof1 retract withdraws one."
            )


def _restore_missing(study: Study, files: Sequence[SleepFile], exports: Sequence[ReadExport]) -> None:
    """Write an admitted file that was lost again: the same export gives the same bytes."""
    for file in files:
        export = next((one for one in exports if one.key == file.key), None)
        if export is not None and not file.path(study.folder).exists():
            write_sessions(study.folder, file.participant, file.key, export.imported.sessions, export.about)


def _fresh(record: Record, person: Participant, exports: Sequence[ReadExport]) -> list[ReadExport]:
    """The exports that are to be admitted, each once: those that stand as this version read them, or a newer, are not.

    Who named the zone, the person or the study, makes no other reading.
    """
    new = {one.key: one for one in exports}
    return [one for one in new.values() if not any(_is_as_new(event, one) for event in _readings(record, person, one))]


def _readings(record: Record, person: Participant, export: ReadExport) -> list[Event]:
    """The admitted imports of the same content, in the same zone."""
    same = ("fingerprint", "connector", "zone")
    admitted = record.events("admitted_import", participant=person.code)
    return [event for event in admitted if all(event.payload[name] == export.about[name] for name in same)]


def _is_as_new(event: Event, export: ReadExport) -> bool:
    before, now = event.payload["connector_version"], export.about["connector_version"]
    return before == now or _numbers(before) > _numbers(now)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d{1,9}", version))


def _supersede_older_reading(study: Study, record: Record, person: Participant, export: ReadExport) -> None:
    """The same content read by an older version of its connector: the new reading stands, the old stays on record."""
    for event in _readings(record, person, export):
        study.append(
            record,
            "import-retracted",
            {"key": event.payload["key"]},
            command="import",
            participant=person.code,
            reason=f"read again by {export.about['connector']} version {export.about['connector_version']}",
        )


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


def _preview(
    exports: Sequence[ReadExport], options: ReadOptions, chosen: ChosenStream | None, asked: str | None
) -> ImportSummary:
    found = distinct_sessions(exports)
    stream = chosen if asked is None else None
    if stream is None and not found.is_empty():
        stream = best_stream(found, asked)
    return summarise(exports, options, stream, known=frozenset(), new_sessions=None)
