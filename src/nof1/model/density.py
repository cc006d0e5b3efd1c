"""How likely the noise of trials is, on a grid: σ, ρ and the SDs of weekdays and periods, every effect integrated out.

Given those few numbers every effect is normal. With D the effects' prior SDs and G the Gram matrix of the whitened
nights, effects and values together, everything stands in the Cholesky factor of D G D/σ² + 1: the evidence on its
diagonal, the effects' posterior in its last rows. An SD of 0 does no harm there, it takes an effect out.

The axes are those on which sums converge fast: log σ√(1 − ρ²), the part of a night that the night before does not tell,
which hardly depends on ρ; z with ρ = 0.9 tanh z; and the SD of each group as it is, for the density is an even
function of it, so that 0 is no end at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, exp, log, pi, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.gram import GapSums, gap_sums
from nof1.model.linear import NO_GROUP, LinearTrial
from nof1.model.priors import RHO_LIMIT

Floats = NDArray[np.float64]

LOG_2PI: Final = log(2 * pi)


@dataclass(frozen=True, slots=True)
class Stack:
    """Trials side by side; effects (person, p), priors (person,) or (person, group).

    The first `last` effects are those of the last group, or missing. `least` and `most` (person,) are the SDs of the
    values with and without the effects that fit them best.
    """

    sums: GapSums
    last: int
    scale: Floats
    group: NDArray[np.int64]
    sigma: Floats
    rho: Floats
    spread: Floats
    least: Floats
    most: Floats

    @property
    def free(self) -> tuple[bool, ...]:
        """Which of σ, ρ and the groups' SDs are learned, not fixed by a scale of 0; the same for all trials."""
        return (self.sigma[0, 1] > 0, self.rho[0, 1] > 0, *(self.spread[0] > 0))


def stack_of(trials: Sequence[LinearTrial]) -> Stack:
    """Put trials of one form side by side; missing effects of the last group get a scale of 0 and stand in front."""
    width = max(len(trial.names) for trial in trials)
    return Stack(
        sums=gap_sums(trials),
        last=width - int((trials[0].group != len(trials[0].groups) - 1).sum()),
        scale=np.array([np.pad(trial.scale, (width - len(trial.scale), 0)) for trial in trials]),
        group=np.array(
            [np.pad(trial.group, (width - len(trial.group), 0), constant_values=NO_GROUP) for trial in trials]
        ),
        sigma=np.array([(trial.sigma.location, trial.sigma.scale) for trial in trials]),
        rho=np.array([(trial.rho.location, trial.rho.scale) for trial in trials]),
        spread=np.array([[prior.scale for prior in trial.groups] for trial in trials]),
        least=np.array([_left_over(trial) for trial in trials]),
        most=np.array([_size(trial.y - trial.y.mean(), trial) for trial in trials]),
    )


def _left_over(trial: LinearTrial) -> float:
    fitted = trial.columns @ np.linalg.lstsq(trial.columns, trial.y, rcond=None)[0]
    return _size(trial.y - fitted, trial)


def _size(values: Floats, trial: LinearTrial) -> float:
    """Root mean square of values; not less than a millionth of what the prior expects."""
    return max(float(np.sqrt((values**2).mean())), 1e-6 * exp(trial.sigma.location))


def evaluate(stack: Stack, axes: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Evaluate the log posterior of the hyperparameters, effects integrated out, on a grid.

    Parameters
    ----------
    axes
        (person, points) each: log σ√(1 − ρ²), z (ρ = 0.9 tanh z), the groups' SDs.

    Returns
    -------
    log_density
        (person, points of every axis): log likelihood + log prior on the scale of the axes.
    factor
        (person, points of every axis, k, k): the Cholesky factor of the effects in units of their prior SDs, without
        those of the last group, and of the values.
    """
    groups = stack.spread.shape[1]
    rho, sigma = RHO_LIMIT * np.tanh(axes[1]), sigma_of(axes)
    gram = stack.sums.whitened(rho)[:, None] / sigma[..., None, None] ** 2
    rest, first_part = _without_last_group(stack, gram, axes[-1])
    known = stack.scale.shape[1] - stack.last
    factor = np.linalg.cholesky(
        scaled(np.expand_dims(rest, tuple(range(3, groups + 2))), _inner_deviations(stack, axes[2:-1]))
    )
    diagonal = np.diagonal(factor, axis1=-2, axis2=-1)
    # the last row holds the values: what the effects leave of y'R⁻¹y/σ², and the 1 that kept it from being 0
    misfit = diagonal[..., -1] ** 2 - 1.0 + 2 * np.log(diagonal[..., :known]).sum(axis=-1)
    misfit += np.expand_dims(first_part, tuple(range(3, groups + 2)))
    noise = (LOG_2PI + 2 * np.log(sigma)) * stack.sums.nights[:, None, None] + stack.sums.log_determinant(rho)[:, None]
    misfit += noise.reshape(*sigma.shape, *[1] * groups)
    return -0.5 * misfit + _log_prior(stack, axes), factor


def _without_last_group(stack: Stack, gram: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Integrate the effects of the last group out, once for all SDs of the other groups.

    Returns
    -------
    rest
        (person, σ, ρ, last group, k, k): the Gram matrix of the other effects and the values, given the last group.
    log_determinant
        (person, σ, ρ, last group): what its effects add.
    """
    people, size = gram.shape[0], gram.shape[-1]
    deviations = np.ones((people, 1, 1, spread.shape[1], size))
    leading = stack.scale[:, None, : stack.last] * spread[:, :, None]
    deviations[..., : stack.last] = leading[:, None, None]
    factor = np.linalg.cholesky(scaled(gram[:, :, :, None], deviations))
    corner = factor[..., stack.last :, stack.last :]
    diagonal = np.diagonal(factor, axis1=-2, axis2=-1)[..., : stack.last]
    rest = corner @ corner.swapaxes(-1, -2)
    rest[..., np.arange(size - stack.last), np.arange(size - stack.last)] -= 1.0
    return rest, 2 * np.log(diagonal).sum(axis=-1)


def scaled(gram: Floats, deviations: Floats) -> Floats:
    """Put effects in units of their prior SDs, and add their prior: an SD of 0 takes an effect out."""
    matrix = gram * (deviations[..., :, None] * deviations[..., None, :])
    place = np.arange(gram.shape[-1])
    matrix[..., place, place] += 1.0
    return np.asarray(matrix)


def _inner_deviations(stack: Stack, spreads: Sequence[Floats]) -> Floats:
    """Prior SDs of what `_without_last_group` leaves: (person, 1, 1, points of every other group, 1, k)."""
    people, groups = len(stack.scale), len(spreads)
    scale = stack.scale[:, stack.last :]
    each = np.ones((people, *[axis.shape[1] for axis in spreads], scale.shape[1] + 1))
    each[..., :-1] = scale.reshape(people, *[1] * groups, -1)
    for place, axis in enumerate(spreads):
        member = np.pad(stack.group[:, stack.last :] == place, [(0, 0), (0, 1)])
        spread = axis.reshape(people, *[-1 if place == other else 1 for other in range(groups)], 1)
        each = np.where(member.reshape(people, *[1] * groups, -1), each * spread, each)
    return each[:, None, None, ..., None, :]


def sigma_of(axes: Sequence[Floats]) -> Floats:
    """Return σ at the points of the first two axes: (person, points, points)."""
    remaining = 1 - (RHO_LIMIT * np.tanh(axes[1])) ** 2
    return np.asarray(np.exp(axes[0])[:, :, None] / np.sqrt(remaining)[:, None, :])


def _along(values: Floats, place: int, groups: int) -> Floats:
    """(person, points) → an array that varies along one axis of the grid."""
    return values.reshape(len(values), *[-1 if place == other else 1 for other in range(groups + 2)])


def _log_prior(stack: Stack, axes: Sequence[Floats]) -> Floats:
    """Sum the log priors on the scale of the axes; of what is fixed, nothing."""
    people, groups = stack.spread.shape
    sigma = sigma_of(axes)
    terms = [
        _log_normal(np.log(sigma).reshape(people, -1), stack.sigma).reshape(*sigma.shape, *[1] * groups),
        _along(_log_truncated(axes[1], stack.rho), 1, groups),
    ]
    for place, (axis, scale) in enumerate(zip(axes[2:], stack.spread.T, strict=True), start=2):
        half = np.column_stack([np.zeros(people), scale])
        terms.append(_along(log(2) + _log_normal(axis, half), place, groups))
    return np.asarray(sum(term for term, free in zip(terms, stack.free, strict=True) if free))


def _log_normal(x: Floats, prior: Floats) -> Floats:
    """Log density of x (person, points) under Normal(location, scale), the prior's columns."""
    location, scale = prior[:, :1], np.where(prior[:, 1:] > 0, prior[:, 1:], 1.0)
    return np.asarray(-0.5 * ((x - location) / scale) ** 2 - np.log(scale) - 0.5 * LOG_2PI)


def _log_truncated(z: Floats, prior: Floats) -> Floats:
    """Log density of z where ρ = 0.9 tanh z is normal within ±0.9."""
    rho = RHO_LIMIT * np.tanh(z)
    inside = [_normal_mass(location, scale) if scale > 0 else 1.0 for location, scale in prior]
    slope = log(RHO_LIMIT) - 2 * np.log(np.cosh(z))
    return np.asarray(_log_normal(rho, prior) - np.log(inside)[:, None] + slope)


def _normal_mass(location: float, scale: float) -> float:
    upper, lower = ((end - location) / (scale * sqrt(2)) for end in (RHO_LIMIT, -RHO_LIMIT))
    return (erf(upper) - erf(lower)) / 2
