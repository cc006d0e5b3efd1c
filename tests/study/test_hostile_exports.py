"""Sixty hostile strings in every text that reaches an export for programs: each stays a text, cleaned or whole."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from fhir.resources.R4B.bundle import Bundle
from frictionless import Package as Frictionless
from frictionless import system
from tests.cases import FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv, write_export
from tests.report.test_hostile import HOSTILE

from nof1.study import exports, fhir, package
from nof1.study.exports import export_tables, tables_of
from nof1.study.fhir import fhir_bundle
from nof1.study.package import export_package
from nof1.study.spreadsheets import meant
from nof1.study.study import Study, open_study

STRINGS: Final = (*HOSTILE[:-1], "=" + "x" * 9_999)
LATE: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
NEVER: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
TYPED: Final = ("device", "algorithm", "note", "label", "record_id", "stream", "mood")
"""Columns of an export or a diary that others fill in."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trial of sixty nights that is over: one night for each string."""
    home = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        typist = Typist(home)
        asked = '[[diary]]\nkey = "mood"\ntype = "text"\nwhen = "before dose"\n'
        label = json.dumps("<script>alert(1)</script>=1+1;=2")
        protocol = FIXED_PROTOCOL.format(transition=2, prior_sd=10).replace('"Magnesium"', label)
        protocol = protocol.replace('"A trial for the tests"', json.dumps("=1+1 <img src=x onerror=alert(1)>"))
        (home / "trial.toml").write_text(protocol + asked)
        (home / "schedule.csv").write_text(schedule_csv(alternating(7), 84))
        write_export(home / "takeout.zip", 84)
        typist.does("init", "study", "--zone", ZONE)
        typist.does("start", "trial.toml", "--schedule", "schedule.csv", "--study", "study")
        typist.does("import", "takeout.zip", "--study", "study")
        typist.does("log", "--date", "2026-01-05", "--note", "x", "--answer", "mood=x", "--study", "study")
    return home / "study"


def planted(table: pl.DataFrame) -> pl.DataFrame:
    """Put the strings, each in turn, into every column that others fill in; every row of a table of one row or more."""
    rows = pl.concat([table] * (1 + len(STRINGS) // max(table.height, 1))) if table.height < len(STRINGS) else table
    strings = pl.Series([STRINGS[row % len(STRINGS)] for row in range(rows.height)], dtype=pl.String)
    return rows.with_columns(pl.lit(strings).alias(name) for name in TYPED if name in table.columns)


@pytest.fixture
def study(whole: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """The same study, its tables holding the strings."""

    def hostile(*words: Any, **named: Any) -> tuple[dict[str, pl.DataFrame], dict[str, str]]:
        tables, left_out = tables_of(*words, **named)
        return {name: planted(table) for name, table in tables.items()}, left_out

    nights = fhir.recorded_nights
    monkeypatch.setattr(exports, "tables_of", hostile)
    monkeypatch.setattr(package, "tables_of", hostile)
    monkeypatch.setattr(fhir, "recorded_nights", lambda *words, **named: planted(nights(*words, **named)))
    return open_study(whole, clock=lambda: LATE)


def texts(value: Any) -> list[str]:
    """Every text inside, keys included."""
    if isinstance(value, dict):
        return [*value, *(text for inner in value.values() for text in texts(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


def check_cells(path: Path, expected: pl.DataFrame | None = None) -> None:
    """No cell begins as a formula, split at commas or at semicolons, and each comes back as it was."""
    written = path.read_bytes().decode()
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert len({len(row) for row in rows}) == 1
    for cell in (cell for row in rows for cell in row):
        parts = [part for part in re.split(r"[;\t\r\n]", cell) if re.match("[=+@＝＋＠]|-[^0-9]", part)]
        assert parts == [], cell
    if expected is not None:
        for name in (name for name in TYPED if name in expected.columns):
            column = [meant(row[rows[0].index(name)]) for row in rows[1:]]
            assert column == expected[name].to_list()


def test_there_are_sixty() -> None:
    """Sixty strings, one of them of ten thousand characters."""
    assert len(set(STRINGS)) == 60
    assert max(map(len, STRINGS)) == 10_000


def test_no_cell_of_a_table_acts(study: Study, tmp_path: Path) -> None:
    """In every column of every CSV each string is only a text, and the same text when it is read back."""
    export_tables(study, tmp_path / "csv", "csv")
    held, _ = tables_of(study)
    assert {"device", "note", "label", "record_id", "mood"} <= {
        name for table in held.values() for name in table.columns
    }
    for name, table in held.items():
        check_cells(tmp_path / "csv" / f"{name}.csv", planted(table))


def test_a_deidentified_copy_holds_none(study: Study, tmp_path: Path) -> None:
    """No string survives in a copy of which nobody can tell whose it is."""
    export_tables(study, tmp_path / "nobodys", "deidentified")
    for path in (tmp_path / "nobodys").iterdir():
        check_cells(path)
        assert not [string for string in STRINGS if len(string) > 5 and string in path.read_bytes().decode()]


def test_a_bundle_holds_clean_texts_only(study: Study) -> None:
    """In a FHIR bundle no text has a control or a turning mark, none is empty, and the models of FHIR read it."""
    bundle = fhir_bundle(study)
    Bundle(**bundle)
    found = texts(json.loads(json.dumps(bundle)))
    assert "x" * 9_999 in "".join(found)
    assert any("<script>" in text for text in found)
    assert not [text for text in found if NEVER.search(text) or not text.strip()]
    assert "text" not in {key for entry in bundle["entry"] for key in entry["resource"]}  # no narrative: no markup


def test_a_package_describes_them_and_none_acts(study: Study, tmp_path: Path) -> None:
    """Frictionless reads every table, and neither descriptor has a text with a control in it."""
    export_package(study, tmp_path / "out")
    for path in (tmp_path / "out" / "data").glob("*.csv"):
        check_cells(path)
    for name in ("datapackage.json", "ro-crate-metadata.json"):
        assert not [text for text in texts(json.loads((tmp_path / "out" / name).read_text())) if NEVER.search(text)]
    with system.use_context(trusted=True):
        report = Frictionless(str(tmp_path / "out" / "datapackage.json")).validate()
    assert report.flatten(["type", "note"]) == []
