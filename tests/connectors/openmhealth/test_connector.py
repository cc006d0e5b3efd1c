"""Open mHealth's sleep episodes: a small export with every shape that the schema allows, and some that it does not."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.written import read_all

from nof1.connect.connector import Imported
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.errors import DataError

EXPORT = Path(__file__).parent / "exports" / "episodes.json"


@pytest.fixture(scope="module")
def imported() -> Imported:
    """The export, read."""
    return read_all(EXPORT)["openmhealth"]


@pytest.fixture(scope="module")
def rows(imported: Imported) -> list[dict[str, Any]]:
    """Its sessions."""
    return list(imported.sessions.iter_rows(named=True))


def test_units_and_intervals_of_any_kind_are_read(rows: list[dict[str, Any]]) -> None:
    """Hours, minutes, seconds and days; start and duration, or duration and end."""
    first, second = rows
    assert (first["start"], first["end"]) == (
        datetime(2026, 3, 1, 22, 31, tzinfo=UTC),
        datetime(2026, 3, 2, 6, 1, tzinfo=UTC),
    )
    assert (first["totals"]["asleep_s"], first["totals"]["wake_s"]) == (25200, 1800)
    assert (second["start"], second["offset_start"]) == (datetime(2026, 3, 3, 5, 10, tzinfo=UTC), -300)
    assert (second["totals"]["asleep_s"], second["totals"]["wake_s"]) == (19800, None)


def test_an_episode_fetched_twice_is_one(imported: Imported) -> None:
    """Shimmer gives each response new ids; start and end say which episode it is."""
    assert (imported.read, imported.sessions.height, imported.merged) == (7, 2, 1)


def test_a_latency_is_the_vendors_and_a_fitbits_zero_is_none(rows: list[dict[str, Any]]) -> None:
    """Latency is never taken from the start, which is sleep onset."""
    assert [row["vendor_sol_s"] for row in rows] == [None, 1050]
    assert all("starts_at_onset" in row["flags"] for row in rows)


def test_sources_are_streams_of_their_own(rows: list[dict[str, Any]]) -> None:
    """What another program measured is not comparable."""
    assert [row["stream"] for row in rows] == ["openmhealth/Fitbit Resource API", "openmhealth"]


def test_what_cannot_be_used_is_rejected_with_its_reason(imported: Imported) -> None:
    """A length is not sleep, a fortnight is no unit, and three bounds must agree."""
    reasons = [one.reason for one in imported.rejected]
    assert reasons == [
        "it does not tell total_sleep_time",
        "its unit 'fortnight' is none of ms, sec, min, h, d",
        "its duration is 21,600 s, and from start to end it is 28,800 s",
        "it tells fewer than two of start, end and duration",
    ]


def test_data_points_of_other_schemas_are_passed_over_and_counted(imported: Imported) -> None:
    """Steps are no sleep, and no rejected sleep either."""
    assert imported.warnings[0] == "1 data point of other schemas than sleep-episode: passed over."


def test_the_schema_itself_is_no_data(tmp_path: Path) -> None:
    """The file that describes sleep episodes names all their keys and holds none."""
    schema = tmp_path / "sleep-episode-1.1.json"
    schema.write_text('{"$schema": "x", "properties": {"total_sleep_time": {}, "effective_time_frame": {}}}')
    with Export(schema) as export, pytest.raises(DataError, match="holds no sleep"):
        recognise(export)
