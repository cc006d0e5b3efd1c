"""Reading small Sleep Cycle exports."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.connectors.sleepcycle.writer import GEN_3

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise


def read_path(path: Path, zone: str = "Europe/Berlin") -> Imported:
    """Read a file as the export of a person who lives in this zone."""
    (claim,) = recognise(Export(path), "sleepcycle", untested_ok=True)
    return claim.read(ReadOptions(participant="P07", zone=zone, zone_source="participant"))


@pytest.fixture(scope="session")
def read_rows(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Imported]:
    """Read rows under the header of generation 3."""

    def read(*rows: str, header: str = GEN_3) -> Imported:
        path = tmp_path_factory.mktemp("export") / "sleepdata.csv"
        path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        return read_path(path)

    return read
