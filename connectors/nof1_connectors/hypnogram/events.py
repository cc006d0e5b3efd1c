"""RemLogic's list of events: a preamble, and a table of the events of one night, by the time of day."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from nof1.connect.clock import local_time, wall_clock
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Session, identity, make_session
from nof1.connect.timeline import Piece, join
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import DEEP, LIGHT, REM, UNSCORED, WAKE
from nof1_connectors.hypnogram.comments import lights_out_of

STREAM: Final = "hypnogram/RemLogic"
STAGE_OF: Final = {
    "sleep-s0": WAKE,
    "sleep-s1": LIGHT,
    "sleep-s2": LIGHT,
    "sleep-s3": DEEP,
    "sleep-s4": DEEP,
    "sleep-rem": REM,
    "sleep-mt": UNSCORED,
    "sleep-unscored": UNSCORED,
}
"""RemLogic's events in lower case; all others are no stages."""
ROLLS_OVER: Final = timedelta(hours=12)
"""A time of day that is earlier by more than this is of the next day."""
MAX_EVENT_S: Final = 86_400

_HEADER: Final = re.compile(r"\[hh:mm:ss\]\t.*\[s\]")
_TIME: Final = re.compile(r"(?:\d{4}-\d\d-\d\dT)?(\d\d)[:.](\d\d)[:.](\d\d)(?:[.,]\d+)?")
_SECONDS: Final = re.compile(r"\d{1,6}(?:[.,]\d+)?")
_DATE: Final = re.compile(r"\s(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\s*$|\s(\d{4})-(\d\d)-(\d\d)\s*$")


class Event(NamedTuple):
    """One stage: the time of day at which it begins, and its length in seconds."""

    at: timedelta
    seconds: int
    label: str


def is_events(text: str) -> bool:
    """Say whether a file that begins like this is RemLogic's, in any language: its units and events are the same."""
    return "SLEEP-" in text and any(_HEADER.search(line) for line in text.splitlines())


def parse_events(told: dict[str, str], lines: Sequence[str], options: ReadOptions) -> Session:
    """Turn one file into one session.

    Raises
    ------
    ValueError
        The file cannot be used; the message is the reason.
    """
    head = next((i for i, line in enumerate(lines) if _HEADER.search(line)), len(lines))
    events = list(_events(lines[head:]))
    if not events:
        raise ValueError("it holds no sleep stages among its events")
    day = _day(told, lines[:head])
    local = local_time((datetime.combine(day, datetime.min.time()) + events[0].at).isoformat())
    start, notes = wall_clock(local, options)
    pieces = _pieces(events)
    lights_out = lights_out_of(told, options)
    return make_session(
        stream=STREAM,
        record_id=identity(local.isoformat()),
        start=start,
        end=start.plus(pieces[-1].end_s),
        pieces=pieces,
        stage_of=STAGE_OF,
        in_bed=lights_out,
        in_bed_source="tap",
        flags=[STARTS_AT_ONSET] if lights_out != start.instant else [],
        notes=notes,
    )


def _events(table: Sequence[str]) -> Iterator[Event]:
    """Find the stages of a table whose header stands first.

    Raises
    ------
    ValueError
        One of them has no time or no length: a hole in the night cannot be seen later.
    """
    names = table[0].rstrip("\n").split("\t") if table else []
    at = next((i for i, name in enumerate(names) if "[hh:mm:ss]" in name), None)
    lasts = next((i for i, name in enumerate(names) if "[s]" in name), None)
    for line in table[1:]:
        cells = [cell.strip() for cell in line.split("\t")]
        label = next((cell for cell in cells if cell.lower() in STAGE_OF), None)
        if label is None:
            continue
        time = _TIME.fullmatch(cells[at]) if at is not None and at < len(cells) else None
        seconds = _SECONDS.fullmatch(cells[lasts]) if lasts is not None and lasts < len(cells) else None
        if time is None or seconds is None:
            raise ValueError(f"one of its stages has no time or no length: {line[:60]!r}")
        hours, minutes, rest = map(int, time.groups())
        length = float(seconds[0].replace(",", "."))
        if not 0 < length <= MAX_EVENT_S:
            raise ValueError(f"one of its stages lasts {length:g} s")
        yield Event(timedelta(hours=hours, minutes=minutes, seconds=rest), round(length), label)


def _pieces(events: Sequence[Event]) -> list[Piece]:
    """Count in seconds from the first event; the recorder's clock runs on over midnight, and over clock changes."""
    days, before, pieces = timedelta(0), events[0].at, set()
    for event in events:
        if event.at < before - ROLLS_OVER:
            days += timedelta(days=1)
        before = event.at
        pieces.add(Piece(round((days + event.at - events[0].at).total_seconds()), event.seconds, event.label))
    return join(sorted(pieces))


def _day(told: dict[str, str], preamble: Sequence[str]) -> date:
    """Give the day on which the recording began: of the line ``# date:``, or of the preamble if it can be read one way.

    Raises
    ------
    ValueError
        There is none, or day and month might be exchanged.
    """
    for line in [f" {told['date']}"] if "date" in told else preamble:
        if dated := _DATE.search(line):
            return _one_reading(dated)
    raise ValueError("it does not say its date: add the line `# date: 2026-03-01` at its top, the day it begins")


def _one_reading(dated: re.Match[str]) -> date:
    first, second, year, *iso = dated.groups()
    numbers = tuple(map(int, iso if year is None else (year, second, first)))
    readings = [numbers] if year is None else [numbers, (numbers[0], numbers[2], numbers[1])]
    found = {day for one in readings if (day := _valid_date(*one)) is not None}
    if len(found) != 1:
        told = "can be read in two ways" if found else "is no date"
        raise ValueError(f"its date {dated[0].strip()!r} {told}: add the line `# date: 2026-03-01` at its top")
    return found.pop()


def _valid_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
