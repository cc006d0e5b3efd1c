"""The trial as planned and as lived: every night a square, what became of it, and what was taken."""

import xml.etree.ElementTree as ET
from datetime import date, timedelta
from itertools import batched
from typing import Any

import polars as pl
import pytest
from tests.report.test_hostile import HOSTILE

from nof1.report.canvas import FONT_SIZE, NARROW, WIDE
from nof1.report.figures import planned_nights
from nof1.report.trial_map import CAPITAL, LABEL, SMALL, calendar_map, trial_map
from nof1.trial.adherence import AS_ASSIGNED, MISSED, NOT_DUE, UNKNOWN


@pytest.fixture
def nights(make: Any) -> tuple[Any, pl.DataFrame]:
    """The arms and the nights of one trial."""
    result, tree = make("benefit")
    return result["arms"], planned_nights(tree["deep_min/constant_data"].to_dataset())


def marks(svg: str, kind: str) -> int:
    """Count the marks of a kind, those of the key left out."""
    drawn = [element for element in ET.fromstring(svg).iter() if element.get("class") == kind]  # noqa: S314
    return max(0, len(drawn) - 1)


def test_every_night_is_drawn_as_what_it_was(nights: Any) -> None:
    """Used, recorded and not used, and not recorded nights are drawn as often as there are, and told in words.

    A night that was recorded without stages is not one that was not recorded.
    """
    arms, planned = nights
    assert planned.filter("recorded", pl.col("value").is_null()).height > 0
    figure = trial_map(planned, arms, None)
    recorded = pl.col("recorded")
    used = planned.filter("used", recorded).height
    aside, missing = planned.filter(~pl.col("used"), recorded).height, planned.filter(~recorded).height
    for svg in (figure.wide, figure.narrow):
        assert [marks(svg, kind) for kind in ("used", "aside", "missing")] == [used, aside, missing]
    assert f"{used} compared, {aside} recorded, not compared, {missing} not recorded." in figure.alternative
    assert figure.alternative.startswith(f"12 periods, {planned.height} nights: ")


def test_doses_that_were_not_as_assigned_are_marked(nights: Any) -> None:
    """A dose not taken, one that nobody logged and one that was not due are marked; the others are not."""
    arms, planned = nights
    odd = {0: NOT_DUE, 9: MISSED, 10: MISSED, 40: UNKNOWN}
    status = [odd.get(place, AS_ASSIGNED) for place in range(planned.height)]
    figure = trial_map(planned, arms, pl.DataFrame({"night": planned["date"], "status": status}))
    assert [marks(figure.wide, kind) for kind in ("missed", "unknown", "not-due")] == [2, 1, 1]
    assert "2 dose not taken, 1 dose not logged, 1 taken, none due." in figure.alternative


def test_a_row_is_a_period_and_nothing_sticks_out(nights: Any) -> None:
    """Run-in and twelve periods are thirteen rows; periods of 60 nights still fit a phone."""
    arms, planned = nights
    drawn = ET.fromstring(trial_map(planned, arms, None).narrow)  # noqa: S314
    rows = [text for text in drawn.iter("{http://www.w3.org/2000/svg}text") if "(" not in (text.text or "")]
    assert len(rows) == 13
    start = planned["date"][0]
    long = pl.DataFrame(
        {"date": [start + timedelta(days=n) for n in range(120)], "value": [60.0] * 120}
        | {name: [True] * 120 for name in ("recorded", "used")}
        | {"arm": ["magnesium"] * 60 + ["placebo"] * 60, "period": [0] * 60 + [1] * 60}
    )
    ends = [
        float(box.get("x", 0)) + float(box.get("width", 0))
        for box in ET.fromstring(trial_map(long, arms, None).narrow).iter("{http://www.w3.org/2000/svg}rect")  # noqa: S314
    ]
    assert max(ends) <= 340


@pytest.mark.parametrize("turn", range(0, len(HOSTILE), 6))
def test_hostile_codes_stay_text(nights: Any, turn: int) -> None:
    """Arms called like markup or control codes, known or not, are drawn as text: the SVG has no element more."""
    arms, planned = nights
    quiet = {element.tag for element in ET.fromstring(trial_map(planned, arms, None).wide).iter()}  # noqa: S314
    for known, unknown in batched(HOSTILE[turn : turn + 6], 2, strict=True):
        renamed = [dict(arm) | ({"code": known} if arm["code"] == "magnesium" else {}) for arm in arms]
        shown = planned.with_columns(pl.col("arm").replace({"magnesium": known, "placebo": unknown}))
        tree = ET.fromstring(trial_map(shown, renamed, None).wide)  # noqa: S314
        assert {element.tag for element in tree.iter()} == quiet, (known, unknown)


def test_the_date_of_four_weeks_is_whole() -> None:
    """Rows without a name begin with their first evening, and nothing of it is cut."""
    start = date(2026, 9, 30)
    nights = [start + timedelta(days=n) for n in range(56)]
    drawn = calendar_map(pl.DataFrame({"night": nights, "state": ["used"] * 56, "dose": [AS_ASSIGNED] * 56})).narrow
    words = [text.text for text in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314
    assert words[:2] == ["30 Sep", "28 Oct"]


def test_a_long_name_of_an_arm_stops_before_the_squares(nights: Any) -> None:
    """In either width the words of a row, its date included, end before the first square, and are not cut in vain."""
    arms, planned = nights
    named = [
        dict(arm) | ({"code": "MAGNESIUM-MALATE-AND-GLYCINATE"} if arm["code"] == "magnesium" else {}) for arm in arms
    ]
    shown = planned.with_columns(pl.col("arm").replace({"magnesium": "MAGNESIUM-MALATE-AND-GLYCINATE"}))
    figure = trial_map(shown, named, None)
    for svg, label in ((figure.wide, LABEL[WIDE]), (figure.narrow, LABEL[NARROW])):
        words = [text.text or "" for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314
        for row in (text for text in words if "(" not in text):
            assert sum(CAPITAL if letter.isupper() else SMALL for letter in row) * FONT_SIZE <= label
        assert any(text.endswith("…") for text in words)
        assert any(text.endswith(" placebo") for text in words)


def test_usual_names_are_whole_on_a_phone(nights: Any) -> None:
    """Those of the shipped protocols, beside the longest date."""
    arms, planned = nights
    for code in ("bisglycinate", "threonate", "magnesium", "citrate"):
        named = [dict(arm) | ({"code": code} if arm["code"] == "magnesium" else {}) for arm in arms]
        shown = planned.with_columns(pl.col("arm").replace({"magnesium": code}), pl.col("date") + timedelta(days=8))
        figure = trial_map(shown, named, None)
        assert "…" not in figure.narrow
        assert f" {code}<" in figure.narrow
        assert " no treatment<" in figure.narrow
