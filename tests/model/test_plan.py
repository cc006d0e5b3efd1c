"""What a plan foretells, and how many blocks it asks for."""

from dataclasses import replace

import numpy as np
import pytest
from tests.model.brute_force import TWO_ARMS, analysed_one_by_one, apart
from tests.model.simulated import RULES

from nof1.model.assurance import BENEFIT, Judgement, chances
from nof1.model.plan import AIM, BEYOND, MOST_BLOCKS, SLOPES, foretell, published_effect
from nof1.model.priors import priors_for
from nof1.model.simulation import Noise
from nof1.trial.protocol import Arm, Design

PRIORS = priors_for("deep_min", baseline=None)
JUDGE = Judgement(rules=RULES, worthwhile=10.0)
QUIET = Noise(sigma=12.0, sigma_period=1.0, rho=0.0)
MAGNESIUM = (Arm(code="mg", label="m", elemental_mg=200.0), Arm(code="pl", label="p", reference=True))


def told_of(design=None, *, judge=JUDGE, noise=QUIET, published=None, trials=20):
    """A plan, and what it said it was doing."""
    steps = []
    told = foretell(
        design or Design(scheme="randomised-pairs"),
        TWO_ARMS,
        PRIORS,
        judge,
        noises=lambda count: [noise] * count,
        trials=trials,
        published=published,
        progress=steps.append,
    )
    return told, steps


def test_the_blocks_asked_for_are_the_fewest_that_are_enough():
    """With so many blocks a benefit has a chance of 80 %, with one block fewer it has not."""
    told, steps = told_of()
    enough = told.enough
    assert enough.effect == BEYOND * 10.0
    assert enough.chance.share > AIM - 0.01
    assert enough.nights == 20 * enough.blocks
    fewer = Design(scheme="randomised-pairs", blocks=enough.blocks - 1)
    less = chances(fewer, TWO_ARMS, PRIORS, JUDGE, effects=[15.0], noises=[QUIET] * 60, seed=5)[0].benefit
    assert less.share < AIM + 2 * less.error
    assert steps[0].endswith("of 6 blocks")


def test_a_louder_person_needs_more_blocks_and_may_need_more_than_anybody_plans():
    """Noise costs blocks; where 24 are not enough the plan says so and names no number."""
    quiet, loud = (told_of(noise=replace(QUIET, sigma=sigma))[0].enough for sigma in (10.0, 16.0))
    assert loud.blocks > quiet.blocks
    hopeless = told_of(noise=replace(QUIET, sigma=60.0))[0].enough
    assert (hopeless.blocks, hopeless.chance, hopeless.most) == (None, None, MOST_BLOCKS)


def test_a_scheme_of_fours_gets_its_blocks_in_twos():
    """ABBA takes blocks in pairs, and so an even number of them is asked for."""
    told, _ = told_of(Design(scheme="counterbalanced"), noise=replace(QUIET, sigma=14.0))
    assert told.enough.blocks % 2 == 0


def test_an_order_of_four_arms_without_blocks_is_planned_no_longer_than_it_can_be_drawn():
    """More blocks of such an order than a protocol may have are not looked at."""
    arms = (*TWO_ARMS, Arm(code="ci", label="citrate"), Arm(code="ox", label="oxide"))
    loud = [Noise(sigma=40.0)]
    design = Design(scheme="unrestricted", blocks=3)
    told = foretell(
        design,
        arms,
        PRIORS,
        JUDGE,
        noises=lambda count: loud * count,
        trials=4,
        published=None,
        progress=lambda _step: None,
    )
    assert told.enough.blocks is None
    assert told.enough.most < MOST_BLOCKS


def test_without_a_worthwhile_change_no_benefit_is_planned():
    """Then only no effect and the prior are looked at."""
    told, _ = told_of(judge=replace(JUDGE, worthwhile=None), trials=4)
    assert list(told.by_effect) == ["none", "prior"]
    assert told.enough is None
    assert told.detects is None


def test_where_less_is_better_the_effects_are_reductions():
    """Of time awake the worthwhile effect is a reduction, with the chances that a gain has of a benefit elsewhere."""
    less, _ = told_of(judge=replace(JUDGE, better="lower"))
    more, _ = told_of()
    assert less.by_effect["large"].effect == -20.0
    assert less.by_effect["large"].benefit.share == pytest.approx(more.by_effect["large"].benefit.share, abs=0.06)
    assert less.enough.effect == -15.0


def test_the_published_effect_is_what_the_device_shows_of_it():
    """An Oura shows 0.71 of 6.4 minutes, a Fitbit and an Apple Watch less; any other device is taken for an Oura."""
    shown = {name: published_effect("deep_min", MAGNESIUM, f"{name}x").effect for name in SLOPES}
    assert shown["oura/"] == pytest.approx(4.5, abs=0.05)
    assert shown["fitbit/"] == pytest.approx(3.5, abs=0.05)
    assert shown["apple/Apple Watch"] == pytest.approx(3.1, abs=0.05)
    for stream in (None, "garmin/watch", "apple/AutoSleep"):
        unknown = published_effect("deep_min", MAGNESIUM, stream)
        assert unknown.device is None
        assert unknown.effect == max(shown.values())


def test_the_published_effect_is_of_magnesium_and_of_deep_sleep():
    """Nothing is published about fixed bedtimes, two forms of magnesium side by side, or total sleep."""
    both = (MAGNESIUM[0], Arm(code="ci", label="c", elemental_mg=200.0))
    assert published_effect("deep_min", TWO_ARMS, "oura/x") is None
    assert published_effect("deep_min", both, "oura/x") is None
    assert published_effect("tst_min", MAGNESIUM, "oura/x") is None


def test_of_a_latency_the_smallest_ratio_that_was_published_is_taken():
    """17 minutes less of 84 are a fifth less; a longer latency on placebo would make the published change larger."""
    published = published_effect("sol_min", MAGNESIUM, "oura/x")
    assert published.published == pytest.approx(0.79, abs=0.005)
    assert published.effect == pytest.approx(-np.log(published.published))
    assert published_effect("sol_min", TWO_ARMS, "oura/x") is None


def test_a_design_detects_the_published_effect_from_an_even_chance_on():
    """The usual design does not detect it in a usual person; a design in a person without noise does."""
    published = published_effect("deep_min", MAGNESIUM, "oura/x")
    assert told_of(noise=Noise(), published=published)[0].detects is False
    still = Noise(sigma=2.0, sigma_period=0.1, rho=0.0, sigma_weekday=0.0)
    assert told_of(noise=still, published=published, trials=4)[0].detects is True


def test_a_plan_agrees_with_whole_trials():
    """Forty whole trials, from nights to verdict, come out as foretold within four errors (more: `-m calibration`)."""
    design = Design(scheme="randomised-pairs", blocks=4, period_nights=7, transition_nights=2)
    (foretold,) = chances(design, TWO_ARMS, PRIORS, JUDGE, effects=[15.0], noises=[Noise()] * 40, seed=1)
    ((shares, half_width),) = analysed_one_by_one(design, Noise(), [15.0], trials=40, seed=3).values()
    assert abs(apart(foretold, shares, 40, BENEFIT)) < 4
    assert foretold.half_width == pytest.approx(half_width, rel=0.05)
