"""What WHOOP's forms have in common: durations and no stages, and an offset beside the times.

The window of a WHOOP sleep begins with lying down as the strap saw it, not with sleep, whatever its column is called.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec

from nof1.connect.clock import Moment, at_offset, unzoned
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import MAX_SESSION_S

Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=1000 * MAX_SESSION_S)]

_OFFSET: Final = re.compile(r"(?:UTC|GMT)?(?:([+-])(\d{2}):?(\d{2})|Z)?")


@dataclass(frozen=True, slots=True)
class Durations:
    """The durations of one sleep in seconds; None where WHOOP does not tell."""

    light_s: float | None
    deep_s: float | None
    rem_s: float | None
    wake_s: float | None
    asleep_s: float | None = None

    def totals(self) -> dict[str, float | None]:
        """Give them as totals; all sleep is the sum of its stages where WHOOP does not tell it.

        Raises
        ------
        ValueError
            None of them is told, or not enough to know how much sleep it was.
        """
        stages = (self.light_s, self.deep_s, self.rem_s)
        if all(seconds is None for seconds in (*stages, self.asleep_s)):
            raise ValueError("WHOOP did not score it: it tells no durations")
        if self.asleep_s is None and None in stages:
            raise ValueError("one of its durations of light, deep and REM sleep is missing")
        return {
            "light_s": self.light_s,
            "deep_s": self.deep_s,
            "rem_s": self.rem_s,
            "wake_s": self.wake_s,
            "asleep_s": sum(seconds or 0 for seconds in stages) if self.asleep_s is None else self.asleep_s,
        }


def in_seconds(milliseconds: float | None) -> float | None:
    """Turn milliseconds into seconds; missing stays missing."""
    return None if milliseconds is None else milliseconds / 1000


def kind_of(nap: bool | None) -> str:
    """Give the kind of a sleep by WHOOP's own mark."""
    return {True: "nap", False: "main", None: "unknown"}[nap]


def offset_min_of(text: str) -> int:
    """Read an offset such as ``UTC-08:00``, ``-0800`` or ``UTCZ``: local − UTC in minutes.

    Raises
    ------
    ValueError
        It is not one.
    """
    told = _OFFSET.fullmatch(text.strip()) if text.strip() else None
    if told is None:
        raise ValueError(f"its timezone {text[:20]!r} is not an offset from UTC")
    sign, hours, minutes = told.groups()
    return (-1 if sign == "-" else 1) * (60 * int(hours or 0) + int(minutes or 0))


def beside(instant: datetime, offset: str | None, options: ReadOptions) -> Moment:
    """Place an instant by the offset that the record tells beside it, or in the stated zone where it tells none.

    Raises
    ------
    ValueError
        The offset is not one.
    """
    return at_offset(instant, offset_min_of(offset)) if offset else unzoned(instant, options)


def local_at(local: datetime, offset: str) -> Moment:
    """Place a wall-clock time by its offset.

    Raises
    ------
    ValueError
        The offset is not one.
    """
    offset_min = offset_min_of(offset)
    return at_offset(local.replace(tzinfo=UTC) - timedelta(minutes=offset_min), offset_min)
