"""A data point of the schema omh:sleep-episode: from sleep onset to the final awakening, in sums.

Source: https://www.openmhealth.org/documentation/#/schema-docs/schema-library/schemas/omh_sleep-episode
"""

from datetime import timedelta
from typing import Annotated, Any, Final

import msgspec

from nof1.connect.clock import Moment, placed
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.sleep.session import STARTS_AT_ONSET

SECONDS_IN: Final = {"ms": 0.001, "sec": 1, "min": 60, "h": 3600, "d": 86_400}
"""Units of a duration; the schema's longer and shorter ones are no lengths of sleep."""
FITBIT: Final = "fitbit"

_SLACK_S: Final = 60
_Value = Annotated[float, msgspec.Meta(ge=0, le=MAX_SESSION_S * 1000)]


class Duration(msgspec.Struct, frozen=True):
    """A duration with its unit."""

    value: _Value
    unit: str


class TimeInterval(msgspec.Struct, frozen=True):
    """From sleep onset to the final awakening: two of these three, or all."""

    start_date_time: str | None = None
    end_date_time: str | None = None
    duration: Duration | None = None


class TimeFrame(msgspec.Struct, frozen=True):
    """The time frame of an episode."""

    time_interval: TimeInterval


class Episode(msgspec.Struct, frozen=True):
    """The body of a data point: what nof1 reads of it."""

    effective_time_frame: TimeFrame
    latency_to_sleep_onset: Duration | None = None
    total_sleep_time: Duration | None = None
    wake_after_sleep_onset: Duration | None = None
    is_main_sleep: bool | None = None


class Provenance(msgspec.Struct, frozen=True):
    """Where a data point comes from."""

    source_name: str | None = None


class Header(msgspec.Struct, frozen=True):
    """The header of a data point; its `id` is made anew by every request, and is not read."""

    acquisition_provenance: Provenance | None = None


class DataPoint(msgspec.Struct, frozen=True):
    """A data point."""

    body: Episode
    header: Header = Header()


def parse_episode(record: Any, options: ReadOptions) -> Session:
    """Turn one data point, or a body alone, into one session of sums.

    Raises
    ------
    ValueError
        It cannot be used; the message is the reason.
    """
    point = record if isinstance(record, dict) and "body" in record else {"body": record}
    try:
        told = msgspec.convert(point, DataPoint)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a sleep episode as nof1 knows it: {error}") from error
    episode = told.body
    if episode.total_sleep_time is None:
        raise ValueError("it does not tell total_sleep_time")
    provenance = told.header.acquisition_provenance
    device = provenance.source_name if provenance else None
    start, end = _bounds(episode.effective_time_frame.time_interval, options)
    return make_session(
        stream="/".join(("openmhealth", *([device] if device else []))),
        record_id=identity(start.instant.isoformat(), end.instant.isoformat()),
        start=start,
        end=end,
        totals={"asleep_s": seconds_of(episode.total_sleep_time), "wake_s": seconds_of(episode.wake_after_sleep_onset)},
        kind={True: "main", False: "nap", None: "unknown"}[episode.is_main_sleep],
        vendor_sol_s=_latency_s(episode.latency_to_sleep_onset, device),
        device=device,
        flags=[STARTS_AT_ONSET],
    )


def seconds_of(duration: Duration | None) -> float | None:
    """Give a duration in seconds; None is missing.

    Raises
    ------
    ValueError
        Its unit is none of `SECONDS_IN`.
    """
    if duration is None:
        return None
    if duration.unit not in SECONDS_IN:
        raise ValueError(f"its unit {duration.unit[:40]!r} is none of {', '.join(SECONDS_IN)}")
    return duration.value * SECONDS_IN[duration.unit]


def _bounds(interval: TimeInterval, options: ReadOptions) -> tuple[Moment, Moment]:
    start = placed(interval.start_date_time, options) if interval.start_date_time else None
    end = placed(interval.end_date_time, options) if interval.end_date_time else None
    lasts_s = seconds_of(interval.duration)
    if start is not None and end is None and lasts_s is not None:
        end = start.plus(lasts_s)
    if end is not None and start is None and lasts_s is not None:
        start = end.plus(-lasts_s)
    if start is None or end is None:
        raise ValueError("it tells fewer than two of start, end and duration")
    told_s = (end.instant - start.instant) / timedelta(seconds=1)
    if lasts_s is not None and abs(told_s - lasts_s) > _SLACK_S:
        raise ValueError(f"its duration is {lasts_s:,.0f} s, and from start to end it is {told_s:,.0f} s")
    return start, end


def _latency_s(told: Duration | None, device: str | None) -> float | None:
    """Take a latency, save a Fitbit's 0, which means that it does not know."""
    seconds = seconds_of(told)
    return None if seconds == 0 and FITBIT in (device or "").lower() else seconds
