"""Zepp, Zepp Life and Mi Fit: a table with one row a day, of sums and no stages. Times are UTC."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec
import polars as pl

from nof1.connect.clock import unzoned, utc_time
from nof1.connect.connector import ReadOptions
from nof1.connect.decoding import LINE, RAGGED
from nof1.connect.ledger import Session, identity, make_session
from nof1.errors import DataError
from nof1.sleep.session import STARTS_AT_ONSET

STREAM: Final = "xiaomi/zepp"
NEEDED: Final = ("date", "deepsleeptime", "shallowsleeptime", "start", "stop")
MINUTES: Final = ("deepsleeptime", "shallowsleeptime", "remtime", "waketime")
OPTIONAL: Final = ("remtime", "waketime", "naps")
"""Columns that older exports do not have."""

_WHOLE: Final = re.compile(r"\d{1,4}(\.0*)?")


class Nap(msgspec.Struct, frozen=True):
    """One nap of a day; exports differ in how they call its end."""

    start: str
    end: str | None = None
    stop: str | None = None


def sleeps_table(table: pl.DataFrame, where: str) -> pl.DataFrame:
    """Give the table with columns in lower case, `#line`, and `no_sleep`: a day on which nothing was recorded.

    Raises
    ------
    DataError
        A column is missing.
    """
    named = table.rename(str.lower)
    missing = [name for name in NEEDED if name not in named.columns]
    if missing:
        raise DataError(f"{where} lacks the columns {', '.join(missing)}. Download the export again.")
    added = [pl.lit(None, pl.String).alias(name) for name in OPTIONAL if name not in named.columns]
    slept = pl.sum_horizontal(
        pl.col(name).cast(pl.Float64, strict=False) for name in MINUTES if name in named.columns and name != "waketime"
    )
    return named.with_columns(*added, pl.col("date").fill_null("without date")).with_columns(
        no_sleep=~pl.col(RAGGED) & (slept == 0)
    )


def parse_night(row: Mapping[str, Any], options: ReadOptions) -> Session:
    """Turn one row into one session.

    Raises
    ------
    ValueError
        The row cannot be used; the message is the reason.
    """
    if row[RAGGED]:
        raise ValueError("its row does not have the fields of the header")
    light, deep, rem, wake = (
        _seconds(row[name]) for name in ("shallowsleeptime", "deepsleeptime", "remtime", "waketime")
    )
    return make_session(
        stream=STREAM,
        record_id=identity("night", row["date"]),
        start=unzoned(utc_time(row["start"]), options),
        end=unzoned(utc_time(row["stop"]), options),
        totals={
            "light_s": light,
            "deep_s": deep,
            "rem_s": rem or None,  # bands that cannot tell REM sleep write 0
            "wake_s": wake,
            "asleep_s": (light or 0) + (deep or 0) + (rem or 0),
        },
        kind="main",
        flags=[STARTS_AT_ONSET],
    )


def naps_of(told: str | None) -> list[Nap]:
    """Read the cell of a day's naps.

    Raises
    ------
    ValueError
        It is neither empty nor a list of naps as nof1 knows them.
    """
    try:
        return msgspec.json.decode(told, type=list[Nap]) if told and told.strip() else []
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"it is not a list of naps as nof1 knows it: {error}") from error


def parse_nap(nap: Nap, options: ReadOptions) -> Session:
    """Turn one nap into one session: all of it counts as sleep, nothing else is known of it.

    Raises
    ------
    ValueError
        Its times cannot be used; the message is the reason.
    """
    start, end = utc_time(nap.start), utc_time(nap.end or nap.stop)
    return make_session(
        stream=STREAM,
        record_id=identity("nap", start),
        start=unzoned(start, options),
        end=unzoned(end, options),
        totals={"asleep_s": (end - start) / timedelta(seconds=1)},
        kind="nap",
        flags=[STARTS_AT_ONSET],
    )


def called(row: Mapping[str, Any]) -> str:
    """Say where a row stands."""
    return f"line {row[LINE]}: night {row['date']}"


def _seconds(minutes: str | None) -> int | None:
    if minutes is None:
        return None
    if not _WHOLE.fullmatch(minutes.strip()):
        raise ValueError(f"{minutes[:40]!r} is not a number of minutes")
    return 60 * int(float(minutes))
