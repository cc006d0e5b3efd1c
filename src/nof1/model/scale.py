"""What is fixed before arms are compared: where the person lies, how much nights vary, which change is worth having."""

from dataclasses import dataclass
from math import log, sqrt
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nof1.model.likelihood import log_density, log_normal_cdf
from nof1.model.priors import Priors, Spread
from nof1.sleep.measures import Measure
from nof1.trial.protocol import Outcome

MIN_RUN_IN_NIGHTS: Final = 3
"""Fewer usable run-in nights do not count as a run-in."""

MIN_SPREAD_NIGHTS: Final = 7
"""Fewer usable run-in nights do not tell how much a measure varies: an SD of seven is known to about 30 %."""

MINUTES_FROM: Final = 25.0
RATIO_FROM: Final = 20.0
"""Median run-in latency from which minutes, and from which a ratio, is the scale of a worthwhile change. Under 20
minutes there is none: 0.80 of 11 minutes is two minutes."""


Floats = NDArray[np.float64]

COARSE_MIN: Final = 5.0
"""Minutes from which rounding is part of the model: half a step is no longer small beside what nights differ by."""

MIN_STEPS: Final = 3
"""Distinct latencies above 0 that must share a step: fewer may be multiples of anything."""

FINE: Final = 20.0
"""Steps from which a latency is so long that it matters no more that it was told in steps."""

SURPRISING: Final = 0.01
"""Share of the predictions under which the log-normal does not expect as many nights without latency."""

CELLS: Final = 61
"""Along each side of the grid on which the log-normal of the nights above zero is learned."""


@dataclass(frozen=True, slots=True)
class Zeros:
    """How many nights have no latency to speak of, beside what a log-normal expects. Of run-in and all arms together.

    Parameters
    ----------
    nights, seen
        How many there are, and on how many the latency is the smallest that was told.
    expected
        The share of nights that the log-normal of the others would have below the next.
    as_many
        The share of predictions with as many such nights, or more.
    chosen
        It is under `SURPRISING`: the nights without latency get a model of their own.
    """

    nights: int
    seen: int
    expected: float
    as_many: float
    chosen: bool


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


def baseline_of(run_in: pl.DataFrame, measure: Measure) -> float | None:
    """Say where the measure lay in the run-in: mean, or median of a latency; None without a run-in."""
    if run_in.height < MIN_RUN_IN_NIGHTS:
        return None
    centre = run_in["value"].median() if measure.family == "lognormal" else run_in["value"].mean()
    return float(centre)  # type: ignore[arg-type]


def spread_of(run_in: pl.Series, used: pl.DataFrame) -> Spread:
    """Say what nights are like: of the run-in, or of all used nights around the means of their own periods.

    The second knows nothing of arms either: a difference between arms is a difference between periods.
    """
    if len(run_in) >= MIN_SPREAD_NIGHTS and (run_in.std() or 0.0) > 0:  # type: ignore[operator]
        return Spread(float(run_in.mean()), float(run_in.std()), "in the run-in")  # type: ignore[arg-type]
    around = used.select(pl.col("value") - pl.col("value").mean().over("period")).to_series()
    within = sqrt(float((around**2).sum()) / max(used.height - used["period"].n_unique(), 1))
    mean = 0.0 if used.is_empty() else float(used["value"].mean())  # type: ignore[arg-type]
    return Spread(mean, within or 1.0, "within the periods, for want of a run-in")


def worthwhile_scale(outcome: Outcome, measure: Measure, baseline: float | None, used: pl.DataFrame) -> WorthwhileScale:
    """Fix the scale: minutes for additive measures; for a latency by its median before the trial."""
    if measure.family != "lognormal":
        why = "fixed in the protocol" if outcome.worthwhile is not None else "the protocol names no worthwhile change"
        return WorthwhileScale(outcome.worthwhile, None, why)
    pooled = None if used.is_empty() else float(used["value"].median())  # type: ignore[arg-type]
    median = baseline if baseline is not None else pooled
    if median is None:
        return WorthwhileScale(None, None, "no night tells how long falling asleep takes without the trial")
    where = "in the run-in" if baseline is not None else "over all used nights of all arms, for want of a run-in"
    told = f"the median is {median:.0f} minutes {where}"
    if median >= MINUTES_FROM:
        return WorthwhileScale(outcome.worthwhile, None, f"in minutes: {told}, {MINUTES_FROM:.0f} or more")
    if median >= RATIO_FROM:
        return WorthwhileScale(
            None, outcome.worthwhile_ratio, f"as a ratio: {told}, {RATIO_FROM:.0f} to {MINUTES_FROM:.0f}"
        )
    return WorthwhileScale(None, None, f"no worthwhile change is claimed: {told}, under {RATIO_FROM:.0f}")


def step_of(latencies: pl.Series) -> float:
    """Tell in which steps latencies were told: the largest number of minutes of which every one is a multiple.

    It is 0 where there is none. Those of the run-in and of the used nights decide, so that the arms cannot: one in
    between the steps, and all were told more finely.
    """
    seconds = (latencies.drop_nulls() * 60).to_numpy()
    whole = np.round(seconds)
    if len(np.unique(whole[whole > 0])) < MIN_STEPS or (np.abs(seconds - whole) > 1e-3).any():  # noqa: PLR2004  a float's error
        return 0.0
    return float(np.gcd.reduce(whole.astype(np.int64))) / 60


def zeros_of(latencies: pl.Series, priors: Priors, *, at_most: float) -> Zeros | None:
    """Hold the nights at the smallest latency beside the log-normal that the other nights tell.

    A coarse step is rounded to, as the model has it; in finer ones a value is taken to tell all up to the next, as
    devices do that round down: that expects the most at the smallest. Only too many choose a model of their own: too
    few leave nothing unexplained.

    Parameters
    ----------
    latencies
        In minutes as they were told, of the run-in and the used nights of all arms.
    at_most
        Minutes up to which a latency only counts as "at most": if the smallest is more, no night is without latency.
    """
    told = latencies.drop_nulls().to_numpy()
    if told.size == 0 or told.min() > at_most or told.min() == told.max():
        return None
    from scipy.special import betainc

    smallest, seen = told.min(), int((told == told.min()).sum())
    others, step = told[told > smallest], step_of(latencies)
    down, up = (step / 2, step / 2) if step >= COARSE_MIN else (0.0, step)
    edge = log(smallest + up if step else min(others.min(), smallest + at_most))
    share, weight = _expected_below(edge, others, priors, down=down, up=up)
    as_many = float((weight * betainc(seen, len(others) + 1, share)).sum())
    expected = float((weight * share).sum())
    return Zeros(nights=len(told), seen=seen, expected=expected, as_many=as_many, chosen=as_many < SURPRISING)


def _expected_below(edge: float, others: Floats, priors: Priors, *, down: float, up: float) -> tuple[Floats, Floats]:
    """(cell,) twice: the share of a log-normal below an edge in log minutes, and how likely that log-normal is.

    The other nights only show the part of it that lies above, and are read as that: their median and SD would put it
    too far from zero. What they leave open is averaged over, with the priors of the model, so that a few nights choose
    nothing.
    """
    from scipy.special import erfcx

    at, spread = priors["intercept"], priors["sigma"]
    of_sigma, of_centre = np.linspace(-4, 4, CELLS)[:, None], np.linspace(-5, 5, 5 * CELLS)
    sigma, centre = np.exp(spread.location + spread.scale * of_sigma), at.location + at.scale * of_centre
    log_share, log_rest = (log_normal_cdf(side * (edge - centre) / sigma, xp=np, erfcx=erfcx) for side in (1, -1))
    told = _log_density_of(others, centre, sigma, down=down, up=up) - len(others) * log_rest
    told = told - 0.5 * (of_sigma**2 + of_centre**2)
    weight = np.exp(told - told.max())
    share = np.exp(log_share).clip(max=1.0)  # an exponential may round above
    return share.ravel(), (weight / weight.sum()).ravel()


def _log_density_of(latencies: Floats, centre: Floats, sigma: Floats, *, down: float, up: float) -> Floats:
    """Log density of all latencies together, for each log-normal, up to a constant.

    One that is short beside the step in which it was told has the mass from `down` below it to `up` above it.
    """
    from scipy.special import erfcx

    far = latencies >= FINE * (down + up)
    y = np.log(latencies[far] + (up - down) / 2)
    squares = ((y[:, None] - centre) ** 2).sum(axis=0)
    total = -0.5 * squares / sigma**2 - len(y) * np.log(sigma)
    for value, nights in zip(*np.unique(latencies[~far], return_counts=True), strict=True):
        residual = log(value) - centre + 0 * sigma
        reach = {"below": -np.log1p(-down / value), "above": np.log1p(up / value)}
        total += nights * log_density(
            residual, 0.0, carry=0.0, gap=1, censored=0, sigma=sigma, rho=0.0, xp=np, erfcx=erfcx, **reach
        )
    return np.asarray(total)
