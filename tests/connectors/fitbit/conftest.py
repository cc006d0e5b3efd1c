"""Building and reading small Fitbit exports."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise

type ReadFiles = Callable[..., Imported]


@pytest.fixture(scope="session")
def read_files(tmp_path_factory: pytest.TempPathFactory) -> ReadFiles:
    """Write files (text, or anything that JSON can say) into a folder, and read it as an export."""

    def read(files: dict[str, Any], zone: str | None = "Europe/Berlin") -> Imported:
        folder = tmp_path_factory.mktemp("export")
        for name, content in files.items():
            path: Path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        options = ReadOptions(participant="P07", zone=zone, zone_source="option" if zone else "none")
        (claim,) = recognise(Export(folder), "fitbit")
        return claim.read(options)

    return read
