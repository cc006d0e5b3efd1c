"""What a person writes at the top of a hypnogram: lines such as ``# start: 2026-03-01T23:10:00+01:00``."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from nof1.connect.clock import with_or_without_offset
from nof1.connect.connector import ReadOptions

KNOWN: Final = ("start", "epoch_s", "stages", "date", "lights_out", "device")
"""The lines that are read."""

_COMMENT: Final = re.compile(r"#\s*(?P<name>[a-z_]+)\s*[:=]\s*(?P<value>.*?)\s*")


def split_comments(text: str) -> tuple[dict[str, str], list[str]]:
    """Take the comments off a text.

    Returns
    -------
    tuple
        The values of the known lines, and the other lines without blank ones. A name that is there twice has the first
        value.
    """
    told: dict[str, str] = {}
    rest: list[str] = []
    for line in _lines(text):
        comment = _COMMENT.fullmatch(line.strip())
        if comment and comment["name"] in KNOWN:
            told.setdefault(comment["name"], comment["value"])
        elif not line.startswith("#"):
            rest.append(line)
    return told, rest


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line.strip())


def lights_out_of(told: dict[str, str], options: ReadOptions) -> datetime | None:
    """Give the instant of lights-out, if a line says it.

    Raises
    ------
    ValueError
        It is not a time.
    """
    return with_or_without_offset(told["lights_out"], options)[0].instant if "lights_out" in told else None


def missing_lines(told: Mapping[str, str], wanted: Sequence[str]) -> list[str]:
    """Name those of the wanted lines that are not there."""
    return [name for name in wanted if name not in told]
