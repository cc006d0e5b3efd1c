"""Every prior in one place: name, distribution, unit, and where its numbers come from.

Deep sleep is modelled in device minutes, latency in log minutes. The numbers come from ten public personal exports
(68–662 nights each, WHOOP and Oura) and from the trials named beside them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from types import MappingProxyType
from typing import Final, Literal

from nof1.errors import DataError

RHO_LIMIT: Final = 0.9
RHO_SD: Final = 0.4
"""rho ~ Normal(0, 0.4) truncated to ±0.9: lag-1 correlations observed after detrending lie between −0.11 and +0.06."""

Distribution = Literal["Normal", "LogNormal", "HalfNormal", "TruncatedNormal", "ZeroSumNormal"]


@dataclass(frozen=True, slots=True)
class Prior:
    """One prior.

    Parameters
    ----------
    name
        The variable's name in the posterior.
    distribution
        The family; `location` and `scale` are its parameters. For a LogNormal they are on the log scale, as in PyMC.
    unit
        The unit of the variable; "log min" differences are log ratios.
    source
        Why these numbers.
    """

    name: str
    distribution: Distribution
    location: float
    scale: float
    unit: str
    source: str

    def in_words(self) -> str:
        """Write the distribution out, its parameters in it."""
        if self.distribution == "HalfNormal":
            return f"HalfNormal({self.scale:.3g})"
        if self.distribution == "TruncatedNormal":
            return f"Normal({self.location:.3g}, {self.scale:.3g}) within ±{RHO_LIMIT}"
        return f"{self.distribution}({self.location:.3g}, {self.scale:.3g})"


Priors = Mapping[str, Prior]
"""The priors of one outcome by the name of the variable."""


def priors_for(measure: str, *, baseline: float | None, effect_sd: float | None = None) -> Priors:
    """Choose the priors of one outcome.

    Parameters
    ----------
    measure
        `deep_min` or `sol_min`.
    baseline
        Mean deep minutes, or median latency in minutes, of the run-in; None without one.
    effect_sd
        The protocol's own prior SD of the effect, in minutes; None for the default. Deep sleep only.

    Raises
    ------
    DataError
        There are no priors for this measure, or `effect_sd` has no meaning for it.
    """
    if measure == "deep_min":
        chosen = _deep_sleep(baseline, effect_sd)
    elif measure == "sol_min":
        if effect_sd is not None:
            raise DataError(
                'analysis.prior_effect_sd is in minutes, but latency is modelled as a ratio: leave it at "default".'
            )
        chosen = _latency(baseline)
    else:
        raise DataError(f"{measure} cannot be analysed yet: priors exist for deep_min and sol_min only.")
    return MappingProxyType({prior.name: prior for prior in chosen})


def _deep_sleep(baseline: float | None, effect_sd: float | None) -> tuple[Prior, ...]:
    centre = "no run-in: ten public exports have means of 61 to 98" if baseline is None else "mean of the run-in"
    return (
        Prior("intercept", "Normal", 80.0 if baseline is None else baseline, 25.0, "min", centre),
        Prior(
            "delta",
            "Normal",
            0.0,
            10.0 if effect_sd is None else effect_sd,
            "min",
            "the protocol"
            if effect_sd is not None
            else "half a within-person SD; covers +6.4 min of slow-wave sleep (Held 2002, doi:10.1055/s-2002-33195)",
        ),
        Prior("trend", "Normal", 0.0, 10.0, "min per trial", "a drift over the whole trial as large as the effect"),
        Prior("sigma", "LogNormal", log(19.0), 0.4, "min", "95 % between 8.7 and 42; ten public exports: 11 to 25"),
        Prior(
            "rho",
            "TruncatedNormal",
            0.0,
            RHO_SD,
            "",
            "lag-1 correlation: ten public exports −0.15 to +0.12",
        ),
        Prior("sigma_weekday", "HalfNormal", 0.0, 5.0, "min", "SD of the weekdays' zero-sum effects"),
        Prior("sigma_period", "HalfNormal", 0.0, 4.0, "min", "between periods: makes the period the unit of evidence"),
    )


def _latency(baseline: float | None) -> tuple[Prior, ...]:
    centre = "no run-in: medians of two public exports are 11 min" if baseline is None else "median of the run-in"
    return (
        Prior("intercept", "Normal", log(12.0 if baseline is None else baseline), 0.7, "log min", centre),
        Prior("delta", "Normal", 0.0, 0.25, "log min", "a ratio of 1, 95 % between 0.61 and 1.63"),
        Prior("trend", "Normal", 0.0, 0.3, "log min per trial", "a drift over the whole trial as large as the effect"),
        Prior("sigma", "LogNormal", log(0.65), 0.3, "log min", "log SD between nights; public exports: 0.52 to 0.94"),
        Prior("sigma_weekday", "HalfNormal", 0.0, 0.15, "log min", "SD of the weekdays' zero-sum effects"),
        Prior(
            "sigma_period",
            "HalfNormal",
            0.0,
            0.15,
            "log min",
            "between periods: makes the period the unit of evidence",
        ),
    )
