"""Tables of which nobody can tell whose they are.

Dates are moved back by whole weeks that nobody writes down, so that weekdays and distances stay; instants become times
of the person's own clock, without a zone; devices, algorithms, recordings, arms, questions and symptoms are numbered in
the order in which they come; the participant, what somebody typed, and what a maker calls a stage, is left out.
"""

import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import polars as pl
import polars.selectors as cs

from nof1.sleep.nights import NIGHT_FLAGS
from nof1.sleep.session import SESSION_FLAGS
from nof1.trial.diary import OWN_COLUMNS, SIDE_EFFECT

FARTHEST_WEEKS: Final = 500
"""Dates are moved back by one to so many weeks, almost ten years."""

KNOWN_FLAGS: Final = (*NIGHT_FLAGS, *SESSION_FLAGS)

LEFT_OUT: Final = ("participant", "zone", "zone_source", "updated", "label", "note")

NUMBERED: Final[Mapping[str, str]] = MappingProxyType(
    {"stream": "stream", "device": "device", "algorithm": "algorithm", "record_id": "recording", "arm": "arm"}
)
"""Columns whose values are replaced, and what they are called then; the same value is the same in every table."""


def deidentified(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Take everything out of the tables of `nof1.study.exports` that tells whose they are."""
    weeks = 1 + secrets.randbelow(FARTHEST_WEEKS)
    names = {column: _numbers(tables, column, word) for column, word in NUMBERED.items()}
    return {name: _told_by_nobody(_nameless(table), names, weeks) for name, table in tables.items()}


def _numbers(tables: Mapping[str, pl.DataFrame], column: str, word: str) -> dict[str, str]:
    values = [table[column].drop_nulls().cast(pl.String) for table in tables.values() if column in table.columns]
    seen = pl.concat(values).unique(maintain_order=True).to_list() if values else []
    return {value: f"{word} {number}" for number, value in enumerate(seen, start=1)}


def _nameless(table: pl.DataFrame) -> pl.DataFrame:
    """Number the columns of a diary that somebody named, and drop those whose answers are somebody's words."""
    if "dose_taken" not in table.columns:
        return table
    symptoms = [name for name in table.columns if name.startswith(SIDE_EFFECT)]
    asked = [name for name in table.columns if name not in OWN_COLUMNS and name not in symptoms]
    words = [name for name in asked if table.schema[name] == pl.String]
    numbered = {name: f"answer {number}" for number, name in enumerate(asked, start=1) if name not in words}
    numbered |= {name: f"{SIDE_EFFECT}{number}" for number, name in enumerate(symptoms, start=1)}
    return table.drop(words).rename(numbered)


def _told_by_nobody(table: pl.DataFrame, names: Mapping[str, Mapping[str, str]], weeks: int) -> pl.DataFrame:
    known = [name for name in NUMBERED if name in table.columns]
    replaced = [pl.col(name).cast(pl.String).replace_strict(names[name], default=None) for name in known]
    flags = [pl.col("flags").list.set_intersection(pl.lit(list(KNOWN_FLAGS)))] if "flags" in table.columns else []
    back = pl.duration(weeks=weeks)
    kept = _on_own_clock(table).with_columns(*replaced, *flags)
    moved = kept.with_columns((cs.date() - back).cast(pl.Date), cs.datetime() - back)
    return moved.drop(LEFT_OUT, strict=False)


def _on_own_clock(table: pl.DataFrame) -> pl.DataFrame:
    """Turn instants into times of the person's clock; a whole row by one offset, so that distances stay."""
    instants = [name for name, dtype in table.schema.items() if isinstance(dtype, pl.Datetime)]
    utc = [name for name in instants if table.schema[name] == pl.Datetime("us", "UTC")]
    offset = _offset(table) if "offset_start" in table.columns else pl.duration(minutes=0)
    local = [pl.col(name).dt.replace_time_zone(None) + offset for name in utc]
    own = [pl.col(name).dt.replace_time_zone(None) for name in instants if name not in utc]
    return table.with_columns(*local, *own).drop("offset_start", "offset_end", strict=False)


def _offset(table: pl.DataFrame) -> pl.Expr:
    """Local time − UTC at the start of each row: as the export says, else by the zone, else none."""
    start = pl.col("start")
    needed = table.filter(pl.col("offset_start").is_null())["zone"].drop_nulls().unique(maintain_order=True)
    by_zone = [
        pl.when(zone=name).then(
            start.dt.convert_time_zone(name).dt.replace_time_zone(None) - start.dt.replace_time_zone(None)
        )
        for name in needed
    ]
    return pl.coalesce(pl.duration(minutes="offset_start"), *by_zone, pl.duration(minutes=0))
