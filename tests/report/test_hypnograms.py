"""The strips show the stages of the nights that are compared, under the arm that they were slept on."""

import re
from typing import Any

import polars as pl
import pytest

from nof1.report.canvas import STAGE_COLOURS
from nof1.report.figures import planned_nights
from nof1.report.hypnograms import figure
from nof1.sleep.hypnogram import BLOCKS
from nof1.sleep.stages import DEEP, LIGHT, WAKE


@pytest.fixture
def nights(make: Any) -> tuple[Any, pl.DataFrame]:
    """The arms and the nights of one trial."""
    result, tree = make("benefit")
    return result["arms"], planned_nights(tree["deep_min/constant_data"].to_dataset())


def lengths(svg: str, stage: str) -> float:
    """Pixels of a stage in all strips together."""
    (path,) = re.findall(rf'<path d="([^"]+)" stroke="{STAGE_COLOURS[stage]}"', svg)
    return sum(map(float, re.findall(r"h(\d+)", path)))


def test_each_used_night_is_a_strip_of_its_stages(nights: Any) -> None:
    """Half deep, a quarter awake, a quarter light: so are the strips, and so say the words."""
    arms, planned = nights
    line = BLOCKS[WAKE] * 20 + BLOCKS[DEEP] * 40 + BLOCKS[LIGHT] * 20
    drawn = figure(planned, arms, dict.fromkeys(planned["date"].to_list(), line))
    assert drawn is not None
    assert lengths(drawn.wide, DEEP) == pytest.approx(2 * lengths(drawn.wide, WAKE), rel=0.02)
    for arm in arms:
        used = planned.filter("used", arm=arm["code"]).height
        assert f"{used} nights: wake 25 %, light 25 %, deep 50 %" in drawn.alternative
        assert f", {used} nights</text>" in drawn.wide


def test_nights_that_are_not_compared_are_not_drawn(nights: Any) -> None:
    """Only the used nights count; without any stages there is no figure."""
    arms, planned = nights
    first = planned.filter("used")["date"][0]
    drawn = figure(planned, arms, dict.fromkeys(planned.filter(~pl.col("used"))["date"], BLOCKS[DEEP]))
    assert drawn is None
    one = figure(planned, arms, {first: BLOCKS[DEEP] * 4})
    assert one is not None
    assert "1 night: deep 100 %" in one.alternative
