"""Nine invented trials, one for each thing that a result can say: lived through, and their pages opened."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from tests.browser.test_accessible import judged
from tests.cases import picture_widths
from tests.report.test_page import PLACES

SCRIPT: Final = Path(__file__).parents[2] / "examples" / "results" / "make.py"
LARGEST: Final = 1_500_000
SHEETS: Final = 5
"""One for the patient, four for the clinician, however many arms there are."""
SAYS: Final = {
    "failed-gate": ["No claim", "an analysis needs at least 6 nights in 2 periods on each arm"],
    "not-enough-to-tell": [
        "Not enough to tell",
        "These nights do not settle it, either way. Even with 8 more pairs of periods like these",
        "What the design was expected to tell Reckoned on 2025-01-07, before the draw",
    ],
    "worsening": ["Worsening: deep sleep is shorter on magnesium than on placebo", "magnesium made it worse"],
    "no-worthwhile-difference": ["No difference worth having"],
    "descriptive-latency": ["Benefit: deep sleep is longer", "Numbers without a verdict: time to fall asleep"],
    "open-label": ["Consistent with a benefit; expectation not excluded"],
    "sealed": ["nights on treatment are over", "What the treatment does is told to nobody before the planned end"],
    "two-actives": ["Favours bisglycinate", "This trial cannot show that either does anything: there is no placebo."],
    "three-arms": ["Benefit: deep sleep is longer on bisglycinate than on placebo", "Favours bisglycinate"],
}
"""What stands on each page."""
TITLE: Final = "Magnesium bisglycinate or placebo for sleep: a randomised, blinded trial in one person"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not SCRIPT.exists(), reason="the built wheel is tested without the examples"),
]


@pytest.fixture(scope="module")
def examples() -> ModuleType:
    """The script that makes them."""
    spec = importlib.util.spec_from_file_location("make_results", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_opened_below(examples: ModuleType) -> None:
    """One that is added later needs words here."""
    assert set(examples.TRIALS) == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_the_page_of_an_example(  # noqa: PLR0917  fixtures and what they vary
    name: str, examples: ModuleType, page: Any, axe: str, printed: Any, tmp_path: Path
) -> None:
    """It says what it must, on a phone and a laptop, in silence; axe finds nothing, and paper has room for it."""
    path = examples.live(tmp_path, examples.TRIALS[name])
    assert path.stat().st_size < LARGEST
    widths = picture_widths(path.read_text(encoding="utf-8"))
    assert [width for width in widths if min(abs(place - width) for place in PLACES) > 2] == []
    for width in (390, 1280):
        page.open(path, width=width)
        assert set(page.requests) == {path.as_uri()}
        assert page.complaints == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert judged(page, axe)["broken"] == []
    text = " ".join(page.evaluate("document.body.innerText").split())
    assert [words for words in SAYS[name] if words not in text] == []
    assert printed(page, path) == 1 if name == "sealed" else 2 <= printed(page, path) <= SHEETS
    if name == "sealed":
        assert not [word for word in ("placebo", "Period", "period", "bottle") if word in text.replace(TITLE, "")]
