"""Sleep Cycle's nights: one line in, one session out.

Two traps shape this module. The clock times have no zone, and where the clocks change End − Start is an hour off, while
"Time in bed" is right: it alone says how long the night was. And "Dream" and "Deep" are 0 on nights that the app did
not stage, and contradict "Time asleep" on others: a 0 there is not a night without deep sleep.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nof1.connect.clock import Moment, local_time, wall_clock
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Session, identity, make_session
from nof1.errors import DataError
from nof1.sleep.session import LATENCY_FLOOR

STREAM: Final = "sleepcycle"
NIGHT: Final = re.compile(r'\s*"?\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?"?\s*[;,\t|]\s*"?\d{4}-\d\d-\d\d \d\d:\d\d')
"""How a night's line begins, in every generation: notes, where people write quotation marks, stand at its end."""
_NAMES: Final = {
    "start": ("start", "went to bed"),
    "end": ("end", "woke up"),
    "in_bed": ("time in bed (seconds)",),
    "asleep": ("time asleep (seconds)",),
    "latency": ("time before sleep (seconds)", "asleep after (seconds)"),
    "awake": ("awake (seconds)",),
    "dream": ("dream (seconds)",),
    "light": ("light (seconds)",),
    "deep": ("deep (seconds)",),
}
"""What each generation of the export calls a column, in lower case."""
_UNKNOWN: Final = frozenset({"", "-", "–", "—"})
AGREES_S: Final = 120
"""Sums of one night that differ by more contradict each other; the app's own rounding is under a second."""
FLOORS: Final = (50, 150)
"""On half of all nights and more the app's latency is exactly so small a part of the time in bed: its least figure."""
_ROUNDING_S: Final = 0.15
_TOO_LONG_S: Final = 10**6


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns of one file are.

    Parameters
    ----------
    at
        The position of each known column, by nof1's name for it.
    width
        How many columns the header names.
    """

    at: Mapping[str, int]
    width: int

    def text(self, row: Sequence[str], name: str) -> str | None:
        """Give a cell; None where it is empty, a dash, or not there."""
        at = self.at.get(name)
        cell = row[at].strip() if at is not None and at < len(row) else ""
        return None if cell in _UNKNOWN else cell

    def seconds(self, row: Sequence[str], name: str) -> float | None:
        """Give a number of seconds, written with a point or a comma.

        Raises
        ------
        ValueError
            It is not a number, or negative.
        """
        text = self.text(row, name)
        if text is None:
            return None
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            number = math.nan
        if not 0 <= number < math.inf:
            raise ValueError(f"its {_NAMES[name][0]!r} is {text[:40]!r}, which is no number of seconds")
        return number


def columns_of(header: Sequence[str], where: str) -> Columns:
    """Find the columns of a file by any of their names.

    Raises
    ------
    DataError
        One of them is there twice, or there is no start or end.
    """
    names = [name.strip().lower() for name in header]
    at: dict[str, int] = {}
    for name, synonyms in _NAMES.items():
        found = [i for i, column in enumerate(names) if column in synonyms]
        if len(found) > 1:
            raise DataError(f"{where} has {len(found)} columns of {synonyms[0]!r}. Export it again, unedited.")
        if found:
            at[name] = found[0]
    if not {"start", "end"} <= at.keys():
        raise DataError(f"{where} does not say when nights start and end. Export it again, unedited.")
    return Columns(at, len(names))


def parse_night(row: Sequence[str], columns: Columns, options: ReadOptions) -> Session:
    """Turn one line into one session.

    Raises
    ------
    ValueError
        The line cannot be used; the message is the reason.
    """
    _require_whole(row, columns)
    local, local_end = (local_time(columns.text(row, name)) for name in ("start", "end"))
    start, notes = wall_clock(local, options)
    end, more = _end(start, columns.seconds(row, "in_bed"), columns.text(row, "end"), options)
    totals, about = _totals(row, columns, (end.instant - start.instant).total_seconds())
    if totals["asleep_s"] is None:
        raise ValueError("it tells how long you were in bed and not how long you slept; newer exports tell both")
    latency_s = columns.seconds(row, "latency")
    floor = _floor(latency_s, columns.seconds(row, "in_bed"))
    return make_session(
        stream=STREAM,
        record_id=identity(local.isoformat(), local_end.isoformat()),
        start=start,
        end=end,
        totals=totals,
        in_bed=start.instant,
        in_bed_source="tap",
        vendor_sol_s=latency_s or None,  # 0 stands only where no sleep was seen
        flags=[LATENCY_FLOOR] if floor else [],
        notes=[*notes, *more, *about, *floor],
    )


def _require_whole(row: Sequence[str], columns: Columns) -> None:
    """Refuse a line that has lost or gained fields; only the last columns, which nof1 does not read, may be missing."""
    if len(row) > columns.width:
        raise ValueError(f"it has {len(row)} fields under {columns.width} columns")
    if len(row) < columns.width and len(row) <= max(columns.at.values()) + 1:
        raise ValueError("it is cut short")


def _end(
    start: Moment, in_bed_s: float | None, stated: str | None, options: ReadOptions
) -> tuple[Moment, tuple[str, ...]]:
    """Place the end: by the time in bed, which is right on every night; by the clock only where that is missing."""
    if in_bed_s:
        return start.plus(min(round(in_bed_s), _TOO_LONG_S)), ()
    end, _ = wall_clock(local_time(stated), options)
    return end, ("no time in bed; its end is taken from the clock",)


def _totals(row: Sequence[str], columns: Columns, lasts_s: float) -> tuple[dict[str, float | None], tuple[str, ...]]:
    """Give the sums that can be believed, and a note where the app contradicts itself."""
    asleep, awake, dream, light, deep = (
        columns.seconds(row, name) for name in ("asleep", "awake", "dream", "light", "deep")
    )
    totals = {"asleep_s": asleep, "wake_s": None, "light_s": None, "deep_s": None, "rem_s": None}
    if asleep is not None and awake is not None and abs(asleep + awake - lasts_s) <= AGREES_S:
        totals["wake_s"] = awake
    if asleep is None or dream is None or light is None or deep is None or not (dream or deep):
        return totals, ()
    if abs(dream + light + deep - asleep) > AGREES_S:
        return totals, ("stages that do not add up to its own time asleep; the stages are left out",)
    return totals | {"light_s": light, "deep_s": deep, "rem_s": dream}, ()


def _floor(latency_s: float | None, in_bed_s: float | None) -> tuple[str, ...]:
    if latency_s and in_bed_s and any(abs(latency_s - in_bed_s / part) <= _ROUNDING_S for part in FLOORS):
        return ("a latency of exactly a 50th or a 150th of the time in bed: the app's least figure, not a measurement",)
    return ()
