"""The report page in a real browser."""

from pathlib import Path
from typing import Any

import pytest
from tests.report.test_alternatives import row

from nof1.model.sensitivity import ALTERNATIVES
from nof1.report.page import render_report

pytestmark = pytest.mark.browser

PHONE, LAPTOP = 390, 1280
SHOWN = "[...document.images].filter(i => i.clientWidth > 0).map(i => [i.naturalWidth, i.clientWidth])"
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


@pytest.mark.parametrize("width", [320, PHONE, LAPTOP])
def test_a_page_with_every_alternative_does_not_stick_out_either(
    page: Any, make: Any, tmp_path: Path, width: int
) -> None:
    """Six columns become paragraphs on a phone, whose cells say what they are; on a laptop they stay a table."""
    result, tree = make("meaningful_benefit")
    rows = [row(name, 8.84, "better_size_unclear") for name in ALTERNATIVES]
    result["outcomes"][0]["sensitivity"] = [*rows[:-1], row(ALTERNATIVES[-1], 0.0, None, why_not="4 usable nights")]
    path = tmp_path / "all.html"
    path.write_text(render_report(result, tree), encoding="utf-8")
    page.open(path, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.evaluate("getComputedStyle(document.querySelector('.stacked td'), '::before').content")
    assert ("Nights" in shown) == (width < LAPTOP)


@pytest.mark.parametrize("width", [PHONE, LAPTOP])
def test_no_figure_is_shown_smaller_than_it_was_drawn(page: Any, report: Path, width: int) -> None:
    """A phone is given narrow drawings and a laptop wide ones, one of the two, so that their letters stay readable."""
    page.open(report, width=width)
    sizes = page.evaluate(SHOWN)
    assert len(sizes) == page.evaluate("document.querySelectorAll('figure').length")
    assert all(drawn - shown <= 6 for drawn, shown in sizes), sizes
    assert (max(drawn for drawn, _ in sizes) > 400) is (width == LAPTOP)


@pytest.mark.parametrize("dark", [False, True])
def test_all_words_can_be_read(page: Any, report: Path, dark: bool) -> None:
    """Every piece of text has a contrast of at least 4.5 : 1 with what is behind it, by day and by night."""
    page.open(report, width=LAPTOP, dark=dark)
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 50
    assert [what for ratio, what in contrasts if ratio < 4.5] == []


@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize("verdict", ["meaningful_benefit", "not_enough_to_tell", "descriptive_only", "not_usable"])
def test_the_patients_page_is_one_sheet(
    page: Any, make: Any, printed: Any, tmp_path: Path, *, verdict: str, drawn: bool
) -> None:
    """Whatever was found, the patient's page fills one sheet of A4 and no second; with the record they are five."""
    made = make(verdict, blinding="double-blind" if drawn else "open label", drawn_by_nof1=drawn)
    (tmp_path / "sheet.html").write_text(render_report(*made, only="patient"), encoding="utf-8")
    assert printed(page, tmp_path / "sheet.html") == 1
    (tmp_path / "whole.html").write_text(render_report(*made), encoding="utf-8")
    assert 2 <= printed(page, tmp_path / "whole.html") <= 5


def test_a_talkative_trial_is_one_sheet_too(page: Any, make: Any, printed: Any, tmp_path: Path) -> None:
    """A long question, ten deviations and four contrasts are set smaller, and counted where there is no room."""
    result, tree = make("benefit", blinding="open label", drawn_by_nof1=False)
    result["protocol"]["question"] *= 2
    result["trial"]["deviations"] = [f"Night {n} was slept in another bed, in another town." for n in range(10)]
    result["outcomes"] = [*result["outcomes"], *result["outcomes"]]
    text = render_report(result, tree, only="patient")
    assert "more such points stand in the record for clinicians" in text
    (tmp_path / "sheet.html").write_text(text, encoding="utf-8")
    assert printed(page, tmp_path / "sheet.html") == 1


def test_each_reader_can_have_a_page_of_their_own(page: Any, make: Any, tmp_path: Path) -> None:
    """Either part stands alone under the title, and opens in silence."""
    for only, other in (("patient", ".clinician"), ("clinician", ".sheet")):
        path = tmp_path / f"{only}.html"
        path.write_text(render_report(*make("benefit"), only=only), encoding="utf-8")
        page.open(path, width=LAPTOP)
        assert page.complaints == []
        assert page.evaluate("document.querySelectorAll('h1').length") == 1
        assert page.evaluate(f"document.querySelectorAll('{other}').length") == 0
