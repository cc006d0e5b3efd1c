"""The reference set of a schedule that is brought: what a protocol may declare, and the smallest p that it allows."""

from itertools import product

import pytest

from nof1.errors import ProtocolError
from nof1.trial.allocation import declared_like, possible_sequences, smallest_p
from nof1.trial.protocol import Arm, Design, parse_protocol

ARMS = (Arm(code="a", label="One"), Arm(code="b", label="Other"))
THREE = (*ARMS, Arm(code="c", label="Third"))
PROTOCOL = """
[[arm]]
code = "a"
label = "One"
[[arm]]
code = "b"
label = "Other"
[design]
scheme = "fixed"
reference_set = {orders}
[[outcome]]
measure = "deep_min"
"""
HERE = "design.reference_set"


def mistakes_in(text: str) -> list[str]:
    """The mistakes that the parser lists."""
    try:
        parse_protocol(text)
    except ProtocolError as error:
        return list(error.mistakes)
    return []


def test_a_fixed_protocol_declares_orders_of_its_arms() -> None:
    """Each order is a list of codes, one a period; without the key there is no set; other orders are another hash."""
    text = PROTOCOL.format(orders='[["a", "b", "b"], ["b", "a", "b"]]')
    assert parse_protocol(text).design.reference_set == (("a", "b", "b"), ("b", "a", "b"))
    assert parse_protocol(PROTOCOL.format(orders="[]")).design.reference_set == ()
    other = parse_protocol(PROTOCOL.format(orders='[["a", "b", "b"], ["b", "b", "a"]]'))
    assert other.sha256 != parse_protocol(text).sha256


@pytest.mark.parametrize(
    ("orders", "mistakes"),
    [
        ('[["a", "b"]]', [f"{HERE}: one order is no set"]),
        ('[["a", "b"], ["b", "a", "b"]]', [f"{HERE}[2]: 3 periods, and 2 in the first"]),
        ('[["a", "b"], ["b", "a"], ["a", "b"]]', [f"{HERE}[3]: the same order as {HERE}[1]"]),
        ('[["a", "b"], ["b", "x"]]', [f"{HERE}[2]: no arm is called 'x'"]),
        ("[[], [1]]", [f"{HERE}[2][1]: must be a text", f"{HERE}[1]: 0 periods"]),
        ('["ab", "ba"]', [f"{HERE}[1]: must be a list", f"{HERE}[2]: must be a list"]),
    ],
)
def test_orders_that_cannot_be_of_one_trial_are_refused(orders: str, mistakes: list[str]) -> None:
    """One alone, another length, the same twice, an unknown arm, none at all, no list: each with its place."""
    told = mistakes_in(PROTOCOL.format(orders=orders))
    for mistake in mistakes:
        assert any(line.startswith(mistake) for line in told), told
    assert len(told) >= len(mistakes)


def test_only_a_fixed_schedule_declares_its_set() -> None:
    """Of every other scheme nof1 knows what it could have drawn, and a second set would contradict it."""
    text = PROTOCOL.format(orders='[["a", "b"], ["b", "a"]]').replace('"fixed"', '"randomised-pairs"\nblocks = 2')
    (told,) = mistakes_in(text)
    assert told.startswith(f"{HERE}: nof1 knows what it could have drawn")


def test_the_smallest_p_of_a_declared_set_is_that_of_a_draw_from_it() -> None:
    """All orders of randomised pairs, declared: 2/16; without the mirror images of half of them 1/8."""
    pairs = Design(scheme="randomised-pairs", blocks=4)
    every = tuple(sequence for sequence, _ in possible_sequences(pairs, ARMS))
    declared = Design(scheme="fixed", reference_set=every)
    assert smallest_p(declared, ARMS) == smallest_p(pairs, ARMS) == 2 / 16
    assert smallest_p(declared, ARMS, sides=1) == 1 / 16
    half = Design(scheme="fixed", reference_set=tuple(order for order in every if order[0] == "a"))
    assert smallest_p(half, ARMS) == 1 / 8
    assert smallest_p(Design(scheme="fixed"), ARMS) is None


def test_of_three_arms_the_others_stay_where_they_are() -> None:
    """Of all orders of two blocks of three, two arms have four orders while the third stays: 2/4."""
    blocks = Design(scheme="permuted-blocks", blocks=2)
    every = tuple(sequence for sequence, _ in possible_sequences(blocks, THREE))
    declared = Design(scheme="fixed", reference_set=every)
    assert smallest_p(declared, THREE) == smallest_p(blocks, THREE) == 2 / 4
    alike = declared_like(declared, "abcbca", "ab")
    assert sorted(alike) == sorted(
        (*one, "c", other[0], "c", other[1]) for one, other in product((("a", "b"), ("b", "a")), repeat=2)
    )
    assert declared_like(declared, "abc", "ab") == []
