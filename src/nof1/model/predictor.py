"""What the slow alternatives share with the registered model: what is expected of a night, and how draws are made.

A slow alternative changes what one night tells given others, and nothing of what is expected of it. Here stand its
intercept, arms, trend, weekdays, periods and covariates, with the priors of the registered model, as PyMC variables of
a model whose nights are data; and the way from there to draws that may be used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from nof1.errors import FitNotUsableError
from nof1.model.callbacks import CompiledDensity
from nof1.model.design import AnalysisDesign
from nof1.model.diagnose import convergence
from nof1.model.likelihood import HALF_LOG_2PI
from nof1.model.nuts import (
    _adjustments,
    _effect_columns,
    _positive,
    _settings,
    _start,
    constrained,
    fixed_effects,
    settings_of,
    width_of,
)
from nof1.model.posterior import _expected_between_arms, _posterior, weekday_basis
from nof1.model.sampler import CAREFUL_ACCEPT, Sampled, begin

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

Progress = Callable[[str], None]
"""Told in a few words what begins."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a compiled model takes for granted of one outcome; all else of it is data.

    Parameters
    ----------
    width
        Periods, padding included.
    arms, covariates
        How many.
    prefix
        Of its variables' names, where one model has two outcomes.
    """

    width: int
    arms: int
    covariates: int
    prefix: str = ""

    @classmethod
    def of(cls, design: AnalysisDesign, *beside: AnalysisDesign, prefix: str = "") -> Self:
        """Take the form of a design, as wide as it and those beside it need."""
        return cls(width_of([design, *beside]), len(design.arms), len(design.covariates), prefix)

    @property
    def columns(self) -> int:
        """Effects of a night."""
        return len(fixed_effects(self.arms, self.covariates)) + 6 + self.width

    @property
    def settings(self) -> int:
        """Numbers of the priors."""
        return len(settings_of(self.arms, self.covariates))


def effects_of(form: Form, numbers: Any) -> tuple[Any, Any]:
    """Make the PyMC variables of one outcome, inside a model.

    Parameters
    ----------
    numbers
        The outcome's part of the model's data, as `settings_of_priors` lays it out.

    Returns
    -------
    effects, sigma
        (effect,) in the order of `rows_of`; the scale of a night's noise.
    """
    import pymc as pm
    import pytensor.tensor as pt

    arms, covariates, own = form.arms, form.covariates, form.prefix
    setting = {what: numbers[place] for place, what in enumerate(settings_of(arms, covariates))}
    fixed = [
        pm.Normal(f"{own}{name}", setting[name, "location"], setting[name, "scale"])
        for name in fixed_effects(arms, covariates)
    ]
    sigma = pm.LogNormal(f"{own}sigma", setting["sigma", "location"], setting["sigma", "scale"])
    learned = {
        name: pm.HalfNormal(f"{own}sigma_{name}", setting[f"sigma_{name}", "scale"]) for name in ("weekday", "period")
    }
    weekday = learned["weekday"] * pm.Normal(f"{own}weekday_raw", shape=6)
    period = learned["period"] * pm.Normal(f"{own}period_raw", shape=form.width)
    return pt.concatenate([pt.stack(fixed), weekday, period]), sigma


def rows_of(design: AnalysisDesign, form: Form) -> Floats:
    """(night_used, effect + 1): what each effect is multiplied by, and the value."""
    return np.column_stack([_effect_columns(design, form.width), design.y])


def with_night_before(rows: Floats, carry: Floats) -> Floats:
    """Put beside every row the one before it, or zeros where `carry` is 0: slicing parameters is slow to compile."""
    return np.column_stack([rows, np.roll(rows, 1, axis=0) * carry[:, None]])


def follows(design: AnalysisDesign) -> Floats:
    """1 where a used night lies before; 0 for the first."""
    return (np.arange(len(design.y)) > 0).astype(float)


def innovation(
    residual: Any, residual_before: Any, *, carry: Any, gap: Any, sigma: Any, rho: Any, xp: Any
) -> tuple[Any, Any]:
    """Return what is new in a night of an AR(1) with gaps, in its own SDs, and that SD: as in `likelihood`."""
    phi = carry * rho**gap
    sd = sigma * xp.sqrt(1 - phi * phi)
    return (residual - phi * residual_before) / sd, sd


def log_normal_density(z: Any, sd: Any, *, xp: Any) -> Any:
    """Return the log density of a normal value that lies z SDs from its mean."""
    return -0.5 * z * z - xp.log(sd) - HALF_LOG_2PI


def settings_of_priors(design: AnalysisDesign) -> Floats:
    """Lay the numbers of a design's priors out, as the compiled model has them."""
    return _settings(_positive(design.priors), len(design.arms), tuple(design.covariates))


def start_of(design: AnalysisDesign, form: Form) -> dict[str, Floats]:
    """Begin in the centre of the priors, with no correlation between nights."""
    start = _start(_positive(design.priors), form.width, form.arms)
    start |= dict.fromkeys(_adjustments(form.covariates), np.array(0.0))
    return {f"{form.prefix}{name}": value for name, value in start.items()}


def sample(
    compiled: CompiledDensity, vector: Floats, matrix: Floats, *, start: Mapping[str, Floats], seed: int
) -> Sampled:
    """Draw as the registered fit does: once more with smaller steps where draws diverged."""
    begun = partial(begin, compiled, vector, matrix, start=start, seed=seed)
    sampled = begun().wait()
    return begun(target_accept=CAREFUL_ACCEPT).wait() if sampled.diverged else sampled


def posterior_of(design: AnalysisDesign, form: Form, sampled: Sampled) -> "xr.Dataset":
    """Name one outcome's draws (chain, draw) as the registered posterior does; ρ is 0 where the model has none."""
    own_names = dict(zip(_adjustments(form.covariates), design.covariates, strict=True))
    moved = {
        name.removeprefix(form.prefix): values for name, values in sampled.draws.items() if name.startswith(form.prefix)
    }
    moved.setdefault("rho_interval__", np.zeros_like(moved["intercept"]))
    drawn = {own_names.get(name, name): values for name, values in constrained(moved).items()}
    weekday = drawn["sigma_weekday"][..., None] * drawn["weekday_raw"] @ weekday_basis().T
    period = drawn["sigma_period"][..., None] * drawn["period_raw"][..., : len(design.periods)]
    expected = _expected_between_arms(design, drawn, weekday, period)
    told = _posterior(design, drawn, weekday=weekday, period=period, expected=expected, zeros=None)
    return told.assign(rho=(("chain", "draw"), drawn["rho"]))


def require_converged(posterior: "xr.Dataset", sampled: Sampled) -> None:
    """Hold draws to what the registered fit is held to.

    Raises
    ------
    FitNotUsableError
        A check failed; it says which.
    """
    import xarray as xr

    found = convergence(xr.DataTree.from_dict({"posterior": posterior, "sample_stats": sampled.stats}))
    if found.failures:
        raise FitNotUsableError(" ".join(found.failures))
