"""The effects of two arms and more: one coefficient fewer than arms, and every pair alike before the trial."""

from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.priors import Priors

Floats = NDArray[np.float64]

TWO: Final = 2
"""Of two arms the only contrast needs no name."""


def arm_columns(arms: int) -> Floats:
    """Return (arms, arms − 1): what each of the coefficients of the arms is multiplied by on a night of each arm.

    The columns are orthogonal and sum to zero, each of length √½: with independent Normal(0, s) coefficients every
    difference of two arms is Normal(0, s), whichever they are. Of two arms the one column is ½ and −½, exactly, and its
    coefficient is their difference.
    """
    columns = np.zeros((arms, arms - 1))
    for place in range(1, arms):
        columns[:place, place - 1] = 1 / sqrt(2 * place * (place + 1))
        columns[place, place - 1] = -place / sqrt(2 * place * (place + 1))
    return columns


def arm_coefficients(arms: int) -> tuple[str, ...]:
    """Name the coefficients of the arms: of two it is their difference."""
    return ("delta",) if arms == TWO else tuple(f"arm_{place}" for place in range(1, arms))


def arm_locations(priors: Priors, arms: int) -> Floats:
    """Return (arms − 1,): prior locations of the coefficients, for `delta` is that of every arm − the last."""
    return priors["delta"].location * 2 * arm_columns(arms)[:-1].sum(axis=0)
