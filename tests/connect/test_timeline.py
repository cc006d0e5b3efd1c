"""Stretches laid over each other, cut and joined."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.connect.timeline import (
    Piece,
    clip,
    differing_sums,
    epochs,
    flatten,
    join,
    overlay,
    stage_of_label,
    union,
    unknown_label,
    without_filled_zero,
)

RANK = {"deep": 0, "rem": 0, "light": 1, "wake": 2}
PIECES = st.lists(
    st.builds(Piece, st.integers(-50, 300), st.integers(0, 120), st.sampled_from([*RANK, "dozing", "unheard of"])),
    max_size=14,
)


def painted(pieces: list[Piece]) -> dict[int, str]:
    """Each second of time, with its label."""
    return {second: piece.label for piece in pieces for second in range(piece.start_s, piece.end_s)}


@given(PIECES)
def test_flattened_pieces_never_overlap(pieces: list[Piece]) -> None:
    """What is flattened is in order, overlaps nowhere, has length everywhere, and no equal neighbours that touch."""
    flat = flatten(pieces, RANK)
    assert all(piece.seconds > 0 for piece in flat)
    assert all(a.end_s <= b.start_s for a, b in pairwise(flat))
    assert all(a.label != b.label or a.end_s < b.start_s for a, b in pairwise(flat))


@given(PIECES)
def test_flattening_covers_what_was_covered_and_the_best_rank_stands(pieces: list[Piece]) -> None:
    """No covered second is lost, none is invented, and each has the lowest rank of those that cover it."""
    expected = {
        second: min(RANK.get(p.label, 99) for p in pieces if p.start_s <= second < p.end_s)
        for piece in pieces
        for second in range(piece.start_s, piece.end_s)
    }
    assert {second: RANK.get(label, 99) for second, label in painted(flatten(pieces, RANK)).items()} == expected


@given(PIECES, st.randoms(use_true_random=False))
def test_flattening_knows_no_order_and_no_copies(pieces: list[Piece], random) -> None:
    """Pieces in any order, some of them twice, flatten to the same; flattening twice changes nothing."""
    shuffled = [*pieces, *pieces[:3]]
    random.shuffle(shuffled)
    assert flatten(shuffled, RANK) == flatten(pieces, RANK) == flatten(flatten(pieces, RANK), RANK)


def test_a_hundred_thousand_pieces_are_flattened_while_you_wait() -> None:
    """The time grows with the pieces and not with their square: a hostile record cannot hang the reader."""
    many = [Piece(i, 1 + i % 977, "deep" if i % 3 else "wake") for i in range(100_000)]
    begun = time.process_time()
    flatten(many, RANK)
    assert time.process_time() - begun < 5


@given(PIECES, PIECES)
def test_what_is_overlaid_stands(below: list[Piece], above: list[Piece]) -> None:
    """Second by second the upper piece stands where there is one, and the lower one elsewhere."""
    under, over = flatten(below, RANK), flatten(above, RANK)
    both = overlay(under, over)
    assert painted(both) == painted(under) | painted(over)
    assert all(a.end_s <= b.start_s for a, b in pairwise(both))


@given(PIECES, st.integers(-10, 300))
def test_clipping_keeps_the_inside(pieces: list[Piece], end_s: int) -> None:
    """After a clip every second from the start to the end is as it was, and nothing lies outside."""
    flat = flatten(pieces, RANK)
    kept = {second: label for second, label in painted(flat).items() if 0 <= second < end_s}
    assert painted(clip(flat, end_s)) == kept


@given(PIECES)
def test_joining_changes_no_second(pieces: list[Piece]) -> None:
    """Joined pieces say of every second what the pieces said."""
    flat = flatten(pieces, {})
    halves = [
        half
        for piece in flat
        for half in (
            Piece(piece.start_s, piece.seconds // 2, piece.label),
            Piece(piece.start_s + piece.seconds // 2, piece.seconds - piece.seconds // 2, piece.label),
        )
        if half.seconds
    ]
    assert join(halves) == flat


@given(st.lists(st.sampled_from("WNR"), max_size=40), st.integers(1, 60), st.none() | st.integers(0, 2000))
def test_epochs_are_pieces(labels: list[str], epoch_s: int, end_s: int | None) -> None:
    """Labels one an epoch paint their seconds, cut where the recording ends."""
    canvas = dict(enumerate(label for label in labels for _ in range(epoch_s)))
    cut = {second: label for second, label in canvas.items() if end_s is None or second < end_s}
    assert painted(epochs(labels, epoch_s, end_s=end_s)) == cut


@pytest.mark.parametrize(("label", "stage"), [("Deep", "deep"), ("DEEP", "deep"), ("dozing", "unscored")])
def test_a_label_is_known_in_any_case(label: str, stage: str) -> None:
    """Labels are matched in lower case; one that nobody knows is unscored."""
    assert stage_of_label(label, {"deep": "deep"}) == stage


def test_an_unknown_label_is_shown_harmlessly() -> None:
    """A label from a hostile file cannot steer the terminal, nor fill it."""
    said = unknown_label("\x1b[31m" + "x" * 1000)
    assert "\x1b" not in said
    assert len(said) < 120


@pytest.mark.parametrize(
    ("totals", "differ"),
    [
        ({"deep_s": 3600, "light_s": 1800}, False),
        ({"deep_s": 3900, "light_s": None}, False),  # rounded, and not told
        ({"deep_s": 1800, "light_s": 3600}, True),
        ({"rem_s": 1800}, True),
        ({"asleep_s": 90}, False),
        ({}, False),
    ],
)
def test_stages_that_miss_the_vendors_sums_are_said(totals: dict[str, float | None], differ: bool) -> None:
    """Stages are held against the vendor's own sums, where it tells them; labels mixed up cannot pass unseen."""
    pieces = [Piece(0, 3600, "D"), Piece(3600, 1800, "L")]
    assert bool(differing_sums(pieces, {"d": "deep", "l": "light"}, totals)) == differ
    assert differing_sums([], {}, totals) == ()


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8))
def test_a_union_covers_what_its_spans_cover(spans: list[tuple[int, int]]) -> None:
    """Every second of any span is in the union and no other; its parts are in order, and no two of them touch."""
    joined = union(spans)
    assert {s for start, end in joined for s in range(start, end)} == {
        s for start, end in spans for s in range(start, end)
    }
    assert all(earlier[1] < later[0] for earlier, later in pairwise(joined))
    assert all(start < end for start, end in joined)


@pytest.mark.parametrize(
    ("told", "first", "kept"),
    [
        (0, "Deep", 0),
        (0, "wake", None),
        (0, "unheard of", None),
        (0, None, None),
        (60, "wake", 60),
        (None, "deep", None),
    ],
)
def test_a_latency_of_zero_needs_sleep_at_once(told: int | None, first: str | None, kept: int | None) -> None:
    """A zero counts only where the first thing seen is sleep: otherwise a program filled it in for a missing one."""
    pieces = [] if first is None else [Piece(0, 30, first), Piece(30, 30, "deep")]
    assert without_filled_zero(told, pieces, {"deep": "deep", "wake": "wake"}) == kept
