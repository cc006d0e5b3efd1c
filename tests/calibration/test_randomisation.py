"""The randomisation test keeps what it promises, over many trials whose truth is known (run with `-m calibration`).

Nights are an AR(1) with ρ = 0.6 and 15 % of them are missing: neither is in the test's head, and neither may matter.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice
from math import floor, log, sqrt

import numpy as np
import pytest
from scipy.stats import binom, chisquare
from tests.model.simulated import ARMS as CODES
from tests.model.simulated import DEEP, calendar_of, nights_of

from nof1.model.design import AnalysisDesign, build_design
from nof1.model.randomisation import RandomisationTest, randomisation_test
from nof1.trial.allocation import allocate
from nof1.trial.protocol import Arm, Contrast, Design

pytestmark = pytest.mark.calibration

ARMS = tuple(Arm(code=code, label=code) for code in CODES)
THREE = (*ARMS, Arm(code="third", label="Third"))
CONTRAST = Contrast(arm=CODES[0], reference=CODES[1])
RHO = 0.6
SIGMA = 19.0
UNDER_NULL = 2_000
WITH_EFFECT = 500
EFFECT = 12.0
SMALL = 1e-3
"""A check that a right test fails this seldom."""

BY_LOT = np.random.default_rng(6).permuted(np.tile([True, False] * 6, (40, 1)), axis=1)
DECLARED = tuple(dict.fromkeys(tuple(CODES[0] if on else CODES[1] for on in row) for row in BY_LOT.tolist()))
"""Forty orders of twelve periods, drawn by lot; few have their mirror image among them."""

SCHEMES = {
    "randomised-pairs": (Design(scheme="randomised-pairs", blocks=6), 0.95),
    "alternating": (Design(scheme="alternating", blocks=6), None),
    "counterbalanced": (Design(scheme="counterbalanced", blocks=6), 0.7),
    "permuted-blocks": (Design(scheme="permuted-blocks", blocks=6), 0.95),
    "unrestricted": (Design(scheme="unrestricted", blocks=6), 0.95),
    "unrestricted, limited": (Design(scheme="unrestricted", blocks=6, longest_run=2), 0.95),
    "declared": (Design(scheme="fixed", reference_set=DECLARED), 0.95),
}
"""Each with a level at which its confidence set is bounded; strict alternation has none. Permuted blocks are of three
arms, of which two are compared."""


def arms_of(design: Design) -> tuple[Arm, ...]:
    """Two arms, or three where the scheme is for more."""
    return THREE if design.scheme == "permuted-blocks" else ARMS


@cache
def layout(arms: tuple[Arm, ...]) -> AnalysisDesign:
    """Six blocks with periods of ten nights, three set aside, some missing; values and arms are to be filled in."""
    rng = np.random.default_rng(1)
    codes = [arm.code for arm in arms]
    calendar = calendar_of(rng, arms=codes)
    level = np.full(calendar.height, 100.0) + rng.normal(size=calendar.height)
    nights = nights_of(calendar, level, level, rng=rng, missing=0.15)
    return build_design(nights, calendar, DEEP, arms=codes, contrasts=[CONTRAST], exclude_flags=[])


def autocorrelated(design: Design, trials: int) -> np.ndarray:
    """(trial, night_used) AR(1) over the calendar's days, seen on the used ones."""
    gap = layout(arms_of(design)).gap
    rng = np.random.default_rng([7, trials])
    noise = rng.normal(size=(trials, int(gap.sum()) + 1))
    for day in range(1, noise.shape[1]):
        noise[:, day] = RHO * noise[:, day - 1] + sqrt(1 - RHO**2) * noise[:, day]
    return 100 + SIGMA * noise[:, np.cumsum(gap)]


def drawn(design: Design) -> Iterator[tuple[str, ...]]:
    """Orders as they would be drawn, one after the other."""
    rng = np.random.default_rng(11)
    while True:
        if design.reference_set:
            yield design.reference_set[rng.integers(len(design.reference_set))]
        else:
            yield allocate(design, arms_of(design), rng.bytes(32)).sequence


def arm_of_night(design: Design, sequence: tuple[str, ...]) -> np.ndarray:
    """(night_used,) index of the arm."""
    nights, codes = layout(arms_of(design)), [arm.code for arm in arms_of(design)]
    return np.array([codes.index(sequence[number - 1]) for number in nights.periods])[nights.period]


def by_the_draw(design: Design, sequence: tuple[str, ...], y: np.ndarray, *, level: float) -> RandomisationTest:
    """Test one trial: these values on the nights of the layout, these arms on its periods."""
    arms = arms_of(design)
    trial = replace(layout(arms), y=y, arm_index=arm_of_night(design, sequence))
    return randomisation_test(trial.between(CONTRAST), design, arms, sequence, seed=5, level=level)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_p_is_uniform_up_to_its_steps(scheme, capsys):
    """Under the null P(p ≤ a) = a at every p that can be reached, and never more in between; 2,000 trials a scheme."""
    design, _ = SCHEMES[scheme]
    values = autocorrelated(design, UNDER_NULL)
    found = [by_the_draw(design, order, y, level=0.95) for order, y in zip(drawn(design), values, strict=False)]
    p = np.array([one.p for one in found])
    (size,) = {one.n_sequences for one in found}
    steps = np.unique(np.round(p * size).astype(int))
    below = np.array([np.mean(p <= step / size + 1e-9) for step in steps])
    apart = np.abs(below - steps / size).max()
    allowed = sqrt(log(2 / SMALL) / 2 / UNDER_NULL)  # Dvoretzky, Kiefer and Wolfowitz, with Massart's constant
    at = {a: (float(np.mean(p <= a)), floor(a * size) / size) for a in (0.05, 0.1, 0.25)}
    with capsys.disabled():
        print(f"\n{scheme}: {size} orders, {len(steps)} values of p from {p.min():.4g}; P(p ≤ a) is at most ", end="")
        print(f"{apart:.4f} from a (allowed {allowed:.4f}); ", end="")
        print("; ".join(f"P(p ≤ {a}) = {share:.4f}, at most {most:.4f}" for a, (share, most) in at.items()))
    assert apart <= allowed
    for share, most in at.values():
        assert share * UNDER_NULL <= binom.ppf(1 - SMALL, UNDER_NULL, most)
    if scheme not in {"alternating", "declared", "unrestricted", "unrestricted, limited"}:
        counts = Counter(np.round(p * size / 2).astype(int).tolist())
        told = [counts[step] for step in range(1, size // 2 + 1)]
        assert chisquare(told).pvalue > SMALL


@pytest.mark.parametrize("scheme", [name for name, (_, level) in SCHEMES.items() if level])
def test_the_confidence_set_covers_a_constant_effect(scheme, capsys):
    """Twelve minutes on every night of the arm lie in the set at its level or more often; 500 trials a scheme."""
    design, level = SCHEMES[scheme]
    inside, widths = 0, []
    for order, noise in zip(drawn(design), autocorrelated(design, WITH_EFFECT), strict=False):
        y = noise + EFFECT * (arm_of_night(design, order) == 0)
        found = by_the_draw(design, order, y, level=level)
        low, high = found.confidence_set
        inside += low <= EFFECT <= high
        widths.append(high - low)
    size = found.n_sequences
    promised = 1 - floor((1 - level) * size + 1e-9) / size
    with capsys.disabled():
        print(f"\n{scheme}: {inside / WITH_EFFECT:.3f} of {WITH_EFFECT} sets at {level:.0%} hold the effect ", end="")
        print(f"(its steps allow no less than {promised:.3f}); median width {np.median(widths):.1f} min")
    assert promised >= level
    assert inside >= binom.ppf(SMALL, WITH_EFFECT, promised)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_smallest_p_is_reached(scheme, capsys):
    """An hour more on every night of the arm, and little else: p is the smallest that the test says can be reached."""
    design, _ = SCHEMES[scheme]
    rng, reached = np.random.default_rng(3), Counter[float]()
    size = len(layout(arms_of(design)).y)
    for order in dict.fromkeys(islice(drawn(design), 40)):
        y = 100 + 60 * (arm_of_night(design, order) == 0) + 0.1 * rng.normal(size=size)
        found = by_the_draw(design, order, y, level=0.95)
        assert found.p == pytest.approx(found.smallest_p)
        reached[round(found.smallest_p, 6)] += 1
    with capsys.disabled():
        print(f"\n{scheme}: smallest p {dict(reached)} reached in every one of {sum(reached.values())} orders")
