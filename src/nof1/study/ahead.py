"""Nights that nobody can have slept yet: rejected one by one, and accounted for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl

from nof1.connect.connector import Rejected
from nof1.sleep.session import Sessions
from nof1.sleep.versions import AHEAD
from nof1.study.import_summary import ReadExport, account_of

REASON: Final = (
    "it ends more than a day after its import: the clock of the device, of its app or of this computer was set wrong"
)


def present() -> datetime:
    """Give the present instant, where there is no study whose clock could be asked."""
    return datetime.now(UTC)


def without_the_future(export: ReadExport, at: datetime) -> ReadExport:
    """Reject the sessions of an export that end later than a day after an instant; a wrong zone shifts them by less.

    A night that has not been lived would be analysed like any other, and could choose the newest export.

    Parameters
    ----------
    at
        The moment of the import, aware. Of an import that stands already, its own moment: read again a year later it
        must be the same.
    """
    imported = export.imported
    is_ahead = pl.col("end") > at.astimezone(UTC) + AHEAD  # polars compares instants of one zone
    ahead = imported.sessions.filter(is_ahead)
    if ahead.is_empty():
        return export
    named = (Rejected(_called(row), REASON) for row in ahead.iter_rows(named=True))
    kept = replace(
        imported,
        sessions=Sessions.cast(imported.sessions.filter(~is_ahead)),
        rejected=tuple(sorted((*imported.rejected, *named), key=lambda one: (one.record, one.reason))),
    )
    return replace(export, imported=kept, about=export.about | account_of(kept))


def _called(row: dict[str, Any]) -> str:
    start = row["start"] + timedelta(minutes=row["offset_start"] or 0)
    return f"{row['stream']} {row['record_id']}, which begins on {start:%Y-%m-%d at %H:%M}"
