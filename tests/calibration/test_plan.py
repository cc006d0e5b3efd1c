"""What a plan foretells is what comes of whole trials, analysed one by one (run with `-m calibration`)."""

import pytest
from tests.model.brute_force import TWO_ARMS, analysed_one_by_one, apart
from tests.model.simulated import RULES

from nof1.model.assurance import BENEFIT, Judgement, chances
from nof1.model.priors import priors_for
from nof1.model.simulation import Noise
from nof1.trial.protocol import Design

TRIALS = 300
EFFECTS = (0.0, 10.0, 20.0)
CLAIMS = (
    BENEFIT,
    (*BENEFIT, "better_size_unclear"),
    ("worse_size_unclear", "worsening", "meaningful_worsening"),
    ("no_worthwhile_difference",),
    ("not_enough_to_tell",),
)
DESIGNS = {
    "6 x 2 x 10 (3)": Design(scheme="randomised-pairs"),
    "4 x 2 x 7 (2)": Design(scheme="randomised-pairs", blocks=4, period_nights=7, transition_nights=2),
    "4 x 2 x 14 (4)": Design(scheme="randomised-pairs", blocks=4, period_nights=14, transition_nights=4),
    "unrestricted 6 x 2 x 10 (3)": Design(scheme="unrestricted"),
}


@pytest.mark.calibration
@pytest.mark.parametrize("name", DESIGNS)
def test_a_plan_agrees_with_whole_trials(name, capsys):
    """In four designs every verdict comes as often as foretold, within four errors, and intervals are as wide."""
    design = DESIGNS[name]
    judge = Judgement(rules=RULES, worthwhile=10.0)
    priors = priors_for("deep_min", baseline=None)
    foretold = chances(design, TWO_ARMS, priors, judge, effects=EFFECTS, noises=[Noise()] * 80, seed=1)
    lived = analysed_one_by_one(design, Noise(), EFFECTS, trials=TRIALS, seed=2)
    for planned, (shares, half_width) in zip(foretold, lived.values(), strict=True):
        off = [apart(planned, shares, TRIALS, claim) for claim in CLAIMS]
        with capsys.disabled():
            counted = [sum(shares.get(name, 0.0) for name in claim) for claim in CLAIMS]
            pairs = zip(CLAIMS, counted, strict=True)
            beside = ", ".join(f"{planned.of(*claim):.3f} ({share:.3f})" for claim, share in pairs)
            widths = f"±{planned.half_width:.2f} (±{half_width:.2f})"
            print(f"\n{name}, effect {planned.effect:g}: {beside}; {widths}; largest {max(map(abs, off)):.1f} errors")
        assert max(map(abs, off)) < 4
        assert planned.half_width == pytest.approx(half_width, rel=0.03)
