"""A seed gives one sequence for ever, and every possible sequence is as likely as the scheme says."""

import hashlib
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from nof1.errors import UsageError
from nof1.trial.allocation import Allocation, allocate, count_sequences, possible_sequences, smallest_p
from nof1.trial.protocol import Arm, Design
from nof1.trial.scheme import SCHEMES, WORD, Bits

ARMS = (Arm(code="A", label="One"), Arm(code="B", label="Other", reference=True))
DRAWN = [name for name, scheme in SCHEMES.items() if scheme]

SEEDS = st.binary(min_size=32, max_size=32)
DESIGNS = st.builds(Design, scheme=st.sampled_from(DRAWN), blocks=st.integers(1, 8))

ZEROS, COUNTING, ONES = bytes(32), bytes(range(32)), b"\xff" * 32


@pytest.mark.parametrize(
    ("scheme", "blocks", "seed", "sequence"),
    [
        ("randomised-pairs", 6, ZEROS, "ABABBAABABBA"),
        ("randomised-pairs", 6, COUNTING, "BABABABABAAB"),
        ("randomised-pairs", 6, ONES, "BAABABBAABBA"),
        ("randomised-pairs", 10, ZEROS, "ABABBAABABBAABABABAB"),
        ("randomised-pairs", 10, COUNTING, "BABABABABAABBABABAAB"),
        ("alternating", 2, ZEROS, "ABAB"),
        ("alternating", 2, COUNTING, "BABA"),
        ("alternating", 2, ONES, "BABA"),
    ],
)
def test_a_seed_gives_the_same_sequence_for_ever(scheme: str, blocks: int, seed: bytes, sequence: str) -> None:
    """Sequences drawn once are drawn again by every later version: trials in progress depend on it."""
    assert "".join(allocate(Design(scheme=scheme, blocks=blocks), ARMS, seed).sequence) == sequence


def test_the_words_and_shuffles_are_the_same_for_ever() -> None:
    """The raw words of NumPy's PCG64 and what is made of them have not changed."""
    assert np.random.PCG64(0).random_raw(2).tolist() == [11749869230777074271, 4976686463289251617]
    bits = Bits(COUNTING)
    assert ["".join(bits.shuffled("abcdef")) for _ in range(3)] == ["dafcbe", "efdcab", "fedcab"]
    assert [bits.below(10) for _ in range(8)] == [3, 9, 7, 5, 2, 6, 2, 4]


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


@given(DESIGNS, SEEDS)
def test_every_block_holds_each_arm_once(design: Design, seed: bytes) -> None:
    """Whatever the seed, each pair of periods has both arms."""
    sequence = allocate(design, ARMS, seed).sequence
    assert len(sequence) == 2 * design.blocks
    assert all(set(sequence[start : start + 2]) == {"A", "B"} for start in range(0, len(sequence), 2))


@given(st.integers(1, 8), SEEDS)
def test_strict_alternation_never_repeats_an_arm(blocks: int, seed: bytes) -> None:
    """Under `alternating` no two neighbouring periods are alike."""
    sequence = allocate(Design(scheme="alternating", blocks=blocks), ARMS, seed).sequence
    assert all(left != right for left, right in pairwise(sequence))


@given(DESIGNS, SEEDS)
def test_the_draw_comes_from_the_declared_set(design: Design, seed: bytes) -> None:
    """What is drawn is one of the possible sequences: distinct, as many as counted, and their chances make 1."""
    possible = dict(possible_sequences(design, ARMS))
    assert allocate(design, ARMS, seed).sequence in possible
    assert len(possible) == len(list(possible_sequences(design, ARMS))) == count_sequences(design, ARMS)
    assert sum(possible.values()) == pytest.approx(1)


@given(DESIGNS, SEEDS)
def test_an_allocation_can_be_checked_and_stored(design: Design, seed: bytes) -> None:
    """The stored seed draws the stored sequence again, and the payload gives the allocation back."""
    allocation = allocate(design, ARMS, seed)
    assert allocate(design, ARMS, bytes.fromhex(allocation.seed)) == allocation
    assert Allocation.from_payload(allocation.to_payload()) == allocation


def test_all_orders_of_four_pairs_are_equally_likely() -> None:
    """Over 100,000 seeds, the 16 sequences of four randomised pairs come equally often (χ² p > 0.001)."""
    design = Design(scheme="randomised-pairs", blocks=4)
    seeds = (hashlib.sha256(number.to_bytes(8, "big")).digest() for number in range(100_000))
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
