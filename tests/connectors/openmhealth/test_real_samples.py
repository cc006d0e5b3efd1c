"""The public test documents of Open mHealth and Shimmer, where this machine has them."""

from pathlib import Path

import pytest
from tests.connectors.written import read_all

from nof1.errors import DataError


def test_the_schemas_own_example_is_read(shared_samples: Path) -> None:
    """Nine hours from onset to waking, of which 8.5 asleep, after 17.5 minutes of latency."""
    imported = read_all(shared_samples / "openmhealth" / "valid-sleep-episode-1.1.json")["openmhealth"]
    (row,) = imported.sessions.iter_rows(named=True)
    assert (row["end"] - row["start"]).total_seconds() == 9 * 3600
    assert (row["totals"]["asleep_s"], row["totals"]["wake_s"]) == (30_600, 1_800)
    assert (row["vendor_sol_s"], row["kind"]) == (1_050, "main")


def test_the_schema_is_refused(shared_samples: Path) -> None:
    """A description of sleep episodes is no sleep."""
    with pytest.raises(DataError, match="holds no sleep"):
        read_all(shared_samples / "openmhealth" / "sleep-episode-1.1.schema.json")


def test_what_a_vendor_answered_belongs_to_that_vendor(shared_samples: Path) -> None:
    """Shimmer's raw Fitbit answer is read as Fitbit's, not as Open mHealth's."""
    assert list(read_all(shared_samples / "openmhealth" / "shimmer-fitbit-sleep-date.json")) == ["fitbit"]
