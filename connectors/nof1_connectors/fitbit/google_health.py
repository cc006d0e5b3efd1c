"""Sleep as the Google Health API answers: the successor of the Fitbit Web API, one data point a session."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec

from nof1.connect.clock import Moment, at_offset, unzoned, utc_time
from nof1.connect.connector import ReadOptions
from nof1.connect.heads import Head
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.connect.timeline import Piece, clip, flatten, overlay
from nof1_connectors.fitbit.parse import STAGE_OF

STREAM: Final = "fitbit/google_health"
FITBIT: Final = frozenset({"", "FITBIT", "FITBIT_WEB_API"})
"""The platforms whose sleep is Fitbit's own; that of others passes through, and has a stream a platform."""
POINTS: Final = ("dataPoints", "reconciledDataPoints")

_KEYS: Final = re.compile(r'"(startUtcOffset|minutesInSleepPeriod|stagesSummary|stagesStatus)"')
_OFFSET_S: Final = re.compile(r"([+-]?\d{1,6})(?:\.\d+)?s")
_OFFSET_HM: Final = re.compile(r"([+-])(\d\d):?(\d\d)")
_Minutes = Annotated[int, msgspec.Meta(ge=0, le=MAX_SESSION_S // 60)]


class Stretch(msgspec.Struct, rename="camel", frozen=True):
    """A stage, or a short awakening in one."""

    start_time: str
    end_time: str
    type: str = "AWAKE"


class Interval(msgspec.Struct, rename="camel", frozen=True):
    """The bounds of a session."""

    start_time: str
    end_time: str
    start_utc_offset: str | None = None
    end_utc_offset: str | None = None


class Metadata(msgspec.Struct, rename="camel", frozen=True):
    """How a session came about."""

    nap: bool | None = None
    main_sleep: bool | None = None
    main: bool | None = None
    manually_edited: bool | None = None
    processed: bool | None = None
    external_id: str | None = None


class StageSum(msgspec.Struct, frozen=True):
    """Google's own sum of one stage."""

    type: str
    minutes: _Minutes | None = None


class Summary(msgspec.Struct, rename="camel", frozen=True):
    """Google's own sums."""

    minutes_asleep: _Minutes | None = None
    minutes_awake: _Minutes | None = None
    minutes_to_fall_asleep: _Minutes | None = None
    stages_summary: tuple[StageSum, ...] = ()


class Sleep(msgspec.Struct, rename="camel", frozen=True):
    """One sleep session: the fields that nof1 reads."""

    interval: Interval
    type: str | None = None
    metadata: Metadata = Metadata()
    stages: tuple[Stretch, ...] = ()
    short_awakenings: tuple[Stretch, ...] = ()
    summary: Summary = Summary()
    update_time: str | None = None


class Device(msgspec.Struct, rename="camel", frozen=True):
    """The device that recorded."""

    display_name: str | None = None
    model: str | None = None


class DataSource(msgspec.Struct, rename="camel", frozen=True):
    """Where the data come from."""

    platform: str = ""
    recording_method: str | None = None
    device: Device = Device()


class DataPoint(msgspec.Struct, rename="camel", frozen=True):
    """One data point of sleep."""

    sleep: Sleep
    name: str | None = None
    data_point_name: str | None = None
    data_source: DataSource = DataSource()


def holds_data_points(head: Head) -> bool:
    """Say whether it begins like a data point of sleep, or like an answer with such points."""
    return head.has_keys("sleep", "interval", "startTime") and bool(_KEYS.search(head.text))


def data_points(value: object) -> Iterator[tuple[str, object]]:
    """Give every data point of a file: one point, one answer, or a list of either."""
    for i, item in enumerate(value if isinstance(value, list) else [value]):
        key = next((key for key in POINTS if isinstance(item, dict) and key in item), None)
        points = item[key] if isinstance(item, dict) and key else None
        if isinstance(points, list):
            yield from ((f"answer {i + 1} point {j + 1}", point) for j, point in enumerate(points))
        else:
            yield f"point {i + 1}", item


def parse_point(record: object, options: ReadOptions) -> Session:
    """Turn one data point into one session.

    Raises
    ------
    ValueError
        It cannot be used; the message is the reason.
    """
    try:
        point = msgspec.convert(record, DataPoint, strict=False)  # whole numbers are written as text
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a data point of sleep as nof1 knows it: {error}") from error
    sleep, source = point.sleep, point.data_source
    start = _moment(sleep.interval.start_time, sleep.interval.start_utc_offset, options)
    end = _moment(sleep.interval.end_time, sleep.interval.end_utc_offset, options)
    latency_min = sleep.summary.minutes_to_fall_asleep
    unfinished = sleep.metadata.processed is False
    return make_session(
        stream=_stream(source.platform),
        record_id=_record_id(point) or identity(start.instant, end.instant),
        start=start,
        end=end,
        pieces=_pieces(sleep, start.instant),
        stage_of=STAGE_OF,
        totals=_totals(sleep.summary),
        kind=_kind(sleep.metadata),
        vendor_sol_s=60 * latency_min if latency_min else None,  # 0 means unknown, as everywhere at Fitbit
        device=source.device.display_name or source.device.model,
        updated=instant_of(sleep.update_time),
        flags=_flags(sleep.metadata, source),
        notes=["stages that Google had not finished when it answered; ask again later"] if unfinished else [],
    )


def _moment(time: str, offset: str | None, options: ReadOptions) -> Moment:
    instant = utc_time(time)
    minutes = offset_min(offset)
    return unzoned(instant, options) if minutes is None else at_offset(instant, minutes)


def offset_min(text: str | None) -> float | None:
    """Read an offset such as ``-14400s`` or ``-04:00``."""
    if seconds := _OFFSET_S.fullmatch(text or ""):
        return int(seconds[1]) / 60
    if clock := _OFFSET_HM.fullmatch(text or ""):
        return int(clock[1] + "1") * (60 * int(clock[2]) + int(clock[3]))
    return None


def _pieces(sleep: Sleep, start: datetime) -> list[Piece]:
    """Lay the short awakenings over the stages, which leave them out."""
    stages = sorted(_placed(sleep.stages, start))
    lasts_s = stages[-1].end_s if stages else 0
    return overlay(stages, clip(flatten(_placed(sleep.short_awakenings, start), {}), lasts_s))


def _placed(stretches: Sequence[Stretch], start: datetime) -> list[Piece]:
    placed = []
    for stretch in stretches:
        first, last = (round((utc_time(t) - start).total_seconds()) for t in (stretch.start_time, stretch.end_time))
        if last < first:
            raise ValueError("one of its stages ends before it starts")
        placed.append(Piece(first, last - first, stretch.type))
    return [piece for piece in placed if piece.seconds]


def _totals(summary: Summary) -> dict[str, float | None]:
    totals: dict[str, float | None] = {}
    for one in summary.stages_summary:
        stage = STAGE_OF.get(one.type.lower())
        if stage and one.minutes is not None:
            totals[f"{stage}_s"] = (totals.get(f"{stage}_s") or 0) + 60 * one.minutes
    if summary.minutes_asleep is not None:
        totals["asleep_s"] = 60 * summary.minutes_asleep
    if summary.minutes_awake is not None:
        totals.setdefault("wake_s", 60 * summary.minutes_awake)
    return totals


def _kind(metadata: Metadata) -> str:
    if metadata.nap:
        return "nap"
    return "main" if metadata.main_sleep or metadata.main else "unknown"


def _flags(metadata: Metadata, source: DataSource) -> list[str]:
    flags = {"manual": source.recording_method == "MANUAL", "edited": metadata.manually_edited}
    return [flag for flag, raised in flags.items() if raised]


def _stream(platform: str) -> str:
    if platform.upper() in FITBIT:
        return STREAM
    return f"{STREAM}/{re.sub(r'[^a-z0-9_]', '?', platform.lower())[:40]}"


def _record_id(point: DataPoint) -> str | None:
    """Give Google's own id: the last part of a name, which begins with whoever asked."""
    name = (point.name or point.data_point_name or "").rpartition("/")[2]
    return name or point.sleep.metadata.external_id or None


def instant_of(text: str | None) -> datetime | None:
    """Give the instant of a time that may be missing or unreadable."""
    try:
        return utc_time(text).astimezone(UTC)
    except ValueError:
        return None
