"""Every export that the vendors' writers can write: found, written, taken apart, put together again and read."""

import importlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.connectors.nights import ZONE, Written

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise

HERE: Final = Path(__file__).parent
OPTIONS: Final = ReadOptions(participant="P07", zone=ZONE, zone_source="option")


def _all_written() -> dict[str, Written]:
    """Find the writers by their folders; each `Written` by a name such as ``fitbit-logs-0``."""
    found = {}
    for path in sorted(HERE.glob("*/writer.py")):
        module = importlib.import_module(f"tests.connectors.{path.parent.name}.writer")
        for number, written in enumerate(module.WRITTEN):
            found[f"{written.connector}-{written.form}-{number}"] = written
    return found


ALL_WRITTEN: Final = _all_written()


@dataclass(frozen=True, slots=True)
class Packed:
    """An export taken apart: how it was wrapped, and the bytes of its members by name."""

    wrap: str
    name: str
    members: Mapping[str, bytes]

    def pack(self, folder: Path, changed: Mapping[str, bytes]) -> Path:
        """Write it again into an empty folder, wrapped as it was; `changed` has other bytes for some members."""
        members = {**self.members, **changed}
        path = folder / self.name
        if self.wrap == "zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, content in members.items():
                    archive.writestr(name, content)
            return path
        for name, content in members.items():
            member = path if self.wrap == "file" else path / name
            member.parent.mkdir(parents=True, exist_ok=True)
            member.write_bytes(content)
        return path


def unpack(path: Path) -> Packed:
    """Take an export apart."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return Packed("folder", path.name, {file.relative_to(path).as_posix(): file.read_bytes() for file in files})
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return Packed("zip", path.name, {name: archive.read(name) for name in archive.namelist()})
    return Packed("file", path.name, {path.name: path.read_bytes()})


def read_all(path: Path, options: ReadOptions = OPTIONS) -> dict[str, Imported]:
    """Read an export with every connector that claims a part of it, by the connector's name.

    The account of each is checked where it is closed: what was counted coming in is what comes out.
    """
    with Export(path) as export:
        return {claim.connector.name: claim.read(options) for claim in recognise(export, untested_ok=True)}
