"""Schemes: the ways in which an order of arms can be drawn. A new scheme is one more entry of `SCHEMES`.

A scheme says which arms may come next, and nothing else. From that alone every sequence it can give is counted, listed
and drawn: the draw is the sequence at a random place of the list. So all are equally likely by construction, with a
limit on runs as without, and the randomisation test has exactly the set that the draw came from.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

WORD: Final = 2**64
"""PCG64 gives raw words below this."""

FIXED: Final = "fixed"
"""The scheme of a schedule that is brought along; nof1 draws nothing."""

type State = Any
"""What a scheme remembers of the sequence so far; hashable."""
type Step = tuple[tuple[str, ...], State]
"""Arms that may come next, and the state after them."""
type _Run = tuple[int, str, int] | None
"""How many periods are settled, the arm that came last, and how often running; None where nothing asks for it."""


class Bits:
    """Whole numbers from the raw words of PCG64.

    NumPy keeps the raw words of a bit generator the same for ever, but not what `Generator` makes of them; so a seed
    gives the same draw under every NumPy.
    """

    def __init__(self, seed: bytes) -> None:
        self._words = np.random.PCG64(int.from_bytes(seed, "big"))

    def below(self, bound: int) -> int:
        """Draw one of 0 … bound − 1, all equally likely: numbers past the last whole multiple of it are drawn again."""
        words = 1
        while WORD**words < bound:
            words += 1
        fair = WORD**words - WORD**words % bound
        while (number := self._number(words)) >= fair:
            pass
        return number % bound

    def _number(self, words: int) -> int:
        number = 0
        for _ in range(words):
            number = number * WORD + int(self._words.random_raw())
        return number


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way to draw, for arms given by code and a number of blocks.

    Parameters
    ----------
    begin
        (codes, blocks) → the state before the first period.
    steps
        state → what may come next, in a fixed order; empty at the end, and only there. All paths give distinct
        sequences of one length, and the set of them is closed under exchanging arms.
    two_arms
        Whether it is for exactly two arms.
    even_blocks
        Whether it takes blocks in pairs.
    in_blocks
        Whether it settles whole blocks at a time.
    """

    begin: Callable[[tuple[str, ...], int], State]
    steps: Callable[[State], Sequence[Step]]
    two_arms: bool = True
    even_blocks: bool = False
    in_blocks: bool = True


def _blocks_in_any_order(state: State) -> Sequence[Step]:
    codes, blocks = state
    return [(order, (codes, blocks - 1)) for order in permutations(codes)] if blocks else []


def _one_order_throughout(state: State) -> Sequence[Step]:
    codes, blocks = state
    return [(order * blocks, (codes, 0)) for order in permutations(codes)] if blocks else []


def _there_and_back(state: State) -> Sequence[Step]:
    codes, blocks = state
    return [(order + order[::-1], (codes, blocks - 2)) for order in permutations(codes)] if blocks else []


def _any_balanced_order(state: State) -> Sequence[Step]:
    return [
        ((code,), tuple((other, left - (other == code)) for other, left in state)) for code, left in state if left > 0
    ]


def _codes_and_blocks(codes: tuple[str, ...], blocks: int) -> State:
    return codes, blocks


def _periods_of_each(codes: tuple[str, ...], blocks: int) -> State:
    return tuple((code, blocks) for code in codes)


SCHEMES: Final[Mapping[str, Scheme | None]] = MappingProxyType(
    {
        "randomised-pairs": Scheme(_codes_and_blocks, _blocks_in_any_order),
        "alternating": Scheme(_codes_and_blocks, _one_order_throughout),
        "counterbalanced": Scheme(_codes_and_blocks, _there_and_back, even_blocks=True),
        "permuted-blocks": Scheme(_codes_and_blocks, _blocks_in_any_order, two_arms=False),
        "unrestricted": Scheme(_periods_of_each, _any_balanced_order, two_arms=False, in_blocks=False),
        FIXED: None,
    }
)
"""Each scheme by its name in the protocol; None where nothing is drawn."""


class Sequences:
    """Every sequence that a scheme can give, in a fixed order, each equally likely to be drawn.

    Parameters
    ----------
    longest_run
        How many periods running one arm may have at most; None is no limit.
    may_be
        For each period the arms that it may have; None leaves all to the scheme.
    """

    def __init__(
        self,
        scheme: Scheme,
        codes: Sequence[str],
        blocks: int,
        longest_run: int | None = None,
        may_be: Sequence[Container[str]] | None = None,
    ) -> None:
        self._scheme = scheme
        self._longest = longest_run
        self._may_be = may_be
        self._begin = scheme.begin(tuple(codes), blocks)
        self._count = cache(self._paths)

    def __len__(self) -> int:
        """How many they are, where that fits into a machine word; `count` always gives it."""
        return self.count()

    def count(self) -> int:
        """How many they are; 0 where the limit allows none."""
        return self._count(self._begin, None)

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        """Give them in order."""
        return self._listed(self._begin, None)

    def nth(self, place: int) -> tuple[str, ...]:
        """Give the sequence at a place of the list, counted from 0, without making the list."""
        if not 0 <= place < self.count():
            raise IndexError(f"there are {self.count()} sequences, none at place {place}")
        sequence: tuple[str, ...] = ()
        state, run = self._begin, None
        while nexts := self._allowed(state, run):
            for arms, state, run in nexts:  # noqa: B007 — where the loop breaks is where the sequence goes on
                paths = self._count(state, run)
                if place < paths:
                    break
                place -= paths
            sequence += arms
        return sequence

    def on_arm(self, code: str) -> NDArray[np.bool_]:
        """Lay the whole list out: one row a sequence, one column a period, whether that period is on the arm."""

        @cache
        def rest_of_table(state: State, run: _Run) -> NDArray[np.bool_]:
            nexts = [(arms, rest_of_table(then, run_then)) for arms, then, run_then, _ in self._counted(state, run)]
            if not nexts:
                return np.ones((1, 0), dtype=np.bool_)
            return np.vstack([np.hstack([_repeated(arms, code, len(rest)), rest]) for arms, rest in nexts])

        return rest_of_table(self._begin, None) if self.count() else np.ones((0, self._periods()), dtype=np.bool_)

    def drawn_on_arm(self, code: str, *, seed: int, draws: int) -> NDArray[np.bool_]:
        """Draw sequences, each of the list equally likely every time, and lay them out as `on_arm` does.

        Step by step for all draws at once; the same seed gives the same draws under every NumPy, as with `Bits`.
        """
        words, place = np.random.PCG64(seed), 0
        table = np.zeros((draws, self._periods()), dtype=np.bool_)
        waiting: dict[tuple[State, _Run], list[NDArray[np.intp]]] = {(self._begin, None): [np.arange(draws)]}
        while waiting:
            width, following = 0, dict[tuple[State, _Run], list[NDArray[np.intp]]]()
            for (state, run), parts in waiting.items():
                rows = np.concatenate(parts)
                uniform = (words.random_raw(len(rows)) >> np.uint64(11)) * 2.0**-53
                nexts, paths = self._counted(state, run), self._count(state, run)
                bounds = np.cumsum([ways / paths for *_, ways in nexts])[:-1]
                chosen = np.searchsorted(bounds, uniform, side="right")
                for which, (arms, then, run_then, _) in enumerate(nexts):
                    picked, width = rows[chosen == which], len(arms)
                    table[picked, place : place + width] = [arm == code for arm in arms]
                    if len(picked):
                        following.setdefault((then, run_then), []).append(picked)
            waiting, place = following, place + width
        return table

    def _periods(self) -> int:
        periods, state = 0, self._begin
        while nexts := self._scheme.steps(state):
            arms, state = nexts[0]
            periods += len(arms)
        return periods

    def _counted(self, state: State, run: _Run) -> list[tuple[tuple[str, ...], State, _Run, int]]:
        """What may come next and leads to an end, each with the number of ways there."""
        ways = ((*step, self._count(*step[1:])) for step in self._allowed(state, run))
        return [step for step in ways if step[3]]

    def told(self, known: Mapping[int, str]) -> set[int]:
        """Give the places of the periods whose arm follows from those known by place, themselves among them.

        Each step of the draw is looked at alone: what one settles tells nothing of another.
        """
        told, state, begins = set(known), self._begin, 0
        while nexts := self._scheme.steps(state):
            group = range(begins, begins + len(nexts[0][0]))  # all steps of one place settle as many periods
            here = {place: known[place] for place in group if place in known}
            orders = [arms for arms, _ in nexts if all(arms[place - begins] == code for place, code in here.items())]
            if here:
                told.update(place for place in group if len({arms[place - begins] for arms in orders}) == 1)
            begins, state = group.stop, nexts[0][1]
        return told

    def _paths(self, state: State, run: _Run) -> int:
        nexts = self._allowed(state, run)
        if not nexts:
            return 0 if self._scheme.steps(state) else 1
        paths = 0
        for _, then, run_then in nexts:
            paths += self._count(then, run_then)
        return paths

    def _listed(self, state: State, run: _Run) -> Iterator[tuple[str, ...]]:
        nexts = self._allowed(state, run)
        if not nexts and not self._scheme.steps(state):
            yield ()
        for arms, then, run_then in nexts:
            for rest in self._listed(then, run_then):
                yield arms + rest

    def _allowed(self, state: State, run: _Run) -> list[tuple[tuple[str, ...], State, _Run]]:
        if self._longest is None and self._may_be is None:
            return [(arms, then, None) for arms, then in self._scheme.steps(state)]
        going_on = ((arms, then, self._run_after(run, arms)) for arms, then in self._scheme.steps(state))
        return [(arms, then, run_then) for arms, then, run_then in going_on if run_then is not None]

    def _run_after(self, run: _Run, arms: tuple[str, ...]) -> _Run:
        """Go on with the run; None where it becomes too long, or an arm stands where it may not."""
        place, last, length = run or (0, "", 0)
        for arm in arms:
            if self._may_be is not None and arm not in self._may_be[place]:
                return None
            place, last, length = place + 1, arm, length + 1 if arm == last else 1
            if self._longest is not None and length > self._longest:
                return None
        return place, last, length


def _repeated(arms: tuple[str, ...], code: str, rows: int) -> NDArray[np.bool_]:
    return np.broadcast_to([arm == code for arm in arms], (rows, len(arms)))
