"""Nights predicted anew and held beside the real ones, in what the fit does not settle by itself.

The SD of the nights, the means of the periods and the first correlation of deep sleep are parameters: whatever was
seen, the fit agrees with it, and such a check never warns. So what is compared are discrepancies that know the
parameters (Gelman, Meng & Stern 1996, Stat Sin 6:733), draw by draw: what is left of each night once everything
that the model knows of it is taken off. Only the periods are held against their *prior*: their spread is fitted, and it
is its prior that keeps it from being as large as it may be.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.design import LEFT, AnalysisDesign
from nof1.model.hurdle import sampled_part
from nof1.model.likelihood import standardised
from nof1.model.posterior import arm_offsets, carries, gaps

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

REPLICAS: Final = 1_000
"""Data sets that are predicted, each from a draw of its own."""

SEED: Final = 20261123
"""Of the predictions: the same fit always gets the same warnings."""


class Replicas:
    """Nights (data set, night_used) that the model would have again, and what it expects of each; with a hurdle only
    nights that have a latency.

    Parameters
    ----------
    design
        As it was fitted.
    posterior
        As `posterior.lay_out` names it.
    """

    def __init__(self, design: AnalysisDesign, posterior: "xr.Dataset") -> None:
        self.design = part = sampled_part(design)
        flat = posterior.stack(sample=("chain", "draw"))
        flat = flat.isel(sample=np.linspace(0, flat.sizes["sample"] - 1, REPLICAS).astype(int))
        self._rng = np.random.default_rng(SEED)
        self._sigma = flat["sigma"].to_numpy()[:, None]
        self._phi = _correlation_with_the_night_before(part, flat)
        self._period = flat["period_effect"].transpose("sample", "period").to_numpy()[:, part.period]
        self._without_period = _expected_without_period(part, flat, arm_offsets(design, flat))
        self._of_model = told(part, self._expected + self._noise())

    @property
    def _expected(self) -> Floats:
        return np.asarray(self._without_period + self._period)

    def _noise(self) -> Floats:
        noise = self._rng.normal(size=self._expected.shape) * np.sqrt(1 - self._phi**2)
        for night in range(1, noise.shape[1]):
            noise[:, night] += self._phi[:, night] * noise[:, night - 1]
        return np.asarray(noise * self._sigma)

    def _left(self, y: Floats) -> Floats:
        """How far each night lies from what was expected of it, the night before known, in SDs."""
        residual = y - self._expected
        z, _ = standardised(residual, np.roll(residual, 1, axis=1), phi=self._phi, sigma=self._sigma, xp=np)
        return np.asarray(z)

    def tails(self) -> float:
        """Say in what share of data sets single nights are as far off as seen, or farther: the fourth moment."""
        return _share(_fourth_moment(self._left(self._of_model)), _fourth_moment(self._left(seen(self.design))))

    def lag_1(self) -> float:
        """Say in what share of data sets a night takes after the night before as much as seen, or more.

        NaN where the model knows a correlation, which it fits, and where no two nights stand side by side.
        """
        pairs = np.flatnonzero((self.design.gap == 1) & (np.arange(len(self.design.y)) > 0))
        if carries(self.design).any() or not pairs.size:
            return float("nan")
        of_model, real = self._left(self._of_model), self._left(seen(self.design))
        return _share(_likeness(of_model, pairs), _likeness(real, pairs))

    def between_periods(self) -> float:
        """Say in what share of trials, their periods' spread drawn from its prior, it is as large as seen, or larger.

        Of deep sleep, periods that swing far are partly taken for correlated nights, which widens the result by itself:
        they are found less often there than of latencies. A prior SD of 0 takes the periods out of the model, and any
        spread that nights alone do not make is too much.
        """
        part = self.design
        spread = np.abs(self._rng.normal(size=(REPLICAS, 1))) * part.priors["sigma_period"].scale
        shifts = (spread * self._rng.normal(size=(REPLICAS, len(part.periods))))[:, part.period]
        again = told(part, self._without_period + shifts + self._noise())
        return _share(self._spread_of_periods(again), self._spread_of_periods(seen(part)))

    def _spread_of_periods(self, y: Floats) -> Floats:
        """SD between periods of the mean of what is left without them, each counted by its nights."""
        residual = y - self._without_period
        held = np.eye(len(self.design.periods))[self.design.period]
        nights = held.sum(axis=0)
        means = residual @ held / np.maximum(nights, 1)
        apart = means - residual.mean(axis=1, keepdims=True)
        return np.asarray(np.sqrt((nights * apart**2).sum(axis=1) / nights.sum()))


def _expected_without_period(part: AnalysisDesign, flat: "xr.Dataset", offsets: Floats) -> Floats:
    """(data set, night_used): what is expected of each night but for its period."""
    weekday = flat["weekday"].transpose("sample", "weekday_name").to_numpy()[:, part.weekday]
    expected = flat["intercept"].to_numpy()[:, None] + flat["trend"].to_numpy()[:, None] * part.time
    for name, column in part.covariates.items():
        expected = expected + flat[name].to_numpy()[:, None] * column
    return np.asarray(expected + weekday + offsets[:, part.arm_index])


def _correlation_with_the_night_before(part: AnalysisDesign, flat: "xr.Dataset") -> Floats:
    if "rho" not in flat:
        return np.zeros((flat.sizes["sample"], len(part.y)))
    return np.asarray(carries(part) * flat["rho"].to_numpy()[:, None] ** gaps(part))


def _likeness(z: Floats, pairs: NDArray[np.int64]) -> Floats:
    return np.asarray((z[:, pairs] * z[:, pairs - 1]).mean(axis=1) / (z**2).mean(axis=1))


def _fourth_moment(z: Floats) -> Floats:
    return np.asarray((z**4).mean(axis=1) / (z**2).mean(axis=1) ** 2)


def _share(predicted: Floats, real: Floats) -> float:
    return float(np.mean(predicted >= real))


def seen(design: AnalysisDesign) -> Floats:
    """(1, night_used): what was seen, where a night without latency is the least that its source can tell."""
    if design.censored_below is None:
        return design.y[None]
    return np.where(design.censored == LEFT, least(design), design.y)[None]


def told(design: AnalysisDesign, y: Floats) -> Floats:
    """Tell latencies as the nights' own source would: rounded where it rounds, and none shorter than it can tell."""
    if design.censored_below is None:
        return y
    step = np.where(design.width > 0, design.width, 1.0)
    rounded = np.maximum(np.round(np.exp(y) / step), 0.5) * step  # nothing is half a step at most
    return np.maximum(np.where(design.width > 0, np.log(rounded), y), least(design))


def least(design: AnalysisDesign) -> Floats:
    """(night_used,): log minutes of the least that each night's source can tell."""
    return np.log(np.where(design.width > 0, design.width / 2, design.censored_below or 1.0))
