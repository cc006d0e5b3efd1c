"""Several versions of one session: which one stands, everywhere alike."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from nof1.sleep.session import KEY, STAGINGS, STATED_ZONES, UNKNOWN_DEVICE

_OWNER: Final = ("participant", "source")
_TOLD: Final = ("_key", "source", *KEY)
_UNKNOWN: Final = pl.col("source") + f"/{UNKNOWN_DEVICE}"
_EXPORT: Final = ("participant", "stream", "_key")
_CLOCK: Final = ("participant", "stream", "_stated")
AHEAD: Final = timedelta(days=1)
"""How far behind an import's instant a session may end: a zone that was stated wrongly shifts it by less."""

OF_UNKNOWN_DEVICE: Final = pl.col("stream") == _UNKNOWN
"""Whether nobody has said yet which device a session is of."""
STATED_ZONE: Final = pl.col("zone_source").is_in(STATED_ZONES)
"""Whether a person stated the zone of a session, and not its export."""


def devices_known(told: pl.LazyFrame) -> pl.LazyFrame:
    """Find the devices of sessions whose own export tells of none, from the exports that tell.

    A session takes the stream under which another export knows the same record. What no other export knows goes with
    the rest of its export, if all devices that are known there are one: an export that leaves out its devices leaves
    out those of all its sessions. Where two devices are known nobody can say whose the rest is, and it stays unknown;
    so does what an export that tells devices calls unknown.

    Parameters
    ----------
    told
        `_key`, the export, with `source` and the columns of `session.KEY`; any number of exports.

    Returns
    -------
    pl.LazyFrame
        The sessions of exports that tell no device, with the stream that they belong to in `_known`; `_inferred` where
        no export tells that, but all that tell a device tell this one.
    """
    streams = pl.col("stream").filter(~OF_UNKNOWN_DEVICE)
    told = told.select(_TOLD)
    silent = told.group_by("_key", *_OWNER).agg(_silent=OF_UNKNOWN_DEVICE.all())
    told = told.join(silent, on=["_key", *_OWNER])
    twins = (
        told.filter(~pl.col("_silent"))
        .group_by(*_OWNER, "record_id")
        .agg(_twin=pl.when(streams.n_unique() == 1).then(streams.first()))
        .with_columns(pl.col("_twin").fill_null(_UNKNOWN))
    )
    asked = told.filter("_silent").join(twins, on=[*_OWNER, "record_id"], how="left")
    known = pl.col("_twin").filter(pl.col("_twin") != _UNKNOWN)
    rest = asked.group_by("_key", *_OWNER).agg(_rest=pl.when(known.n_unique() == 1).then(known.first()))
    inferred = pl.col("_twin").is_null() & pl.col("_rest").is_not_null()
    named = asked.join(rest, on=["_key", *_OWNER])
    return named.select(*_TOLD, _known=pl.coalesce("_twin", "_rest", "stream"), _inferred=inferred)


def name_devices(versions: pl.LazyFrame, known: pl.LazyFrame) -> pl.LazyFrame:
    """Give sessions the streams that `devices_known` found.

    Parameters
    ----------
    versions
        The columns of `session.Sessions`, and `_key`.
    """
    known = known.select(*_TOLD, "_known")
    unknown = versions.filter(OF_UNKNOWN_DEVICE).join(known, on=_TOLD, how="left")
    named = unknown.with_columns(stream=pl.coalesce("_known", "stream")).drop("_known")
    return pl.concat([versions.filter(~OF_UNKNOWN_DEVICE), named])


def keep_zones(versions: pl.LazyFrame) -> pl.LazyFrame:
    """Leave out versions of a session that were read in another stated zone than its first version.

    A person who moves reads an export of all nights in the new zone; the old ones were not slept there.

    Parameters
    ----------
    versions
        The columns of `session.Sessions`, and `_nth`, the place of the export among all.
    """
    zone = pl.when(STATED_ZONE).then("zone")
    first = versions.with_columns(_zone=zone).filter(pl.col("_zone").is_not_null())
    first = first.group_by(KEY).agg(_first_zone=pl.col("_zone").sort_by("_nth").first())
    kept = versions.join(first, on=KEY, how="left").filter((zone == pl.col("_first_zone")).fill_null(value=True))
    return kept.drop("_first_zone")


def keep_best[Frame: (pl.DataFrame, pl.LazyFrame)](
    versions: Frame, *, newest: Sequence[str] = (), last_resort: Sequence[str]
) -> Frame:
    """Keep one version of each session.

    The one that the vendor changed last stands; then the more finely staged; then the one of the newer export; then the
    longer; then the one of more segments; then what `last_resort` says. Never the order in which they came. The length
    comes late, because a vendor's correction may be shorter than what it corrects.

    Parameters
    ----------
    versions
        The columns of `session.Sessions`, and those of `newest` and `last_resort`.
    newest, last_resort
        Columns of which the greater value stands.
    """
    coarseness = pl.col("staging").cast(pl.Enum(STAGINGS)).to_physical().cast(pl.Int64)  # 0 = stages
    preference = [
        pl.col("updated"),
        -coarseness,
        *(pl.col(name) for name in newest),
        pl.col("end") - pl.col("start"),
        pl.col("hypnogram").list.len(),
        *(pl.col(name) for name in last_resort),
    ]
    return versions.sort(*preference, descending=True, nulls_last=True).unique(KEY, keep="first", maintain_order=True)


def standing(versions: pl.LazyFrame) -> pl.LazyFrame:
    """Find what stands: of each session one version, and none that a newer export told otherwise.

    Parameters
    ----------
    versions
        The columns of `session.Sessions`, of known devices; `_key`, the export; `_nth`, its place among all; `_at`, the
        instant of its import, or null.

    Returns
    -------
    pl.LazyFrame
        The same columns and those of `rank_exports`.
    """
    best = keep_best(keep_zones(rank_exports(versions)), newest=["_rank"], last_resort=())
    return drop_superseded(best.collect().lazy())  # else every join below would read all exports again


def rank_exports(versions: pl.LazyFrame) -> pl.LazyFrame:
    """Rank the exports of each stream by how new they are.

    The export that reaches further in time is the newer. Where the last sessions of two overlap they tell one night,
    and neither reaches further: the one imported later is the newer. What ends after its import was not slept, and
    counts only where all do. Streams are ranked apart, for an archive holds several that reach to different dates.

    Parameters
    ----------
    versions
        As in `standing`; versions in other zones than the one that stands included, for they say what an export tells.

    Returns
    -------
    pl.LazyFrame
        The same and `_rank`, the greater the newer; `_told`, the greatest rank of all exports that tell the session;
        `_from` and `_to`, its bounds on the wall clock where its zone was `_stated`, else as instants; `_first`, the
        least `_from` of the export of rank `_told`.
    """
    # what a person stated moves whole exports: two zones tell one night alike on the wall clock only
    offset = [pl.when(STATED_ZONE).then(f"offset_{edge}").fill_null(0) for edge in ("start", "end")]
    versions = versions.with_columns(
        _from=pl.col("start") + pl.duration(minutes=offset[0]),
        _to=pl.col("end") + pl.duration(minutes=offset[1]),
        _stated=STATED_ZONE,
    )
    slept = (pl.col("end") <= pl.col("_at") + AHEAD).fill_null(value=True)
    last = {f"_last_{edge}": pl.col(edge).sort_by(slept, "end").last() for edge in ("start", "end")}
    exports = versions.group_by(*_EXPORT, "_nth").agg(**last).sort("_last_start")
    further = pl.col("_last_start") >= pl.col("_last_end").cum_max().shift(1)
    exports = exports.with_columns(_reach=further.fill_null(value=False).cum_sum().over("participant", "stream"))
    exports = exports.sort("_reach", "_nth").with_columns(_rank=pl.int_range(pl.len()).over("participant", "stream"))
    ranked = versions.join(exports.select(*_EXPORT, "_rank"), on=_EXPORT)
    first = pl.col("_from").min().over("_key", *_CLOCK)
    return ranked.with_columns(_first=first).with_columns(
        _told=pl.col("_rank").max().over(KEY), _first=pl.col("_first").get(pl.col("_rank").arg_max()).over(KEY)
    )


def drop_superseded(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Leave out what a newer export told otherwise: its sessions that overlap an older one's, which it does not tell.

    Vendors revise the bounds of a night, and where they give no id, a session with other bounds is another session. An
    export speaks for the time from its first session on.

    Parameters
    ----------
    sessions
        Each session once, with the columns of `rank_exports`.
    """
    told = sessions.select(*KEY, "_stated", "_from", "_to", "_first", rank="_told")
    newer = told.select(*_CLOCK, newer="rank", newer_first="_first").unique()
    asked = told.join(newer, on=_CLOCK).filter(
        pl.col("rank") < pl.col("newer"), pl.col("_from") >= pl.col("newer_first")
    )
    # of all that begin before a session ends, the one that ends last overlaps it if any does
    latest = pl.col("_to").cum_max().over(*_CLOCK, "rank")
    spoken = told.sort("_from").select(*_CLOCK, newer="rank", newer_from="_from", newer_to=latest)
    overruled = asked.sort("_to").join_asof(
        spoken,
        left_on="_to",
        right_on="newer_from",
        by=[*_CLOCK, "newer"],
        allow_exact_matches=False,
        check_sortedness=False,  # polars cannot check within groups, and both are sorted here
    )
    overruled = overruled.filter(pl.col("newer_to") > pl.col("_from"))
    return sessions.join(overruled.select(KEY).unique(), on=KEY, how="anti")
