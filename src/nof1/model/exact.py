"""The exact engine: the posterior of the Gaussian model by integration instead of sampling, in milliseconds.

Given σ, ρ and the SDs of weekdays and periods every effect is normal, and the evidence has a closed form (`density`).
Over those few numbers a grid is summed (`grid`), so that the posterior of an effect is a mixture of normals
(`mixture`). People are stacked; nothing is drawn at random; neither PyMC nor ArviZ is imported.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.density import Stack, scaled, sigma_of, stack_of
from nof1.model.gram import gap_sums
from nof1.model.grid import Grid, settle, where_to_begin
from nof1.model.linear import NO_GROUP, LinearTrial
from nof1.model.mixture import Mixture
from nof1.model.priors import RHO_LIMIT

Floats = NDArray[np.float64]

Pattern = tuple[int, int, int]
"""Points along σ, ρ and each group's SD."""

COARSE: Final[Pattern] = (6, 7, 5)
"""While the grid finds its place."""
FINE: Final[Pattern] = (7, 9, 7)
"""At last: twice as many of each move the mean of an effect by less than 0.005 of its SD."""
ROUGH: Final[Pattern] = (5, 6, 4)
"""For simulations, whose own error is larger: a third of the time, the mean within 0.03 of its SD."""

HEAVY_WHILE_COARSE: Final = 0.02
HEAVY: Final = 0.005
"""Share of the posterior in the outermost cell of an axis from which a grid is too narrow."""

TOGETHER: Final = 4_000
"""Points that are computed at once: more would not fit into the processor's cache."""

NEGLIGIBLE: Final = 1e-7
"""Points this much less likely than the likeliest are left out of a posterior."""


@dataclass(frozen=True, slots=True)
class Marginal:
    """The posterior of σ, ρ or a group's SD, at the points of the grid.

    Parameters
    ----------
    values
        (point,) in its own unit.
    weights
        (point,) their shares of the posterior; they sum to 1.
    """

    values: Floats
    weights: Floats

    @property
    def mean(self) -> float:
        """Its mean."""
        return float(self.weights @ self.values)

    @property
    def sd(self) -> float:
        """Its standard deviation."""
        return float(np.sqrt(self.weights @ (self.values - self.mean) ** 2))


@dataclass(frozen=True, slots=True)
class ExactPosterior:
    """What one trial tells.

    Parameters
    ----------
    asked
        The sums of effects that were asked for.
    hyperparameters
        sigma, rho and the SDs of the groups.
    log_evidence
        Log density of the nights under the model, everything integrated out.
    """

    asked: Mapping[str, Mixture]
    hyperparameters: Mapping[str, Marginal]
    log_evidence: float

    @property
    def effect(self) -> Mixture:
        """The first that was asked for: of two arms, arm − reference."""
        return next(iter(self.asked.values()))


@dataclass(frozen=True, slots=True)
class Drawn:
    """Draws from the posterior of one trial: σ and ρ (draw,), effects (draw, p) in the order of the trial's names."""

    sigma: Floats
    rho: Floats
    effects: Floats


def integrate(trials: Sequence[LinearTrial], *, points: Pattern = FINE) -> list[ExactPosterior]:
    """Integrate the posterior of every trial.

    Parameters
    ----------
    points
        More of them are a check, never a need; `ROUGH` is for simulations.

    Raises
    ------
    FitNotUsableError
        The posterior of a trial has no end that the grid could find.
    """
    found: dict[int, ExactPosterior] = {}
    order = sorted(range(len(trials)), key=lambda place: _form(trials[place]))
    for _, alike in groupby(order, key=lambda place: _form(trials[place])):
        places = list(alike)
        cells = np.prod(_along_axes(points, stack_of([trials[places[0]]])))
        for begin in range(0, len(places), step := max(TOGETHER // int(cells), 1)):
            some = places[begin : begin + step]
            found.update(zip(some, _integrate_alike([trials[place] for place in some], points), strict=True))
    return [found[place] for place in range(len(trials))]


def _form(trial: LinearTrial) -> tuple[int, ...]:
    """Trials of one form have the same axes, and differ in nothing but the number of effects in the last group."""
    free = (trial.sigma.scale > 0, trial.rho.scale > 0, *(prior.scale > 0 for prior in trial.groups))
    return (*free, *(trial.group[trial.group != len(trial.groups) - 1]))


def _integrate_alike(trials: Sequence[LinearTrial], points: Pattern) -> Iterator[ExactPosterior]:
    grid = _settled(trials, points)
    for person, trial in enumerate(trials):
        yield _posterior(trial, grid.log_mass[person], grid.factor[person], [axis[person] for axis in grid.axes])


def _settled(trials: Sequence[LinearTrial], points: Pattern) -> Grid:
    stack = stack_of(trials)
    ends = where_to_begin(stack)
    if points == ROUGH:
        return settle(stack, ends, _along_axes(ROUGH, stack), heavy=HEAVY_WHILE_COARSE)
    coarse = settle(stack, ends, _along_axes(COARSE, stack), heavy=HEAVY_WHILE_COARSE)
    return settle(stack, coarse.ends, _along_axes(points, stack), heavy=HEAVY)


def draw(trial: LinearTrial, *, draws: int, rng: np.random.Generator, points: Pattern = FINE) -> Drawn:
    """Draw from the posterior of a trial: points of the grid by their shares, then the effects, normal at each.

    Raises
    ------
    FitNotUsableError
        As `integrate`.
    """
    grid = _settled([trial], points)
    shares = np.exp(grid.log_mass[0] - grid.log_mass.max())
    chosen = rng.choice(shares.size, size=draws, p=shares.ravel() / shares.sum())
    at = np.unravel_index(chosen, shares.shape)
    point = _Points.of(trial, [axis[0] for axis in grid.axes], np.array(at))
    factor = _whole_factor(trial, point)
    # in units of their prior SDs the effects are Normal(L'⁻¹l, (LL')⁻¹): see `_normal`
    turned = factor[:, -1, :-1] + rng.normal(size=(draws, len(trial.names)))
    apart = np.linalg.solve(factor[:, :-1, :-1].swapaxes(1, 2), turned[..., None])[..., 0]
    return Drawn(point.sigma, point.rho, trial.location + point.deviations * apart)


def _along_axes(points: Pattern, stack: Stack) -> tuple[int, ...]:
    wanted = (*points[:2], *[points[2]] * stack.spread.shape[1])
    return tuple(number if free else 1 for number, free in zip(wanted, stack.free, strict=True))


def _posterior(trial: LinearTrial, log_mass: Floats, factor: Floats, axes: Sequence[Floats]) -> ExactPosterior:
    top = log_mass.max()
    shares = np.exp(log_mass - top)
    total = shares.sum()
    shares /= total
    counts = shares > NEGLIGIBLE * shares.max()
    weights = shares[counts] / shares[counts].sum()
    told = dict(_normal(trial, factor[counts], _Points.of(trial, axes, np.argwhere(counts).T)))
    return ExactPosterior(
        asked={name: Mixture(weights, *told[name]) for name in trial.asked},
        hyperparameters=_marginals(trial, shares, axes),
        log_evidence=float(top + np.log(total)),
    )


@dataclass(frozen=True, slots=True)
class _Points:
    """Points of the grid: σ and ρ (point,), prior SDs of all effects (point, p)."""

    sigma: Floats
    rho: Floats
    deviations: Floats

    @classmethod
    def of(cls, trial: LinearTrial, axes: Sequence[Floats], at: NDArray[np.int64]) -> "_Points":
        """Take the points that stand at places (axis, point) of the axes."""
        rho = RHO_LIMIT * np.tanh(axes[1][at[1]])
        spreads = np.column_stack([axis[place] for axis, place in zip(axes[2:], at[2:], strict=True)])
        learned = np.where(trial.group == NO_GROUP, 1.0, spreads[:, np.maximum(trial.group, 0)])
        return cls(np.exp(axes[0][at[0]]) / np.sqrt(1 - rho**2), rho, trial.scale * learned)


def _normal(trial: LinearTrial, factor: Floats, points: _Points) -> Iterator[tuple[str, tuple[Floats, Floats]]]:
    """Yield what was asked for with its means and SDs (point,) at points of the grid.

    With L the factor's part of the effects and l its row of the values, the effects in units of their prior SDs are
    Normal(L'⁻¹l, (LL')⁻¹). Weights that begin with zeros only need the rest of L: the arms stand last, so a difference
    of two costs no more than a division.
    """
    size = len(trial.names)
    begins = {name: int(np.flatnonzero(weight)[0]) for name, weight in trial.asked.items()}
    for first in sorted(set(begins.values()), reverse=True):
        if size - first >= factor.shape[-1]:
            factor = _whole_factor(trial, points)
        place = factor.shape[-1] - 1 - size + first
        names = [name for name in begins if begins[name] == first]
        weight = np.array([trial.asked[name] for name in names])
        scaled = weight[:, first:] * points.deviations[:, None, first:]
        solved = np.linalg.solve(factor[:, place:-1, place:-1], scaled.swapaxes(1, 2))
        means = weight @ trial.location + (factor[:, -1:, place:-1] @ solved)[:, 0]
        sds = np.sqrt((solved**2).sum(axis=1))
        yield from ((name, (means[:, at], sds[:, at])) for at, name in enumerate(names))


def _whole_factor(trial: LinearTrial, points: _Points) -> Floats:
    """Factor the matrix of all effects, those of the last group too: (point, p + 1, p + 1)."""
    gram = gap_sums([trial]).whitened(points.rho[None])[0] / points.sigma[:, None, None] ** 2
    return np.linalg.cholesky(scaled(gram, np.pad(points.deviations, [(0, 0), (0, 1)], constant_values=1.0)))


def _marginals(trial: LinearTrial, shares: Floats, axes: Sequence[Floats]) -> dict[str, Marginal]:
    def along(*kept: int) -> Floats:
        return np.asarray(shares.sum(axis=tuple(place for place in range(shares.ndim) if place not in kept)))

    sigma = sigma_of([axis[None] for axis in axes])[0]
    rho = RHO_LIMIT * np.tanh(axes[1])
    found = {"sigma": Marginal(sigma.ravel(), along(0, 1).ravel()), "rho": Marginal(rho, along(1))}
    groups = enumerate(trial.groups, start=2)
    return found | {prior.name: Marginal(axes[place], along(place)) for place, prior in groups}
