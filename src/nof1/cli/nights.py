"""``nof1 nights``: the table of nights."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import print_table, say

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

COLUMNS: Final = (
    "participant", "night", "wake_date", "source", "device", "algorithm", "tib_min", "sol_min", "sol_source", "lps_min",
    "spt_min", "tst_min", "waso_min", "terminal_wake_min", "se_pct", "wake_min", "light_min", "deep_min", "rem_min",
    "asleep_min", "rem_latency_min", "awakenings", "nap_min", "flags",
)  # fmt: skip
"""The columns of ``--csv`` and ``--json``."""

SHOWN: Final = ("night", "tst_min", "deep_min", "rem_min", "light_min", "sol_min", "waso_min", "se_pct", "flags")


@click.command(epilog="Examples: nof1 nights · nof1 nights --hypnogram · nof1 nights --csv > nights.csv")
@click.option("--csv", is_flag=True, help="Print every column as CSV.")
@click.option("--hypnogram", is_flag=True, help="Draw each night: wake high, deep sleep low.")
@study_option
@participant_option
@json_option
def command(csv: bool, hypnogram: bool, study_path: Path | None, participant: str | None, as_json: bool) -> None:
    """Show every night with its measures and flags. Missing is empty, never zero.

    A night is named by the evening's date; minutes are the device's own.
    """
    from nof1.study.nights import draw_nights, read_nights
    from nof1.study.spreadsheets import as_csv

    study = opened(study_path)
    nights = read_nights(study, participant=participant)
    if as_json:
        print_json(nights.select(COLUMNS).to_dicts())
    elif csv:
        click.echo(as_csv(nights.select(COLUMNS)), nl=False)
    else:
        _print_nights(nights, draw_nights(study, participant=participant) if hypnogram else None)


def _print_nights(nights: "pl.DataFrame", drawn: "dict[date, str] | None") -> None:

    headings = [name.removesuffix("_min").removesuffix("_pct") for name in SHOWN]
    rows = [[*row[:-1], ", ".join(row[-1])] for row in nights.select(SHOWN).iter_rows()]
    if drawn is not None:
        headings.insert(1, "hypnogram")
        rows = [[row[0], drawn.get(row[0], ""), *row[1:]] for row in rows]
    print_table(headings, rows)
    from nof1.study.nights import flags_in_words

    sources = ", ".join(nights["sol_source"].unique().sort()) or "none"
    legend = [f"{nights.height} nights. Minutes; se in %. sol, the time to fall asleep, counts from: {sources}."]
    legend += [f"{flag}: {words}." for flag, words in flags_in_words(nights).items()]
    for line in legend:
        say(line, err=not sys.stdout.isatty())
