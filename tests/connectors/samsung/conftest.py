"""Reading small Samsung Health exports."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from tests.connectors.samsung.writer import SLEEPS, STAGES, row, table

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise

type Rows = Sequence[Mapping[str, object]]


def read_path(path: Path) -> Imported:
    """Read a file, folder or archive as the export of a person at home in Berlin."""
    (claim,) = recognise(Export(path), "samsung", untested_ok=True)
    return claim.read(ReadOptions(participant="P07", zone="Europe/Berlin", zone_source="participant"))


@pytest.fixture(scope="session")
def read_rows(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Imported]:
    """Read rows of sleeps and rows of stages."""

    def read(sleeps: Rows, stages: Rows = ()) -> Imported:
        folder = tmp_path_factory.mktemp("export")
        for name, header, rows in (
            ("com.samsung.shealth.sleep", SLEEPS, sleeps),
            ("com.samsung.health.sleep_stage", STAGES, stages),
        ):
            text = table(name, header, [row(header, values) for values in rows])
            (folder / f"{name}.20250401080000.csv").write_text(text, encoding="utf-8", newline="")
        return read_path(folder)

    return read
