"""Google's tables of Fitbit sleep: pairs of `UserSleeps` (one row a session) and `UserSleepStages` (one row a stage).

Rows are unsorted; instants are UTC with an offset beside them; short wakes are cut into the stages already. Every night
stands here once for each version of the algorithm, and a version is a stream: versions are never blended.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

import polars as pl

from nof1.connect.clock import Moment, at_offset, with_offset
from nof1.connect.decoding import LINE, RAGGED, read_csv
from nof1.connect.ledger import Session, make_session
from nof1.connect.reading import Member
from nof1.connect.timeline import Piece
from nof1.errors import DataError
from nof1_connectors.fitbit.app_csv import seconds_of
from nof1_connectors.fitbit.google_health import instant_of, offset_min
from nof1_connectors.fitbit.parse import STAGE_OF, staging_of

MAX_OVERHANG_S: Final = 60
"""A stage may stick out of its session by rounding; by more than this it belongs to another version of the session."""
_SLEEP_COLUMNS: Final = ("sleep_id", "sleep_type", "start_utc_offset", "sleep_start", "end_utc_offset", "sleep_end")
_SLEEP_EXTRAS: Final = (
    "minutes_to_fall_asleep",
    "minutes_asleep",
    "minutes_awake",
    "data_source",
    "algorithm_version",
    "sleep_last_updated",
)
_STAGE_COLUMNS: Final = ("sleep_id", "sleep_stage_start", "sleep_stage_end", "sleep_stage_type")
_STAGE_EXTRAS: Final = ("algorithm_version",)
_KINDS_OF_SOURCE: Final = ("MANUAL", "DERIVED", "ACTIVELY_MEASURED", "PASSIVELY_MEASURED")
"""What Google's own description lists for `data_source`; newer exports name the device there instead."""
_SECOND: Final = timedelta(seconds=1)
_BROKEN: Final = "one of its stages is cut short, has no time, or ends before it starts"

type Row = Mapping[str, Any]
"""A row of `UserSleeps`: its cells by column, an empty one None, and those of columns that came later too."""


class StageRow(NamedTuple):
    """A row of `UserSleepStages` as it stands."""

    start: str | None
    end: str | None
    label: str | None
    version: str | None
    ragged: bool


def sleep_rows(member: Member) -> Iterator[tuple[str, Row]]:
    """Give the rows of one `UserSleeps` member, each with what it is called.

    Raises
    ------
    nof1.errors.DataError
        It is no CSV, or lacks a column.
    """
    for row in _picked(member, _SLEEP_COLUMNS, _SLEEP_EXTRAS).iter_rows(named=True):
        yield f"{member.name} line {row[LINE]}: sleep {row['sleep_id'] or 'without id'}", row


def stage_rows(members: Sequence[Member]) -> dict[str | None, dict[StageRow, str]]:
    """Give the stages of each `sleep_id`, each with the member that tells it; told by two members it is one.

    Raises
    ------
    nof1.errors.DataError
        A member is no CSV, or lacks a column.
    """
    found: dict[str | None, dict[StageRow, str]] = {}
    for member in members:
        for sleep_id, *stage in _picked(member, _STAGE_COLUMNS, _STAGE_EXTRAS).drop(LINE).iter_rows():
            found.setdefault(sleep_id, {}).setdefault(StageRow._make(stage), member.name)
    return found


def updated_at(row: Row) -> datetime | None:
    """Say when a session was last updated, as this row tells it; None where it does not."""
    return None if row[RAGGED] else instant_of(row["sleep_last_updated"])


def is_outdated(row: Row, standing: Mapping[str, datetime | None]) -> bool:
    """Say whether a later version of a session stands already: the stages are those of that one.

    Parameters
    ----------
    standing
        When the version that stands was updated, by `sleep_id`.
    """
    stands, updated = standing.get(row["sleep_id"] or ""), updated_at(row)
    return stands is not None and not row[RAGGED] and (updated is None or updated < stands)


def _picked(member: Member, needed: Sequence[str], extras: Sequence[str]) -> pl.DataFrame:
    table = read_csv(member)
    if missing := [name for name in needed if name not in table.columns]:
        raise DataError(f"{member.name} lacks the columns {', '.join(missing)}. Export it again, unedited.")
    absent = [pl.lit(None, pl.String).alias(name) for name in extras if name not in table.columns]
    return table.with_columns(absent).select(*needed, *extras, LINE, RAGGED)


def parse_sleep(row: Row, told: Collection[StageRow]) -> Session:
    """Turn one row and its stages into one session.

    Raises
    ------
    ValueError
        The row cannot be used; the message is the reason.
    """
    if row[RAGGED]:
        raise ValueError("its row does not have the fields of the header")
    if not row["sleep_id"]:
        raise ValueError("it has no sleep_id")
    start, end = (_moment(row[f"sleep_{bound}"], row[f"{bound}_utc_offset"]) for bound in ("start", "end"))
    stages = sorted({_piece(stage, start.instant) for stage in told})
    early_s = _early_s(stages, (end.instant - start.instant) // _SECOND)
    start = start.plus(-early_s)
    pieces = [Piece(at + early_s, seconds, label) for at, seconds, label in stages if seconds]
    version, source = row["algorithm_version"] or "", row["data_source"]
    return make_session(
        stream=f"fitbit/{version.replace('sleep_session_', 'sleep_stages_', 1) or 'sleep_stages'}",
        record_id=row["sleep_id"],
        start=start,
        end=end,
        pieces=pieces,
        stage_of=STAGE_OF,
        totals={"wake_s": seconds_of(row["minutes_awake"]), "asleep_s": seconds_of(row["minutes_asleep"])},
        staging=staging_of(row["sleep_type"], pieces),
        vendor_sol_s=seconds_of(row["minutes_to_fall_asleep"]) or None,  # 0 means unknown: 26 of 26 rows of 2026
        device=None if source in _KINDS_OF_SOURCE else source,
        algorithm=_algorithm(version, told),
        updated=instant_of(row["sleep_last_updated"]),
        flags=["manual"] if source == "MANUAL" else [],
        notes=[] if pieces else ["totals and no stages"],
    )


def _algorithm(version: str, told: Collection[StageRow]) -> str:
    of_stages = "+".join(sorted({stage.version for stage in told if stage.version}))
    return "; ".join(filter(None, (version, of_stages)))


def _piece(told: StageRow, start: datetime) -> Piece:
    try:
        first, last = _instant(told.start), _instant(told.end)
    except ValueError:
        raise ValueError(_BROKEN) from None
    if told.ragged or last < first:
        raise ValueError(_BROKEN)
    return Piece((first - start) // _SECOND, (last - first) // _SECOND, told.label or "")


@lru_cache(maxsize=1024)  # most stages start with the text that the one before ended with
def _instant(text: str | None) -> datetime:
    return with_offset(text).instant


def _moment(time: str | None, offset: str | None) -> Moment:
    minutes = offset_min(offset)
    if minutes is None:
        raise ValueError("its UTC offset is missing or not one")
    return at_offset(_instant(time), minutes)


def _early_s(stages: Sequence[Piece], lasts_s: int) -> int:
    """Give the seconds by which the stages, sorted, begin before their session.

    Raises
    ------
    ValueError
        They contradict each other or the session.
    """
    if any(later.start_s < earlier.end_s for earlier, later in pairwise(stages)):
        raise ValueError("its stages overlap: are two downloads mixed in one folder? Import each by itself")
    if not stages or lasts_s <= 0:
        return 0
    if stages[0].start_s < -MAX_OVERHANG_S or stages[-1].end_s > lasts_s + MAX_OVERHANG_S:
        raise ValueError("its stages reach outside it")
    return max(0, -stages[0].start_s)
