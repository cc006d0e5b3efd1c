"""The sealed allocation: its text, of one length whatever was drawn, and the commitment that binds it.

The commitment enters the record before the first night, so that nobody can put another allocation in its place; it
tells nothing of it, because the salt stays inside the seal.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final, Self

from nof1.errors import TamperedError
from nof1.trial.allocation import SEED_BYTES, Allocation, allocate
from nof1.trial.protocol import Protocol

SALT_BYTES: Final = 32
LONGEST_SHOWN: Final = 20
BLOCK_BYTES: Final = 8_192
"""The text is padded to a multiple of this: its length must not tell which arms came how often."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What lies inside the seal: the allocation, and the salt of its commitment in hexadecimal."""

    allocation: Allocation
    salt: str

    def __post_init__(self) -> None:
        """Whoever knows the public key can seal anything: what comes out is looked at before it is believed."""
        for text, length in ((self.salt, SALT_BYTES), (self.allocation.seed, SEED_BYTES)):
            if len(bytes.fromhex(text)) != length:
                raise ValueError(f"{length} bytes in hexadecimal were expected, not {text[:LONGEST_SHOWN]!r}")
        if not all(isinstance(arm, str) for arm in self.allocation.sequence):
            raise ValueError("its sequence is not one of arms")

    def to_payload(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"allocation": self.allocation.to_payload(), "salt": self.salt}

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> Self:
        """Make what `to_payload` wrote."""
        return cls(Allocation.from_payload(payload["allocation"]), payload["salt"])

    def to_text(self) -> bytes:
        """Give the text to be sealed, its length a multiple of `BLOCK_BYTES`."""
        text = _canonical(self.to_payload())
        return text.ljust(-(-len(text) // BLOCK_BYTES) * BLOCK_BYTES)

    @classmethod
    def from_text(cls, text: bytes) -> Self:
        """Read what `to_text` wrote.

        Raises
        ------
        TamperedError
            It is something else.
        """
        try:
            return cls.from_payload(json.loads(text))
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise TamperedError(f"What was sealed is not an allocation: {error}. Restore the study.") from error

    @property
    def commitment(self) -> str:
        """SHA-256, in hexadecimal, over the salt and the canonical allocation."""
        return hashlib.sha256(bytes.fromhex(self.salt) + _canonical(self.allocation.to_payload())).hexdigest()

    def faults(self, commitment: str, protocol: Protocol) -> list[str]:
        """Say what speaks against this being what was committed to, and drawn by the registered protocol."""
        faults = []
        if self.commitment != commitment:
            faults.append("the sealed allocation is not the one that was committed to")
        return faults + draw_faults(self.allocation, protocol)


def draw_faults(allocation: Allocation, protocol: Protocol) -> list[str]:
    """Say whether the seed draws, under the registered protocol, something else than what is on record."""
    again = allocate(protocol.design, protocol.arms, bytes.fromhex(allocation.seed))
    return [] if again == allocation else ["the seed does not give the sequence that was drawn"]


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
