"""Withings' account export: ``sleep.csv``, one row a night, and the raw states of a mat or a watch.

The first columns of ``sleep.csv`` are named in the account's language, so that they are known by their place.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Annotated, Final

import msgspec

from nof1.connect.clock import Moment, with_offset
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.connect.timeline import Piece, clip, join
from nof1_connectors.withings.sums import Seconds, believable_latency, told_of_states, totals_of, without_false_zero
from nof1_connectors.withings.tracks import BED, OUT_OF_BED, STAGE_OF, Track, choose, fill_absences

COLUMNS: Final = ("start", "end", "light", "deep", "rem", "awake", "wake_up", "to_sleep", "to_wake_up")
"""What the first columns hold, in every language."""

_IN_BED, _ASLEEP, _OUT = "1", "2", "4"
_States = Annotated[list[Annotated[int, msgspec.Meta(ge=0, le=99)]], msgspec.Meta(max_length=MAX_SESSION_S)]
_Duration = Annotated[int, msgspec.Meta(ge=0, le=MAX_SESSION_S)]
_Durations = Annotated[list[_Duration], msgspec.Meta(max_length=MAX_SESSION_S)]


class Row(msgspec.Struct, frozen=True):
    """One row of ``sleep.csv``. Durations are seconds."""

    start: str
    end: str
    light: Seconds = None
    deep: Seconds = None
    rem: Seconds = None
    awake: Seconds = None
    to_sleep: Seconds = None
    events: str | None = None
    heart_rate: str | None = None


def parse_row(row: Mapping[str, str], tracks: Mapping[str, Track]) -> Session:
    """Turn one row into one session, with the states of whichever device they add up for.

    Parameters
    ----------
    row
        The cells that are not empty, by the names of `Row`.
    tracks
        The states of the export, by kind of device.

    Raises
    ------
    ValueError
        The row cannot be used; the message is the reason.
    """
    try:
        night = msgspec.convert(row, Row, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a night as nof1 knows it: {error}") from error
    start, end = with_offset(night.start), with_offset(night.end)
    lasts_s = _seconds(end) - _seconds(start)
    told = totals_of(wake=night.awake, light=night.light, deep=night.deep, rem=night.rem, lasts_s=lasts_s)
    events, unread = events_of(night.events)
    latency_s, doubts = believable_latency(_latency_s(night, events), told, lasts_s)
    kind, states, fits = choose(tracks, _seconds(start), _seconds(end), told)
    return make_session(
        stream=f"withings/{kind}",
        record_id=identity(start.instant, end.instant),
        start=start,
        end=end,
        pieces=fill_absences(kind, states, _absences(events, lasts_s)) if fits else (),
        stage_of=STAGE_OF,
        totals=without_false_zero(told),
        in_bed=start.plus(next(iter(events.get(_IN_BED, [])), 0)).instant if kind == BED else None,
        in_bed_source="in_bed",
        vendor_sol_s=latency_s,
        flags=["edited"] if _is_edited(night) else [],
        notes=[*unread, *doubts, *told_of_states(states, fits=fits)],
    )


def events_of(cell: str | None) -> tuple[dict[str, list[int]], list[str]]:
    """Read the column "Night events": seconds after the start by code, 1 in bed, 2 asleep, 3 awake, 4 out of bed.

    Each list is told as steps from one event to the next.

    Returns
    -------
    tuple
        The events, and a note where they cannot be read.
    """
    if cell is None:
        return {}, []
    try:
        steps = msgspec.json.decode(cell, type=dict[str, _Durations])
    except msgspec.MsgspecError:
        return {}, ["night events that cannot be read; they are left out"]
    return {code: list(accumulate(seconds)) for code, seconds in steps.items()}, []


def states_of(start: str, durations: str, values: str) -> list[Piece]:
    """Read one row of raw states, in seconds since 1970.

    Raises
    ------
    ValueError
        The row cannot be used; the message is the reason.
    """
    at = _seconds(with_offset(start))
    try:
        seconds = msgspec.json.decode(durations, type=_Durations)
        states = msgspec.json.decode(values, type=_States)
    except msgspec.MsgspecError as error:
        raise ValueError(f"its durations or values are not lists of whole numbers: {error}") from error
    if len(seconds) != len(states):
        raise ValueError(f"it has {len(seconds):,} durations and {len(states):,} values")
    if sum(seconds) > MAX_SESSION_S:
        raise ValueError("it lasts longer than two days")
    starts = accumulate(seconds, initial=at)
    return join(Piece(s, n, str(state)) for s, n, state in zip(starts, seconds, states, strict=False) if n)


def _latency_s(night: Row, events: Mapping[str, Sequence[int]]) -> float | None:
    """Withings' "Duration to sleep", which is the first event of falling asleep; None for nights written by hand."""
    if _is_edited(night):
        return None
    return night.to_sleep if night.to_sleep is not None else next(iter(events.get(_ASLEEP, [])), None)


def _absences(events: Mapping[str, Sequence[int]], lasts_s: int) -> list[Piece]:
    """The times between leaving the bed and lying down again."""
    back = events.get(_IN_BED, [])
    left = [(out, next((at for at in back if at > out), None)) for out in events.get(_OUT, [])]
    return clip((Piece(out, at - out, OUT_OF_BED) for out, at in left if at is not None), max(lasts_s, 0))


def _is_edited(night: Row) -> bool:
    """Say whether a person wrote the night: no heart was felt, and its stages are not whole minutes."""
    stages = [night.light, night.deep, night.rem, night.awake]
    return night.heart_rate is None and any(seconds is not None and seconds % 60 for seconds in stages)


def _seconds(moment: Moment) -> int:
    return int(moment.instant.timestamp())
