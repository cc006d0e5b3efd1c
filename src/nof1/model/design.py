"""From nights and schedule to the arrays of one analysis.

Every night of the calendar is accounted for: it is used, or one reason says why not. The reasons in the order in
which they are asked, of which the first that holds stands:

=================== =================================================================================================
run_in              before the first period; sets the prior of the intercept, and the worthwhile scale of a latency
no_arm              on no treatment (washout)
other_arm           on an arm that is not compared (`AnalysisDesign.between`)
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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nof1.errors import DataError
from nof1.model import usable
from nof1.model.covariates import MAX_CHANGES, Adjustment, changes_of, columns_of, with_covariates
from nof1.model.priors import Priors, priors_for, require_model
from nof1.model.scale import (
    COARSE_MIN,
    WorthwhileScale,
    Zeros,
    baseline_of,
    spread_of,
    step_of,
    worthwhile_scale,
    zeros_of,
)
from nof1.sleep.measures import MEASURES, Measure
from nof1.sleep.nights import LIGHTS_OUT_AFTER_ONSET, LIGHTS_OUT_TOO_EARLY
from nof1.trial.protocol import Contrast, Outcome

UNUSABLE_LIGHTS_OUT: Final = (LIGHTS_OUT_AFTER_ONSET, LIGHTS_OUT_TOO_EARLY)

NOT_PLANNED: Final = ("run_in", "no_arm", "other_arm")
"""Reasons of nights that were never meant to be compared."""

LEFT, EXACT, RIGHT = -1, 0, 1
"""What is known of a value: at most, exactly, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisDesign:
    """One outcome, ready for the model. Arrays are (night_used,), in the order of the nights.

    Parameters
    ----------
    arms
        Their codes, in the order of `arm_index`; what effects are counted from, where there is such an arm, comes last.
    contrasts
        Which of them are compared.
    nights
        Every night of the calendar: night, value (unit of the measure, null where missing), arm, period (null = none),
        transition, recorded, used, why_excluded (null where used).
    y
        Minutes; for a latency log minutes, at the bound where censored.
    arm_index
        Index into `arms`.
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
    width
        Minutes to which the night's latency is rounded where they are `COARSE_MIN` or more, else 0: a value that is
        `EXACT` is then the middle of an interval as wide.
    covariates
        Columns that are adjusted for, by the name of their effect.
    adjustments
        What became of every covariate.
    censored_below
        Minutes at or under which a latency only counts as "at most"; None for other measures.
    zeros
        Whether nights without any latency have a model of their own; None where there is no such night.
    too_few
        Why an arm cannot be compared with any other, by its code.
    why_not_usable, why_descriptive
        Why no model may be fitted, or why its numbers carry no verdict; None otherwise.
    """

    outcome: Outcome
    measure: Measure
    arms: tuple[str, ...]
    contrasts: tuple[Contrast, ...]
    nights: pl.DataFrame
    y: NDArray[np.float64]
    arm_index: NDArray[np.int64]
    time: NDArray[np.float64]
    weekday: NDArray[np.int64]
    period: NDArray[np.int64]
    periods: tuple[int, ...]
    gap: NDArray[np.int64]
    censored: NDArray[np.int64]
    width: NDArray[np.float64]
    covariates: Mapping[str, NDArray[np.float64]]
    adjustments: tuple[Adjustment, ...]
    censored_below: float | None
    zeros: Zeros | None
    priors: Priors
    worthwhile: WorthwhileScale
    too_few: Mapping[str, str]
    why_not_usable: str | None
    why_descriptive: str | None

    @property
    def has_hurdle(self) -> bool:
        """Whether nights without any latency have a model of their own (`nof1.model.hurdle`)."""
        return self.zeros is not None and self.zeros.chosen

    def why_not(self, contrast: Contrast) -> str | None:
        """Say why a contrast cannot be estimated; None where it can."""
        return self.why_not_usable or self.too_few.get(contrast.arm) or self.too_few.get(contrast.reference)

    def between(self, contrast: Contrast) -> Self:
        """Leave only the nights of the two arms of a contrast; those of the others are excluded as `other_arm`."""
        pair = (contrast.arm, contrast.reference)
        kept = np.isin(self.arm_index, [self.arms.index(code) for code in pair])
        other = pl.col("arm").is_in(pair).not_() & ~pl.col("why_excluded").is_in(NOT_PLANNED).fill_null(value=False)
        nights = self.nights.with_columns(
            why_excluded=pl.when(other).then(pl.lit("other_arm")).otherwise("why_excluded")
        )
        some = self.only(kept)
        periods, period = np.unique(some.period, return_inverse=True)
        return replace(
            some,
            arms=pair,
            contrasts=(contrast,),
            nights=nights.with_columns(used=pl.col("why_excluded").is_null()),
            arm_index=np.where(some.arm_index == self.arms.index(contrast.arm), 0, 1),
            period=period,
            periods=tuple(self.periods[place] for place in periods),
            why_not_usable=self.why_not(contrast),
        )

    def only(self, kept: NDArray[np.bool_]) -> Self:
        """Keep some of the used nights in the arrays, and everything else as it is."""
        used = np.cumsum(self.gap)[kept]
        arrays = ("y", "arm_index", "time", "weekday", "period", "censored", "width")
        return replace(
            self,
            gap=np.diff(used, prepend=used[:1]),
            covariates={name: column[kept] for name, column in self.covariates.items()},
            **{name: getattr(self, name)[kept] for name in arrays},
        )


def build_design(
    nights: pl.DataFrame,
    calendar: pl.DataFrame,
    outcome: Outcome,
    *,
    arms: Sequence[str],
    contrasts: Sequence[Contrast] | None = None,
    exclude_flags: Sequence[str],
    grain_min: float = 0.5,
    prior_effect_sd: float | None = None,
    answers: pl.DataFrame | None = None,
    open_label: bool = False,
) -> AnalysisDesign:
    """Join the planned nights to the recorded ones, and lay out one analysis.

    Parameters
    ----------
    nights
        The nights of one participant and one stream (`nof1.sleep.nights.Nights`).
    calendar
        The schedule spelt out (`nof1.trial.schedule.calendar`), its arms unsealed.
    arms
        The codes of all arms of the trial; the one that effects are counted from, if any, last.
    contrasts
        Which of them are compared; by default each with the last.
    exclude_flags
        Nights with one of these flags stay out.
    grain_min
        The device's resolution in minutes; latencies up to it, or up to one minute, are left-censored.
    prior_effect_sd
        The protocol's own prior SD of the effect in minutes.
    answers
        The diary's answers to adjust for: night, and one column a covariate, null where not answered.
    open_label
        The person knew each night's treatment: what they wrote down themselves carries no verdict.

    Raises
    ------
    DataError
        A night is there twice, an arm is not in the schedule, a value is impossible, or the measure has no priors.
    """
    measure = MEASURES[outcome.measure]
    require_model(measure.name, effect_sd=prior_effect_sd)
    contrasts = contrasts or [Contrast(arm=code, reference=arms[-1]) for code in arms[:-1]]
    _check(nights, calendar, measure, arms)
    frame = _planned(nights, calendar, measure, max(grain_min, 1.0))
    frame = frame.with_columns(why_excluded=_why_excluded(measure, arms, tuple(exclude_flags)))
    frame = frame.with_columns(used=pl.col("why_excluded").is_null())
    in_run_in = (pl.col("why_excluded") == "run_in") & pl.col("value").is_not_null() & ~_flagged(exclude_flags)
    if measure.censoring:
        told = frame.filter(pl.col("used") | in_run_in, ~pl.col("sleepless"))["value"]
        frame = frame.with_columns(**_known(step_of(told)))
    used, run_in = frame.filter("used"), frame.filter(in_run_in)
    baseline = baseline_of(run_in, measure)
    periods = tuple(used["period"].unique(maintain_order=True).to_list())
    numbers = used.select(
        y=pl.col("value").log() if measure.family == "lognormal" else pl.col("value"),
        arm_index=pl.col("arm").replace_strict(arms, range(len(arms)), return_dtype=pl.Int64),
        time="time",
        weekday=pl.col("night").dt.weekday().cast(pl.Int64) - 1,
        period=pl.col("period").replace_strict(periods, range(len(periods)), return_dtype=pl.Int64),
        gap=pl.col("night").diff().dt.total_days().fill_null(0),
        censored="censored",
        width="width",
    )
    priors = priors_for(
        measure.name, baseline=baseline, effect_sd=prior_effect_sd, spread=spread_of(run_in["value"], used)
    )
    covariates, adjustments = _adjusted(frame, answers)
    too_few = {code: why for code in arms if (why := usable.too_few(used, code))}
    censored_below = float(used["least"].max() or 1.0) if measure.censoring else None  # type: ignore[arg-type]
    zeros = None if censored_below is None else zeros_of(told, priors, at_most=censored_below)
    return AnalysisDesign(
        outcome=outcome,
        measure=measure,
        arms=tuple(arms),
        contrasts=tuple(contrasts),
        nights=frame.select("night", "value", "arm", "period", "transition", "recorded", "used", "why_excluded"),
        periods=periods,
        censored_below=censored_below,
        zeros=zeros,
        priors=with_covariates(priors, measure, covariates),
        covariates=covariates,
        adjustments=tuple(adjustments),
        worthwhile=worthwhile_scale(outcome, measure, baseline, used),
        too_few=too_few,
        why_not_usable=usable.why_not_usable(used, measure, contrasts, too_few),
        why_descriptive=usable.why_descriptive(used, measure, open_label=open_label, adjustments=adjustments),
        **{name: numbers[name].to_numpy() for name in numbers.columns},
    )


def _adjusted(
    frame: pl.DataFrame, answers: pl.DataFrame | None
) -> tuple[dict[str, NDArray[np.float64]], list[Adjustment]]:
    """Make the columns of what is adjusted for: what the diary says, and steps where the device changed."""
    covariates, adjustments = ({}, []) if answers is None else columns_of(frame.filter("used"), answers)
    steps, changes = changes_of(frame)
    if len(steps) <= MAX_CHANGES:
        covariates |= steps
    return covariates, [*adjustments, *changes]


def _check(nights: pl.DataFrame, calendar: pl.DataFrame, measure: Measure, arms: Sequence[str]) -> None:
    """Refuse what would give a wrong number without a word."""
    twice = nights.filter(pl.col("night").is_duplicated())["night"]
    if len(twice):
        raise DataError(
            f"The night of {twice[0]} is there {(twice == twice[0]).sum()} times: analyse one stream of one person."
        )
    if len(set(arms)) < len(arms):
        raise DataError(f"An arm cannot be compared with itself: {', '.join(arms)}.")
    known = calendar["arm"].drop_nulls().unique().sort().to_list()
    for code in arms:
        if code not in known:
            raise DataError(
                f"No night is scheduled on {code}; the schedule has {', '.join(known) or 'no arms: unseal it first'}."
            )
    values = nights[measure.name].cast(pl.Float64).drop_nulls()
    if not (values.is_finite() & (values >= 0)).all():
        raise DataError(f"{measure.name} holds values that are not minutes from 0 up: import the nights again.")


def _planned(nights: pl.DataFrame, calendar: pl.DataFrame, measure: Measure, grain_min: float) -> pl.DataFrame:
    """One row a night of the calendar, with its value: of a latency without any sleep the time in bed."""
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
        width=pl.lit(0.0),
    )
    if not measure.censoring:
        return joined
    # A vendor's own figure does not know the hypnogram's grain: lights-out was counted back from the onset by it.
    own = (pl.col("sol_source").cast(pl.String) == "vendor") & (measure.name == "sol_min")
    sleepless = (pl.col("tst_min") == 0) & pl.col("value").is_null() & (pl.col("tib_min") > 0)
    joined = joined.with_columns(
        sleepless=sleepless.fill_null(value=False), grain=pl.when(own).then(1.0).otherwise(grain_min)
    )
    return joined.with_columns(value=pl.when("sleepless").then("tib_min").otherwise("value"))


def _known(step: float) -> dict[str, pl.Expr]:
    """Say what a latency tells, by the grain to which it is rounded; of a night without sleep it is a lower bound.

    The grain is the night's own, or the step of all where that is coarse.

    A latency up to a fine grain is "at most the grain". On a coarse one a value v stands for v ± half the grain, and
    what of that is not above 0 for "at most v + half the grain": 0 itself for "at most half the grain", and not for "at
    most the grain", which the next value up has a half of.
    """
    value, grain = pl.col("value"), pl.max_horizontal("grain", pl.lit(step if step >= COARSE_MIN else 0.0))
    half, coarse = grain / 2, grain >= COARSE_MIN
    least = pl.when(coarse).then(half).otherwise(grain)
    short = ~pl.col("sleepless") & (value <= least)
    censored = pl.when("sleepless").then(RIGHT).when(short).then(LEFT).otherwise(EXACT)
    return {
        "value": pl.when(short & coarse).then(value + half).when(short).then(grain).otherwise(value),
        "censored": censored.cast(pl.Int64),
        "width": pl.when(coarse).then(grain).otherwise(0.0),
        "least": least,
        "smallest": short | (value <= pl.col("grain")),
    }


def _flagged(flags: Sequence[str]) -> pl.Expr:
    return pl.col("flags").list.set_intersection(pl.lit(list(flags), dtype=pl.List(pl.String))).list.len() > 0


def _why_excluded(measure: Measure, arms: Sequence[str], flags: tuple[str, ...]) -> pl.Expr:
    """The first reason that holds, in the order of the module's table; null where the night is used."""
    asked: list[tuple[str, pl.Expr]] = [
        ("run_in", pl.col("run_in")),
        ("no_arm", pl.col("arm").is_null()),
        ("other_arm", ~pl.col("arm").is_in(list(arms))),
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
