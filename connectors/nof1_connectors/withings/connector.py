"""Recognise a Withings export in any of its forms, and read all that it holds."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.decoding import read_json, read_rows
from nof1.connect.heads import Head
from nof1.connect.ledger import Ledger, Session, counted
from nof1.connect.reading import Member
from nof1.connect.timeline import Piece
from nof1.errors import DataError
from nof1_connectors.withings.api import parse_segment, parse_summary, responses, session_of_states
from nof1_connectors.withings.table import COLUMNS, parse_row, states_of
from nof1_connectors.withings.tracks import BED, TRACKER, UNKNOWN, Track, lay_out

MAX_PIECES: Final = 1_500_000
"""The most changes of state that are read; ten years of nights, each told twice, are a third of it."""

_IN_SECONDS: Final = r',"?[^",\n]+ \(s\)"?'
_HEADER: Final = re.compile(rf"[^,\n]+,[^,\n]+({_IN_SECONDS}){{4}},[^,\n]+({_IN_SECONDS}){{2}}")
"""`from` and `to`, four stages, the awakenings, two latencies: in any language."""
_STATES: Final = re.compile(r"raw_(?P<kind>tracker|bed|sleep-monitor)_sleep-state[^/]*$", re.IGNORECASE)
_SUMMED: Final = re.compile(
    r'"((light|deep|rem)sleepduration|wakeupduration|total_sleep_time|sleep_latency|durationtosleep|sleep_score)"'
)
_NAMED: Final = re.compile(r"(^|/)raw_(tracker|bed)_sleep-state\.csv$", re.IGNORECASE)


def _holds_states(head: Head) -> bool:
    """Every raw table of Withings has these three columns: only the name says whether it is sleep or steps."""
    return head.has_columns("start", "duration", "value") and _STATES.search(head.member.name) is not None


def _holds_summaries(head: Head) -> bool:
    return head.has_keys("series", "startdate", "enddate", "data") and _SUMMED.search(head.text) is not None


class WithingsConnector:
    """The account export's night table with its raw states, and the API's ``getsummary`` and ``get``."""

    name: ClassVar[str] = "withings"
    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(
        title="Withings",
        staging=("stages", "totals"),
        latency=("in_bed", "vendor", "stages"),
        latency_note="a mat feels when you lie down; a watch guesses it",
        zone="some",
        naps=False,
    )
    forms: ClassVar[tuple[Form, ...]] = (
        Form(
            name="nights",
            evidence='nights with "Duration to sleep (s)"',
            kind="text",
            matches=lambda head: _HEADER.match(head.text) is not None,
        ),
        Form(
            name="states",
            evidence="raw states of sleep with start, duration and value",
            kind="text",
            matches=_holds_states,
            alone=False,
            named=_NAMED,
        ),
        Form(
            name="summaries",
            evidence="sleep summaries of the API with startdate and data",
            kind="json",
            matches=_holds_summaries,
        ),
        Form(
            name="segments",
            evidence="sleep states of the API with startdate and state",
            kind="json",
            matches=lambda head: head.has_keys("series", "startdate", "enddate", "state"),
        ),
    )

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Read nights and summaries, each with the states that add up to it.

        Raises
        ------
        nof1.errors.DataError
            A member that reads like Withings' sleep is damaged.
        """
        ledger = Ledger(self.name, options)
        left = _read_tables(found["nights"], found["states"], ledger)
        _read_responses((*found["summaries"], *found["segments"]), options, ledger)
        return ledger.imported(left)


type Bounds = list[tuple[int, int]]
"""Starts and ends of the accepted sessions, in seconds since 1970."""


def _read_tables(nights: Sequence[Member], states: Sequence[Member], ledger: Ledger) -> list[str]:
    """Read the account export; tell of states that no night speaks of."""
    tracks = _lay_out(_raw_states(states, ledger))
    bounds: Bounds = []

    def parse(cells: Mapping[str, str], *, whole: bool) -> Session:
        if not whole:
            raise ValueError("its row does not have the fields of the header")
        return _noted(parse_row(cells, tracks), bounds)

    for member in nights:
        for line, whole, cells in _nights(member):
            ledger.add(f"{member.name} line {line}", partial(parse, cells, whole=whole))
    left = sum(len(track.outside(bounds)) for track in tracks.values())
    return [f"{counted(left, 'block')} of states outside every night, left out."] if left else []


def _noted(session: Session, bounds: Bounds) -> Session:
    bounds.append((int(session.row["start"].timestamp()), int(session.row["end"].timestamp())))
    return session


def _nights(member: Member) -> Iterator[tuple[int, bool, dict[str, str]]]:
    """Give the rows of a night table: line, whether whole, and its cells by what they mean."""
    rows = read_rows(member, delimiter=",")
    _, header = next(rows, (0, []))
    later = {"night events": "events", "average heart rate": "heart_rate"}
    names = [*COLUMNS, *(later.get(name.strip().lower(), "") for name in header[len(COLUMNS) :])]
    for line, row in rows:
        cells = {name: cell.strip() for name, cell in zip(names, row, strict=False) if name and cell.strip()}
        yield line, len(row) == len(header), cells


def _raw_states(members: Iterable[Member], ledger: Ledger) -> Iterator[tuple[str, Piece]]:
    """Give the states of raw tables; chunks repeat, and a repeat is read once."""
    seen: set[tuple[str, ...]] = set()
    for member in members:
        told = _STATES.search(member.name)
        kind = TRACKER if told is None or told["kind"].lower() == "tracker" else BED
        rows = read_rows(member, delimiter=",")
        places = {name.strip().lower(): i for i, name in enumerate(next(rows, (0, []))[1])}
        columns = [places.get(name, 0) for name in ("start", "duration", "value")]
        for line, row in rows:
            cells = tuple(row[i] if i < len(row) else "" for i in columns)
            if (kind, *cells) in seen:
                continue
            seen.add((kind, *cells))
            try:
                pieces = states_of(*cells)
            except ValueError as error:
                ledger.reject(f"{member.name} line {line}", str(error))
                continue
            for piece in pieces:
                yield kind, piece


def _lay_out(states: Iterable[tuple[str, Piece]]) -> dict[str, Track]:
    pieces: dict[str, list[Piece]] = {BED: [], TRACKER: [], UNKNOWN: []}
    for count, (kind, piece) in enumerate(states):
        if count >= MAX_PIECES:
            raise DataError(
                f"The export holds more than {MAX_PIECES:,} changes of sleep state; no person sleeps so long."
            )
        pieces[kind].append(piece)
    return {kind: lay_out(found) for kind, found in pieces.items() if found}


def _read_responses(members: Iterable[Member], options: ReadOptions, ledger: Ledger) -> None:
    """Read the API's responses. States outside every summary become sessions of their own."""
    summaries: list[tuple[str, Any]] = []
    tracks = _lay_out(_segments(members, ledger, summaries))
    bounds: Bounds = []

    def parse(record: object) -> Session:
        return _noted(parse_summary(record, tracks, options), bounds)

    for where, record in summaries:
        ledger.add(where, partial(parse, record))
    for kind, track in tracks.items():
        for start_s, end_s in track.outside(bounds):
            states = partial(session_of_states, kind, track, start_s, end_s, options)
            ledger.add(f"states from {start_s} to {end_s}", states)


def _segments(
    members: Iterable[Member], ledger: Ledger, summaries: list[tuple[str, Any]]
) -> Iterator[tuple[str, Piece]]:
    """Give the states of all responses, and put their summaries aside."""
    for member in members:
        for body in responses(read_json(member)):
            series = body.get("series") if isinstance(body, dict) else None
            if not isinstance(series, list):
                ledger.reject(f"{member.name}: a response", "it holds no list of nights or states")
                continue
            for record in series:
                where = f"{member.name}: {_called(record)}"
                if not (isinstance(record, dict) and "state" in record):
                    summaries.append((where, record))
                    continue
                try:
                    yield parse_segment(record, body.get("model"))
                except ValueError as error:
                    ledger.reject(where, str(error))


def _called(record: object) -> str:
    """Name a record by what it says of itself, which does not depend on its place in the file."""
    start = record.get("startdate") if isinstance(record, dict) else None
    return f"record from {start}" if isinstance(start, int) else "a record"
