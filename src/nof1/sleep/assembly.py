"""Sessions -> nights: main sleeps with their naps, lights-out from one source, the measures, and what to beware of.

Which sessions are one sleep, and which night it belongs to, is said in `sleeps`. Instants are subtracted from instants:
a clock change neither makes nor loses a minute.
"""

from datetime import timedelta
from typing import Final

import dataframely as dy
import polars as pl

from nof1.errors import DataError, UsageError
from nof1.sleep.measures import MEASURES
from nof1.sleep.nights import (
    ALGORITHM_CHANGED,
    DEVICE_CHANGED,
    LATENCY_SOURCES,
    LIGHTS_OUT_AFTER_ONSET,
    LIGHTS_OUT_TOO_EARLY,
    MERGED,
    NO_LIGHTS_OUT,
    OVERLAP,
    SCHEMA,
    SHORT,
    UNSTAGED,
    Nights,
)
from nof1.sleep.session import INCOMPLETE
from nof1.sleep.sleeps import OWNER, find_sleeps, naps_before_nights

SHORT_MIN: Final = 180
"""A night of less sleep than this is flagged `short`."""

UNSCORED_SHARE: Final = 0.1
"""A night of which more than this share was not scored between onset and last sleep is flagged `incomplete`."""

DIARY_GRAIN: Final = timedelta(minutes=5)
"""People write lights-out to the nearest five minutes: so much after the detected onset it still means "at once"."""

LONGEST_LATENCY: Final = timedelta(hours=12)
"""A lights-out longer than this before onset is a slip (11:30 for 23:30), not a latency."""


def assemble_nights(
    sessions: pl.DataFrame,
    *,
    merge_gap_min: int = 60,
    night_boundary_h: float = 12,
    latency_source: str = "stages",
    lights_out: pl.DataFrame | None = None,
) -> dy.DataFrame[Nights]:
    """Assemble the nights of every participant.

    Parameters
    ----------
    sessions
        Obeys `session.Sessions`; one stream a participant.
    merge_gap_min
        Recordings less than so many minutes apart are one sleep.
    night_boundary_h
        The local hour at which one night's date ends and the next begins; 12 for people who sleep at night.
    latency_source
        Where lights-out comes from, for every night alike: `diary` (the logged time), `in_bed` (the vendor's mark),
        `vendor` (onset minus the vendor's own latency), `stages` (the start of the recording) or `none`.
    lights_out
        The diary: `participant`, `night`, `lights_out` (a UTC instant). Read for the source `diary` only.

    Returns
    -------
    dy.DataFrame[Nights]
        Sorted by participant and night. No night is invented, and none that was recorded is left out.

    Raises
    ------
    nof1.errors.DataError
        A participant has several streams, a zone is unknown, or the diary names one night twice.
    nof1.errors.UsageError
        `latency_source` is not one of `nights.LATENCY_SOURCES`.
    """
    if latency_source not in LATENCY_SOURCES:
        raise UsageError(f"latency_source is {latency_source!r}; it can be {', '.join(LATENCY_SOURCES)}.")
    _require_one_stream(sessions)
    sleeps = find_sleeps(sessions, merge_gap_min=merge_gap_min, night_boundary_h=night_boundary_h)
    stated = _with_stated_lights_out(_with_naps(sleeps.table), latency_source, lights_out)
    mains = _with_lights_out(stated)
    measured = mains.drop("tst_min").join(_measure(sleeps.segments, mains), on="sleep", how="left")
    nights = _with_flags(measured.with_columns(sol_source=_sol_source(latency_source)))
    return Nights.validate(nights.select(SCHEMA.names()), cast=True)


def _require_one_stream(sessions: pl.DataFrame) -> None:
    streams = sessions.group_by("participant").agg(pl.col("stream").unique().sort()).sort("participant")
    for participant, names in streams.filter(pl.col("stream").list.len() > 1).iter_rows():
        raise DataError(
            f"Participant {participant} has {len(names)} streams ({', '.join(names)}); nights of different streams "
            "cannot be compared. Keep the sessions of one."
        )


def _with_naps(table: pl.DataFrame) -> pl.DataFrame:
    """Keep the main sleeps, each with the sleep of the naps before it."""
    slept = naps_before_nights(table).group_by(*OWNER, "night").agg(nap_min=pl.col("tst_min").sum())
    return (
        table.filter("main")
        .join(slept, on=[*OWNER, "night"], how="left")
        .with_columns(pl.col("nap_min").fill_null(0.0))
    )


def _with_stated_lights_out(mains: pl.DataFrame, source: str, diary: pl.DataFrame | None) -> pl.DataFrame:
    """Add `lights_out` as the source states it, and `unplaced_sol`: a vendor's latency with no onset to count from."""
    nothing = pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    if source == "diary" and diary is not None:
        return _join_diary(mains, diary).with_columns(unplaced_sol=pl.lit(None, dtype=pl.Duration("us")))
    stated = {
        "in_bed": pl.col("in_bed"),
        "vendor": pl.col("onset") - _seconds("vendor_sol_s"),
        "stages": pl.when(pl.col("placed") & ~pl.col("starts_at_onset")).then("start"),
    }
    unplaced = ~pl.col("placed") & (source == "vendor") & pl.col("tst_min").is_not_null()
    return mains.with_columns(
        lights_out=stated.get(source, nothing),
        unplaced_sol=pl.when(unplaced).then(_seconds("unplaced_sol_s")),
    )


def _seconds(column: str) -> pl.Expr:
    seconds = pl.when(pl.col(column) >= 0).then(column)
    return (seconds * 1_000_000).round().cast(pl.Int64).cast(pl.Duration("us"))


def _join_diary(mains: pl.DataFrame, diary: pl.DataFrame) -> pl.DataFrame:
    twice = diary.filter(diary.select("participant", "night").is_duplicated()).sort("participant", "night")
    if twice.height:
        raise DataError(
            f"The diary has {twice.height} entries of lights-out for nights that are named more than once (first: "
            f"participant {twice['participant'][0]}, night {twice['night'][0]}). Keep one a night."
        )
    stated = diary.select("participant", "night", pl.col("lights_out").cast(pl.Datetime("us", "UTC")))
    return mains.join(stated, on=["participant", "night"], how="left")


def _with_lights_out(mains: pl.DataFrame) -> pl.DataFrame:
    """Judge the stated lights-out against the detected onset: a slip becomes missing, with its reason in `slip`."""
    late = (pl.col("lights_out") > pl.col("onset") + DIARY_GRAIN) | (pl.col("lights_out") >= pl.col("end"))
    early = pl.col("lights_out") < pl.coalesce("onset", "start") - LONGEST_LATENCY
    return (
        mains.with_columns(
            slip=pl.when(late).then(pl.lit(LIGHTS_OUT_AFTER_ONSET)).when(early).then(pl.lit(LIGHTS_OUT_TOO_EARLY))
        )
        .with_columns(lights_out=pl.when(pl.col("slip").is_null()).then("lights_out"))
        .with_columns(lights_out=pl.when(pl.col("lights_out") > pl.col("onset")).then("onset").otherwise("lights_out"))
    )


def _measure(segments: pl.DataFrame, mains: pl.DataFrame) -> pl.DataFrame:
    whole = mains.select("sleep", "lights_out", "unplaced_sol", lights_on="end")
    return (
        segments.join(whole, on="sleep", maintain_order="left")
        .group_by("sleep", maintain_order=True)
        .agg(measure.expression for measure in MEASURES.values())
    )


def _sol_source(source: str) -> pl.Expr:
    """Name the source where it gave a latency, or lights-out of a night on which sleep never came."""
    given = (pl.col("lights_out").is_not_null() & pl.col("placed")) | pl.col("unplaced_sol").is_not_null()
    return pl.when(given).then(pl.lit(source)).otherwise(pl.lit("none"))


def _with_flags(nights: pl.DataFrame) -> pl.DataFrame:
    without = pl.all_horizontal(pl.col("lights_out", "unplaced_sol", "slip").is_null())
    said = {
        SHORT: pl.col("tst_min") < SHORT_MIN,
        INCOMPLETE: _unscored_min() > UNSCORED_SHARE * pl.col("spt_min"),
        UNSTAGED: ~pl.col("staged"),
        NO_LIGHTS_OUT: without,
        OVERLAP: pl.col("resolved"),
        MERGED: pl.col("sessions") > 1,
        DEVICE_CHANGED: _changed("device"),
        ALGORITHM_CHANGED: _changed("algorithm"),
    }
    flags = [pl.when(condition).then(pl.lit(flag)) for flag, condition in said.items()]
    return nights.sort("participant", "night").with_columns(
        flags=pl.concat_list("session_flags", *flags, "slip").list.drop_nulls().list.unique().list.sort()
    )


def _unscored_min() -> pl.Expr:
    return pl.col("spt_min") - pl.col("tst_min") - pl.col("waso_min")


def _changed(column: str) -> pl.Expr:
    """Compare with the last night on which it was known."""
    return pl.col(column) != pl.col(column).forward_fill().shift(1).over("participant")
