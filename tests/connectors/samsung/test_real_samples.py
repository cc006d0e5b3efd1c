"""Real rows, where this machine has them: they are never part of the project."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.connectors.samsung.conftest import read_path


def test_two_real_sleeps_agree_with_their_own_sums(shared_samples: Path) -> None:
    """Two sleeps of 226 and 639 minutes, latencies of 9 and 11; two stages belong to a sleep of another year."""
    folder = shared_samples / "samsung"
    if not folder.is_dir():
        pytest.skip(f"no real samples at {folder}")
    imported = read_path(folder)
    assert (imported.read, imported.sessions.height, imported.merged) == (3, 2, 0)
    assert imported.rejected[0].reason == "2 stages of a sleep that is not in this export"
    sessions = imported.sessions
    assert (sessions["end"] - sessions["start"]).to_list() == [timedelta(minutes=226), timedelta(minutes=639)]
    assert sessions["vendor_sol_s"].to_list() == [540.0, 660.0]
    assert sessions["totals"].struct.field("deep_s").to_list() == [33 * 60, 107 * 60]
    asleep_pct = (
        100 * sessions["totals"].struct.field("asleep_s") / (sessions["end"] - sessions["start"]).dt.total_seconds()
    )
    assert asleep_pct.to_list() == pytest.approx([92, 94], abs=1)
