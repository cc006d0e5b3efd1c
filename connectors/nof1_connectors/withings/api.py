"""Responses of Withings' API: summaries, one a night, and the states within them."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from nof1.connect.clock import from_epoch, in_zone, unzoned
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.connect.timeline import Piece
from nof1.sleep.stages import SLEEP
from nof1_connectors.withings.sums import Seconds, believable_latency, told_of_states, totals_of, without_false_zero
from nof1_connectors.withings.tracks import BED, STAGE_OF, TRACKER, UNKNOWN, Track, choose, fill_absences

_KIND_OF_MODEL: Final = {16: TRACKER, 32: BED}
_BEDS: Final = range(60, 64)
"""The model ids of Aura, Sleep and Sleep Analyzer, by Withings' API reference."""
_TRACKERS: Final = (*range(51, 60), *range(90, 100))
"""The model ids of the watches, by Withings' API reference."""


class Sums(msgspec.Struct, frozen=True):
    """What a summary tells of its night, in seconds: only what the request asked for."""

    wakeupduration: Seconds = None
    lightsleepduration: Seconds = None
    deepsleepduration: Seconds = None
    remsleepduration: Seconds = None
    total_sleep_time: Seconds = None
    sleep_latency: Seconds = None
    durationtosleep: Seconds = None


class Summary(msgspec.Struct, frozen=True):
    """One night; instants are seconds since 1970."""

    startdate: int
    enddate: int
    id: int | str | None = None
    timezone: str | None = None
    model: int | str | None = None
    model_id: int | None = None
    modified: int | None = None
    data: Sums = Sums()


class Segment(msgspec.Struct, frozen=True):
    """A stretch of one state; instants are seconds since 1970."""

    startdate: int
    enddate: int
    state: Annotated[int, msgspec.Meta(ge=0, le=99)]
    model_id: int | None = None


def responses(value: Any) -> list[Any]:
    """Give the responses of a file: one, its body alone, or a list of either."""
    found = value if isinstance(value, list) else [value]
    return [one["body"] if isinstance(one, dict) and isinstance(one.get("body"), dict) else one for one in found]


def parse_segment(record: object, model: object = None) -> tuple[str, Piece]:
    """Turn one state of a ``get`` response into a piece, in seconds since 1970, and say of which kind of device.

    Parameters
    ----------
    model
        What the response says of all its states: 16 a watch, 32 a mat.

    Raises
    ------
    ValueError
        It cannot be used; the message is the reason.
    """
    segment = _converted(record, Segment)
    start, end = from_epoch(segment.startdate), from_epoch(segment.enddate)
    seconds = int((end - start).total_seconds())
    if not 0 < seconds <= MAX_SESSION_S:
        raise ValueError("it ends before it starts, or lasts longer than two days")
    return _kind(model, segment.model_id), Piece(segment.startdate, seconds, str(segment.state))


def parse_summary(record: object, tracks: Mapping[str, Track], options: ReadOptions) -> Session:
    """Turn one summary into one session, with the states that add up to it.

    Parameters
    ----------
    record
        The decoded JSON of one summary.
    tracks
        The states of all ``get`` responses, by kind of device.

    Raises
    ------
    ValueError
        The summary cannot be used; the message is the reason.
    """
    summary = _converted(record, Summary)
    start, end = (in_zone(from_epoch(at), summary.timezone, options) for at in (summary.startdate, summary.enddate))
    kind = _kind(summary.model, summary.model_id)
    own = tracks if kind == UNKNOWN else {name: track for name, track in tracks.items() if name in {kind, UNKNOWN}}
    told = _totals(summary)
    found, states, fits = choose(own, summary.startdate, summary.enddate, told)
    kind = found if kind == UNKNOWN else kind
    latency_s, doubts = believable_latency(_latency_s(summary.data), told, summary.enddate - summary.startdate)
    return make_session(
        stream=f"withings/{kind}",
        record_id=identity(start.instant, end.instant) if summary.id is None else str(summary.id),
        start=start,
        end=end,
        pieces=fill_absences(kind, states) if fits else (),
        stage_of=STAGE_OF,
        totals=without_false_zero(told),
        in_bed=start.instant if kind == BED else None,
        in_bed_source="in_bed",
        vendor_sol_s=latency_s,
        device=None if summary.model_id is None else f"model {summary.model_id}",
        updated=None if summary.modified is None else from_epoch(summary.modified),
        notes=[*doubts, *told_of_states(states, fits=fits)],
    )


def session_of_states(kind: str, track: Track, start_s: int, end_s: int, options: ReadOptions) -> Session:
    """Make a session of states that no summary speaks of: from their first to their last.

    Raises
    ------
    ValueError
        There is no sleep in them.
    """
    states = track.between(start_s, end_s)
    if not any(STAGE_OF.get(piece.label) in SLEEP for piece in states):
        raise ValueError("it holds no sleep, and no summary says that it was a night")
    start, end = (unzoned(from_epoch(at), options) for at in (start_s, end_s))
    return make_session(
        stream=f"withings/{kind}",
        record_id=identity(start.instant, end.instant),
        start=start,
        end=end,
        pieces=fill_absences(kind, states),
        stage_of=STAGE_OF,
        in_bed=start.instant if kind == BED else None,
        in_bed_source="in_bed",
    )


def _converted[T](record: object, wanted: type[T]) -> T:
    try:
        return msgspec.convert(record, wanted)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a {wanted.__name__.lower()} as nof1 knows it: {error}") from error


def _kind(model: object, model_id: int | None) -> str:
    if isinstance(model, int) and model in _KIND_OF_MODEL:
        return _KIND_OF_MODEL[model]
    return BED if model_id in _BEDS else TRACKER if model_id in _TRACKERS else UNKNOWN


def _latency_s(sums: Sums) -> float | None:
    """The two names of one figure; older responses know only the second."""
    return sums.durationtosleep if sums.sleep_latency is None else sums.sleep_latency


def _totals(summary: Summary) -> dict[str, float | None]:
    sums = summary.data
    return totals_of(
        wake=sums.wakeupduration,
        light=sums.lightsleepduration,
        deep=sums.deepsleepduration,
        rem=sums.remsleepduration,
        asleep=sums.total_sleep_time,
        lasts_s=summary.enddate - summary.startdate,
    )
