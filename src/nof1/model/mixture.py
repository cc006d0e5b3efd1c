"""A posterior as a mixture of normals: one for each point of the grid over the hyperparameters."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

HALVINGS: Final = 48
"""Of a bracket of some twenty SDs: down to 1e-13 of one."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """A mixture of normals, (component,) each; the weights sum to 1, an SD may be 0."""

    weights: Floats
    means: Floats
    sds: Floats

    @property
    def mean(self) -> float:
        """Its mean."""
        return float(self.weights @ self.means)

    @property
    def sd(self) -> float:
        """Its standard deviation."""
        return float(np.sqrt(self.weights @ (self.sds**2 + (self.means - self.mean) ** 2)))

    def below(self, x: ArrayLike) -> Floats:
        """P(value ≤ x), for every x."""
        from scipy.special import ndtr

        apart = np.asarray(x, dtype=float)[..., None] - self.means
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(self.sds > 0, apart / self.sds, np.where(apart < 0, -np.inf, np.inf))
        return np.asarray(ndtr(z) @ self.weights)

    def above(self, x: ArrayLike) -> Floats:
        """P(value > x), for every x; precise in the tail too."""
        return self.negative.below(-np.asarray(x, dtype=float))

    def within(self, low: float, high: float) -> float:
        """P(low < value ≤ high)."""
        return float(self.below(high) - self.below(low))

    def quantile(self, p: ArrayLike) -> Floats:
        """Return the values below which a share p of it lies, for every p strictly between 0 and 1."""
        share = np.asarray(p, dtype=float)
        far = 9.0 * self.sds.max()  # nothing that a double could tell lies further out
        low = np.full(share.shape, self.means.min() - far)
        high = np.full(share.shape, self.means.max() + far)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            under = self.below(middle) < share
            low, high = np.where(under, middle, low), np.where(under, high, middle)
        return np.asarray((low + high) / 2)

    @property
    def negative(self) -> "Mixture":
        """The mixture with its sign turned: for outcomes of which less is better."""
        return Mixture(self.weights, -self.means, self.sds)
