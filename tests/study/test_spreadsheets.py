"""What nof1 writes as CSV a spreadsheet shows, and never runs."""

import csv
import io
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.study.spreadsheets import as_csv, meant

FORMULAE = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", '=HYPERLINK("http://a")']


def cells(table: pl.DataFrame) -> list[list[str]]:
    """What a program that knows CSV reads, the header first."""
    return list(csv.reader(io.StringIO(as_csv(table), newline="")))


@pytest.mark.parametrize("text", FORMULAE)
def test_a_formula_is_only_text(text: str) -> None:
    """However a formula begins, in a cell, a list or a heading: the cell begins with an apostrophe."""
    table = pl.DataFrame({"note": [text], "flags": [[text, "short"]], text: [1]}, schema_overrides={"note": pl.String})
    header, row = cells(table)
    shown = f"'{text[0]}'{text[1:]}" if text[0] in "\t\r\n" else f"'{text}"
    assert header == ["note", "flags", shown]
    assert row == [shown, f"{shown} short", "1"]


@pytest.mark.parametrize("between", [";", "\t", "\n", "\r\n", ";;"])
@pytest.mark.parametrize("formula", ["=1+1", "'=1+1", "@SUM(A1)", "+1", "-1"])
def test_a_formula_behind_what_parts_cells_is_only_text(between: str, formula: str) -> None:
    """Where a spreadsheet parts cells at semicolons, tabs or lines instead of commas, no part begins as a formula."""
    text = f"late{between}{formula}{between}x"
    written = as_csv(pl.DataFrame({"note": [text], text: [1]}))
    assert not [part for part in re.split(r"[;\t\r\n,]", written) if re.match(r"[=+\-@]", part)]
    assert meant(cells(pl.DataFrame({"note": [text]}))[1][0]) == text


def test_a_negative_number_stays_a_number() -> None:
    """Only text is touched: −5.5 and dates stand as they are, missing is empty."""
    table = pl.DataFrame({"effect": [-5.5, None], "stage": pl.Series(["wake", "rem"], dtype=pl.Enum(["wake", "rem"]))})
    assert cells(table) == [["effect", "stage"], ["-5.5", "wake"], ["", "rem"]]


PIECES = ["=", "'", ";", "\t", "\n", "\r", "-", "x"]


@given(
    st.lists(
        st.text()
        | st.lists(st.sampled_from(PIECES)).map("".join)
        | st.sampled_from(FORMULAE).map(lambda text: "'" + text),
        min_size=1,
    )
)
def test_every_text_comes_back(texts: list[str]) -> None:
    """Written and read back every text is what it was, and none begins as a formula does."""
    written = [row[0] for row in cells(pl.DataFrame({"note": texts, "n": range(len(texts))}))[1:]]
    assert [meant(cell) for cell in written] == texts
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in written)
