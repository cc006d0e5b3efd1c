"""Damage to bytes, the same for the same number: what a bad download, a bad disk or a bad person makes of an export."""

import random
import re
from collections.abc import Callable, Mapping
from typing import Final

TOKENS: Final = (
    *(b"null", b"-1", b"0", b"1e999", b"NaN", b"99999999999999999999", b"-99999999999999999999", b"1e-999", b"0.5"),
    *(b'"', b"'", b"[", b"]", b"{", b"}", b"<", b">", b"&", b",", b";", b":", b"\t", b"\n", b"\r\n", b"\\", b"\\ud800"),
    *(
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xf0\x9f\x98\xb4",
        b"true",
        b'""',
        b"[]",
        b"{}",
        b"0001-01-01",
        b"9999-12-31",
    ),
    *(b"2025-02-30", b"T24:00:00", b"+99:99", b"Europe/Nowhere", b"../../etc/passwd", b"]]>", b"<!DOCTYPE a>"),
)

type Mutation = Callable[[bytes, random.Random], bytes]


def _place(content: bytes, rng: random.Random) -> tuple[int, int]:
    """Where a stretch begins and ends: mostly a few bytes, now and then a great many."""
    start = rng.randrange(len(content) + 1)
    return start, min(len(content), start + rng.choice((1, 1, 2, 5, 20, 200, 4000)))


def flip(content: bytes, rng: random.Random) -> bytes:
    """Turn one bit."""
    at = rng.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :]


def delete(content: bytes, rng: random.Random) -> bytes:
    """Leave a stretch out."""
    start, end = _place(content, rng)
    return content[:start] + content[end:]


def duplicate(content: bytes, rng: random.Random) -> bytes:
    """Say a stretch twice."""
    start, end = _place(content, rng)
    return content[:end] + content[start:end] + content[end:]


def insert(content: bytes, rng: random.Random) -> bytes:
    """Put a token in."""
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice(TOKENS) + content[at:]


def overwrite(content: bytes, rng: random.Random) -> bytes:
    """Put a token in the place of a number, a word or a string."""
    start = rng.choice([found.start() for found in re.finditer(rb'[0-9"]', content)] or [0])
    end = start + 1
    while end < len(content) and content[end : end + 1].isalnum():
        end += 1
    return content[:start] + rng.choice(TOKENS) + content[end:]


def truncate(content: bytes, rng: random.Random) -> bytes:
    """End too early."""
    return content[: rng.randrange(len(content))]


def swap_lines(content: bytes, rng: random.Random) -> bytes:
    """Let two lines, or two halves where there are no lines, change places."""
    lines = content.split(b"\n")
    if len(lines) < 2:
        middle = rng.randrange(len(content) + 1)
        return content[middle:] + content[:middle]
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"\n".join(lines)


def repeat(content: bytes, rng: random.Random) -> bytes:
    """Say everything, or the second half of it, again."""
    return content + content[rng.choice((0, len(content) // 2)) :]


MUTATIONS: Final[tuple[Mutation, ...]] = (
    flip,
    delete,
    duplicate,
    insert,
    overwrite,
    overwrite,
    truncate,
    swap_lines,
    repeat,
)


def mutate(content: bytes, seed: int) -> bytes:
    """Damage these bytes in one to three ways that the number decides."""
    rng = random.Random(seed)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if content:
            content = rng.choice(MUTATIONS)(content, rng)
    return content


def mutate_one(members: Mapping[str, bytes], seed: int) -> tuple[str, bytes]:
    """Damage one member of an export, the larger the likelier."""
    rng = random.Random(seed)
    names = sorted(members)
    (name,) = rng.choices(names, [len(members[name]) + 1 for name in names])
    return name, mutate(members[name], seed)
