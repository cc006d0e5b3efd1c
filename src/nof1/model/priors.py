"""Every prior in one place: name, distribution, unit, and where its numbers come from.

Deep sleep is modelled in device minutes, latencies in log minutes. Their numbers come from ten public personal exports
(68–662 nights each, WHOOP and Oura) and from the trials named beside them. For another measure that varies additively
the priors of deep sleep are taken over in units of the SD between nights, which the person's own nights tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log
from types import MappingProxyType
from typing import Final, Literal

from nof1.errors import DataError
from nof1.sleep.measures import MEASURES

RHO_LIMIT: Final = 0.9
RHO_SD: Final = 0.4
"""rho ~ Normal(0, 0.4) truncated to ±0.9: lag-1 correlations observed after detrending lie between −0.11 and +0.06."""

DEEP_SD: Final = 19.0
"""SD of deep sleep between nights in minutes, in units of which its priors are taken over for other measures."""

ZERO_SHARE: Final = 0.2
"""Of nights without any latency, where they are more than a log-normal expects: WHOOP 19 and 22 %."""

ZERO_ODDS_PER_RATIO: Final = 4.0
"""Log odds of a night without latency for one log minute less of the others' latency, in the prior alone."""

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


@dataclass(frozen=True, slots=True)
class Spread:
    """What nights of a measure are like, told by the person's own nights without a look at arms.

    Parameters
    ----------
    mean, sd
        In the unit of the measure.
    source
        Of which nights, in words.
    """

    mean: float
    sd: float
    source: str


def require_model(measure: str, *, effect_sd: float | None = None) -> None:
    """Say whether a measure can be analysed at all.

    Parameters
    ----------
    effect_sd
        The protocol's own prior SD of the effect, in the unit of the measure; None for the default.

    Raises
    ------
    DataError
        There is no model of it, or `effect_sd` has no meaning for it.
    """
    if MEASURES[measure].unit == "count":
        raise DataError(
            f"{measure} cannot be analysed yet: it is counted, and nof1 has models of what is measured. Choose another "
            "outcome."
        )
    if MEASURES[measure].family == "lognormal" and effect_sd is not None:
        raise DataError(
            'analysis.prior_effect_sd is in minutes, but latency is modelled as a ratio: leave it at "default".'
        )


def priors_for(
    measure: str, *, baseline: float | None, effect_sd: float | None = None, spread: Spread | None = None
) -> Priors:
    """Choose the priors of one outcome.

    Parameters
    ----------
    measure
        Of `nof1.sleep.measures.MEASURES`.
    baseline
        Mean deep minutes, or median latency in minutes, of the run-in; None without one.
    effect_sd
        The protocol's own prior SD of the effect, in the unit of the measure; None for the default.
    spread
        What nights are like; for measures other than deep sleep and latencies it says the scale of all priors.

    Raises
    ------
    DataError
        There is no model of this measure, `effect_sd` has no meaning for it, or it needs a `spread`.
    """
    require_model(measure, effect_sd=effect_sd)
    if MEASURES[measure].family == "lognormal":
        chosen = _latency(baseline)
    elif measure == "deep_min":
        chosen = _deep_sleep(baseline, effect_sd)
    elif spread is None:
        raise DataError(f"No night tells how much {measure} varies: its priors have no scale.")
    else:
        chosen = _scaled(measure, spread, effect_sd)
    return MappingProxyType({prior.name: prior for prior in chosen})


def _scaled(measure: str, spread: Spread, effect_sd: float | None) -> tuple[Prior, ...]:
    """Take the priors of deep sleep over, in units of the SD between nights."""
    unit, times = MEASURES[measure].unit, spread.sd / DEEP_SD
    rule = f"as for deep sleep, in units of the SD between nights: {spread.sd:.3g} {unit} {spread.source}"
    taken_over = []
    for prior in _deep_sleep(None, None):
        scale = prior.scale if prior.name in {"sigma", "rho"} else prior.scale * times
        location = {"intercept": spread.mean, "sigma": log(spread.sd)}.get(prior.name, prior.location)
        source = f"mean {spread.source}; {rule}" if prior.name == "intercept" else rule
        told = replace(prior, location=location, scale=scale, unit=prior.unit.replace("min", unit), source=source)
        taken_over.append(prior if prior.name == "rho" else told)
    if effect_sd is not None:
        taken_over = [
            replace(one, scale=effect_sd, source="the protocol") if one.name == "delta" else one for one in taken_over
        ]
    return tuple(taken_over)


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


def zero_priors(priors: Priors) -> tuple[Prior, Prior]:
    """Return the priors of the nights without any latency, in log odds: what the arms share, and their difference.

    An arm is what all share and a part of its own, 1/√2 of the difference's SD: then the two priors fit each other,
    however wide the second is made.
    The second follows `delta`: whoever doubts, or hopes, that latencies shorten does so of nights without any. With the
    registered Normal(0, 0.25) it is Normal(0, 1). One SD makes 40 % of a share of 20 % and the average of all nights
    0.75 of what it was, as one SD of `delta` makes it 0.78: neither part has the say beforehand.
    """
    delta = priors["delta"]
    return (
        Prior(
            "zeros",
            "Normal",
            log(ZERO_SHARE / (1 - ZERO_SHARE)),
            1.0,
            "log odds",
            "nights without any latency: 19 and 22 % in two public WHOOP exports; 95 % between 3 and 64 %",
        ),
        Prior(
            "zeros_delta",
            "Normal",
            -ZERO_ODDS_PER_RATIO * delta.location,
            ZERO_ODDS_PER_RATIO * delta.scale,
            "log odds",
            "between arms; an odds ratio of e at 20 % changes the average as much as the prior of delta does",
        ),
    )
