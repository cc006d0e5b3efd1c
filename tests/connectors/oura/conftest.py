"""Building and reading small Oura exports."""

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
    """Write files (text, or anything that JSON can say) into a folder, and read it as an export of Oura's."""

    def read(files: dict[str, Any]) -> Imported:
        folder: Path = tmp_path_factory.mktemp("export")
        for name, content in files.items():
            (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
        with Export(folder) as export:
            (claim,) = recognise(export, "oura", untested_ok=True)
            return claim.read(ReadOptions(participant="P07"))

    return read
