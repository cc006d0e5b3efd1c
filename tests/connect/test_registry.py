"""Which connectors are installed, and what they tell a patient."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from nof1.connect import registry
from nof1.connect.registry import (
    GROUP,
    ConnectorNotLoadedWarning,
    find_connector,
    find_connectors,
    how_to_get_the_export,
)
from nof1.errors import ConnectorFailedError, UsageError
from nof1_connectors.fitbit import CONNECTOR


class Entry(EntryPoint):
    """An entry point that gives a sound connector, an object that is none, or fails."""

    def load(self) -> object:
        """Load what the value says."""
        if self.value == "broken":
            raise ImportError("no module named band")
        if self.value == "leaving":
            sys.exit("this package needs a licence")
        if self.value == "another contract":
            return SimpleNamespace(name="hoop", version="1", about={}, forms=(), read=None)
        if self.value == "formless":
            return SimpleNamespace(name="hoop", version="1", about=CONNECTOR.about, forms=("any",), read=None)
        return CONNECTOR if self.value == "sound" else object()


def installed(monkeypatch: pytest.MonkeyPatch, **entries: str) -> None:
    """Let these entry points be all there are."""
    found = [Entry(name, value, GROUP) for name, value in entries.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: found)


def test_fitbit_is_installed() -> None:
    """The connector that comes with nof1 is found by its entry point and keeps the contract."""
    assert find_connectors()["fitbit"].version


def test_an_unknown_source_lists_the_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that is not installed is a mistake in the call, and the installed ones are listed."""
    installed(monkeypatch, fitbit="sound")
    with pytest.raises(UsageError, match=r"no connector 'anklet'\. Installed: fitbit"):
        find_connector("anklet")


FAULTS = [
    ("broken", "ImportError: no module named band"),
    ("hollow", "no attribute 'name'"),
    ("leaving", "needs a licence"),
    ("another contract", "its about is no About"),
    ("formless", "one of its forms is no Form"),
]


@pytest.mark.parametrize(("value", "reason"), FAULTS)
def test_a_connector_that_fails_to_load_is_warned_about_and_left_out(
    monkeypatch: pytest.MonkeyPatch, value: str, reason: str
) -> None:
    """A broken plugin, or one that keeps another contract, is named in a warning, and the others still work."""
    installed(monkeypatch, hoop=value, fitbit="sound")
    with pytest.warns(ConnectorNotLoadedWarning, match=f"'hoop' .* {reason}"):
        found = find_connectors()
    assert list(found) == ["fitbit"]


@pytest.mark.parametrize(("value", "reason"), FAULTS)
def test_a_connector_that_is_asked_for_and_fails_to_load_is_an_error(
    monkeypatch: pytest.MonkeyPatch, value: str, reason: str
) -> None:
    """Whoever asks for it hears what is wrong with it, not that there is none; others are found, with a warning."""
    installed(monkeypatch, hoop=value, fitbit="sound")
    with pytest.raises(ConnectorFailedError, match=f"'hoop' .* {reason}"):
        find_connector("Hoop")
    with pytest.warns(ConnectorNotLoadedWarning, match="'hoop'"):
        assert find_connector("fitbit") is CONNECTOR


def test_two_connectors_of_one_name_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that takes the name of another connector is named in a warning; one of them is used, always the same."""
    installed(monkeypatch, fitbit="sound", other="sound")
    with pytest.warns(ConnectorNotLoadedWarning, match="'other' .* named 'fitbit' too"):
        assert find_connectors() == {"fitbit": CONNECTOR}


def test_a_patient_is_told_how_to_get_the_export() -> None:
    """The section of the README beside the connector is given alone, without its heading and without the next one."""
    told = how_to_get_the_export(CONNECTOR)
    assert told is not None
    assert told.startswith("1. ")
    assert "##" not in told


def test_a_connector_without_a_readme_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connector that is one module alone, with no README beside it, has nothing to tell, and that is no error."""
    (tmp_path / "lonely_ring.py").write_text("class Ring: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    import lonely_ring  # type: ignore[import-not-found]

    assert how_to_get_the_export(lonely_ring.Ring()) is None
