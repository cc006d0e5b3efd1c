"""The report page in a real browser."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

PHONE, LAPTOP = 390, 1280
CONTRASTS = """
(() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = parse(c).slice(0, 3).map(v => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (parse(c).length < 4 || parse(c)[3] > 0) return c; } return 'rgb(255, 255, 255)'; };
  const words = [...document.querySelectorAll('body *')].filter(e =>
    [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()));
  return words.map(e => { const a = light(getComputedStyle(e).color), b = light(behind(e));
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.tagName + ' ' + e.textContent.slice(0, 40)]; });
})()
"""


@pytest.mark.parametrize("width", [PHONE, LAPTOP])
def test_the_page_opens_in_silence(page: Any, report: Path, width: int) -> None:
    """Opening a report gives no console message and no request besides the file itself."""
    page.open(report, width=width)
    assert page.requests == [report.as_uri()]
    assert page.complaints == []
    assert page.evaluate("getComputedStyle(document.querySelector('.finding')).borderLeftWidth") == "4px"


def test_the_silence_can_be_broken(page: Any, tmp_path: Path) -> None:
    """A page that breaks its policy and asks for a picture elsewhere is noticed: the silence above means something."""
    loud = tmp_path / "loud.html"
    loud.write_text(
        "<meta http-equiv='Content-Security-Policy' content=\"style-src 'none'\">"
        "<p style='color: red'>styled</p><img src='http://127.0.0.1:9/x.png'>"
    )
    page.open(loud, width=LAPTOP)
    assert any("127.0.0.1" in url for url in page.requests)
    assert any("Content Security Policy" in said or "ContentSecurityPolicy" in said for said in page.complaints)


@pytest.mark.parametrize("width", [320, PHONE, LAPTOP])
def test_nothing_sticks_out(page: Any, report: Path, width: int) -> None:
    """The page never scrolls sideways, and every figure is drawn."""
    page.open(report, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")


@pytest.mark.parametrize(("width", "drawn"), [(PHONE, 340), (LAPTOP, 680)])
def test_a_phone_gets_figures_drawn_for_it(page: Any, report: Path, width: int, drawn: int) -> None:
    """A narrow screen is given the narrow drawings, so that their letters stay readable."""
    page.open(report, width=width)
    widths = page.evaluate("[...document.images].map(i => i.naturalWidth)")
    assert widths
    assert all(abs(found - drawn) <= 2 for found in widths)


@pytest.mark.parametrize("dark", [False, True])
def test_all_words_can_be_read(page: Any, report: Path, dark: bool) -> None:
    """Every piece of text has a contrast of at least 4.5 : 1 with what is behind it, by day and by night."""
    page.open(report, width=LAPTOP, dark=dark)
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 50
    assert [what for ratio, what in contrasts if ratio < 4.5] == []


def test_the_page_prints_on_a4(page: Any, report: Path) -> None:
    """The page prints on a few sheets of A4."""
    page.open(report, width=LAPTOP)
    pdf = base64.b64decode(page.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    width, height = (float(side) for side in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)[0])
    assert (width, height) == pytest.approx((595.3, 841.9), abs=1.5)
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 10
