"""From the sampler's draws to the posterior that is kept: one tree an outcome, with ArviZ's group names."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nof1.model import hurdle
from nof1.model.arms import TWO, arm_coefficients, arm_columns, arm_locations
from nof1.model.design import EXACT, AnalysisDesign
from nof1.model.likelihood import log_mass, log_normal, standardised
from nof1.model.linear import zero_sum_basis

if TYPE_CHECKING:
    import xarray as xr

PRIOR_DRAWS: Final = 4_000
PREDICTED: Final = 100
"""Draws of each chain for which nights are predicted."""

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Draws = NDArray[np.float64]


def weekday_basis() -> Draws:
    """Return (7, 6) orthonormal contrasts: basis @ Normal(0, σ) is ZeroSumNormal(σ) over the seven weekdays."""
    return zero_sum_basis(7)


def lay_out(design: AnalysisDesign, drawn: Mapping[str, Draws], stats: "xr.Dataset", *, seed: int) -> "xr.DataTree":
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
        posterior (chain, draw), prior (draw), posterior_predictive (some draws, night_used), log_prior of the arms,
        observed_data and log_likelihood (night_used), sample_stats, constant_data (night). For a latency,
        observed_data, posterior_predictive and log_likelihood are about log minutes. With more than two arms `effect`
        and `delta` have one more dimension, contrast, named as `Contrast.name`. With a hurdle `level`, `effect` and
        `delta` are of the average of all nights, `zero_share` (arm) says how many are without any latency, and every
        other variable is about those that have one.
    """
    import xarray as xr

    weekday = drawn["sigma_weekday"][..., None] * drawn["weekday_raw"] @ weekday_basis().T
    period = drawn["sigma_period"][..., None] * drawn["period_raw"][..., : len(design.periods)]
    expected = _expected_between_arms(design, drawn, weekday, period)
    expected_of_arm = expected + _offsets(design, drawn)[..., design.arm_index]
    told = _log_likelihood(design, drawn, design.y - expected_of_arm)
    predicted = _predicted(design, drawn, expected_of_arm, seed)
    zeros = hurdle.zero_log_odds(design, drawn["sigma"].shape, seed=seed) if design.has_hurdle else None
    if zeros is not None:
        told = hurdle.with_zeros(design, told, zeros)
        predicted = hurdle.with_predicted_zeros(design, predicted, zeros[:, _predicted_draws(drawn)], seed=seed)
    posterior = _posterior(design, drawn, weekday=weekday, period=period, expected=expected, zeros=zeros)
    groups = {
        "posterior": posterior,
        "prior": _prior(design, seed),
        "posterior_predictive": _over_used_nights(design, "y", predicted, ("chain", "draw")),
        "log_prior": arm_log_prior(design, posterior).to_dataset(name="arms"),
        "observed_data": _over_used_nights(design, "y", design.y, ()),
        "log_likelihood": _over_used_nights(design, "y", told, ("chain", "draw")),
        "sample_stats": stats,
        "constant_data": _constant_data(design.nights),
    }
    return xr.DataTree.from_dict(groups)


def _expected_between_arms(design: AnalysisDesign, drawn: Mapping[str, Draws], weekday: Draws, period: Draws) -> Draws:
    """(chain, draw, night_used): what is expected of each used night in the middle of all arms, on the model's
    scale."""
    adjusted = sum(drawn[name][..., None] * column for name, column in design.covariates.items())
    return np.asarray(
        drawn["intercept"][..., None]
        + drawn["trend"][..., None] * design.time
        + weekday[..., design.weekday]
        + period[..., design.period]
        + adjusted
    )


def _offsets(design: AnalysisDesign, drawn: Mapping[str, Draws]) -> Draws:
    """(…, arm): how far each arm lies from the middle of all, on the model's scale."""
    columns, names = arm_columns(len(design.arms)), arm_coefficients(len(design.arms))
    parts = [drawn[name][..., None] * columns[:, place] for place, name in enumerate(names)]
    return np.asarray(sum(parts))


def _posterior(
    design: AnalysisDesign,
    drawn: Mapping[str, Draws],
    *,
    weekday: Draws,
    period: Draws,
    expected: Draws,
    zeros: Draws | None,
) -> "xr.Dataset":
    """Name the variables of the report; `level` and `effect` are averaged over the used nights of all arms."""
    import xarray as xr

    offset = _offsets(design, drawn)
    if zeros is not None:
        expected, offset = _of_all_nights(expected, offset, drawn["sigma"], zeros)
    level = levels(design, expected, offset)
    both = ("chain", "draw")
    names = ["intercept", "trend", "sigma", "sigma_weekday", "sigma_period"]
    if design.measure.family == "gaussian":
        names.append("rho")
    variables: dict[str, Any] = {"effect": _contrasted(design, level, both), "delta": _contrasted(design, offset, both)}
    names += design.covariates
    variables |= {name: (both, drawn[name]) for name in names}
    variables["level"] = ((*both, "arm"), level)
    if zeros is not None:
        variables["zero_share"] = ((*both, "arm"), np.exp(-np.logaddexp(0, -zeros)))
    variables["weekday"] = ((*both, "weekday_name"), weekday)
    variables["period_effect"] = ((*both, "period"), period)
    coords = {
        "chain": np.arange(level.shape[0]),
        "draw": np.arange(level.shape[1]),
        "arm": list(design.arms),
        "weekday_name": list(WEEKDAYS),
        "period": list(design.periods),
    }
    return xr.Dataset(variables, coords | _contrast_names(design))


def _contrasted(design: AnalysisDesign, by_arm: Draws, dims: tuple[str, ...]) -> tuple[tuple[str, ...], Draws]:
    """(…, arm) → arm − reference of each contrast, with the names of its dimensions; two arms have one contrast."""
    place = design.arms.index
    pairs = [by_arm[..., place(one.arm)] - by_arm[..., place(one.reference)] for one in design.contrasts]
    return (dims, pairs[0]) if len(design.arms) == TWO else ((*dims, "contrast"), np.stack(pairs, axis=-1))


def _contrast_names(design: AnalysisDesign) -> dict[str, list[str]]:
    return {} if len(design.arms) == TWO else {"contrast": [contrast.name for contrast in design.contrasts]}


def of_contrast(draws: "xr.Dataset", name: str) -> "xr.Dataset":
    """Take the draws of one contrast, called as `Contrast.name`, from a posterior or prior: two arms have no other."""
    return draws.sel(contrast=name) if "contrast" in draws.dims else draws


def levels(design: AnalysisDesign, expected: Draws, offset: Draws) -> Draws:
    """(…, arm): the level on each arm in the measure's unit; of a latency, the mean over nights of what is expected of
    each: its median, or with a hurdle its mean."""
    if design.measure.family == "lognormal":
        return np.asarray(np.exp(expected).mean(axis=-1)[..., None] * np.exp(offset))
    return np.asarray(expected.mean(axis=-1)[..., None] + offset)


def _of_all_nights(expected: Draws, offset: Draws, sigma: Draws, zeros: Draws) -> tuple[Draws, Draws]:
    """Turn medians of the nights that have a latency into means, and offsets of those into offsets of all nights."""
    return expected + 0.5 * sigma[..., None] ** 2, offset + hurdle.log_share_above(zeros)


def _prior(design: AnalysisDesign, seed: int) -> "xr.Dataset":
    """Draw the effects from their prior, in the unit of the effect."""
    import xarray as xr

    rng = np.random.default_rng([seed, 1])
    locations, scale = arm_locations(design.priors, len(design.arms)), design.priors["delta"].scale
    names = arm_coefficients(len(design.arms))
    drawn = {name: rng.normal(at, scale, PRIOR_DRAWS) for name, at in zip(names, locations, strict=True)}
    intercept = rng.normal(design.priors["intercept"].location, design.priors["intercept"].scale, PRIOR_DRAWS)
    expected, offset = intercept[:, None], _offsets(design, drawn)
    if design.has_hurdle:
        sigma = rng.lognormal(design.priors["sigma"].location, design.priors["sigma"].scale, PRIOR_DRAWS)
        zeros = hurdle.prior_log_odds(design.priors, len(design.arms), PRIOR_DRAWS, seed=seed)
        expected, offset = _of_all_nights(expected, offset, sigma, zeros)
    level = levels(design, expected, offset)
    return xr.Dataset(
        {"effect": _contrasted(design, level, ("draw",))}, {"draw": np.arange(PRIOR_DRAWS)} | _contrast_names(design)
    )


def _predicted(design: AnalysisDesign, drawn: Mapping[str, Draws], expected: Draws, seed: int) -> Draws:
    """(chain, `PREDICTED`, night_used): nights as the model would have them again, on its own scale."""
    chosen = _predicted_draws(drawn)
    rng = np.random.default_rng([seed, 2])
    sigma, rho = (drawn[name][:, chosen, None] for name in ("sigma", "rho"))
    kept = carries(design) * rho ** gaps(design)
    noise = rng.normal(size=(expected.shape[0], PREDICTED, expected.shape[2])) * sigma * np.sqrt(1 - kept**2)
    for night in range(1, noise.shape[-1]):
        noise[..., night] += kept[..., night] * noise[..., night - 1]
    return np.asarray(expected[:, chosen] + noise)


def _predicted_draws(drawn: Mapping[str, Draws]) -> NDArray[np.int64]:
    return np.linspace(0, drawn["sigma"].shape[1] - 1, PREDICTED).astype(np.int64)


def arm_offsets(design: AnalysisDesign, posterior: "xr.Dataset") -> Draws:
    """(…, arm): how far each arm lies from the middle of all, on the model's scale, from draws as `lay_out` names them.

    With a hurdle that of the nights that have a latency.
    """
    level = _by_arm(design, posterior["level"])
    offset = np.log(level) if design.measure.family == "lognormal" else level
    if design.has_hurdle:
        offset = offset - np.log1p(-_by_arm(design, posterior["zero_share"]))
    return np.asarray(offset - offset.mean(axis=-1, keepdims=True))


def _by_arm(design: AnalysisDesign, draws: "xr.DataArray") -> Draws:
    return np.asarray(draws.transpose(..., "arm").sel(arm=list(design.arms)))


def arm_log_prior(design: AnalysisDesign, posterior: "xr.Dataset") -> "xr.DataArray":
    """Say how likely the arms' effects are under the priors of a design, up to a constant, for each draw.

    Parameters
    ----------
    design
        Whose priors; its other parts are those of the design that was fitted.
    posterior
        Draws over any dimensions, as `lay_out` names them.
    """
    import xarray as xr

    offset = arm_offsets(design, posterior)
    dims = posterior["level"].isel(arm=0).dims
    total = np.zeros(offset.shape[:-1])
    if design.has_hurdle:
        share = _by_arm(design, posterior["zero_share"])
        total = total + hurdle.log_prior(design, np.log(share) - np.log1p(-share))
    arms = len(design.arms)
    coefficients = 2 * offset @ arm_columns(arms)  # the columns sum to zero and have length √½
    apart = (coefficients - arm_locations(design.priors, arms)) / design.priors["delta"].scale
    coords = {dim: posterior[dim] for dim in dims if dim in posterior.indexes}
    return xr.DataArray(total - 0.5 * (apart**2).sum(axis=-1), coords, dims)


def _log_likelihood(design: AnalysisDesign, drawn: Mapping[str, Draws], residual: Draws) -> Draws:
    """(chain, draw, night_used): of each night given the one before; residuals are value − expectation."""
    from scipy.special import erfcx

    carry, sigma, rho = carries(design), drawn["sigma"][..., None], drawn["rho"][..., None]
    phi = carry * rho ** gaps(design) if carry.any() else np.zeros(1)
    z, sd = standardised(residual, np.roll(residual, 1, axis=-1), phi=phi, sigma=sigma, xp=np)
    told = log_normal(z, sd, xp=np)
    others = (design.censored != EXACT) | (design.width > 0)
    if others.any():
        reach = zip(("censored", "below", "above"), (design.censored, *reaches(design)), strict=True)
        sd = np.broadcast_to(sd, z.shape)[..., others]
        told[..., others] = log_mass(z[..., others], sd, **{k: v[others] for k, v in reach}, xp=np, erfcx=erfcx)
    return np.asarray(told)


def carries(design: AnalysisDesign) -> Draws:
    """1 where the previous used night tells something of this one: never for the first, nor for a latency."""
    first = np.arange(len(design.y)) == 0
    return np.where(first | (design.measure.family == "lognormal"), 0.0, 1.0)


def gaps(design: AnalysisDesign) -> NDArray[np.int64]:
    """Days since the previous used night; 1 for the first, where it does not matter and 0 would divide by 0."""
    return np.maximum(design.gap, 1)


def reaches(design: AnalysisDesign) -> tuple[Draws, Draws]:
    """(night_used,) twice: how far the interval that a rounded latency stands for reaches down and up, in log minutes.

    Both are 0 of a night that is no interval.
    """
    half = np.where(design.censored == EXACT, design.width, 0.0) / 2 / np.exp(design.y)
    return -np.log1p(-half), np.log1p(half)


def _over_used_nights(design: AnalysisDesign, name: str, values: Draws, before: tuple[str, ...]) -> "xr.Dataset":
    import xarray as xr

    dates = design.nights.filter("used")["night"].dt.to_string("%Y-%m-%d").to_list()
    coords: dict[str, Any] = {dim: np.arange(size) for dim, size in zip(before, values.shape, strict=False)}
    return xr.Dataset({name: ((*before, "night_used"), values)}, coords | {"night_used": dates})


def _constant_data(nights: pl.DataFrame) -> "xr.Dataset":
    import xarray as xr

    plain = nights.select(
        pl.col("night").dt.to_string("%Y-%m-%d").alias("date"),
        pl.col("value").fill_null(float("nan")),
        pl.col("arm").fill_null(""),
        pl.col("period").fill_null(-1),
        "transition",
        "recorded",
        "used",
        pl.col("why_excluded").fill_null(""),
    )
    return xr.Dataset(
        {name: ("night", _as_numpy(plain[name])) for name in plain.columns}, {"night": np.arange(plain.height)}
    )


def _as_numpy(column: pl.Series) -> NDArray[Any]:
    """Text as NumPy's fixed-width strings, which netCDF knows; objects it does not."""
    return np.array(column.to_list(), dtype=np.str_) if column.dtype == pl.String else column.to_numpy()
