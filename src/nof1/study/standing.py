"""Exports beside what stands already: which device their sessions are of, and in which zone their old nights stay."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import polars as pl

from nof1.connect.ledger import counted
from nof1.errors import UsageError
from nof1.sleep.session import KEY, Sessions
from nof1.sleep.versions import STATED_ZONE, devices_known, name_devices
from nof1.store.events import Record
from nof1.store.sessions import SleepFile, scan_sessions, scan_versions
from nof1.store.state import admitted_files
from nof1.study.import_summary import ReadExport
from nof1.study.study import Participant, Study


def with_known_devices(study: Study, files: Sequence[SleepFile], exports: Sequence[ReadExport]) -> list[ReadExport]:
    """Give exports as they will stand beside the files: sessions of unknown device in the stream that others know."""
    there = [file for file in files if file.path(study.folder).exists()]  # the import may bring a lost one back
    held = scan_versions(study.folder, there)
    own = [export.imported.sessions.lazy().with_columns(_key=pl.lit(export.key)) for export in exports]
    columns = ("_key", "source", *KEY)
    known = devices_known(pl.concat([each.select(columns) for each in (held, *own)]).unique()).collect().lazy()
    return [_named(export, name_devices(sessions, known)) for export, sessions in zip(exports, own, strict=True)]


def _named(export: ReadExport, sessions: pl.LazyFrame) -> ReadExport:
    named = sessions.drop("_key").sort("start", "stream", "record_id").collect()
    return replace(export, imported=replace(export.imported, sessions=Sessions.cast(named)))


def tell_other_zones(study: Study, record: Record, person: Participant, exports: Iterable[ReadExport]) -> list[str]:
    """Say which sessions of these exports stand already, in another zone than they are read in now.

    They keep that zone (`nof1.sleep.versions.keep_zones`), and new ones have the new: so a person who moves goes on.

    Raises
    ------
    UsageError
        An export tells nothing new: a correction of the zone was meant, and the former import stands in its way.
    """
    files = [file for file in admitted_files(record, person.code) if file.path(study.folder).exists()]
    standing = scan_sessions(study.folder, files).select(*KEY, "zone", "zone_source").collect()
    versions = scan_versions(study.folder, files)
    stated = name_devices(versions, devices_known(versions)).filter(STATED_ZONE)
    return [note for export in exports if (note := _other_zone(export, standing, stated)) is not None]


def _other_zone(export: ReadExport, standing: pl.DataFrame, stated: pl.LazyFrame) -> str | None:
    own, now = export.imported.sessions, export.about["zone"]
    again = own.filter(STATED_ZONE).join(standing.filter(STATED_ZONE), on=KEY, suffix="_standing")
    zones = set(again.filter(pl.col("zone") != pl.col("zone_standing"))["zone_standing"])
    if not zones:
        return None
    kept = again.filter(pl.col("zone_standing").is_in(zones))
    new = own.join(standing, on=KEY, how="anti").height
    named = " and ".join(sorted(zones))
    holding = stated.join(kept.lazy(), left_on=[*KEY, "zone"], right_on=[*KEY, "zone_standing"], how="semi")
    imports = holding.select("_nth", "_key").unique().sort("_nth").collect()
    retract = " and ".join(f'nof1 retract {key[:8]} --reason "wrong zone"' for key in imports["_key"])
    if not new:
        raise UsageError(
            f"{export.path} holds nothing new, and its {counted(kept.height, 'session')} were imported before, in the "
            f"zone {named}. To add later nights give the same zone. If that zone was wrong: {retract}, and import "
            "again."
        )
    return (
        f"{counted(kept.height, 'session')} of {export.path} stood already, read in {named}, and keep that zone; the "
        f"{counted(new, 'new session')} are read in {now}. If {named} was wrong for the old ones: {retract}; then all "
        f"are read in {now}."
    )
