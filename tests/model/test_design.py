"""Which nights are analysed, which are not and why, and what the model is given of them."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.model.simulated import ARMS, DEEP, LATENCY, RULES, simulated_trial

from nof1.errors import DataError, FitNotUsableError
from nof1.model.arms import arm_columns
from nof1.model.design import EXACT, LEFT, RIGHT, build_design
from nof1.model.estimate import estimate
from nof1.model.nuts import fit


def design_of(nights, calendar, outcome=DEEP, **options):
    """The design of a magnesium trial."""
    asked = {"arms": ARMS, "exclude_flags": ["short"]} | options
    return build_design(nights, calendar, outcome, **asked)


def change(nights, row, **values):
    """The nights with one of them changed."""
    here = pl.int_range(pl.len()) == row
    return nights.with_columns(pl.when(here).then(pl.lit(v)).otherwise(pl.col(k)).alias(k) for k, v in values.items())


def row_of(nights, calendar, *, transition=False):
    """The row of the first recorded night of the trial that is, or is not, a transition night."""
    days = calendar.filter(~pl.col("run_in") & (pl.col("transition") == transition))["night"]
    return nights.with_row_index().filter(pl.col("night").is_in(days.implode()))["index"][0]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.5), st.integers(0, 5))
def test_every_planned_night_is_used_or_has_one_reason(seed, missing, transition):
    """Nothing is dropped in silence: a night is used, or one reason says why not."""
    nights, calendar = simulated_trial(seed=seed, missing=missing, transition=transition)
    design = design_of(nights, calendar)
    assert design.nights.height == calendar.height
    assert (design.nights["used"] == design.nights["why_excluded"].is_null()).all()
    used = design.nights.filter("used")
    assert len(design.y) == used.height
    assert not used["transition"].any()
    assert np.array_equal(np.cumsum(design.gap), (used["night"] - used["night"][0]).dt.total_days().to_numpy())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_order_of_the_rows_is_irrelevant(seed):
    """Nights and calendar may come in any order."""
    nights, calendar = simulated_trial(seed=seed)
    one = design_of(nights, calendar)
    other = design_of(
        nights.sample(fraction=1, shuffle=True, seed=1), calendar.sample(fraction=1, shuffle=True, seed=2)
    )
    assert np.array_equal(one.y, other.y)
    assert one.nights.equals(other.nights)


def test_reasons_are_asked_in_their_order():
    """A flagged transition night is a transition night; a flagged night later in its period is what its flag says."""
    nights, calendar = simulated_trial(seed=1, missing=0.0)
    early, late = row_of(nights, calendar, transition=True), row_of(nights, calendar)
    flagged = change(change(nights, early, flags=["short"]), late, flags=["manual", "short"])
    why = design_of(flagged, calendar, exclude_flags=["short", "manual"]).nights.filter(
        pl.col("night").is_in(pl.Series([nights["night"][early], nights["night"][late]]).implode())
    )["why_excluded"]
    assert why.to_list() == ["transition", "short"]


def test_flags_that_the_protocol_does_not_name_exclude_nothing():
    """A short night stays where the protocol does not exclude short nights."""
    nights, calendar = simulated_trial(seed=1, missing=0.0)
    row = row_of(nights, calendar)
    flagged = change(nights, row, flags=["short"])
    assert design_of(flagged, calendar, exclude_flags=[]).nights.filter(night=nights["night"][row])["used"][0]


def test_arrays_say_what_the_nights_are():
    """Arms are ±½, time runs from −½ to ½ over the trial without its run-in, weekdays are those of the evening."""
    nights, calendar = simulated_trial(seed=1, missing=0.0, transition=0)
    design = design_of(nights, calendar)
    used = design.nights.filter("used")
    assert np.array_equal(arm_columns(2)[design.arm_index, 0], np.where(used["arm"] == "magnesium", 0.5, -0.5))
    assert (design.time[0], design.time[-1]) == (-0.5, 0.5)
    assert np.array_equal(design.weekday, [night.weekday() for night in used["night"]])
    assert [design.periods[index] for index in design.period] == used["period"].to_list()


def test_run_in_sets_the_prior_and_nothing_else():
    """Run-in nights move the prior of the intercept, and never stand among the nights that are analysed."""
    nights, calendar = simulated_trial(seed=1, missing=0.0)
    run_in = pl.col("night").is_in(calendar.filter("run_in")["night"].implode())
    raised = nights.with_columns(deep_min=pl.when(run_in).then(55.0).otherwise("deep_min"))
    design = design_of(raised, calendar)
    assert design.priors["intercept"].location == pytest.approx(55)
    assert np.array_equal(design.y, design_of(nights, calendar).y)
    assert design_of(nights.filter(~run_in), calendar).priors["intercept"].location == 80


def test_latency_without_sleep_is_at_least_the_time_in_bed():
    """A night without any sleep is kept as "at least the time in bed", one under a minute as "at most a minute"."""
    nights, calendar = simulated_trial(seed=1, missing=0.0)
    row = row_of(nights, calendar)
    changed = change(change(nights, row, sol_min=None, tst_min=0.0, tib_min=300.0), row + 1, sol_min=0.0)
    design = design_of(changed, calendar, LATENCY)
    assert (design.censored[0], design.censored[1]) == (RIGHT, LEFT)
    assert np.exp(design.y[:2]) == pytest.approx([300, 1])
    assert (design.censored == EXACT).sum() > 50


def in_steps(nights, step):
    """The nights with latencies rounded to a step."""
    return nights.with_columns(sol_min=(pl.col("sol_min") / step).round() * step)


@pytest.mark.parametrize("step", [5.0, 7.5, 15.0])
def test_latencies_in_coarse_steps_stand_for_intervals(step):
    """Latencies that are all multiples of five minutes or more are intervals as wide, and 0 is at most half of one."""
    nights, calendar = simulated_trial(seed=3, median=4 * step, missing=0.0)
    row = row_of(nights, calendar)
    design = design_of(change(in_steps(nights, step), row, sol_min=0.0), calendar, LATENCY)
    assert (design.width == step).all()
    assert (design.censored[0], np.exp(design.y[0])) == (LEFT, pytest.approx(step / 2))
    exact = np.exp(design.y[design.censored == EXACT])
    assert exact == pytest.approx(np.round(exact / step) * step)
    assert design.censored_below == step / 2


def test_one_latency_between_the_steps_makes_all_of_them_fine():
    """A single night of 12 minutes, in the run-in too, shows that latencies are told to the minute."""
    nights, calendar = simulated_trial(seed=3, median=20.0, missing=0.0)
    coarse = in_steps(nights, 5.0)
    assert design_of(coarse, calendar, LATENCY).width.all()
    run_in, used, aside = 1, row_of(nights, calendar), row_of(nights, calendar, transition=True)
    widths = {
        row: design_of(change(coarse, row, sol_min=12.0), calendar, LATENCY).width for row in (run_in, used, aside)
    }
    assert not widths[run_in].any()
    assert not widths[used].any()
    assert widths[aside].all()  # a night that is not analysed says nothing


def test_a_coarse_hypnogram_rounds_what_is_read_off_it():
    """With stages of five minutes and lights-out to the minute 12 is 9.5 to 14.5, and 2 is at most 4.5.

    A night without sleep is still at least the time in bed. The vendor's own latency does not come from the hypnogram:
    it stays as it was told.
    """
    nights, calendar = simulated_trial(seed=3, median=20.0, missing=0.0)
    row = row_of(nights, calendar)
    told = change(change(nights, row, sol_min=12.0), row + 1, sol_min=2.0)
    told = change(told, row + 2, sol_min=None, tst_min=0.0, tib_min=300.0)
    design = design_of(told, calendar, LATENCY, grain_min=5.0)
    assert (design.width == 5.0).all()
    assert design.censored[:3].tolist() == [EXACT, LEFT, RIGHT]
    assert np.exp(design.y[:3]) == pytest.approx([12.0, 4.5, 300.0])
    vendor = design_of(told.with_columns(sol_source=pl.lit("vendor")), calendar, LATENCY, grain_min=5.0)
    assert not vendor.width.any()
    assert vendor.censored[:3].tolist() == [EXACT, EXACT, RIGHT]
    assert vendor.censored_below == 1.0


def test_the_steps_of_latencies_are_blind_to_the_arms():
    """Exchanging arms, or drawing them anew, changes no width, and two of three arms keep those of all."""
    nights, calendar = simulated_trial(seed=4, median=20.0, log_ratio=-0.7)
    coarse = in_steps(nights, 5.0)
    arms = calendar["arm"].shuffle(seed=1).fill_null("placebo")
    permuted = calendar.with_columns(arm=pl.when(pl.col("arm").is_null()).then(None).otherwise(arms))
    one, other = (design_of(coarse, calendar, LATENCY, arms=codes) for codes in (ARMS, ARMS[::-1]))
    assert np.array_equal(one.width, other.width)
    assert np.array_equal(one.width, design_of(coarse, permuted, LATENCY).width)
    pair = one.between(one.contrasts[0])
    assert np.array_equal(pair.width, one.width)
    some = one.only(one.weekday > 2)
    assert len(some.width) == len(some.y) == (one.weekday > 2).sum()


def test_deep_sleep_has_no_intervals():
    """Deep sleep in steps of five minutes stays Gaussian minutes."""
    nights, calendar = simulated_trial(seed=3)
    design = design_of(nights.with_columns(deep_min=(pl.col("deep_min") / 5).round() * 5), calendar, grain_min=5.0)
    assert not design.width.any()
    assert (design.censored_below, design.zeros) == (None, None)


def test_night_without_lights_out_has_no_latency():
    """Without lights-out a night has deep sleep but no latency, and says so."""
    nights, calendar = simulated_trial(seed=1, missing=0.0)
    row = row_of(nights, calendar)
    changed = change(nights, row, sol_min=None, tib_min=None)
    night = nights["night"][row]
    assert design_of(changed, calendar, LATENCY).nights.filter(night=night)["why_excluded"][0] == "no_lights_out"
    assert design_of(changed, calendar, DEEP).nights.filter(night=night)["used"][0]


def test_an_impossible_lights_out_is_its_own_reason():
    """A night whose stated lights-out cannot be is not counted among those where nothing was stated."""
    nights, calendar = simulated_trial(seed=1, missing=0.0)
    row = row_of(nights, calendar)
    changed = change(nights, row, sol_min=None, tib_min=None, flags=["lights_out_after_onset"])
    excluded = design_of(changed, calendar, LATENCY).nights.filter(night=nights["night"][row])["why_excluded"][0]
    assert excluded == "lights_out_after_onset"


@pytest.mark.parametrize(("median", "minutes", "ratio"), [(40.0, 10.0, None), (22.5, None, 0.8), (11.0, None, None)])
def test_worthwhile_scale_of_latency_follows_the_run_in(median, minutes, ratio):
    """From 25 minutes the scale is minutes, from 20 a ratio, under 20 nothing is worthwhile; the reason is said."""
    nights, calendar = simulated_trial(seed=1, missing=0.0)
    run_in = pl.col("night").is_in(calendar.filter("run_in")["night"].implode())
    scale = design_of(nights.with_columns(sol_min=pl.when(run_in).then(median).otherwise("sol_min")), calendar, LATENCY)
    assert (scale.worthwhile.minutes, scale.worthwhile.ratio) == (minutes, ratio)
    assert "in the run-in" in scale.worthwhile.why


def test_without_a_run_in_the_scale_is_blind_to_the_arms():
    """Without a run-in the pooled nights fix the scale; swapping the arms cannot move it, and the reason says so."""
    nights, calendar = simulated_trial(seed=1, run_in=0, log_ratio=-1.0, median=24.0)
    one = design_of(nights, calendar, LATENCY)
    other = design_of(nights, calendar, LATENCY, arms=ARMS[::-1])
    assert one.worthwhile == other.worthwhile
    assert "want of a run-in" in one.worthwhile.why


def test_guessed_lights_out_only_describe():
    """Latency whose lights-out the device guessed carries no verdict; deep sleep of the same nights does."""
    nights, calendar = simulated_trial(seed=1)
    guessed = nights.with_columns(sol_source=pl.lit("stages"))
    assert "guess" in design_of(guessed, calendar, LATENCY).why_descriptive
    assert design_of(guessed, calendar, DEEP).why_descriptive is None


def test_latency_of_a_summary_field_is_refused():
    """A latency that is nearly always zero is no measurement: refused, with what to do instead."""
    nights, calendar = simulated_trial(seed=1)
    assert "diary" in design_of(nights.with_columns(sol_min=pl.lit(0.0)), calendar, LATENCY).why_not_usable


def test_too_few_nights_make_no_posterior():
    """An arm with too few nights or one period gets a reason and no fit."""
    nights, calendar = simulated_trial(seed=1, blocks=1)
    design = design_of(nights, calendar)
    assert "1 period on magnesium" in design.why_not_usable
    with pytest.raises(FitNotUsableError, match="usable nights"):
        fit([design], seed=1)
    told = estimate(design, design.contrasts[0], None, None, RULES)
    assert told.verdict == "not_usable"
    assert told.why_not_usable == design.why_not_usable


def test_empty_data_are_said_to_be_empty():
    """No recorded night at all is a reason, not a crash; and no outcome at all is an error."""
    nights, calendar = simulated_trial(seed=1)
    for outcome in (DEEP, LATENCY):
        assert design_of(nights.head(0), calendar, outcome).why_not_usable.startswith("0 usable nights")
    with pytest.raises(FitNotUsableError, match="nothing to fit"):
        fit([], seed=1)


def test_mistaken_calls_are_refused():
    """A night twice, an unknown arm, a measure without priors and an impossible value are errors."""
    nights, calendar = simulated_trial(seed=1)
    with pytest.raises(DataError, match="is there 2 times"):
        design_of(pl.concat([nights, nights.head(1)]), calendar)
    with pytest.raises(DataError, match="No night is scheduled on melatonin"):
        design_of(nights, calendar, arms=("melatonin", "placebo"))
    with pytest.raises(DataError, match="compared with itself"):
        design_of(nights, calendar, arms=("magnesium", "magnesium"))
    with pytest.raises(DataError, match="cannot be analysed yet"):
        design_of(nights, calendar, replace(DEEP, measure="awakenings"))
    with pytest.raises(DataError, match="import the nights again"):
        design_of(change(nights, 0, deep_min=-1.0), calendar)


def test_lights_out_written_in_an_open_trial_only_describes():
    """In an open trial the person who wrote lights-out down knew the treatment: numbers, and no verdict."""
    nights, calendar = simulated_trial(seed=2)
    diary = nights.with_columns(sol_source=pl.lit("diary"))
    told = {
        known: build_design(diary, calendar, LATENCY, arms=ARMS, exclude_flags=[], open_label=known).why_descriptive
        for known in (True, False)
    }
    assert "knew what they had taken" in told[True]
    assert told[False] is None
