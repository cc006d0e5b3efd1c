"""The CSV that Fitbit's app and website gave out: sums of each night, and wall-clock times in the account's own style.

A date such as 03-04-2025 has two readings. Neither is guessed: a file's own nights, each of which must end within two
days of its start, rule one of them out, or the nights are refused.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from nof1.connect.clock import YEARS, wall_clock
from nof1.connect.connector import ReadOptions
from nof1.connect.decoding import read_rows
from nof1.connect.heads import Head
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.connect.reading import Member

STREAM: Final = "fitbit/app"
NEEDED: Final = ("start time", "end time", "minutes asleep", "minutes awake")
TOTALS: Final = {
    "asleep_s": "minutes asleep",
    "wake_s": "minutes awake",
    "light_s": "minutes light sleep",
    "deep_s": "minutes deep sleep",
    "rem_s": "minutes rem sleep",
}
ORDERS: Final = ("day-month-year", "month-day-year")
"""How a date may be written that does not begin with the year."""

_BEFORE: Final = re.compile(
    r'"?(Body"?\s+"?Date"?,"?Weight|Foods"?\s+"?Date"?,"?Calories In|Activities"?\s+"?Date"?,"?Calories Burned)',
    re.IGNORECASE,
)
_HEADER: Final = re.compile(
    r'^"?Start Time"?,"?End Time"?,"?Minutes Asleep"?,"?Minutes Awake\b', re.IGNORECASE | re.MULTILINE
)
_TIME: Final = re.compile(
    r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4}),?\s+(\d{1,2}):(\d\d)(?::\d\d)?\s*(?:([ap])\.?m\.?)?", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"\d{1,3}(?:,\d{3})?|\d{1,6}")


class Row(NamedTuple):
    """One row of the section Sleep: its line, its fields by the header's names in lower case, and whether they fit."""

    line: int
    fields: Mapping[str, str]
    whole: bool


def holds_app_csv(head: Head) -> bool:
    """Say whether it begins like the app's CSV: with the section Sleep, or with one that stands before it."""
    header = "minutes asleep" in head.text.lower() and _HEADER.search(head.text)
    return bool(header or _BEFORE.match(head.text))


_TITLE: Final = re.compile(r"[A-Za-z].*")
"""The line that begins a section: it begins with a letter, and a night with a digit."""


def sleep_section(member: Member) -> Iterator[Row]:
    """Read the rows of the section Sleep, wherever in the file it stands. A section ends where the next title stands.

    Raises
    ------
    nof1.errors.DataError
        The file is not CSV.
    """
    header: list[str] | None = None
    for line, fields in read_rows(member, delimiter=","):
        names = [field.strip().lower() for field in fields]
        if set(NEEDED) <= set(names):
            header = names
        elif len(fields) == 1 and _TITLE.fullmatch(fields[0].strip()):
            header = None
        elif header is not None:
            yield Row(line, dict(zip(header, fields, strict=False)), len(fields) == len(header))


def order_of_dates(rows: Sequence[Row]) -> str | None:
    """Find which of `ORDERS` the dates of a file are written in; None where its nights rule out neither, or both."""
    possible = [[order for order in ORDERS if _is_possible(row, order)] for row in rows]
    shown = {orders[0] for orders in possible if len(orders) == 1}
    return shown.pop() if len(shown) == 1 else None


def parse_row(row: Row, order: str | None, options: ReadOptions) -> Session:
    """Turn one row into one session.

    Parameters
    ----------
    order
        What `order_of_dates` found.

    Raises
    ------
    ValueError
        The row cannot be used; the message is the reason.
    """
    if not row.whole:
        raise ValueError("its row does not have the fields of the header")
    first, last = (_local(row.fields[name], order) for name in NEEDED[:2])
    if not timedelta(0) < last - first <= timedelta(seconds=MAX_SESSION_S):
        raise ValueError("it ends before it starts, or lasts longer than two days")
    totals = {name: seconds_of(row.fields.get(column)) for name, column in TOTALS.items()}
    start, notes = wall_clock(first, options)
    end, either = wall_clock(last, options)
    lengths = [(end.instant - start.instant).total_seconds(), (last - first).total_seconds()]
    if either:
        lengths.append(lengths[0] + 3600)
    return make_session(
        stream=STREAM,
        record_id=identity(first, last),
        start=start,
        end=start.plus(_length_s(lengths, (totals["asleep_s"] or 0) + (totals["wake_s"] or 0))),
        totals=totals,
        notes=notes,
    )


def _length_s(lengths: Sequence[float], told_s: int) -> float:
    """Choose how long a recording lasted: over a clock change its end may stand on either clock.

    Asleep and awake fill a recording, and so tell which; where they are missing both bounds stand as written.
    """
    return min(lengths, key=lambda length: abs(length - told_s)) if told_s else lengths[0]


def _is_possible(row: Row, order: str) -> bool:
    try:
        first, last = (_local(row.fields.get(name, ""), order) for name in NEEDED[:2])
    except ValueError:
        return False
    return timedelta(0) < last - first <= timedelta(seconds=MAX_SESSION_S)


def _local(text: str, order: str | None) -> datetime:
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a time as nof1 knows it")
    *date, hour, minute = (int(number) for number in match.groups()[:5])
    year, month, day = _in_order(date, order, text)
    if match[6]:
        if not 1 <= hour <= 12:  # noqa: PLR2004 (hours of a clock face)
            raise ValueError(f"{text[:40]!r} is not a time")
        hour = hour % 12 + 12 * (match[6].lower() == "p")
    if year not in YEARS:
        raise ValueError(f"{text[:40]!r} is not a time of this century")
    try:
        return datetime(year, month, day, hour, minute)  # noqa: DTZ001 (a wall clock)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a time") from None


def _in_order(date: Sequence[int], order: str | None, text: str) -> tuple[int, int, int]:
    if date[0] in YEARS:
        return date[0], date[1], date[2]
    if order is None:
        raise ValueError(f"{text[:40]!r} may be day-month or month-day, and the nights of the file do not show which")
    day, month = (date[0], date[1]) if order == ORDERS[0] else (date[1], date[0])
    return date[2], month, day


def seconds_of(minutes: str | None) -> int | None:
    """Read minutes, with their thousands commas, as seconds; what is no number (``N/A``, ``-1``) is missing."""
    number = (minutes or "").strip()
    return 60 * int(number.replace(",", "")) if _NUMBER.fullmatch(number) else None
