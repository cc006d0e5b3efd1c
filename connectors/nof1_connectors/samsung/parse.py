"""Samsung's sleeps: a row of the table of sleeps and its stages in, one session out.

Times are UTC, and `time_offset` beside them says what to add for the wall clock. `sleep_duration` is the length of the
whole recording, not of sleep.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from nof1.connect.clock import Moment, at_offset, from_epoch, unzoned, utc_time
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Session, make_session
from nof1.connect.timeline import Piece, clip, flatten
from nof1.sleep.session import GUESSED_BEDTIME
from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE
from nof1_connectors.samsung.table import Row

STREAM: Final = "samsung"
OWN_PACKAGE: Final = "com.sec.android.app.shealth"
STAGE_OF: Final = {"40001": WAKE, "40002": LIGHT, "40003": DEEP, "40004": REM}
RANK: Final = {"40002": 0, "40003": 0, "40004": 0, "40001": 1}
"""Where stages overlap, sleep of any stage stands before wake."""
EDITED_S: Final = 60
"""Times that differ by less from the original ones were rounded, not edited."""
AGREES_MIN: Final = 2
"""By how much the rounded minutes of the stages may miss the length of the sleep."""

_WHOLE_PCT: Final = 100
_MOST: Final = 1e9
_OFFSET: Final = re.compile(r"UTC([+-])(\d\d):?(\d\d)")
_EPOCH_MS: Final = re.compile(r"\d{12,13}")
_PACKAGE: Final = re.compile(r"[\w.]{1,100}")


@dataclass(slots=True)
class Stages:
    """The stages of one sleep.

    Parameters
    ----------
    stretches
        Begin, end and code of each; what is told twice stands once.
    broken
        Which rows could not be read, and why.
    """

    stretches: set[tuple[datetime, datetime, str]] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many stages there are, readable or not."""
        return len(self.stretches) + len(self.broken)


def parse_stage(row: Row) -> tuple[datetime, datetime, str]:
    """Turn a row of the table of stages into begin, end and code.

    Raises
    ------
    ValueError
        The row cannot be used.
    """
    if row.ragged:
        raise ValueError("it has more or fewer fields than the header")
    begin, end = _instant(row, "start_time"), _instant(row, "end_time")
    if end <= begin:
        raise ValueError("it ends before it starts")
    return begin, end, row.fields.get("stage", "")


def parse_sleep(row: Row, stages: Stages, options: ReadOptions) -> Session:
    """Turn a row of the table of sleeps, and the stages of that sleep, into one session.

    Raises
    ------
    ValueError
        The sleep cannot be used; the message is the reason.
    """
    if row.ragged:
        raise ValueError("it has more or fewer fields than the header")
    if stages.broken:
        raise ValueError(f"one of its stages cannot be read ({min(stages.broken)})")
    start, end = (_moment(row, name, options) for name in ("start_time", "end_time"))
    pieces, notes = hypnogram_of(stages, start.instant, end.instant)
    totals, about = totals_of(row, (end.instant - start.instant).total_seconds())
    latency_ms = _number(row, "sleep_latency")
    return make_session(
        stream=_stream(row),
        record_id=_text(row, "datauuid"),
        start=start,
        end=end,
        pieces=pieces,
        stage_of=STAGE_OF,
        totals=totals,
        vendor_sol_s=None if latency_ms is None else latency_ms / 1000,
        device=row.fields.get("deviceuuid"),
        algorithm=_algorithm(row),
        updated=_instant(row, "update_time") if "update_time" in row.fields else None,
        flags=[
            *(["edited"] if _is_edited(row, start, end) else []),
            *([] if latency_ms is None else [GUESSED_BEDTIME]),
        ],
        notes=[*notes, *([] if pieces else about)],
    )


def hypnogram_of(stages: Stages, start: datetime, end: datetime) -> tuple[list[Piece], tuple[str, ...]]:
    """Lay the stages of a sleep on one line, cut to its bounds, which a person may have moved.

    Returns
    -------
    tuple
        The pieces, empty where there are no stages, and notes.

    Raises
    ------
    ValueError
        All stages lie outside the sleep.
    """
    told = [
        Piece(round((begin - start).total_seconds()), round((until - begin).total_seconds()), code)
        for begin, until, code in stages.stretches
    ]
    flat = flatten(told, RANK)
    pieces = clip(flat, round((end - start).total_seconds()))
    if flat and not pieces:
        raise ValueError("its stages lie outside it")
    notes = []
    if _seconds(flat) < _seconds(told):
        notes.append("stages that overlap; sleep stands before wake, and the earlier before the later")
    if _seconds(pieces) < _seconds(flat):
        notes.append("stages that reach outside its bounds; they are cut there")
    return pieces, tuple(notes)


def totals_of(row: Row, lasts_s: float) -> tuple[Mapping[str, float | None], tuple[str, ...]]:
    """Give Samsung's own sums, and a note on how they came about where they are all there is.

    ``factor_02`` and ``factor_05`` are minutes of deep sleep and wake: no document says so, so they are believed where
    they and the named sums add up to the length of the sleep.
    """
    names = {
        "wake_s": "factor_05",
        "light_s": "total_light_duration",
        "deep_s": "factor_02",
        "rem_s": "total_rem_duration",
    }
    minutes = {total: number for total, name in names.items() if (number := _number(row, name)) is not None}
    if len(minutes) == len(names) and abs(sum(minutes.values()) - lasts_s / 60) <= AGREES_MIN:
        sums = {total: 60 * number for total, number in minutes.items()}
        return sums | {"asleep_s": sum(sums.values()) - sums["wake_s"]}, ("totals and no stages",)
    efficiency = _number(row, "efficiency")
    if efficiency is not None and 0 < efficiency <= _WHOLE_PCT:
        return {"asleep_s": lasts_s * efficiency / _WHOLE_PCT}, (
            "no stages; its time asleep is its length times its efficiency",
        )
    return {"asleep_s": lasts_s}, ("no stages and no efficiency; all of its length counts as sleep",)


def _seconds(pieces: list[Piece]) -> int:
    return sum(piece.seconds for piece in pieces)


def _stream(row: Row) -> str:
    package = row.fields.get("pkg_name", OWN_PACKAGE)
    if not _PACKAGE.fullmatch(package):
        raise ValueError(f"its pkg_name {package[:40]!r} is not the name of an app")
    return STREAM if package == OWN_PACKAGE else f"{STREAM}/{package}"


def _algorithm(row: Row) -> str | None:
    """Name the version of the sleep data and of the app that made it: stage shares shift with them."""
    told = {"data": row.fields.get("data_version"), "app": row.fields.get("create_sh_ver")}
    return "; ".join(f"{what} {version}" for what, version in told.items() if version) or None


def _is_edited(row: Row, start: Moment, end: Moment) -> bool:
    """Whether a person moved the times. The original ones are written beside unedited sleeps too."""
    originals = {"original_bed_time": start, "original_wake_up_time": end}
    return any(
        name in row.fields and abs((_instant(row, name) - moment.instant).total_seconds()) >= EDITED_S
        for name, moment in originals.items()
    )


def _moment(row: Row, name: str, options: ReadOptions) -> Moment:
    offset = _OFFSET.fullmatch(row.fields.get("time_offset", ""))
    if offset is None:
        return unzoned(_instant(row, name), options)
    minutes = 60 * int(offset[2]) + int(offset[3])
    return at_offset(_instant(row, name), -minutes if offset[1] == "-" else minutes)


def _instant(row: Row, name: str) -> datetime:
    text = row.fields.get(name)
    return from_epoch(text, per_second=1000) if text and _EPOCH_MS.fullmatch(text) else utc_time(text)


def _text(row: Row, name: str) -> str:
    if name not in row.fields:
        raise ValueError(f"it has no {name}")
    return row.fields[name]


def _number(row: Row, name: str) -> float | None:
    """Give a number; None where it is empty or −1, which Samsung writes for what it does not know."""
    text = row.fields.get(name)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) < _MOST:
        raise ValueError(f"its {name} is {text[:40]!r}, which is no number")
    return None if number == -1 else number
