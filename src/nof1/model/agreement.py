"""Whether both engines find the same posterior: sampling, and exact integration of the same Gaussian model.

They share the nights and the priors and no other line: a slip in the sampled model, its compilation or the sampler
shows as a difference here.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from nof1.errors import FitNotUsableError
from nof1.model.design import EXACT, AnalysisDesign
from nof1.model.exact import ExactPosterior, integrate
from nof1.model.linear import TrialNights, linear_trial
from nof1.model.mixture import Mixture
from nof1.model.posterior import of_contrast
from nof1.model.wash_in import WashIn
from nof1.trial.protocol import Contrast

if TYPE_CHECKING:
    import xarray as xr

MAX_APART: Final = 0.03
"""SDs that the means may lie apart, however many draws there are."""
MAX_ERRORS_APART: Final = 4.0
"""Monte Carlo errors that they may lie apart, where that is more."""
MAX_SD_RATIO: Final = 0.05
"""How much wider or narrower the one may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Sampled and exact posterior of one effect.

    Parameters
    ----------
    contrast
        `Contrast.name`.
    mean, sd
        By exact integration, in the unit of the effect.
    apart
        Sampled − exact mean, in exact SDs.
    allowed
        Up to where that may go, either side.
    sd_ratio
        Sampled ÷ exact SD.
    """

    contrast: str
    mean: float
    sd: float
    apart: float
    allowed: float
    sd_ratio: float

    @property
    def agrees(self) -> bool:
        """Whether mean and SD are within what is allowed; a NaN is not."""
        return abs(self.apart) <= self.allowed and abs(self.sd_ratio - 1) <= MAX_SD_RATIO


def is_exact(design: AnalysisDesign) -> bool:
    """Say whether the exact engine knows the model of an outcome: Gaussian, and every value known."""
    return design.measure.family == "gaussian" and bool((design.censored == EXACT).all())


def exact_effect(found: ExactPosterior | WashIn, contrast: Contrast) -> Mixture:
    """Take the posterior of arm − reference."""
    if contrast.name in found.asked:
        return found.asked[contrast.name]
    return found.asked[f"{contrast.reference} − {contrast.arm}"].negative


def agreement(design: AnalysisDesign, fitted: "xr.DataTree") -> tuple[Agreement, ...]:
    """Compare the sampled effects of a Gaussian outcome with the exact ones; of another outcome nothing.

    Parameters
    ----------
    fitted
        The tree of the outcome, as `nuts.fit` makes it.
    """
    if not is_exact(design):
        return ()
    try:
        (found,) = integrate([linear_trial(TrialNights.of(design), design.priors)])
    except FitNotUsableError:
        nan = float("nan")
        return tuple(
            Agreement(contrast=one.name, mean=nan, sd=nan, apart=nan, allowed=nan, sd_ratio=nan)
            for one in design.contrasts
        )
    posterior = fitted["posterior"].to_dataset()
    return tuple(
        _compare(one.name, exact_effect(found, one), of_contrast(posterior, one.name)["effect"])
        for one in design.contrasts
    )


def _compare(name: str, exact: Mixture, sampled: "xr.DataArray") -> Agreement:
    from arviz_stats import mcse

    error = float(np.asarray(mcse(sampled.to_dataset(name="effect"), method="mean")["effect"]))
    return Agreement(
        contrast=name,
        mean=exact.mean,
        sd=exact.sd,
        apart=(float(sampled.mean()) - exact.mean) / exact.sd,
        allowed=max(MAX_APART, MAX_ERRORS_APART * error / exact.sd),
        sd_ratio=float(sampled.std(ddof=1)) / exact.sd,
    )
