"""axe-core's verdict on every page: WCAG 2.2 at level AA, by day and by night, on a phone and on a laptop."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.report.test_checklist import BEHIND

from nof1.report.page import render_report

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = f"""
axe.run(document, {{runOnly: {json.dumps(RULES)}}}).then(found => JSON.stringify({{
  passed: found.passes.map(rule => rule.id),
  broken: found.violations.map(rule => [rule.id, rule.impact, rule.nodes.map(node => node.html.slice(0, 120))]),
}}))
"""


def judged(page: Any, axe: str) -> dict[str, Any]:
    """Let axe judge the page that is open."""
    page.evaluate(f"{axe}; 1")
    return dict(json.loads(page.evaluate(RUN)))


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1280, False), (1280, True)])
@pytest.mark.parametrize("verdict", ["benefit", "not_usable"])
def test_axe_finds_nothing_on_the_page(  # noqa: PLR0917  fixtures and what they vary
    page: Any, make: Any, axe: str, tmp_path: Path, width: int, dark: bool, verdict: str
) -> None:
    """No rule of axe is broken, serious or slight; contrast and text alternatives were among what was looked at."""
    path = tmp_path / "report.html"
    path.write_text(render_report(*make(verdict, blinding="open label"), behind=BEHIND), encoding="utf-8")
    page.open(path, width=width, dark=dark)
    found = judged(page, axe)
    assert found["broken"] == []
    assert {"color-contrast", "image-alt", "document-title", "html-has-lang", "heading-order"} <= set(found["passed"])


def test_axe_notices_what_is_wrong(page: Any, axe: str, tmp_path: Path) -> None:
    """A picture without words and grey on grey are serious violations: the silence above means something."""
    path = tmp_path / "poor.html"
    path.write_text("<body style='background: #888'><p style='color: #777'>pale</p><img src='data:,'></body>")
    page.open(path, width=1280)
    broken = {rule: impact for rule, impact, _ in judged(page, axe)["broken"]}
    assert broken["image-alt"] in {"serious", "critical"}
    assert broken["color-contrast"] == "serious"
