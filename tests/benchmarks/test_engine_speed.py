"""How long one more person takes, by either engine (run with `-m benchmark -s`)."""

import statistics
import time

import pytest
from tests.model.simulated import ARMS, DEEP, LATENCY, simulated_trial

from nof1.model.design import build_design
from nof1.model.exact import integrate
from nof1.model.linear import TrialNights, linear_trial
from nof1.model.nuts import fit

pytestmark = pytest.mark.benchmark

PEOPLE = 100
ROUNDS = 5
EXACT_AT_MOST_S = 0.020
SAMPLED_AT_MOST_S = 0.3


def design_of(person, outcome=DEEP):
    """A person with six pairs of ten nights: 120 nights, 84 of them compared where none is missing."""
    nights, calendar = simulated_trial(seed=person, deep_effect=float(person % 20), rho=0.02 * (person % 20))
    return build_design(nights, calendar, outcome, arms=ARMS, exclude_flags=[])


def took(action):
    """Seconds."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def test_one_more_person_takes_a_blink():
    """The exact engine takes at most 20 ms a person, a hundred people together; sampling one more at most 0.3 s."""
    designs = [design_of(person) for person in range(PEOPLE)]
    trials = [linear_trial(TrialNights.of(design), design.priors) for design in designs]
    integrate(trials[:2])
    fit(designs[:1], seed=1)
    rounds = [
        (
            took(lambda: integrate(trials)) / PEOPLE,
            took(lambda: fit(designs[1:2], seed=1)),
            took(lambda: fit([design_of(2, LATENCY)], seed=1)),
        )
        for _ in range(ROUNDS)
    ]
    exact, deep, latency = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"\nexact engine {1000 * exact:.1f} ms a person ({PEOPLE} people of 120 nights)")
    print(f"one more person sampled: deep sleep {deep:.2f} s, latency {latency:.2f} s; {deep / exact:.0f} times exact")
    assert exact <= EXACT_AT_MOST_S
    assert max(deep, latency) <= SAMPLED_AT_MOST_S
