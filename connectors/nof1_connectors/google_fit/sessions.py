"""Google Fit's sleep sessions, one a file: one session in, one session out."""

from datetime import datetime
from typing import Final

import msgspec

from nof1.connect.clock import unzoned, utc_time
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Session, identity, make_session
from nof1.connect.timeline import Piece, flatten
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, WAKE

STAGE_OF: Final = {
    "sleep": ASLEEP,
    "sleep.awake": WAKE,
    "sleep.out_of_bed": WAKE,
    "sleep.light": LIGHT,
    "sleep.deep": DEEP,
    "sleep.rem": REM,
}
RANK: Final = {"sleep.light": 0, "sleep.deep": 0, "sleep.rem": 0, "sleep.awake": 1, "sleep.out_of_bed": 1, "sleep": 2}
"""Where segments overlap, a stage says more than awake, and that more than sleep."""
STREAM: Final = "google_fit/sessions"
NO_SEGMENTS: Final = "google_fit/sessions without segments"


class Segment(msgspec.Struct, rename="camel", frozen=True):
    """A stretch of one activity."""

    start_time: str
    end_time: str
    fitness_activity: str = ""


class FitSession(msgspec.Struct, rename="camel", frozen=True):
    """One sleep session: the fields that nof1 reads. `duration` includes wake, and says no more than the bounds."""

    fitness_activity: str
    start_time: str
    end_time: str
    segment: tuple[Segment, ...] = ()


def parse_session(record: object, options: ReadOptions) -> Session:
    """Turn one session into one session.

    A session without segments tells its bounds alone. All of it counts as sleep, for want of anything else; but it
    goes to a stream of its own, because such a total includes the wake that segments would show.

    Parameters
    ----------
    record
        The decoded JSON of one file.

    Raises
    ------
    ValueError
        The session cannot be used; the message is the reason.
    """
    try:
        session = msgspec.convert(record, FitSession)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a sleep session as nof1 knows it: {error}") from error
    if not session.fitness_activity.startswith("sleep"):
        raise ValueError(f"its activity is {session.fitness_activity[:40]!r}, not sleep")
    began, ended = utc_time(session.start_time), utc_time(session.end_time)
    pieces = [_piece(segment, began) for segment in session.segment]
    return make_session(
        stream=STREAM if pieces else NO_SEGMENTS,
        record_id=identity(began, ended),
        start=unzoned(began, options),
        end=unzoned(ended, options),
        pieces=flatten(pieces, RANK),
        stage_of=STAGE_OF,
        totals=None if pieces else {"asleep_s": max((ended - began).total_seconds(), 0)},
        flags=[STARTS_AT_ONSET],
        notes=[] if pieces else ["bounds and no segments; all of it counts as sleep"],
    )


def _piece(segment: Segment, began: datetime) -> Piece:
    first, last = (round((utc_time(time) - began).total_seconds()) for time in (segment.start_time, segment.end_time))
    if last < first:
        raise ValueError("one of its segments ends before it starts")
    return Piece(first, last - first, segment.fitness_activity)
