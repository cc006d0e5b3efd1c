"""Simulated trials: nights and calendar whose truth is known."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from nof1.trial.protocol import AnalysisRules, Outcome

DEEP = Outcome(measure="deep_min", role="primary", better="higher", worthwhile=10.0, worthwhile_ratio=None)
LATENCY = Outcome(measure="sol_min", role="secondary", better="lower", worthwhile=10.0, worthwhile_ratio=0.80)

RULES = AnalysisRules(covariates=())

FIRST = date(2026, 3, 2)
ARMS = ("magnesium", "placebo")


def calendar_of(rng, *, arms=ARMS, blocks=6, period_nights=10, transition=3, run_in=7):
    """A calendar as `nof1.trial.schedule.calendar` makes it: blocks in random order after a run-in."""
    drawn = [arm for _ in range(blocks) for arm in rng.permutation(arms)]
    total = run_in + len(drawn) * period_nights
    place = np.arange(total) - run_in
    period = np.where(place >= 0, place // period_nights + 1, 0)
    frame = pl.DataFrame(
        {
            "night": [FIRST + timedelta(days=int(day)) for day in range(total)],
            "period": period,
            "arm": [str(drawn[p - 1]) if p else None for p in period],
            "run_in": place < 0,
            "transition": (place >= 0) & (place % period_nights < transition),
        },
    )
    period_of = pl.when(pl.col("period") > 0).then("period").cast(pl.Int64)
    return frame.select(
        "night",
        period=period_of,
        block=(period_of - 1) // len(arms) + 1,
        arm="arm",
        run_in="run_in",
        transition="transition",
    )


def ar1(rng, size, rho):
    """A series of unit marginal SD."""
    noise = rng.normal(size=size)
    series = np.empty(size)
    series[0] = noise[0]
    for at in range(1, size):
        series[at] = rho * series[at - 1] + np.sqrt(1 - rho**2) * noise[at]
    return series


def nights_of(calendar, deep, latency, *, rng, missing=0.08, grain=0.5):
    """Nights as `nof1.sleep.nights` has them (the columns an analysis reads), some of them never recorded."""
    latency = np.floor(np.asarray(latency) / grain) * grain
    frame = calendar.select("night").with_columns(
        deep_min=pl.Series(np.clip(deep, 0, None)),
        sol_min=pl.Series(latency),
        tib_min=pl.lit(480.0),
        tst_min=pl.lit(420.0),
        sol_source=pl.lit("in_bed"),
        flags=pl.lit([], dtype=pl.List(pl.String)),
    )
    return frame.filter(pl.Series(rng.random(frame.height) >= missing))


def simulated_trial(
    *,
    seed,
    deep_effect=0.0,
    log_ratio=0.0,
    sigma=19.0,
    rho=0.0,
    sigma_period=4.0,
    log_sigma=0.6,
    median=14.0,
    missing=0.08,
    **shape,
):
    """Nights and calendar of one trial."""
    rng = np.random.default_rng(seed)
    calendar = calendar_of(rng, **shape)
    arm = calendar["arm"].fill_null("").to_numpy()
    half = np.select([arm == ARMS[0], arm == ARMS[1]], [0.5, -0.5], 0.0)
    period = calendar["period"].fill_null(0).to_numpy()
    shifts = rng.normal(size=period.max() + 1)[period]
    deep = 85 + deep_effect * half + sigma_period * shifts + sigma * ar1(rng, len(half), rho)
    latency = median * np.exp(log_ratio * half + 0.1 * shifts + log_sigma * rng.normal(size=len(half)))
    return nights_of(calendar, deep, latency, rng=rng, missing=missing), calendar
