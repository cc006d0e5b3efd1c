"""Fixtures of several rooms."""

from pathlib import Path

import pytest
from tests.cases import Typist


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
