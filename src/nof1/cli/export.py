"""``nof1 export``: a study for other programs: tables, a FHIR bundle, a data package."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.study.exports import Exported, Form
    from nof1.study.study import Study


FORMS = ("csv", "parquet", "deidentified", "fhir", "package")


@click.command(
    epilog="Examples: nof1 export csv for-my-clinic · nof1 export deidentified to-share · nof1 export fhir P01.json"
)
@click.argument("form", type=click.Choice(FORMS))
@click.argument("target", type=click.Path(path_type=Path))
@study_option
@participant_option
@json_option
def command(form: str, target: Path, study_path: Path | None, participant: str | None, as_json: bool) -> None:
    """Write a study for other programs to a new TARGET: a folder, or a file for fhir.

    \b
    csv           nights, recordings, stages, schedule, diary and the nights as
                  analysed; opens in a spreadsheet, and no cell of it runs
    parquet       the same tables; keeps types, for programs
    deidentified  the same as CSV of which nobody can tell whose it is: dates
                  are moved, names numbered, all that somebody typed left out
    fhir          one FHIR R4 bundle: each night's sleep, deep, light and REM
                  sleep in LOINC, the device, and the trial
    package       one folder with all of it, result and posterior included,
                  described as a Frictionless data package and an RO-Crate

    The arms of a sealed trial stay empty. A table that cannot be made is named, and the others are written.

    Exit codes: 0 written, 66 nothing to export yet, 73 something is there already or it cannot be written, 76 the
    record or the protocol is not what was recorded.
    """
    exported = _export(opened(study_path), form, target, participant)
    if as_json:
        print_json(exported)
        return
    for name, rows in exported.rows.items():
        say(f"{exported.folder / name}" + (f": {rows} {_counted(exported.form)}" if rows is not None else ""))
    for name, why in exported.left_out.items():
        say(f"Without {name}: {why}")


def _export(study: "Study", form: str, target: Path, participant: str | None) -> "Exported":
    if form == "fhir":
        from nof1.study.fhir import export_fhir

        return export_fhir(study, target, participant=participant)
    if form == "package":
        from nof1.study.package import export_package

        return export_package(study, target, participant=participant)
    from nof1.study.exports import export_tables

    return export_tables(study, target, cast("Form", form), participant=participant)


def _counted(form: str) -> str:
    return "resources" if form == "fhir" else "rows"
