"""Priors have a unit and a source, and scale with the person's own nights where nobody else's tell."""

from math import log

import numpy as np
import polars as pl
import pytest
from tests.model.simulated import ARMS, DEEP, simulated_trial

from nof1.errors import DataError
from nof1.model.agreement import agreement
from nof1.model.design import build_design
from nof1.model.diagnose import diagnose
from nof1.model.nuts import fit
from nof1.model.priors import Spread, priors_for, require_model
from nof1.sleep.measures import MEASURES
from nof1.trial.protocol import Outcome

TST = Outcome(measure="tst_min", role="primary", better="higher", worthwhile=20.0, worthwhile_ratio=None)
MEASURED = [name for name, measure in MEASURES.items() if measure.unit != "count"]


def total_sleep(*, run_in=7, seed=2, effect=30.0):
    """Nights whose total sleep varies three times as much as deep sleep."""
    nights, calendar = simulated_trial(seed=seed, deep_effect=effect / 3, run_in=run_in)
    nights = nights.with_columns(tst_min=420 + 3 * (pl.col("deep_min") - 85))
    return build_design(nights, calendar, TST, arms=ARMS, exclude_flags=[])


@pytest.mark.parametrize("measure", MEASURED)
def test_every_prior_has_a_unit_and_a_source(measure):
    """Whatever is measured has priors, each with its source; only the correlation is without a unit."""
    priors = priors_for(measure, baseline=None, spread=Spread(50.0, 10.0, "in the run-in"))
    assert {"intercept", "delta", "trend", "sigma", "sigma_weekday", "sigma_period"} <= set(priors)
    assert all(prior.source for prior in priors.values())
    assert {name for name, prior in priors.items() if not prior.unit} <= {"rho"}


def test_priors_of_another_measure_are_those_of_deep_sleep_in_its_own_sds():
    """Of a measure that varies by 57 every scale is three times that of deep sleep, which varies by 19."""
    deep = priors_for("deep_min", baseline=None)
    total = priors_for("tst_min", baseline=None, spread=Spread(420.0, 57.0, "in the run-in"))
    for name in ("intercept", "delta", "trend", "sigma_weekday", "sigma_period"):
        assert total[name].scale == pytest.approx(3 * deep[name].scale)
    assert total["intercept"].location == 420.0
    assert (total["sigma"].location, total["sigma"].scale) == (pytest.approx(log(57.0)), deep["sigma"].scale)
    assert total["rho"] == deep["rho"]
    assert "57 min in the run-in" in total["delta"].source


def test_a_share_is_told_in_per_cent():
    """Sleep efficiency has priors in %, never in minutes."""
    shares = priors_for("se_pct", baseline=None, spread=Spread(88.0, 5.0, "in the run-in"))
    assert {prior.unit for prior in shares.values()} == {"%", "% per trial", ""}


def test_the_protocols_own_width_is_taken_as_it_is():
    """A protocol that says how large an effect may be is not scaled."""
    own = priors_for("tst_min", baseline=None, effect_sd=12.0, spread=Spread(420.0, 57.0, "in the run-in"))
    assert (own["delta"].scale, own["delta"].source) == (12.0, "the protocol")


def test_what_is_counted_has_no_model_and_a_latency_no_minutes():
    """Both are refused before the first night, with what to do."""
    with pytest.raises(DataError, match="awakenings cannot be analysed yet"):
        require_model("awakenings")
    with pytest.raises(DataError, match="modelled as a ratio"):
        require_model("lps_min", effect_sd=10.0)


def test_the_scale_comes_from_nights_that_know_nothing_of_arms():
    """With a run-in its SD is the scale; without one that within periods, which no effect of the arms can widen."""
    with_run_in = total_sleep(run_in=12)
    run_in = with_run_in.nights.filter(pl.col("why_excluded") == "run_in")["value"].drop_nulls()
    assert with_run_in.priors["sigma"].location == pytest.approx(log(float(run_in.std())))
    few, many = (total_sleep(run_in=0, effect=effect).priors["sigma"].location for effect in (0.0, 90.0))
    assert few == pytest.approx(many, abs=1e-9)
    assert few == pytest.approx(log(57.0), abs=0.25)


def test_total_sleep_is_analysed_like_deep_sleep():
    """An effect of 30 minutes of total sleep is recovered, both engines agreeing."""
    design = total_sleep(effect=30.0)
    tree = fit([design], seed=4)["tst_min"]
    assert diagnose(design, tree).usable
    (one,) = agreement(design, tree)
    assert abs(one.mean - 30) < 2 * one.sd


def test_the_same_value_every_night_is_no_measurement():
    """A constant outcome is refused before anything is fitted."""
    nights, calendar = simulated_trial(seed=1)
    nights = nights.with_columns(deep_min=pl.lit(72.0))
    outcome = Outcome(measure="deep_min", role="primary", better="higher", worthwhile=10.0, worthwhile_ratio=None)
    design = build_design(nights, calendar, outcome, arms=ARMS, exclude_flags=[])
    assert "have the same deep sleep, 72 min" in design.why_not_usable
    assert np.unique(design.y).tolist() == [72.0]


@pytest.mark.parametrize(("spread", "refused"), [(0.2, True), (3.0, False)])
def test_nearly_the_same_value_every_night_is_no_measurement(spread, refused):
    """Deep sleep that differs by tenths of a minute is refused in words; by minutes, it is analysed."""
    nights, calendar = simulated_trial(seed=1)
    drawn = pl.Series(np.random.default_rng(1).normal(60.0, spread, nights.height)).round(1)
    design = build_design(nights.with_columns(deep_min=drawn), calendar, DEEP, arms=ARMS, exclude_flags=[])
    assert (design.why_not_usable is not None) == refused
    if refused:
        assert "have the same deep sleep but for 0." in design.why_not_usable


def test_wakefulness_that_is_nearly_always_absent_is_not_called_too_equal():
    """Minutes that are 0 on most nights have no median to be a share of."""
    nights, calendar = simulated_trial(seed=1)
    rare = pl.Series(np.where(np.arange(nights.height) % 12 == 0, 25.0, 0.0))
    outcome = Outcome(measure="waso_min", role="primary", better="lower", worthwhile=10.0, worthwhile_ratio=None)
    design = build_design(nights.with_columns(waso_min=rare), calendar, outcome, arms=ARMS, exclude_flags=[])
    assert design.why_not_usable is None
