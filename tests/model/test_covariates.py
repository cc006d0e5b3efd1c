"""What the protocol's covariates do to an analysis, and what becomes of those that cannot be used."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from tests.model.simulated import ARMS, DEEP, LATENCY, simulated_trial

from nof1.model.agreement import agreement
from nof1.model.design import build_design
from nof1.model.diagnose import diagnose
from nof1.model.exact import integrate
from nof1.model.linear import TrialNights, linear_trial
from nof1.model.nuts import fit
from nof1.model.sensitivity import variants

KEYS = {"drinks": pl.Float64, "ill": pl.Boolean, "never_said": pl.Float64, "always": pl.Boolean, "mood": pl.String}


@pytest.fixture(scope="module")
def told():
    """Nights on which a drink costs 12 minutes and illness 20, with what the diary says of most of them."""
    nights, calendar = simulated_trial(seed=6, deep_effect=10.0, sigma=8.0)
    rng = np.random.default_rng(1)
    drinks, ill = rng.poisson(1.0, calendar.height), rng.random(calendar.height) < 0.2
    diary = calendar.select("night").with_columns(
        drinks=pl.Series(drinks.astype(float)), ill=pl.Series(ill), never_said=pl.lit(None, pl.Float64)
    )
    diary = diary.with_columns(always=pl.lit(value=True), mood=pl.lit("fair"))
    cost = diary.select("night", cost=12 * pl.col("drinks") + 20 * pl.col("ill"))
    nights = nights.join(cost, on="night", maintain_order="left").with_columns(
        deep_min=pl.col("deep_min") - pl.col("cost")
    )
    return nights.drop("cost"), calendar, diary.filter(pl.Series(rng.random(calendar.height) < 0.9))


def adjusted(told, outcome=DEEP):
    """The design with every covariate that can be used."""
    nights, calendar, diary = told
    return build_design(nights, calendar, outcome, arms=ARMS, exclude_flags=[], answers=diary)


def test_a_covariate_that_matters_is_found_in_its_own_unit(told):
    """Illness costs about 20 minutes, a SD of drinks about 12; both engines say the same, and the gate sees them."""
    design = adjusted(told)
    tree = fit([design], seed=2)["deep_min"]
    posterior = tree["posterior"].to_dataset()
    assert float(posterior["covariate_ill"].mean()) == pytest.approx(-20, abs=7)
    assert float(posterior["covariate_drinks"].mean()) == pytest.approx(-12, abs=5)
    assert diagnose(design, tree).usable
    assert all(one.agrees for one in agreement(design, tree))


def test_adjusting_narrows_the_effect(told):
    """What a covariate explains is no noise: the effect is told more exactly than without it."""
    design = adjusted(told)
    alone = variants(design, {})["unadjusted"]
    with_it, without = integrate([linear_trial(TrialNights.of(one), one.priors) for one in (design, alone)])
    assert with_it.effect.sd < 0.9 * without.effect.sd


def test_every_covariate_is_accounted_for(told):
    """What nobody answered, what never varied and what is no number is not adjusted for, and each says why."""
    found = {one.key: one for one in adjusted(told).adjustments}
    assert list(found) == list(KEYS)
    assert {key: one.why_not for key, one in found.items() if one.why_not} == {
        "never_said": "no used night has an answer",
        "always": "all answers are the same",
        "mood": "its answers are words",
    }
    assert found["never_said"].answered == 0
    assert 0.7 * len(adjusted(told).y) < found["drinks"].answered < len(adjusted(told).y)


def test_columns_are_centred_and_a_night_without_an_answer_is_average(told):
    """A number is in SDs, a yes is one more than a no, both sum to zero; missing answers move nothing."""
    columns = adjusted(told).covariates
    ill, drinks = columns["covariate_ill"], columns["covariate_drinks"]
    assert ill.sum() == pytest.approx(0, abs=1e-9)
    assert len(set(np.round(ill, 6))) == 3
    assert ill.max() - ill.min() == pytest.approx(1.0)
    assert np.std(drinks[drinks != 0], ddof=1) == pytest.approx(1.0, rel=0.1)


def test_a_latency_is_adjusted_on_its_own_scale(told):
    """The prior of a covariate is 0.8 of the treatment's, whatever the unit."""
    design = adjusted(told, LATENCY)
    assert design.priors["covariate_ill"].scale == pytest.approx(0.2)
    assert design.priors["covariate_ill"].unit == "log min"
    assert adjusted(told).priors["covariate_ill"].scale == pytest.approx(8.0)


def test_two_arms_of_three_keep_their_covariates(told):
    """Leaving an arm's nights out leaves them out of every column."""
    design = adjusted(told)
    pair = design.between(replace(design.contrasts[0]))
    assert all(len(column) == len(pair.y) for column in pair.covariates.values())


# another device, another algorithm


def changed_on(places, *, jump=25.0, seed=4):
    """A trial in which the algorithm changed on some nights of the calendar, each time adding `jump` minutes."""
    nights, calendar = simulated_trial(seed=seed, sigma=8.0, missing=0.0)
    dates = [calendar["night"][place] for place in places]
    added = sum((nights["night"] >= date).cast(pl.Float64) * jump for date in dates)
    flags = [["algorithm_changed"] if night in dates else [] for night in nights["night"]]
    nights = nights.with_columns(deep_min=nights["deep_min"] + added, flags=pl.Series(flags, dtype=pl.List(pl.String)))
    return build_design(nights, calendar, DEEP, arms=ARMS, exclude_flags=[]), calendar


def test_a_change_of_the_algorithm_is_a_step_and_not_the_treatment():
    """Twenty-five minutes that a new firmware adds are found as its step; the effect is not moved by them."""
    design, _ = changed_on([52])
    (name,) = design.covariates
    (found,) = integrate([linear_trial(TrialNights.of(design), design.priors)])
    without, _ = changed_on([52], jump=0.0)
    (plain,) = integrate([linear_trial(TrialNights.of(without), without.priors)])
    assert design.priors[name].scale == pytest.approx(15.0)
    assert abs(found.effect.mean - plain.effect.mean) < 0.3 * plain.effect.sd
    assert [one.why_not for one in design.adjustments] == [None]


def test_a_change_that_comes_with_the_arms_is_a_caution():
    """A change on the first night of a period is adjusted for, and its coincidence is told."""
    for place, told in ((7 + 3 * 10, True), (7 + 3 * 10 + 5, False)):
        design, calendar = changed_on([place])
        arms = calendar["arm"][place - 1], calendar["arm"][place]
        (one,) = design.adjustments
        assert (one.caution is not None) == (told and arms[0] != arms[1])


def test_a_change_outside_the_used_nights_is_no_step():
    """A change during the run-in moves every used night alike."""
    design, _ = changed_on([3])
    assert design.covariates == {}


def test_many_changes_of_device_carry_no_verdict():
    """Nights of two devices in turn are described, not decided."""
    design, _ = changed_on([20, 35, 50, 65, 80])
    assert design.covariates == {}
    assert "changed 5 times" in design.why_descriptive
