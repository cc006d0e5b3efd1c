"""A latency whose nights are not independent: the AR(1) of deep sleep, in log minutes, through nights not known whole.

The registered model takes nights of a latency as independent, because a night that is only known to lie beyond a bound,
or within an interval, tells the next one nothing exact. Here such a night has a value of its own, unknown and where it
must lie, drawn along with everything else through a number z_t without bounds:

    log S_t = bound ∓ exp(z_t)                        (− at most the bound, + at least),
    log S_t = lower end + width / (1 + exp(−z_t))     in an interval.

Every night then has a value, known or not, and all of them follow the Gaussian AR(1) of `likelihood`, with gaps; the
change from the value to z_t adds the logarithm of its slope to the log density. ρ has the prior that it has for deep
sleep. With the unknown values integrated out what is left is the likelihood of bounds and intervals.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from nof1.errors import FitNotUsableError
from nof1.model.callbacks import CompiledDensity, compile_density
from nof1.model.design import EXACT, AnalysisDesign
from nof1.model.posterior import gaps, reaches
from nof1.model.predictor import (
    Form,
    effects_of,
    follows,
    innovation,
    log_normal_density,
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

Floats = NDArray[np.float64]

PADDING, BEYOND, WITHIN = 0.0, 1.0, 2.0
"""What an unknown value is: none, beyond a bound, or in an interval."""

NO_HURDLE: Final = "Nights without any latency have a model of their own here, which this one does not have."

UNKNOWN_STEP: Final = 16
"""Unknown values are padded to a multiple of this, so that a few compiled functions serve everybody."""

BEGIN: Final = -1.0
"""Where every z begins: a third of a log minute beyond the bound, or a fourth into the interval."""


def fit_latent_ar(design: AnalysisDesign, *, seed: int) -> "xr.Dataset":
    """Sample a latency whose nights are correlated.

    Returns
    -------
    xarray.Dataset
        The draws (chain, draw), named as in the registered posterior, rho among them.

    Raises
    ------
    FitNotUsableError
        A check of convergence failed.
    """
    if design.has_hurdle:
        raise FitNotUsableError(NO_HURDLE)
    form, room = Form.of(design), room_for(design)
    sampled = sample(
        compiled_model(form, room),
        np.concatenate([settings_of_priors(design), _kinds(design, room)]),
        _rows(design, form, room),
        start=start_of(design, form) | {"unknown": np.full(room, BEGIN)},
        seed=seed,
    )
    posterior = posterior_of(design, form, sampled)
    require_converged(posterior, sampled)
    return posterior


def room_for(design: AnalysisDesign) -> int:
    """Say for how many unknown values the model of a design is compiled: at least one, so that there is a variable."""
    return max(-(-len(_unknown(design)) // UNKNOWN_STEP), 1) * UNKNOWN_STEP


def _unknown(design: AnalysisDesign) -> NDArray[np.int64]:
    """Places of the nights whose value is not known exactly."""
    below, above = reaches(design)
    return np.flatnonzero((design.censored != EXACT) | (below + above > 0))


def _kinds(design: AnalysisDesign, room: int) -> Floats:
    """(room,): what each unknown value is."""
    kinds = np.full(room, PADDING)
    unknown = _unknown(design)
    kinds[: len(unknown)] = np.where(design.censored[unknown] == EXACT, WITHIN, BEYOND)
    return kinds


def _rows(design: AnalysisDesign, form: Form, room: int) -> Floats:
    """Lay the nights out: effects, known part of the value, what its unknown part is multiplied by; all of the night
    before; gap, carry."""
    below, above = reaches(design)
    unknown = _unknown(design)
    part = np.zeros((len(design.y), room))
    part[unknown, np.arange(len(unknown))] = (design.censored + below + above)[unknown]
    rows = np.column_stack([rows_of(design, form), part])
    rows[:, form.columns] -= below
    carry = follows(design)
    return np.column_stack([with_night_before(rows, carry), gaps(design), carry])


def placed(z: Any, kind: Any, *, xp: Any) -> tuple[Any, Any]:
    """Return how far unknown values lie from their bound, or what share into their interval; and the log of the slope.

    Parameters
    ----------
    z
        Without bounds.
    kind
        `PADDING`, `BEYOND` or `WITHIN`.
    xp
        `numpy` or `pytensor.tensor`.
    """
    within = kind > BEYOND
    low = -xp.abs(z)  # so that nothing overflows, on either side
    share = xp.where(z > 0, 1.0, xp.exp(low)) / (1 + xp.exp(low))
    distance = xp.where(within, share, xp.exp(xp.where(within, 0.0, z)))
    slope = xp.where(within, low - 2 * xp.log1p(xp.exp(low)), z)
    # what is padded must have some density of its own, or it would wander off
    return distance, xp.where(kind > PADDING, slope, -0.5 * z * z)


@cache
def compiled_model(form: Form, room: int) -> CompiledDensity:
    """Compile the model for so many unknown values: slow once, then kept for the life of the process."""
    placeholder = np.zeros((2, 2 * (form.columns + 1 + room) + 2))
    placeholder[:, -2] = 1.0
    return compile_density(build_model(form, np.ones(form.settings + room), placeholder, room), ("settings", "rows"))


def build_model(form: Form, settings: Floats, rows: Floats, room: int) -> Any:
    """Build the PyMC model.

    Parameters
    ----------
    settings
        The priors' numbers, then the kind of every unknown value.
    rows
        As `_rows` lays them out.
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model(check_bounds=False) as model:
        night, numbers = pm.Data("rows", rows), pm.Data("settings", settings)
        effects, sigma = effects_of(form, numbers)
        rho = pm.TruncatedNormal("rho", 0.0, RHO_SD, lower=-RHO_LIMIT, upper=RHO_LIMIT)
        distance, slopes = placed(pm.Flat("unknown", shape=room), numbers[form.settings :], xp=pt)
        own = form.columns + 1 + room

        def residual(at: int) -> Any:
            value = night[:, at + form.columns] + night[:, at + form.columns + 1 : at + own] @ distance
            return value - night[:, at : at + form.columns] @ effects

        gap, carry = night[:, 2 * own].astype("int64"), night[:, 2 * own + 1]
        z, sd = innovation(residual(0), residual(own), carry=carry, gap=gap, sigma=sigma, rho=rho, xp=pt)
        terms = log_normal_density(z, sd, xp=pt)
        pm.Potential("nights", terms.sum() + slopes.sum())
    return model
