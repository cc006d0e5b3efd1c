"""Real, public exports, where this machine has them: they are never part of the project."""

from pathlib import Path

import pytest

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.sleep.assembly import assemble_nights


@pytest.fixture
def five_nights(shared_samples: Path) -> Imported:
    """Five nights of a watch, and a phone's time in bed on four of them."""
    with Export(shared_samples / "apple" / "apple_ios16_sleep_day_1-5.xml") as export:
        (claim,) = recognise(export)
        return claim.read(ReadOptions(zone="Europe/Berlin", zone_source="option"))


def test_every_real_sample_is_accounted_for(five_nights: Imported) -> None:
    """163 samples: 158 of the watch are five sessions, five of the phone are time in bed; the zone is the record's."""
    assert (five_nights.read, five_nights.rejected, five_nights.sessions.height) == (5, (), 5)
    assert five_nights.warnings[0] == (
        "163 sleep samples = 158 in sessions + 5 of time in bed + 0 repeated + 0 rejected."
    )
    assert five_nights.sessions["zone"].unique().to_list() == ["Europe/Copenhagen"]


def test_real_latency_is_there_on_four_nights_of_five(five_nights: Imported) -> None:
    """43, 18, 21 and 27 minutes; the third night has no mark of time in bed, and so no latency."""
    nights = assemble_nights(five_nights.sessions, latency_source="in_bed")
    assert [None if sol is None else round(sol) for sol in nights["sol_min"]] == [43, 18, None, 21, 27]
    assert assemble_nights(five_nights.sessions, latency_source="stages")["sol_min"].null_count() == 5


def test_real_names_are_not_kept(five_nights: Imported) -> None:
    """Nothing that is stored says whose watch it was."""
    assert five_nights.sessions["stream"].unique().to_list() == ["apple/Apple Watch"]
    assert "ebastian" not in str(five_nights.sessions.to_dicts())


def test_an_excerpt_without_sleep_is_recognised(shared_samples: Path) -> None:
    """The beginning of another export, all of it heartbeats, is Apple's and holds no sleep."""
    with Export(shared_samples / "apple" / "apple_exampleExportBits.xml") as export:
        (claim,) = recognise(export)
        assert (claim.connector.name, claim.read(ReadOptions()).read) == ("apple", 0)
