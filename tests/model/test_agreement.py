"""Two engines that share nothing but nights and priors check each other."""

from dataclasses import replace

import pytest
from tests.model.simulated import DEEP, LATENCY

from nof1.model.agreement import agreement
from nof1.model.diagnose import diagnose


@pytest.fixture(scope="module")
def deep(analysed):
    """Design and tree of a deep-sleep trial."""
    design, tree, _ = analysed(DEEP, LATENCY, seed=1)["deep_min"]
    return design, tree


def with_effect(tree, change):
    """The same tree, its draws of the effect changed."""
    changed = tree.copy(deep=True)
    changed["posterior"]["effect"] = change(changed["posterior"]["effect"])
    return changed


def test_both_engines_find_one_posterior(deep):
    """Of one trial, sampling and integration give the same mean and the same SD, and the fit says by how much."""
    found = diagnose(*deep)
    (one,) = found.engines
    assert found.usable
    assert one.agrees
    assert one.contrast == "magnesium − placebo"
    assert abs(one.apart) < 0.1
    assert one.sd_ratio == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    "change",
    [
        lambda effect: effect + 0.2 * effect.std(),
        lambda effect: effect.mean() + 1.1 * (effect - effect.mean()),
        lambda effect: effect.mean() + 0.9 * (effect - effect.mean()),
        lambda effect: effect * float("nan"),
    ],
    ids=["shifted", "wide", "narrow", "nan"],
)
def test_a_sampled_posterior_that_is_another_is_not_used(deep, change):
    """A shift of 0.2 SD, and an SD 10 % off, each fail the gate in a sentence that names both engines."""
    design, tree = deep
    found = diagnose(design, with_effect(tree, change))
    assert not found.usable
    assert any("two engines disagree" in sentence for sentence in found.failures)


def test_arms_exchanged_in_one_engine_are_found(deep):
    """A trial with the nights of both arms exchanged is another trial to the exact engine."""
    design, tree = deep
    exchanged = replace(design, y=design.y + 30 * (design.arm_index == 0), arm_index=1 - design.arm_index)
    assert not agreement(exchanged, tree)[0].agrees


def test_a_contrast_told_the_other_way_round_is_the_negative(deep):
    """Placebo − magnesium is compared with the negative of the effect."""
    design, tree = deep
    (contrast,) = design.contrasts
    around = replace(design, contrasts=(replace(contrast, arm=contrast.reference, reference=contrast.arm),))
    (one,) = agreement(around, with_effect(tree, lambda effect: -effect))
    assert one.agrees
    assert one.mean == pytest.approx(-agreement(design, tree)[0].mean)


def test_a_latency_is_only_sampled(analysed):
    """The exact engine does not know censored logarithms: nothing is compared, and the fit stands on its own checks."""
    design, tree, told = analysed(DEEP, LATENCY, seed=1)["sol_min"]
    assert agreement(design, tree) == ()
    assert told.diagnostics.engines == ()
