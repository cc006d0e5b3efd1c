"""Zepp's table of nights becomes sessions."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.connectors.documents import read_documents, read_export

from nof1.sleep.session import STARTS_AT_ONSET

EXPORT = Path(__file__).parent / "exports" / "SLEEP_1738368000000.csv"
HEADER = "date,deepSleepTime,shallowSleepTime,wakeTime,start,stop,REMTime,naps"
ROW = "2025-01-15,76,331,9,2025-01-14 22:02:00+0000,2025-01-15 05:59:00+0000,61,"


def test_a_night_is_sums() -> None:
    """Minutes become sums in seconds; instants are UTC, and the stated zone tells the wall clock."""
    row = read_export(EXPORT).sessions.row(0, named=True)
    assert (row["stream"], row["kind"], row["staging"]) == ("xiaomi/zepp", "main", "totals")
    assert (row["start"], row["zone"]) == (datetime(2025, 1, 14, 22, 2, tzinfo=UTC), "Europe/Berlin")
    assert row["totals"] == {"wake_s": 540, "light_s": 19860, "deep_s": 4560, "rem_s": 3660, "asleep_s": 28080}
    assert row["flags"] == [STARTS_AT_ONSET]


def test_naps_stand_in_a_cell() -> None:
    """A day's naps are sessions of their own."""
    row = read_export(EXPORT).sessions.filter(kind="nap").row(0, named=True)
    assert (row["start"], row["totals"]["asleep_s"]) == (datetime(2025, 1, 15, 12, 5, tzinfo=UTC), 2400)


def test_a_day_without_sleep_is_refused_by_name() -> None:
    """A row of zeros is a day on which nothing was worn, not a night of no sleep."""
    imported = read_export(EXPORT)
    assert [(one.record, one.reason) for one in imported.rejected] == [
        (f"{EXPORT.name} line 3: night 2025-01-16", "it holds no sleep")
    ]
    assert (imported.read, imported.sessions.height) == (4, 3)


def test_no_rem_sleep_at_all_is_not_known() -> None:
    """A band that cannot tell REM sleep writes 0: that is missing."""
    row = read_export(EXPORT).sessions.row(2, named=True)
    assert (row["totals"]["rem_s"], row["totals"]["asleep_s"]) == (None, 23400)


def test_older_tables_have_fewer_columns(tmp_path: Path) -> None:
    """A table of Mi Fit without REM sleep and naps is read."""
    text = "date,deepSleepTime,shallowSleepTime,wakeTime,start,stop\n" + ROW.rsplit(",", 2)[0]
    (row,) = read_documents(tmp_path, {"a.csv": text}).sessions.iter_rows(named=True)
    assert (row["totals"]["deep_s"], row["totals"]["rem_s"]) == (4560, None)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("76", "many", "not a number of minutes"),
        ("76", "9999", "does not fit into"),
        ("2025-01-15 05:59", "2025-01-13 05:59", "ends before it starts"),
        ("2025-01-14 22:02:00+0000", "", "is not a time"),
        (",61,", "", "fields of the header"),
        (",61,", ",61,soon", "not a list of naps"),
        (",61,", ',61,"[{""start"":""2025-01-15 12:05:00+0000""}]"', "is not a time"),
    ],
)
def test_a_bad_row_is_refused_alone(tmp_path: Path, old: str, new: str, reason: str) -> None:
    """A row that cannot be used is refused with the reason; the other is kept."""
    other = ROW.replace("2025-01-15,", "2025-01-20,", 1)
    imported = read_documents(tmp_path, {"a.csv": "\n".join([HEADER, ROW.replace(old, new, 1), other])})
    assert imported.sessions.height >= 1
    assert reason in imported.rejected[0].reason
