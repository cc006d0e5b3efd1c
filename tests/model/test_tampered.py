"""Nights that were tampered with, or broke, get a refusal or a warning: never a confident claim."""

import re
from dataclasses import replace

import polars as pl
import pytest
from tests.model.simulated import ARMS, DEEP, LATENCY, RULES, simulated_trial

from nof1.errors import DataError
from nof1.model.design import build_design
from nof1.model.sensitivity import CLAIMS, exactly


def analysed(change, *, outcome=DEEP, **truth):
    """The design and what exact integration says, of a trial whose nights or calendar were changed."""
    nights, calendar = change(*simulated_trial(seed=9, **truth))
    design = build_design(nights, calendar, outcome, arms=ARMS, exclude_flags=[])
    return design, exactly(design, design.contrasts[0], RULES)


def swapped(nights, calendar, periods=(4,)):
    """The arms of some periods exchanged."""
    around = {ARMS[0]: ARMS[1], ARMS[1]: ARMS[0]}
    arm = pl.when(pl.col("period").is_in(periods)).then(pl.col("arm").replace(around)).otherwise("arm")
    return nights, calendar.with_columns(arm=arm)


def test_a_period_with_its_arms_swapped_never_turns_the_answer():
    """One of twelve periods swapped weakens an effect of 30 minutes and widens it; it is never called a worsening."""
    _, true = analysed(lambda *trial: trial, deep_effect=30.0)
    _, told = analysed(swapped, deep_effect=30.0)
    assert told.effect.median < true.effect.median
    assert told.effect.sd > true.effect.sd
    assert told.verdict not in CLAIMS["worse"]


def test_half_of_the_periods_swapped_is_not_enough_to_tell():
    """With the arms of half of the periods exchanged nothing is claimed of an effect of 30 minutes."""
    _, told = analysed(lambda *trial: swapped(*trial, periods=(1, 2, 5, 6, 9, 10)), deep_effect=30.0)
    assert told.verdict == "not_enough_to_tell"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda nights, calendar: (
                nights.filter(pl.col("night").is_in(calendar["night"][30:32].implode())),
                calendar,
            ),
            "2 usable|1 usable|0 usable",
        ),
        (
            lambda nights, calendar: (without(nights, calendar, "placebo"), calendar),
            "0 usable nights in 0 periods on placebo",
        ),
        (
            lambda nights, calendar: (without(nights, calendar, "magnesium"), calendar),
            "0 usable nights in 0 periods on magnesium",
        ),
        (lambda nights, calendar: (nights.with_columns(deep_min=pl.lit(60.0)), calendar), "same deep sleep"),
    ],
    ids=["two nights", "no placebo night", "no magnesium night", "constant"],
)
def test_too_little_or_nothing_that_varies_is_refused(change, said):
    """Two nights, an arm without nights and a constant each give a reason and no number."""
    design, told = analysed(change)
    assert re.search(said, design.why_not_usable)
    assert (told.effect, told.verdict) == (None, None)


def without(nights, calendar, arm):
    """The nights without those on an arm."""
    return nights.filter(~pl.col("night").is_in(calendar.filter(pl.col("arm") == arm)["night"].implode()))


def test_latencies_of_zero_are_no_measurement():
    """A latency that is zero every night is refused as a summary field."""
    nights, calendar = simulated_trial(seed=9)
    design = build_design(nights.with_columns(sol_min=pl.lit(0.0)), calendar, LATENCY, arms=ARMS, exclude_flags=[])
    assert "not a measurement" in design.why_not_usable


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -3.0])
def test_values_that_are_no_minutes_are_refused(value):
    """NaN, infinity and negative minutes never reach the model."""
    nights, calendar = simulated_trial(seed=9)
    broken = nights.with_columns(deep_min=pl.when(pl.int_range(pl.len()) == 5).then(value).otherwise("deep_min"))
    with pytest.raises(DataError, match="not minutes from 0 up"):
        build_design(broken, calendar, DEEP, arms=ARMS, exclude_flags=[])


def test_a_new_firmware_on_every_night_of_one_arm_is_no_benefit():
    """A device that counts 40 minutes more from the one switch of arms on is told as a change, and claims nothing."""

    def change(nights, calendar):
        half = calendar["night"][67]
        arm = (
            pl.when(pl.col("arm").is_null())
            .then(None)
            .otherwise(pl.when(pl.col("night") >= half).then(pl.lit(ARMS[0])).otherwise(pl.lit(ARMS[1])))
        )
        later = nights["night"] >= half
        first = nights.filter(later)["night"][0]
        flags = [["algorithm_changed"] if night == first else [] for night in nights["night"]]
        told = nights.with_columns(
            deep_min=nights["deep_min"] + 40.0 * later, flags=pl.Series(flags, dtype=pl.List(pl.String))
        )
        return told, calendar.with_columns(arm=arm)

    design, told = analysed(change)
    (one,) = design.adjustments
    assert one.key.startswith("device_change_")
    assert told.verdict is None
    assert told.probability.p_better < RULES.benefit
    blind = replace(design, covariates={})
    assert exactly(blind, design.contrasts[0], RULES).effect.median > told.effect.median
