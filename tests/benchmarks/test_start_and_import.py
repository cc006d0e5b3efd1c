"""How long a person waits for the help page and for an import, measured side by side in one run."""

import statistics
from pathlib import Path

import pytest
from tests.benchmarks.stopwatch import seconds
from tests.cases import ZONE, write_export

pytestmark = pytest.mark.benchmark

EMPTY_CLICK = "import click\n@click.group()\ndef main():\n    'Nothing.'\nmain(['--help'])"
HELP = "from nof1.cli import main\nmain(['--help'])"
POLARS = "import polars"
THREE_YEARS = 1_170
"""Nights; with those on which the device was not worn left out, about 1,100 are recorded."""


def test_the_help_page_starts_at_once() -> None:
    """``nof1 --help`` takes at most twice as long as an empty click program."""
    pairs = [(seconds("-c", HELP), seconds("-c", EMPTY_CLICK)) for _ in range(11)]
    ratio = statistics.median(ours / empty for ours, empty in pairs[1:])
    print(f"\nnof1 --help / an empty click program: {ratio:.2f} (median of 10 pairs)")
    assert ratio <= 2.0


def test_three_years_are_imported_before_you_look_up(tmp_path: Path) -> None:
    """Three years of Fitbit archive take at most 1.5 s beyond importing polars."""
    archive = write_export(tmp_path / "takeout.zip", THREE_YEARS)
    beyond = []
    for run in range(6):
        study = tmp_path / f"study{run}"
        seconds("-m", "nof1", "init", study, "--zone", ZONE)
        beyond.append((seconds("-m", "nof1", "import", archive, "--study", study), seconds("-c", POLARS)))
    ours, polars = (statistics.median(column) for column in zip(*beyond[1:], strict=True))
    print(f"\nimport of {THREE_YEARS} nights: {ours:.2f} s, of which importing polars alone {polars:.2f} s")
    assert ours - polars <= 1.5
