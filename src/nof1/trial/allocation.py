"""The allocation: the random draw, and the set of sequences that it was drawn from."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final, Literal, Self

from nof1.errors import UsageError
from nof1.trial.protocol import Arm, Design
from nof1.trial.scheme import SCHEMES, Bits, Sequences

ALGORITHM_VERSION: Final = 2
"""Changes whenever a seed would give another sequence."""

SEED_BYTES: Final = 32

PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Allocation:
    """What was drawn: the scheme and the seed that reproduce the sequence, and the sequence itself.

    Parameters
    ----------
    seed
        32 bytes in hexadecimal.
    sequence
        The arm's code for each period, in order.
    """

    scheme: str
    algorithm_version: int
    seed: str
    sequence: tuple[str, ...]

    def to_payload(self) -> dict[str, Any]:
        """Return the allocation as plain JSON values, for sealing."""
        return {
            "scheme": self.scheme,
            "algorithm_version": self.algorithm_version,
            "seed": self.seed,
            "sequence": list(self.sequence),
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Make the allocation that `to_payload` wrote."""
        return cls(payload["scheme"], payload["algorithm_version"], payload["seed"], tuple(payload["sequence"]))


def allocate(design: Design, arms: Sequence[Arm], seed: bytes) -> Allocation:
    """Draw the sequence of a trial.

    Parameters
    ----------
    arms
        In the order of the protocol, which its hash fixes.
    seed
        32 random bytes from outside. The same seed gives the same sequence on every machine and NumPy.

    Raises
    ------
    UsageError
        The design is `fixed`: its schedule is brought, not drawn.
    """
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a seed has {SEED_BYTES} bytes, this one has {len(seed)}")
    sequences = _sequences(design, arms)
    sequence = sequences.nth(Bits(seed).below(sequences.count()))
    return Allocation(design.scheme, ALGORITHM_VERSION, seed.hex(), sequence)


def possible_sequences(design: Design, arms: Sequence[Arm]) -> Iterator[tuple[tuple[str, ...], float]]:
    """Yield every sequence that `allocate` could have drawn, with its probability; together they make 1.

    Their number doubles with each block of randomised pairs: ask `count_sequences` first.

    Raises
    ------
    UsageError
        The design is `fixed`: what its schedule could have been is not known.
    """
    probability = 1 / count_sequences(design, arms)
    return ((sequence, probability) for sequence in _sequences(design, arms))


def count_sequences(design: Design, arms: Sequence[Arm]) -> int:
    """Count the sequences that `allocate` could have drawn. Raises as `possible_sequences` does."""
    return _sequences(design, arms).count()


def sequences_like(design: Design, arms: Sequence[Arm], sequence: Sequence[str], compared: Sequence[str]) -> Sequences:
    """Return the sequences that `allocate` could have drawn just as well, all but the compared arms where they stand.

    Parameters
    ----------
    sequence
        What was drawn. Given where it has the other arms, these sequences are equally likely.
    compared
        Codes of the arms that may change places; with none it is the sequence itself, if it could be drawn at all.

    Raises
    ------
    UsageError
        The design is `fixed`, as for `possible_sequences`.
    """
    may_be = [tuple(compared) if code in compared else (code,) for code in sequence]
    return _sequences(design, arms, None if len(arms) == len(compared) else may_be)


def declared_like(design: Design, sequence: Sequence[str], compared: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the orders of the declared reference set in which all but the compared arms stand where they do here.

    They are equally likely. There is none where nothing is declared, or not this number of periods.
    """
    others = _others(sequence, compared)
    return [order for order in design.reference_set if _others(order, compared) == others]


def _others(sequence: Sequence[str], compared: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(None if code in compared else code for code in sequence)


def told_by(design: Design, arms: Sequence[Arm], known: Mapping[int, str]) -> set[int]:
    """Return the numbers of the periods whose arm whoever knows that of some periods knows too, themselves among them.

    With two arms each period of a pair tells the other, one of four there and back tells its four, and one of a strict
    alternation tells all; a balanced order without blocks tells nothing but itself. A block of three arms is told by
    two of its periods. Raises as `possible_sequences`.

    Parameters
    ----------
    known
        Codes of arms by the number of the period.
    """
    places = {number - 1: code for number, code in known.items()}
    return {place + 1 for place in _sequences(design, arms).told(places)}


def smallest_p(design: Design, arms: Sequence[Arm], *, sides: Literal[1, 2] = 2) -> float | None:
    """Return the smallest p that a randomisation test of this design can reach, whatever the data.

    One-sided, the sequence that was drawn is alone at its extreme; two-sided, its mirror image (the arms exchanged) is
    always just as extreme. Strict alternation therefore cannot go below 1 two-sided, randomised pairs reach 2/2^blocks,
    counterbalanced quadruples 2/2^(blocks/2), and any balanced order of 12 periods 2/924.

    Of three or more arms two are compared while the others stay where they are, so it is that of two arms in as many
    blocks; a limit on runs can only raise it, by an amount that depends on what is drawn. Of a declared set it is that
    of the order and the two arms for which it is smallest.

    Returns
    -------
    float or None
        None for a `fixed` schedule without a declared set, which gets no p: what else it could have been is not known.
    """
    if SCHEMES[design.scheme] is None:
        pairs = combinations([arm.code for arm in arms], PAIR)
        return min((p for pair in pairs for p in _least_of_declared(design, pair, sides)), default=None)
    return min(1.0, sides / orders_of_two(design, arms))


def _least_of_declared(design: Design, pair: tuple[str, ...], sides: Literal[1, 2]) -> Iterator[float]:
    """Yield the smallest p of every declared order in which two arms are compared."""
    exchanged = dict(zip(pair, reversed(pair), strict=True))
    declared = set(design.reference_set)
    alike = Counter(_others(order, pair) for order in declared)
    for order in declared:
        if set(pair) <= set(order):
            mirrored = tuple(exchanged.get(code, code) for code in order) in declared
            yield (1 + (sides == PAIR and mirrored)) / alike[_others(order, pair)]


def orders_of_two(design: Design, arms: Sequence[Arm]) -> int:
    """Count the sequences that a contrast of two arms could have had, the others staying where they are, at most."""
    if len(arms) > PAIR:
        return count_sequences(replace(design, longest_run=None), arms[:PAIR])
    return count_sequences(design, arms)


def _sequences(design: Design, arms: Sequence[Arm], may_be: Sequence[tuple[str, ...]] | None = None) -> Sequences:
    scheme = SCHEMES[design.scheme]
    if scheme is None:
        raise UsageError("This protocol's scheme is `fixed`: pass the schedule as a file, there is nothing to draw.")
    return Sequences(scheme, [arm.code for arm in arms], design.blocks, design.longest_run, may_be)
