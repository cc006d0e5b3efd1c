"""Sleep sessions as immutable Parquet: one file an import, named by what it holds; read as one table.

Only files that the record admits are read. The same session seen in several imports resolves by the rule of
`nof1.sleep.versions`; the order of import decides only between exports that reach equally far.
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
from nof1.sleep.session import KEY, SCHEMA, Sessions
from nof1.sleep.versions import OF_UNKNOWN_DEVICE, devices_known, name_devices, standing
from nof1.store.folder import StudyFolder, write_private_file

SCHEMA_VERSION: Final = 1
METADATA_KEY: Final = b"nof1"
OWN_NAME: Final = re.compile(r"[0-9a-f]{32}\.parquet|\.[0-9a-f]{32}\.parquet\.\d+\.tmp")
"""What nof1 itself may have left behind; anything else in the folder is somebody's."""


@dataclass(frozen=True, slots=True)
class SleepFile:
    """One admitted file: whose, which key, the hash of its bytes, and when it was imported (ISO 8601), if it was."""

    participant: str
    key: str
    sha256: str
    at: str | None = None

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

    Parameters
    ----------
    files
        In the order in which they were admitted: a session keeps the zone that was stated first, and of exports that
        reach equally far the later is the newer.

    Raises
    ------
    TamperedError
        An admitted file is missing.
    DataError
        A newer nof1 wrote one of them.
    """
    if not files:
        return pl.LazyFrame(schema=SCHEMA)
    stands = standing(_with_devices(scan_versions(folder, files)))
    return stands.select(SCHEMA.names()).sort("start", *KEY)


def scan_versions(folder: StudyFolder, files: Sequence[SleepFile]) -> pl.LazyFrame:
    """Every session as each admitted file tells it, with `_key`, the file, `_nth`, its place, and `_at`, when it came.

    Raises
    ------
    TamperedError, DataError
        As `scan_sessions`.
    """
    if not files:
        return pl.LazyFrame(schema={**SCHEMA, "_key": pl.String, "_nth": pl.Int32, "_at": SCHEMA["end"]})
    return pl.concat([as_version(_scan_file(folder, file), file, nth) for nth, file in enumerate(files)])


def as_version(sessions: pl.LazyFrame, file: SleepFile, nth: int) -> pl.LazyFrame:
    """Mark the sessions of one file with `_key`, `_nth` and `_at`, as `scan_versions` does."""
    at = pl.lit(file.at, pl.String).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_zone="UTC", strict=False)
    return sessions.with_columns(_key=pl.lit(file.key), _nth=pl.lit(nth, pl.Int32), _at=at.cast(SCHEMA["end"]))


def _with_devices(versions: pl.LazyFrame) -> pl.LazyFrame:
    """Give each version its device; where all are told, which is the rule, nothing is joined."""
    told = versions.select("_key", "source", *KEY).collect()
    if not told.select(OF_UNKNOWN_DEVICE.any()).item():
        return versions
    return name_devices(versions, devices_known(told.lazy()))


def _scan_file(folder: StudyFolder, file: SleepFile) -> pl.LazyFrame:
    path = file.path(folder)
    if not path.is_file():
        raise TamperedError(f"{path} is missing, but the record admits it. Restore it, or run nof1 verify.")
    about = read_about(path)
    if about.get("schema", 0) > SCHEMA_VERSION:
        raise DataError(f"{path} was written by a newer nof1 (table version {about['schema']}). Update nof1.")
    return pl.scan_parquet(path, glob=False, hive_partitioning=False).cast(SCHEMA)


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
