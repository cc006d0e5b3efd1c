"""A fit that fails its checks yields no claim."""

import numpy as np
import pytest
import xarray as xr
from tests.model.simulated import ARMS, DEEP, RULES, simulated_trial

from nof1.model.design import build_design
from nof1.model.diagnose import convergence, too_rough
from nof1.model.estimate import estimate


def tree(draws=1_000, *, shift=0.0, diverging=0, drift=0.0):
    """A tree of independent draws, spoilt as asked."""
    rng = np.random.default_rng(4)
    effect = rng.normal(size=(4, draws)) + shift * np.arange(4)[:, None]
    energy = rng.normal(size=(4, draws)) + drift * np.linspace(0, 1, draws)
    divergent = np.arange(4 * draws).reshape(4, draws) < diverging
    both = ("chain", "draw")
    coords = {"chain": np.arange(4), "draw": np.arange(draws)}
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"effect": (both, effect), "sigma": (both, rng.normal(size=(4, draws)))}, coords),
            "sample_stats": xr.Dataset({"energy": (both, energy), "diverging": (both, divergent)}, coords),
        },
    )


def test_independent_draws_pass():
    """Draws without fault pass every check, and say so in numbers."""
    found = convergence(tree())
    assert found.usable
    assert found.failures == ()
    assert (found.chains, found.draws, found.divergences) == (4, 1_000, 0)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"shift": 1.0}, "chains disagree"),
        ({"draws": 60}, "independent draws"),
        ({"diverging": 3}, "3 draws diverged"),
        ({"drift": 200.0}, "BFMI"),
    ],
)
def test_each_fault_is_said_in_words(fault, said):
    """Chains that disagree, too few draws, divergences and slow energies each make the fit unusable, in a sentence."""
    found = convergence(tree(**fault))
    assert not found.usable
    assert any(said in sentence for sentence in found.failures)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (tree(), None),
        (tree(100), None),
        (tree(20), "independent draws"),
        (tree(shift=1.0), "chains disagree"),
        (tree(diverging=2), None),
    ],
    ids=["long", "short", "too short", "apart", "a step lost"],
)
def test_less_is_asked_of_a_row_of_a_table(found, why):
    """Chains that agree and 200 independent draws of the effect make a row; fewer, or chains apart, make none."""
    said = too_rough(found)
    assert (said is None) == (why is None)
    assert why is None or why in said


def test_draws_that_are_not_numbers_fail():
    """A NaN among the draws passes no check."""
    spoilt = tree()
    spoilt["posterior"]["effect"][0, 0] = np.nan
    assert not convergence(spoilt).usable


def test_failed_checks_yield_no_numbers():
    """Where a check failed, the estimate has a reason and neither effect nor probability."""
    nights, calendar = simulated_trial(seed=1)
    design = build_design(nights, calendar, DEEP, arms=ARMS, exclude_flags=[])
    failed = convergence(tree(diverging=3))
    told = estimate(design, design.contrasts[0], tree(diverging=3), failed, RULES)
    assert told.verdict == "not_usable"
    assert "diverged" in told.why_not_usable
    assert (told.effect, told.ratio, told.levels, told.probability) == (None, None, None, None)
