"""Nights with heavy tails: the model of a Gaussian outcome in which a single odd night pulls less.

With residual ε, and g whole days since the previous used night s,

    (ε_t − ρ^g ε_s) / (σ √(1 − ρ^2g)) ~ Student-t with ν degrees of freedom,   ν ~ Gamma(2, 0.1).

Location and scale are those of the Gaussian model (`likelihood`), which it becomes as ν grows. σ, whose prior stays, is
the *scale* of a night of which no other tells anything, not its SD: that is σ √(ν / (ν − 2)) where ν > 2, and larger
the heavier the tails. An AR(1) of Student-t steps is not closed under leaving nights out: across a gap the density is
the model's own, and not that of the skipped nights integrated out.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.callbacks import CompiledDensity, compile_density
from nof1.model.design import AnalysisDesign
from nof1.model.posterior import gaps
from nof1.model.predictor import (
    Form,
    effects_of,
    follows,
    innovation,
    posterior_of,
    require_converged,
    rows_of,
    sample,
    settings_of_priors,
    start_of,
    with_night_before,
)
from nof1.model.priors import RHO_LIMIT, RHO_SD

if TYPE_CHECKING:
    import xarray as xr

NU: Final = (2.0, 0.1)
"""Shape and rate of the Gamma prior of ν: mean 20, 95 % between 2.4 and 56 (Juárez & Steel 2010, J Bus Econ Stat
28:52). Deep sleep's excess kurtosis of at most 0.75 in ten public exports is that of ν = 12."""


def log_density(
    residual: Any, residual_before: Any, *, carry: Any, gap: Any, sigma: Any, rho: Any, nu: Any, xp: Any, gammaln: Any
) -> Any:
    """Return the log density of every night given the one before.

    Parameters
    ----------
    residual, residual_before, carry, gap, sigma, rho
        As in `likelihood.log_density`.
    nu
        Degrees of freedom.
    xp, gammaln
        `numpy` and `scipy.special.gammaln`, or `pytensor.tensor` and its `gammaln`.
    """
    z, sd = innovation(residual, residual_before, carry=carry, gap=gap, sigma=sigma, rho=rho, xp=xp)
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * xp.log(nu * np.pi)
    return constant - xp.log(sd) - (nu + 1) / 2 * xp.log1p(z * z / nu)


def fit_heavy_tails(design: AnalysisDesign, *, seed: int) -> "xr.Dataset":
    """Sample a Gaussian outcome with heavy tails.

    Returns
    -------
    xarray.Dataset
        The draws (chain, draw), named as in the registered posterior, and nu.

    Raises
    ------
    FitNotUsableError
        A check of convergence failed.
    """
    form = Form.of(design)
    sampled = sample(
        compiled_model(form),
        settings_of_priors(design),
        _rows(design, form),
        start=start_of(design, form) | {"nu_log__": np.log(NU[0] / NU[1])},
        seed=seed,
    )
    nu = np.exp(sampled.draws["nu_log__"])
    posterior = posterior_of(design, form, sampled).assign(nu=(("chain", "draw"), nu))
    require_converged(posterior, sampled)
    return posterior


def _rows(design: AnalysisDesign, form: Form) -> NDArray[np.float64]:
    """Lay the nights out: effects, value, both of the night before, gap, carry."""
    carry = follows(design)
    return np.column_stack([with_night_before(rows_of(design, form), carry), gaps(design), carry])


@cache
def compiled_model(form: Form) -> CompiledDensity:
    """Compile the model: slow once, then kept for the life of the process."""
    placeholder = np.zeros((2, 2 * form.columns + 4))
    placeholder[:, -2] = 1.0
    return compile_density(build_model(form, np.ones(form.settings), placeholder), ("settings", "rows"))


def build_model(form: Form, settings: NDArray[np.float64], rows: NDArray[np.float64]) -> Any:
    """Build the PyMC model; `rows` as `_rows` lays them out."""
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model(check_bounds=False) as model:
        night = pm.Data("rows", rows)
        effects, sigma = effects_of(form, pm.Data("settings", settings))
        rho = pm.TruncatedNormal("rho", 0.0, RHO_SD, lower=-RHO_LIMIT, upper=RHO_LIMIT)
        size = form.columns
        terms = log_density(
            night[:, size] - night[:, :size] @ effects,
            night[:, 2 * size + 1] - night[:, size + 1 : 2 * size + 1] @ effects,
            gap=night[:, 2 * size + 2].astype("int64"),
            carry=night[:, 2 * size + 3],
            sigma=sigma,
            rho=rho,
            nu=pm.Gamma("nu", *NU),
            xp=pt,
            gammaln=pt.gammaln,
        )
        pm.Potential("nights", terms.sum())
    return model
