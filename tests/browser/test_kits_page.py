"""The custodian's page in a real browser."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cases import ZONE, Typist

pytestmark = pytest.mark.browser


@pytest.fixture
def kits(typist: Typist) -> Path:
    """Make the kits of the shipped protocol with twelve bottles."""
    typist.does("init", "s", "--zone", ZONE)
    public = json.loads(typist.does("keygen", "safe.key", "--json"))["public_key"]
    started = ("start", "magnesium-glycinate", "--on", "2026-12-01", "--no-risks", "--custodian", public)
    typist.does(*started, "--study", "s")
    return Path(json.loads(typist.does("kits", "--key", "safe.key", "--study", "s", "--json"))["page"])


def test_the_kits_open_in_silence(kits: Path, page: Any) -> None:
    """The page asks for nothing but itself, complains of nothing, and shows every bottle three times."""
    page.open(kits, width=1280)
    assert page.requests == [kits.as_uri()]
    assert page.complaints == []
    counts = "['tbody tr', '.label', '.card'].map(s => document.querySelectorAll(s).length).join()"
    assert page.evaluate(counts) == "12,12,12"


def test_the_kits_fit_the_paper(kits: Path, page: Any) -> None:
    """On the width of an A4 sheet nothing runs over the edge."""
    page.open(kits, width=700)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("[...document.querySelectorAll('td, th, p')].every(e => e.scrollWidth <= e.clientWidth + 1)")
