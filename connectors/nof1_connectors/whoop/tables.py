"""The app's export: tables of sleeps and of cycles, in the language of the account."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import polars as pl

from nof1.connect.clock import Moment, local_time, wall_clock
from nof1.connect.connector import ReadOptions
from nof1.connect.decoding import LINE, RAGGED
from nof1.connect.heads import Head
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1_connectors.whoop.parse import Durations, kind_of, local_at

STREAM: Final = "whoop/export"
COLUMNS: Final = {
    "zone": ("cycle timezone", "zona horaria del ciclo"),
    "start": ("sleep onset", "inicio del sueño"),
    "end": ("wake onset", "inicio de la vigilia"),
    "asleep": ("asleep duration (min)", "duración del sueño (min)"),
    "light": ("light sleep duration (min)", "duración de sueño ligero (min)"),
    "deep": ("deep (sws) duration (min)", "duración de sueño profundo (sws) (min)"),
    "rem": ("rem duration (min)", "duración de sueño rem (min)"),
    "awake": ("awake duration (min)", "tempo despierto/a (min)"),  # so spelled by WHOOP
    "nap": ("nap", "siesta"),
    "recovery": ("recovery score %", "puntuación de recuperación (%)"),
}
"""The columns looked for, in lower case: English, Spanish. `nap` marks a table of sleeps, `recovery` one of cycles."""

_ALWAYS: Final = ("zone", "start", "end", "asleep", "deep")
_NAP: Final = {"true": True, "false": False}


def is_table_with(head: Head, own: str) -> bool:
    """Say whether a member begins like a table of sleep that has this column of its own, in one language."""
    return any(
        head.has_columns(*(COLUMNS[name][language] for name in (*_ALWAYS, own)))
        for language in range(len(COLUMNS["zone"]))
    )


def named_columns(table: pl.DataFrame) -> pl.DataFrame:
    """Give the columns that are looked for nof1's names, and leave the others out.

    A column that is not there is null; cycles have no `nap`, because a cycle tells its main sleep alone.
    """
    there = {column.lower(): column for column in reversed(table.columns)}
    absent = {name: pl.lit("false" if name == "nap" else None, pl.String) for name in COLUMNS}
    found = {
        name: next((pl.col(there[one]) for one in told if one in there), absent[name]) for name, told in COLUMNS.items()
    }
    return table.select(LINE, RAGGED, **found)


def parse_row(row: Mapping[str, Any], options: ReadOptions) -> Session:
    """Turn one row into one session.

    Parameters
    ----------
    row
        The columns of `named_columns`.

    Raises
    ------
    ValueError
        The row cannot be used; the message is the reason.
    """
    if row[RAGGED]:
        raise ValueError("its row does not have the fields of the header")
    if row["start"] is None or row["end"] is None:
        raise ValueError("it holds no sleep")
    clock = [local_time(row[edge]) for edge in ("start", "end")]
    (start, notes), (end, _) = (_moment(local, row["zone"], options) for local in clock)
    bounds = (start.instant, end.instant) if row["zone"] else clock  # the stated zone may be another next time
    totals = Durations(*(_seconds(row, name) for name in ("light", "deep", "rem", "awake", "asleep"))).totals()
    return make_session(
        stream=STREAM,
        record_id=identity(*bounds),
        start=start,
        end=end,
        totals=totals,
        kind=kind_of(_NAP.get((row["nap"] or "").strip().lower())),
        notes=notes,
    )


def _moment(local: datetime, zone: str | None, options: ReadOptions) -> tuple[Moment, tuple[str, ...]]:
    """Place a time of a cycle; a cycle has one offset, in which both ends of the sleep are written."""
    return wall_clock(local, options) if zone is None else (local_at(local, zone), ())


def _seconds(row: Mapping[str, Any], name: str) -> float | None:
    text = row[name]
    if text is None:
        return None
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1
    if not 0 <= minutes <= MAX_SESSION_S / 60:  # a NaN is not
        raise ValueError(f"its {name} duration {text[:20]!r} is not a number of minutes")
    return 60 * minutes
