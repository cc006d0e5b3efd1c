"""Intervals that say 95 % hold the truth about 95 times in 100 (run with `-m calibration`)."""

import numpy as np
import pytest
from tests.model.simulated import ARMS, DEEP, LATENCY, simulated_trial

from nof1.model.design import build_design
from nof1.model.estimate import summarise
from nof1.model.nuts import fit

TRIALS = 200
AT_LEAST = 0.91
"""With 200 trials the Monte Carlo error of 95 % is 1.5 points."""


def coverage(outcome, prior_sd, planted):
    """Shares of 50 % and 95 % intervals of delta that hold the effect planted, effects drawn from the prior."""
    held = np.zeros((TRIALS, 2), dtype=bool)
    rng = np.random.default_rng(20261122)
    for trial in range(TRIALS):
        effect = float(rng.normal(0, prior_sd))
        rho = float(rng.uniform(-0.3, 0.4))
        nights, calendar = simulated_trial(seed=trial, rho=rho, **{planted: effect})
        design = build_design(nights, calendar, outcome, arms=ARMS, exclude_flags=[])
        tree = fit([design], seed=trial, draws=500, tune=500, chains=2)[outcome.measure]
        told = summarise(tree["posterior"]["delta"].to_numpy().ravel())
        held[trial] = [low < effect < high for low, high in (told.ci50, told.ci95)]
    return held.mean(axis=0)


@pytest.mark.calibration
@pytest.mark.parametrize(
    ("outcome", "prior_sd", "planted"),
    [(DEEP, 10.0, "deep_effect"), (LATENCY, 0.25, "log_ratio")],
    ids=["deep_min", "sol_min"],
)
def test_intervals_hold_the_truth_as_often_as_they_say(outcome, prior_sd, planted, capsys):
    """Over 200 simulated trials with effects drawn from the prior, 95 % intervals hold at least 91 % of them."""
    half, wide = coverage(outcome, prior_sd, planted)
    with capsys.disabled():
        print(f"\n{outcome.measure}: 50 % intervals hold {half:.1%}, 95 % intervals {wide:.1%} of {TRIALS} effects")
    assert wide >= AT_LEAST
    assert 0.38 <= half <= 0.64
