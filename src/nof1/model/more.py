"""How much more of the same would settle what these nights leave open.

A predictive probability (Spiegelhalter, Abrams & Myles 2004, chapter 6.6), with a normal posterior in the place of the
sampled one. What the nights told beyond the prior is shared out evenly among their pairs of periods; further pairs tell
as much each. Where the effect would come to lie after them is drawn from what is known of it now, and every such
posterior is judged by the verdict's own rules.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from nof1.model.verdict import Probabilities, Verdict, of_shares

type Judge = Callable[[Probabilities], Verdict]
"""Gives the verdict on probabilities."""

LIKELY: Final = 0.8
"""The chance of a verdict that is asked for: the power with which trials are usually planned."""
MOST: Final = 4
"""So many times the pairs so far are looked at: nobody takes part for longer, and nothing would stay as it was."""
PLACES: Final = 200
"""Where the effect may come to lie, equally likely all of them."""


@dataclass(frozen=True, slots=True)
class More:
    """What further pairs of periods would tell, one period on each of the two arms, like those so far.

    Parameters
    ----------
    pairs
        The fewest after which a verdict is likely; of as many as are looked at, where not even those make it so.
    chance
        That after so many there is a verdict.
    is_enough
        Whether that is likely enough to be worth planning.
    """

    pairs: int
    chance: float
    is_enough: bool


def more_needed(mean: float, sd: float, prior_sd: float, pairs: int, *, bar: float | None, judge: Judge) -> More | None:
    """Find the fewest further pairs of periods after which a verdict is likely.

    Parameters
    ----------
    mean, sd
        Of the posterior of the effect, turned so that better is positive.
    prior_sd
        Of its prior, on the same scale.
    pairs
        Pairs of periods so far.
    bar
        The worthwhile change on that scale; None where there is none.
    judge
        `nof1.model.verdict.decide` by the rules of the trial.

    Returns
    -------
    More | None
        None where the nights told nothing beyond the prior: then nothing can be reckoned from them.
    """
    told = (1 / sd**2 - 1 / prior_sd**2) / pairs
    if told <= 0:
        return None
    chance = 0.0
    for further in range(1, MOST * pairs + 1):
        chance = _chance(mean, sd, 1 / sqrt(1 / sd**2 + further * told), bar, judge)
        if chance >= LIKELY:
            return More(further, chance, is_enough=True)
    return More(MOST * pairs, chance, is_enough=False)


def _chance(mean: float, sd: float, later_sd: float, bar: float | None, judge: Judge) -> float:
    """Give the chance of a verdict when the posterior has narrowed from one SD to another."""
    from scipy.special import ndtri

    moves = sqrt(max(0.0, (sd - later_sd) * (sd + later_sd)))
    places = mean + moves * ndtri((np.arange(PLACES) + 0.5) / PLACES)
    return float(np.mean([_is_settled(place, later_sd, bar, judge) for place in places.tolist()]))


def _is_settled(mean: float, sd: float, bar: float | None, judge: Judge) -> bool:
    from scipy.special import ndtr

    at = bar or 0.0
    under, at_most, at_least = (float(ndtr((x - mean) / sd)) for x in (0.0, at, -at))
    shares = of_shares(1 - under, 1 - at_most, under, at_least, at_most - at_least, bar=bar)
    return judge(shares) != "not_enough_to_tell"
