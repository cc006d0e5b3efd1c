"""A row of Dreem's CSV: one night, its durations, and its hypnogram in epochs of 30 seconds."""

import re
from collections.abc import Mapping
from typing import Any, Final

from nof1.connect.clock import with_or_without_offset
from nof1.connect.connector import ReadOptions
from nof1.connect.decoding import RAGGED
from nof1.connect.ledger import Session, identity, make_session
from nof1.connect.timeline import epochs, without_filled_zero
from nof1.sleep.stages import DEEP, LIGHT, REM, UNSCORED, WAKE

STREAM: Final = "dreem"
EPOCH_S: Final = 30
STAGE_OF: Final = {"wake": WAKE, "light": LIGHT, "deep": DEEP, "rem": REM, "na": UNSCORED}
"""Dreem's labels in lower case; NA is a headband that saw nothing."""
TOTALS: Final = {
    "light_s": "light sleep duration",
    "deep_s": "deep sleep duration",
    "rem_s": "rem duration",
    "asleep_s": "sleep duration",
}
"""Dreem's own sums. "Wake After Sleep Onset Duration" leaves the wake before sleep out, and so is no sum of wake."""

_DURATION: Final = re.compile(r"(\d{1,2}):(\d\d):(\d\d)")

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
    start, notes = with_or_without_offset(row.get("start time"), options)
    end, _ = with_or_without_offset(row.get("stop time"), options)
    lasts_s = int((end.instant - start.instant).total_seconds())
    pieces = epochs(labels_of(row.get("hypnogram")), EPOCH_S, end_s=max(lasts_s, 0))
    return make_session(
        stream=STREAM,
        record_id=identity(str(row.get("start time")).strip()),
        start=start,
        end=end,
        pieces=pieces,
        stage_of=STAGE_OF,
        totals={total: seconds_of(row.get(column)) for total, column in TOTALS.items()},
        kind="nap" if (row.get("type") or "").strip().lower() == "nap" else "unknown",
        vendor_sol_s=without_filled_zero(seconds_of(row.get("sleep onset duration")), pieces, STAGE_OF),
        device="Dreem",
        notes=notes if pieces else (*notes, "totals and no stages"),
    )


def labels_of(text: str | None) -> list[str]:
    """Give the labels of a hypnogram such as ``[WAKE,WAKE,Light]``."""
    inside = (text or "").strip().strip("[]")
    return [label.strip().strip("'\"") for label in inside.split(",")] if inside else []


def seconds_of(text: str | None) -> int | None:
    """Read a duration such as ``0:12:30``; an empty cell and None are missing.

    Raises
    ------
    ValueError
        It is anything else.
    """
    if text is None or text.strip().lower() in {"", "none", "nan"}:
        return None
    told = _DURATION.fullmatch(text.strip())
    if told is None:
        raise ValueError(f"{text[:40]!r} is not a duration such as 0:12:30")
    hours, minutes, seconds = map(int, told.groups())
    return 3600 * hours + 60 * minutes + seconds
