"""``nof1 connectors`` on a narrow screen, and installed connectors that are broken."""

import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points

import click
import pytest
from click.testing import CliRunner
from tests.cases import Typist, write_export

from nof1.cli import connectors as command_module
from nof1.connect import registry
from nof1.connect.registry import ConnectorNotLoadedWarning
from nof1.study.sources import list_sources


@pytest.mark.parametrize(("width", "whole"), [(80, False), (120, True)])
def test_the_table_fits_the_screen(
    width: int, whole: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At 80 columns nothing runs over, and what is left out is told by --json; at 120 every column is there."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    command_module._list(list_sources())
    lines = click.unstyle(capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= width
    assert ("zone" in lines[0], "naps" in lines[0]) == (whole, whole)
    assert [word for word in lines[0].split() if word in {"name", "source", "seen"}] == ["name", "source", "seen"]
    assert all(any(line.startswith(f"{source.name} ") for line in lines) for source in list_sources())


class Entry(EntryPoint):
    """An entry point whose package is broken."""

    def load(self) -> object:
        """Fail as a package for another version would."""
        raise ImportError("cannot import name 'Band'")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Besides what is installed, a connector that cannot be loaded."""
    entries = [*entry_points(group=registry.GROUP), Entry("hoop", "hoop:CONNECTOR", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)


@pytest.mark.usefixtures("broken")
def test_a_broken_connector_stops_neither_an_import_nor_the_list(typist: Typist) -> None:
    """Both name it in a warning and do what was asked; asked for by name it is an error of its own kind."""
    write_export(typist.home / "takeout.zip", 5)
    for words in (["import", "--dry-run", "takeout.zip", "--zone", "Europe/Berlin"], ["connectors"]):
        with pytest.warns(ConnectorNotLoadedWarning, match="'hoop' .* cannot import name 'Band'"):
            assert "fitbit" in typist.does(*words)
    for words in (["import", "--dry-run", "takeout.zip", "--from", "hoop"], ["connectors", "hoop"]):
        refused = typist(*words)
        assert refused.exit_code == 70
        assert refused.stderr.startswith("nof1: The connector 'hoop' (hoop:CONNECTOR) cannot be loaded: ImportError")


WARNING = """
import importlib, sys, warnings
cli = importlib.import_module("nof1.cli.main")
from nof1.connect.registry import ConnectorNotLoadedWarning
def main():
    warnings.warn("The connector 'hoop' cannot be loaded.", ConnectorNotLoadedWarning)
    warnings.warn("another", RuntimeWarning)
cli.main = main
cli.run()
"""


def test_a_warning_of_nof1_is_a_sentence() -> None:
    """In a process of its own a warning for the person tells no file and no line; Python's other warnings do."""
    ran = subprocess.run([sys.executable, "-c", WARNING], capture_output=True, text=True, check=False)
    assert ran.stderr.splitlines()[0] == "nof1: The connector 'hoop' cannot be loaded."
    assert "RuntimeWarning: another" in ran.stderr


def test_a_sample_table_can_be_typed_as_it_is_shown() -> None:
    """The sample of a table begins with its header: no mark of the README's language stands before it."""
    told = CliRunner().invoke(command_module.command, ["generic_csv"]).output
    assert "\n\n   night,tst_min,deep_min" in told
    assert "`" not in told
