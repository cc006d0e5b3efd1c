"""The report: from result.json and posterior.nc, or the record so far, to one page that needs no network."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from nof1.errors import DataError, TamperedError
from nof1.report.canvas import unchecked
from nof1.report.cautions import CHANGED
from nof1.report.checklist import Behind
from nof1.report.page import Reader, render_report
from nof1.report.progress import render_progress
from nof1.store.events import Event, Record
from nof1.store.folder import write_private_file
from nof1.store.state import admitted_files, standing_analysis
from nof1.study.analysis import RESULT_SCHEMA
from nof1.study.baselines import current_baseline
from nof1.study.diaries import read_diary
from nof1.study.kept_plan import read_kept_plan
from nof1.study.nights import draw_nights
from nof1.study.progress import read_progress
from nof1.study.study import Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.adherence import adherence

if TYPE_CHECKING:
    import h5netcdf
    import xarray as xr

LABELS: Final = {
    "age_band": "age",
    "isi": "Insomnia Severity Index",
    "depression": "depression ever diagnosed",
    "egfr": "eGFR, mL/min/1.73 m²",
    "serum_mmol_l": "magnesium in serum, mmol/L",
    "red_cell_mmol_l": "magnesium in red cells, mmol/L",
    "servings": "servings",
}
"""What the keys of a baseline are called."""

STRIP: Final = 82
"""Parts of a night that a strip tells apart: of eight hours about six minutes."""

MAY_CHANGE: Final = {"imported": "sleep", "diary-logged": "the diary", "amended": "an amendment"}
"""Events that a new analysis would see, by what they change."""

DRAWN: Final = {
    "posterior": ("effect", "delta", "contrast"),
    "prior": ("effect", "delta", "contrast"),
    "constant_data": ("date", "value", "arm", "period", "recorded", "used"),
}
"""The groups of a posterior that a page reads, and of each what is drawn, where it is there."""


def write_report(study: Study, *, participant: str | None = None, only: Reader | None = None) -> Path:
    """Render ``report.html`` and give its path: the result, or where there is none to tell how far the trial is.

    Parameters
    ----------
    only
        The sheet for the person or the record for the clinician alone; None: both. A trial without a result has one
        page for both.

    Raises
    ------
    InputMissingError
        No trial has begun.
    DataError
        The result was written by a version of nof1 whose format is another.
    TamperedError
        ``result.json`` or ``posterior.nc`` is not what the analysis wrote.
    """
    with study.record() as record:
        code = study.participant(record, participant).code
        path = study.folder.reports(code) / "report.html"
        analysis = _to_tell(study, record, code)
        if analysis is None:
            write_private_file(path, render_progress(read_progress(study, participant=code)).encode())
            return path
        page = _result_page(study, record, code, only, analysis).encode()
    write_private_file(path, page)
    with study.record() as record, record.writing():
        rendered = {"report.html": hashlib.sha256(page).hexdigest()}
        study.append(record, "report-rendered", rendered, command="report", participant=code)
    return path


def result_to_tell(study: Study, code: str) -> dict[str, Any] | None:
    """Read ``result.json`` with what has changed since; None without an analysis that a page would tell.

    Raises
    ------
    InputMissingError
        No trial has begun.
    DataError
        The result was written by a version of nof1 whose format is another.
    TamperedError
        ``result.json`` or ``posterior.nc`` is not what the analysis wrote.
    """
    with study.record() as record:
        analysis = _to_tell(study, record, code)
        return _read_result(study, record, code, analysis) if analysis else None


def _read_result(study: Study, record: Record, code: str, analysis: Event) -> dict[str, Any]:
    folder = study.folder.reports(code)
    _check_written(folder, analysis.payload)
    result: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    _check_format(folder, result)
    result["trial"]["deviations"] = [*_changed_since(record, code, analysis), *result["trial"]["deviations"]]
    return result


def _to_tell(study: Study, record: Record, code: str) -> Event | None:
    """The analysis that a page tells; None where none was made, or consent or sleep were taken back since."""
    withdrawn = read_trial(study, record, code).conduct.withdrawn
    return None if withdrawn else standing_analysis(record, code)


def _result_page(study: Study, record: Record, code: str, only: Reader | None, analysis: Event) -> str:
    result = _read_result(study, record, code, analysis)
    behind = _behind(record, read_trial(study, record, code), analysis)
    files = [file.sha256 for file in admitted_files(record, code)]
    if files == result["provenance"]["sleep_files"]:  # else the nights that were analysed are not those of today
        behind = replace(behind, hypnograms=draw_nights(study, participant=code, width=STRIP))
    with unchecked():
        return render_report(result, _drawn(study.folder.reports(code) / "posterior.nc"), behind=behind, only=only)


def _changed_since(record: Record, code: str, analysis: Event) -> list[str]:
    """Tell that the record knows more than the analysis did; a page shows what was analysed."""
    later = {event.kind for event in record.events(participant=code) if event.seq > analysis.seq}
    changed = [words for kind, words in MAY_CHANGE.items() if kind in later]
    return [f"{CHANGED} ({', '.join(changed)}): nof1 analyse takes it in."] if changed else []


def _drawn(path: Path) -> "xr.DataTree":
    """Read of the posterior what the page draws: xarray takes five times as long to open all that it holds."""
    import h5netcdf
    import xarray as xr

    with h5netcdf.File(path, decode_vlen_strings=True) as file:
        groups = {
            f"{measure}/{group}": xr.decode_cf(_variables(file[measure][group], names))
            for measure in file.groups
            for group, names in DRAWN.items()
            if group in file[measure].groups
        }
    return xr.DataTree.from_dict(groups)


def _variables(group: "h5netcdf.Group", names: Iterable[str]) -> "xr.Dataset":
    import xarray as xr

    held = group.variables
    return xr.Dataset(
        {name: (held[name].dimensions, held[name][...], dict(held[name].attrs)) for name in names if name in held}
    )


def _behind(record: Record, trial: Trial, analysis: Event) -> Behind:
    """Gather what the record knows beside the result, of a trial that was opened."""
    numbers = dict.fromkeys(period.number for period in trial.schedule.periods)
    parts = [[one for one in trial.schedule.periods if one.number == number] for number in numbers]
    return Behind(
        protocol=trial.protocol,
        periods=tuple((own[0].arm or "concealed", sum(part.nights for part in own)) for own in parts),
        conduct=trial.conduct.said,
        ended_early=trial.cut_short.isoformat() if trial.cut_short else None,
        baseline=_person_in_words(record, trial),
        plan=read_kept_plan(record, trial),
        doses=_doses(record, trial, analysis),
    )


def _person_in_words(record: Record, trial: Trial) -> tuple[str, ...]:
    """Tell the baseline, and when it was told: it may have been after the nights."""
    baseline = current_baseline(record, trial.participant)
    if baseline is None:
        return ()
    at = record.events("recorded_baseline", participant=trial.participant.code)[0].at
    told = {name: value for name, value in baseline.to_payload().items() if value not in (None, [], {})}
    return (*(f"{LABELS.get(name, name)}: {_value(value)}" for name, value in told.items()), f"as told on {at[:10]}")


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {number:g} a week" for name, number in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _doses(record: Record, trial: Trial, analysis: Event) -> pl.DataFrame | None:
    """Tell night by night what was taken; None where anything was said of a dose since the analysis."""
    entries = record.events("diary_entry", participant=trial.participant.code)
    if any(event.seq > analysis.seq and event.payload["dose_taken"] is not None for event in entries):
        return None
    without_dose = [arm.code for arm in trial.protocol.arms if arm.units_per_dose == 0]
    said = adherence(trial.calendar(), read_diary(record, trial.participant), without_dose=without_dose)
    return said.select("night", pl.col("status").cast(pl.String))


def _check_format(folder: Path, result: Mapping[str, Any]) -> None:
    if result.get("schema") != RESULT_SCHEMA:
        raise DataError(
            f"{folder / 'result.json'} is of format {result.get('schema')}, and this version of nof1 reads "
            f"{RESULT_SCHEMA}. Make it again with: nof1 analyse."
        )


def _check_written(folder: Path, hashes: Mapping[str, str]) -> None:
    for name, digest in hashes.items():
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise TamperedError(f"{path} is not what the analysis wrote. Make it again with: nof1 analyse.")
