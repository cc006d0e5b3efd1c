"""The sampling of `nof1 analyse` alone: both models of a trial, as `plain_pymc.py` has them. In its own process."""

import gc
import sys

import nof1
from nof1.model.design import build_design
from nof1.model.nuts import fit
from nof1.study.trials import read_trial


def main():
    """Sample both outcomes of the trial."""
    gc.disable()  # as the command does
    study = nof1.open_study(sys.argv[1])
    with study.record() as record:
        trial = read_trial(study, record)
    nights, rules = nof1.read_nights(study), trial.protocol.sleep
    designs = [
        build_design(nights, trial.calendar(), outcome, arms=("magnesium", "none"), exclude_flags=rules.exclude_flags)
        for outcome in trial.protocol.outcomes
    ]
    fit(designs, seed=1)


if __name__ == "__main__":
    main()
