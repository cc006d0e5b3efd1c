"""Lines and tables for the terminal: whole on a pipe, fitted on a screen, and never a command to it."""

import shutil
import sys
from collections.abc import Collection, Iterable, Sequence

PIPE_WIDTH = 240
TEXT_WIDTH = 96
"""Letters of a line of prose that are still read easily."""
SHORT_CELL = 16
"""Cells up to this stay whole; longer words may be folded on a narrow screen."""


def say(text: str, *, bold: bool = False, err: bool = False) -> None:
    """Print a line, whoever named what stands in it: a file, a folder, a device, an arm."""
    import click

    from nof1.report.plain import inactive

    told = inactive(text)
    click.echo(click.style(told, bold=True) if bold else told, err=err)


def screen_width() -> int:
    """How many letters a line of prose may have: what is read easily, or less on a narrow screen."""
    return min(TEXT_WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else TEXT_WIDTH


def shows_only_ascii() -> bool:
    """Whether what is printed goes where only ASCII can be written."""
    try:
        "│━●".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return True
    return False


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, spare: Collection[str] = ()) -> None:
    """Print rows under their headings; numbers to the right, missing as an empty cell.

    On a screen that is too narrow long words are folded, and never a number or a date is cut.

    Parameters
    ----------
    spare
        Columns that a screen goes without where the whole table does not fit.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    rows = [list(row) for row in rows]
    screen = Console(highlight=False)
    whole = sum(max(len(name), *(len(_cell(row[i])) for row in rows), 0) + 3 for i, name in enumerate(columns)) - 3
    if sys.stdout.isatty() and whole > screen.width:
        kept = [i for i, name in enumerate(columns) if name not in spare]
        columns, rows = [columns[i] for i in kept], [[row[i] for i in kept] for row in rows]
    needed = 0
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float) or row[index] is None for row in rows)
        longest = max([len(column), *(len(_cell(row[index])) for row in rows)])
        short = numeric or longest <= SHORT_CELL
        narrowest = longest if short else max(len(column), SHORT_CELL)
        needed += narrowest + 3
        table.add_column(
            column,
            justify="right" if numeric and rows else "left",
            no_wrap=short,
            overflow="fold",
            min_width=narrowest,
        )
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    screen.width = max(screen.width, needed) if sys.stdout.isatty() else PIPE_WIDTH
    screen.print(table)


def _cell(value: object) -> str:
    from nof1.report.plain import inactive

    if value is None:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else inactive(str(value))
