"""The segments of each sleep: the hypnograms of its sessions laid on one time line, overlaps resolved by instant.

A *sleep* is one session, or several close together (`assembly` decides which, and numbers them). The frame made here is
the one that the expressions of `measures` aggregate. Exact: nothing is resampled.
"""

from typing import Final

import polars as pl

from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, PRECEDENCE, REM, SLEEP, STAGES, UNSCORED, WAKE

_STAGE: Final = pl.Enum(STAGES)
_COLUMNS: Final = ("sleep", "session", "stage", "start", "end", "length", "from_stages")
_SLEPT: Final = pl.col("stage").is_in(SLEEP)


def lay_out_segments(sessions: pl.DataFrame) -> pl.DataFrame:
    """Lay the hypnograms of every sleep on its time line.

    Parameters
    ----------
    sessions
        Sessions with three columns more: `sleep`, the number of the sleep that the session belongs to; `session`, its
        own number (where two sessions say different things of one instant and neither is more specific, the lower
        number speaks); `overlapping`, true where sessions of the sleep overlap.

    Returns
    -------
    pl.DataFrame
        One row a segment, in order: `sleep`, `session` (null in a gap between sessions), `stage`, `start`, `end`,
        `length`, `run_length`, `run_starts`, and for the whole sleep `onset`, `last_sleep`, `staged`, `placed`: see
        `measures`. Time that no segment covers is unscored; a sleep in which nothing was scored has no row.
    """
    placed = _placed_segments(sessions)
    contested = placed.filter("overlapping").drop("overlapping")
    segments = pl.concat(
        [
            placed.filter(~pl.col("overlapping")).select(_COLUMNS),
            _resolve_by_instant(contested).select(_COLUMNS),
            _gaps_between_sessions(sessions).join(placed, on="sleep", how="semi").select(_COLUMNS),
            _segments_from_totals(sessions).select(_COLUMNS),
        ]
    )
    return _with_whole_sleep(_with_runs(segments.sort("sleep", "start", maintain_order=True)))


def _placed_segments(sessions: pl.DataFrame) -> pl.DataFrame:
    after_start = pl.duration(seconds=pl.col("start_s").cast(pl.Int64))
    length = pl.duration(seconds=pl.col("seconds").cast(pl.Int64))
    return (
        sessions.filter(pl.col("hypnogram").list.len() > 0)
        .select("sleep", "session", "start", "overlapping", "hypnogram", from_stages=pl.col("staging") == "stages")
        .explode("hypnogram")
        .unnest("hypnogram")
        .filter(pl.col("stage") != UNSCORED)
        .with_columns(start=pl.col("start") + after_start, length=length)
        .with_columns(end=pl.col("start") + pl.col("length"))
        .select(*_COLUMNS, "overlapping")
    )


def _resolve_by_instant(segments: pl.DataFrame) -> pl.DataFrame:
    """Cut time at every bound of any session; in each cell the most specific stage speaks, then the first session."""
    bounds = pl.concat([segments.select("sleep", at="start"), segments.select("sleep", at="end")])
    cells = bounds.unique().sort("sleep", "at").with_row_index("cell")
    first = cells.select("sleep", start="at", first="cell")
    beyond = cells.select("sleep", end="at", beyond="cell")
    return (
        segments.join(first, on=["sleep", "start"])
        .join(beyond, on=["sleep", "end"])
        .with_columns(
            cell=pl.int_ranges("first", "beyond", dtype=pl.UInt32),
            precedence=pl.col("stage").cast(pl.String).replace_strict(PRECEDENCE, return_dtype=pl.Int8),
        )
        .explode("cell")
        .sort("cell", "precedence", "session")
        .unique("cell", keep="first", maintain_order=True)
        .drop("start", "end")
        .join(cells.with_columns(end=pl.col("at").shift(-1)).rename({"at": "start"}), on=["cell", "sleep"])
        .with_columns(length=pl.col("end") - pl.col("start"))
    )


def _gaps_between_sessions(sessions: pl.DataFrame) -> pl.DataFrame:
    """Fill the time between two recordings of one sleep with wake: the person was up."""
    recorded_until = pl.col("end").cum_max().shift(1).over("sleep")
    return (
        sessions.filter(~_unplaced().any().over("sleep"))
        .sort("sleep", "start")
        .with_columns(end="start", start=recorded_until)
        .filter(pl.col("start") < pl.col("end"))
        .with_columns(
            session=pl.lit(None, dtype=sessions.schema["session"]),
            stage=pl.lit(WAKE, dtype=_STAGE),
            length=pl.col("end") - pl.col("start"),
            from_stages=pl.lit(False),
        )
    )


def _segments_from_totals(sessions: pl.DataFrame) -> pl.DataFrame:
    """Turn a vendor's sums into segments without a place. `asleep_s` is read as all sleep, staged or not."""
    staged_s = pl.sum_horizontal("light_s", "deep_s", "rem_s")
    instant = sessions.schema["start"]
    return (
        sessions.filter(_unplaced() & pl.col("totals").is_not_null())
        .select("sleep", "session", "totals")
        .unnest("totals")
        .select(
            "sleep",
            "session",
            pl.col("deep_s").is_not_null().alias("from_stages"),
            pl.col("wake_s").alias(WAKE),
            pl.col("light_s").alias(LIGHT),
            pl.col("deep_s").alias(DEEP),
            pl.col("rem_s").alias(REM),
            (pl.col("asleep_s") - staged_s).clip(0).alias(ASLEEP),
        )
        .unpivot(index=["sleep", "session", "from_stages"], variable_name="stage", value_name="seconds")
        .drop_nulls("seconds")
        .with_columns(
            pl.col("stage").cast(_STAGE),
            start=pl.lit(None, dtype=instant),
            end=pl.lit(None, dtype=instant),
            length=pl.duration(seconds=pl.col("seconds").cast(pl.Int64)),
        )
    )


def _unplaced() -> pl.Expr:
    return pl.col("hypnogram").list.len().fill_null(0) == 0


def _with_runs(segments: pl.DataFrame) -> pl.DataFrame:
    """A run ends where sleep turns to wake or back, and where unscored time comes between."""
    same = [(now == now.shift(1)) for now in (pl.col("sleep"), _SLEPT)]
    goes_on = same[0] & same[1] & (pl.col("start") == pl.col("end").shift(1))
    return (
        segments.with_columns(run_starts=~goes_on.fill_null(False))
        .with_columns(run=pl.col("run_starts").cum_sum())
        .with_columns(run_length=pl.col("length").sum().over("run"))
        .drop("run")
    )


def _with_whole_sleep(segments: pl.DataFrame) -> pl.DataFrame:
    placed = pl.col("start").is_not_null().all()
    unstaged_sleep = (_SLEPT & ~pl.col("from_stages")).any()
    only_asleep = (pl.col("stage") == ASLEEP).any() & ~pl.col("stage").is_in([LIGHT, DEEP, REM]).any()
    whole = segments.group_by("sleep").agg(
        placed=placed,
        onset=pl.when(placed).then(pl.col("start").filter(_SLEPT).min()),
        last_sleep=pl.when(placed).then(pl.col("end").filter(_SLEPT).max()),
        staged=pl.col("from_stages").any() & ~unstaged_sleep & ~only_asleep,
    )
    return segments.drop("from_stages").join(whole, on="sleep", how="left", maintain_order="left")
