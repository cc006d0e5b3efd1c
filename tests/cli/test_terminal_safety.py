"""Nothing that somebody else named acts on the terminal: not a file's name, and not in JSON."""

import json
import re
import shutil
import unicodedata
from pathlib import Path

import pytest
from tests.cases import FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv, write_export
from tests.report.test_hostile import HOSTILE

import nof1.cli
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
    say(f"Read from {text}.", bold=True)
    print_table(["name"], [[text]])
    assert acts(capsys.readouterr().out) == []


def test_the_name_of_a_folder_is_spelt_out(typist: Typist, tmp_path: Path) -> None:
    """Where a page, an index or an export is written, in a folder whose name would act."""
    home = tmp_path / ACTIVE
    typist.does("init", home, "--zone", ZONE)
    shutil.copy(write_export(tmp_path / "takeout.zip", 9), home)
    here = ("--study", home)
    typist.does("import", home / "takeout.zip", *here)
    (tmp_path / "p.toml").write_text(FIXED_PROTOCOL.format(transition=0, prior_sd=10))
    (tmp_path / "s.csv").write_text(schedule_csv(alternating(2), 8))
    typist.does("start", tmp_path / "p.toml", "--schedule", tmp_path / "s.csv", *here)
    forms = [("export", form, home / form) for form in ("csv", "fhir", "package")]
    for words in (("report",), ("report", "--all"), ("calendar", "--output", home / "c.ics"), *forms):
        assert acts(typist.does(*words, *here)) == [], words


def test_every_command_prints_through_say() -> None:
    """Only text made for machines, and lines without a word, go to the terminal by another way."""
    other = re.compile(r"click\.s?echo\((?!\))")
    lines = [
        f"{path.name}: {line.strip()}"
        for path in sorted((Path(nof1.cli.__file__).parent).glob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if other.search(line) and "nl=False" not in line
    ]
    assert [line.split(":")[0] for line in lines] == ["options.py", "tables.py"], "`print_json` and `say` themselves"
