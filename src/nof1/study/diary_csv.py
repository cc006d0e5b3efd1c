"""The diary as a table: shown, written as CSV, and read from CSV in bulk."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, cast

import polars as pl
import polars.selectors as cs

from nof1.errors import DataError, InputMissingError, ReadError, UsageError
from nof1.store.events import Record
from nof1.study.diaries import read_diary, read_entries, read_side_effects, safety_words
from nof1.study.diary_checks import loggable_night, require_agreeing, require_sayable
from nof1.study.diary_words import YES_OR_NO, Words, entry_from
from nof1.study.spreadsheets import as_csv, meant
from nof1.study.study import Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.diary import (
    OWN_COLUMNS,
    SIDE_EFFECT,
    DiaryEntry,
    contradicted,
    current_side_effects,
    news,
)
from nof1.trial.keys import nearest, shown

LARGEST_FILE: Final = 10_000_000
"""Bytes; ten years of long notes are less."""


@dataclass(frozen=True, slots=True)
class DiaryImported:
    """What a file brought.

    Parameters
    ----------
    nights
        Rows of the file.
    entered
        Nights of which it says something that the diary did not say.
    corrected
        Those of them where it contradicts the diary: what was said before stays on record.
    warnings
        The protocol's rule for stopping and its emergency words, where a symptom is more than mild or lasts.
    """

    participant: str
    file: Path
    nights: int
    entered: list[date]
    corrected: list[date]
    warnings: list[str]


def diary_table(study: Study, *, participant: str | None = None) -> pl.DataFrame:
    """The diary as it stands now, one row a night; null is not said.

    Returns
    -------
    polars.DataFrame
        ``night`` and the other columns of every diary, times in the participant's zone; the protocol's questions by
        their keys; ``side effect nausea`` and the like, first those that the protocol asks for.

    Raises
    ------
    InputMissingError
        No trial has begun.
    """
    with study.record() as record:
        return _table(record, read_trial(study, record, participant))


def diary_csv(table: pl.DataFrame) -> str:
    """Spell `diary_table` as CSV: ``yes`` and ``no``, times on the clock, an empty cell for what was not said.

    Words that a spreadsheet would take for a formula begin with an apostrophe, which `import_diary` takes away again.
    """
    spelled = table.with_columns(
        cs.boolean().replace_strict({True: "yes", False: "no"}, default=None, return_dtype=pl.String),
        cs.datetime().dt.strftime("%H:%M"),
        cs.float().cast(pl.String).str.strip_suffix(".0"),
    )
    return as_csv(spelled)


def import_diary(
    study: Study, file: Path | str, *, reason: str | None = None, participant: str | None = None
) -> DiaryImported:
    """Write what a CSV file says into the diary: all of it, or nothing where it has a mistake.

    Cells that are empty say nothing; cells that say what the diary says already are no new entries, so that importing a
    file again changes nothing. The checks are those of `log_night`.

    Parameters
    ----------
    file
        CSV as `diary_csv` writes it: a column ``night``, and any of the others in any order.
    reason
        Why it is said otherwise than before.

    Raises
    ------
    InputMissingError
        There is no such file.
    DataError
        It has mistakes: every one is listed, with its line and column.
    """
    path = Path(file)
    text = _read_text(path)
    with study.record() as record, record.writing():
        trial = read_trial(study, record, participant)
        before = read_entries(record, trial.participant)
        nights, entries = _entries(study, trial, before, text, path)
        for entry in entries:
            payload, code = entry.to_payload(), trial.participant.code
            study.append(record, "diary-logged", payload, command="diary", participant=code, reason=reason)
        after = read_entries(record, trial.participant)
    return DiaryImported(
        participant=trial.participant.code,
        file=path,
        nights=nights,
        entered=[entry.night for entry in entries],
        corrected=[entry.night for entry in entries if contradicted(before, entry)],
        warnings=safety_words(
            trial, current_side_effects(after), {entry.night for entry in entries if entry.side_effects}
        ),
    )


def _table(record: Record, trial: Trial) -> pl.DataFrame:
    diary = read_diary(record, trial.participant)
    effects = read_side_effects(record, trial.participant).with_columns(symptom=SIDE_EFFECT + pl.col("symptom"))
    felt = effects.pivot(on="symptom", index="night", values="severity") if effects.height else effects.select("night")
    joined = diary.join(felt, on="night", how="left", maintain_order="left")
    columns = _columns(trial, felt.columns)
    missing = [pl.lit(None, pl.String).alias(name) for name in columns if name not in joined.columns]
    return joined.with_columns(*missing, cs.datetime().dt.convert_time_zone(trial.zone.key)).select(columns)


def _columns(trial: Trial, felt: Iterable[str] = ()) -> list[str]:
    """Every column of the table in its order; `felt` names those of symptoms that the protocol does not ask for."""
    asked = {name.casefold(): f"{SIDE_EFFECT}{name}" for name in trial.protocol.safety.log}.values()
    others = sorted(name for name in felt if name.startswith(SIDE_EFFECT) and name not in asked)
    return [*OWN_COLUMNS, *(item.key for item in trial.protocol.diary), *asked, *others]


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise InputMissingError(f"{path} is not there. nof1 diary --csv > diary.csv writes one to fill in.") from error
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST_FILE:
        raise DataError(f"{path} is larger than {LARGEST_FILE:,} bytes: that is no diary.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8 ({error.reason}). Save it as CSV in UTF-8.") from error


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the file. `line` is its last in the file; `cells` by column, without those that say nothing."""

    line: int
    night: date
    cells: Mapping[str, str]


def _entries(
    study: Study, trial: Trial, before: Sequence[DiaryEntry], text: str, path: Path
) -> tuple[int, list[DiaryEntry]]:
    """Give the number of rows, and the entries that say something new, in the order of their nights."""
    mistakes: list[str] = []
    said: dict[date, list[DiaryEntry]] = defaultdict(list)
    for entry in before:
        said[entry.night].append(entry)
    nights, found = 0, list[DiaryEntry]()
    for row in _rows(text, trial, mistakes):
        nights += 1
        found += _new_entries(study, trial, said[row.night], row, mistakes)
    if mistakes:
        count = f"{len(mistakes)} mistake" + ("s" if len(mistakes) != 1 else "")
        listed = "\n".join(f"  {mistake}" for mistake in mistakes)
        raise DataError(f"{path} has {count}:\n{listed}\nNothing was entered: mend them, and import the file again.")
    return nights, sorted(found, key=lambda entry: entry.night)


def _new_entries(
    study: Study, trial: Trial, said: Sequence[DiaryEntry], row: _Row, mistakes: list[str]
) -> Iterator[DiaryEntry]:
    """Yield the entry of a row, if it says anything new; every cell that cannot be understood is a mistake."""
    wrong = len(mistakes)
    for column, cell in row.cells.items():
        try:
            entry_from(trial, row.night, _words(column, cell))
        except (UsageError, DataError) as error:
            mistakes.append(f"line {row.line}, {column}: {error}")
    if len(mistakes) > wrong:
        return
    entry = news(said, entry_from(trial, row.night, _together(row.cells)))
    if entry != DiaryEntry(night=row.night):
        try:
            loggable_night(trial, study.clock(), row.night)
            require_sayable(trial, entry, study.clock())
            require_agreeing(said, entry)
        except UsageError as error:
            mistakes.append(f"line {row.line}, night: {error}")
        yield entry


def _together(cells: Mapping[str, str]) -> Words:
    words = [_words(column, cell) for column, cell in cells.items()]
    joined: Words = {}
    for one in words:
        joined.update(one)
    joined["answers"] = {key: answer for one in words for key, answer in one.get("answers", {}).items()}
    joined["side_effects"] = {name: grade for one in words for name, grade in one.get("side_effects", {}).items()}
    return joined


def _words(column: str, cell: str) -> Words:
    if column.startswith(SIDE_EFFECT):
        return {"side_effects": {column.removeprefix(SIDE_EFFECT): cell.lower()}}
    if column in OWN_COLUMNS:
        return cast("Words", {column: _own(column, cell)})
    return {"answers": {column: cell}}


def _own(column: str, cell: str) -> str | bool | int:
    """A cell of a column that every diary has; UsageError where it is neither yes nor no, or no number."""
    if column == "dose_taken":
        if cell.lower() not in YES_OR_NO:
            raise UsageError(f"{shown(cell)} is neither yes nor no; leave it empty where it is not known.")
        return YES_OR_NO[cell.lower()]
    if column == "awakenings":
        if not re.fullmatch(r"\d{1,6}", cell, re.ASCII):
            raise UsageError(f"{shown(cell)} is no number of times.")
        return int(cell)
    return cell.lower() if column == "sleep_quality" else cell


def _rows(text: str, trial: Trial, mistakes: list[str]) -> Iterator[_Row]:
    """Yield the lines that can be read; an empty line is none."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    seen: set[date] = set()
    try:
        header = [meant(cell).strip().casefold() for cell in next(lines, [])]
        mistakes += _header_mistakes(header, trial)
        for cells in lines if not mistakes else ():
            if not any(cell.strip() for cell in cells):
                continue
            try:
                yield _row(lines.line_num, header, cells, trial, seen)
            except ValueError as error:
                mistakes.append(f"line {lines.line_num}, {error}")
    except csv.Error as error:
        mistakes.append(f"line {lines.line_num}: not CSV: {error}")


def _header_mistakes(header: Sequence[str], trial: Trial) -> Iterator[str]:
    known = [name.casefold() for name in _columns(trial)]
    if len(header) == 1 and ";" in header[0]:
        yield "line 1: the columns must be parted by commas, not semicolons"
        return
    if "night" not in header:
        yield "line 1: there must be a column night, the evening's date"
    for name in dict.fromkeys(header):
        if name not in known and not name.startswith(SIDE_EFFECT):
            yield f"line 1: no column is called {shown(name)}; {nearest(name, known)}"
        if header.count(name) > 1:
            yield f"line 1: the column {shown(name)} stands there twice"


def _row(line: int, header: Sequence[str], cells: Sequence[str], trial: Trial, seen: set[date]) -> _Row:
    """Read one line; ValueError says what is wrong with it."""
    if len(cells) != len(header):
        raise ValueError(f"{len(cells)} cells under {len(header)} columns: is a comma or a quote missing?")
    in_words = {"note", *(item.key for item in trial.protocol.diary if item.type == "text")}
    said = map(meant, cells)
    row = {name: cell if name in in_words else cell.strip() for name, cell in zip(header, said, strict=True)}
    written = row.pop("night")
    night = _date(written)
    if night in seen:
        raise ValueError(f"night: {night} stands there twice")
    seen.add(night)
    return _Row(line, night, {name: cell for name, cell in row.items() if cell})


def _date(written: str) -> date:
    what = f"night: {shown(written)} is not a date such as 2026-05-31"
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", written, re.ASCII):
        raise ValueError(what)
    try:
        return date.fromisoformat(written)
    except ValueError as error:  # the thirteenth month
        raise ValueError(what) from error
