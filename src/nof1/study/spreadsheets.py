"""CSV that a spreadsheet only shows: text that it would take for a formula begins with an apostrophe.

A note such as ``=HYPERLINK(…)`` in a patient's diary must not run on the clinician's machine. Numbers and dates are not
text, so that −5 stays a number. A spreadsheet may part cells at a semicolon, a tab or a new line wherever they stand
(where the comma is the decimal mark, a CSV of commas is read so), so that text behind one is a beginning, too.
"""

import re
from typing import Final

import polars as pl
import polars.selectors as cs

BEGINS: Final = r"[=+\-@＝＋－＠]"
FORMULA: Final = r"^('*(?:[\t\r\n]|" + BEGINS + "))"
"""How text begins that a spreadsheet might run, or that has been given an apostrophe for it."""

INSIDE: Final = r"([;\t\r\n])('*" + BEGINS + ")"
"""The same behind what may part cells."""
GUARDED: Final = r"([;\t\r\n])'('*" + BEGINS + ")"
"""The same, given an apostrophe."""


def as_csv(table: pl.DataFrame) -> str:
    """Spell a table as CSV: lists joined by spaces, an apostrophe before text that could be a formula."""
    flat = table.with_columns(cs.list().cast(pl.List(pl.String)).list.join(" "), cs.enum().cast(pl.String))
    guarded = flat.with_columns(cs.string().str.replace_all(INSIDE, "$1'$2").str.replace(FORMULA, "'$1"))
    return guarded.rename({name: harmless(name) for name in guarded.columns}).write_csv()


def harmless(text: str) -> str:
    """Give text that could be a formula an apostrophe, as `as_csv` does."""
    return re.sub(FORMULA, r"'\1", re.sub(INSIDE, r"\1'\2", text))


def meant(cell: str) -> str:
    """Take away the apostrophes that `as_csv` put into a text."""
    whole = cell[1:] if cell.startswith("'") and re.match(FORMULA, cell[1:]) else cell
    return re.sub(GUARDED, r"\1\2", whole)
