"""Trials that could not tell, lived on for as long as was reckoned: so many of them end with a verdict."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from nof1.model.assurance import Judgement, probabilities_of
from nof1.model.exact import ROUGH, integrate
from nof1.model.linear import TrialNights, linear_trial
from nof1.model.mixture import Mixture
from nof1.model.more import LIKELY, more_needed
from nof1.model.priors import Priors, priors_for
from nof1.model.simulation import drawn_from_priors
from nof1.model.verdict import decide
from nof1.trial.protocol import AnalysisRules, Arm, Design

pytestmark = pytest.mark.calibration

ARMS = (Arm(code="magnesium", label="Magnesium"), Arm(code="placebo", label="Placebo", reference=True))
SO_FAR, LONGEST, WORTHWHILE, TRIALS = 4, 20, 10.0, 300
JUDGEMENT = Judgement(rules=AnalysisRules(), better="higher", worthwhile=WORTHWHILE)
JUDGE = partial(decide, rules=JUDGEMENT.rules)


def after(nights: TrialNights, pairs: int, priors: Priors) -> Mixture:
    """What the first so many pairs tell of the effect."""
    some = nights.only(nights.period < nights.period.min() + 2 * pairs)
    span = np.ptp(some.time)
    centred = replace(some, time=(some.time - some.time.min()) / span - 0.5)
    return integrate([linear_trial(centred, priors)], points=ROUGH)[0].effect


def test_so_many_more_pairs_bring_a_verdict_as_often_as_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Everything is drawn from the priors; of the trials that go on as advised the share with a verdict is the one that
    was foretold."""
    priors = priors_for("deep_min", baseline=None)
    design = Design(scheme="randomised-pairs", blocks=LONGEST, period_nights=7, transition_nights=2, run_in_nights=0)
    foretold, settled, left_open = [], [], 0
    for seed in range(TRIALS):
        trial = drawn_from_priors(design, ARMS, priors, np.random.default_rng([20261123, seed]))
        effect = after(trial.nights, SO_FAR, priors)
        if decide(probabilities_of(effect, JUDGEMENT), JUDGEMENT.rules) != "not_enough_to_tell":
            continue
        left_open += 1
        more = more_needed(
            float(effect.mean),
            float(effect.sd),
            priors["delta"].scale,
            SO_FAR,
            bar=WORTHWHILE,
            judge=JUDGE,
        )
        if more is None or not more.is_enough:
            continue
        later = after(trial.nights, SO_FAR + more.pairs, priors)
        foretold.append(more.chance)
        settled.append(decide(probabilities_of(later, JUDGEMENT), JUDGEMENT.rules) != "not_enough_to_tell")
    share, error = float(np.mean(settled)), float(np.std(settled) / np.sqrt(len(settled)))
    with capsys.disabled():
        print(
            f"\n{left_open} of {TRIALS} trials could not tell after {SO_FAR} pairs; {len(settled)} went on as advised, "
            f"and {share:.3f} (Monte Carlo error {error:.3f}) ended with a verdict; foretold {np.mean(foretold):.3f}"
        )
    assert len(settled) > TRIALS / 10
    assert min(foretold) >= LIKELY
    assert abs(share - float(np.mean(foretold))) < 3 * error + 0.03
