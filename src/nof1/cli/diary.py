"""``nof1 diary``: read the diary back, write it as CSV, or fill it in from CSV."""

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nof1.cli.asking import in_words
from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say

if TYPE_CHECKING:
    import polars as pl

    from nof1.study.diary_csv import DiaryImported


@click.command(
    epilog='Examples: nof1 diary · nof1 diary --csv > diary.csv · nof1 diary --from diary.csv --reason "from paper"'
)
@click.option("--csv", "as_csv", is_flag=True, help="Print it as CSV.")
@click.option("--from", "file", type=click.Path(path_type=Path), metavar="FILE", help="Enter what this CSV file says.")
@click.option("--reason", help="Why the file says something otherwise than before; stays on record.")
@study_option
@participant_option
@json_option
def command(
    as_csv: bool,
    file: Path | None,
    reason: str | None,
    study_path: Path | None,
    participant: str | None,
    as_json: bool,
) -> None:
    """Show the diary as it stands, one line a night. Empty is not said: a dose that was not logged is unknown.

    With --from, a file in the form of --csv is entered: all of it, or nothing where it has a mistake. Empty cells say
    nothing, and what the diary says already is not entered again.

    Columns, in any order: night (2026-12-01, the evening's date), dose_taken (yes or no), dose_at and lights_out
    (23:10), awakenings, sleep_quality (very poor to very good), note, the keys of the protocol's questions, and "side
    effect NAME" (none, mild, moderate or severe). Only night is needed.
    """
    from nof1.study.diary_csv import diary_csv, diary_table, import_diary

    if file is not None:
        if as_csv:
            raise click.UsageError("--csv writes and --from reads: one at a time.")
        imported = import_diary(opened(study_path), file, reason=reason, participant=participant)
        print_json(imported) if as_json else _say_imported(imported)
        return
    table = diary_table(opened(study_path), participant=participant)
    if as_json:
        print_json(table.to_dicts())
    elif as_csv:
        click.echo(diary_csv(table), nl=False)
    else:
        _print(table)


def _print(table: "pl.DataFrame") -> None:
    from nof1.cli.tables import print_table

    said = [name for name in table.columns if name == "night" or table[name].null_count() < table.height]
    print_table([name.replace("_", " ") for name in said], map(_row, table.select(said).iter_rows()))
    nights = "Nothing is in the diary yet; next: nof1 log" if table.is_empty() else f"Nights: {table.height}"
    say(f"{nights}. Empty is not said.", err=not sys.stdout.isatty())


def _row(cells: tuple[object, ...]) -> list[object]:
    return [f"{cell:%H:%M}" if isinstance(cell, datetime) else _plain(cell) for cell in cells]


def _plain(cell: object) -> object:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return in_words(cell) if isinstance(cell, str | date) else cell


def _say_imported(imported: "DiaryImported") -> None:
    unchanged = imported.nights - len(imported.entered)
    say(
        f"{imported.file}: nights {imported.nights}; {len(imported.entered)} entered, {len(imported.corrected)} of "
        f"them correcting what was said before; {unchanged} said nothing new."
    )
    for warning in imported.warnings:
        say(warning)
