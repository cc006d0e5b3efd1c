"""The commitment binds the allocation and tells nothing of it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.errors import TamperedError
from nof1.study.protocols import load_protocol
from nof1.trial.allocation import allocate
from nof1.trial.commitment import BLOCK_BYTES, Sealed

PROTOCOL = load_protocol("magnesium-glycinate")
BYTES = st.binary(min_size=32, max_size=32)


def sealed(seed: bytes, salt: bytes) -> Sealed:
    """What would be sealed with these random bytes."""
    return Sealed(allocate(PROTOCOL.design, PROTOCOL.arms, seed), salt.hex())


@given(BYTES, BYTES)
def test_what_was_sealed_is_read_back_and_kept_to(seed: bytes, salt: bytes) -> None:
    """The text gives the allocation back, and nothing speaks against it."""
    inside = sealed(seed, salt)
    assert Sealed.from_text(inside.to_text()) == inside
    assert inside.faults(inside.commitment, PROTOCOL) == []


@given(BYTES, BYTES)
def test_the_text_has_one_length_whatever_was_drawn(seed: bytes, salt: bytes) -> None:
    """A ciphertext is as long as its text, so the length must not tell the arms."""
    assert len(sealed(seed, salt).to_text()) == BLOCK_BYTES


@given(BYTES, BYTES, BYTES)
def test_another_salt_is_another_commitment(seed: bytes, salt: bytes, other: bytes) -> None:
    """Without the salt nobody can try out allocations against the commitment."""
    assert (sealed(seed, salt).commitment == sealed(seed, other).commitment) == (salt == other)


def test_an_exchanged_allocation_is_found() -> None:
    """Another seed, or arms exchanged under the same seed, each give their own fault."""
    inside, other = sealed(bytes(32), bytes(32)), sealed(bytes(31) + b"\1", bytes(32))
    assert any("committed" in fault for fault in other.faults(inside.commitment, PROTOCOL))
    swapped = tuple("placebo" if arm == "magnesium" else "magnesium" for arm in inside.allocation.sequence)
    forged = replace(inside, allocation=replace(inside.allocation, sequence=swapped))
    assert "the seed does not give the sequence that was drawn" in forged.faults(forged.commitment, PROTOCOL)


def test_what_is_no_allocation_is_refused() -> None:
    """Text that was not sealed by nof1 is an error, not a crash."""
    for text in (b"", b"{}", b"[1]", b'{"allocation": 3, "salt": "00"}'):
        with pytest.raises(TamperedError):
            Sealed.from_text(text)


@pytest.mark.parametrize(
    "change",
    [
        {"salt": "00"},
        {"salt": "zz" * 32},
        {"salt": None},
        {"allocation": {"seed": "00"}},
        {"allocation": {"seed": 5}},
        {"allocation": {"sequence": [1, 2]}},
        {"allocation": {"sequence": None}},
        {"allocation": []},
    ],
)
def test_a_forged_seal_is_refused(change: dict[str, Any]) -> None:
    """Whoever knows the custodian's public key can seal what they like; opening it ends in words."""
    payload = sealed(bytes(32), bytes(32)).to_payload()
    inner = change.get("allocation")
    forged = payload | change | ({"allocation": payload["allocation"] | inner} if isinstance(inner, dict) else {})
    with pytest.raises(TamperedError, match="not an allocation"):
        Sealed.from_text(json.dumps(forged).encode())


def test_a_seal_nested_without_end_is_refused() -> None:
    """Depth that no reader follows is no allocation either."""
    with pytest.raises(TamperedError):
        Sealed.from_text(b"[" * 100_000)
