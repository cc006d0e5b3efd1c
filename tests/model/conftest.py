"""What the model's tests share: simulated trials, and one compiled model for all of them."""

import functools

import pytest
from tests.model.simulated import ARMS, DEEP, LATENCY, simulated_trial


@pytest.fixture(scope="session")
def analysed():
    """Designs, trees, diagnostics and estimates of one simulated trial; the model compiles once a session."""
    from tests.model.simulated import RULES

    from nof1.model.design import build_design
    from nof1.model.diagnose import diagnose
    from nof1.model.estimate import estimate
    from nof1.model.nuts import fit

    @functools.cache
    def run(*outcomes, seed=1, arms=ARMS, **truth):
        nights, calendar = simulated_trial(seed=seed, **truth)
        designs = [
            build_design(nights, calendar, outcome, arms=arms, exclude_flags=["short"])
            for outcome in outcomes or (DEEP, LATENCY)
        ]
        trees = fit(designs, seed=11)
        checks = {d.measure.name: diagnose(d, trees[d.measure.name]) for d in designs}
        return {
            d.measure.name: (
                d,
                trees[d.measure.name],
                estimate(d, d.contrasts[0], trees[d.measure.name], checks[d.measure.name], RULES),
            )
            for d in designs
        }

    return run
