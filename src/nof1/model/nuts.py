"""The PyMC model of one outcome, and its fits.

One model serves both outcomes and everybody with as many arms: nights, priors and censoring are data, so one compiled
function samples them all. What the model means is said in `likelihood` and `priors`; how a night becomes a row, in
`_rows`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, Final
from zlib import crc32

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nof1.errors import DataError, FitNotUsableError
from nof1.model.arms import arm_coefficients, arm_columns, arm_locations
from nof1.model.callbacks import CompiledDensity, compile_density
from nof1.model.design import AnalysisDesign
from nof1.model.hurdle import sampled_part
from nof1.model.likelihood import log_mass, log_normal, standardised
from nof1.model.posterior import Draws, carries, gaps, lay_out, reaches, weekday_basis
from nof1.model.priors import RHO_LIMIT, RHO_SD, Priors
from nof1.model.sampler import (
    CAREFUL_ACCEPT,
    CHAINS,
    DRAWS,
    LONG_ACCEPT,
    LONG_DRAWS,
    LONG_TUNE,
    TARGET_ACCEPT,
    TUNE,
    Sampled,
    Sampling,
    begin,
)

VARIANT_DRAWS: Final = 500
VARIANT_TUNE: Final = 300
"""Of two chains: a row of the sensitivity table is read to the minute."""

NO_SD: Final = 1e-6
"""What stands for a prior SD of 0, which takes a term out: its logarithm is where the sampler begins."""

PERIODS_STEP: Final = 16
"""Periods are padded to a multiple of this, so that trials of different length share one compiled function. A period
without nights only has its prior and moves nothing."""

Progress = Callable[[str], None]
"""Told in a few words what begins."""


def fit(
    designs: Sequence[AnalysisDesign],
    *,
    seed: int,
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int = CHAINS,
    progress: Progress | None = None,
) -> dict[str, xr.DataTree]:
    """Sample the posterior of every design; the model is compiled once for all of them.

    Parameters
    ----------
    seed
        The same seed, designs and versions give the same draws.

    Returns
    -------
    dict
        Measure → tree with ArviZ's groups: posterior (chain, draw), prior (draw), observed_data and log_likelihood
        (night_used), sample_stats, constant_data (night: every night of the calendar). Latencies in observed_data and
        log_likelihood are log minutes.

    Raises
    ------
    FitNotUsableError
        There is no design, or one cannot be analysed: it says why in `why_not_usable`.
    DataError
        Two designs are of the same measure.
    """
    _check(designs)
    say = progress or _say_nothing
    say("preparing the model")
    for arms, covariates in {(len(design.arms), len(design.covariates)) for design in designs}:
        compiled_model(width_of(designs), arms, covariates)
    say("sampling " + " and ".join(design.measure.label for design in designs))
    begun = partial(_begin, width=width_of(designs), seed=seed, draws=draws, tune=tune, chains=chains)
    samplers = [begun(design, target_accept=TARGET_ACCEPT) for design in designs]
    import arviz_stats  # noqa: F401 - seconds to import, needed next, and the sampler's threads do not wait for Python

    trees = {}
    for design, sampler in zip(designs, samplers, strict=True):
        sampled = sampler.wait()
        if sampled.diverged:
            say(f"sampling {design.measure.label} again, with smaller steps")
            sampled = begun(design, target_accept=CAREFUL_ACCEPT).wait()
        trees[design.measure.name] = _laid_out(design, sampled, seed=seed)
    return trees


def refit(design: AnalysisDesign, *, width: int, seed: int) -> xr.DataTree:
    """Sample a design whose fit failed a check once more: longer, with smaller steps, from other beginnings.

    Parameters
    ----------
    width
        Of the model that is compiled already: `width_of` the designs that were fitted.
    """
    again = _begin(
        design, width=width, seed=seed + 1, draws=LONG_DRAWS, tune=LONG_TUNE, chains=CHAINS, target_accept=LONG_ACCEPT
    )
    return _laid_out(design, again.wait(), seed=seed)


def fit_variants(
    designs: Mapping[str, AnalysisDesign], *, width: int, seed: int, draws: int = VARIANT_DRAWS
) -> dict[str, xr.DataTree]:
    """Sample the alternatives of one outcome, with as many draws as a row of a table needs, all at the same time.

    Parameters
    ----------
    designs
        By the name of the alternative; those that cannot be analysed are left out.
    width
        Of the model that is compiled already: `width_of` the designs that were fitted.
    """
    begun = partial(_begin, width=width, seed=seed, draws=draws, tune=VARIANT_TUNE, chains=2)
    samplers = {
        name: begun(design, target_accept=TARGET_ACCEPT)
        for name, design in designs.items()
        if design.why_not_usable is None and len(design.periods) <= width
    }
    return {name: _laid_out(designs[name], sampler.wait(), seed=seed) for name, sampler in samplers.items()}


def _laid_out(design: AnalysisDesign, sampled: Sampled, *, seed: int) -> xr.DataTree:
    own_names = dict(zip(_adjustments(len(design.covariates)), design.covariates, strict=True))
    drawn = {own_names.get(name, name): values for name, values in sampled.draws.items()}
    return lay_out(design, constrained(drawn), sampled.stats, seed=seed)


def width_of(designs: Sequence[AnalysisDesign]) -> int:
    """Say for how many periods the model of these designs is compiled."""
    return max(-(-len(design.periods) // PERIODS_STEP) * PERIODS_STEP for design in designs)


def _say_nothing(_: str) -> None:
    pass


def _check(designs: Sequence[AnalysisDesign]) -> None:
    if not designs:
        raise FitNotUsableError("There is nothing to fit: no outcome has enough nights.")
    for design in designs:
        if design.why_not_usable:
            raise FitNotUsableError(f"{design.measure.name}: {design.why_not_usable}")
    if len({design.measure.name for design in designs}) < len(designs):
        raise DataError("The same measure stands twice among the outcomes: keep one of them.")


def fixed_effects(arms: int, covariates: int = 0) -> tuple[str, ...]:
    """Name the effects that every night has, in the order of their columns."""
    return ("intercept", *arm_coefficients(arms), "trend", *_adjustments(covariates))


def _adjustments(covariates: int) -> list[str]:
    """Name covariates by their place: one compiled model serves whatever they are called."""
    return [f"adjustment_{place}" for place in range(covariates)]


def settings_of(arms: int, covariates: int = 0) -> tuple[tuple[str, str], ...]:
    """Say what of the priors is data, in the order of the model's `settings`."""
    of_effects = [(name, what) for name in fixed_effects(arms, covariates) for what in ("location", "scale")]
    of_noise = [("sigma", "location"), ("sigma", "scale"), ("sigma_weekday", "scale"), ("sigma_period", "scale")]
    return (*of_effects, *of_noise)


def build_model(
    rows: NDArray[np.float64], settings: NDArray[np.float64], width: int, arms: int, covariates: int = 0
) -> Any:
    """Build the PyMC model of one outcome.

    Parameters
    ----------
    rows
        (night_used, column): see `_rows`.
    settings
        Locations and scales of the priors, in the order of `settings_of`.
    width
        Periods, padding included.
    arms, covariates
        How many.

    Returns
    -------
    pymc.Model
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model(check_bounds=False) as model:
        night = pm.Data("rows", rows)
        numbers = pm.Data("settings", settings)
        setting = {what: numbers[place] for place, what in enumerate(settings_of(arms, covariates))}
        fixed = [
            pm.Normal(name, setting[name, "location"], setting[name, "scale"])
            for name in fixed_effects(arms, covariates)
        ]
        sigma = pm.LogNormal("sigma", setting["sigma", "location"], setting["sigma", "scale"])
        rho = pm.TruncatedNormal("rho", 0.0, RHO_SD, lower=-RHO_LIMIT, upper=RHO_LIMIT)
        sigma_weekday = pm.HalfNormal("sigma_weekday", setting["sigma_weekday", "scale"])
        sigma_period = pm.HalfNormal("sigma_period", setting["sigma_period", "scale"])
        weekday = sigma_weekday * pm.Normal("weekday_raw", shape=6)
        period = sigma_period * pm.Normal("period_raw", shape=width)
        effects = pt.concatenate([pt.stack(fixed), weekday, period])

        columns = len(fixed) + 6 + width
        y, gap, carry = (night[:, columns + place] for place in range(3))
        residual = y - night[:, :columns] @ effects
        before = pt.concatenate([pt.zeros(1), residual[:-1]])
        z, sd = standardised(residual, before, phi=carry * rho ** gap.astype("int64"), sigma=sigma, xp=pt)
        pm.Potential("nights", _log_likelihood(z, sd, night[:, columns + 3 :]))
    return model


def _log_likelihood(z: Any, sd: Any, reach: Any) -> Any:
    """Sum over nights, those of exact values first; `reach` is what `_rows` says of the others: censored, interval."""
    import pytensor.tensor as pt

    exact = pt.eq(abs(reach).sum(axis=1), 0).sum()
    censored, below, above = (reach[exact:, place] for place in range(3))
    mass = log_mass(z[exact:], sd[exact:], censored=censored, below=below, above=above, xp=pt, erfcx=pt.erfcx)
    return log_normal(z[:exact], sd[:exact], xp=pt).sum() + mass.sum()


def _effect_columns(design: AnalysisDesign, width: int) -> NDArray[np.float64]:
    """(night_used, effect): what each effect is multiplied by; one-hot periods, the padded ones never."""
    ones, of_arms = np.ones(len(design.y)), arm_columns(len(design.arms))[design.arm_index]
    return np.column_stack(
        [
            *(ones, of_arms, design.time),
            *design.covariates.values(),
            weekday_basis()[design.weekday],
            np.eye(width)[design.period],
        ],
    )


def _rows(design: AnalysisDesign, width: int) -> NDArray[np.float64]:
    """Lay the nights out as rows: effects, y, gap, carry, censored, interval; exact values stand before all others.

    Only latencies may be anything but exact, and what they tell does not depend on their order. Nothing is NaN.
    """
    effects = _effect_columns(design, width)
    reach = np.column_stack([design.censored, *reaches(design)])
    rows = np.column_stack([effects, design.y, gaps(design), carries(design), reach])
    return rows[np.argsort(reach.any(axis=1), kind="stable")]


def _settings(priors: Priors, arms: int, covariates: Sequence[str] = ()) -> NDArray[np.float64]:
    of_arms = dict(zip(arm_coefficients(arms), arm_locations(priors, arms), strict=True))
    called = dict(zip(_adjustments(len(covariates)), covariates, strict=True)) | dict.fromkeys(of_arms, "delta")
    every = settings_of(arms, len(covariates))
    numbers = {name: priors[called.get(name, name)] for name, _ in every}
    return np.array(
        [
            of_arms[name] if what == "location" and name in of_arms else getattr(numbers[name], what)
            for name, what in every
        ]
    )


@cache
def compiled_model(width: int, arms: int, covariates: int = 0) -> CompiledDensity:
    """Compile the model for so many periods, arms and covariates: slow once, then kept for the life of the process."""
    columns = len(fixed_effects(arms, covariates)) + 6 + width
    placeholder = np.zeros((2, columns + 6))
    placeholder[:, columns + 1] = 1.0  # the gaps
    model = build_model(placeholder, np.ones(len(settings_of(arms, covariates))), width, arms, covariates)
    return compile_density(model, ("settings", "rows"))


def _begin(
    design: AnalysisDesign,
    *,
    width: int,
    seed: int,
    draws: int,
    tune: int,
    chains: int,
    target_accept: float,
) -> Sampling:
    """Start sampling in threads of its own, with a hurdle the nights that have a latency; `wait` gives the draws."""
    design = sampled_part(design)
    arms, priors = len(design.arms), _positive(design.priors)
    return begin(
        compiled_model(width, arms, len(design.covariates)),
        _settings(priors, arms, tuple(design.covariates)),
        _rows(design, width),
        start=_start(priors, width, arms) | dict.fromkeys(_adjustments(len(design.covariates)), np.array(0.0)),
        seed=_seed(seed, design),
        draws=draws,
        tune=tune,
        chains=chains,
        target_accept=target_accept,
    )


def _positive(priors: Priors) -> Priors:
    return {name: replace(prior, scale=max(prior.scale, NO_SD)) for name, prior in priors.items()}


def _start(priors: Priors, width: int, arms: int) -> dict[str, Draws]:
    """The centre of the priors, on the scale of the sampler."""
    start = {name: np.array(priors[name].location) for name in ("intercept", "trend")}
    start |= {name: np.array(at) for name, at in zip(arm_coefficients(arms), arm_locations(priors, arms), strict=True)}
    start |= {"sigma_log__": np.array(priors["sigma"].location), "rho_interval__": np.array(0.0)}
    start |= {f"{name}_log__": np.log(priors[name].scale) for name in ("sigma_weekday", "sigma_period")}
    return start | {"weekday_raw": np.zeros(6), "period_raw": np.zeros(width)}


def constrained(unconstrained: Mapping[str, Draws]) -> dict[str, Draws]:
    """Turn draws back from the scale on which the sampler moves them, as PyMC's transforms do."""
    drawn = dict(unconstrained)
    for name in ("sigma", "sigma_weekday", "sigma_period"):
        drawn[name] = np.exp(drawn.pop(f"{name}_log__"))
    drawn["rho"] = RHO_LIMIT * np.tanh(drawn.pop("rho_interval__") / 2)
    return drawn


def _seed(seed: int, design: AnalysisDesign) -> int:
    """Derive a seed of its own for each measure, whatever stands beside it."""
    return int(np.random.SeedSequence([seed, crc32(design.measure.name.encode())]).generate_state(1)[0])
