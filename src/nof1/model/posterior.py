"""From the sampler's draws to the posterior that is kept: one tree an outcome, with ArviZ's group names."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import polars as pl
import xarray as xr
from numpy.typing import NDArray

from nof1.model.design import AnalysisDesign
from nof1.model.likelihood import log_density

PRIOR_DRAWS: Final = 4_000

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Draws = NDArray[np.float64]


def weekday_basis() -> Draws:
    """Return (7, 6) orthonormal contrasts: basis @ Normal(0, σ) is ZeroSumNormal(σ) over the seven weekdays."""
    basis = np.zeros((7, 6))
    for column in range(6):
        basis[: column + 1, column] = 1.0
        basis[column + 1, column] = -(column + 1.0)
    return np.asarray(basis / np.linalg.norm(basis, axis=0))


def lay_out(design: AnalysisDesign, drawn: Mapping[str, Draws], stats: xr.Dataset, *, seed: int) -> xr.DataTree:
    """Make the tree of one outcome.

    Parameters
    ----------
    drawn
        Draws (chain, draw, …) of the model's own variables, non-centred, periods padded.
    stats
        The sampler's statistics (chain, draw).
    seed
        For the draws from the prior.

    Returns
    -------
    xarray.DataTree
        posterior (chain, draw), prior (draw), observed_data and log_likelihood (night_used), sample_stats,
        constant_data
        (night). For a latency, observed_data and log_likelihood are about log minutes.
    """
    weekday = drawn["sigma_weekday"][..., None] * drawn["weekday_raw"] @ weekday_basis().T
    period = drawn["sigma_period"][..., None] * drawn["period_raw"][..., : len(design.periods)]
    expected = _expected_between_arms(design, drawn, weekday, period)
    groups = {
        "posterior": _posterior(design, drawn, weekday, period, expected),
        "prior": _prior(design, seed),
        "observed_data": _over_used_nights(design, "y", design.y, ()),
        "log_likelihood": _over_used_nights(design, "y", _log_likelihood(design, drawn, expected), ("chain", "draw")),
        "sample_stats": _sample_stats(stats),
        "constant_data": _constant_data(design.nights),
    }
    return xr.DataTree.from_dict(groups)


def _expected_between_arms(design: AnalysisDesign, drawn: Mapping[str, Draws], weekday: Draws, period: Draws) -> Draws:
    """(chain, draw, night_used): what is expected of each used night half-way between the arms, on the model's
    scale."""
    return np.asarray(
        drawn["intercept"][..., None]
        + drawn["trend"][..., None] * design.time
        + weekday[..., design.weekday]
        + period[..., design.period]
    )


def _posterior(
    design: AnalysisDesign, drawn: Mapping[str, Draws], weekday: Draws, period: Draws, expected: Draws
) -> xr.Dataset:
    """Name the variables of the report; `level` and `effect` are averaged over the used nights of both arms."""
    level = levels(design, expected, drawn["delta"])
    both = ("chain", "draw")
    names = ["delta", "intercept", "trend", "sigma", "sigma_weekday", "sigma_period"]
    if design.measure.family == "gaussian":
        names.append("rho")
    variables: dict[str, Any] = {"effect": (both, level[..., 0] - level[..., 1])}
    variables |= {name: (both, drawn[name]) for name in names}
    variables["level"] = ((*both, "arm"), level)
    variables["weekday"] = ((*both, "weekday_name"), weekday)
    variables["period_effect"] = ((*both, "period"), period)
    coords = {
        "chain": np.arange(level.shape[0]),
        "draw": np.arange(level.shape[1]),
        "arm": [design.arm, design.reference],
        "weekday_name": list(WEEKDAYS),
        "period": list(design.periods),
    }
    return xr.Dataset(variables, coords)


def levels(design: AnalysisDesign, expected: Draws, delta: Draws) -> Draws:
    """(…, 2): the level on `arm` and on `reference` in the measure's unit; of a latency, the mean over nights of its
    median."""
    half = np.stack([delta / 2, -delta / 2], axis=-1)
    if design.measure.family == "lognormal":
        return np.asarray(np.exp(expected).mean(axis=-1)[..., None] * np.exp(half))
    return np.asarray(expected.mean(axis=-1)[..., None] + half)


def _prior(design: AnalysisDesign, seed: int) -> xr.Dataset:
    """Draw the effect from its prior, in the unit of the effect."""
    rng = np.random.default_rng([seed, 1])
    delta, intercept = (
        rng.normal(design.priors[name].location, design.priors[name].scale, PRIOR_DRAWS)
        for name in ("delta", "intercept")
    )
    level = levels(design, intercept[:, None], delta)
    return xr.Dataset({"effect": ("draw", level[:, 0] - level[:, 1])}, {"draw": np.arange(PRIOR_DRAWS)})


def _log_likelihood(design: AnalysisDesign, drawn: Mapping[str, Draws], expected: Draws) -> Draws:
    """(chain, draw, night_used): of each night given the one before."""
    from scipy.special import erfc

    residual = design.y - expected - drawn["delta"][..., None] * design.half_arm
    carry = carries(design)
    return np.asarray(
        log_density(
            residual,
            np.roll(residual, 1, axis=-1) * carry,
            carry=carry,
            gap=gaps(design),
            censored=design.censored,
            sigma=drawn["sigma"][..., None],
            rho=drawn["rho"][..., None],
            xp=np,
            erfc=erfc,
        )
    )


def carries(design: AnalysisDesign) -> Draws:
    """1 where the previous used night tells something of this one: never for the first, nor for a latency."""
    first = np.arange(len(design.y)) == 0
    return np.where(first | (design.measure.family == "lognormal"), 0.0, 1.0)


def gaps(design: AnalysisDesign) -> NDArray[np.int64]:
    """Days since the previous used night; 1 for the first, where it does not matter and 0 would divide by 0."""
    return np.maximum(design.gap, 1)


def _sample_stats(stats: xr.Dataset) -> xr.Dataset:
    """Turn messages into text: netCDF has no objects, and None means that there was none."""
    messages = [name for name, values in stats.data_vars.items() if values.dtype == object]
    return stats.assign({name: stats[name].fillna("").astype(np.str_) for name in messages})


def _over_used_nights(design: AnalysisDesign, name: str, values: Draws, before: tuple[str, ...]) -> xr.Dataset:
    dates = design.nights.filter("used")["night"].dt.to_string("%Y-%m-%d").to_list()
    coords: dict[str, Any] = {dim: np.arange(size) for dim, size in zip(before, values.shape, strict=False)}
    return xr.Dataset({name: ((*before, "night_used"), values)}, coords | {"night_used": dates})


def _constant_data(nights: pl.DataFrame) -> xr.Dataset:
    plain = nights.select(
        pl.col("night").dt.to_string("%Y-%m-%d").alias("date"),
        pl.col("value").fill_null(float("nan")),
        pl.col("arm").fill_null(""),
        pl.col("period").fill_null(-1),
        "transition",
        "used",
        pl.col("why_excluded").fill_null(""),
    )
    return xr.Dataset(
        {name: ("night", _as_numpy(plain[name])) for name in plain.columns}, {"night": np.arange(plain.height)}
    )


def _as_numpy(column: pl.Series) -> NDArray[Any]:
    """Text as NumPy's fixed-width strings, which netCDF knows; objects it does not."""
    return np.array(column.to_list(), dtype=np.str_) if column.dtype == pl.String else column.to_numpy()
