"""Whether a fit may be used: the checks that stand between a posterior and any claim."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr

MAX_RHAT: Final = 1.01
MIN_ESS: Final = 400.0
MIN_BFMI: Final = 0.3
"""Rank-normalised R-hat and ESS: Vehtari 2021, doi:10.1214/20-BA1221. BFMI: Betancourt 2016, arXiv:1604.00695."""

CHECKED: Final = ("effect", "delta", "intercept", "trend", "sigma", "rho", "sigma_weekday", "sigma_period")
"""The effect and everything that every night shares; those of them that the outcome has."""


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


def diagnose(fitted: xr.DataTree) -> Diagnostics:
    """Check one outcome's tree, as `nuts.fit` makes it.

    Agreement with the exact engine and posterior predictive checks belong here too, once there is an exact engine:
    one more sentence each in `_failures`.
    """
    from arviz_stats import bfmi, ess, rhat

    posterior = fitted["posterior"].to_dataset()
    checked = posterior[[name for name in CHECKED if name in posterior]]
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
        **numbers,
    )


def _extreme(values: xr.Dataset, of: Callable[..., np.float64]) -> float:
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
