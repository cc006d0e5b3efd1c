"""Both engines are calibrated under their own priors, and are seen not to be under others (`-m calibration`)."""

from dataclasses import replace

import numpy as np
import pytest

from nof1.model.calibration import DESIGNS
from nof1.model.ranks import Shares, exact_ranks, from_priors, judge
from nof1.model.sampled_calibration import KINDS, sampled_ranks

pytestmark = pytest.mark.calibration

SEED = 20261122
TRIALS = 1_000
SAMPLED = 100
"""`nof1 calibrate --sampled` samples more of them."""


def mixed_up(design, priors, rng):
    """A world whose arms are mixed up: the effect is the other way round.

    Twice the effect would not do: a latency's is pulled in so much that over 100 trials both errors undo each other.
    """
    one = from_priors(design, priors, rng)
    reversal = -2 * one.truth["delta"] * np.where(one.nights.arm == 0, 0.5, -0.5)
    return replace(one, nights=replace(one.nights, y=one.nights.y + reversal))


def told(capsys, found):
    """The judged ranks, printed."""
    judged = judge(found)
    with capsys.disabled():
        print()
        for one in judged:
            print(f"{one.engine} {one.outcome} {one.quantity}: {one.reach:.0%} of the way to the band, p {one.p:.3f}")
    return judged


def test_the_band_holds_as_many_as_it_says(capsys):
    """Of 4,000 sets of 300 uniform shares about 1 % leave the band that holds 99 %."""
    rng = np.random.default_rng(SEED)
    left = np.mean([not judge([Shares("", "", "", rng.random(300))])[0].inside for _ in range(4_000)])
    with capsys.disabled():
        print(f"\n{left:.2%} of 4,000 leave the band")
    assert 0.005 < left < 0.016


@pytest.mark.parametrize("design", DESIGNS, ids=["long", "short"])
def test_the_exact_engine_is_calibrated(design, capsys):
    """Over 1,000 trials drawn from the priors the truth of every quantity ranks as uniformly as it should."""
    assert all(one.inside for one in told(capsys, exact_ranks(trials=TRIALS, seed=SEED, design=design)))


def test_the_sampled_model_is_calibrated(capsys):
    """Over 100 trials of each model nothing leaves its band."""
    found = [one for kind in KINDS for one in sampled_ranks(kind, trials=SAMPLED, seed=SEED)]
    assert all(one.inside for one in told(capsys, found))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_sampled_ranks_tell_a_wrong_world(kind, capsys):
    """Over 100 trials whose arms are mixed up the effect leaves its band."""
    found = told(capsys, sampled_ranks(kind, trials=SAMPLED, seed=SEED, design=DESIGNS[0], world=mixed_up))
    assert not found[0].inside
