"""Nights that the model does not expect, nights that sway it, and priors that have a say are told."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from tests.model.simulated import ARMS, DEEP, LATENCY, ar1, simulated_trial

from nof1.model.design import build_design
from nof1.model.diagnose import diagnose
from nof1.model.doubts import IN_CONFLICT, IN_WORDS, NO_MEAN, SURPRISING, doubts
from nof1.model.nuts import fit
from nof1.model.predictive import told as as_told


def told(change, *, seed=3, outcome=DEEP, **truth):
    """The doubts about a trial whose values were changed, in order of the used nights, before it was analysed."""
    nights, calendar = simulated_trial(seed=seed, **truth)
    design = build_design(nights, calendar, outcome, arms=ARMS, exclude_flags=[])
    design = replace(design, y=change(design))
    return doubts(design, fit([design], seed=1)[outcome.measure])


def test_nights_like_the_model_raise_no_doubt_about_them(analysed):
    """Of a well-specified trial every statistic is among what the model predicts, and no night sways the result."""
    for measure in ("deep_min", "sol_min"):
        design, tree, estimated = analysed(DEEP, LATENCY, seed=1)[measure]
        found = doubts(design, tree)
        assert all(p > SURPRISING for p in found.predictive.values())
        assert found.prior_conflict > IN_CONFLICT
        assert (found.influential, found.warnings) == ({}, ())
        assert estimated.diagnostics.doubts == found
        assert set(found.predictive) == {"tails", "between_periods"} | ({"lag_1"} if measure == "sol_min" else set())


def test_periods_that_swing_more_than_the_model_are_told():
    """Periods in which latencies are twice or half as long are more than the prior of their spread lets expect."""
    found = told(lambda design: design.y + 0.7 * np.where(design.period % 4 < 2, 1.0, -1.0), outcome=LATENCY)
    assert found.predictive["between_periods"] < SURPRISING
    assert found.predictive["tails"] > SURPRISING
    (said,) = [said for said in found.warnings if "does not expect" in said]
    assert f"{IN_WORDS['between_periods']} is larger than" in said


def test_latencies_that_take_after_each_other_are_told():
    """Latencies are taken to be independent between nights: a strong likeness of neighbours is found out."""
    noise = ar1(np.random.default_rng(3), 400, 0.7)
    found = told(lambda design: design.y + noise[: len(design.y)], outcome=LATENCY, log_sigma=0.15)
    assert found.predictive["lag_1"] < SURPRISING
    assert any(IN_WORDS["lag_1"] in said for said in found.warnings)


def test_nights_far_off_on_both_sides_are_told():
    """A few nights two hours off, either way, are no normal noise, and the fitted SD does not hide them."""
    odd = np.zeros(400)
    odd[[9, 30, 51, 70]] = [-120.0, 120.0, 120.0, -120.0]
    found = told(lambda design: design.y + odd[: len(design.y)])
    assert found.predictive["tails"] < SURPRISING
    assert any(IN_WORDS["tails"] in said for said in found.warnings)


def test_one_absurd_night_is_named():
    """A night of five more hours sways the result by itself, and is named by its evening."""
    found = told(lambda design: design.y + 300.0 * (np.arange(len(design.y)) == 20))
    nights, _ = simulated_trial(seed=3)
    night = next(iter(found.influential))
    assert night in nights["night"].dt.to_string("%Y-%m-%d").to_list()
    assert len(found.influential) <= 2  # itself, and the night after, which is told by it
    assert found.influential[night] > NO_MEAN
    assert any(night in said and "may move the result by itself" in said for said in found.warnings)


def with_zeros(chosen, *, seed=5):
    """The design of latencies of which some are at the smallest value and the others far above."""
    nights, calendar = simulated_trial(seed=seed, median=30.0, log_sigma=0.3)
    period = nights.join(calendar, on="night", how="left", maintain_order="left")["period"].fill_null(0).to_numpy()
    latency = np.where(chosen(period), 0.5, nights["sol_min"].to_numpy())
    return build_design(nights.with_columns(sol_min=latency), calendar, LATENCY, arms=ARMS, exclude_flags=[])


def test_more_nights_at_the_grain_than_a_lognormal_has_are_told():
    """A third at the smallest value and the others far above are too many for a log-normal, and right for a hurdle."""
    design = with_zeros(lambda period: np.random.default_rng(1).random(len(period)) < 0.3)
    assert design.has_hurdle
    censored = replace(design, zeros=None)
    of_censored, of_hurdle = (doubts(one, fit([one], seed=1)["sol_min"]) for one in (censored, design))
    assert of_censored.predictive["at_grain"] < 0.01
    assert any(f"{IN_WORDS['at_grain']} is larger than" in said for said in of_censored.warnings)
    assert all(p > SURPRISING for p in of_hurdle.predictive.values())
    assert set(of_hurdle.predictive) == set(IN_WORDS)


def test_zeros_that_come_in_whole_periods_are_told():
    """A hurdle takes nights without latency to be independent: a watch that told none for two periods is found out."""
    design = with_zeros(lambda period: np.isin(period, [3, 8]))
    found = doubts(design, fit([design], seed=1)["sol_min"])
    assert design.has_hurdle
    assert found.predictive["zeros_between_periods"] < 0.01
    assert any(f"{IN_WORDS['zeros_between_periods']} is larger than" in said for said in found.warnings)


def test_rounded_nights_like_the_model_raise_no_doubt(analysed):
    """Latencies that are rounded to ten minutes are held beside predictions that are rounded alike."""
    nights, calendar = simulated_trial(seed=8, median=14.0)
    nights = nights.with_columns(sol_min=(pl.col("sol_min") / 10).round() * 10)
    design = build_design(nights, calendar, LATENCY, arms=ARMS, exclude_flags=[])
    assert design.width.all()
    assert not design.has_hurdle
    found = doubts(design, fit([design], seed=1)["sol_min"])
    assert set(found.predictive) == {"tails", "between_periods", "lag_1", "at_grain"}
    assert all(p > SURPRISING for p in found.predictive.values())
    predicted = np.log(np.array([0.3, 4.9, 5.1, 14.9, 16.0, 92.0]))
    told = as_told(replace(design, width=np.full(6, 10.0)), predicted[None])
    assert np.exp(told[0]) == pytest.approx([5.0, 5.0, 10.0, 10.0, 20.0, 90.0])  # 5 for "at most 5"


def test_an_effect_that_contradicts_its_prior_is_told():
    """An effect of 40 minutes contradicts a prior SD of 10, not one of 200; that a prior has a say is no warning."""
    nights, calendar = simulated_trial(seed=2, deep_effect=40.0)
    found = {}
    for width in (10.0, 200.0):
        design = build_design(nights, calendar, DEEP, arms=ARMS, exclude_flags=[], prior_effect_sd=width)
        found[width] = doubts(design, fit([design], seed=1)["deep_min"])
    assert found[10.0].prior_conflict < IN_CONFLICT < found[200.0].prior_conflict
    assert any("assumed beforehand" in said for said in found[10.0].warnings)
    assert not any("beforehand" in said for said in found[200.0].warnings)


def test_a_fit_that_failed_has_no_doubts_beside_its_failures(analysed):
    """What is not usable anyway is not doubted."""
    design, tree, _ = analysed(DEEP, LATENCY, seed=1)["deep_min"]
    spoilt = tree.copy(deep=True)
    spoilt["posterior"]["effect"] = spoilt["posterior"]["effect"] * float("nan")
    found = diagnose(design, spoilt)
    assert not found.usable
    assert found.doubts is None
