"""Nothing that somebody else named acts on the terminal: not a file's name, and not in JSON."""

import json
import shutil
import unicodedata
from pathlib import Path

import pytest
from tests.cases import ZONE, Typist, write_export
from tests.report.test_hostile import HOSTILE

from nof1.cli.options import print_json
from nof1.cli.tables import print_table, say

ACTIVE = "ta\x1b[31mke\u202e\u009b2Jout\x07.zip"
"""Turns red, turns around, clears and rings."""


def acts(text: str) -> list[str]:
    """Every character that a terminal would obey, line ends aside."""
    turning = {"\u200e", "\u200f", "\u061c", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
    return [c for c in text if c in turning or (unicodedata.category(c) in {"Cc", "Zl", "Zp"} and c != "\n")]


def test_the_name_of_an_export_is_spelt_out(typist: Typist, tmp_path: Path) -> None:
    """Imported, listed, listed as JSON, and missing: what would act is spelt, and the name can be told from it."""
    typist.does("init", "s", "--zone", ZONE)
    here = ("--study", "s")
    shutil.copy(write_export(tmp_path / "takeout.zip", 5), tmp_path / ACTIVE)
    said = [typist.does(*words, *here) for words in (("import", tmp_path / ACTIVE), ("imports",))]
    said.append(typist.does("imports", "--json", *here))
    said.append(typist("import", tmp_path / f"no-{ACTIVE}", *here).stderr)
    assert [acts(text) for text in said] == [[]] * 4
    assert json.loads(said[2])[0]["export"] == ACTIVE


@pytest.mark.parametrize("text", [*HOSTILE, ACTIVE, "\ud800", "a\u2028b"])
def test_json_tells_every_text_and_none_acts(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is read back is what was told."""
    print_json({"note": text, text: [text]})
    printed = capsys.readouterr().out
    assert acts(printed) == []
    assert json.loads(printed) == {"note": text, text: [text]}


@pytest.mark.parametrize("text", [*HOSTILE, ACTIVE])
def test_no_line_and_no_cell_acts(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor in a sentence or a table."""
    say(f"Read from {text}.")
    print_table(["name"], [[text]])
    assert acts(capsys.readouterr().out) == []
