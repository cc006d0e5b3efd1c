"""Latency counted from a logged lights-out is a measurement; one that the device guessed is not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cases import FIRST, FIXED_PROTOCOL, ZONE, alternating, schedule_csv, write_export

from nof1.study.diaries import log_night, tonight
from nof1.study.imports import import_exports
from nof1.study.nights import read_nights
from nof1.study.study import Study, create_study
from nof1.study.trials import start_trial

NIGHTS = 12


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A trial of twelve nights whose latency comes from the diary, its sleep imported."""
    protocol = FIXED_PROTOCOL.format(transition=0, prior_sd=10) + '\n[sleep]\nlatency_source = "diary"\n'
    (tmp_path / "t.toml").write_text(protocol)
    (tmp_path / "t.csv").write_text(schedule_csv(alternating(3), NIGHTS))
    study = create_study(tmp_path / "study", zone=ZONE, clock=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    start_trial(study, tmp_path / "t.toml", schedule_file=tmp_path / "t.csv")
    import_exports(study, [write_export(tmp_path / "takeout.zip", NIGHTS)])
    return study


def test_latency_counts_from_the_logged_lights_out(study: Study) -> None:
    """Ten minutes before the detected onset gives ten; nights without a word are missing, not guessed."""
    night, start = read_nights(study).select("night", "start").row(0)
    unlogged = read_nights(study)
    assert unlogged["sol_min"].null_count() == unlogged.height
    guessed = datetime.fromisoformat(str(start)).astimezone(UTC)
    local = guessed + timedelta(hours=1)  # Berlin in January
    log_night(study, night=night, lights_out=f"{local:%H:%M}")
    logged = read_nights(study).row(0, named=True)
    assert logged["sol_source"] == "diary"
    assert logged["lights_out"] == guessed.replace(second=0)
    onset = logged["lights_out"] + timedelta(minutes=logged["sol_min"])
    assert onset > guessed
    assert read_nights(study)["sol_min"].null_count() == unlogged.height - 1


def test_the_last_word_on_a_night_counts(study: Study) -> None:
    """A corrected lights-out supersedes the first; a dose logged before it stays as it was."""
    first = read_nights(study)["night"][0]
    log_night(study, night=first, lights_out="23:59", dose_taken=True)
    log_night(study, night=first, lights_out="21:30")
    night = read_nights(study).row(0, named=True)
    assert f"{night['lights_out']:%H:%M}" == "20:30"  # UTC
    assert first not in tonight(study, night=FIRST + timedelta(days=NIGHTS)).unlogged
