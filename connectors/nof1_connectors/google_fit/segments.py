"""Google Fit's streams of sleep segments: points in, runs of points of one app out, one session a run."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, NamedTuple

import msgspec

from nof1.connect.clock import from_epoch, unzoned
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Session, identity, make_session
from nof1.connect.timeline import Piece, flatten
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, WAKE

LABELS: Final = {
    "com.google.sleep.segment": {1: "awake", 2: "sleep", 3: "out_of_bed", 4: "light", 5: "deep", 6: "rem"},
    "com.google.activity.segment": {72: "sleep", 109: "light", 110: "deep", 111: "rem", 112: "awake"},
}
"""What the number of a point means, by the type of data. Other numbers of the older type are other activities."""
SLEEP_TYPE, ACTIVITY_TYPE = LABELS
STAGE_OF: Final = {"awake": WAKE, "out_of_bed": WAKE, "sleep": ASLEEP, "light": LIGHT, "deep": DEEP, "rem": REM}
RANK: Final = {"light": 0, "deep": 0, "rem": 0, "awake": 1, "out_of_bed": 1, "sleep": 2}
"""Where points overlap, a stage says more than awake, and that more than sleep."""
LONGEST_GAP: Final = timedelta(hours=1)
"""Points of one app less than this apart are one recording; nothing is known of the time between."""

LONGEST_POINT: Final = timedelta(days=1)
"""A longer stretch is a mistake, which must not swallow the nights it spans."""

_NANOS: Final = 1_000_000_000
_Nanos = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
_Number = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]


class Value(msgspec.Struct, rename="camel", frozen=True):
    """A number, as Takeout wraps it."""

    int_val: _Number


class FitValue(msgspec.Struct, frozen=True):
    """A wrapped number."""

    value: Value


class RawPoint(msgspec.Struct, rename="camel", frozen=True):
    """One data point of a Takeout, or of the REST interface, which writes `value` for `fitValue`: the fields read."""

    start_time_nanos: _Nanos
    end_time_nanos: _Nanos
    data_type_name: str
    origin_data_source_id: str = ""
    fit_value: Annotated[tuple[FitValue, ...], msgspec.Meta(max_length=1)] = ()
    value: Annotated[tuple[Value, ...], msgspec.Meta(max_length=1)] = ()

    @property
    def number(self) -> int | None:
        """The number, however it is wrapped."""
        values = [*(one.value for one in self.fit_value), *self.value]
        return values[0].int_val if values else None


class Point(NamedTuple):
    """One stretch of sleep or of wake in it, told by one app."""

    origin: str
    manual: bool
    start: datetime
    end: datetime
    label: str


def read_points(value: object, name: str) -> Iterator[tuple[str, Point | str]]:
    """Read the points of a file: where each stands, and the point or the reason why it cannot be used.

    Points of other activities are passed over.
    """
    source = value.get("Data Source", value.get("dataSourceId")) if isinstance(value, dict) else None
    found = value.get("Data Points", value.get("point")) if isinstance(value, dict) else None
    if not isinstance(found, list):
        yield name, "it is not a set of data points as nof1 knows it"
        return
    for i, raw in enumerate(found):
        try:
            point = _point(raw, source)
        except ValueError as error:
            yield f"{name}: point {i + 1}", str(error)
        else:
            if point is not None:
                yield f"{name}: point {i + 1}", point


def runs(points: Iterable[Point]) -> Iterator[list[Point]]:
    """Group the points of each app into recordings, in order of time."""
    run: list[Point] = []
    reached = datetime.min.replace(tzinfo=UTC)
    for point in sorted(points):
        if run and (point[:2] != run[0][:2] or point.start - reached >= LONGEST_GAP):
            yield run
            run = []
        reached = max(reached, point.end) if run else point.end
        run.append(point)
    if run:
        yield run


def parse_run(run: list[Point], options: ReadOptions) -> Session:
    """Turn a run of points into one session.

    Raises
    ------
    ValueError
        It cannot be used; the message is the reason.
    """
    origin, manual, began = run[0].origin, run[0].manual, run[0].start
    ended = max(point.end for point in run)
    pieces = [Piece(_after(began, point.start), _after(point.start, point.end), point.label) for point in run]
    return make_session(
        stream=f"google_fit/{origin}",
        record_id=identity(origin, manual, began),
        start=unzoned(began, options),
        end=unzoned(ended, options),
        pieces=flatten(pieces, RANK),
        stage_of=STAGE_OF,
        flags=[STARTS_AT_ONSET, *(["manual"] if manual else [])],
    )


def _after(start: datetime, end: datetime) -> int:
    return round((end - start).total_seconds())


def _point(raw: object, source: object) -> Point | None:
    try:
        told = msgspec.convert(raw, RawPoint, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a data point as nof1 knows it: {error}") from error
    if told.data_type_name not in LABELS:
        return None
    label = LABELS[told.data_type_name].get(told.number or 0)
    if label is None and told.data_type_name == ACTIVITY_TYPE:
        return None
    start, end = (from_epoch(nanos / _NANOS) for nanos in (told.start_time_nanos, told.end_time_nanos))
    if end <= start:
        raise ValueError("it ends before it starts, or lasts no time")
    if end - start > LONGEST_POINT:
        raise ValueError("it lasts longer than a day")
    origin = told.origin_data_source_id or (source if isinstance(source, str) else "")
    return Point(_app(origin), origin.endswith(":user_input"), start, end, label or f"number {told.number}")


def _app(source: str) -> str:
    """Give the package in a source such as ``raw:com.google.sleep.segment:com.example.watch:…``."""
    package = source.split(":")[2:3]
    return package[0] if package and package[0].replace(".", "").replace("_", "").isalnum() else "unknown"
