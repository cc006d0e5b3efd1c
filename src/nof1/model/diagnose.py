"""Whether a fit may be used: the checks that stand between a posterior and any claim."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from nof1.model.agreement import Agreement, agreement
from nof1.model.covariates import PREFIX
from nof1.model.design import AnalysisDesign
from nof1.model.doubts import Doubts, doubts

if TYPE_CHECKING:
    import xarray as xr

MAX_RHAT: Final = 1.01
MIN_ESS: Final = 400.0
MAX_RHAT_OF_ROW: Final = 1.05
MIN_ESS_OF_ROW: Final = 200.0
"""Of a row of the sensitivity table: its mean is then known to 0.07 of its SD."""
MIN_BFMI: Final = 0.3
"""Rank-normalised R-hat and ESS: Vehtari 2021, doi:10.1214/20-BA1221. BFMI: Betancourt 2016, arXiv:1604.00695."""

CHECKED: Final = (
    *("effect", "delta", "intercept", "trend", "sigma", "rho", "sigma_weekday", "sigma_period"),
    *("nu", "correlation"),
)
"""The effects and everything that every night shares; those of them that the model has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """What the checks found.

    Parameters
    ----------
    failures
        One sentence for each failed check; none means usable.
    rhat_max, ess_bulk_min, ess_tail_min
        The worst of the checked variables; ESS counts draws of all chains together.
    bfmi_min
        The worst chain.
    draws
        Kept per chain.
    engines
        Sampled beside exact posterior, one a contrast; none where the exact engine does not know the model.
    doubts
        What only warns; None where the fit is not usable anyway.
    """

    usable: bool
    failures: tuple[str, ...]
    rhat_max: float
    ess_bulk_min: float
    ess_tail_min: float
    divergences: int
    bfmi_min: float
    chains: int
    draws: int
    engines: tuple[Agreement, ...]
    doubts: Doubts | None


def diagnose(design: AnalysisDesign, fitted: "xr.DataTree") -> Diagnostics:
    """Check one outcome's tree, as `nuts.fit` makes it: by itself, and against the exact engine."""
    found, engines = convergence(fitted), agreement(design, fitted)
    failures = (*found.failures, *_disagreements(engines))
    doubted = None if failures else doubts(design, fitted)
    return replace(found, usable=not failures, failures=failures, engines=engines, doubts=doubted)


def convergence(fitted: "xr.DataTree") -> Diagnostics:
    """Check by itself whether the sampler reached the posterior."""
    from arviz_stats import bfmi, ess, rhat

    posterior = fitted["posterior"].to_dataset()
    checked = posterior[[name for name in posterior if name in CHECKED or str(name).startswith(PREFIX)]]
    stats = fitted["sample_stats"].to_dataset()
    numbers = {
        "rhat_max": _extreme(rhat(checked), np.max),
        "ess_bulk_min": _extreme(ess(checked, method="bulk"), np.min),
        "ess_tail_min": _extreme(ess(checked, method="tail"), np.min),
        "bfmi_min": _extreme(bfmi(stats), np.min),
    }
    divergences = int(stats["diverging"].sum())
    failures = _failures(divergences=divergences, **numbers)
    return Diagnostics(
        usable=not failures,
        failures=failures,
        divergences=divergences,
        chains=posterior.sizes["chain"],
        draws=posterior.sizes["draw"],
        engines=(),
        doubts=None,
        **numbers,
    )


def too_rough(fitted: "xr.DataTree") -> str | None:
    """Say why draws do not even tell an effect to the minute, as a row of a table does; None where they do.

    A row is sampled shortly, and only its effect is read: less is asked of it than of the registered fit.
    """
    from arviz_stats import ess, rhat

    effect = fitted["posterior"].to_dataset()[["effect"]]
    apart, size = _extreme(rhat(effect), np.max), _extreme(ess(effect, method="bulk"), np.min)
    if apart <= MAX_RHAT_OF_ROW and size >= MIN_ESS_OF_ROW:
        return None
    return f"The chains disagree (R-hat {apart:.2f}, {size:.0f} independent draws)."


def _extreme(values: "xr.Dataset", of: Callable[..., np.float64]) -> float:
    """The worst number; NaN where any is, so that it fails every comparison."""
    return float(of([of(np.asarray(value)) for value in values.data_vars.values()]))


def _failures(
    *, rhat_max: float, ess_bulk_min: float, ess_tail_min: float, divergences: int, bfmi_min: float
) -> tuple[str, ...]:
    """Say each failed check. Asked as `not (good)`, because a NaN is good for nothing."""
    said = []
    if not rhat_max <= MAX_RHAT:
        said.append(f"The chains disagree: R-hat is {rhat_max:.3f}, at most {MAX_RHAT} is sound.")
    for part, size in (("centre", ess_bulk_min), ("tails", ess_tail_min)):
        if not size >= MIN_ESS:
            said.append(f"The {part} of the posterior rest on {size:.0f} independent draws; {MIN_ESS:.0f} are needed.")
    if divergences:
        said.append(f"{divergences} draws diverged: part of the posterior was not reached.")
    if not bfmi_min >= MIN_BFMI:
        said.append(f"The sampler moved too slowly between energies: BFMI is {bfmi_min:.2f}, {MIN_BFMI} is sound.")
    return tuple(said)


def _disagreements(engines: Sequence[Agreement]) -> list[str]:
    return [
        f"The two engines disagree on {one.contrast}: the sampled mean lies {one.apart:+.2f} SD from the exact one, "
        f"{one.allowed:.2f} are allowed, and its SD is {one.sd_ratio:.2f} of the exact one."
        for one in engines
        if not one.agrees
    ]
