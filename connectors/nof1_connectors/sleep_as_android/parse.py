"""Sleep as Android's records: two or three lines in, one session out.

A record is a header, a line of values, and where sound was recorded a line of noise. Stages are events, such as
``DEEP_START-1700000000000``, that stand behind the values in no order and overlap each other.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from nof1.connect.clock import from_epoch, in_zone
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Session, make_session
from nof1.connect.timeline import Piece, clip, flatten
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import DEEP, LIGHT, REM, UNSCORED, WAKE

STREAM: Final = "sleep_as_android"
PAUSED: Final = "TRACKING_PAUSED"
STAGE_OF: Final = {
    "light": LIGHT,
    "deep": DEEP,
    "rem": REM,
    "awake": WAKE,
    "tracking_paused": WAKE,  # a person pressed the button, and the app's own sleep time leaves pauses out
    "broken": UNSCORED,
}
"""The app's words in lower case."""
RANK: Final = {PAUSED: 0, "BROKEN": 1, "REM": 2, "AWAKE": 3, "DEEP": 4, "LIGHT": 5}
"""Where events overlap: without measurement there is no stage, and REM is written inside DEEP, AWAKE over either."""
OPENING_WAKE_S: Final = 60
"""A shorter wake at the beginning is the app starting, not a person lying awake."""

_ASLEEP: Final = frozenset({"LIGHT", "DEEP", "REM"})
_MOST: Final = 1_000_000
_EVENT: Final = re.compile(r"([A-Z_]+)_(START|END)-(\d{13})(?:-.*)?", re.DOTALL)
_PAUSE: Final = re.compile(r"TRACKING_(PAUSED|RESUMED)-(\d{13})(?:-.*)?", re.DOTALL)


@dataclass(slots=True)
class Record:
    """One record as it stands.

    Parameters
    ----------
    header
        The names above its values; the table gives each record its own.
    cells
        Its line of values.
    noise
        The values of the line of noise, which may hold events too.
    """

    header: Sequence[str]
    cells: Sequence[str]
    noise: Sequence[str] = ()

    def field(self, name: str) -> str | None:
        """Give the value of this name; None where it is empty or not there."""
        return dict(zip(self.header, self.cells, strict=False)).get(name) or None

    def loose(self) -> Iterator[str]:
        """Give all but the person's comment, in which anything may stand."""
        header = self.header
        yield from (cell for at, cell in enumerate(self.cells) if at >= len(header) or header[at] != "Comment")
        yield from self.noise


def records(rows: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, Record]]:
    """Put the lines of a table together to records, each with the number of its line of values."""
    header: list[str] = []
    last: tuple[int, Record] | None = None
    for line, row in rows:
        if row[0] == "Id":
            header = row
        elif row[0] == "" and last is not None:
            last[1].noise = row
        else:
            if last is not None:
                yield last
            last = line, Record(header, row)
    if last is not None:
        yield last


def parse_record(record: Record, options: ReadOptions) -> Session:
    """Turn one record into one session.

    Raises
    ------
    ValueError
        The record cannot be used; the message is the reason.
    """
    began = from_epoch(record.field("Id"), per_second=1000)
    start = in_zone(began, record.field("Tz"), options)
    lasts_s = round(3600 * _number(record, "Hours"))
    pieces, notes = hypnogram_of(record, began, lasts_s)
    asleep_s = _asleep_s(record, lasts_s)
    seen_awake = _opens_awake(pieces)
    if not pieces and record.field("LenAdjust") is None:
        notes = (*notes, "a length and nothing else; all of it counts as sleep")
    return make_session(
        stream=STREAM,
        record_id=str(record.field("Id")),
        start=start,
        end=start.plus(lasts_s),
        pieces=pieces,
        stage_of=STAGE_OF,
        totals={"asleep_s": asleep_s},
        in_bed=start.instant if seen_awake else None,
        in_bed_source="tap",
        flags=[
            *([STARTS_AT_ONSET] if pieces and not seen_awake else []),
            *(["manual"] if _is_manual(record) else []),
        ],
        notes=notes,
    )


def hypnogram_of(record: Record, began: datetime, lasts_s: int) -> tuple[list[Piece], tuple[str, ...]]:
    """Lay the stages of a record on one line.

    Parameters
    ----------
    began
        The instant of the record's start.
    lasts_s
        Its length: the last block of stages is rounded up beyond it, and is cut there.

    Returns
    -------
    tuple
        The pieces, empty where no stage of sleep or wake was written, and notes.
    """
    starts, ends = _events(record, round(began.timestamp() * 1000))
    if STAGE_OF.keys().isdisjoint(label.lower() for label in starts if label not in {PAUSED, "BROKEN"}):
        return [], ()
    boundaries = sorted(at for label in starts for at in starts[label])
    stretches: list[Piece] = []
    unclosed = 0
    for label in starts:
        closing = ends.get(label, [])
        for begin, following in zip(starts[label], [*starts[label][1:], math.inf], strict=True):
            end = _end_of(begin, following, closing)
            unclosed += end is None
            until = _next(boundaries, begin, lasts_s) if end is None else end
            stretches.append(Piece(begin, until - begin, label))
    unopened = any(at < starts.get(label, [math.inf])[0] for label in ends for at in ends[label])
    notes = [
        *(["a stage without an end; it is taken to last until the next one"] if unclosed else []),
        *(["the end of a stage that never began; it is left out"] if unopened else []),
    ]
    return clip(flatten(stretches, RANK), lasts_s), tuple(notes)


def _events(record: Record, began_ms: int) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Collect starts and ends by label, in seconds after the start of the record, sorted."""
    starts: dict[str, set[int]] = {}
    ends: dict[str, set[int]] = {}
    for cell in record.loose():
        if event := _EVENT.fullmatch(cell):
            label, side, at_ms = event[1], starts if event[2] == "START" else ends, event[3]
        elif event := _PAUSE.fullmatch(cell):
            label, side, at_ms = PAUSED, starts if event[1] == "PAUSED" else ends, event[2]
        else:
            continue
        side.setdefault(label, set()).add(round((int(at_ms) - began_ms) / 1000))
    return _in_order(starts), _in_order(ends)


def _in_order(times: Mapping[str, set[int]]) -> dict[str, list[int]]:
    return {label: sorted(times[label]) for label in sorted(times)}


def _end_of(begin: int, following: float, ends: Sequence[int]) -> int | None:
    """Give the first end after a stage begins, unless the same stage begins again before."""
    at = bisect_right(ends, begin)
    if at < len(ends) and ends[at] <= following:
        return ends[at]
    return begin if at and ends[at - 1] == begin else None


def _next(boundaries: Sequence[int], begin: int, otherwise: int) -> int:
    at = bisect_left(boundaries, begin + 1)
    return boundaries[at] if at < len(boundaries) else max(otherwise, begin)


def _opens_awake(pieces: Sequence[Piece]) -> bool:
    """Whether the app saw the person awake from the start until sleep came.

    Where it saw nothing it writes light sleep from the first second, and where it was told to wait it writes a pause:
    neither tells when sleep began.
    """
    first, second = [*pieces[:2], None, None][:2]
    if first is None or second is None or second.label not in _ASLEEP:
        return False
    return first.label == "AWAKE" and first.start_s == 0 and second.start_s == first.end_s >= OPENING_WAKE_S


def _asleep_s(record: Record, lasts_s: int) -> float | None:
    """Give the app's own sleep time: the length, less what it calls awake and paused."""
    adjust = record.field("LenAdjust")
    if adjust is None or adjust == "-1.0":  # "-1.0" marks an entry by hand; "-1" is a minute
        return lasts_s
    asleep_s = lasts_s + 60 * _number(record, "LenAdjust")
    return asleep_s if asleep_s >= 0 else None


def _is_manual(record: Record) -> bool:
    """Whether a person typed the record in: no event at all, and the app's marks of a sleep that it did not see."""
    if any(re.match(r"[A-Z_]+-\d{13}", cell) for cell in record.loose()):
        return False
    unseen = record.field("Cycles") == "-1" and record.field("DeepSleep") == "-1.0"
    return unseen or record.field("LenAdjust") == "-1.0"


def _number(record: Record, name: str) -> float:
    text = record.field(name)
    try:
        number = float(text or "")
    except ValueError:
        number = math.nan
    if not abs(number) < _MOST:
        raise ValueError(f"its {name} is {str(text)[:40]!r}, which is no number of sleep")
    return number
