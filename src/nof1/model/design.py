"""From nights and schedule to the arrays of one analysis.

Every night of the calendar is accounted for: it is used, or one reason says why not. The reasons in the order in
which they are asked, of which the first that holds stands:

=================== =================================================================================================
run_in              before the first period; sets the prior of the intercept, and the worthwhile scale of a latency
no_arm              on no treatment (washout)
other_arm           on an arm that this contrast does not compare
transition          one of the first nights of its period
missing             nothing was recorded
*a flag*            one of the protocol's `exclude_flags`, in the protocol's order
no_sleep            a latency of a night without sleep whose time in bed is unknown
lights_out_…        the stated lights-out is long after, or absurdly long before, the detected onset
no_lights_out       the measure needs lights-out, and nothing tells it
unstaged            the measure needs stages, and there are none
no_value            the source gives no such value
=================== =================================================================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nof1.errors import DataError
from nof1.model.priors import Priors, priors_for
from nof1.sleep.measures import MEASURES, Measure
from nof1.sleep.nights import LIGHTS_OUT_AFTER_ONSET, LIGHTS_OUT_TOO_EARLY
from nof1.trial.protocol import Outcome

MIN_NIGHTS_PER_ARM: Final = 6
MIN_PERIODS_PER_ARM: Final = 2
"""Fewer used nights or periods on either arm, and no posterior is made: one period cannot tell a treatment from its
weeks."""

MIN_RUN_IN_NIGHTS: Final = 3
"""Fewer usable run-in nights do not count as a run-in."""

MIN_DISTINCT_LATENCIES: Final = 5
MAX_SHARE_AT_GRAIN: Final = 0.5
"""A latency of fewer distinct values, or more often at the device's grain, is a summary field and not a measurement."""

MINUTES_FROM: Final = 25.0
RATIO_FROM: Final = 20.0
"""Median run-in latency from which minutes, and from which a ratio, is the scale of a worthwhile change. Under 20
minutes there is none: 0.80 of 11 minutes is two minutes."""

UNUSABLE_LIGHTS_OUT: Final = (LIGHTS_OUT_AFTER_ONSET, LIGHTS_OUT_TOO_EARLY)

NOT_PLANNED: Final = ("run_in", "no_arm", "other_arm")
"""Reasons of nights that were never meant for this contrast."""

LEFT, EXACT, RIGHT = -1, 0, 1
"""What is known of a value: at most, exactly, at least."""


@dataclass(frozen=True, slots=True)
class WorthwhileScale:
    """The smallest change worth having, on the scale that was fixed for it; both None where none is claimed.

    Parameters
    ----------
    minutes
        In the measure's unit, positive.
    ratio
        The better arm ÷ the other, where better is lower: below 1.
    why
        Which scale, and from what.
    """

    minutes: float | None
    ratio: float | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisDesign:
    """One contrast of one outcome, ready for the model. Arrays are (night_used,), in the order of the nights.

    Parameters
    ----------
    nights
        Every night of the calendar: night, value (unit of the measure, null where missing), arm, period (null = none),
        transition, recorded, used, why_excluded (null where used).
    y
        Minutes; for a latency log minutes, at the bound where censored.
    half_arm
        +½ on `arm`, −½ on `reference`.
    time
        −½ on the first night of the first period, ½ on the last night of the last.
    weekday
        0 = Monday, of the evening.
    period
        Index from 0 into `periods`.
    gap
        Whole days since the previous used night; 0 for the first.
    censored
        `LEFT`, `EXACT` or `RIGHT`.
    censored_below
        Minutes at or under which a latency only counts as "at most"; None for other measures.
    why_not_usable, why_descriptive
        Why no model may be fitted, or why its numbers carry no verdict; None otherwise.
    """

    outcome: Outcome
    measure: Measure
    arm: str
    reference: str
    nights: pl.DataFrame
    y: NDArray[np.float64]
    half_arm: NDArray[np.float64]
    time: NDArray[np.float64]
    weekday: NDArray[np.int64]
    period: NDArray[np.int64]
    periods: tuple[int, ...]
    gap: NDArray[np.int64]
    censored: NDArray[np.int64]
    censored_below: float | None
    priors: Priors
    worthwhile: WorthwhileScale
    why_not_usable: str | None
    why_descriptive: str | None


def build_design(
    nights: pl.DataFrame,
    calendar: pl.DataFrame,
    outcome: Outcome,
    *,
    arm: str,
    reference: str,
    exclude_flags: Sequence[str],
    grain_min: float = 0.5,
    prior_effect_sd: float | None = None,
    open_label: bool = False,
) -> AnalysisDesign:
    """Join the planned nights to the recorded ones, and lay out one analysis.

    Parameters
    ----------
    nights
        The nights of one participant and one stream (`nof1.sleep.nights.Nights`).
    calendar
        The schedule spelt out (`nof1.trial.schedule.calendar`), its arms unsealed.
    arm, reference
        The codes of the compared arms: the effect is arm − reference.
    exclude_flags
        Nights with one of these flags stay out.
    grain_min
        The device's resolution in minutes; latencies up to it, or up to one minute, are left-censored.
    prior_effect_sd
        The protocol's own prior SD of the effect in minutes.
    open_label
        The person knew each night's treatment: what they wrote down themselves carries no verdict.

    Raises
    ------
    DataError
        A night is there twice, an arm is not in the schedule, a value is impossible, or the measure has no priors.
    """
    measure = MEASURES[outcome.measure]
    _check(nights, calendar, measure, arm, reference)
    limit = max(grain_min, 1.0) if measure.censoring else None
    frame = _planned(nights, calendar, measure, limit)
    frame = frame.with_columns(why_excluded=_why_excluded(measure, arm, reference, tuple(exclude_flags)))
    frame = frame.with_columns(used=pl.col("why_excluded").is_null())
    used = frame.filter("used")
    run_in = frame.filter(
        (pl.col("why_excluded") == "run_in") & pl.col("value").is_not_null() & ~_flagged(exclude_flags)
    )
    baseline = _baseline(run_in, measure)
    periods = tuple(used["period"].unique(maintain_order=True).to_list())
    numbers = used.select(
        y=pl.col("value").log() if measure.family == "lognormal" else pl.col("value"),
        half_arm=pl.when(pl.col("arm") == arm).then(0.5).otherwise(-0.5),
        time="time",
        weekday=pl.col("night").dt.weekday().cast(pl.Int64) - 1,
        period=pl.col("period").replace_strict(periods, range(len(periods)), return_dtype=pl.Int64),
        gap=pl.col("night").diff().dt.total_days().fill_null(0),
        censored="censored",
    )
    return AnalysisDesign(
        outcome=outcome,
        measure=measure,
        arm=arm,
        reference=reference,
        nights=frame.select("night", "value", "arm", "period", "transition", "recorded", "used", "why_excluded"),
        periods=periods,
        censored_below=limit,
        priors=priors_for(measure.name, baseline=baseline, effect_sd=prior_effect_sd),
        worthwhile=_worthwhile(outcome, measure, baseline, used),
        why_not_usable=_why_not_usable(used, measure, arm, reference),
        why_descriptive=_why_descriptive(used, measure, open_label=open_label),
        **{name: numbers[name].to_numpy() for name in numbers.columns},
    )


def _check(nights: pl.DataFrame, calendar: pl.DataFrame, measure: Measure, arm: str, reference: str) -> None:
    """Refuse what would give a wrong number without a word."""
    twice = nights.filter(pl.col("night").is_duplicated())["night"]
    if len(twice):
        raise DataError(
            f"The night of {twice[0]} is there {(twice == twice[0]).sum()} times: analyse one stream of one person."
        )
    if arm == reference:
        raise DataError(f"{arm} cannot be compared with itself.")
    known = calendar["arm"].drop_nulls().unique().sort().to_list()
    for code in (arm, reference):
        if code not in known:
            raise DataError(
                f"No night is scheduled on {code}; the schedule has {', '.join(known) or 'no arms: unseal it first'}."
            )
    values = nights[measure.name].cast(pl.Float64).drop_nulls()
    if not (values.is_finite() & (values >= 0)).all():
        raise DataError(f"{measure.name} holds values that are not minutes from 0 up: import the nights again.")


def _planned(nights: pl.DataFrame, calendar: pl.DataFrame, measure: Measure, limit: float | None) -> pl.DataFrame:
    """One row a night of the calendar, with value and kind of censoring."""
    in_periods = calendar.filter(pl.col("period").is_not_null())["night"]
    days = (pl.col("night") - pl.lit(in_periods.min())).dt.total_days()
    length = max((in_periods.max() - in_periods.min()).days, 1)  # type: ignore[operator, union-attr]
    recorded = nights.select(
        "night",
        pl.col(measure.name).cast(pl.Float64).alias("value"),
        "tib_min",
        "tst_min",
        "sol_source",
        "flags",
        recorded=pl.lit(value=True),
    )
    joined = calendar.sort("night").join(recorded, on="night", how="left", maintain_order="left")
    joined = joined.with_columns(
        pl.col("recorded").fill_null(value=False),
        pl.col("flags").fill_null([]),
        time=days / length - 0.5,
        censored=pl.lit(EXACT),
    )
    return joined if limit is None else joined.with_columns(**_censored(limit))


def _censored(limit: float) -> dict[str, pl.Expr]:
    """A latency up to `limit` is at most that; of a night without sleep it is at least the time in bed."""
    sleepless = (pl.col("tst_min") == 0) & pl.col("value").is_null() & (pl.col("tib_min") > 0)
    short = pl.col("value") <= limit
    return {
        "value": pl.when(sleepless).then("tib_min").when(short).then(pl.lit(limit)).otherwise("value"),
        "censored": pl.when(sleepless).then(RIGHT).when(short).then(LEFT).otherwise(EXACT).cast(pl.Int64),
    }


def _flagged(flags: Sequence[str]) -> pl.Expr:
    return pl.col("flags").list.set_intersection(pl.lit(list(flags), dtype=pl.List(pl.String))).list.len() > 0


def _why_excluded(measure: Measure, arm: str, reference: str, flags: tuple[str, ...]) -> pl.Expr:
    """The first reason that holds, in the order of the module's table; null where the night is used."""
    asked: list[tuple[str, pl.Expr]] = [
        ("run_in", pl.col("run_in")),
        ("no_arm", pl.col("arm").is_null()),
        ("other_arm", ~pl.col("arm").is_in([arm, reference])),
        ("transition", pl.col("transition")),
        ("missing", ~pl.col("recorded")),
        *((flag, pl.col("flags").list.contains(flag)) for flag in flags),
    ]
    no_value = pl.col("value").is_null()
    if measure.censoring:
        asked.append(("no_sleep", no_value & (pl.col("tst_min") == 0)))
    if measure.needs_lights_out:
        asked += [(flag, no_value & pl.col("flags").list.contains(flag)) for flag in UNUSABLE_LIGHTS_OUT]
        asked.append(("no_lights_out", no_value & pl.col("tib_min").is_null()))
    if measure.needs_stages:
        asked.append(("unstaged", no_value))
    asked.append(("no_value", no_value))
    return pl.coalesce(*(pl.when(holds).then(pl.lit(reason)) for reason, holds in asked))


def _baseline(run_in: pl.DataFrame, measure: Measure) -> float | None:
    if run_in.height < MIN_RUN_IN_NIGHTS:
        return None
    centre = run_in["value"].median() if measure.family == "lognormal" else run_in["value"].mean()
    return float(centre)  # type: ignore[arg-type]


def _worthwhile(outcome: Outcome, measure: Measure, baseline: float | None, used: pl.DataFrame) -> WorthwhileScale:
    """Fix the scale: minutes for additive measures; for a latency by its median before the trial."""
    if measure.family != "lognormal":
        why = "fixed in the protocol" if outcome.worthwhile is not None else "the protocol names no worthwhile change"
        return WorthwhileScale(outcome.worthwhile, None, why)
    pooled = None if used.is_empty() else float(used["value"].median())  # type: ignore[arg-type]
    median = baseline if baseline is not None else pooled
    if median is None:
        return WorthwhileScale(None, None, "no night tells how long falling asleep takes without the trial")
    where = "in the run-in" if baseline is not None else "over all used nights of both arms, for want of a run-in"
    told = f"the median is {median:.0f} minutes {where}"
    if median >= MINUTES_FROM:
        return WorthwhileScale(outcome.worthwhile, None, f"in minutes: {told}, {MINUTES_FROM:.0f} or more")
    if median >= RATIO_FROM:
        return WorthwhileScale(
            None, outcome.worthwhile_ratio, f"as a ratio: {told}, {RATIO_FROM:.0f} to {MINUTES_FROM:.0f}"
        )
    return WorthwhileScale(None, None, f"no worthwhile change is claimed: {told}, under {RATIO_FROM:.0f}")


def _why_not_usable(used: pl.DataFrame, measure: Measure, arm: str, reference: str) -> str | None:
    """Too few nights, too few periods, or a latency that is no measurement."""
    for code in (arm, reference):
        on_arm = used.filter(pl.col("arm") == code)
        periods = on_arm["period"].n_unique()
        if on_arm.height < MIN_NIGHTS_PER_ARM or periods < MIN_PERIODS_PER_ARM:
            return (
                f"{on_arm.height} usable nights in {periods} periods on {code}: an analysis needs at least "
                f"{MIN_NIGHTS_PER_ARM} nights in {MIN_PERIODS_PER_ARM} periods on each arm."
            )
    if not measure.censoring:
        return None
    distinct = used["value"].n_unique()
    at_grain = float((used["censored"] == LEFT).mean() or 0.0)  # type: ignore[arg-type]
    if distinct < MIN_DISTINCT_LATENCIES or at_grain > MAX_SHARE_AT_GRAIN:
        return (
            f"The device's latency is not a measurement: {distinct} distinct values, {at_grain:.0%} of the "
            "nights at its smallest. Log lights-out in the diary instead."
        )
    return None


def _why_descriptive(used: pl.DataFrame, measure: Measure, *, open_label: bool) -> str | None:
    sources = used["sol_source"].cast(pl.String) if measure.needs_lights_out else used["sol_source"].clear()
    if open_label and (sources == "diary").any():
        return (
            "Lights-out was written down by a person who knew what they had taken, and expectation may have moved the "
            "pen: the numbers describe, they do not decide."
        )
    if (sources == "stages").any():
        return (
            "The device guessed when the lights went out. It guesses after the treatment was taken, and the "
            "treatment may move the guess: the numbers describe, they do not decide."
        )
    return None
