"""Small exports made of what a test says: files written into a folder, and read as the export of one source."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise


def read_documents(folder: Path, files: Mapping[str, Any], zone: str | None = "Europe/Berlin") -> Imported:
    """Write files (text, or anything that JSON can say) and read them with the one connector that claims them."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_export(folder, zone)


def read_export(path: Path, zone: str | None = "Europe/Berlin") -> Imported:
    """Read an export with the one connector that claims it."""
    with Export(path) as export:
        (claim,) = recognise(export, untested_ok=True)
        return claim.read(ReadOptions(participant="P07", zone=zone, zone_source="option" if zone else "none"))


def hypnogram(row: Mapping[str, Any]) -> list[tuple[int, int, str]]:
    """A session's hypnogram as start, seconds and stage."""
    return [(piece["start_s"], piece["seconds"], piece["stage"]) for piece in row["hypnogram"] or []]
