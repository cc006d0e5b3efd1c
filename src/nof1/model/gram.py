"""The sums over nights that the density of an AR(1) series with gaps needs, kept apart by gap.

Whitened, a night is (z_t − ρ^g z_s)/√(1 − ρ^2g), z its columns and its value, s the used night before, g days earlier.
The Gram matrix of the whitened nights is therefore a sum over the few different gaps of three matrices, which do not
depend on ρ, with weights that depend on nothing else:

    Σ_g [ Σ z_t z_t' − ρ^g Σ (z_t z_s' + z_s z_t') + ρ^2g Σ z_s z_s' ] / (1 − ρ^2g) + the first night's z z'.

So the nights are gone through once, and the matrix for another ρ costs no more than a sum of a dozen small ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nof1.model.linear import LinearTrial

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GapSums:
    """The sums of several people, stacked; q = effects + values.

    Parameters
    ----------
    gaps
        (gap,) the different gaps in days.
    counts
        (person, gap) how many nights come so many days after the one before.
    nights
        (person,)
    sums
        (person, 1 + 3 gap, q, q): the first night's, then in blocks of one a gap the three of the module's formula.
    """

    gaps: NDArray[np.int64]
    counts: Floats
    nights: Floats
    sums: Floats

    def whitened(self, rho: Floats) -> Floats:
        """Return the Gram matrices of the whitened nights, at σ = 1, for ρ (person, r): (person, r, q, q)."""
        people, _, size, _ = self.sums.shape
        power = rho[..., None] ** self.gaps
        over = 1 / (1 - power**2)
        weights = np.concatenate([np.ones((*rho.shape, 1)), over, -power * over, power**2 * over], axis=-1)
        return np.asarray((weights @ self.sums.reshape(people, -1, size * size)).reshape(*rho.shape, size, size))

    def log_determinant(self, rho: Floats) -> Floats:
        """Return the log determinant of the nights' correlation matrix for ρ (person, r)."""
        return np.asarray((np.log1p(-(rho[..., None] ** (2 * self.gaps))) @ self.counts[..., None])[..., 0])


def gap_sums(trials: Sequence[LinearTrial]) -> GapSums:
    """Go through the nights of every trial once. The prior locations are taken off the values.

    Trials with fewer effects than another get columns of zeros in front.
    """
    width = max(trial.columns.shape[1] for trial in trials) + 1
    gaps = np.unique(np.concatenate([trial.gap[1:] for trial in trials]))
    sums = np.zeros((len(trials), 1 + 3 * len(gaps), width, width))
    counts = np.zeros((len(trials), len(gaps)))
    for person, trial in enumerate(trials):
        centred = trial.y - trial.columns @ trial.location
        z = np.column_stack([np.zeros((len(centred), width - 1 - trial.columns.shape[1])), trial.columns, centred])
        sums[person, 0] = np.outer(z[0], z[0])
        for place, gap in enumerate(gaps):
            here = np.flatnonzero(trial.gap[1:] == gap) + 1
            now, before = z[here], z[here - 1]
            both = now.T @ before
            sums[person, 1 + place :: len(gaps)] = now.T @ now, both + both.T, before.T @ before
            counts[person, place] = len(here)
    return GapSums(gaps, counts, np.array([float(len(trial.y)) for trial in trials]), sums)
