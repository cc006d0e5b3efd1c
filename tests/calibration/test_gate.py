"""Well-specified trials pass the whole gate, and both engines agree on them (run with `-m calibration`)."""

import numpy as np
import pytest
from tests.model.simulated import ARMS, DEEP, LATENCY, simulated_trial

from nof1.model.agreement import exact_effect
from nof1.model.checked import fit_checked
from nof1.model.design import build_design
from nof1.model.exact import integrate
from nof1.model.linear import TrialNights, linear_trial
from nof1.model.sampler import DRAWS

pytestmark = pytest.mark.calibration

TRIALS = 300
AT_LEAST = 0.98
TAILS = 50
SHAPES = ({}, {"blocks": 4, "period_nights": 7, "transition": 2})
"""Six pairs of ten nights, and four of seven."""


def designs_of(trial):
    """Both outcomes of one trial: effects from their priors, ρ from −0.3 to 0.6, up to 30 % of the nights missing."""
    rng = np.random.default_rng([20261123, trial])
    nights, calendar = simulated_trial(
        seed=trial,
        deep_effect=float(rng.normal(0, 10)),
        log_ratio=float(rng.normal(0, 0.25)),
        rho=float(rng.uniform(-0.3, 0.6)),
        missing=float(rng.uniform(0, 0.3)),
        sigma_period=float(abs(rng.normal(0, 4))),
        **SHAPES[trial % 2],
    )
    return [build_design(nights, calendar, outcome, arms=ARMS, exclude_flags=[]) for outcome in (DEEP, LATENCY)]


def test_well_specified_trials_pass_the_gate_and_both_engines_agree(capsys):
    """Of 300 trials at least 98 % pass every check of both outcomes; of 50 the tails lie within 4 errors."""
    from arviz_stats import mcse

    failed, again, apart, ratios, tails = [], [], [], [], []
    for trial in range(TRIALS):
        designs = designs_of(trial)
        fitted = fit_checked(designs, seed=trial)
        found = [fitted[design.measure.name][1] for design in designs]
        again += [trial for checks in found if checks.draws > DRAWS]
        failed += [(trial, sentence) for checks in found for sentence in checks.failures]
        apart.append(found[0].engines[0].apart)
        ratios.append(found[0].engines[0].sd_ratio)
        if trial < TAILS:
            deep = designs[0]
            exact = exact_effect(integrate([linear_trial(TrialNights.of(deep), deep.priors)])[0], deep.contrasts[0])
            drawn = fitted["deep_min"][0]["posterior"].to_dataset()[["effect"]]
            for p in (0.025, 0.975):
                error = float(mcse(drawn, method="quantile", prob=p)["effect"])
                tails.append((float(drawn["effect"].quantile(p)) - float(exact.quantile(p))) / error)
    unusable = len({trial for trial, _ in failed})
    with capsys.disabled():
        print(f"\n{TRIALS} trials of two outcomes: {unusable} failed the gate: {failed}; fitted twice: {again}")
        print(f"sampled − exact mean: {np.min(apart):+.3f} to {np.max(apart):+.3f} SD, RMS {np.std(apart):.3f}")
        print(f"sampled / exact SD: {np.min(ratios):.3f} to {np.max(ratios):.3f}")
        print(f"tails of {TAILS}: at most {np.max(np.abs(tails)):.2f} Monte Carlo errors apart")
    assert unusable <= (1 - AT_LEAST) * TRIALS
    assert np.max(np.abs(tails)) < 4
