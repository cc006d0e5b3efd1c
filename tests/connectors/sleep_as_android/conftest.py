"""Reading small Sleep as Android exports."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.sleep_as_android.writer import HEADER

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise

START_MS = 1_741_644_000_000
"""2025-03-10T22:00Z, the start of the record that `read_record` writes."""


def read_path(path: Path) -> Imported:
    """Read a file, folder or archive in the zone of Berlin."""
    (claim,) = recognise(Export(path), "sleep_as_android")
    return claim.read(ReadOptions(participant="P07", zone="Europe/Berlin", zone_source="option"))


@pytest.fixture(scope="session")
def read_text(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Imported]:
    """Read the text of a table."""

    def read(text: str) -> Imported:
        path = tmp_path_factory.mktemp("export") / "sleep-export.csv"
        path.write_text(text, encoding="utf-8")
        return read_path(path)

    return read


@pytest.fixture(scope="session")
def read_record(read_text: Callable[[str], Imported]) -> Callable[..., Imported]:
    """Read a record of eight hours with these events, each a label and the minute at which it stands."""

    def read(*events: tuple[str, float], **fields: Any) -> Imported:
        values = {"Id": START_MS, "Tz": "Europe/Berlin", "Hours": "8.000", "Cycles": "4", "LenAdjust": "0"} | fields
        cells = [values.get(name, "") for name in HEADER.split(",")]
        told = [f"{label}-{START_MS + round(60_000 * minute)}" for label, minute in events]
        return read_text(HEADER + "\n" + ",".join(f'"{cell}"' for cell in [*cells, *told]) + "\n")

    return read
