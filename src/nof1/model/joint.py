"""Deep sleep and latency in one model: how likely both are better, and how the nights of the two go together.

Each outcome keeps its registered model: its own effects of arms, trend, weekdays, periods and covariates, with the
priors that it has alone. What is new is one correlation r of what is left of a night. With ε_t the residual of deep
sleep, s the used night of it before, g days earlier, and η_t that of log latency,

    w_t = (ε_t − ρ^g ε_s) / (σ_d √(1 − ρ^2g)) ~ Normal(0, 1),        the first: w = ε / σ_d,
    η_t | w_t ~ Normal(r σ_l w_t, σ_l² (1 − r²)),

so that (w_t, η_t / σ_l) is bivariate normal with unit variances and correlation r, independently from night to night:
latency goes with what is *new* in a night's deep sleep, not with what the night before told of it. The joint density
of all nights is that of deep sleep's AR(1) times, night by night, that of latency given w_t, whose censored nights
have the mass beyond their bound under the same conditional normal. A night of which only one of the two is used tells
what it tells alone. The nights of each outcome, looked at alone, follow its registered model exactly; what is learned
of its effect may differ, for the more r is from 0 the more the nights of one outcome say about chance in the other.

The prior of r is that of a correlation matrix ~ LKJ(2): for two outcomes (r + 1)/2 ~ Beta(2, 2) (Lewandowski,
Kurowicka & Joe 2009, doi:10.1016/j.jmva.2009.04.008), whose density 1 − r² favours none.
"""

import json
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from nof1.errors import FitNotUsableError
from nof1.model.callbacks import CompiledDensity, compile_density
from nof1.model.design import AnalysisDesign
from nof1.model.latent import NO_HURDLE
from nof1.model.likelihood import log_density
from nof1.model.posterior import carries, gaps, of_contrast, reaches
from nof1.model.predictor import (
    Form,
    effects_of,
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
from nof1.trial.protocol import Contrast

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

ETA: Final = 2.0
"""Of the LKJ prior: 95 % of r lie within ±0.81."""

DEEP, LATENCY = "deep_", "latency_"
"""What the names of the two outcomes' variables begin with."""

SHARED: Final = ("effect", "delta", "intercept", "trend", "sigma", "sigma_weekday", "sigma_period")
"""What both outcomes have draws of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """The posterior of r."""

    median: float
    ci95: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Both:
    """How likely both outcomes are better on one arm than on another.

    Parameters
    ----------
    p_each
        By measure, in the same draws: P(both) is never more than the smaller of them.
    """

    arm: str
    reference: str
    p_both: float
    p_each: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """What the joint model tells: the key `joint` of `result.json`.

    Parameters
    ----------
    measures
        Deep sleep, then the latency.
    nights_both
        Nights of which both are used.
    correlation, contrasts
        None and empty where the model could not be used, which `why_not` tells.
    why_descriptive
        Why one of the outcomes, and so both, carries no verdict; None otherwise.
    """

    measures: tuple[str, str]
    nights_both: int
    correlation: Correlation | None
    contrasts: tuple[Both, ...]
    why_not: str | None
    why_descriptive: str | None

    def to_payload(self) -> dict[str, Any]:
        """Return plain values for JSON, lists for tuples."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def log_density_of_both(
    deep: tuple[Any, Any],
    latency: Any,
    *,
    has: tuple[Any, Any],
    carry: Any,
    gap: Any,
    censored: Any,
    sigmas: tuple[Any, Any],
    rho: Any,
    correlation: Any,
    xp: Any,
    erfcx: Any,
    below: Any = 0.0,
    above: Any = 0.0,
) -> Any:
    """Return the log density of every night on which one of the two is used.

    Parameters
    ----------
    deep
        Residuals of the night, and of the used night of deep sleep before it; anything finite where there is none.
    latency
        Residuals in log minutes; anything finite where not used.
    has
        1 where deep sleep is used, and where latency is, else 0.
    carry, gap, rho
        Of deep sleep, as in `likelihood.log_density`.
    censored, below, above
        Of latency, as there.
    sigmas
        σ_d and σ_l.
    xp, erfcx
        As there.
    """
    residual, before = deep
    has_deep, has_latency = has
    sigma_deep, sigma_latency = sigmas
    new, sd = innovation(residual, before, carry=carry, gap=gap, sigma=sigma_deep, rho=rho, xp=xp)
    shared = correlation * has_deep
    given = log_density(
        latency - shared * sigma_latency * new,
        0.0,
        carry=0.0,
        gap=1,
        censored=censored,
        sigma=sigma_latency * xp.sqrt(1 - shared * shared),
        rho=0.0,
        xp=xp,
        erfcx=erfcx,
        below=below,
        above=above,
    )
    return has_deep * log_normal_density(new, sd, xp=xp) + has_latency * given


def joint_account(deep: AnalysisDesign, latency: AnalysisDesign, *, seed: int) -> Joint:
    """Fit both outcomes of one participant together, and say how likely both are better.

    Parameters
    ----------
    deep, latency
        Of the same calendar, arms and contrasts.
    """
    try:
        found = fit_joint(deep, latency, seed=seed)
    except FitNotUsableError as error:
        return not_joint(deep, latency, str(error))
    low, median, high = (float(q) for q in np.quantile(found["correlation"], [0.025, 0.5, 0.975]))
    return replace(
        not_joint(deep, latency, None),
        correlation=Correlation(median=median, ci95=(low, high)),
        contrasts=tuple(
            _both(found, deep, latency, one)
            for one in deep.contrasts
            if not (deep.why_not(one) or latency.why_not(one))
        ),
    )


def not_joint(deep: AnalysisDesign, latency: AnalysisDesign, why_not: str | None) -> Joint:
    """Give the account of a model that was not fitted, or may not be used."""
    return Joint(
        measures=(deep.measure.name, latency.measure.name),
        nights_both=int((deep.nights["used"] & latency.nights["used"]).sum()),
        correlation=None,
        contrasts=(),
        why_not=why_not,
        why_descriptive=deep.why_descriptive or latency.why_descriptive,
    )


def _both(found: "xr.Dataset", deep: AnalysisDesign, latency: AnalysisDesign, contrast: Contrast) -> Both:
    """Count the draws in which each is better, and both are."""
    drawn = of_contrast(found, contrast.name)
    better = {
        design.measure.name: (drawn["effect"].sel(outcome=design.measure.name) * _sign(design) > 0).to_numpy()
        for design in (deep, latency)
    }
    both = np.logical_and(*better.values())
    each = {name: float(found.mean()) for name, found in better.items()}
    return Both(contrast.arm, contrast.reference, float(both.mean()), each)


def _sign(design: AnalysisDesign) -> int:
    return 1 if design.outcome.better == "higher" else -1


def fit_joint(deep: AnalysisDesign, latency: AnalysisDesign, *, seed: int) -> "xr.Dataset":
    """Sample both outcomes together.

    Returns
    -------
    xarray.Dataset
        The draws (chain, draw, outcome) of what both outcomes have, named as in the registered posteriors, the outcomes
        by their measures; and deep sleep's rho, and correlation (chain, draw).

    Raises
    ------
    FitNotUsableError
        A check of convergence failed.
    """
    import xarray as xr

    if latency.has_hurdle:
        raise FitNotUsableError(NO_HURDLE)
    forms = Form.of(deep, latency, prefix=DEEP), Form.of(latency, deep, prefix=LATENCY)
    sampled = sample(
        compiled_model(*forms),
        np.concatenate([settings_of_priors(deep), settings_of_priors(latency)]),
        _rows(deep, latency, forms),
        start=start_of(deep, forms[0]) | start_of(latency, forms[1]) | {"half_logodds__": np.array(0.0)},
        seed=seed,
    )
    each = [posterior_of(one, form, sampled) for one, form in zip((deep, latency), forms, strict=True)]
    names = xr.DataArray([deep.measure.name, latency.measure.name], dims="outcome", name="outcome")
    r = np.tanh(sampled.draws["half_logodds__"] / 2)
    found = xr.concat([one[list(SHARED)] for one in each], dim=names)
    found = found.assign(rho=each[0]["rho"], correlation=(("chain", "draw"), r))
    require_converged(found, sampled)
    return found


def _rows(deep: AnalysisDesign, latency: AnalysisDesign, forms: tuple[Form, Form]) -> Floats:
    """Lay out every night of which one of the two is used: deep sleep's columns, then latency's; 0 where not used.

    Deep sleep: effects, value, both of its used night before, gap, carry, used. Latency: effects, value, censored,
    below, above, used.
    """
    at_deep, at_latency = (design.nights["used"].to_numpy() for design in (deep, latency))
    carry = carries(deep)
    of_deep = np.column_stack(
        [with_night_before(rows_of(deep, forms[0]), carry), gaps(deep), carry, np.ones(len(deep.y))]
    )
    of_latency = np.column_stack(
        [rows_of(latency, forms[1]), latency.censored, *reaches(latency), np.ones(len(latency.y))]
    )
    rows = np.zeros((len(at_deep), of_deep.shape[1] + of_latency.shape[1]))
    rows[:, 2 * forms[0].columns + 2] = 1.0  # a gap of 0 would divide by 0
    rows[at_deep, : of_deep.shape[1]] = of_deep
    rows[at_latency, of_deep.shape[1] :] = of_latency
    return np.asarray(rows[at_deep | at_latency])


@cache
def compiled_model(deep: Form, latency: Form) -> CompiledDensity:
    """Compile the model: slow once, then kept for the life of the process."""
    placeholder = np.zeros((2, 2 * deep.columns + 5 + latency.columns + 5))
    placeholder[:, 2 * deep.columns + 2] = 1.0
    model = build_model(deep, latency, np.ones(deep.settings + latency.settings), placeholder)
    return compile_density(model, ("settings", "rows"))


def build_model(deep: Form, latency: Form, settings: Floats, rows: Floats) -> Any:
    """Build the PyMC model; `rows` as `_rows` lays them out, `settings` those of deep sleep and of latency."""
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model(check_bounds=False) as model:
        night, numbers = pm.Data("rows", rows), pm.Data("settings", settings)
        of_deep, sigma_deep = effects_of(deep, numbers[: deep.settings])
        of_latency, sigma_latency = effects_of(latency, numbers[deep.settings :])
        size = deep.columns
        begin = 2 * size + 5
        gap, carry, has_deep = (night[:, 2 * size + 2 + place] for place in range(3))
        y, censored, below, above, has_latency = (night[:, begin + latency.columns + place] for place in range(5))
        terms = log_density_of_both(
            (
                night[:, size] - night[:, :size] @ of_deep,
                night[:, 2 * size + 1] - night[:, size + 1 : 2 * size + 1] @ of_deep,
            ),
            y - night[:, begin : begin + latency.columns] @ of_latency,
            has=(has_deep, has_latency),
            carry=carry,
            gap=gap.astype("int64"),
            censored=censored,
            sigmas=(sigma_deep, sigma_latency),
            rho=pm.TruncatedNormal(f"{DEEP}rho", 0.0, RHO_SD, lower=-RHO_LIMIT, upper=RHO_LIMIT),
            correlation=2 * pm.Beta("half", ETA, ETA) - 1,
            xp=pt,
            erfcx=pt.erfcx,
            below=below,
            above=above,
        )
        pm.Potential("nights", terms.sum())
    return model
