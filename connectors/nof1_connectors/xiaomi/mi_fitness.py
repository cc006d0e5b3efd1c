"""Mi Fitness records: a table of everything that a watch told, in which some rows hold a sleep as JSON.

`watch_night_sleep` and `watch_daytime_sleep` are what a watch told; `sleep` is what the app made of all sources, often
without stages. Where both tell of one time, the watch stands.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from nof1.connect.clock import Moment, at_offset, from_epoch, unzoned
from nof1.connect.connector import ReadOptions
from nof1.connect.decoding import stream_rows
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.connect.reading import Member
from nof1.connect.timeline import Piece, differing_sums, union
from nof1.errors import DataError
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE

WATCH: Final = {"watch_night_sleep": "main", "watch_daytime_sleep": "nap"}
"""The keys of a watch's own records, and what kind of sleep each is."""
ALL_SOURCES: Final = "sleep"
STAGE_OF: Final = {"2": DEEP, "3": LIGHT, "4": REM, "5": WAKE}
"""The numbers of `state`. Each night's own sums confirm or contradict them, and the person hears of it."""
STREAM: Final = "xiaomi/mi_fitness"
STREAM_OF_ALL: Final = "xiaomi/mi_fitness_all_sources"
QUARTER_MIN: Final = 15
"""The unit of `timezone`."""
NEEDED: Final = ("key", "time", "value", "updatetime")

_Minutes = Annotated[int, msgspec.Meta(ge=0, le=MAX_SESSION_S // 60)]


class Item(msgspec.Struct, frozen=True):
    """A stretch of one state, in seconds since 1970."""

    start_time: int
    end_time: int
    state: int


class Sleep(msgspec.Struct, frozen=True):
    """The JSON of one sleep: the fields that nof1 reads. Times are seconds since 1970; 0 means missing."""

    bedtime: int | None = None
    wake_up_time: int | None = None
    items: tuple[Item, ...] | None = None
    timezone: int | None = None
    duration: _Minutes | None = None
    sleep_deep_duration: _Minutes | None = None
    sleep_light_duration: _Minutes | None = None
    sleep_rem_duration: _Minutes | None = None
    sleep_awake_duration: _Minutes | None = None
    segment_details: list[Any] | None = None
    """Only in daily summaries, which repeat the nights."""

    @property
    def starts(self) -> int:
        """When it starts; 0 where it does not say."""
        return min(filter(None, (self.bedtime, *(item.start_time for item in self.items or ()))), default=0)

    @property
    def ends(self) -> int:
        """When it ends; 0 where it does not say."""
        return max(self.wake_up_time or 0, *(item.end_time for item in self.items or ()), 0)


@dataclass(frozen=True, slots=True)
class Row:
    """One row about sleep: `where` it stands, and its columns."""

    where: str
    key: str
    source_id: str
    time: str
    updated: str
    sleep: Sleep


@dataclass(frozen=True, slots=True)
class Divided:
    """What the rows are: nights to be read, how many repeat those, and how many are daily summaries."""

    nights: tuple[Row, ...]
    repeated: int
    summaries: int


def sleep_rows(member: Member) -> Iterator[tuple[Row | None, str, str]]:
    """Give the rows about sleep, one at a time: the table also holds every heart beat of years.

    Returns
    -------
    Iterator
        The row, or None; where it stands; and why it is None.

    Raises
    ------
    nof1.errors.DataError
        The table is damaged, or lacks a column.
    """
    rows = stream_rows(member, delimiter=",")
    columns = [name.strip().lower() for name in next(rows, (0, []))[1]]
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise DataError(f"{member.name} lacks the columns {', '.join(missing)}. Download the export again.")
    key_at = columns.index("key")
    for line, cells in rows:
        key = cells[key_at] if len(cells) > key_at else ""
        if key in WATCH or key == ALL_SOURCES:
            where = f"{member.name} line {line}"
            if len(cells) == len(columns):
                yield _row(dict(zip(columns, cells, strict=True)), where)
            else:
                yield None, where, "its row does not have the fields of the header"


def divide(rows: Iterable[Row]) -> Divided:
    """Set apart the rows that say again what the watch said, and the daily summaries."""
    told = list(rows)
    nights = [row for row in told if row.sleep.segment_details is None or row.sleep.starts]
    watch = [row for row in nights if row.key in WATCH]
    covered = union((row.sleep.starts, row.sleep.ends) for row in watch)
    others = [row for row in nights if row.key not in WATCH]
    new = [row for row in others if not _meets(covered, row.sleep.starts, row.sleep.ends)]
    return Divided((*watch, *new), len(others) - len(new), len(told) - len(nights))


def parse_row(row: Row, options: ReadOptions) -> Session:
    """Turn one row into one session.

    Raises
    ------
    ValueError
        The row cannot be used; the message is the reason.
    """
    sleep = row.sleep
    if not sleep.starts or not sleep.ends:
        raise ValueError("it holds no sleep")
    items = sorted(
        {(item.start_time - sleep.starts, item.end_time - sleep.starts, item.state) for item in _items(sleep)}
    )
    pieces = [Piece(at, until - at, str(state)) for at, until, state in items if until != at]
    totals = _totals(sleep)
    start = _moment(sleep.starts, sleep, options)
    return make_session(
        stream=STREAM if row.key in WATCH else STREAM_OF_ALL,
        record_id=identity(row.key, row.time, sleep.starts),
        start=start,
        end=_moment(sleep.ends, sleep, options),
        pieces=pieces,
        stage_of=STAGE_OF,
        totals=totals,
        kind=WATCH.get(row.key, "unknown"),
        device=row.source_id,
        updated=_time(row.updated),
        flags=[STARTS_AT_ONSET],
        notes=[*([] if pieces else ["sums and no stages"]), *differing_sums(pieces, STAGE_OF, totals)],
    )


def _row(cells: dict[str, str], where: str) -> tuple[Row | None, str, str]:
    try:
        sleep = msgspec.json.decode(cells["value"].encode(), type=Sleep)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return None, where, f"its Value is not a sleep as nof1 knows it: {error}"
    return Row(where, cells["key"], cells.get("sid", ""), cells["time"], cells["updatetime"], sleep), where, ""


def _items(sleep: Sleep) -> tuple[Item, ...]:
    return sleep.items or ()


def _totals(sleep: Sleep) -> dict[str, float | None]:
    """Give the app's own sums; a record whose stages are all zero was not staged."""
    minutes = {
        "light_s": sleep.sleep_light_duration,
        "deep_s": sleep.sleep_deep_duration,
        "rem_s": sleep.sleep_rem_duration,
        "wake_s": sleep.sleep_awake_duration,
    }
    staged = any(minutes[name] for name in ("light_s", "deep_s", "rem_s"))
    told: dict[str, float | None] = {n: 60 * m if staged and m is not None else None for n, m in minutes.items()}
    return told | {"asleep_s": 60 * sleep.duration if sleep.duration else None}


def _moment(seconds: int, sleep: Sleep, options: ReadOptions) -> Moment:
    instant = from_epoch(seconds)
    return unzoned(instant, options) if sleep.timezone is None else at_offset(instant, QUARTER_MIN * sleep.timezone)


def _time(seconds: str) -> datetime | None:
    try:
        return from_epoch(seconds)
    except ValueError:
        return None


def _meets(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    """Say whether any of these sorted, disjoint spans overlaps this one."""
    at = bisect_left(spans, (start, start))
    return any(span[0] < end and start < span[1] for span in spans[max(at - 1, 0) : at + 1])
