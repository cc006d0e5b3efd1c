"""Fitbit's JSON sleep logs, as the Takeout and the Web API 1.2 write them: one log in, one row out.

Two traps shape this module. A log's `data` leaves out wakes of up to three minutes, which stand in `shortData` and
must be laid over it. And its times are wall-clock times without a zone, so that only `startTime` is placed in time:
everything else is counted in seconds from there.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Annotated, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, UNSCORED, WAKE

LEGACY_STREAM: Final = "fitbit/legacy"
STAGE_OF: Final = {
    "deep": DEEP,
    "light": LIGHT,
    "rem": REM,
    "wake": WAKE,
    "awake": WAKE,
    "restless": WAKE,  # Fitbit's own minutesAsleep leaves restless minutes out
    "asleep": ASLEEP,
}
"""Fitbit's labels in lower case, staged and classic. The label itself is kept beside the stage."""
MAX_SESSION_S: Final = 48 * 3600
MAX_OVERRUN_S: Final = 300
"""`duration` is floored to minutes, so stages run over it by up to a minute; by more than this it is another night."""
MIN_COVERED: Final = 0.95
"""A hypnogram that covers less of its session than this is flagged `incomplete`."""

_YEARS: Final = range(2000, 2100)
_STAGED: Final = frozenset({"deep", "light", "rem"})
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_SESSION_S)]
_Minutes = Annotated[int, msgspec.Meta(ge=0, le=MAX_SESSION_S // 60)]
_Milliseconds = Annotated[int, msgspec.Meta(gt=0, le=MAX_SESSION_S * 1000)]


class Segment(msgspec.Struct, rename="camel", frozen=True):
    """A stretch of one level."""

    date_time: str
    level: str
    seconds: _Seconds


class Summary(msgspec.Struct, frozen=True):
    """Fitbit's own sum of one level."""

    minutes: _Minutes


class Levels(msgspec.Struct, rename="camel", frozen=True):
    """The stages of a log."""

    data: tuple[Segment, ...] = ()
    short_data: tuple[Segment, ...] = ()
    summary: dict[str, Summary] = {}


class Log(msgspec.Struct, rename="camel", frozen=True):
    """One sleep log: the fields that nof1 reads."""

    log_id: int | str
    start_time: str
    end_time: str
    duration: _Milliseconds
    levels: Levels
    type: str = ""
    log_type: str | None = None
    minutes_asleep: _Minutes | None = None
    minutes_to_fall_asleep: int | None = None
    main_sleep: bool | None = None
    is_main_sleep: bool | None = None


class Piece(NamedTuple):
    """A stretch of one label, in seconds after the start of the session."""

    start_s: int
    seconds: int
    label: str

    @property
    def end_s(self) -> int:
        """Where it ends."""
        return self.start_s + self.seconds


@dataclass(frozen=True, slots=True)
class ParsedLog:
    """A row of the sessions table, without its participant, and what the person should hear about it."""

    row: dict[str, Any]
    notes: tuple[str, ...]


def parse_log(record: object, zone: ZoneInfo | None) -> ParsedLog:
    """Turn one log into one session.

    Parameters
    ----------
    record
        The decoded JSON of one log.
    zone
        The zone of its wall-clock times; None lets them stand as if they were UTC.

    Raises
    ------
    ValueError
        The log cannot be used; the message is the reason.
    """
    try:
        log = msgspec.convert(record, Log)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a sleep log as nof1 knows it: {error}") from error
    local = local_time(log.start_time)
    start, notes = place(local, zone)
    offsets = [offset_minutes(instant, zone) for instant in (start, start + timedelta(milliseconds=log.duration))]
    change_s = 60 * ((offsets[1] or 0) - (offsets[0] or 0))
    if local_time(log.end_time) <= local and change_s >= 0:
        raise ValueError(f"it ends ({log.end_time}) before it starts ({log.start_time})")
    pieces, more = hypnogram_of(log.levels, local, change_s)
    row = _row(log, start, pieces)
    row |= {"offset_start": offsets[0], "offset_end": offset_minutes(row["end"], zone)}
    return ParsedLog(row, notes + more + _notes_of(log, pieces))


def local_time(text: str) -> datetime:
    """Read a wall-clock time without a zone.

    Raises
    ------
    ValueError
        It is not one, or lies outside the years 2000 to 2099.
    """
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a time") from None
    if local.tzinfo is not None or local.year not in _YEARS:
        raise ValueError(f"{text[:40]!r} is not a wall-clock time of this century without an offset")
    return local


def place(local: datetime, zone: ZoneInfo | None) -> tuple[datetime, tuple[str, ...]]:
    """Place a wall-clock time in time, with a note where the clocks change on it.

    Of two instants with one wall-clock time the earlier is taken; a time that the clocks skip is read on the clock as
    it stood before the change. Fitbit does not say which is meant, and a fixed rule keeps imports reproducible.
    """
    if zone is None:
        return local.replace(tzinfo=UTC), ()
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    before, after = first.utcoffset(), second.utcoffset()
    notes: tuple[str, ...] = ()
    if before is not None and after is not None and before != after:
        notes = (
            f"a start that the clock change {'repeats' if before > after else 'skips'}; the earlier reading stands",
        )
    return first.astimezone(UTC), notes


def offset_minutes(instant: datetime, zone: ZoneInfo | None) -> int | None:
    """Local − UTC, in minutes; None without a zone."""
    offset = None if zone is None else instant.astimezone(zone).utcoffset()
    return None if offset is None else int(offset.total_seconds() // 60)


def hypnogram_of(levels: Levels, local: datetime, change_s: int) -> tuple[list[Piece], tuple[str, ...]]:
    """Lay a log's short wakes over its stages.

    Parameters
    ----------
    local
        The log's own wall-clock start.
    change_s
        By how many seconds the wall clock jumps during the session.

    Returns
    -------
    tuple
        The pieces, sorted and without overlap, and notes.

    Raises
    ------
    ValueError
        The stages overlap, or begin before the session.
    """
    walls = [_seconds_after(local, segment) for segment in levels.data]
    pieces, gaps = _positions(levels.data, walls, change_s)
    shorts = _short_positions(
        levels.short_data, [_seconds_after(local, s) for s in levels.short_data], walls, pieces, change_s
    )
    notes = ["a gap between two stages; nothing is known of it"] if gaps else []
    if len(shorts) < len(levels.short_data):
        notes.append("a short wake outside its stages; it is left out")
    return overlay(pieces, shorts), tuple(notes)


def _seconds_after(local: datetime, segment: Segment) -> int:
    """By how much the wall clock of a segment is ahead of the session's."""
    after = local_time(segment.date_time) - local
    return 86_400 * after.days + after.seconds


def _positions(data: tuple[Segment, ...], walls: list[int], change_s: int) -> tuple[list[Piece], bool]:
    pieces, at, expected, gaps = [], 0, 0, False
    for segment, wall in zip(data, walls, strict=True):
        late = wall - expected
        if change_s and late == change_s:
            late = 0  # the wall clock jumped; time did not
        if late < 0:
            raise ValueError(f"its stages overlap at {segment.date_time}, or begin before it does")
        gaps = gaps or late > 0
        pieces.append(Piece(at + late, segment.seconds, segment.level))
        at += late + segment.seconds
        expected = wall + segment.seconds
    return pieces, gaps


def _short_positions(
    shorts: tuple[Segment, ...], short_walls: list[int], walls: list[int], pieces: list[Piece], change_s: int
) -> list[Piece]:
    """Place each short wake by the stage that its wall-clock time falls into, which holds across a clock change too.

    One that falls into none is not among those returned. In the hour that the clocks repeat the earlier of two places
    is taken: the log does not say which.
    """
    placed, at = [], 0
    for short, wall in zip(shorts, short_walls, strict=True):
        found = _stage_at(wall, walls, pieces, at)
        if found is None and change_s:  # the jump may lie in the stage, between its start and this time
            found = _stage_at(wall - change_s, walls, pieces, at)
        if found is not None:
            at, into_s = found
            placed.append(Piece(pieces[at].start_s + into_s, short.seconds, short.level))
    return sorted(placed)


def _stage_at(wall: int, walls: list[int], pieces: list[Piece], first: int) -> tuple[int, int] | None:
    """Which stage a wall-clock time falls into and how far, searching from stage `first` on and then before it."""
    for i in chain(range(first, len(pieces)), range(first)):
        into_s = wall - walls[i]
        if 0 <= into_s < pieces[i].seconds:
            return i, into_s
    return None


def overlay(pieces: list[Piece], shorts: list[Piece]) -> list[Piece]:
    """Paint `shorts` over `pieces`, exactly, in seconds. Both are sorted; where shorts overlap the earlier stays."""
    painted: list[Piece] = []
    for short in shorts:
        start = max(short.start_s, painted[-1].end_s if painted else 0)
        end = min(short.end_s, pieces[-1].end_s)
        if end > start:
            painted.append(Piece(start, end - start, short.label))
    cut = list(painted)
    first = 0
    for start, seconds, label in pieces:
        at, end = start, start + seconds
        while first < len(painted) and painted[first].end_s <= at:
            first += 1
        within = first
        while within < len(painted) and painted[within].start_s < end:
            if painted[within].start_s > at:
                cut.append(Piece(at, painted[within].start_s - at, label))
            at = painted[within].end_s
            within += 1
        if end > at:
            cut.append(Piece(at, end - at, label))
    return sorted(cut)


def _row(log: Log, start: datetime, pieces: list[Piece]) -> dict[str, Any]:
    duration_s = log.duration // 1000
    end_s = max(duration_s, pieces[-1].end_s if pieces else 0)
    if end_s > duration_s + MAX_OVERRUN_S:
        raise ValueError(f"its stages last {end_s:,} s, its duration is {duration_s:,} s")
    totals = _totals(log)
    if not pieces and all(total is None for total in totals.values()):
        raise ValueError("it holds neither stages nor totals")
    covered_s = sum(piece.seconds for piece in pieces)
    incomplete = bool(pieces) and covered_s < MIN_COVERED * end_s
    main = log.main_sleep if log.main_sleep is not None else log.is_main_sleep
    latency_s = 60.0 * (log.minutes_to_fall_asleep or 0)
    return {
        "source": "fitbit",
        "stream": LEGACY_STREAM,
        "record_id": str(log.log_id),
        "start": start,
        "end": start + timedelta(seconds=end_s),
        "kind": {True: "main", False: "nap", None: "unknown"}[main],
        "staging": _staging(log, pieces),
        "hypnogram": _hypnogram(pieces),
        "totals": totals,
        "in_bed_source": "none",
        # 0 is what Fitbit writes when it does not know: 72 of 72 automatic logs of 2019-2026
        "vendor_sol_s": latency_s if 0 < latency_s <= end_s else None,
        "flags": ["manual"] * (log.log_type == "manual") + ["incomplete"] * incomplete,
    }


def _hypnogram(pieces: list[Piece]) -> list[dict[str, Any]] | None:
    stages = {label: STAGE_OF.get(label.lower(), UNSCORED) for label in {piece.label for piece in pieces}}
    return [
        {"start_s": start, "seconds": seconds, "stage": stages[label], "label": label}
        for start, seconds, label in pieces
    ] or None


def _staging(log: Log, pieces: list[Piece]) -> str:
    if not pieces:
        return "totals"
    staged = log.type == "stages" or (log.type != "classic" and any(piece.label in _STAGED for piece in pieces))
    return "stages" if staged else "sleep_wake"


def _totals(log: Log) -> dict[str, int | None]:
    totals: dict[str, int | None] = dict.fromkeys(f"{stage}_s" for stage in (WAKE, LIGHT, DEEP, REM, ASLEEP))
    for label, one in log.levels.summary.items():
        if stage := STAGE_OF.get(label.lower()):
            totals[f"{stage}_s"] = (totals[f"{stage}_s"] or 0) + 60 * one.minutes
    if log.minutes_asleep is not None:
        totals["asleep_s"] = 60 * log.minutes_asleep
    return totals


def _notes_of(log: Log, pieces: list[Piece]) -> tuple[str, ...]:
    labels = {piece.label for piece in pieces}
    notes = [unknown_label(label) for label in sorted(labels) if label.lower() not in STAGE_OF]
    if not pieces:
        notes.append("totals and no stages")
    if (log.minutes_to_fall_asleep or 0) * 60_000 > log.duration:
        notes.append("a latency longer than itself; it counts as missing")
    return tuple(notes)


def unknown_label(label: str) -> str:
    """What the person hears about a label that is not in `STAGE_OF`."""
    return f"the unknown label {re.sub(r'[^ -~]', '?', label)[:40]!r}; that time is kept as unscored"
