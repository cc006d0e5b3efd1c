"""Small synthetic exports, each beside the sessions that it must give."""

import json
from pathlib import Path
from typing import Any

import pytest

from nof1.connect.connector import ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise

EXPORTS = Path(__file__).parent / "exports"
CASES = sorted(path.name for path in EXPORTS.iterdir() if path.is_dir())


def told(row: dict[str, Any]) -> dict[str, Any]:
    """A session in few words: instants as text, the hypnogram as lists, missing values left out."""
    row["hypnogram"] = [f"{p['start_s']}+{p['seconds']} {p['stage']} {p['label']}" for p in row["hypnogram"]]
    row["totals"] = {name: seconds for name, seconds in row["totals"].items() if seconds is not None}
    plain = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
    return {name: value for name, value in plain.items() if value is not None}


@pytest.mark.parametrize("case", CASES)
def test_an_export_gives_exactly_its_sessions(case: str) -> None:
    """Every column of every session, every warning and every count is what stands beside the export."""
    options = ReadOptions(participant="P01", zone="Europe/Berlin", zone_source="participant")
    with Export(EXPORTS / case) as export:
        (claim,) = recognise(export)
        imported = claim.read(options)
    found = {
        "read": imported.read,
        "warnings": list(imported.warnings),
        "sessions": [told(row) for row in imported.sessions.iter_rows(named=True)],
    }
    assert found == json.loads((EXPORTS / f"{case}.json").read_text())
