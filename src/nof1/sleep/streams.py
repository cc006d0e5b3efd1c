"""The streams of each participant: how many nights each holds and what it can tell about latency; which one to use."""

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from nof1.errors import DataError
from nof1.sleep.assembly import SHORT_MIN
from nof1.sleep.sleeps import OWNER, find_sleeps

DEVICE_LATENCY_SOURCES: Final = ("in_bed", "vendor", "stages")
"""What a device may offer, best first: a mark of going to bed, its own figure, the wake that begins its recording."""

ENOUGH: Final = 0.5
"""A latency source is worth choosing if it covers at least this share of the nights."""

GRAINS_S: Final = (300, 60, 30)
"""The grains of time, in seconds, that wearables are known to use, coarsest first."""

ON_GRAIN: Final = 0.95


def describe_streams(sessions: pl.DataFrame, *, merge_gap_min: int = 60, night_boundary_h: float = 12) -> pl.DataFrame:
    """Describe every stream, one row a participant and stream.

    Only nights of at least 180 minutes of sleep count: a stream of naps is not a stream of nights.

    Parameters
    ----------
    sessions
        Obeys `session.Sessions`; any number of participants and streams.
    merge_gap_min, night_boundary_h
        See `sleeps.find_sleeps`.

    Returns
    -------
    pl.DataFrame
        `participant`, `stream`, `sessions`, `nights`, `first_night`, `last_night`, `staged_share` (of the nights; these
        three are null where there is no night), and on how many nights each source can tell latency: `latency_in_bed`,
        `latency_vendor`, `latency_stages` (the recording begins with wake), `latency_none` (none of them can).
        Sorted by participant and stream.
    """
    sleeps = find_sleeps(sessions, merge_gap_min=merge_gap_min, night_boundary_h=night_boundary_h).table
    vendor = pl.when("placed").then("vendor_sol_s").otherwise("unplaced_sol_s")
    nights = sleeps.filter(pl.col("main") & (pl.col("tst_min") >= SHORT_MIN)).with_columns(
        latency_in_bed=pl.col("in_bed").is_not_null() & pl.col("placed"),
        latency_vendor=vendor.is_not_null(),
        latency_stages=pl.col("leads_with_wake") & ~pl.col("starts_at_onset"),
    )
    offered = [f"latency_{source}" for source in DEVICE_LATENCY_SOURCES]
    counted = nights.group_by(OWNER).agg(
        nights=pl.len(),
        first_night=pl.col("night").min(),
        last_night=pl.col("night").max(),
        staged_share=pl.col("staged").mean(),
        latency_none=(~pl.any_horizontal(offered)).sum(),
        **{source: pl.col(source).sum() for source in offered},
    )
    return (
        sessions.group_by(OWNER)
        .agg(sessions=pl.len())
        .join(counted, on=OWNER, how="left")
        .with_columns(pl.col("nights", "latency_none", *offered).fill_null(0).cast(pl.Int64))
        .select(*OWNER, "sessions", "nights", "first_night", "last_night", "staged_share", *offered, "latency_none")
        .sort(OWNER)
    )


def choose_stream(described: pl.DataFrame) -> str:
    """Choose the stream of one participant: most staged nights; then most nights; then the last by name.

    A phone that has counted hours for years must not win over the watch that stages them. Of two algorithms of one
    vendor the last by name is the newer.

    Parameters
    ----------
    described
        The rows of `describe_streams` of one participant.

    Raises
    ------
    nof1.errors.DataError
        There is no stream, or the rows are of several participants.
    """
    people = described["participant"].n_unique()
    if people != 1:
        raise DataError(f"A stream is chosen for one participant at a time; these rows describe {people}.")
    staged = (pl.col("nights") * pl.col("staged_share")).round().fill_null(0)
    return str(described.sort(staged, "nights", "stream")["stream"].last())


def best_latency_source(row: Mapping[str, Any]) -> str:
    """Choose the best latency source that covers at least half of the nights of a stream; `none` if there is none.

    Parameters
    ----------
    row
        One row of `describe_streams`.
    """
    enough = max(ENOUGH * row["nights"], 1)
    return next((source for source in DEVICE_LATENCY_SOURCES if row[f"latency_{source}"] >= enough), "none")


def grain_min(sessions: pl.DataFrame) -> float:
    """Tell how finely a stream's hypnograms divide time, in minutes: what is shorter cannot be seen.

    The coarsest of 5 minutes, 1 minute and 30 seconds on which 95 % of the changes of stage fall (a recording may break
    off between); else one second. Without any change of stage, 1: sums and marks come in whole minutes.

    Parameters
    ----------
    sessions
        Obeys `session.Sessions`; of one stream.
    """
    changes = sessions["hypnogram"].explode().struct.field("start_s").drop_nulls()
    changes = changes.filter(changes > 0)
    if changes.is_empty():
        return 1.0
    fit = (grain for grain in GRAINS_S if (changes % grain == 0).sum() >= ON_GRAIN * changes.len())
    return next(fit, 1) / 60
