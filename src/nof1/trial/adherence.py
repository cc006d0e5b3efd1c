"""Adherence: what was taken beside what was assigned."""

from collections.abc import Collection
from typing import Final

import polars as pl

AS_ASSIGNED: Final = "as assigned"
MISSED: Final = "missed"
UNKNOWN: Final = "unknown"
NONE_DUE: Final = "no dose due"
NOT_DUE: Final = "taken, not due"

STATUSES: Final = (AS_ASSIGNED, MISSED, UNKNOWN, NONE_DUE, NOT_DUE)
"""`unknown`: not logged. `taken, not due`: one was logged for a night on no arm, or on an arm without a dose."""


def adherence(calendar: pl.DataFrame, diary: pl.DataFrame, *, without_dose: Collection[str] = ()) -> pl.DataFrame:
    """Put what was taken beside what was assigned.

    Parameters
    ----------
    calendar
        As `nof1.trial.schedule.calendar` makes it, of the nights to judge: filter those that are still to come.
    diary
        As `nof1.trial.diary.current_diary` makes it.
    without_dose
        Codes of the arms that have nothing to take (``units_per_dose = 0``).

    Returns
    -------
    polars.DataFrame
        night, period, arm (null on no arm and where concealed), dose_taken (null: not logged), status (of `STATUSES`).
    """
    due = pl.col("period").is_not_null() & ~pl.col("arm").is_in(list(without_dose)).fill_null(value=False)
    taken = pl.col("dose_taken")
    status = (
        pl.when(due & taken.is_null()).then(pl.lit(UNKNOWN))
        .when(due & taken).then(pl.lit(AS_ASSIGNED))
        .when(due).then(pl.lit(MISSED))
        .when(taken).then(pl.lit(NOT_DUE))
        .otherwise(pl.lit(NONE_DUE))
    )  # fmt: skip
    logged = diary.select("night", "dose_taken")
    return calendar.join(logged, on="night", how="left", maintain_order="left").select(
        "night", "period", "arm", "dose_taken", status=status.cast(pl.Enum(STATUSES))
    )


def adherence_by_period(adherence: pl.DataFrame) -> pl.DataFrame:
    """Count the nights of each period by status, without a word of the arms.

    Returns
    -------
    polars.DataFrame
        period, nights, and one count for each of `STATUSES`, named by it. Nights outside the periods are left out.
    """
    counts = [(pl.col("status") == status).sum().cast(pl.Int64).alias(status) for status in STATUSES]
    return (
        adherence.filter(pl.col("period").is_not_null())
        .group_by("period")
        .agg(pl.len().cast(pl.Int64).alias("nights"), *counts)
        .sort("period")
    )
