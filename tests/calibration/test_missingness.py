"""The model of missing nights: calibrated, and not misled by nights that are lost in a row."""

import numpy as np
import pytest
from scipy.stats import binom, kstest
from tests.model.simulated import ARMS, DEEP, simulated_trial

from nof1.model.design import build_design
from nof1.model.linear import zero_sum_basis
from nof1.model.missingness import missing_by_arm, weighted_draws

pytestmark = pytest.mark.calibration

TRIALS = 400
SCALE = np.array([1.0, 1.5, 2.0, *[0.5] * 6])
SMALL = 1e-3


def lived(rng, truth):
    """(night, 9) of six pairs of seven nights in random order: arm, intercept, night before, weekdays; what is lost."""
    arm = np.repeat(np.concatenate([rng.permutation([0.5, -0.5]) for _ in range(6)]), 7)
    columns = np.column_stack([arm, np.ones(84), np.zeros(84), zero_sum_basis(7)[np.arange(84) % 7]])
    missing = np.zeros(84, dtype=bool)
    for night in range(84):
        columns[night, 2] = night > 0 and missing[night - 1]
        missing[night] = rng.random() < 1 / (1 + np.exp(-columns[night] @ truth))
    return columns, missing


def test_truths_drawn_from_the_priors_lie_anywhere_in_their_posteriors(capsys):
    """Of 400 trials the share of the posterior below the true log odds ratio is uniform; 95 % intervals hold 95 %."""
    below, largest = [], 0.0
    for trial in range(TRIALS):
        rng = np.random.default_rng([20261123, trial])
        truth = rng.normal(size=9) * SCALE
        columns, missing = lived(rng, truth)
        draws, weights, pareto_k = weighted_draws(columns, missing, SCALE, seed=trial)
        below.append(weights[draws[:, 0] < truth[0]].sum())
        largest = max(largest, pareto_k)
    held = np.mean(np.abs(np.array(below) - 0.5) < 0.475)
    p = kstest(below, "uniform").pvalue
    with capsys.disabled():
        print(f"\n{TRIALS} trials: 95 % intervals hold {held:.3f}; uniform with p = {p:.3f}; ", end="")
        print(f"Pareto k up to {largest:.2f}")
    assert p > SMALL
    assert binom.ppf(SMALL, TRIALS, 0.95) <= held * TRIALS <= binom.ppf(1 - SMALL, TRIALS, 0.95)
    assert largest < 0.7


@pytest.mark.parametrize("lost_in_a_row", [1, 4])
def test_how_often_a_trial_is_flagged_whose_nights_are_lost_by_chance(lost_in_a_row, capsys):
    """One by one or in rows of four: at most one trial in eight is told of an arm that has nothing to do with it."""
    flagged = 0
    for trial in range(TRIALS):
        nights, calendar = simulated_trial(seed=trial, missing=0.0)
        rng = np.random.default_rng([trial, 1])
        begins = rng.random(nights.height) < 0.12 / lost_in_a_row
        lost = np.convolve(begins, np.ones(lost_in_a_row))[: nights.height] > 0
        design = build_design(nights.filter(~lost), calendar, DEEP, arms=ARMS, exclude_flags=[])
        flagged += missing_by_arm(design, design.contrasts[0], None, seed=trial).flagged is not None
    with capsys.disabled():
        print(f"\nnights lost {lost_in_a_row} in a row, whatever the arm: {flagged / TRIALS:.3f} of {TRIALS} flagged")
    assert flagged <= binom.ppf(1 - SMALL, TRIALS, 0.125)
