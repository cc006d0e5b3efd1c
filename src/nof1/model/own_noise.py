"""What a person's own nights tell of the noise, before any treatment.

The model of a trial without arms and periods: intercept, trend and weekday are taken out, and what is left tells σ and
ρ by exact integration. A plan draws its trials' noise from that posterior, so that few nights promise little.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nof1.errors import DataError
from nof1.model.exact import ExactPosterior, integrate
from nof1.model.linear import TrialNights, linear_trial, with_prior
from nof1.model.priors import Priors, Spread, priors_for
from nof1.model.scale import MIN_SPREAD_NIGHTS
from nof1.model.simulation import Noise
from nof1.sleep.measures import MEASURES

Floats = NDArray[np.float64]

LEAST_LATENCY: Final = 1.0
"""Minutes: the finest grain of a latency in the analysis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNoise:
    """The noise of one person's nights.

    Parameters
    ----------
    nights, first, last
        How many tell it, and from when to when.
    sigma, sigma_ci95
        SD between nights after trend and weekday, in the unit of the model: posterior mean and 95 % interval.
    median
        Of the nights, in the unit of the measure.
    rho, rho_sd
        Correlation of one night with the next.
    priors
        Of the trial's analysis, in which these nights are the run-in.
    posterior
        From which `draw` draws.
    """

    nights: int
    first: date
    last: date
    sigma: float
    sigma_ci95: tuple[float, float]
    rho: float
    rho_sd: float
    median: float
    priors: Priors
    posterior: ExactPosterior

    def draw(self, trials: int, seed: int) -> list[Noise]:
        """Draw the noise of so many trials. How much periods differ no baseline tells: that stays as the prior has it.

        σ and ρ are drawn together, from the points of the grid.
        """
        rng = np.random.default_rng([seed, trials])
        told = self.posterior.hyperparameters
        both, rho, weekday = told["sigma"], told["rho"], told["sigma_weekday"]
        at = rng.choice(len(both.values), size=trials, p=both.weights)
        weekdays = rng.choice(weekday.values, size=trials, p=weekday.weights)
        return [
            Noise(
                sigma=float(both.values[place]),
                rho=float(rho.values[place % len(rho.values)]),
                sigma_weekday=float(by_weekday),
                sigma_period=self.priors["sigma_period"].scale,
            )
            for place, by_weekday in zip(at, weekdays, strict=True)
        ]


def own_noise(nights: pl.DataFrame, measure: str, *, effect_sd: float | None = None) -> OwnNoise:
    """Learn the noise of a measure from nights without treatment; of a latency that of log minutes.

    Latencies under a minute count as one: how far under, no device can tell.

    Parameters
    ----------
    nights
        night (Date) and the measure; a night without a value is a gap.
    effect_sd
        The protocol's own prior SD of the effect.

    Raises
    ------
    DataError
        They are too few, or all the same.
    """
    known = nights.select("night", value=pl.col(measure).cast(pl.Float64)).drop_nulls().sort("night")
    if known.height < MIN_SPREAD_NIGHTS or known["value"].n_unique() == 1:
        raise DataError(
            f"Nights before the first period that tell {MEASURES[measure].label}: {known.height}. A plan from them "
            f"needs {MIN_SPREAD_NIGHTS} that are not all alike: import more, or plan with --noise default."
        )
    values, median = known["value"].to_numpy(), float(known["value"].median())  # type: ignore[arg-type]
    spread = Spread(float(values.mean()), float(values.std(ddof=1)), "in the nights before the trial")
    latency = MEASURES[measure].family == "lognormal"
    centre = max(median, LEAST_LATENCY) if latency else spread.mean
    priors = priors_for(measure, baseline=centre, effect_sd=effect_sd, spread=spread)
    values = np.log(np.maximum(values, LEAST_LATENCY)) if latency else values
    alone = with_prior(priors, "sigma_period", scale=0.0)
    (posterior,) = integrate([linear_trial(_without_arms(known, values), alone)])
    both, rho = posterior.hyperparameters["sigma"], posterior.hyperparameters["rho"]
    return OwnNoise(
        nights=known.height,
        first=known["night"][0],
        last=known["night"][-1],
        sigma=both.mean,
        sigma_ci95=(_quantile(both.values, both.weights, 0.025), _quantile(both.values, both.weights, 0.975)),
        rho=rho.mean,
        rho_sd=rho.sd,
        median=median,
        priors=priors,
        posterior=posterior,
    )


def _without_arms(known: pl.DataFrame, values: Floats) -> TrialNights:
    day = known.select((pl.col("night") - pl.col("night").min()).dt.total_days()).to_series().to_numpy()
    every_night = np.zeros(len(day), dtype=np.int64)
    return TrialNights(
        y=values,
        day=day,
        arm=every_night,
        arms=("none",),
        time=day / day[-1] - 0.5,
        weekday=known["night"].dt.weekday().cast(pl.Int64).to_numpy() - 1,
        period=every_night,
    )


def _quantile(values: Floats, weights: Floats, p: float) -> float:
    order = np.argsort(values)
    return float(np.interp(p, np.cumsum(weights[order]) - weights[order] / 2, values[order]))
