"""Texts of others: cleaned of what is not text, and made into sentences."""

import unicodedata
from typing import Final

_NEVER_SHOWN: Final = {"\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
"""Marks that turn the direction of the text around them."""


def plain(text: str) -> str:
    """Take controls and direction marks out of an imported text: they could act on a terminal or turn a line around."""
    if text.isprintable():  # nearly every text
        return " ".join(text.split())
    kept = (" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in text if c not in _NEVER_SHOWN)
    return " ".join("".join(kept).split())


def inactive(text: str) -> str:
    """Spell out what could act on a terminal or turn a line around, and leave lines and indents as they are."""
    return "".join(c if c == "\n" or not _acts(c) else f"\\u{ord(c):04x}" for c in text)


def _acts(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in _NEVER_SHOWN


def capitalised(text: str) -> str:
    """Begin a sentence without touching the rest."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Make a sentence of a reason: a capital at the start, a full stop at the end."""
    cleaned = capitalised(plain(text))
    return cleaned if cleaned.endswith((".", "!", "?")) else f"{cleaned}."
