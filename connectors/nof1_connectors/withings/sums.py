"""Withings' own sums of a night, and what in them cannot be believed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

import msgspec

from nof1.connect.ledger import MAX_SESSION_S
from nof1.connect.timeline import Piece

Seconds = Annotated[float, msgspec.Meta(ge=0, le=MAX_SESSION_S)] | None
"""A sum that Withings tells, in seconds; None where it does not."""
REM_EXPECTED_S: Final = 3 * 3600
"""So much sleep has REM sleep in it: a device that tells none of it does not know REM sleep."""
SLACK_S: Final = 300
"""By how much the stages may run over the night: its bounds are told to the minute."""


def totals_of(
    *, wake: Seconds, light: Seconds, deep: Seconds, rem: Seconds, asleep: Seconds = None, lasts_s: int
) -> dict[str, float | None]:
    """Give the sums as `make_session` takes them, in seconds.

    Raises
    ------
    ValueError
        They are all 0, or do not fit into the night.
    """
    stages = [stage for stage in (light, deep, rem) if stage is not None]
    slept_s = asleep if asleep is not None else sum(stages) if stages else None
    told = [seconds for seconds in (slept_s, wake) if seconds is not None]
    if told and sum(told) == 0:
        raise ValueError("all its stages last 0 s")
    if lasts_s > 0 and sum(told) > lasts_s + SLACK_S:
        raise ValueError(f"its stages add up to {sum(told):,.0f} s, and it lasts {lasts_s:,} s")
    return {"wake_s": wake, "light_s": light, "deep_s": deep, "rem_s": rem, "asleep_s": slept_s}


def without_false_zero(totals: Mapping[str, float | None]) -> dict[str, float | None]:
    """Take a missing REM sleep out of the sums: older watches write 0 for what they cannot see."""
    blind = totals.get("rem_s") == 0 and (totals.get("asleep_s") or 0) >= REM_EXPECTED_S
    return dict(totals) | ({"rem_s": None} if blind else {})


def believable_latency(
    latency_s: float | None, totals: Mapping[str, float | None], lasts_s: int
) -> tuple[float | None, list[str]]:
    """Give the latency unless sleep leaves no room for it: one of 300 real nights tells 8 h of 8.7 h, 7.6 h asleep.

    Returns
    -------
    tuple
        The latency in seconds, or None, and a note.
    """
    if latency_s is not None and latency_s + (totals.get("asleep_s") or 0) > lasts_s + SLACK_S:
        return None, ["a latency that leaves no room for its sleep; it counts as missing"]
    return latency_s, []


def told_of_states(states: Sequence[Piece], *, fits: bool) -> Iterator[str]:
    """What the person hears about a session without a hypnogram."""
    if not states:
        yield "totals and no stages"
    elif not fits:
        yield "states that do not add up to its sums; only the sums are kept"
