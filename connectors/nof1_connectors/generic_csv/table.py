"""What both tables have in common: how a header is read, and times, minutes and words in its rows."""

import difflib
import re
from collections.abc import Mapping
from typing import Any, Final

from nof1.connect.clock import Moment, with_or_without_offset
from nof1.connect.connector import ReadOptions
from nof1.connect.decoding import LINE, RAGGED, read_csv
from nof1.connect.reading import Member
from nof1.errors import DataError
from nof1.sleep.session import KINDS

MEASURES: Final = ("tst_min", "light_min", "deep_min", "rem_min", "wake_min", "sol_min", "tib_min")
"""The measures of a night that the table of nights may tell, named and defined as in nof1's own nights."""
COMPUTED: Final = frozenset({"waso_min", "spt_min", "se_pct", "lps_min", "rem_latency_min", "awakenings", "nap_min"})
"""Measures that nof1 computes itself, and only from stages."""
SHARED: Final = frozenset({"start", "end", "lights_out", "kind", "device", "algorithm", "record_id"})
"""Columns that both tables may have."""

_SIMILAR: Final = 0.8
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
CLOCK: Final = re.compile(r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(:00)?", re.ASCII)
"""A time of day, which needs a date from elsewhere."""
_MINUTES: Final = re.compile(r"\d{1,4}([.,]\d+)?")

type Row = Mapping[str, Any]
"""One row: its cells by column in lower case, an absent or empty cell None; its `LINE`; whether it is `RAGGED`."""


def read_table(member: Member, known: frozenset[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Read a table whose columns are these, in any case and order; further ones are told in a warning.

    Raises
    ------
    DataError
        A column's name is all but one of the known names, two columns differ in case only, or it is no CSV.
    """
    frame = read_csv(member)
    names = {name: name if name in {LINE, RAGGED} else name.lower() for name in frame.columns}
    if len(set(names.values())) < len(names):
        raise DataError(f"{member.name} has columns that differ only in upper and lower case. Rename one.")
    others = sorted(set(names.values()) - known - {LINE, RAGGED})
    for name in others:
        if similar := _similar(name, known):
            raise DataError(f"{member.name}: the column {name!r} looks like {similar!r}. Rename it, or remove it.")
    return frame.rename(names).to_dicts(), list(_not_read(others, member.name))


def _similar(name: str, known: frozenset[str]) -> str | None:
    wanted = sorted(known.intersection({*MEASURES, "lights_out"}))
    if name in COMPUTED:
        return None
    begins = next((measure for measure in wanted if name.startswith(measure)), None)
    return begins or next(iter(difflib.get_close_matches(name, wanted, n=1, cutoff=_SIMILAR)), None)


def _not_read(others: list[str], where: str) -> list[str]:
    computed = [name for name in others if name in COMPUTED]
    unknown = [repr(name[:40]) for name in others if name not in COMPUTED]
    told = {
        f"{where}: not read, because nof1 computes them from stages: {', '.join(computed)}.": computed,
        f"{where}: columns that are not read: {', '.join(unknown[:20])}.": unknown,
    }
    return [warning for warning, names in told.items() if names]


def moment_of(text: str, options: ReadOptions) -> tuple[Moment, tuple[str, ...]]:
    """Read a time such as ``2026-03-01T23:10+01:00``, ``2026-03-01T22:10Z``, or ``2026-03-01 23:10`` on the wall clock.

    An offset is taken as the person's own. ``Z`` tells the instant, and the stated zone tells the wall clock.

    Returns
    -------
    tuple
        The moment, and a note where the clocks change on a wall-clock time.

    Raises
    ------
    ValueError
        It is not such a time.
    """
    if CLOCK.fullmatch(text.strip()):
        raise ValueError(
            f"{text.strip()!r} is a time of day without its date: write 2026-03-01T{text.strip():0>5}, or put the "
            "evening's date into the column night of a table of nights"
        )
    if not _TIME.fullmatch(text.strip()):
        raise ValueError(
            f"{text[:40]!r} is not a time: write 2026-03-01T23:10, or with the offset 2026-03-01T23:10+01:00"
        )
    return with_or_without_offset(text, options)


def minutes_of(row: Row, name: str) -> float | None:
    """Read a number of minutes, with a decimal point or comma; an empty cell and NA are missing.

    Raises
    ------
    ValueError
        It is anything else.
    """
    text = word_of(row, name)
    if text is None or text == "NA":
        return None
    if not _MINUTES.fullmatch(text):
        raise ValueError(f"its {name} is {text[:40]!r}, not a number of minutes such as 83 or 83.5")
    return float(text.replace(",", "."))


def line_of(row: Row) -> str:
    """Say where a row stands."""
    return f"line {row[LINE]}"


def word_of(row: Row, name: str) -> str | None:
    """Give a cell without the blanks around it, or None."""
    return (row.get(name) or "").strip() or None


def kind_of(row: Row) -> str:
    """Give the kind of sleep: `main`, `nap`, or `unknown` where the row is silent.

    Raises
    ------
    ValueError
        It is another word.
    """
    kind = (word_of(row, "kind") or "unknown").lower()
    if kind not in KINDS:
        raise ValueError(f"its kind is {kind[:40]!r}; it can be {', '.join(KINDS)}")
    return kind


def stream_of(device: str | None, algorithm: str | None) -> str:
    """Name the stream: only what one device and one algorithm saw is comparable."""
    return "/".join(("generic_csv", *(word for word in (device, algorithm) if word)))
