"""What a design costs is known before its first night."""

import re
from dataclasses import replace
from itertools import cycle, islice
from math import exp, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.model.priors import priors_for
from nof1.trial.protocol import Design, Protocol, parse_protocol
from nof1.trial.strength import (
    BUILD_UP_NIGHTS,
    DEFAULT,
    SIGMA,
    SIGMA_PERIOD,
    share_shown,
    standard_error,
    weaknesses,
)

SHORTEST = """
[[arm]]
code = "a"
label = "One"
[[arm]]
code = "b"
label = "Other"
reference = true
[design]
scheme = "randomised-pairs"
[[outcome]]
measure = "deep_min"
"""


def design(blocks: int, nights: int, transition: int, washout: int = 0) -> Design:
    """Pairs of periods of so many nights."""
    return replace(DEFAULT, blocks=blocks, period_nights=nights, transition_nights=transition, washout_nights=washout)


def protocol(elemental_mg: float | None = None, **keys: int | str) -> Protocol:
    """Take the shortest protocol with another design, and perhaps a dose."""
    parsed = parse_protocol(SHORTEST)
    arms = (replace(parsed.arms[0], elemental_mg=elemental_mg), parsed.arms[1])
    return replace(parsed, arms=arms, design=replace(parsed.design, **keys))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("nights", "transition", "by_time_constant"),
    [
        (7, 0, (0.96, 0.83, 0.59, 0.41, 0.22, 0.14)),
        (7, 2, (1.0, 0.97, 0.80, 0.62, 0.39, 0.27)),
        (10, 0, (0.97, 0.88, 0.70, 0.53, 0.31, 0.20)),
        (10, 3, (1.0, 0.99, 0.91, 0.77, 0.53, 0.38)),
        (14, 0, (0.98, 0.92, 0.78, 0.65, 0.43, 0.29)),
        (14, 4, (1.0, 1.0, 0.96, 0.87, 0.67, 0.51)),
    ],
)
def test_the_share_of_a_slow_effect_is_that_of_the_design_study(
    nights: int, transition: int, by_time_constant: tuple[float, ...]
) -> None:
    """For time constants of half a day to a week, the shares are those tabled when the design was chosen."""
    shares = [share_shown(design(6, nights, transition), build_up_nights=days) for days in (0.5, 1, 2, 3, 5, 7)]
    assert shares == pytest.approx(by_time_constant, abs=0.0051)


@given(nights=st.integers(1, 15), transition=st.integers(0, 14), washout=st.integers(0, 8), days=st.floats(0.3, 7.0))
def test_the_share_is_what_a_night_by_night_count_gives(
    nights: int, transition: int, washout: int, days: float
) -> None:
    """Night after night of a long alternation, with washouts or without, an exposure that builds up shows as much."""
    transition = min(transition, nights - 1)
    kept, exposure, means = exp(-1 / days), 0.0, []
    for treated in islice(cycle((1, 0)), 600):
        seen = [exposure := kept * exposure + (1 - kept) * treated for _ in range(nights)]
        means.append(np.mean(seen[transition:]))
        exposure *= kept**washout
    counted = means[-2] - means[-1]
    shown = share_shown(design(6, nights, transition, washout), build_up_nights=days)
    assert shown == pytest.approx(counted, abs=1e-9)


@pytest.mark.parametrize(
    ("blocks", "nights", "transition", "minutes"),
    [(4, 7, 2, 6.6), (6, 7, 2, 5.4), (4, 14, 4, 5.1), (6, 10, 3, 4.7), (6, 14, 4, 4.2)],
)
def test_the_standard_error_is_that_of_the_design_study(
    blocks: int, nights: int, transition: int, minutes: float
) -> None:
    """Without correlation between nights, the errors are those tabled when the design was chosen."""
    assert standard_error(design(blocks, nights, transition), rho=0) == pytest.approx(minutes, abs=0.06)


@pytest.mark.parametrize(("blocks", "nights", "transition"), [(6, 10, 3), (2, 7, 2), (4, 14, 4), (3, 8, 4)])
def test_the_standard_error_is_that_of_the_whole_covariance(blocks: int, nights: int, transition: int) -> None:
    """With a transition between periods, the sum agrees with the full covariance of all nights to two per cent."""
    used, rho = nights - transition, 0.3
    night = np.concatenate([np.arange(transition, nights) + nights * period for period in range(2 * blocks)])
    period = np.repeat(np.arange(2 * blocks), used)
    covariance = SIGMA**2 * rho ** np.abs(night[:, None] - night)
    covariance += SIGMA_PERIOD**2 * (period[:, None] == period)
    contrast = np.where(period % 2, -1.0, 1.0) / (blocks * used)
    exact = sqrt(contrast @ covariance @ contrast)
    assert standard_error(design(blocks, nights, transition), rho=rho) == pytest.approx(exact, rel=0.02)


@given(blocks=st.integers(2, 20), nights=st.integers(2, 30), transition=st.integers(0, 20))
def test_more_never_tells_less(blocks: int, nights: int, transition: int) -> None:
    """One more pair or one more night a period makes the error no larger; one more transition night no smaller."""
    transition = min(transition, nights - 2)
    error = standard_error(design(blocks, nights, transition))
    assert standard_error(design(blocks + 1, nights, transition)) < error
    assert standard_error(design(blocks, nights + 1, transition)) < error
    assert standard_error(design(blocks, nights, transition + 1)) > error


def test_the_noise_is_that_of_the_model() -> None:
    """The SDs between nights and periods are those of the model's priors, so that plan and analysis agree."""
    priors = priors_for("deep_min", baseline=None)
    assert pytest.approx(SIGMA) == exp(priors["sigma"].location)
    assert priors["sigma_period"].scale == SIGMA_PERIOD


@pytest.mark.parametrize("elemental_mg", [None, 200])
def test_the_default_design_is_not_weak(elemental_mg: float | None) -> None:
    """Six pairs of ten nights pass without a warning, and so do four of fourteen."""
    assert weaknesses(protocol(elemental_mg)) == ()
    assert weaknesses(protocol(elemental_mg, blocks=4, period_nights=14, transition_nights=4)) == ()


@pytest.mark.parametrize(
    ("keys", "path", "cost"),
    [
        ({"scheme": "alternating"}, "design.scheme", "only 2 orders .* p = 1 two-sided.*0.031"),
        ({"scheme": "counterbalanced"}, "design.blocks", "only 8 orders .* p = 0.25 two-sided"),
        ({"blocks": 3}, "design.blocks", "6 periods .* an error 1.4 times the default design's; nof1 plan"),
        ({"period_nights": 6}, "design.period_nights", r"50% of the nights on an arm are left out \(default 30%\)"),
        ({"transition_nights": 0}, "design.transition_nights", r"70% shows \(default 91%\)"),
    ],
)
def test_a_weak_design_says_what_it_costs(keys: dict[str, int | str], path: str, cost: str) -> None:
    """Each weak point names its key and puts a number on it."""
    lines = weaknesses(protocol(**keys))
    assert any(line.startswith(f"{path}: ") and re.search(cost, line) for line in lines), lines


def test_magnesium_needs_a_transition() -> None:
    """Without transition nights even long periods of magnesium are weak; of something without a dose they are not."""
    keys = {"period_nights": 14, "transition_nights": 1}
    assert weaknesses(protocol(**keys)) == ()
    (line,) = weaknesses(protocol(200, **keys))
    assert f"about {BUILD_UP_NIGHTS:g} days" in line


def test_a_schedule_that_is_brought_is_what_it_is() -> None:
    """A fixed schedule gets no warnings: its nights have been slept."""
    assert weaknesses(protocol(scheme="fixed", blocks=2)) == ()
