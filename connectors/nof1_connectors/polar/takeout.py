"""The `sleep_result` files of Polar's own download: one result in, one row out.

States are told where they begin, as ISO 8601 durations after the start of sleep, and hold until the next. The span
that Polar sums up over can differ from end − start; states and sums follow the span, and so does the session.
"""

import re
from datetime import timedelta
from itertools import pairwise
from typing import Final

import msgspec

from nof1.connect.clock import at_offset, with_offset
from nof1.connect.ledger import Session, identity, make_session
from nof1.connect.timeline import Piece, differing_sums, join
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, UNSCORED, WAKE

STREAM: Final = "polar/flow"
STAGE_OF: Final = {
    "wake": WAKE,
    "rem": REM,
    "nonrem1": LIGHT,
    "nonrem2": LIGHT,
    "nonrem3": DEEP,
    "n1": LIGHT,
    "n2": LIGHT,
    "n3": DEEP,
    "sleep": ASLEEP,
    "unknown": UNSCORED,
}
"""Polar's states in lower case."""
ONLY_STAGED: Final = frozenset({REM, DEEP})
"""Watches without sleep stages tell sleep from wake only, in whatever words: such a night has neither of these."""
ROUNDED_S: Final = 60

_DURATION: Final = re.compile(r"PT(?:(\d{1,3})H)?(?:(\d{1,5})M)?(?:(\d{1,6})(?:\.\d{1,9})?S)?")


class Change(msgspec.Struct, rename="camel", frozen=True):
    """Where a state begins."""

    offset_from_start: str
    state: str


class Hypnogram(msgspec.Struct, rename="camel", frozen=True):
    """A night's bounds and states."""

    sleep_start: str
    sleep_end: str
    sleep_state_changes: tuple[Change, ...] = ()
    battery_ran_out: bool | None = None
    device_id: str | None = None


class SleepResult(msgspec.Struct, rename="camel", frozen=True):
    """What holds the hypnogram."""

    hypnogram: Hypnogram


class PhaseDurations(msgspec.Struct, frozen=True):
    """Polar's own sums of a night with stages."""

    wake: str | None = None
    rem: str | None = None
    light: str | None = None
    deep: str | None = None


class Evaluation(msgspec.Struct, rename="camel", frozen=True):
    """Polar's own sums."""

    sleep_type: str | None = None
    sleep_span: str | None = None
    asleep_duration: str | None = None
    phase_durations: PhaseDurations | None = None


class Result(msgspec.Struct, rename="camel", frozen=True):
    """One night: the fields that nof1 reads."""

    sleep_result: SleepResult
    night: str | None = None
    evaluation: Evaluation = Evaluation()


def parse_result(record: object) -> Session:
    """Turn one result into one session.

    Raises
    ------
    ValueError
        The result cannot be used; the message is the reason.
    """
    try:
        result = msgspec.convert(record, Result)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a Polar night as nof1 knows it: {error}") from error
    told, sums = result.sleep_result.hypnogram, result.evaluation
    start, stated_end = with_offset(told.sleep_start), with_offset(told.sleep_end)
    stated_s = int((stated_end.instant - start.instant).total_seconds())
    span_s = stated_s if sums.sleep_span is None else seconds_of(sums.sleep_span)
    pieces = pieces_of(told.sleep_state_changes, span_s)
    totals = _totals(sums)
    stages = {STAGE_OF.get(piece.label.lower()) for piece in pieces}
    differs = abs(span_s - stated_s) > ROUNDED_S
    return make_session(
        stream=STREAM,
        record_id=result.night or identity(start.instant, stated_end.instant),
        start=start,
        end=at_offset(start.instant + timedelta(seconds=span_s), stated_end.offset_min or 0),
        pieces=pieces,
        stage_of=STAGE_OF,
        totals=totals,
        staging=None if not pieces or stages & ONLY_STAGED else "sleep_wake",
        device=told.device_id,
        algorithm=sums.sleep_type,
        flags=[STARTS_AT_ONSET, *(["incomplete"] if told.battery_ran_out else [])],
        notes=[
            *(["a span that is not its end minus its start; the span stands"] if differs else []),
            *differing_sums(pieces, STAGE_OF, totals),
        ],
    )


def pieces_of(changes: tuple[Change, ...], span_s: int) -> list[Piece]:
    """Let each state last until the next begins. A last `WAKE` at the end of the span or after it only ends the list.

    Raises
    ------
    ValueError
        Another state begins where the span has ended.
    """
    begins = sorted(
        ((seconds_of(change.offset_from_start), change.state) for change in changes), key=lambda one: one[0]
    )
    if begins and begins[-1][0] >= span_s and begins[-1][1].lower() == WAKE:
        begins.pop()
    if begins and begins[-1][0] >= span_s:
        raise ValueError(f"a state begins {begins[-1][0]:,} s after its start, and it lasts {span_s:,} s")
    bounds = pairwise([*begins, (span_s, "")])
    return join(Piece(at, until - at, state) for (at, state), (until, _) in bounds if until > at)


def seconds_of(duration: str) -> int:
    """Read an ISO 8601 duration of hours, minutes and seconds, such as ``PT7H4M30S``; parts of a second are cut off.

    Raises
    ------
    ValueError
        It is not one.
    """
    parts = _DURATION.fullmatch(duration)
    if parts is None or not any(parts.groups()):
        raise ValueError(f"{duration[:40]!r} is not a duration such as PT7H30M")
    hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return 3600 * hours + 60 * minutes + seconds


def _totals(sums: Evaluation) -> dict[str, float | None]:
    phases = sums.phase_durations or PhaseDurations()
    told = {
        "wake_s": phases.wake,
        "light_s": phases.light,
        "deep_s": phases.deep,
        "rem_s": phases.rem,
        "asleep_s": sums.asleep_duration,
    }
    return {name: None if duration is None else seconds_of(duration) for name, duration in told.items()}
