"""The allocation: the random draw, and the set of sequences that it was drawn from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from nof1.errors import UsageError
from nof1.trial.protocol import Arm, Design
from nof1.trial.scheme import SCHEMES, Bits, Scheme

ALGORITHM_VERSION: Final = 1
"""Changes whenever a seed would give another sequence."""

SEED_BYTES: Final = 32


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
    sequence = _drawn(design).draw(Bits(seed), _codes(arms), design.blocks)
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
    return ((sequence, probability) for sequence in _drawn(design).possible(_codes(arms), design.blocks))


def count_sequences(design: Design, arms: Sequence[Arm]) -> int:
    """Count the sequences that `allocate` could have drawn. Raises as `possible_sequences` does."""
    return _drawn(design).count(_codes(arms), design.blocks)


def smallest_p(design: Design, arms: Sequence[Arm], *, sides: Literal[1, 2] = 2) -> float | None:
    """Return the smallest p that a randomisation test of this design can reach, whatever the data.

    One-sided, the sequence that was drawn is alone at its extreme; two-sided, its mirror image (the arms exchanged) is
    always just as extreme. Strict alternation therefore cannot go below 1 two-sided, randomised pairs reach 2/2^blocks.

    Returns
    -------
    float or None
        None for a `fixed` schedule, which gets no p: what else it could have been is not known.
    """
    if SCHEMES[design.scheme] is None:
        return None
    return min(1.0, sides / count_sequences(design, arms))


def _drawn(design: Design) -> Scheme:
    scheme = SCHEMES[design.scheme]
    if scheme is None:
        raise UsageError("This protocol's scheme is `fixed`: pass the schedule as a file, there is nothing to draw.")
    return scheme


def _codes(arms: Sequence[Arm]) -> tuple[str, ...]:
    return tuple(arm.code for arm in arms)
