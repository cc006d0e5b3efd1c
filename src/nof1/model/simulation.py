"""Simulated trials: the nights of a drawn schedule, with noise and an effect that are known, or drawn from priors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.linear import TrialNights, zero_sum_basis
from nof1.model.priors import RHO_LIMIT, Priors
from nof1.trial.allocation import SEED_BYTES, allocate
from nof1.trial.protocol import Arm, Design
from nof1.trial.strength import RHO, SIGMA, SIGMA_PERIOD

Floats = NDArray[np.float64]

BASELINE: Final = 85.0
"""Device minutes of deep sleep without a treatment; nothing depends on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What nights do without a treatment, and how fast one works.

    Parameters
    ----------
    sigma, sigma_period, sigma_weekday
        SDs between nights, periods and weekdays, in the outcome's unit.
    rho
        Correlation of one night with the next.
    trend
        Change over the whole trial.
    missing
        Share of nights that are not recorded, at random.
    build_up_nights
        Time constant in which an effect builds up and wears off; 0 is at once.
    heavy_tails
        Degrees of freedom of the t distribution that nights are drawn from, scaled to the same SD; None: normal.
    """

    sigma: float = SIGMA
    sigma_period: float = SIGMA_PERIOD
    sigma_weekday: float = 4.0
    rho: float = RHO
    trend: float = 0.0
    missing: float = 0.08
    build_up_nights: float = 0.0
    heavy_tails: int | None = None


MOST_MISSING: Final = 0.3
"""Share of nights that at most is missing where everything is drawn."""


@dataclass(frozen=True, slots=True)
class SimulatedTrial:
    """Used nights without an effect.

    Parameters
    ----------
    exposure
        (night_used,) what share of an effect each of them shows, between −½ and ½.
    own
        (night_used,) what is each night's own: its value − what was expected of it.
    sequence
        The arms of all periods in order.
    """

    nights: TrialNights
    exposure: Floats
    own: Floats
    sequence: tuple[str, ...]

    def with_effect(self, effect: float) -> TrialNights:
        """Add an effect."""
        return replace(self.nights, y=self.nights.y + effect * self.exposure)


def simulate(design: Design, arms: Sequence[Arm], noise: Noise, rng: np.random.Generator) -> SimulatedTrial:
    """Simulate the used nights of one trial: a drawn order of arms, begun on any weekday.

    Parameters
    ----------
    arms
        The compared arm, its reference, then the others: they lie halfway between the two.
    """
    sequence = allocate(design, arms, rng.bytes(SEED_BYTES)).sequence
    step = design.period_nights + design.washout_nights
    day = np.arange(len(sequence) * step)
    period, place = day // step, day % step
    on_arm = place < design.period_nights
    arm = np.array([[a.code for a in arms].index(code) for code in sequence])[period]
    treated = np.where(on_arm, np.array([1.0, 0.0, *[0.5] * (len(arms) - 2)])[arm], 0.0)
    time = day / (len(day) - 1) - 0.5
    weekday = (day + rng.integers(7)) % 7
    own = noise.sigma * _series(rng, len(day), noise)
    y = BASELINE + noise.trend * time + own
    y = y + noise.sigma_period * rng.normal(size=len(sequence))[period]
    y = y + noise.sigma_weekday * (zero_sum_basis(7) @ rng.normal(size=6))[weekday]
    nights = TrialNights(
        y=y, day=day, arm=arm, arms=tuple(a.code for a in arms), time=time, weekday=weekday, period=period
    )
    used = on_arm & (place >= design.transition_nights) & (rng.random(len(day)) >= noise.missing)
    exposure = _built_up(treated, noise.build_up_nights) - 0.5
    return SimulatedTrial(nights.only(used), exposure[used], own[used], tuple(sequence))


def _series(rng: np.random.Generator, nights: int, noise: Noise) -> Floats:
    """Draw an AR(1) series of SD 1."""
    rho, freedom = noise.rho, noise.heavy_tails
    drawn = rng.normal(size=nights) if freedom is None else rng.standard_t(freedom, nights) * sqrt(1 - 2 / freedom)
    drawn[1:] *= sqrt(1 - rho**2)
    for night in range(1, nights):
        drawn[night] += rho * drawn[night - 1]
    return drawn


def _built_up(treated: Floats, nights: float) -> Floats:
    """Return the share of the effect that each night shows."""
    kept = exp(-1 / nights) if nights > 0 else 0.0
    share = treated * (1 - kept)
    for night in range(1, len(share)):
        share[night] += kept * share[night - 1]
    return share


@dataclass(frozen=True, slots=True)
class PriorTrial:
    """A trial of which everything was drawn from the priors.

    Parameters
    ----------
    truth
        What was drawn, by the name of its prior; "rho" is 0 where nights are independent.
    nights
        Those used, on the scale of the model: minutes, or log minutes; nothing is censored yet.
    own, sequence
        As in `SimulatedTrial`.
    """

    truth: Mapping[str, float]
    nights: TrialNights
    own: Floats
    sequence: tuple[str, ...]


def drawn_from_priors(design: Design, arms: Sequence[Arm], priors: Priors, rng: np.random.Generator) -> PriorTrial:
    """Draw a trial of two arms as the priors expect it; up to 30 % of its nights are missing at random."""
    names = ("delta", "intercept", "trend", "sigma", "rho", "sigma_weekday", "sigma_period")
    truth = {name: _draw(priors, name, rng) if name in priors else 0.0 for name in names}
    noise = Noise(
        sigma=truth["sigma"],
        sigma_period=truth["sigma_period"],
        sigma_weekday=truth["sigma_weekday"],
        rho=truth["rho"],
        trend=truth["trend"],
        missing=float(rng.uniform(0, MOST_MISSING)),
    )
    drawn = simulate(design, arms, noise, rng)
    nights = drawn.with_effect(truth["delta"])
    return PriorTrial(truth, replace(nights, y=nights.y - BASELINE + truth["intercept"]), drawn.own, drawn.sequence)


def _draw(priors: Priors, name: str, rng: np.random.Generator) -> float:
    prior = priors[name]
    drawn = float(rng.normal(prior.location, prior.scale))
    if prior.distribution == "LogNormal":
        return exp(drawn)
    if prior.distribution == "HalfNormal":
        return abs(drawn)
    while prior.distribution == "TruncatedNormal" and abs(drawn) >= RHO_LIMIT:
        drawn = float(rng.normal(prior.location, prior.scale))
    return drawn
