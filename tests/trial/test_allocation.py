"""A seed gives one sequence for ever, and every possible sequence is as likely as the scheme says."""

import hashlib
from collections import Counter
from collections.abc import Callable
from itertools import groupby, pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from nof1.errors import UsageError
from nof1.trial.allocation import (
    Allocation,
    allocate,
    count_sequences,
    possible_sequences,
    sequences_like,
    smallest_p,
    told_by,
)
from nof1.trial.protocol import Arm, Design
from nof1.trial.scheme import SCHEMES, WORD, Bits

ARMS = (Arm(code="A", label="One"), Arm(code="B", label="Other", reference=True))
DRAWN = [name for name, scheme in SCHEMES.items() if scheme]
EVEN = [name for name, scheme in SCHEMES.items() if scheme and scheme.even_blocks]

SEEDS = st.binary(min_size=32, max_size=32)


@st.composite
def designs(draw: st.DrawFn) -> Design:
    """Any scheme with any number of blocks that it takes, with a limit on runs or without."""
    scheme = draw(st.sampled_from(DRAWN))
    blocks = draw(st.integers(1, 5)) * (2 if scheme in EVEN else 1)
    return Design(scheme=scheme, blocks=blocks, longest_run=draw(st.sampled_from([None, 2, 3])))


ZEROS, COUNTING, ONES = bytes(32), bytes(range(32)), b"\xff" * 32


@pytest.mark.parametrize(
    ("scheme", "blocks", "longest_run", "seed", "sequence"),
    [
        ("randomised-pairs", 6, None, ZEROS, "ABBABABABABA"),
        ("randomised-pairs", 6, None, COUNTING, "ABBAABABBAAB"),
        ("randomised-pairs", 6, None, ONES, "ABBABAABBAAB"),
        ("alternating", 2, None, ZEROS, "BABA"),
        ("alternating", 2, None, COUNTING, "ABAB"),
        ("counterbalanced", 6, None, ZEROS, "BAABBAABBAAB"),
        ("counterbalanced", 6, None, ONES, "ABBABAABABBA"),
        ("permuted-blocks", 6, None, COUNTING, "ABBAABABBAAB"),
        ("unrestricted", 6, None, ZEROS, "BBBABAAAAABB"),
        ("unrestricted", 6, None, ONES, "ABABBBBABAAA"),
        ("unrestricted", 6, 2, ZEROS, "ABBABABABABA"),
        ("unrestricted", 6, 2, COUNTING, "AABAABBABBAB"),
    ],
)
def test_a_seed_gives_the_same_sequence_for_ever(
    scheme: str, blocks: int, longest_run: int | None, seed: bytes, sequence: str
) -> None:
    """Sequences drawn once are drawn again by every later version: trials in progress depend on it."""
    design = Design(scheme=scheme, blocks=blocks, longest_run=longest_run)
    assert "".join(allocate(design, ARMS, seed).sequence) == sequence


def test_the_words_and_numbers_are_the_same_for_ever() -> None:
    """The raw words of NumPy's PCG64 and what is made of them have not changed."""
    assert np.random.PCG64(0).random_raw(2).tolist() == [11749869230777074271, 4976686463289251617]
    bits = Bits(COUNTING)
    assert [bits.below(10) for _ in range(8)] == [6, 6, 6, 6, 8, 3, 0, 8]
    assert bits.below(10**30) == 679828336658991716143709657105


def test_a_word_that_would_favour_small_numbers_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """2^64 is no multiple of 3, so its last word, which would give 0 once too often, is rejected."""

    class Words:
        """Gives the last word of all, then 5."""

        def __init__(self) -> None:
            self.left = [WORD - 1, 5]

        def random_raw(self) -> int:
            return self.left.pop(0)

    bits = Bits(ZEROS)
    monkeypatch.setattr(bits, "_words", Words())
    assert bits.below(3) == 5 % 3


@given(designs(), SEEDS)
def test_every_trial_gives_both_arms_alike(design: Design, seed: bytes) -> None:
    """Whatever the scheme and the seed, each arm has as many periods as there are blocks, and no run is too long."""
    sequence = allocate(design, ARMS, seed).sequence
    assert Counter(sequence) == {"A": design.blocks, "B": design.blocks}
    assert max(len(list(run)) for _, run in groupby(sequence)) <= (design.longest_run or len(sequence))


@given(designs().filter(lambda design: design.scheme != "unrestricted"), SEEDS)
def test_every_block_holds_each_arm_once(design: Design, seed: bytes) -> None:
    """Whatever the seed, each pair of periods has both arms, unless the scheme is unrestricted."""
    sequence = allocate(design, ARMS, seed).sequence
    assert all(set(sequence[start : start + 2]) == {"A", "B"} for start in range(0, len(sequence), 2))


@given(st.integers(1, 8), SEEDS)
def test_strict_alternation_never_repeats_an_arm(blocks: int, seed: bytes) -> None:
    """Under `alternating` no two neighbouring periods are alike."""
    sequence = allocate(Design(scheme="alternating", blocks=blocks), ARMS, seed).sequence
    assert all(left != right for left, right in pairwise(sequence))


@given(designs(), SEEDS)
def test_the_draw_comes_from_the_declared_set(design: Design, seed: bytes) -> None:
    """What is drawn is one of the possible sequences: distinct, as many as counted, and their chances make 1."""
    possible = dict(possible_sequences(design, ARMS))
    assert allocate(design, ARMS, seed).sequence in possible
    assert len(possible) == len(list(possible_sequences(design, ARMS))) == count_sequences(design, ARMS)
    assert sum(possible.values()) == pytest.approx(1)


@given(designs(), SEEDS)
def test_an_allocation_can_be_checked_and_stored(design: Design, seed: bytes) -> None:
    """The stored seed draws the stored sequence again, and the payload gives the allocation back."""
    allocation = allocate(design, ARMS, seed)
    assert allocate(design, ARMS, bytes.fromhex(allocation.seed)) == allocation
    assert Allocation.from_payload(allocation.to_payload()) == allocation


def in_pairs(order: tuple[str, ...]) -> bool:
    """Each two periods hold both arms."""
    return all(set(order[at : at + 2]) == {"A", "B"} for at in range(0, 8, 2))


RULES: dict[str, Callable[[tuple[str, ...]], bool]] = {
    "randomised-pairs": in_pairs,
    "permuted-blocks": in_pairs,
    "alternating": lambda order: all(left != right for left, right in pairwise(order)),
    "counterbalanced": lambda order: {order[:4], order[4:]} <= {tuple("ABBA"), tuple("BAAB")},
    "unrestricted": lambda order: order.count("A") == 4,
}


@pytest.mark.parametrize("longest_run", [None, 2])
@pytest.mark.parametrize("scheme", DRAWN)
def test_the_possible_sequences_are_all_that_keep_the_rules(scheme: str, longest_run: int | None) -> None:
    """Going through every order of eight periods, exactly those that obey the scheme and the limit are possible."""
    allowed = {
        order
        for order in product("AB", repeat=8)
        if RULES[scheme](order) and max(len(list(run)) for _, run in groupby(order)) <= (longest_run or 8)
    }
    design = Design(scheme=scheme, blocks=4, longest_run=longest_run)
    assert {sequence for sequence, _ in possible_sequences(design, ARMS)} == allowed


@pytest.mark.parametrize("longest_run", [None, 2])
@pytest.mark.parametrize("scheme", DRAWN)
def test_all_possible_sequences_are_equally_likely(scheme: str, longest_run: int | None) -> None:
    """Over 5,000 seeds the possible sequences come equally often (χ² p > 0.001)."""
    draw_often(Design(scheme=scheme, blocks=4, longest_run=longest_run), 5_000)


@pytest.mark.calibration
@pytest.mark.parametrize("longest_run", [None, 2])
@pytest.mark.parametrize("scheme", DRAWN)
def test_all_possible_sequences_are_equally_likely_in_the_long_run(scheme: str, longest_run: int | None) -> None:
    """The same over 100,000 seeds."""
    draw_often(Design(scheme=scheme, blocks=4, longest_run=longest_run), 100_000)


def draw_often(design: Design, times: int) -> None:
    """Draw many sequences and compare their counts with equal chances."""
    seeds = (hashlib.sha256(number.to_bytes(8, "big")).digest() for number in range(times))
    drawn = Counter(allocate(design, ARMS, seed).sequence for seed in seeds)
    assert set(drawn) == {sequence for sequence, _ in possible_sequences(design, ARMS)}
    assert chisquare(list(drawn.values())).pvalue > 0.001


@pytest.mark.parametrize("bound", [2, 3, 6, 10])
def test_numbers_below_a_bound_are_equally_likely(bound: int) -> None:
    """Bounded numbers from one stream of words are uniform (χ² p > 0.001)."""
    bits = Bits(COUNTING)
    drawn = Counter(bits.below(bound) for _ in range(20_000))
    assert set(drawn) == set(range(bound))
    assert chisquare(list(drawn.values())).pvalue > 0.001


@pytest.mark.parametrize("scheme", DRAWN)
@pytest.mark.parametrize("blocks", [1, 2, 3, 4])
def test_no_data_reach_a_smaller_p_than_the_smallest(scheme: str, blocks: int) -> None:
    """Going through every sequence that could have been drawn, the best p of a randomisation test is `smallest_p`."""
    blocks *= 2 if scheme in EVEN else 1
    design = Design(scheme=scheme, blocks=blocks)
    means = np.random.default_rng(blocks).normal(size=2 * blocks)
    signs = np.array(
        [[1 if arm == "A" else -1 for arm in sequence] for sequence, _ in possible_sequences(design, ARMS)]
    )
    differences = signs @ means
    two_sided = min(np.mean(np.abs(differences) >= abs(seen) - 1e-12) for seen in differences)
    one_sided = min(np.mean(differences >= seen - 1e-12) for seen in differences)
    assert smallest_p(design, ARMS) == pytest.approx(two_sided)
    assert smallest_p(design, ARMS, sides=1) == pytest.approx(one_sided)


@pytest.mark.parametrize(("scheme", "longest_run"), [("permuted-blocks", None), ("unrestricted", None)])
def test_with_three_arms_the_smallest_p_is_that_of_two_of_them(scheme: str, longest_run: int | None) -> None:
    """Whatever is drawn, the two compared could only have changed places: 2/2^K in blocks, not 2/6^K."""
    design = Design(scheme=scheme, blocks=3, longest_run=longest_run)
    for seed in (ZEROS, COUNTING):
        like = sequences_like(design, THREE, allocate(design, THREE, seed).sequence, ("A", "B"))
        assert smallest_p(design, THREE) == pytest.approx(2 / like.count())


def test_two_periods_tell_a_block_of_three() -> None:
    """One period of three arms tells no other; with a second one of its block the third is known, in every order."""
    design = Design(scheme="permuted-blocks", blocks=2)
    for sequence, _ in possible_sequences(design, THREE):
        arms = dict(enumerate(sequence, start=1))
        assert told_by(design, THREE, {4: arms[4]}) == {4}
        assert told_by(design, THREE, {1: arms[1], 4: arms[4]}) == {1, 4}
        assert told_by(design, THREE, {4: arms[4], 6: arms[6]}) == {4, 5, 6}
    unrestricted = Design(scheme="unrestricted", blocks=2)
    assert told_by(unrestricted, THREE, {1: "A", 6: "C"}) == {1, 6}


def test_a_brought_schedule_has_no_p_and_no_draw() -> None:
    """Under `fixed` nothing is drawn, no set is declared, and no p can be reached."""
    design = Design(scheme="fixed")
    assert smallest_p(design, ARMS) is None
    with pytest.raises(UsageError, match="fixed"):
        allocate(design, ARMS, ZEROS)
    with pytest.raises(UsageError, match="fixed"):
        possible_sequences(design, ARMS)


def test_a_seed_of_another_length_is_refused() -> None:
    """A short seed would be a weak one: it is refused."""
    with pytest.raises(ValueError, match="32 bytes"):
        allocate(Design(scheme="alternating"), ARMS, b"short")


THREE = (*ARMS, Arm(code="C", label="Third"))


@given(designs(), SEEDS)
def test_the_table_of_sequences_is_the_list(design: Design, seed: bytes) -> None:
    """Laid out as a table, the possible sequences are the same, in the same order."""
    found = sequences_like(design, ARMS, allocate(design, ARMS, seed).sequence, ("A", "B"))
    listed = [[code == "A" for code in sequence] for sequence, _ in possible_sequences(design, ARMS)]
    assert found.on_arm("A").tolist() == listed


@pytest.mark.parametrize(
    ("scheme", "longest_run"), [("permuted-blocks", None), ("unrestricted", None), ("unrestricted", 1)]
)
def test_two_arms_change_places_and_the_third_stays(scheme: str, longest_run: int | None) -> None:
    """Of all possible sequences, those like the one drawn are exactly those that have the third arm where it has it."""
    design = Design(scheme=scheme, blocks=3, longest_run=longest_run)
    drawn = allocate(design, THREE, COUNTING).sequence
    like = [
        sequence
        for sequence, _ in possible_sequences(design, THREE)
        if [code == "C" for code in sequence] == [code == "C" for code in drawn]
    ]
    found = sequences_like(design, THREE, drawn, ("A", "B"))
    assert list(found) == like
    assert found.count() == len(like) > 1
    assert found.on_arm("A").tolist() == [[code == "A" for code in sequence] for sequence in like]


def test_a_sequence_that_cannot_be_drawn_is_like_none() -> None:
    """With the third arm three times running, no permuted blocks can be made of the rest."""
    found = sequences_like(Design(scheme="permuted-blocks", blocks=3), THREE, "CCCABABAB", ("A", "B"))
    assert found.count() == 0
    assert found.on_arm("A").shape == (0, 9)


@pytest.mark.parametrize(
    ("scheme", "blocks", "longest_run"),
    [("randomised-pairs", 3, None), ("counterbalanced", 6, None), ("unrestricted", 3, None), ("unrestricted", 4, 2)],
)
def test_drawn_tables_hold_every_sequence_alike(scheme: str, blocks: int, longest_run: int | None) -> None:
    """Twenty thousand draws hit every possible sequence equally often, none outside, and again with the same seed."""
    design = Design(scheme=scheme, blocks=blocks, longest_run=longest_run)
    found = sequences_like(design, ARMS, allocate(design, ARMS, ZEROS).sequence, ("A", "B"))
    drawn = found.drawn_on_arm("A", seed=7, draws=20_000)
    counts = Counter(map(tuple, drawn.tolist()))
    assert counts.keys() == set(map(tuple, found.on_arm("A").tolist()))
    assert chisquare(list(counts.values())).pvalue > 0.001
    assert (drawn == found.drawn_on_arm("A", seed=7, draws=20_000)).all()
    assert (drawn != found.drawn_on_arm("A", seed=8, draws=20_000)).any()


def test_drawn_tables_are_the_same_for_ever() -> None:
    """The same seed draws the same rows under every NumPy."""
    found = sequences_like(Design(scheme="unrestricted", blocks=3), ARMS, "AABBAB", ("A", "B"))
    rows = found.drawn_on_arm("A", seed=1, draws=4).tolist()
    assert ["".join("A" if on else "B" for on in row) for row in rows] == ["BAABAB", "BBAAAB", "AABABB", "BABAAB"]


def test_draws_come_from_sets_beyond_any_machine_word() -> None:
    """Two hundred unrestricted blocks have 10^119 sequences, and every one that is drawn is balanced."""
    design = Design(scheme="unrestricted", blocks=200)
    found = sequences_like(design, ARMS, "AB" * 200, ("A", "B"))
    drawn = found.drawn_on_arm("A", seed=1, draws=20)
    assert found.count() > 10**118
    assert (drawn.sum(axis=1) == 200).all()
