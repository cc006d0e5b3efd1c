"""A row of Zeo's CSV: one night, its minutes, and its graph of stages in epochs of 30 seconds."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from nof1.connect.clock import Moment, local_time, wall_clock
from nof1.connect.connector import ReadOptions
from nof1.connect.decoding import RAGGED
from nof1.connect.ledger import Session, identity, make_session
from nof1.connect.timeline import epochs, without_filled_zero
from nof1.sleep.stages import DEEP, LIGHT, REM, UNSCORED, WAKE

STREAM: Final = "zeo"
EPOCH_S: Final = 30
STAGE_OF: Final = {"0": UNSCORED, "1": WAKE, "2": REM, "3": LIGHT, "4": DEEP}
"""The codes of "Detailed Sleep Graph"."""
UNDEFINED: Final = "0"
"""The code of epochs without signal, and of those after the headband came off."""
TOTALS: Final = {
    "wake_s": "time in wake",
    "rem_s": "time in rem",
    "light_s": "time in light",
    "deep_s": "time in deep",
    "asleep_s": "total z",
}
"""Zeo's own sums, in minutes."""

_MOMENT: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d\d)(?::(\d\d))?")
_MINUTES: Final = re.compile(r"\d{1,4}")

type Row = Mapping[str, Any]
"""The cells by column in lower case, an empty cell None."""


def parse_night(row: Row, options: ReadOptions) -> Session:
    """Turn one row into one session.

    Raises
    ------
    ValueError
        The row cannot be used; the message is the reason.
    """
    if row[RAGGED]:
        raise ValueError("it does not have the fields of the header")
    local = local_of(row.get("start of night"))
    start, notes = wall_clock(local, options)
    codes = graph_of(row.get("detailed sleep graph"))
    pieces = epochs(codes, EPOCH_S)
    return make_session(
        stream=STREAM,
        record_id=identity(local.isoformat()),
        start=start,
        end=start.plus(EPOCH_S * len(codes)) if codes else _stated_end(row, options),
        pieces=pieces,
        stage_of=STAGE_OF,
        totals={total: _seconds(row, column) for total, column in TOTALS.items()},
        vendor_sol_s=without_filled_zero(_seconds(row, "time to z"), pieces, STAGE_OF),
        device="Zeo",
        notes=notes if pieces else (*notes, "totals and no stages"),
    )


def local_of(text: object) -> datetime:
    """Read a wall-clock time such as ``12/31/2010 22:57``: month, day, year.

    Raises
    ------
    ValueError
        It is not one.
    """
    told = _MOMENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if told is None:
        raise ValueError(f"{str(text)[:40]!r} is not a time such as 12/31/2010 22:57")
    month, day, year, hour, minute, second = (int(part or 0) for part in told.groups())
    return local_time(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")


def graph_of(text: str | None) -> list[str]:
    """Give the codes of a graph, one an epoch, without what follows after the headband came off."""
    codes = (text or "").split()
    while codes and codes[-1] == UNDEFINED:
        codes.pop()
    return codes


def _stated_end(row: Row, options: ReadOptions) -> Moment:
    return wall_clock(local_of(row.get("end of night") or row.get("rise time")), options)[0]


def _seconds(row: Row, column: str) -> int | None:
    text = (row.get(column) or "").strip()
    if text and not _MINUTES.fullmatch(text):
        raise ValueError(f"its {column} is {text[:40]!r}, not a number of minutes")
    return 60 * int(text) if text else None
