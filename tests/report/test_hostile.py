"""Sixty hostile strings in every text that the page, a figure, a calendar or a table takes from others: none acts."""

import csv
import io
import re
from datetime import UTC, datetime
from itertools import batched, cycle
from typing import Any, Final
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from tests.report.test_page import read

from nof1.report import number_line
from nof1.report.ics import Reminder, render_calendar
from nof1.report.page import render_report
from nof1.study.spreadsheets import as_csv, meant

MARKUP: Final = tuple(
    f"{before}{what}"
    for before in ("", '">', "</style>", "</p></title>", "]]>", "-->")
    for what in (
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<iframe src='javascript:alert(1)'>",
        "<meta http-equiv=refresh content=0>",
    )
)
OTHERS: Final = (
    *("' onmouseover=alert(1) x='", '" style="position:fixed', "javascript:alert(1)", "&#60;script&#62;", "&lt;b&gt;"),
    *("{{ 7 * 7 }}", "{% raw %}", "{{ result.__class__ }}", "${7*7}", "datum['x']", "%(x)s", "\\u003cscript\\u003e"),
    *("=1+1", "+1+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", '=HYPERLINK("//x","y")', "\t=1", "\r=1", "'=1", "＝1+1"),
    *("a\r\nBEGIN:VALARM\r\nACTION:AUDIO", "x\nEND:VCALENDAR", "a;b,c\\n:d", "\u202egnp.exe", "\x1b[31mred\x1b[0m"),
    *("\x00\x07", "\u2028line\u2029", "\u2066turned\u2069", '"quoted", and; more'),
)
HOSTILE: Final = (*MARKUP, *OTHERS)


def filled(value: Any, strings: Any, names: frozenset[str]) -> Any:
    """Put the next string wherever one of these names holds text."""
    if isinstance(value, list):
        return [filled(part, strings, names) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        key: f"{next(strings)}" if key in names and isinstance(part, str) else filled(part, strings, names)
        for key, part in value.items()
    }


TYPED: Final = frozenset(
    {"title", "question", "id", "label", "participant", "stream", "why", "worthwhile_why", "source", "distribution"}
    | {"why_not_usable", "why_descriptive", "nof1", "protocol_sha256", "name"}
)


def test_there_are_sixty() -> None:
    """Sixty strings, no two alike."""
    assert len(set(HOSTILE)) == len(HOSTILE) == 60


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("turn", range(0, 60, 6))
def test_no_tag_and_no_attribute_comes_from_a_text(make: Any, turn: int) -> None:
    """With every typed or imported text hostile, the page has the tags and attributes that it has without."""
    result, tree = make("benefit")
    result["trial"]["deviations"] = ["A quiet deviation."] * 3
    _, expected = read(render_report(result, tree))
    hostile = filled(result, cycle(HOSTILE[turn:] + HOSTILE[:turn]), TYPED)
    hostile["trial"]["deviations"] = list(HOSTILE[turn : turn + 3])
    page = render_report(hostile, tree)
    _, tags = read(page)
    allowed = {(tag, name) for tag, attributes in expected for name in attributes}
    assert {tag for tag, _ in tags} <= {tag for tag, _ in expected}
    assert {(tag, name) for tag, attributes in tags for name in attributes} <= allowed
    assert not re.search("[\x00-\x08\x1b\u202a-\u202e\u2066-\u2069\u2028\u2029]", page)


def test_no_figure_runs_a_text(make: Any) -> None:
    """Each string as the name of an outcome or an arm is drawn as text: the SVG has no element that it has not else."""
    outcome = make("benefit")[0]["outcomes"][0]
    level = outcome["levels"]["magnesium"]

    def drawn(label: str, *codes: str) -> ET.Element:
        named = outcome | {"label": label, "levels": dict.fromkeys(codes, level), "reference": codes[0]}
        return ET.fromstring(number_line.figure(named, [{"code": code} for code in codes]).wide)  # noqa: S314

    quiet = {element.tag for element in drawn("quiet", "a", "b", "c", "d").iter()}
    pairs = (" ".join(pair) for pair in batched(HOSTILE, 2, strict=True))
    for strings in batched(pairs, 5, strict=True):
        tree = drawn(*strings)
        assert {element.tag for element in tree.iter()} == quiet, strings
        assert not any(name.startswith("on") for element in tree.iter() for name in element.attrib)


def test_no_calendar_gains_a_line(make: Any) -> None:
    """Each string as title and text of a reminder stays one property: no alarm, no event, no end is added."""
    del make
    zone = ZoneInfo("Europe/Berlin")
    at = datetime(2026, 11, 22, 21, tzinfo=zone)

    def parts(title: str) -> list[str]:
        made = render_calendar(
            [Reminder(uid="x@nof1", at=at, title=title, text=title)],
            zone,
            name=title,
            stamp=at.astimezone(UTC),
            sequence=1,
        )
        return re.findall(r"^(?:BEGIN|END):.*$", made.decode().replace("\r\n", "\n").replace("\r", "\n"), re.MULTILINE)

    for string in HOSTILE:
        assert parts(string) == parts("quiet"), string


def test_no_cell_is_a_formula() -> None:
    """Each string as a cell and as a head of a column comes back from CSV whole, and begins like no formula."""
    for string in HOSTILE:
        head, row = csv.reader(io.StringIO(as_csv(pl.DataFrame({string: [string]})), newline=""))
        for cell in (head[0], row[0]):
            assert meant(cell) == string
            assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r", "＝"}, string
