"""How much more would settle it: beside a simulation of the trials to come, and at its edges."""

from functools import partial

import numpy as np
import pytest
from scipy.special import ndtr

from nof1.model.more import LIKELY, MOST, More, more_needed
from nof1.model.verdict import decide, of_shares
from nof1.trial.protocol import AnalysisRules

RULES = AnalysisRules()
JUDGE = partial(decide, rules=RULES)
FUTURES = 4000
PRIOR_SD, PAIRS, BAR = 20.0, 6, 10.0


def lived_on(mean: float, sd: float, further: int) -> float:
    """Draw what is true, let further pairs show it with their error, and count the verdicts."""
    rng = np.random.default_rng(1)
    error = (1 / sd**2 - 1 / PRIOR_SD**2) ** -0.5 * (PAIRS / further) ** 0.5
    shown = rng.normal(rng.normal(mean, sd, FUTURES), error)
    after = (1 / sd**2 + 1 / error**2) ** -0.5
    at = after**2 * (mean / sd**2 + shown / error**2)
    verdicts = []
    for centre in at:
        under, at_most, at_least = (float(ndtr((x - centre) / after)) for x in (0.0, BAR, -BAR))
        shares = of_shares(1 - under, 1 - at_most, under, at_least, at_most - at_least, bar=BAR)
        verdicts.append(decide(shares, RULES) != "not_enough_to_tell")
    return float(np.mean(verdicts))


@pytest.mark.parametrize(("mean", "sd"), [(8.0, 4.0), (2.0, 4.0), (-6.0, 5.0), (3.0, 6.0)])
def test_the_chance_is_that_of_the_trials_to_come(mean: float, sd: float) -> None:
    """It is the share of invented continuations with a verdict; one pair fewer is not yet likely."""
    more = more_needed(mean, sd, PRIOR_SD, PAIRS, bar=BAR, judge=JUDGE)
    assert more is not None
    assert more.is_enough
    assert more.chance == pytest.approx(lived_on(mean, sd, more.pairs), abs=0.02)
    assert more.chance >= LIKELY
    assert lived_on(mean, sd, max(1, more.pairs - 1)) < LIKELY + 0.02


def test_a_trial_in_which_nights_tell_little_says_that_not_even_many_more_would_do() -> None:
    """It looks at four times as many pairs, and gives their chance."""
    more = more_needed(2.0, 12.0, PRIOR_SD, PAIRS, bar=BAR, judge=JUDGE)
    assert more is not None
    assert (more.pairs, more.is_enough) == (MOST * PAIRS, False)
    assert more.chance == pytest.approx(lived_on(2.0, 12.0, MOST * PAIRS), abs=0.02)


def test_without_a_worthwhile_change_only_a_direction_can_settle_it() -> None:
    """Near no effect no number of periods makes one likely."""
    more = more_needed(0.0, 4.0, PRIOR_SD, PAIRS, bar=None, judge=JUDGE)
    assert more is not None
    assert not more.is_enough
    assert more.chance < 0.5


def test_nights_that_told_nothing_tell_nothing_of_the_future() -> None:
    """A posterior as wide as its prior gives no number."""
    assert more_needed(0.0, 10.0, 10.0, PAIRS, bar=BAR, judge=JUDGE) is None


def test_better_and_worse_are_looked_at_alike() -> None:
    """A worsening is found by as many pairs as a benefit, where both have the same thresholds."""
    up, down = (more_needed(sign * 8.0, 4.0, PRIOR_SD, PAIRS, bar=BAR, judge=JUDGE) for sign in (1, -1))
    assert isinstance(up, More)
    assert isinstance(down, More)
    assert down.pairs <= up.pairs, "a warning may come earlier than a promise"
