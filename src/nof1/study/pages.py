"""The report: from ``result.json`` and ``posterior.nc`` to one page that needs no network."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from nof1.errors import InputMissingError, TamperedError
from nof1.report.page import render_report
from nof1.store.folder import write_private_file
from nof1.study.study import Study


def write_report(study: Study, *, participant: str | None = None) -> Path:
    """Render ``report.html`` beside the analysis it is made from, and give its path.

    Raises
    ------
    InputMissingError
        Nothing was analysed yet.
    TamperedError
        ``result.json`` or ``posterior.nc`` is not what the analysis wrote.
    """
    import xarray as xr

    with study.record() as record:
        person = study.participant(record, participant)
        analysed = [one for one in record.events(participant=person.code) if one.kind == "analysed"]
    if not analysed:
        raise InputMissingError(f"Nothing was analysed for {person.code} yet. Next: nof1 analyse.")
    folder = study.folder.reports(person.code)
    _check_written(folder, analysed[-1].payload)
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    with xr.open_datatree(folder / "posterior.nc", engine="h5netcdf") as posterior:
        page = render_report(result, posterior)
    path = folder / "report.html"
    write_private_file(path, page.encode())
    with study.record() as record, record.writing():
        rendered = {"report.html": hashlib.sha256(page.encode()).hexdigest()}
        study.append(record, "report-rendered", rendered, command="report", participant=person.code)
    return path


def _check_written(folder: Path, hashes: Mapping[str, str]) -> None:
    for name, digest in hashes.items():
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise TamperedError(f"{path} is not what the analysis wrote. Make it again with: nof1 analyse.")
