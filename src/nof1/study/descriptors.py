"""What lies in a data package, told twice: as Frictionless ``datapackage.json``, and as RO-Crate.

Both tell the hash and the size of every file, so that a copy can be checked; the first tells every column of every
table, the second how the files came about.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl

from nof1.report.plain import plain
from nof1.study.columns import TABLES, meaning, unit
from nof1.study.spreadsheets import harmless

Json = dict[str, Any]

DATA_PACKAGE: Final = "datapackage.json"
CRATE: Final = "ro-crate-metadata.json"

LICENCE: Final = "Health data of one person. No licence is given: ask whoever handed it to you before you pass it on."

MEDIA: Final = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
    "nc": "application/x-netcdf",
    "toml": "application/toml",
}

TYPES: Final = (
    (pl.Boolean, "boolean"),
    (pl.Date, "date"),
    (pl.Datetime, "datetime"),
)
"""Frictionless' names of types that are neither numbers nor text."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A file of the package.

    Parameters
    ----------
    table
        What a CSV holds; None for any other file.
    """

    path: str
    content: bytes
    about: str
    table: pl.DataFrame | None = None

    @property
    def sha256(self) -> str:
        """Of the content."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def media_type(self) -> str:
        """By the name's ending."""
        return MEDIA[self.path.rpartition(".")[2]]


@dataclass(frozen=True, slots=True)
class Package:
    """What both descriptors tell of the whole.

    Parameters
    ----------
    urn
        Names this participant's part of this study.
    asked
        The protocol's diary questions in words, by their keys.
    made
        When the package is written.
    version
        Of nof1.
    """

    urn: str
    title: str
    asked: Mapping[str, str]
    made: datetime
    version: str


def data_package(package: Package, files: list[Packed]) -> bytes:
    """Describe the files as a Frictionless data package, version 1."""
    described = {
        "profile": "data-package",
        "name": "nof1-export",
        "id": package.urn,
        "title": package.title,
        "description": LICENCE,
        "created": package.made.isoformat(timespec="seconds"),
        "resources": [_resource(package, file) for file in files],
    }
    return _spelt(described)


def _resource(package: Package, file: Packed) -> Json:
    told: Json = {
        "name": file.path.rpartition("/")[2].replace(".", "-").lower(),
        "path": file.path,
        "description": file.about,
        "mediatype": file.media_type,
        "bytes": len(file.content),
        "hash": f"sha256:{file.sha256}",
    }
    if file.table is None:
        return told | {"type": "file", "profile": "data-resource"}
    fields = [_field(package, name, kind) for name, kind in file.table.schema.items()]
    schema = {"fields": fields, "missingValues": [""]}
    return told | {"type": "table", "profile": "tabular-data-resource", "encoding": "utf-8", "schema": schema}


def _field(package: Package, column: str, kind: pl.DataType) -> Json:
    told: Json = {"name": harmless(column), "type": _type(kind), "description": plain(meaning(column, package.asked))}
    if isinstance(kind, pl.Datetime):
        told["format"] = "%Y-%m-%dT%H:%M:%S.%f%z"
    in_unit = unit(column)
    return told | ({"unit": in_unit} if in_unit else {})


def _type(kind: pl.DataType) -> str:
    if kind.is_integer():
        return "integer"
    return "number" if kind.is_float() else next((name for known, name in TYPES if kind == known), "string")


def crate(package: Package, files: list[Packed]) -> bytes:
    """Describe the files as an RO-Crate, version 1.1."""
    inside = [{"@id": file.path} for file in files]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "identifier": package.urn,
        "name": package.title,
        "description": "The trial of one person with nof1: nights, schedule, diary, and the result where there is one.",
        "datePublished": package.made.date().isoformat(),
        "license": LICENCE,
        "hasPart": inside,
        "mentions": {"@id": "#export"},
    }
    about = {
        "@id": CRATE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    made = {
        "@id": "#export",
        "@type": "CreateAction",
        "name": "nof1 export package",
        "endTime": package.made.isoformat(timespec="seconds"),
        "instrument": {"@id": "#nof1"},
        "result": inside,
    }
    tool = {"@id": "#nof1", "@type": "SoftwareApplication", "name": "nof1", "softwareVersion": package.version}
    context = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "https://schema.org/sha256"}]
    return _spelt({"@context": context, "@graph": [about, root, made, tool, *map(_file, files)]})


def _file(file: Packed) -> Json:
    return {
        "@id": file.path,
        "@type": "File",
        "name": file.path,
        "description": file.about,
        "encodingFormat": file.media_type,
        "contentSize": str(len(file.content)),
        "sha256": file.sha256,
    }


def packed_tables(tables: Mapping[str, pl.DataFrame], spelt: Mapping[str, Any]) -> list[Packed]:
    """Pack every table once in each spelling: a function to bytes by its ending."""
    return [
        Packed(f"data/{name}.{suffix}", spell(table), TABLES[name], table if suffix == "csv" else None)
        for suffix, spell in spelt.items()
        for name, table in tables.items()
    ]


def _spelt(value: Json) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
