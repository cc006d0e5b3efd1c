"""Sleep sessions as immutable Parquet: one file an import, named by what it holds; read as one table.

Only files that the record admits are read. The same session seen in several imports resolves by the vendor's own update
time, then the longer, then the more finely staged, then by the export that covers the latest night, then by hash, and
never by the order of import.
"""

import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dataframely as dy
import polars as pl
import pyarrow.parquet as pq

from nof1.errors import DataError, TamperedError
from nof1.sleep.session import KEY, SCHEMA, STAGINGS, Sessions
from nof1.store.folder import StudyFolder, write_private_file

SCHEMA_VERSION: Final = 1
METADATA_KEY: Final = b"nof1"
OWN_NAME: Final = re.compile(r"[0-9a-f]{32}\.parquet|\.[0-9a-f]{32}\.parquet\.\d+\.tmp")
"""What nof1 itself may have left behind; anything else in the folder is somebody's."""


@dataclass(frozen=True, slots=True)
class SleepFile:
    """One admitted file: whose, which key, and the hash of its bytes."""

    participant: str
    key: str
    sha256: str

    def path(self, folder: StudyFolder) -> Path:
        """Where it lies."""
        return folder.sleep(self.participant) / f"{self.key}.parquet"


def import_key(fingerprint: str, connector: str, version: str, options: Mapping[str, Any]) -> str:
    """The name of an import: the same export read in the same way has the same one."""
    told = json.dumps([fingerprint, connector, version, SCHEMA_VERSION, dict(options)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def write_sessions(
    folder: StudyFolder, participant: str, key: str, sessions: dy.DataFrame[Sessions], about: Mapping[str, Any]
) -> SleepFile:
    """Write one import. The bytes depend on the sessions and on `about` alone: no clock, no machine.

    Raises
    ------
    WriteError
        The disk refuses; nothing was changed.
    """
    table = sessions.to_arrow(compat_level=pl.CompatLevel.oldest())
    metadata = {
        **(table.schema.metadata or {}),
        METADATA_KEY: json.dumps({"schema": SCHEMA_VERSION, **about}, sort_keys=True),
    }
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), buffer, compression="zstd", write_statistics=True)
    content = buffer.getvalue()
    file = SleepFile(participant, key, hashlib.sha256(content).hexdigest())
    write_private_file(file.path(folder), content)
    return file


def scan_sessions(folder: StudyFolder, files: Sequence[SleepFile]) -> pl.LazyFrame:
    """Every session of the admitted files once, sorted by start; columns as in `Sessions`.

    Raises
    ------
    TamperedError
        An admitted file is missing.
    DataError
        A newer nof1 wrote one of them.
    """
    if not files:
        return pl.LazyFrame(schema=SCHEMA)
    versions = pl.concat([_scan_file(folder, file) for file in files])
    length = pl.col("end") - pl.col("start")
    detail = pl.col("staging").cast(pl.Enum(STAGINGS)).to_physical()  # 0 = stages
    best_first = versions.sort(
        "updated", length, -detail.cast(pl.Int64), "_latest", "_key", descending=True, nulls_last=True
    )
    return best_first.unique(KEY, keep="first", maintain_order=True).select(SCHEMA.names()).sort("start", *KEY)


def _scan_file(folder: StudyFolder, file: SleepFile) -> pl.LazyFrame:
    path = file.path(folder)
    if not path.is_file():
        raise TamperedError(f"{path} is missing, but the record admits it. Restore it, or run nof1 verify.")
    about = read_about(path)
    if about.get("schema", 0) > SCHEMA_VERSION:
        raise DataError(f"{path} was written by a newer nof1 (table version {about['schema']}). Update nof1.")
    sessions = pl.scan_parquet(path, hive_partitioning=False).cast(SCHEMA)
    return sessions.with_columns(_latest=pl.col("end").max(), _key=pl.lit(file.key))


def read_about(path: Path) -> dict[str, Any]:
    """What a sleep file says of itself: export, connector, options, counts, rejected records.

    Raises
    ------
    DataError
        It is not a sleep file.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
        about: dict[str, Any] = json.loads(metadata[METADATA_KEY])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} is not a sleep file of nof1: {error}. Restore it, or run nof1 verify.") from error
    return about


def sweep_interrupted(folder: StudyFolder, participant: str, written: Sequence[SleepFile]) -> list[Path]:
    """Remove what an interrupted import left behind; call it while holding the record's transaction.

    Parameters
    ----------
    written
        Every file that the record ever admitted, those of retracted imports too.
    """
    kept = {file.path(folder) for file in written}
    home = folder.sleep(participant)
    if home.is_symlink() or not home.is_dir():
        return []
    left = [path for path in sorted(home.iterdir()) if path not in kept and OWN_NAME.fullmatch(path.name)]
    for path in left:
        path.unlink(missing_ok=True)
    return left


def file_fault(folder: StudyFolder, file: SleepFile) -> str | None:
    """What is wrong with an admitted file, or None."""
    path = file.path(folder)
    if not path.is_file():
        return f"{path.name} is missing"
    if hashlib.sha256(path.read_bytes()).hexdigest() != file.sha256:
        return f"{path.name} is not what was imported: its bytes changed"
    return None
