"""The NUTS part of an analysis of both outcomes. Run as a process of its own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))

from simulated import ARMS, DEEP, LATENCY, simulated_trial

from nof1.model.design import build_design
from nof1.model.nuts import fit


def main():
    """Fit both outcomes of the same simulated trial as `plain_pymc`."""
    nights, calendar = simulated_trial(seed=1, deep_effect=12.0)
    designs = [
        build_design(nights, calendar, outcome, arm=ARMS[0], reference=ARMS[1], exclude_flags=[])
        for outcome in (DEEP, LATENCY)
    ]
    fit(designs, seed=1)


if __name__ == "__main__":
    main()
