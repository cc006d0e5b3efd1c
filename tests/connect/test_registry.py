"""Which connector reads an export."""

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import ClassVar

import pytest

from nof1.connect import registry
from nof1.connect.connector import Imported, ReadOptions, Recognition
from nof1.connect.reading import Export
from nof1.connect.registry import GROUP, ConnectorNotLoadedWarning, find_connectors, recognise
from nof1.errors import DataError, UsageError


class Band:
    """A connector that claims whatever begins with its word."""

    version: ClassVar[str] = "1"

    def __init__(self, name: str, word: bytes) -> None:
        self.name = name
        self.word = word

    def recognise(self, export: Export) -> Recognition | None:
        """Claim by the first bytes."""
        head = export.members[0].head(20)
        return Recognition(self.name, f"it begins with {self.word!r}") if head.startswith(self.word) else None

    def read(self, export: Export, options: ReadOptions) -> Imported:
        """Read nothing: these tests end before that."""
        raise NotImplementedError


class Entry(EntryPoint):
    """An entry point that loads what it is given, or fails."""

    def load(self) -> object:
        """Give a connector named like the entry."""
        if self.value == "broken":
            raise ImportError("no module named band")
        return Band(self.name, self.value.encode())


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three connectors, two of which overlap."""
    entries = [Entry(name, value, GROUP) for name, value in (("band", "zz"), ("ring", "zzz"), ("mat", "m"))]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """An export of the band."""
    (tmp_path / "sleep.txt").write_text("zz 23:10 07:00")
    return Export(tmp_path)


def test_fitbit_is_installed() -> None:
    """The connector that comes with nof1 is found by its entry point and keeps the contract."""
    assert find_connectors()["fitbit"].version


@pytest.mark.usefixtures("installed")
def test_the_one_that_claims_it_reads_it(export: Export) -> None:
    """The connector that recognises the content is chosen, with its evidence."""
    connector, claim = recognise(export)
    assert (connector.name, claim.because) == ("band", "it begins with b'zz'")


@pytest.mark.usefixtures("installed")
def test_two_claims_are_an_error_that_names_both_and_the_way_out(tmp_path: Path) -> None:
    """Where two connectors claim an export both are named, and how to choose; choosing then works."""
    (tmp_path / "sleep.txt").write_text("zzz")
    with pytest.raises(DataError, match=r"band because .*; ring because .* --from band"):
        recognise(Export(tmp_path))
    assert recognise(Export(tmp_path), "ring")[0].name == "ring"


@pytest.mark.usefixtures("installed")
def test_an_export_that_nobody_knows_says_what_is_known(tmp_path: Path) -> None:
    """An export that no connector claims is refused, with the list of sources that were looked for."""
    (tmp_path / "letter.txt").write_text("Dear doctor")
    with pytest.raises(DataError, match=r"1 files were looked into .* band, mat, ring"):
        recognise(Export(tmp_path))


@pytest.mark.usefixtures("installed")
def test_an_unknown_source_lists_the_known(export: Export) -> None:
    """A source that is not installed is a mistake in the call, and the installed ones are listed."""
    with pytest.raises(UsageError, match=r"no connector 'anklet'\. Installed: band, mat, ring"):
        recognise(export, "anklet")


def test_a_connector_that_fails_to_load_is_warned_about_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken plugin is named in a warning, and the others still work."""
    entries = [Entry("hoop", "broken", GROUP), Entry("band", "zz", GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)
    with pytest.warns(ConnectorNotLoadedWarning, match=r"'hoop' .* no module named band"):
        found = find_connectors()
    assert list(found) == ["band"]
