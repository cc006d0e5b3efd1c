"""A study as one data package: tables, protocol, result and posterior, each described and hashed, for an archive.

It is a Frictionless data package and an RO-Crate at once: both are a folder of files with one JSON file that tells of
the others. It is there whole, or not at all.
"""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Final

from nof1.errors import InputMissingError, TamperedError
from nof1.report.plain import plain
from nof1.store.events import Event
from nof1.store.folder import require_new, write_new_folder
from nof1.store.state import standing_analysis
from nof1.study.descriptors import CRATE, DATA_PACKAGE, Package, Packed, crate, data_package, packed_tables
from nof1.study.exports import Exported, as_parquet, tables_of
from nof1.study.fhir import Ids
from nof1.study.result_schema import result_schema
from nof1.study.spreadsheets import as_csv
from nof1.study.status import SLEEP_WITHDRAWN
from nof1.study.study import Participant, Study
from nof1.study.trials import Trial, read_trial

WRITTEN: Final = {
    "result.json": "What the analysis found: every number, described by result.schema.json.",
    "posterior.nc": "The whole posterior, with ArviZ's group names.",
}


def export_package(study: Study, folder: Path | str, *, participant: str | None = None) -> Exported:
    """Write the package of one participant as a new folder.

    Raises
    ------
    WriteError
        The folder holds something already, or cannot be written; then nothing is left of it.
    InputMissingError
        There is nothing to export yet.
    TamperedError
        The protocol, or what the analysis wrote, is not what was recorded.
    """
    path = Path(folder)
    require_new(path)
    with study.record() as record:
        person = study.participant(record, participant)
        events = record.events()
        begun = record.events("started_trial", participant=person.code)
        trial = read_trial(study, record, person.code) if begun else None
        analysis = standing_analysis(record, person.code)
    tables, left_out = tables_of(study, participant=person.code)
    if not tables:
        raise InputMissingError("There is nothing to export yet. Next: nof1 import YOUR-EXPORT.")
    files = packed_tables(tables, {"csv": lambda table: as_csv(table).encode(), "parquet": as_parquet})
    if trial is not None:
        files.append(Packed("protocol.toml", study.folder.protocol.read_bytes(), "The registered protocol."))
        found, why_not = _analysed(study, trial, events, analysis)
        files, left_out = files + found, left_out | why_not
    whole = _described(study, person, trial, events[0], files)
    write_new_folder(path, {file.path: file.content for file in whole})
    return Exported(path, "package", {file.path: _rows(file) for file in whole}, left_out)


def _rows(file: Packed) -> int | None:
    return file.table.height if file.table is not None else None


def _analysed(
    study: Study, trial: Trial, events: list[Event], analysis: Event | None
) -> tuple[list[Packed], dict[str, str]]:
    """Take the result along as the analysis wrote it, of a trial that may be analysed; else say why it is not there."""
    code = trial.participant.code
    if trial.is_sealed or not trial.has_ended(study.clock()):
        return [], {}
    if trial.conduct.withdrawn:
        return [], {"result.json": f"{code} withdrew: nothing of this trial is analysed."}
    if not any(event.kind == "analysed" and event.participant == code for event in events):
        return [], {"result.json": "Nothing was analysed yet. Next: nof1 analyse."}
    if analysis is None:
        return [], {"result.json": f"{SLEEP_WITHDRAWN} Next: nof1 analyse."}
    found = [_as_written(study.folder.reports(code) / name, analysis.payload[name]) for name in WRITTEN]
    schema = json.dumps(result_schema(), indent=2, ensure_ascii=False) + "\n"
    return [*found, Packed("result.schema.json", schema.encode(), "JSON Schema of result.json.")], {}


def _as_written(path: Path, sha256: str) -> Packed:
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise TamperedError(f"{path} is not what the analysis wrote. Make it again with: nof1 analyse.")
    return Packed(path.name, content, WRITTEN[path.name])


def _described(
    study: Study, person: Participant, trial: Trial | None, first: Event, files: list[Packed]
) -> list[Packed]:
    """Lay both descriptors around the files."""
    title = plain(trial.protocol.title) if trial else ""
    asked = {item.key: item.label or item.key for item in trial.protocol.diary} if trial else {}
    package = Package(
        urn=f"urn:uuid:{Ids.of_study(first.hash, person).of('package')}",
        title=f"{title or 'Sleep'}: {person.code}",
        asked=asked,
        made=study.clock(),
        version=version("nof1"),
    )
    told = Packed(DATA_PACKAGE, data_package(package, files), "Every file and every column, for Frictionless.")
    files = [*files, told]
    return [*files, Packed(CRATE, crate(package, files), "Every file and how it came about, as an RO-Crate.")]
