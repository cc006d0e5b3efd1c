"""A study as tables for other programs: as CSV, as Parquet, or so that nobody can tell whose they are.

============ ===========================================================================================================
nights       every night with its measures
sessions     the recordings that tell those nights
stages       every stage of those recordings, one after the other
schedule     every evening of the trial; its arm is empty while it is concealed
diary        what was said of every evening, side effects included
analysed     every night of every outcome as the analysis uses it, or why not; only of a trial that may be analysed
============ ===========================================================================================================

A table of which there is nothing yet is left out. What a de-identified copy leaves out is said in `deidentified`.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import polars as pl

from nof1.errors import DataError, InputMissingError, NotAllowedError
from nof1.store.folder import require_new, write_new_folder
from nof1.study.analysis import analysable
from nof1.study.deidentified import deidentified
from nof1.study.diary_csv import diary_table
from nof1.study.estimation import designs_of
from nof1.study.nights import read_nights, read_sessions
from nof1.study.spreadsheets import as_csv
from nof1.study.study import Study
from nof1.study.trials import read_trial

Form = Literal["csv", "parquet", "deidentified"]
"""Of the tables alone."""

COLUMNS: Final = ("night", "value", "arm", "period", "transition", "recorded", "used", "why_excluded")
"""Of a design's nights."""

NOT_YET: Final = (InputMissingError, NotAllowedError)
"""What is raised where there is nothing yet, or where nobody may look yet."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Parameters
    ----------
    folder
        Where the files are.
    rows
        Of each table, by its file's name; of a bundle its entries; null of a file that is neither.
    left_out
        Why a table or file is not there although there is something to tell, by its name.
    """

    folder: Path
    form: Form | Literal["fhir", "package"]
    rows: Mapping[str, int | None]
    left_out: Mapping[str, str]


def export_tables(study: Study, folder: Path | str, form: Form, *, participant: str | None = None) -> Exported:
    """Write the tables of one participant into a new folder.

    Raises
    ------
    WriteError
        The folder holds something already, or cannot be written.
    InputMissingError
        There is nothing to export yet.
    """
    path = Path(folder)
    require_new(path)
    tables, left_out = tables_of(study, participant=participant)
    if not tables:
        raise InputMissingError("There is nothing to export yet. Next: nof1 import YOUR-EXPORT.")
    if form == "deidentified":
        tables = deidentified(tables)
    suffix = "parquet" if form == "parquet" else "csv"
    spelt = as_parquet if form == "parquet" else lambda table: as_csv(table).encode()
    write_new_folder(path, {f"{name}.{suffix}": spelt(table) for name, table in tables.items()})
    return Exported(path, form, {f"{name}.{suffix}": table.height for name, table in tables.items()}, left_out)


def tables_of(study: Study, *, participant: str | None = None) -> tuple[dict[str, pl.DataFrame], dict[str, str]]:
    """Make the tables of one participant, those that there are, and say which could not be made, and why."""
    asked: dict[str, Callable[[], pl.DataFrame]] = {
        "nights": lambda: read_nights(study, participant=participant),
        "sessions": lambda: _sessions(study, participant),
        "stages": lambda: _stages(study, participant),
        "schedule": lambda: _schedule(study, participant),
        "diary": lambda: diary_table(study, participant=participant),
        "analysed": lambda: _analysed(study, participant),
    }
    found, left_out = {}, {}
    for name, make in asked.items():
        try:
            found[name] = make()
        except NOT_YET:
            continue
        except DataError as error:
            left_out[name] = str(error)
    return found, left_out


def as_parquet(table: pl.DataFrame) -> bytes:
    """Spell a table as Parquet, types and all."""
    into = io.BytesIO()
    table.write_parquet(into)
    return into.getvalue()


def _sessions(study: Study, participant: str | None) -> pl.DataFrame:
    return read_sessions(study, participant=participant).drop("hypnogram").unnest("totals")


def _stages(study: Study, participant: str | None) -> pl.DataFrame:
    """Spell every stage out: (stage of a recording) its start, its length in seconds, the maker's own word for it."""
    told = read_sessions(study, participant=participant).rename({"start": "begin"})
    stages = told.explode("hypnogram").drop_nulls("hypnogram").unnest("hypnogram")
    start = pl.col("begin") + pl.duration(seconds="start_s")
    kept = ("participant", "record_id", "offset_start", "zone", "seconds", "stage", "label")
    return stages.select(*kept, start=start).sort("start")


def _schedule(study: Study, participant: str | None) -> pl.DataFrame:
    with study.record() as record:
        trial = read_trial(study, record, participant)
    return trial.calendar().with_columns(participant=pl.lit(trial.participant.code))


def _analysed(study: Study, participant: str | None) -> pl.DataFrame:
    designs = designs_of(analysable(study, participant))
    return pl.concat(design.nights.select(pl.lit(design.measure.name).alias("outcome"), *COLUMNS) for design in designs)
