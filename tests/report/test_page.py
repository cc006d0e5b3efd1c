"""Tests of the page: it says what the result says, needs nothing else, and believes no imported text."""

import base64
import hashlib
import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.cases import picture_widths

from nof1.report import canvas, sentences
from nof1.report.lines import lines
from nof1.report.page import render_report
from nof1.report.rounding import fixed, percent

PLACES = (canvas.ICONS, canvas.NARROW, canvas.WIDE)
VERDICTS = (*sentences.BETTER, *sentences.WORSE, "no_worthwhile_difference", "not_enough_to_tell", "descriptive_only")


class Reader(HTMLParser):
    """Collect the visible text and the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text.append(data)


def read(page: str) -> tuple[str, list[tuple[str, dict[str, str | None]]]]:
    """Give the text of a page with single spaces, and its tags."""
    reader = Reader()
    reader.feed(page)
    return " ".join(" ".join(reader.text).split()), reader.tags


@pytest.fixture(scope="module")
def page(make: Any) -> tuple[Any, str]:
    """Render one whole page, figures and all."""
    result, tree = make("benefit")
    return result, render_report(result, tree)


def test_the_page_needs_nothing_but_itself(page: Any) -> None:
    """There is no script, no link and no address: every picture is inside the page."""
    _, tags = read(page[1])
    assert not {"script", "link", "iframe", "object", "form", "base", "a"} & {tag for tag, _ in tags}
    assert not any(name.startswith("on") or name == "style" for _, attributes in tags for name in attributes)
    sources = [value for _, attributes in tags for name, value in attributes.items() if name in {"src", "srcset"}]
    assert sources
    assert all(str(source).startswith("data:image/svg+xml;base64,") for source in sources)


def test_the_policy_allows_this_style_and_pictures_and_nothing_else(page: Any) -> None:
    """The content security policy names the hash of the very style on the page."""
    style = re.search(r"<style>(.*?)</style>", page[1], re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = next(a["content"] for tag, a in read(page[1])[1] if tag == "meta" and "http-equiv" in a)
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:"


def test_the_page_is_small(page: Any) -> None:
    """A page with two outcomes stays under 1.5 MB."""
    assert len(page[1].encode()) < 1_500_000


def test_every_picture_is_as_wide_as_its_place(page: Any) -> None:
    """A wider one would shrink, and its letters with it: the page column, a phone, the icons."""
    widths = picture_widths(page[1])
    assert {min(PLACES, key=lambda place: abs(place - width)) for width in widths} == set(PLACES)
    assert [width for width in widths if min(abs(place - width) for place in PLACES) > 2] == []


def test_every_picture_has_a_text_that_states_its_finding(page: Any) -> None:
    """Four figures an outcome and the map, the nights and the map in two widths: numbers in all words."""
    pictures = [attributes for tag, attributes in read(page[1])[1] if tag == "img"]
    assert len(pictures) == 2 * (1 + 1 + 2 + 1) + 2
    assert all(re.search(r"\d", str(picture["alt"])) for picture in pictures)


def test_the_same_result_gives_the_same_page(make: Any, page: Any) -> None:
    """Rendering twice gives the same bytes: no clock and no chance."""
    result, tree = make("benefit")
    assert render_report(result, tree) == page[1]


def test_numbers_on_the_page_are_those_of_the_result(page: Any) -> None:
    """Medians, intervals, probabilities and levels stand on the page as in the result, after the stated rounding."""
    result, text = page[0], read(page[1])[0]
    for outcome in result["outcomes"]:
        for summary in (outcome["effect"], *outcome["levels"].values()):
            low, high = summary["ci95"]
            assert fixed(summary["median"], 1) in text
            assert f"{fixed(low, 1)} to {fixed(high, 1)}" in text
        low, high = outcome["effect"]["ci50"]
        assert f"{fixed(low, 1)} to {fixed(high, 1)}" in text
        for p in outcome["probability"].values():
            assert f"{percent(p)} {sentences.probability_words(p)}" in text
    low, high = result["outcomes"][1]["ratio"]["ci95"]
    assert f"{fixed(low, 2)} to {fixed(high, 2)}" in text


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("blinding", ["double-blind", "open label"])
@pytest.mark.parametrize("verdict", [*VERDICTS, "not_usable"])
def test_terminal_and_page_say_the_same(make: Callable[..., Any], verdict: str, blinding: str) -> None:
    """Every line that nof1 analyse prints stands on the page, for every verdict, each headline as a heading."""
    result, tree = make(verdict, blinding=blinding, drawn_by_nof1=blinding != "open label")
    page = render_report(result, tree)
    text, _ = read(page)
    for line in lines(result):
        assert line in text
    for outcome in result["outcomes"]:
        headline = sentences.headline(outcome, result["arms"], blinding=blinding)
        assert f"<h3>{html.escape(headline)}</h3>" in page.replace("\u00a0", " ")


@pytest.mark.usefixtures("undrawn")
def test_open_label_and_a_foreign_schedule_are_said_at_the_top(make: Any) -> None:
    """Both cautions stand before the first finding."""
    result, tree = make("benefit", blinding="open label", drawn_by_nof1=False)
    text, _ = read(render_report(result, tree))
    first_finding = text.index("What was found")
    assert text.index("Open label:") < first_finding
    assert text.index("nof1 did not draw this schedule") < first_finding


@pytest.mark.usefixtures("undrawn")
def test_a_failed_fit_shows_no_estimate(make: Any) -> None:
    """A fit that failed its checks shows why, its checks and its nights, and no estimate, probability or posterior."""
    result, tree = make("not_usable")
    result["outcomes"] = result["outcomes"][:1]
    text, tags = read(render_report(result, tree))
    assert result["outcomes"][0]["why_not_usable"] in text
    assert result["outcomes"][0]["diagnostics"]["failures"][0] in text
    assert "Estimates" not in text
    assert "Probability" not in text
    assert [attributes.get("class") for tag, attributes in tags if tag == "img"] == ["wide", "narrow", None]


@pytest.mark.usefixtures("undrawn")
def test_an_outcome_that_could_not_be_fitted_still_has_a_page(make: Any) -> None:
    """Where there is no posterior at all, the page says why instead of failing."""
    result, tree = make("not_usable")
    del tree["deep_min"]
    result["outcomes"][0]["diagnostics"] = None
    assert result["outcomes"][0]["why_not_usable"] in read(render_report(result, tree))[0]


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe\x1b[31m\x00",
)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text(make: Any, hostile: str) -> None:
    """Whatever text a protocol, a device or a name brings, the page keeps its tags and shows the text as text."""
    result, tree = make("not_usable", blinding="open label")
    _, expected = read(render_report(result, tree))
    result["participant"] = result["blinding"] = hostile
    result["protocol"] |= dict.fromkeys(("id", "title", "question", "scheme"), hostile)
    result["trial"] |= dict.fromkeys(("stream", "latency_source", "first_night"), hostile)
    result["provenance"] |= {"nof1": hostile, "sleep_files": [hostile, hostile]}
    result["outcomes"][0] |= {"label": hostile, "why_not_usable": hostile, "role": hostile}
    result["outcomes"][0]["diagnostics"]["failures"] = [hostile]
    for arm in result["arms"]:
        arm["label"] = hostile
    page = render_report(result, tree)
    text, tags = read(page)
    assert {tag for tag, _ in tags} == {tag for tag, _ in expected}
    assert sentences.plain(hostile) in text
    assert not {"\x00", "\x1b", "\u202e"} & set(page)


def test_the_page_says_what_rounded_latencies_and_zeros_are(make: Any) -> None:
    """Values on a coarse grid are said to stand for intervals, and nights without latency to count as 0 in averages."""
    result, tree = make("benefit")
    latency = result["outcomes"][1]
    zeros = {"nights": 91, "seen": 19, "expected": 0.05, "as_many": 1e-6, "chosen": True}
    latency["model"] = latency["model"] | {"rounded_to_min": 5.0, "family": "hurdle_lognormal", "zeros": zeros}
    text, _ = read(render_report(result, tree))
    assert "values rounded to 5 min stand for intervals" in text
    assert "On 19 of 91 nights" in text
    assert "5 % would be expected" in text
    assert "Best estimate: average sleep onset latency" in text
    assert "Bars: mean of the used nights" in text
