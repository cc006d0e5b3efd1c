"""Gadgetbridge's tables of sleep, family by family: bounds and rows of stages in, one session out.

Each family of devices has its own numbers for stages and its own meaning of a row's time, as Gadgetbridge's sample
providers read them: Xiaomi writes when a stage begins, Garmin when it ends, CMF and Colmi when it begins and how long
it lasts.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Final, NamedTuple

from nof1.connect.clock import from_epoch, unzoned
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.connect.timeline import Piece, clip, flatten
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import DEEP, LIGHT, REM, UNSCORED, WAKE

STAGE_OF: Final = {
    "deep": DEEP,
    "light": LIGHT,
    "rem": REM,
    "awake": WAKE,
    "not_sleep": WAKE,
    "n/a": UNSCORED,
    "unmeasurable": UNSCORED,
}


class Mark(NamedTuple):
    """One row of a table of stages: epoch milliseconds, the number of the stage, and how long it lasts, if told."""

    at: int
    number: object
    lasts: object = None


class Bounds(NamedTuple):
    """When a sleep began and ended in epoch milliseconds, and the device's own sums in minutes; unchecked."""

    start: object
    end: object
    minutes: Mapping[str, object] = MappingProxyType({})


class Device(NamedTuple):
    """A row of the table of devices: what stays the same in every export, and its names."""

    key: str
    name: str
    model: str | None


type Place = Callable[[Sequence[Mark], int, int], Iterator[tuple[int, int, object]]]
"""Lays rows between start and end in time, all in epoch milliseconds: where each stage begins and ends, its number."""


def until_the_next(marks: Sequence[Mark], start: int, end: int) -> Iterator[tuple[int, int, object]]:
    """Let each stage last until the next row, and the last until the sleep ends."""
    inside = marks[bisect_left(marks, start, key=_at) : bisect_left(marks, end, key=_at)]
    for mark, after in pairwise([*inside, Mark(end, None)]):
        yield mark.at, after.at, mark.number


def since_the_last(marks: Sequence[Mark], start: int, end: int) -> Iterator[tuple[int, int, object]]:
    """Let each stage begin at the row before, and the first where the sleep begins."""
    inside = marks[bisect_right(marks, start, key=_at) : bisect_right(marks, end + GRACE_MS, key=_at)]
    for before, mark in pairwise([Mark(start, None), *inside]):
        yield before.at, mark.at, mark.number


def for_as_long_as_told(unit_s: int) -> Place:
    """Let each stage last for its own duration, in units of so many seconds."""

    def place(marks: Sequence[Mark], start: int, end: int) -> Iterator[tuple[int, int, object]]:
        for mark in marks[bisect_left(marks, start, key=_at) : bisect_left(marks, end, key=_at)]:
            lasts = mark.lasts if isinstance(mark.lasts, int) else 0
            yield mark.at, mark.at + min(max(lasts, 0), _MAX_STAGE_S) * unit_s * 1000, mark.number

    return place


GRACE_MS: Final = 60_000
"""Garmin's last stage may end so much after the event that ends the sleep."""
_MAX_STAGE_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How one family of devices is stored.

    Parameters
    ----------
    sleeps, stages
        The tables of bounds and of stages.
    label
        What the number of a stage means.
    lasts
        The column with how long a stage lasts, if there is one.
    minutes
        The columns with the device's own sums in minutes, by the names of `nof1.sleep.session.Sessions.totals`.
    """

    name: str
    sleeps: str
    stages: str
    label: Mapping[int, str]
    place: Place
    lasts: tuple[str, ...] = ()
    minutes: Mapping[str, str] = field(default_factory=dict)


XIAOMI: Final = Family(
    name="xiaomi",
    sleeps="XIAOMI_SLEEP_TIME_SAMPLE",
    stages="XIAOMI_SLEEP_STAGE_SAMPLE",
    label={0: "not_sleep", 1: "n/a", 2: "deep", 3: "light", 4: "rem", 5: "awake"},
    place=until_the_next,
    minutes={
        "asleep_s": "TOTAL_DURATION",
        "deep_s": "DEEP_SLEEP_DURATION",
        "light_s": "LIGHT_SLEEP_DURATION",
        "rem_s": "REM_SLEEP_DURATION",
        "wake_s": "AWAKE_DURATION",
    },
)
GARMIN: Final = Family(
    name="garmin",
    sleeps="GARMIN_EVENT_SAMPLE",
    stages="GARMIN_SLEEP_STAGE_SAMPLE",
    label={0: "unmeasurable", 1: "awake", 2: "light", 3: "deep", 4: "rem"},
    place=since_the_last,
)
CMF: Final = Family(
    name="cmf",
    sleeps="CMF_SLEEP_SESSION_SAMPLE",
    stages="CMF_SLEEP_STAGE_SAMPLE",
    label={1: "deep", 2: "light", 3: "rem"},
    place=for_as_long_as_told(1),
    lasts=("DURATION",),
)
COLMI: Final = Family(
    name="colmi",
    sleeps="COLMI_SLEEP_SESSION_SAMPLE",
    stages="COLMI_SLEEP_STAGE_SAMPLE",
    label={2: "light", 3: "deep", 4: "rem", 5: "awake"},
    place=for_as_long_as_told(60),
    lasts=("DURATION",),
)
FAMILIES: Final = (XIAOMI, GARMIN, CMF, COLMI)


def parse_sleep(bounds: Bounds, marks: Sequence[Mark], family: Family, device: Device, options: ReadOptions) -> Session:
    """Turn one sleep into one session.

    Parameters
    ----------
    marks
        All stages of the device, sorted.

    Raises
    ------
    ValueError
        The sleep cannot be used; the message is the reason.
    """
    if bounds.start is None or bounds.end is None:
        raise ValueError("only its beginning or only its end is told")
    start, end = (unzoned(from_epoch(bound, per_second=1000), options) for bound in (bounds.start, bounds.end))
    start_ms, end_ms = (round(moment.instant.timestamp() * 1000) for moment in (start, end))
    laid = family.place(marks, start_ms, min(end_ms, start_ms + 1000 * MAX_SESSION_S))
    pieces = [_piece(first - start_ms, last - start_ms, family.label, number) for first, last, number in laid]
    lasts_s = round((end_ms - start_ms + GRACE_MS) / 1000)
    return make_session(
        stream=f"gadgetbridge/{device.name}",
        record_id=identity(family.name, device.key, start_ms),
        start=start,
        end=end,
        pieces=flatten(clip(pieces, lasts_s), {}),
        stage_of=STAGE_OF,
        totals=_totals(bounds.minutes),
        device=device.model,
        flags=[STARTS_AT_ONSET],
    )


def pair_events(events: Sequence[tuple[object, object]]) -> Iterator[Bounds]:
    """Pair the events of one Garmin watch: type 0 begins a sleep, type 1 ends it; what has no other half keeps None.

    Parameters
    ----------
    events
        Time and type, sorted by time.
    """
    began = None
    for at, kind in events:
        if kind == 1:
            yield Bounds(began, at)
            began = None
            continue
        if began is not None:
            yield Bounds(began, None)
        began = at
    if began is not None:
        yield Bounds(began, None)


def outside(marks: Sequence[Mark], sleeps: Sequence[Bounds]) -> int:
    """Count the stages that lie in none of the sleeps."""
    spans = sorted((one.start, one.end) for one in sleeps if isinstance(one.start, int) and isinstance(one.end, int))
    inside = reached = 0
    for start, end in spans:
        first = max(bisect_left(marks, start, key=_at), reached)
        beyond = bisect_right(marks, end + GRACE_MS, key=_at)
        inside += max(beyond - first, 0)
        reached = max(reached, beyond)
    return len(marks) - inside


def _at(mark: Mark) -> int:
    return mark.at


def _piece(start_ms: int, end_ms: int, label: Mapping[int, str], number: object) -> Piece:
    start_s, end_s = round(start_ms / 1000), round(end_ms / 1000)
    known = label.get(number) if isinstance(number, int) else None
    return Piece(start_s, end_s - start_s, known or f"stage {str(number)[:20]}")


def _totals(minutes: Mapping[str, object]) -> dict[str, float | None] | None:
    """Give the device's sums in seconds; a sleep of 0 minutes, and REM sleep of 0, are what it writes for unknown."""
    told = {name: 60 * value if isinstance(value, int) else None for name, value in minutes.items()}
    if not told.get("asleep_s"):
        return None
    return {**told, "rem_s": told.get("rem_s") or None}
