"""Where the grid over the noise lies: it finds the posterior by itself.

The mean and SD of a grid say where the next one lies, until nothing is left at its ends and it would hardly be shorter.
Summed over its cells a density that vanishes at both ends of every axis is as good as exact: the midpoint rule then
converges faster than any power of the step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.errors import FitNotUsableError
from nof1.model.density import Stack, evaluate
from nof1.model.priors import RHO_LIMIT

Floats = NDArray[np.float64]
Ends = tuple[Floats, Floats]
"""(person, axis) each: where an axis begins and ends. A number that is fixed has an axis without length."""

REACH: Final = 4.0
REACH_UP: Final = 5.0
"""SDs to either side of the mean that the grid covers; upwards along the SD of a group, which is skew."""

SHRUNK: Final = 0.75
"""Share of its length under which the next axis is much shorter: this one had few points where the posterior is."""

PATIENCE: Final = 8
"""Moves after which a grid only grows: a skew posterior can need a longer one than its SD says."""

MOVES: Final = 40
"""Times that the grid may move before it is given up."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid that covers the posterior.

    Parameters
    ----------
    axes
        (person, points) each.
    log_mass
        (person, points of every axis): log density + log volume of the cell.
    factor
        (person, points of every axis, k, k): what `evaluate` gives.
    ends
        Where the next grid would lie.
    """

    axes: list[Floats]
    log_mass: Floats
    factor: Floats
    ends: Ends


def settle(stack: Stack, ends: Ends, pattern: Sequence[int], *, heavy: float) -> Grid:
    """Move a grid until it covers the posterior, and would hardly be shorter for what it found.

    Parameters
    ----------
    pattern
        Points along each axis.
    heavy
        Share of the posterior in the outermost cell of an axis from which the grid is too narrow.

    Raises
    ------
    FitNotUsableError
        Somebody's posterior has no end.
    """
    for move in range(MOVES):
        low, high = ends
        axes = [
            low[:, place, None] + (high - low)[:, place, None] * (np.arange(points) + 0.5) / points
            for place, points in enumerate(pattern)
        ]
        try:
            log_density, factor = evaluate(stack, axes)
        except np.linalg.LinAlgError:
            break
        ends, narrow = _next_ends(axes, ends, log_density, heavy)
        if move > PATIENCE:
            ends = np.minimum(ends[0], low), np.maximum(ends[1], high)
        if not narrow and (ends[1] - ends[0] >= SHRUNK * (high - low)).all():
            cells = np.where(stack.free, high - low, 1.0) / pattern
            volume = np.log(cells).sum(axis=1)
            return Grid(axes, log_density + volume.reshape(-1, *[1] * len(axes)), factor, ends)
    raise FitNotUsableError(
        "The posterior of the noise could not be located: are all values the same, or in another unit than the priors?"
    )


def where_to_begin(stack: Stack) -> Ends:
    """Say where the search begins: σ between what the prior and what the nights say, the others where the prior is."""
    at_rho = np.arctanh(stack.rho[:, 0] / RHO_LIMIT)
    reach = np.where(stack.rho[:, 1] > 0, 1.5, 0.0)
    centre, wide = stack.sigma[:, 0], 3 * stack.sigma[:, 1]
    free = stack.sigma[:, 1] > 0
    alone = 0.5 * np.log(1 - stack.rho[:, 0] ** 2)
    lowest = np.where(free, np.minimum(centre - wide, np.log(stack.least) - 1), centre) + alone
    highest = np.where(free, np.maximum(centre + wide, np.log(stack.most) + 1), centre) + alone
    low = np.column_stack([lowest, at_rho - reach, 0 * stack.spread])
    high = np.column_stack([highest, at_rho + reach, 4 * stack.spread])
    return low, high


def _next_ends(axes: Sequence[Floats], ends: Ends, log_density: Floats, heavy: float) -> tuple[Ends, bool]:
    """Lay the next grid around what this one found; True where it was too narrow for somebody."""
    low, high = ends[0].copy(), ends[1].copy()
    narrow = False
    everything = tuple(range(1, log_density.ndim))
    weights = np.exp(log_density - log_density.max(axis=everything, keepdims=True))
    for place, axis in enumerate(axes):
        if axis.shape[1] == 1:
            continue
        share = weights.sum(axis=tuple(other for other in everything if other != place + 1))
        share /= share.sum(axis=1, keepdims=True)
        floor, reach = (-np.inf, REACH) if place <= 1 else (0.0, REACH_UP)
        length = high[:, place] - low[:, place]
        first, last = np.where(low[:, place] > floor, share[:, 0], 0.0), share[:, -1]
        at_top, at_bottom = last > heavy, first > heavy
        narrow = narrow or bool((at_top | at_bottom).any())
        mean = (share * axis).sum(axis=1)
        own = (length / axis.shape[1]) ** 2 / 12  # a point stands for its cell
        sd = np.sqrt((share * (axis - mean[:, None]) ** 2).sum(axis=1) + own)
        bottom = np.where(at_bottom, low[:, place] - length * (1 + first) / 4, np.inf)
        top = np.where(at_top, high[:, place] + length * (1 + last) / 4, -np.inf)
        low[:, place] = np.maximum(np.minimum(mean - REACH * sd, bottom), floor)
        high[:, place] = np.maximum(mean + reach * sd, top)
    return (low, high), narrow
