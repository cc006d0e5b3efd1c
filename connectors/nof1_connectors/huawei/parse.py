"""Huawei's sleep points put together: a point is a stretch of one stage, often of one minute.

Watch, phone and cloud each tell the same points, so that they come two or three times. Points of one kind that follow
each other closely are one session.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from nof1.connect.clock import Moment, at_offset, checked_offset, from_epoch, unzoned
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.connect.timeline import Piece, clip, flatten, join
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, WAKE

TRUSLEEP: Final = "huawei/trusleep"
BASIC: Final = "huawei/basic"
"""Older bands tell sleep from movement alone: another algorithm, and another stream."""

_KEYS: Final = {
    "professional_sleep_deep": ("22103", DEEP),
    "professional_sleep_dream": ("22102", REM),
    "professional_sleep_shallow": ("22101", LIGHT),
    "professional_sleep_wake": ("22104", WAKE),
    "professional_sleep_noon": ("22105", ASLEEP),
    "sleep_deep": ("22001", DEEP),
    "sleep_light": ("22002", LIGHT),
    "sleep_awake": ("22003", WAKE),
}
STAGE_OF: Final = {name: stage for word, (number, stage) in _KEYS.items() for name in (word, number)}
"""The stage of each key in lower case, by word and by number."""
RANK: Final = {name: i for i, (word, (number, _)) in enumerate(_KEYS.items()) for name in (word, number)}
"""Where one version of the points contradicts itself, the more specific stage stands, and wake gives way."""
IN_BED: Final = frozenset({"professional_sleep_bed", "22106"})
"""Marks of lying in bed: no stage."""
NAP: Final = frozenset({"professional_sleep_noon", "22105"})
NUMBERS: Final = range(22_000, 22_200)
"""Huawei's numbers for sleep."""
APART: Final = timedelta(minutes=30)
"""Points further apart than this belong to two sessions."""
AWAKE_IN_BED: Final = timedelta(hours=4)
"""A mark of lying down belongs to the sleep that follows within this time: who sleeps badly must not lose it."""

_SLEEP: Final = re.compile(r"(professional_)?sleep_\w{1,40}|22(00|10)\d", re.IGNORECASE)
_BASIC: Final = re.compile(r"sleep_\w+|2200\d", re.IGNORECASE)
_OFFSET: Final = re.compile(r'"?([+-])(\d\d):?(\d\d)"?')


class Point(NamedTuple):
    """A stretch of one key; equal points are one.

    `version` is of the record that it stands in: the later one is right. `offset_min` is None where none was told.
    """

    start: datetime
    end: datetime
    key: str
    version: int
    offset_min: int | None


def is_sleep(key: object) -> bool:
    """Say whether a point with this key, a word or a number, is about sleep."""
    word = str(key) if isinstance(key, int) and key in NUMBERS else key
    return isinstance(word, str) and _SLEEP.fullmatch(word) is not None


def parse_point(point: Mapping[str, Any], record: Mapping[str, Any]) -> Point:
    """Read one point and what its record says for it.

    Raises
    ------
    ValueError
        The point cannot be used; the message is the reason.
    """
    if record.get("subUser") is not None:
        raise ValueError("it belongs to another person who uses the account (subUser)")
    start = from_epoch(point.get("startTime"), per_second=1000).replace(microsecond=0)
    end = from_epoch(point.get("endTime"), per_second=1000).replace(microsecond=0)
    key, version = str(point["key"]), record.get("version")
    if end < start or (end == start and key.lower() not in IN_BED):
        raise ValueError("it ends before it starts, or lasts no time")
    return Point(start, end, key, version if isinstance(version, int) else 0, _offset_min(record.get("timeZone")))


def sessions_of(points: Iterable[Point]) -> Iterator[dict[Point, int]]:
    """Divide points into sessions: night sleep, naps and basic sleep apart, each where nothing is told for a while.

    Returns
    -------
    Iterator
        The points of each session, in order, with how often each was told.
    """
    counts = Counter(points)
    kinds: dict[str, list[Point]] = {}
    for point in sorted(counts, key=lambda one: (one.start, one.end, one.key, one.version, one.offset_min or 0)):
        kinds.setdefault(_kind(point.key), []).append(point)
    for kind in sorted(kinds):
        session, until, asleep = dict[Point, int](), kinds[kind][0].end, False
        for point in kinds[kind]:
            if point.start - until > (APART if asleep else AWAKE_IN_BED):
                yield session
                session, until, asleep = {}, point.end, False
            session[point] = counts[point]
            until, asleep = max(until, point.end), asleep or point.key.lower() not in IN_BED
        yield session


def parse_session(points: tuple[Point, ...], options: ReadOptions) -> Session:
    """Make one session of its points.

    Raises
    ------
    ValueError
        They tell of no sleep, or of too much.
    """
    staged = [point for point in points if point.key.lower() in STAGE_OF]
    if not staged:
        raise ValueError("its points tell of no stage: " + ", ".join(sorted({point.key for point in points})[:4]))
    first, last = min(staged, key=lambda one: one.start), max(staged, key=lambda one: one.end)
    pieces, contradictory = hypnogram_of(points, first.start, last.end)
    beds = [point.start for point in points if point.key.lower() in IN_BED]
    stream = BASIC if _BASIC.fullmatch(first.key) else TRUSLEEP
    nap = first.key.lower() in NAP
    return make_session(
        stream=stream,
        record_id=identity(stream, first.start, last.end, nap),
        start=_moment(first.start, first.offset_min, options),
        end=_moment(last.end, last.offset_min, options),
        pieces=pieces,
        stage_of=STAGE_OF,
        kind="nap" if nap else "unknown",
        in_bed=min(beds, default=None),
        in_bed_source="in_bed",
        flags=[STARTS_AT_ONSET],
        notes=["points that contradict each other; the later version stands"] if contradictory else [],
    )


def hypnogram_of(points: Iterable[Point], start: datetime, end: datetime) -> tuple[list[Piece], bool]:
    """Lay the points over each other, the later version on top; say whether they contradict each other.

    Raises
    ------
    ValueError
        They last longer than two days.
    """
    lasts_s = int((end - start).total_seconds())
    if lasts_s > MAX_SESSION_S:
        raise ValueError("it lasts longer than two days")
    stages = [point for point in points if point.key.lower() not in IN_BED]
    layers = sorted({(-point.version, RANK.get(point.key.lower(), len(RANK)), point.key) for point in stages})
    rank = {layer: i for i, layer in enumerate(layers)}
    pieces: dict[str, list[Piece]] = {}
    for point in stages:
        layer = rank[-point.version, RANK.get(point.key.lower(), len(RANK)), point.key]
        at = int((point.start - start).total_seconds())
        piece = Piece(at, int((point.end - point.start).total_seconds()), str(layer))
        pieces.setdefault(point.key, []).append(piece)
    painted = flatten([piece for told in pieces.values() for piece in told], {str(i): i for i in rank.values()})
    hypnogram = join(Piece(at, seconds, layers[int(layer)][2]) for at, seconds, layer in painted)
    told_s = sum(piece.seconds for told in pieces.values() for piece in flatten(told, {}))
    return clip(hypnogram, lasts_s), told_s > sum(piece.seconds for piece in hypnogram)


def _kind(key: str) -> str:
    if _BASIC.fullmatch(key):
        return "basic"
    return "nap" if key.lower() in NAP else "night"


def _offset_min(told: object) -> int | None:
    parts = _OFFSET.fullmatch(told.strip()) if isinstance(told, str) else None
    if parts is None:
        return None
    minutes = 60 * int(parts[2]) + int(parts[3])
    return checked_offset(-minutes if parts[1] == "-" else minutes)


def _moment(instant: datetime, offset_min: int | None, options: ReadOptions) -> Moment:
    return unzoned(instant, options) if offset_min is None else at_offset(instant, offset_min)
