"""Schemes: the ways in which an order of arms can be drawn. A new scheme is one more entry of `SCHEMES`.

An entry knows its whole set of possible sequences, all equally likely, and how to draw one of them. The randomisation
test needs exactly the set that the draw came from, so both stand side by side here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, permutations, product
from types import MappingProxyType
from typing import Final

import numpy as np

WORD: Final = 2**64
"""PCG64 gives raw words below this."""

FIXED: Final = "fixed"
"""The scheme of a schedule that is brought along; nof1 draws nothing."""


class Bits:
    """Whole numbers and shuffles from the raw words of PCG64.

    NumPy keeps the raw words of a bit generator the same for ever, but not what `Generator` makes of them; so a seed
    gives the same draw under every NumPy.
    """

    def __init__(self, seed: bytes) -> None:
        self._words = np.random.PCG64(int.from_bytes(seed, "big"))

    def below(self, bound: int) -> int:
        """Draw one of 0 … bound − 1, all equally likely: words past the last whole multiple of it are drawn again."""
        fair = WORD - WORD % bound
        while (word := int(self._words.random_raw())) >= fair:
            pass
        return word % bound

    def shuffled(self, items: Sequence[str]) -> tuple[str, ...]:
        """Draw one order of the items by the shuffle of Fisher and Yates, all orders equally likely."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return tuple(order)


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way to draw, for arms given by code and a number of blocks.

    Parameters
    ----------
    arms
        How many arms it takes.
    draw
        (bits, codes, blocks) → one sequence.
    possible
        (codes, blocks) → every sequence that `draw` can give, each once. `draw` gives all with equal probability, and
        the set holds the mirror image (arms exchanged) of each member.
    count
        (codes, blocks) → how many those are.
    """

    arms: int
    draw: Callable[[Bits, Sequence[str], int], tuple[str, ...]]
    possible: Callable[[Sequence[str], int], Iterator[tuple[str, ...]]]
    count: Callable[[Sequence[str], int], int]


def _draw_pairs(bits: Bits, codes: Sequence[str], blocks: int) -> tuple[str, ...]:
    return tuple(chain.from_iterable(bits.shuffled(codes) for _ in range(blocks)))


def _possible_pairs(codes: Sequence[str], blocks: int) -> Iterator[tuple[str, ...]]:
    return (tuple(chain.from_iterable(pairs)) for pairs in product(permutations(codes), repeat=blocks))


def _draw_alternating(bits: Bits, codes: Sequence[str], blocks: int) -> tuple[str, ...]:
    return bits.shuffled(codes) * blocks


def _possible_alternating(codes: Sequence[str], blocks: int) -> Iterator[tuple[str, ...]]:
    return (order * blocks for order in permutations(codes))


SCHEMES: Final[Mapping[str, Scheme | None]] = MappingProxyType(
    {
        "randomised-pairs": Scheme(2, _draw_pairs, _possible_pairs, lambda _, blocks: 2**blocks),
        "alternating": Scheme(2, _draw_alternating, _possible_alternating, lambda _codes, _blocks: 2),
        FIXED: None,
    }
)
"""Each scheme by its name in the protocol; None where nothing is drawn."""

NOT_YET: Final = ("counterbalanced", "permuted-blocks", "unrestricted")
"""Schemes that are planned: known by name, and refused."""
