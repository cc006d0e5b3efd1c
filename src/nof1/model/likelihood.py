"""How likely one night is, given the night before it: written once, for PyTensor (sampling) and for NumPy (afterwards).

Minutes of deep sleep follow a Gaussian AR(1) that knows the true distance between nights: with residual ε and g whole
days since the previous used night s,

    ε_t | ε_s ~ Normal(ρ^g ε_s, σ² (1 − ρ^2g)),   the first: Normal(0, σ²).

This equals the dense multivariate normal with correlation ρ^|days apart|, gaps and negative ρ included. σ is the
*marginal* SD, so that its prior means the same whatever ρ is. Latency in log minutes is independent between nights
(`carry` 0) and may be censored.
"""

from math import log, pi, sqrt
from typing import Any, Final

HALF_LOG_2PI: Final = 0.5 * log(2 * pi)

TAIL_FROM: Final = -20.0
"""SDs below which the normal tail is computed by its asymptotic series; the first term left out is 945/z¹⁰ < 1e-10."""


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
    erfc: Any,
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
        −1: the value is an upper bound, 1: a lower bound, 0: exact.
    xp, erfc
        `numpy` and `scipy.special.erfc`, or `pytensor.tensor` and its `erfc`.
    """
    phi = carry * rho**gap
    sd = sigma * xp.sqrt(1 - phi * phi)
    z = (residual - phi * residual_before) / sd
    exact = -0.5 * z * z - xp.log(sd) - HALF_LOG_2PI
    return xp.where(abs(censored) < 1, exact, log_normal_cdf(-censored * z, xp=xp, erfc=erfc))


def log_normal_cdf(z: Any, *, xp: Any, erfc: Any) -> Any:
    """Return log Φ(z), finite and differentiable however far in the tail.

    Both branches see only arguments that suit them, for the gradient of the branch not taken is multiplied by 0, and
    infinity times 0 is not a number.
    """
    near = xp.maximum(z, TAIL_FROM)
    far = xp.minimum(z, TAIL_FROM)
    squared = far * far
    series = 1 - (1 - (3 - (15 - 105 / squared) / squared) / squared) / squared
    tail = -0.5 * squared - xp.log(-far) - HALF_LOG_2PI + xp.log(series)
    return xp.where(z < TAIL_FROM, tail, xp.log(0.5 * erfc(-near / sqrt(2.0))))
