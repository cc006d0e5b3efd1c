"""How likely one night is, given the night before it: written once, for PyTensor (sampling) and for NumPy (afterwards).

Minutes of deep sleep follow a Gaussian AR(1) that knows the true distance between nights: with residual ε and g whole
days since the previous used night s,

    ε_t | ε_s ~ Normal(ρ^g ε_s, σ² (1 − ρ^2g)),   the first: Normal(0, σ²).

This equals the dense multivariate normal with correlation ρ^|days apart|, gaps and negative ρ included. σ is the
*marginal* SD, so that its prior means the same whatever ρ is. Latency in log minutes is independent between nights
(`carry` 0), may be censored, and on a coarse grid stands for everything that is rounded to it.
"""

from math import log, pi, sqrt
from typing import Any, Final

HALF_LOG_2PI: Final = 0.5 * log(2 * pi)

CERTAIN: Final = 8.0
"""SDs above which a normal value lies next to never: log Φ(8) is −6e-16, and is taken to go no further."""

NARROWEST: Final = 1e-12
"""The least share of its outer tail that an interval is taken to hold: however narrow, its mass has a logarithm."""


def log_density(
    residual: Any,
    residual_before: Any,
    *,
    carry: Any,
    gap: Any,
    censored: Any,
    sigma: Any,
    rho: Any,
    xp: Any,
    erfcx: Any,
    below: Any = 0.0,
    above: Any = 0.0,
) -> Any:
    """Return the log density, or log mass, of every night given the one before.

    Parameters
    ----------
    residual, residual_before
        Value − expectation of the night, and of the previous used night (anything finite for the first).
    carry
        1 where the previous night tells something, else 0.
    gap
        Whole days since the previous used night, an integer type: ρ^gap with ρ < 0 has no meaning otherwise.
    censored
        −1: the value is an upper bound, 1: a lower bound, 0: it is exact, or the middle of an interval.
    xp, erfcx
        `numpy` and `scipy.special.erfcx`, or `pytensor.tensor` and its `erfcx`.
    below, above
        How far the interval that a value stands for reaches to either side of it; both 0 where it is no interval.
    """
    z, sd = standardised(residual, residual_before, phi=carry * rho**gap, sigma=sigma, xp=xp)
    told = (abs(censored) > 0) | (below + above + xp.zeros_like(z) > 0)
    mass = log_mass(z, sd, censored=censored, below=below, above=above, xp=xp, erfcx=erfcx)
    return xp.where(told, mass, log_normal(z, sd, xp=xp))


def standardised(residual: Any, residual_before: Any, *, phi: Any, sigma: Any, xp: Any) -> tuple[Any, Any]:
    """Return how far every night lies from what the one before lets expect, in SDs of what is then left, and that SD.

    `phi` is the correlation of the two: `carry` × ρ^gap.
    """
    sd = sigma * xp.sqrt(1 - phi * phi)
    return (residual - phi * residual_before) / sd, sd


def log_normal(z: Any, sd: Any, *, xp: Any) -> Any:
    """Return the log density of exact values."""
    return -0.5 * z * z - xp.log(sd) - HALF_LOG_2PI


def log_mass(z: Any, sd: Any, *, censored: Any, below: Any, above: Any, xp: Any, erfcx: Any) -> Any:
    """Return the log mass of what lies beyond censored values, and within the intervals that others stand for.

    Parameters
    ----------
    z, sd
        Of `standardised`.
    censored, below, above
        As those of `log_density`; where all are 0 the result means nothing.
    """
    within = below + above + xp.zeros_like(z) > 0
    side = xp.where(within, xp.where(z > 0, -1.0, 1.0), -1.0 * censored)
    # An interval above the middle is looked at from the other side, so that its tails are the small ones.
    outer = xp.minimum(side * z + xp.where(side > 0, above, below) / sd, CERTAIN)
    inner = xp.minimum(side * z - xp.where(side > 0, below, above) / sd, CERTAIN)
    tail = 0.5 * erfcx(-outer / sqrt(2.0))
    beyond = xp.where(within, 0.5 * erfcx(-inner / sqrt(2.0)) * xp.exp(0.5 * (outer * outer - inner * inner)), 0.0)
    return xp.log(xp.maximum(tail - beyond, NARROWEST * tail)) - 0.5 * outer * outer


def log_normal_cdf(z: Any, *, xp: Any, erfcx: Any) -> Any:
    """Return log Φ(z), finite and differentiable however far in the tail.

    Φ(z) = ½ erfcx(−z/√2) exp(−z²/2), of which no factor vanishes: erfcx falls like 1/z.
    """
    at = xp.minimum(z, CERTAIN)
    return xp.log(0.5 * erfcx(-at / sqrt(2.0))) - 0.5 * at * at
