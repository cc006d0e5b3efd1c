"""What exports tell otherwise than what stood, and what nof1 infers of their devices: in words, never in silence."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Final

import polars as pl

from nof1.connect.ledger import counted
from nof1.sleep.assembly import SHORT_MIN
from nof1.sleep.session import KEY
from nof1.sleep.versions import devices_known, name_devices, rank_exports, standing
from nof1.store.sessions import SleepFile, as_version, scan_versions
from nof1.study.import_summary import ReadExport
from nof1.study.study import Study

_STAND = (
    "{sessions} that stood {differ} in what is imported now. The later import stands: it reaches as far as what stood, "
    "or further, or its vendor changed them later. If it is the older export, withdraw it with nof1 retract."
)
_FALL = (
    "{sessions} of what is imported now {differ} from what stands, and {do} not stand: another export reaches further, "
    "came later, tells them in finer stages, or with a later change of its vendor. nof1 imports lists every import, "
    "nof1 retract withdraws one."
)

_TWO = (
    "These look like two people's nights: of {both} nights that an earlier import tells too, {elsewhere} begin or end "
    "more than a quarter of an hour elsewhere. If they are, withdraw the import that is not this person's: nof1 "
    "imports lists every import, nof1 retract withdraws one. Then import it for whose it is, with --participant."
)
ALIKE: Final = timedelta(minutes=15)
"""By how much the bounds of one night may differ between two exports of one person: by what vendors revise."""
FEWEST_OF_TWO: Final = 3
"""Fewer nights that lie elsewhere are chance: an evening on which the watch was lent, a night revised."""


def tell_differences(study: Study, files: Sequence[SleepFile], exports: Sequence[ReadExport]) -> list[str]:
    """Say how many sessions differ between these exports and what stands, and whose word stands.

    Parameters
    ----------
    files
        What the record admitted before these exports.
    exports
        As they were read: their devices are inferred here.
    """
    there = [file for file in files if file.path(study.folder).exists()]  # the import may bring a lost one back
    known = {file.key for file in there}
    at = study.clock().astimezone(UTC).isoformat(timespec="microseconds")
    fresh = [
        as_version(export.imported.sessions.lazy(), SleepFile("", export.key, "", at), len(there) + nth)
        for nth, export in enumerate({one.key: one for one in exports if one.key not in known}.values())
    ]
    if not fresh:
        return []
    versions = pl.concat([scan_versions(study.folder, there), *fresh])
    devices = devices_known(versions).collect()
    versions = name_devices(versions, devices.lazy()).collect().lazy()
    notes = _differences(versions, len(there)) if len(there) + len(fresh) > 1 else []
    before = devices_known(scan_versions(study.folder, there)).collect()
    fresh_sources = versions.filter(pl.col("_nth") >= len(there)).select("source").unique().collect()["source"]
    return [
        *notes,
        *_moved(before, devices),
        *_inferred(devices.filter(pl.col("source").is_in(fresh_sources.to_list()))),
    ]


def _differences(versions: pl.LazyFrame, first: int) -> list[str]:
    """Compare what stood, the exports before the place `first`, and all later ones with what stands in the end."""
    held, fresh = pl.col("_nth") < first, pl.col("_nth") >= first
    stands = standing(versions).collect().lazy()
    replaced = _differing(standing(versions.filter(held)), stands)
    fallen = _differing(rank_exports(versions).filter(fresh), stands)
    told = _two_people(rank_exports(versions), first)
    if replaced:
        told.append(_STAND.format(sessions=counted(replaced, "session"), differ=_verb(replaced, "differ")))
    if fallen:
        do = "does" if fallen == 1 else "do"
        told.append(_FALL.format(sessions=counted(fallen, "session"), differ=_verb(fallen, "differ"), do=do))
    return told


def _two_people(versions: pl.LazyFrame, first: int) -> list[str]:
    """Say whether most nights that these exports and earlier ones both tell lie elsewhere, as those of two people do.

    A night lies elsewhere where no overlapping session of its stream begins and ends within `ALIKE` of it. What a
    vendor revises, and a zone that was stated otherwise, moves few nights, or none on the wall clock.
    """
    long = pl.col("end") - pl.col("start") >= timedelta(minutes=SHORT_MIN)
    bounds = versions.filter(long).select("stream", "_nth", "_stated", "_from", "_to", night=pl.int_range(pl.len()))
    same = [pl.col(name) == pl.col(f"{name}_before") for name in ("stream", "_stated")]
    overlap = [pl.col("_from") < pl.col("_to_before"), pl.col("_to") > pl.col("_from_before")]
    both = bounds.filter(pl.col("_nth") >= first).join_where(
        bounds, *same, pl.col("_nth") > pl.col("_nth_before"), *overlap, suffix="_before"
    )
    alike = pl.all_horizontal((pl.col(edge) - pl.col(f"{edge}_before")).abs() <= ALIKE for edge in ("_from", "_to"))
    nights = both.group_by("night").agg(_elsewhere=~alike.any()).collect()
    elsewhere = nights["_elsewhere"].sum()
    if elsewhere < FEWEST_OF_TWO or elsewhere <= nights.height / 2:
        return []
    return [_TWO.format(elsewhere=elsewhere, both=nights.height)]


def _differing(sessions: pl.LazyFrame, stands: pl.LazyFrame) -> int:
    """How many of these sessions stand with other bounds, or measured otherwise as finely, or not at all."""
    both = sessions.join(stands, on=KEY, how="left", suffix="_stands")
    missing = pl.col("start_stands").is_null()
    bounds = pl.any_horizontal(pl.col(edge) != pl.col(f"{edge}_stands") for edge in ("_from", "_to"))
    measured = pl.any_horizontal(pl.col(what).ne_missing(pl.col(f"{what}_stands")) for what in ("hypnogram", "totals"))
    as_finely = pl.col("staging") == pl.col("staging_stands")
    differ = missing | bounds | (as_finely & measured)
    return both.filter(differ).select(KEY).unique().collect().height


def _moved(before: pl.DataFrame, now: pl.DataFrame) -> list[str]:
    both = before.filter("_inferred").join(now, on=["_key", "source", *KEY], suffix="_now")
    moved = both.filter(pl.col("_known") != pl.col("_known_now")).select("_known", "_known_now", "record_id").unique()
    counts = moved.group_by("_known", "_known_now").len().sort("_known", "_known_now")
    return [
        f"{counted(count, 'session')} that nof1 had taken for {stream} belong{'s' if count == 1 else ''} to {told} by "
        "what is imported now."
        for stream, told, count in counts.iter_rows()
    ]


def _inferred(devices: pl.DataFrame) -> list[str]:
    counts = devices.filter("_inferred").select("_known", "record_id").unique().group_by("_known").len().sort("_known")
    return [
        f"{counted(count, 'session')} {'is' if count == 1 else 'are'} taken for {stream}: no export tells the device, "
        "and this is the only one known. If another recorded some of them, import its export too."
        for stream, count in counts.iter_rows()
    ]


def _verb(count: int, verb: str) -> str:
    return f"{verb}s" if count == 1 else verb
