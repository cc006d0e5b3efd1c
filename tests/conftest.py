"""Fixtures of several rooms."""

from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from hypothesis import settings
from tests.cases import Typist

from nof1.connect import registry
from nof1.study import protocols

# No deadline: a busy machine is no fault of the code. The same examples each time, so that a change is never blamed for
# what chance found; `.ci/run` asks for the thorough profile, and whoever looks for what nobody found yet for the last.
settings.register_profile("a few", deadline=None, max_examples=25, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=200, derandomize=True)
settings.register_profile("exploring", deadline=None, max_examples=1000)
settings.load_profile("a few")


@pytest.fixture(scope="session", autouse=True)
def installed_once() -> Iterator[None]:
    """Ask once what is installed: it takes as long as reading an export, and does not change while tests run."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (registry, protocols):
            patch.setattr(module, "entry_points", cache(entry_points))
        yield


@pytest.fixture(scope="session")
def shared_samples() -> Path:
    """Real exports, which are nobody's to copy: tests that need them skip where they are absent."""
    samples = Path(__file__).parents[2] / "shared" / "samples"
    if not samples.is_dir():
        pytest.skip("the real exports in ../shared/samples are not here")
    return samples


@pytest.fixture
def typist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typist:
    """A person at a terminal, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NOF1_STUDY", raising=False)
    return Typist(tmp_path)
