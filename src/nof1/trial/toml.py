"""TOML text, hostile or not, to plain tables."""

import re
import tomllib
from typing import Any, Final

from nof1.errors import ProtocolError

LARGEST_FILE: Final = 1_000_000
"""Characters; a protocol is a page of text."""


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """Parse the text; a syntax error is the only mistake that can be told, for nothing after it can be read."""
    if len(text) > LARGEST_FILE:
        raise ProtocolError(where, [f"{len(text):,} characters: too long for a protocol, which is a page of text"])
    try:
        text.encode("utf-8")
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ProtocolError(where, ["not TOML that can be read: brackets nested too deeply"]) from None
    except ValueError as error:  # TOMLDecodeError, numbers of too many digits, text that is not Unicode
        place = re.fullmatch(r"(.*) \(at (line \d+, column \d+|end of document)\)", str(error), re.DOTALL)
        raise ProtocolError(where, [f"{place[2]}: {place[1]}" if place else f"not TOML: {error}"]) from None
