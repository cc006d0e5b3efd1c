"""What the vendor calls a nap is no night."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from nof1.connect.clock import Moment
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Ledger, make_session
from nof1.sleep.assembly import assemble_nights


def sessions(*told: tuple[datetime, int, str]) -> pl.DataFrame:
    """Sessions of sums alone: start, minutes asleep, and the vendor's word for it."""
    ledger = Ledger("test", ReadOptions())
    for start, minutes, kind in told:
        at = Moment(start, 0, None, "record")
        session = make_session(
            stream="test/1",
            record_id=str(start),
            start=at,
            end=at.plus(60 * minutes),
            totals={"asleep_s": 60 * minutes},
            kind=kind,
        )
        ledger.add(str(start), lambda session=session: session)
    return ledger.imported().sessions


AFTERNOON = datetime(2026, 3, 2, 15, tzinfo=UTC)


def test_a_nap_alone_makes_no_night() -> None:
    """An export of one nap holds no night, whatever its length says of the longest sleep of that date."""
    assert assemble_nights(sessions((AFTERNOON, 40, "nap"))).is_empty()


def test_a_nap_counts_to_the_night_after_it() -> None:
    """It stands in `nap_min` of the next night, also where that night is still to be found under the same date."""
    night = (AFTERNOON + timedelta(hours=8), 420, "main")
    (row,) = assemble_nights(sessions((AFTERNOON, 40, "nap"), night)).iter_rows(named=True)
    assert (row["tst_min"], row["nap_min"]) == (420, 40)


@pytest.mark.parametrize(("minutes", "kind"), [(40, "unknown"), (240, "nap")])
def test_a_short_or_a_long_sleep_is_not_left_out_for_its_name(minutes: int, kind: str) -> None:
    """Without the vendor's word a short sleep may be the night; four hours are one whatever the vendor calls them."""
    assert assemble_nights(sessions((AFTERNOON, minutes, kind))).height == 1
