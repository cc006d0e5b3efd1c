"""What a plan foretells of a latency is what comes of whole trials, each sampled (run with `-m calibration`)."""

from collections import Counter
from math import exp

import numpy as np
import pytest
from tests.model.brute_force import TWO_ARMS, apart
from tests.model.simulated import ARMS, LATENCY, RULES, ar1, calendar_of, nights_of

from nof1.model.assurance import BENEFIT, Judgement, chances
from nof1.model.design import build_design
from nof1.model.diagnose import convergence
from nof1.model.nuts import fit
from nof1.model.priors import priors_for
from nof1.model.verdict import decide, probabilities
from nof1.study.plan import LATENCY_NOISE
from nof1.trial.protocol import Design

TRIALS = 120
EFFECTS = (0.0, -0.446)
MEDIAN = 22.0
CLAIMS = (BENEFIT, ("worse_size_unclear", "worsening", "meaningful_worsening"), ("not_enough_to_tell",))


def sampled(effect, trial):
    """Verdict and half width of the log ratio's 95 % interval of one trial of six pairs of ten nights."""
    rng = np.random.default_rng([20261123, trial])
    calendar = calendar_of(rng)
    period, weekday = calendar["period"].fill_null(0).to_numpy(), calendar["night"].dt.weekday().to_numpy() - 1
    log_min = np.log(MEDIAN) + LATENCY_NOISE.sigma * ar1(rng, calendar.height, 0.0)
    log_min += LATENCY_NOISE.sigma_period * rng.normal(size=period.max() + 1)[period]
    log_min += LATENCY_NOISE.sigma_weekday * rng.normal(size=7)[weekday]
    arm = calendar["arm"].fill_null("").to_numpy()
    log_min += effect * np.select([arm == code for code in ARMS], [0.5, -0.5], 0.0)
    nights = nights_of(calendar, np.full(len(log_min), 80.0), np.exp(log_min), rng=rng)
    design = build_design(nights, calendar, LATENCY, arms=ARMS, exclude_flags=[])
    tree = fit([design], seed=trial, draws=500, tune=400, chains=2)["sol_min"]
    assert convergence(tree).divergences == 0
    drawn = tree["posterior"].to_dataset()
    delta = drawn["delta"].to_numpy().ravel()
    scale = design.worthwhile
    if scale.ratio is None:
        scale = type(scale)(None, 0.80, "the plan's")
    told = probabilities(drawn["effect"].to_numpy().ravel(), np.exp(delta), better="lower", worthwhile=scale)
    low, high = np.quantile(delta, [0.025, 0.975])
    return decide(told, RULES), (high - low) / 2


@pytest.mark.calibration
def test_a_plan_of_a_latency_agrees_with_whole_trials(capsys):
    """Every verdict comes as often as foretold, within four errors, and intervals are as wide within 5 %."""
    priors = priors_for("sol_min", baseline=MEDIAN)
    judge = Judgement(rules=RULES, worthwhile=-np.log(0.80), better="lower")
    design = Design(scheme="randomised-pairs")
    foretold = chances(design, TWO_ARMS, priors, judge, effects=EFFECTS, noises=[LATENCY_NOISE] * 80, seed=1)
    for planned, effect in zip(foretold, EFFECTS, strict=True):
        lived = [sampled(effect, trial) for trial in range(TRIALS)]
        shares = {name: seen / TRIALS for name, seen in Counter(verdict for verdict, _ in lived).items()}
        half_width = float(np.mean([width for _, width in lived]))
        off = [apart(planned, shares, TRIALS, claim) for claim in CLAIMS]
        with capsys.disabled():
            counted = [sum(shares.get(name, 0.0) for name in claim) for claim in CLAIMS]
            beside = ", ".join(
                f"{planned.of(*claim):.3f} ({share:.3f})" for claim, share in zip(CLAIMS, counted, strict=True)
            )
            print(
                f"\nlatency, ratio {exp(effect):.2f}: {beside}; ×÷{exp(planned.half_width):.3f} "
                f"(×÷{exp(half_width):.3f}); largest {max(map(abs, off)):.1f} errors"
            )
        assert max(map(abs, off)) < 4
        assert planned.half_width == pytest.approx(half_width, rel=0.05)
