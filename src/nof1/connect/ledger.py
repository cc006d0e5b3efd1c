"""Records in, sessions out, and every record accounted for: what connectors write their findings into."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl

from nof1.connect.clock import Moment
from nof1.connect.connector import Imported, ReadOptions, Rejected
from nof1.connect.timeline import Piece, stage_of_label, unknown_label
from nof1.sleep.session import INCOMPLETE, KEY, SCHEMA, SESSION_FLAGS, Sessions
from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, WAKE
from nof1.sleep.versions import keep_best

MAX_SESSION_S: Final = 48 * 3600
"""A recording that lasts longer than two days is a mistake."""
MAX_OVERRUN_S: Final = 300
"""Vendors floor a recording's length, so that stages run over it by a minute; by more than this they are wrong."""
MIN_COVERED: Final = 0.95
"""A session of which less than this was scored, by its stages or by the vendor's sums, is flagged `incomplete`."""

_BATCH: Final = 500
"""Rows become a table so many at a time: as Python values ten years of nights are ten times as large."""
_STAGED: Final = frozenset({LIGHT, DEEP, REM})


@dataclass(frozen=True, slots=True)
class Session:
    """A row of the sessions table without its participant and source, and what the person should hear about it."""

    row: dict[str, Any]
    notes: tuple[str, ...] = ()


def make_session(
    *,
    stream: str,
    record_id: str,
    start: Moment,
    end: Moment,
    pieces: Sequence[Piece] = (),
    stage_of: Mapping[str, str] | None = None,
    totals: Mapping[str, float | None] | None = None,
    staging: str | None = None,
    kind: str = "unknown",
    in_bed: datetime | None = None,
    in_bed_source: str = "none",
    vendor_sol_s: float | None = None,
    device: str | None = None,
    algorithm: str | None = None,
    updated: datetime | None = None,
    flags: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> Session:
    """Make one session of what a record says, checked.

    Parameters
    ----------
    stream, record_id
        Source, device and algorithm, such as ``oura/v2``; the vendor's stable id, or one made by `identity`.
    start, end, pieces
        The pieces are sorted, in seconds after `start`, without overlap; empty where only sums are known. They may run
        over the end by up to `MAX_OVERRUN_S`, and then the end follows.
    stage_of
        The stage of each label, labels in lower case.
    totals
        The vendor's own sums in seconds: `wake_s`, `light_s`, `deep_s`, `rem_s`, and `asleep_s` for all sleep.
    staging, kind
        `staging` only where the pieces do not show it; `kind` is the vendor's own word: `main`, `nap` or `unknown`.
    in_bed, in_bed_source
        The vendor's mark of going to bed, and whether the person made it (`tap`) or the device saw it (`in_bed`).
    vendor_sol_s
        The vendor's latency in seconds; None where it is missing or where its 0 means missing.

    Raises
    ------
    ValueError
        The record cannot be used; the message is the reason, written to follow the record's name.
    """
    lasts_s = _length_s(start, end, pieces)
    stages = {label: stage_of_label(label, stage_of or {}) for label in {piece.label for piece in pieces}}
    unknown = sorted(label for label in stages if label.lower() not in (stage_of or {}))
    sol_s, sol_notes = _latency(vendor_sol_s, lasts_s)
    row: dict[str, Any] = {"stream": stream, "record_id": record_id, "kind": kind, "updated": updated}
    row |= {"device": device or None, "algorithm": algorithm or None, "vendor_sol_s": sol_s}
    row |= {"in_bed": in_bed, "in_bed_source": in_bed_source if in_bed else "none"}
    row |= _bounds(start, end, lasts_s) | _slept(pieces, stages, totals or {}, lasts_s)
    row |= {"staging": staging or _staging(stages)}
    row |= {"flags": _checked_flags({*flags, *_incomplete(pieces, totals or {}, lasts_s)})}
    return Session(row, (*notes, *sol_notes, *(unknown_label(label) for label in unknown)))


def identity(*parts: object) -> str:
    """Make a record id of what stays the same in every export of a record."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:16]


class Ledger:
    """Takes down what becomes of every record; in the end read = accepted + merged + rejected.

    Each of the four is counted by itself: records as they come in, sessions as they come out. A row that is lost in
    between is a sum that does not come out even.

    Parameters
    ----------
    source
        The connector's name.
    """

    def __init__(self, source: str, options: ReadOptions) -> None:
        self._fixed = {"participant": options.participant, "source": source}
        self._rows: list[dict[str, Any]] = []
        self._tables: list[pl.DataFrame] = []
        self._versions: Counter[tuple[str, str]] = Counter()
        self._rejected: list[Rejected] = []
        self._read = 0
        self._merged = 0
        self._notes: dict[str, list[str]] = {}

    def add(self, record: str, parse: Callable[[], Session]) -> bool:
        """Accept the session that `parse` makes of a record, or reject the record with the reason of its ValueError.

        An OverflowError is a reason too: some number of the record fits into no time.

        Parameters
        ----------
        record
            How to find it again: the member, and an id or a line.

        Returns
        -------
        bool
            Whether it was accepted.
        """
        try:
            session = parse()
        except ValueError as error:
            self.reject(record, str(error))
            return False
        except OverflowError:
            self.reject(record, "it holds a number that is out of all bounds")
            return False
        self._read += 1
        self._versions[session.row["stream"], session.row["record_id"]] += 1
        self._rows.append(self._fixed | session.row)
        if len(self._rows) == _BATCH:
            self._flush()
        for note in session.notes:
            self.note(note, record)
        return True

    def reject(self, record: str, reason: str) -> None:
        """Take down a record that cannot be used."""
        self._read += 1
        self._rejected.append(Rejected(record, reason))

    def merge(self, count: int = 1) -> None:
        """Take down records that say again what an accepted record says."""
        self._read += count
        self._merged += count

    def note(self, note: str, record: str) -> None:
        """Take down what the person should hear about a record; equal notes are told once, with their number."""
        self._notes.setdefault(note, []).append(record)

    def imported(self, warnings: Iterable[str] = ()) -> Imported:
        """Close the account. Of several versions of one session one stands, by the rule of `nof1.sleep.versions`.

        Raises
        ------
        AssertionError
            What comes out is not what went in: a mistake in nof1, never in the export.
        """
        self._flush()
        versions = _with_words(pl.concat([pl.DataFrame(schema=SCHEMA), *self._tables]))
        sessions = keep_best(versions, last_resort=["_told"])
        self._check_against(versions)
        differing = versions.group_by(KEY).agg(pl.col("_told").n_unique()).filter(pl.col("_told") > 1)
        return Imported(
            sessions=Sessions.validate(sessions.drop("_told").sort("start", "stream", "record_id")),
            read=self._read,
            merged=self._merged + self._versions.total() - len(self._versions),
            rejected=tuple(sorted(self._rejected, key=lambda one: (one.record, one.reason))),
            warnings=(*warnings, *self._told(differing["record_id"].to_list())),
        )

    def _check_against(self, rows: pl.DataFrame) -> None:
        """Compare the versions of each session, as they were taken down, with the rows that they became."""
        became = Counter({(stream, record_id): n for stream, record_id, n in rows.group_by(KEY[1:]).len().iter_rows()})
        if became != self._versions:
            strays = (self._versions - became) + (became - self._versions)
            count = f"{counted(self._versions.total(), 'accepted record')} became {counted(rows.height, 'row')}"
            raise AssertionError(f"the ledger does not add up: {count}; first, session {min(strays)}")

    def _flush(self) -> None:
        self._tables.append(pl.DataFrame(self._rows, schema=SCHEMA))
        self._rows.clear()

    def _told(self, differing: list[str]) -> Iterator[str]:
        if differing:
            yield f"{counted(len(differing), 'session')} in versions that differ; one stands (first: {min(differing)})."
        for note, records in sorted(self._notes.items()):
            yield f"{counted(len(records), 'session')} with {note} (first: {min(records)})."


def counted(count: int, what: str) -> str:
    """Say a number of things."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _with_words(versions: pl.DataFrame) -> pl.DataFrame:
    """Put every row that has rivals into words, in `_told`: the last resort between versions of one session."""
    rivals = versions.select(KEY).is_duplicated()
    words = (repr(row) for row in versions.filter(rivals).iter_rows())
    told = [next(words) if rival else "" for rival in rivals]
    return versions.with_columns(_told=pl.Series(told, dtype=pl.String))


def _length_s(start: Moment, end: Moment, pieces: Sequence[Piece]) -> int:
    """Seconds from start to end, the pieces included.

    Raises
    ------
    ValueError
        It has no length or too much of it, or the pieces do not fit.
    """
    stated_s = int((end.instant - start.instant).total_seconds())
    if stated_s <= 0:
        raise ValueError("it ends before it starts, or lasts no time")
    if stated_s > MAX_SESSION_S:
        raise ValueError("it lasts longer than two days")
    at = 0
    for piece in pieces:
        if piece.seconds <= 0 or piece.start_s < at:
            raise ValueError(f"its stages overlap, or begin before it does, {piece.start_s:,} s after its start")
        at = piece.end_s
    if at > stated_s + MAX_OVERRUN_S:
        raise ValueError(f"its stages last {at:,} s, and it lasts {stated_s:,} s")
    return max(stated_s, at)


def _bounds(start: Moment, end: Moment, lasts_s: int) -> dict[str, Any]:
    return {
        "start": start.instant,
        "end": start.plus(lasts_s).instant,
        "offset_start": start.offset_min,
        "offset_end": end.offset_min,
        "zone": start.zone,
        "zone_source": start.zone_source,
    }


def _slept(
    pieces: Sequence[Piece], stages: Mapping[str, str], totals: Mapping[str, float | None], lasts_s: int
) -> dict[str, Any]:
    """What is known of sleep.

    Raises
    ------
    ValueError
        Nothing is known, or the sums do not fit.
    """
    if not pieces and all(value is None for value in totals.values()):
        raise ValueError("it holds neither stages nor totals")
    hypnogram = [{"start_s": s, "seconds": n, "stage": stages[label], "label": label} for s, n, label in pieces]
    return {"hypnogram": hypnogram or None, "totals": _totals(totals, lasts_s) if totals else None}


def _incomplete(pieces: Sequence[Piece], totals: Mapping[str, float | None], lasts_s: int) -> tuple[str, ...]:
    scored_s = sum(piece.seconds for piece in pieces) if pieces else _scored_s(totals)
    return (INCOMPLETE,) if scored_s is not None and scored_s < MIN_COVERED * lasts_s else ()


def _latency(seconds: float | None, lasts_s: int) -> tuple[float | None, tuple[str, ...]]:
    if seconds is None or 0 <= seconds <= lasts_s:
        return (None if seconds is None else float(seconds)), ()
    return None, ("a latency that is negative or longer than itself; it counts as missing",)


def _scored_s(totals: Mapping[str, float | None]) -> float | None:
    """Seconds that a vendor's sums account for; None where they do not tell both sleep and wake."""
    asleep, wake = totals.get("asleep_s"), totals.get("wake_s")
    return None if asleep is None or wake is None else asleep + wake


def _checked_flags(flags: set[str]) -> list[str]:
    if strange := flags - SESSION_FLAGS.keys():
        raise AssertionError(f"there is no flag {min(strange)!r}; there are {', '.join(SESSION_FLAGS)}")
    return sorted(flags)


def _staging(stages: Mapping[str, str]) -> str:
    if not stages:
        return "totals"
    return "stages" if _STAGED.intersection(stages.values()) else "sleep_wake"


def _totals(told: Mapping[str, float | None], lasts_s: int) -> dict[str, int | None]:
    totals: dict[str, int | None] = dict.fromkeys(f"{stage}_s" for stage in (WAKE, LIGHT, DEEP, REM, ASLEEP))
    for name, seconds in told.items():
        if name not in totals:
            raise AssertionError(f"there is no total {name!r}; there are {', '.join(totals)}")
        if seconds is not None and not 0 <= seconds <= lasts_s + MAX_OVERRUN_S:
            raise ValueError(f"its {name.removesuffix('_s')} time of {seconds:,.0f} s does not fit into {lasts_s:,} s")
        totals[name] = None if seconds is None else round(seconds)
    return totals
