"""Tests of the figures: what is drawn is what was recorded."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from nof1.report import canvas, figures, number_line
from nof1.report.canvas import unchecked
from nof1.report.page import render_report

SVG = "{http://www.w3.org/2000/svg}"


def points(svg: str) -> list[dict[str, str]]:
    """List the drawn points of a figure, legend aside."""
    tree = ET.fromstring(svg)  # noqa: S314  our own drawing
    marks = [
        group
        for group in tree.iter(f"{SVG}g")
        if "role-mark" in group.get("class", "") and "mark-symbol" in group.get("class", "")
    ]
    return [dict(path.attrib) for group in marks for path in group.iter(f"{SVG}path")]


@pytest.fixture(scope="module")
def drawn(make: Any) -> tuple[Any, pl.DataFrame, canvas.Figure]:
    """Draw the nights of one trial once."""
    result, tree = make("benefit")
    planned = figures.planned_nights(tree["deep_min/constant_data"].to_dataset())
    return result, planned, figures.nights_figure(result["outcomes"][0], result["arms"], planned)


def test_every_planned_night_is_drawn_once(drawn: Any) -> None:
    """As many points are drawn as nights were planned: filled where used, hollow where not, crosses where missing."""
    _, planned, figure = drawn
    recorded = planned["value"].is_not_null()
    for svg in (figure.wide, figure.narrow):
        marks = points(svg)
        assert len(marks) == planned.height
        filled = [mark for mark in marks if mark.get("fill", "none") not in {"none", "transparent"}]
        assert len(filled) == int((planned["used"] & recorded).sum())


def test_arms_differ_in_more_than_colour(drawn: Any) -> None:
    """The used nights of the two arms differ in colour and in shape."""
    looks = {(mark["fill"], re.sub(r"[\d.,-]+", "", mark["d"])) for mark in points(drawn[2].wide) if mark.get("fill")}
    filled = {look for look in looks if look[0].startswith("#")}
    assert len({colour for colour, _ in filled}) == 2
    assert len({shape for _, shape in filled}) == 2


def test_the_period_means_told_are_those_of_the_used_nights(drawn: Any) -> None:
    """The text alternative tells the mean of the used nights of each period, in order."""
    _, planned, figure = drawn
    means = planned.filter("used").group_by("period").agg(pl.col("value").mean()).sort("period")["value"]
    told = [int(n) for n in re.findall(r"(\d+) min", figure.alternative)]
    assert told == [round(mean) for mean in means]


def test_figures_do_not_shrink_on_a_phone(drawn: Any) -> None:
    """The narrow drawing is 340 px wide and keeps the letters of the wide one."""
    _, _, figure = drawn
    for svg, width in ((figure.wide, canvas.WIDE), (figure.narrow, canvas.NARROW)):
        assert float(ET.fromstring(svg).get("width", "0")) == pytest.approx(width, abs=2)  # noqa: S314
        assert f'font-size="{canvas.FONT_SIZE}px"' in svg


@pytest.mark.parametrize("measure", ["deep_min", "sol_min"])
def test_a_posterior_stands_beside_its_prior_and_the_band(measure: str, make: Any) -> None:
    """The posterior, the prior and the band of differences not worth having are all drawn and named."""
    result, tree = make("benefit")
    outcome = next(o for o in result["outcomes"] if o["measure"] == measure)
    svg = figures.posterior_figure(outcome, result["arms"], tree[measure]).wide
    for name in (figures.AFTER, figures.BEFORE, figures.WITHIN):
        assert f">{name}<" in svg
    assert canvas.BAND_COLOUR in svg


def test_an_outcome_without_a_worthwhile_change_has_no_band(make: Any) -> None:
    """Where no worthwhile change was fixed, none is shaded."""
    result, tree = make("benefit")
    outcome = result["outcomes"][0] | {"worthwhile": None}
    svg = figures.posterior_figure(outcome, result["arms"], tree["deep_min"]).wide
    assert canvas.BAND_COLOUR not in svg
    assert figures.WITHIN not in svg


def test_hostile_arm_codes_stay_text(make: Any) -> None:
    """An arm called like markup or a Vega expression is drawn as the text it is."""
    result, _ = make("benefit")
    outcome, arms = result["outcomes"][0], [dict(arm) for arm in result["arms"]]
    arms[0]["code"] = outcome["arm"] = hostile = "<script>datum['x']</script>\x00"
    outcome = outcome | {"levels": {hostile: outcome["levels"]["magnesium"], "placebo": outcome["levels"]["placebo"]}}
    svg = number_line.figure(outcome, arms).wide
    ET.fromstring(svg)  # noqa: S314  would raise on broken markup
    assert "<script" not in svg
    assert "&lt;script" in svg


def test_colours_of_the_arms_can_be_seen_on_white() -> None:
    """Every arm's colour has a contrast of at least 4.5 : 1 on the light panel."""

    def luminance(colour: str) -> float:
        parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    of_icons = (canvas.BETTER_COLOUR, canvas.WORSE_COLOUR)
    for colour in (*canvas.ARM_COLOURS, canvas.NO_ARM_COLOUR, canvas.PRIOR_COLOUR, canvas.INK, *of_icons):
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5, colour


def test_charts_that_are_not_checked_are_the_same(make: Any) -> None:
    """Leaving the schema's check out saves time, and changes not a letter of any figure."""
    result, tree = make("benefit")
    checked = render_report(result, tree)
    with unchecked():
        assert render_report(result, tree) == checked
