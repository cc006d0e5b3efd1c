"""Sleep files of the watch itself: the times of sleep from its events, the stages from its levels.

Written from documents: whether a level's time marks its end, as is read here, is Gadgetbridge's finding
(GarminActivitySampleProvider: "upper-bound timestamps of the sleep stage"), and was not checked on a file.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from nof1.connect.clock import Moment, at_offset, from_epoch, unzoned
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Session, identity, make_session
from nof1.connect.timeline import Piece, join
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import DEEP, LIGHT, REM, UNSCORED, WAKE
from nof1_connectors.garmin.fit import EVENT, SLEEP_INFO, SLEEP_LEVEL, TIMESTAMP, UNIX_AT_FIT_EPOCH, Message
from nof1_connectors.garmin.parse import NO_SLEEP

STREAM: Final = "garmin/watch"
SLEEP_EVENT: Final = 74
LEVELS: Final = {0: "unmeasurable", 1: "awake", 2: "light", 3: "deep", 4: "rem"}
"""The levels of message 275; not those of Garmin Connect."""
STAGE_OF: Final = {"unmeasurable": UNSCORED, "awake": WAKE, "light": LIGHT, "deep": DEEP, "rem": REM}

_START, _STOP = 0, 1
_LOCAL_TIME: Final = 2
_ABOVE_ALL: Final = 2**32
"""More than any level."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """One sleep of a file; times in seconds after 1970, UTC.

    Parameters
    ----------
    end
        When the watch says it ended, or the next one begins; None where nothing says so.
    levels
        (time, level), in order.
    offset_min
        Local − UTC in minutes, if told.
    """

    start: int
    end: int | None
    levels: Sequence[tuple[int, int]]
    offset_min: float | None


def sleeps_of(messages: Iterable[Message]) -> list[Sleep]:
    """Gather the sleeps of one file, one for each start that it tells."""
    told = list(messages)
    starts = sorted({time for kind, time in _events(told) if kind == _START})
    stops = sorted({time for kind, time in _events(told) if kind == _STOP})
    levels = sorted({(_unix(fields), fields[0]) for number, fields in told if _is_level(number, fields)})
    offset_min = _offset_min(told)
    sleeps = []
    for i, start in enumerate(starts):
        after = bisect_right(stops, start)
        end = min([*stops[after : after + 1], *starts[i + 1 : i + 2]], default=None)
        first = bisect_right(levels, (start, _ABOVE_ALL))
        last = len(levels) if end is None else bisect_right(levels, (end, _ABOVE_ALL))
        sleeps.append(Sleep(start, end, levels[first:last], offset_min))
    return sleeps


def parse_sleep(sleep: Sleep, options: ReadOptions) -> Session:
    """Turn one sleep into one session.

    Raises
    ------
    ValueError
        The sleep cannot be used; the message is the reason.
    """
    pieces, at = [], sleep.start
    for time, level in sleep.levels:
        if time > at:
            pieces.append(Piece(at - sleep.start, time - at, LEVELS.get(level, f"level {level}")))
            at = time
    if all(piece.label in {"unmeasurable", "awake"} for piece in pieces):
        raise ValueError(NO_SLEEP)  # the watch writes such files where it leaves the staging to the phone
    return make_session(
        stream=STREAM,
        record_id=identity(sleep.start),
        start=_moment(sleep.start, sleep, options),
        end=_moment(at if sleep.end is None else sleep.end, sleep, options),
        pieces=join(pieces),
        stage_of=STAGE_OF,
        flags=[STARTS_AT_ONSET],
    )


def _events(messages: Iterable[Message]) -> Iterable[tuple[int, int]]:
    for number, fields in messages:
        if number == EVENT and fields.get(0) == SLEEP_EVENT and 1 in fields and TIMESTAMP in fields:
            yield fields[1], _unix(fields)


def _is_level(number: int, fields: dict[int, int]) -> bool:
    return number == SLEEP_LEVEL and 0 in fields and TIMESTAMP in fields


def _unix(fields: dict[int, int]) -> int:
    return fields[TIMESTAMP] + UNIX_AT_FIT_EPOCH


def _offset_min(messages: Iterable[Message]) -> float | None:
    told = [
        (fields[_LOCAL_TIME] - fields[TIMESTAMP]) / 60
        for number, fields in messages
        if number == SLEEP_INFO and _LOCAL_TIME in fields and TIMESTAMP in fields
    ]
    return min(told, default=None)


def _moment(seconds: int, sleep: Sleep, options: ReadOptions) -> Moment:
    instant = from_epoch(seconds)
    return unzoned(instant, options) if sleep.offset_min is None else at_offset(instant, sleep.offset_min)
