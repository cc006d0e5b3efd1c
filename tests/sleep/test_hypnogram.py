"""A night in one line of text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.sleep.hypnogram import BLOCKS, draw


def _hypnogram(session, *stages):
    return session("2026-05-12 23:00", stages)["hypnogram"]


def test_one_block_a_cell(session):
    """Four stages of equal length in four cells are four blocks, wake highest and deep lowest."""
    stages = _hypnogram(session, ("wake", 60), ("rem", 60), ("light", 60), ("deep", 60))
    assert draw(stages, width=4) == "█▆▄▁"


def test_the_longest_stage_fills_the_cell(session):
    """A cell shows the stage that fills most of it, so a brief awakening vanishes."""
    stages = _hypnogram(session, ("light", 40), ("wake", 5), ("light", 35), ("wake", 39), ("deep", 41))
    assert draw(stages, width=2) == "▄▁"


def test_equal_parts(session):
    """Where two stages fill equal parts of a cell, the one nearer to waking is drawn."""
    assert draw(_hypnogram(session, ("deep", 30), ("wake", 30)), width=1) == "█"
    assert draw(_hypnogram(session, ("deep", 30), ("rem", 30)), width=1) == "▆"


def test_unscored_time_is_blank(session):
    """Time without a segment and time that is unscored are both blank."""
    stages = _hypnogram(session, ("light", 60), ("unscored", 60), ("deep", 60), ("light", 60))
    without = [segment for segment in stages if segment["stage"] != "unscored"]
    assert draw(stages, width=4) == draw(without, width=4) == "▄ ▁▄"


def test_nothing_to_draw():
    """A hypnogram without segments is an empty line."""
    assert draw([]) == ""


@given(
    st.lists(st.tuples(st.sampled_from(list(BLOCKS)), st.integers(1, 200)), min_size=1, max_size=40),
    st.integers(1, 80),
)
def test_width_and_words(session, stages, width):
    """Every drawing has the width that was asked for, in blocks of stages that the night holds."""
    drawn = draw(_hypnogram(session, *stages), width=width)
    assert len(drawn) == width
    assert set(drawn) <= {BLOCKS[stage] for stage, _ in stages}


@pytest.mark.parametrize("width", [1, 7, 48])
def test_a_night_of_one_stage(session, width):
    """A night of one stage is a level line."""
    assert draw(_hypnogram(session, ("deep", 433)), width=width) == "▁" * width
