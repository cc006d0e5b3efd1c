"""The PyMC model and its sampling with nutpie.

One model serves both outcomes and everybody: nights, priors and censoring are data, so one compiled function samples
them all. What the model means is said in `likelihood` and `priors`; how a night becomes a row, in `_rows`.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from types import ModuleType
from typing import Any, Final
from zlib import crc32

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nof1.errors import DataError, FitNotUsableError
from nof1.model.callbacks import CompiledDensity, compile_density
from nof1.model.design import AnalysisDesign
from nof1.model.likelihood import log_density
from nof1.model.posterior import Draws, carries, gaps, lay_out, weekday_basis
from nof1.model.priors import RHO_LIMIT, RHO_SD, Priors

DRAWS: Final = 1_000
TUNE: Final = 600
CHAINS: Final = 4
TARGET_ACCEPT: Final = 0.9
"""Small steps: period and weekday effects with few periods make a funnel."""
CAREFUL_ACCEPT: Final = 0.99
"""Smaller steps still, for the one new attempt that a fit with divergences gets; the gate then judges that one."""

PERIODS_STEP: Final = 16
"""Periods are padded to a multiple of this, so that trials of different length share one compiled function. A period
without nights only has its prior and moves nothing."""

FIXED: Final = ("intercept", "delta", "trend")
SETTINGS: Final = (
    ("intercept", "location"),
    ("intercept", "scale"),
    ("delta", "location"),
    ("delta", "scale"),
    ("trend", "location"),
    ("trend", "scale"),
    ("sigma", "location"),
    ("sigma", "scale"),
    ("sigma_weekday", "scale"),
    ("sigma_period", "scale"),
)
"""What of the priors is data, in the order of the model's `settings`."""

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
    width = max(_padded(len(design.periods)) for design in designs)
    say("preparing the model")
    compiled = compiled_model(width)
    say("sampling " + " and ".join(design.measure.label for design in designs))
    begin = partial(_begin, compiled, width=width, seed=seed, draws=draws, tune=tune, chains=chains)
    samplers = [begin(design, target_accept=TARGET_ACCEPT) for design in designs]
    import arviz_stats  # noqa: F401 - seconds to import, needed next, and the sampler's threads do not wait for Python

    trees = {}
    for design, sampler in zip(designs, samplers, strict=True):
        sampled = sampler.wait()
        if sampled["sample_stats"]["diverging"].any():
            say(f"sampling {design.measure.label} again, with smaller steps")
            sampled = begin(design, target_accept=CAREFUL_ACCEPT).wait()
        drawn = {str(name): np.asarray(values) for name, values in sampled["posterior"].data_vars.items()}
        stats = sampled["sample_stats"].to_dataset()
        trees[design.measure.name] = lay_out(design, constrained(drawn), stats, seed=seed)
    return trees


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


def _padded(periods: int) -> int:
    return -(-periods // PERIODS_STEP) * PERIODS_STEP


def build_model(rows: NDArray[np.float64], settings: NDArray[np.float64], width: int) -> Any:
    """Build the PyMC model of one outcome.

    Parameters
    ----------
    rows
        (night_used, column): see `_rows`.
    settings
        Locations and scales of the priors, in the order of `SETTINGS`.
    width
        Periods, padding included.

    Returns
    -------
    pymc.Model
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model(check_bounds=False) as model:
        night = pm.Data("rows", rows)
        numbers = pm.Data("settings", settings)
        setting = {what: numbers[place] for place, what in enumerate(SETTINGS)}
        fixed = [pm.Normal(name, setting[name, "location"], setting[name, "scale"]) for name in FIXED]
        sigma = pm.LogNormal("sigma", setting["sigma", "location"], setting["sigma", "scale"])
        rho = pm.TruncatedNormal("rho", 0.0, RHO_SD, lower=-RHO_LIMIT, upper=RHO_LIMIT)
        sigma_weekday = pm.HalfNormal("sigma_weekday", setting["sigma_weekday", "scale"])
        sigma_period = pm.HalfNormal("sigma_period", setting["sigma_period", "scale"])
        weekday = sigma_weekday * pm.Normal("weekday_raw", shape=6)
        period = sigma_period * pm.Normal("period_raw", shape=width)
        effects = pt.concatenate([pt.stack(fixed), weekday, period])

        columns = len(FIXED) + 6 + width
        y, y_before, gap, carry, censored = (night[:, 2 * columns + place] for place in range(5))
        terms = log_density(
            y - night[:, :columns] @ effects,
            y_before - night[:, columns : 2 * columns] @ effects,
            carry=carry,
            gap=gap.astype("int64"),
            censored=censored,
            sigma=sigma,
            rho=rho,
            xp=pt,
            erfc=pt.erfc,
        )
        pm.Potential("nights", terms.sum())
    return model


def _effect_columns(design: AnalysisDesign, width: int) -> NDArray[np.float64]:
    """(night_used, effect): what each effect is multiplied by; one-hot periods, the padded ones never."""
    ones = np.ones(len(design.y))
    return np.column_stack(
        [ones, design.half_arm, design.time, weekday_basis()[design.weekday], np.eye(width)[design.period]],
    )


def _rows(design: AnalysisDesign, width: int) -> NDArray[np.float64]:
    """Lay the nights out as rows: effects, the previous night's effects, y, y before, gap, carry, censored.

    The previous night stands in the same row because slicing *parameters* is what makes compilation slow. Nothing is
    NaN: where there is no previous night its columns are 0 and `carry` is 0.
    """
    effects = _effect_columns(design, width)
    carry = carries(design)
    shifted = np.roll(np.column_stack([effects, design.y]), 1, axis=0) * carry[:, None]
    return np.column_stack(
        [effects, shifted[:, :-1], design.y, shifted[:, -1], gaps(design), carry, design.censored],
    )


def _settings(priors: Priors) -> NDArray[np.float64]:
    return np.array([getattr(priors[name], what) for name, what in SETTINGS])


def _nutpie() -> Any:
    """Import nutpie without ArviZ's plots.

    nutpie imports all of ArviZ, Matplotlib included, which takes seconds, and uses two functions of it that
    `arviz_base` has. While it is imported for the first time they stand in for ArviZ; who imports ArviZ afterwards gets
    the whole of it.
    """
    if "nutpie" not in sys.modules and "arviz" not in sys.modules:
        import arviz_base

        stand_in: Any = ModuleType("arviz")
        stand_in.from_dict, stand_in.dict_to_dataset = arviz_base.from_dict, arviz_base.dict_to_dataset
        sys.modules["arviz"] = stand_in
        try:
            import nutpie
        finally:
            del sys.modules["arviz"]
    import nutpie

    return nutpie


@cache
def compiled_model(width: int) -> CompiledDensity:
    """Compile the model for so many periods: slow once, then kept for the life of the process."""
    columns = 2 * (len(FIXED) + 6 + width) + 5
    placeholder = np.zeros((2, columns))
    placeholder[:, -3] = 1.0
    model = build_model(placeholder, np.ones(len(SETTINGS)), width)
    return compile_density(model, ("settings", "rows"))


def _begin(
    compiled: CompiledDensity,
    design: AnalysisDesign,
    *,
    width: int,
    seed: int,
    draws: int,
    tune: int,
    chains: int,
    target_accept: float,
) -> Any:
    """Start sampling in threads of its own; `wait` gives the draws."""
    return _nutpie().sample(
        compiled.with_data(_settings(design.priors), _rows(design, width), start=_start(design.priors, width)),
        draws=draws,
        tune=tune,
        chains=chains,
        seed=_seed(seed, design),
        target_accept=target_accept,
        progress_bar=False,
        save_warmup=False,
        blocking=False,
    )


def _start(priors: Priors, width: int) -> dict[str, Draws]:
    """The centre of the priors, on the scale of the sampler."""
    start = {name: np.array(priors[name].location) for name in FIXED}
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
