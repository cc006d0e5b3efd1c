"""The same nights analysed otherwise: every alternative is what its name says."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import xarray as xr
from tests.model.simulated import ARMS, DEEP, LATENCY, RULES, calendar_of, nights_of, simulated_trial

from nof1.errors import FitNotUsableError
from nof1.model.concurrent import concurrent_effect, is_confined, neighbour_weights
from nof1.model.design import build_design
from nof1.model.estimate import estimate
from nof1.model.exact import integrate
from nof1.model.linear import TrialNights, linear_trial, with_prior
from nof1.model.nuts import fit_variants
from nof1.model.sensitivity import (
    ALTERNATIVES,
    exact_alternatives,
    exactly,
    opinions,
    reweighted,
    sampled_alternatives,
    variants,
    with_alternatives,
)
from nof1.model.wash_in import exposure, wash_in

BUILT = {"arms": ARMS, "exclude_flags": ["short"]}


def both(*, flags=None, **truth):
    """The registered design of one simulated trial, and those that the alternatives need."""
    nights, calendar = simulated_trial(**truth)
    if flags is not None:
        nights = nights.with_columns(flags=pl.Series(flags(nights.height)))
    whole = calendar.with_columns(transition=False)
    return build_design(nights, calendar, DEEP, **BUILT), {
        "no_transition": build_design(nights, whole, DEEP, **BUILT),
        "unflagged": build_design(nights, calendar, DEEP, arms=ARMS, exclude_flags=["short", "unwell"]),
    }


@pytest.fixture(scope="module")
def rows():
    """The alternatives of a trial with an effect of 20 minutes, by name."""
    design, rebuilt = both(seed=3, deep_effect=20.0)
    (told,) = exact_alternatives(design, rebuilt, RULES, rest="placebo").values()
    return {row.name: row for row in told}


def test_the_rows_come_in_the_order_of_the_table(rows):
    """Nothing is left out and nothing is chosen: the rows are those of the table that these nights can tell apart, but
    for the slow ones, which nobody asked for."""
    other = {"as_taken", "short_used", "unflagged", "unadjusted", "heavy_tails", "latent_ar"}
    expected = [name for name in ALTERNATIVES if name not in other]
    assert list(rows) == expected
    assert all(row.why_not is None and row.verdict is not None for row in rows.values())


def test_a_prior_moves_the_effect_towards_itself(rows):
    """Sceptical is nearest to none, flat is nearest to the nights alone, and wider; enthusiastic lies between."""
    assert rows["sceptical"].effect.mean < rows["enthusiastic"].effect.mean < rows["flat"].effect.mean + 0.5
    assert rows["sceptical"].effect.sd < rows["flat"].effect.sd


def test_without_period_effects_the_interval_is_narrower(rows):
    """Taking nights for the unit of evidence promises more than the periods can hold."""
    assert rows["no_period_effects"].effect.sd < rows["flat"].effect.sd


def test_an_enthusiast_hopes_for_the_better_side():
    """Where less is better, the enthusiastic prior lies below zero."""
    design, _ = both(seed=3)
    less = replace(design, outcome=replace(design.outcome, better="lower"))
    assert opinions(design)["enthusiastic"].priors["delta"].location == pytest.approx(6.0)
    assert opinions(less)["enthusiastic"].priors["delta"].location == pytest.approx(-6.0)


def test_transition_nights_count_where_they_are_let_in(rows):
    """Without transitions there are more nights, as many as the wash-in model uses."""
    assert rows["no_transition"].nights > rows["flat"].nights
    assert rows["wash_in"].nights == rows["no_transition"].nights


def test_flagged_nights_are_left_out():
    """Nights with any flag are left out in a row of their own; where none has one, there is no such row."""
    flags = lambda count: [["unwell"] if place % 9 == 0 else [] for place in range(count)]  # noqa: E731
    design, rebuilt = both(seed=5, flags=flags)
    (told,) = exact_alternatives(design, rebuilt, RULES, rest="placebo").values()
    (row,) = [one for one in told if one.name == "unflagged"]
    assert 0 < len(design.y) - row.nights < len(design.y) / 6


def test_an_alternative_that_cannot_be_fitted_says_why():
    """An alternative without enough nights keeps its row, with the reason."""
    design, rebuilt = both(seed=5)
    none = replace(rebuilt["unflagged"], nights=design.nights.with_columns(used=pl.lit(value=False)))
    none = replace(none, why_not_usable="0 usable nights")
    (told,) = exact_alternatives(design, {**rebuilt, "unflagged": none}, RULES, rest="placebo").values()
    (row,) = [one for one in told if one.name == "unflagged"]
    assert (row.effect, row.verdict, row.why_not) == (None, None, "0 usable nights")


# wash-in


def test_at_once_is_the_arm_itself():
    """With a time constant near zero every night shows all of its own arm."""
    design, _ = both(seed=1)
    shown = exposure(design, 1e-3, rest="placebo")
    assert shown == pytest.approx(np.eye(2)[design.arm_index], abs=1e-9)


def test_an_effect_builds_up_by_its_time_constant():
    """After n nights on an arm 1 − exp(−n/τ) of its effect shows; missing nights count as nights."""
    calendar = calendar_of(np.random.default_rng(0), blocks=2, period_nights=6, transition=0, run_in=3)
    rng = np.random.default_rng(1)
    nights = nights_of(calendar, np.full(27, 80.0), np.full(27, 9.0), rng=rng, missing=0.4)
    design = build_design(nights, calendar, DEEP, **BUILT)
    shown = exposure(design, 2.0, rest="placebo")[:, 0]
    state, expected = 0.0, []
    for arm, used in design.nights.select("arm", "used").iter_rows():
        state += (float(arm == "magnesium") - state) * (1 - np.exp(-0.5))
        expected += [state] if used else []
    assert shown == pytest.approx(expected)


def test_without_a_reference_the_nights_before_show_no_arm():
    """Two treatments: before the first period neither shows, so the shares do not sum to one at first."""
    design, rebuilt = both(seed=1)
    shown = exposure(rebuilt["no_transition"], 2.0, rest=None)
    assert shown[0].sum() < 0.5
    assert shown[-1].sum() > 0.999
    assert design.arms == ARMS


def test_a_slow_effect_is_recovered_whole():
    """An effect of 60 minutes that builds up over two nights is underestimated with its transitions, not by wash-in."""
    calendar = calendar_of(np.random.default_rng(2), blocks=8, period_nights=7, transition=0)
    rng = np.random.default_rng(3)
    level = np.zeros(calendar.height)
    deep = 80 + 5 * rng.normal(size=calendar.height)
    plain = build_design(nights_of(calendar, deep, deep, rng=rng, missing=0.0), calendar, DEEP, **BUILT)
    every = replace(plain, nights=plain.nights.with_columns(used=pl.lit(value=True)))
    level = exposure(every, 2.0, rest="placebo")[:, 0]
    nights = nights_of(calendar, deep + 60 * level, deep, rng=rng, missing=0.0)
    design = build_design(nights, calendar, replace(DEEP), prior_effect_sd=60.0, **BUILT)
    (at_once,) = integrate([linear_trial(TrialNights.of(design), design.priors)])
    found = wash_in(design, rest="placebo")
    effect = found.asked["magnesium − placebo"]
    assert at_once.effect.mean < 50
    assert abs(effect.mean - 60) < 3 * effect.sd < 12
    assert found.is_learned
    assert found.tau_ci95[0] < 2.0 < found.tau_ci95[1]


def test_without_an_effect_its_speed_is_not_learned():
    """Where nothing builds up the nights cannot tell how fast, and the result says so."""
    design, rebuilt = both(seed=8)
    found = wash_in(rebuilt["no_transition"], rest="placebo")
    assert not found.is_learned
    assert found.tau_median == pytest.approx(1.5, rel=0.4)
    assert design.arms[1] == "placebo"


# concurrent reference


def winter(seed, *, swing, effect=0.0, wobble=0.0):
    """A year: reference all along, the arm in three periods of one winter, and winters `swing` minutes deeper; periods
    differ by `wobble` minutes of SD besides."""
    rng = np.random.default_rng(seed)
    arms = ["placebo"] * 14
    for place in (9, 11, 13):
        arms[place] = "magnesium"
    arms += ["placebo"] * 4
    drawn = calendar_of(rng, blocks=9, period_nights=14, transition=2)
    code = pl.col("period").replace_strict(range(1, 19), arms, default=None)
    calendar = drawn.with_columns(arm=code, block=pl.col("period"))
    period = calendar["period"].fill_null(0).to_numpy()
    cold = np.isin(period, range(9, 16))
    deep = 80 + swing * cold + effect * (calendar["arm"] == "magnesium").fill_null(value=False).to_numpy()
    deep = deep + 12 * rng.normal(size=calendar.height)
    deep = deep + wobble * np.random.default_rng(seed).normal(size=19)[period]
    nights = nights_of(calendar, deep, deep, rng=rng)
    return build_design(nights, calendar, DEEP, **BUILT)


def test_an_arm_of_one_winter_is_not_credited_with_the_winter():
    """The naive difference is large, that to the neighbours near zero; with a true effect it is found."""
    design = winter(4, swing=40.0)
    (contrast,) = design.contrasts
    on_arm = design.arm_index == 0
    assert design.y[on_arm].mean() - design.y[~on_arm].mean() > 20
    found = concurrent_effect(design, contrast)
    assert abs(found.mean) < 2 * found.sd < 14
    real = concurrent_effect(winter(4, swing=40.0, effect=25.0), contrast)
    assert abs(real.mean - 25) < 2 * real.sd < 14


def test_an_arm_of_one_season_is_told_from_one_of_all_seasons():
    """Three periods in one winter are confined, randomised pairs are not."""
    design = winter(4, swing=0.0)
    spread, _ = both(seed=1)
    assert is_confined(design, design.contrasts[0])
    assert not is_confined(spread, spread.contrasts[0])


@pytest.mark.parametrize("order", ["PPPMMM", "PPMM"])
def test_one_arm_after_the_other_is_told_from_nothing_else(order):
    """First the one, then the other: whatever changed in between would pass for the treatment, and nothing is claimed,
    neither by the neighbours nor by a quick look; in turns it is not so."""
    design, contrast = one_after_other(order)
    assert is_confined(design, contrast)
    with pytest.raises(FitNotUsableError, match="one after the other"):
        concurrent_effect(design, contrast)
    assert exactly(design, contrast, RULES).verdict is None
    rows = exact_alternatives(design, {}, RULES, rest="placebo")[contrast.name]
    told = judged(design, contrast, rows, "meaningful_benefit")
    assert (told.verdict, told.best_arm) == ("descriptive_only", None)
    assert {row.verdict for row in told.sensitivity} == {None}
    spread, pair = one_after_other("PMPM")
    assert not is_confined(spread, pair)


def one_after_other(order):
    """Periods of fourteen nights in this order, 25 minutes deeper from the middle of the trial on."""
    rng = np.random.default_rng(5)
    arms = [{"P": "placebo", "M": "magnesium"}[letter] for letter in order]
    drawn = calendar_of(rng, arms=["any"], blocks=len(arms), period_nights=14, transition=2)
    calendar = drawn.with_columns(arm=pl.col("period").replace_strict(range(1, len(arms) + 1), arms, default=None))
    deep = 80 + 12 * rng.normal(size=calendar.height) + 25 * (np.arange(calendar.height) > calendar.height / 2)
    design = build_design(nights_of(calendar, deep, deep, rng=rng), calendar, DEEP, **BUILT)
    return design, design.contrasts[0]


def test_the_neighbours_interval_knows_how_much_periods_differ():
    """Where periods differ by 8 minutes the interval of a winter's arm is wider than where they do not differ."""
    quiet, loud = (winter(4, swing=0.0, wobble=wobble) for wobble in (0.0, 8.0))
    narrow, wide = (concurrent_effect(one, one.contrasts[0]).sd for one in (quiet, loud))
    assert wide > 1.3 * narrow


def test_every_period_is_held_against_its_nearest_neighbours():
    """The weights of each arm sum to one, and a period between two on the reference is held against both alike."""
    design = winter(4, swing=0.0)
    weights = neighbour_weights(design, design.contrasts[0])
    on_arm = np.array([design.arm_index[design.period == place][0] == 0 for place in range(len(weights))])
    assert weights[on_arm].sum() == pytest.approx(1.0)
    assert weights[~on_arm].sum() == pytest.approx(-1.0)
    assert weights[on_arm] == pytest.approx(1 / 3)
    assert np.flatnonzero(weights).tolist() == [8, 9, 10, 11, 12, 13, 14]


def test_without_seasons_the_neighbours_say_what_all_say():
    """In a drawn trial the concurrent contrast is the flat prior's effect, within its own width."""
    design, rebuilt = both(seed=3, deep_effect=20.0)
    (told,) = exact_alternatives(design, rebuilt, RULES, rest="placebo").values()
    rows = {row.name: row.effect for row in told}
    assert abs(rows["concurrent"].mean - rows["flat"].mean) < rows["concurrent"].sd
    assert rows["concurrent"].sd > rows["flat"].sd


# sampled alternatives


@pytest.mark.parametrize("name", ["sceptical", "enthusiastic", "flat"])
def test_draws_weighed_anew_are_those_of_the_other_prior(analysed, name):
    """Deep sleep's draws under another prior have the mean and the SD that exact integration gives that prior."""
    design, tree, _ = analysed(DEEP, LATENCY, seed=1)["deep_min"]
    other = opinions(design)[name]
    (exact,) = integrate([linear_trial(TrialNights.of(other), other.priors)])
    drawn = reweighted(design, other, tree["posterior"].to_dataset())["effect"]
    assert float(drawn.mean()) == pytest.approx(exact.effect.mean, abs=0.15 * exact.effect.sd)
    assert float(drawn.std()) == pytest.approx(exact.effect.sd, rel=0.1)


def test_draws_that_do_not_reach_another_prior_are_not_used(analysed):
    """A prior far away from every draw gives no row of a few draws, but a reason."""
    design, tree, _ = analysed(DEEP, LATENCY, seed=1)["deep_min"]
    far = replace(design, priors=with_prior(design.priors, "delta", location=90.0, scale=1.0))
    assert reweighted(design, far, tree["posterior"].to_dataset()) is None


def test_a_latency_has_its_own_rows(analysed):
    """Of a latency the priors, the period effects and other nights are tried, each with effect and ratio."""
    design, tree, _ = analysed(DEEP, LATENCY, seed=1)["sol_min"]
    designs = variants(design, {"unflagged": replace(design, why_not_usable="no night", nights=design.nights.clear())})
    fitted = fit_variants(designs, width=16, seed=1)
    (told,) = sampled_alternatives(design, tree, designs, fitted, RULES).values()
    rows = {row.name: row for row in told}
    assert list(rows) == ["sceptical", "enthusiastic", "flat", "no_period_effects", "unflagged"]
    assert rows["unflagged"].why_not == "no night"
    assert rows["sceptical"].effect.sd < rows["flat"].effect.sd
    assert rows["enthusiastic"].ratio.mean < rows["flat"].ratio.mean + 0.01
    assert rows["no_period_effects"].ratio.sd < rows["flat"].ratio.sd


def test_a_row_whose_chains_disagree_has_no_numbers(analysed):
    """It says so instead; rows beside it keep theirs."""
    design, tree, _ = analysed(DEEP, LATENCY, seed=1)["sol_min"]
    designs = variants(design, {})
    fitted = fit_variants(designs, width=16, seed=1)
    posterior = fitted["no_period_effects"]["posterior"].to_dataset()
    apart = posterior["effect"] + 9 * posterior["effect"].std() * posterior["chain"]
    fitted["no_period_effects"] = xr.DataTree.from_dict({"posterior": posterior.assign(effect=apart)})
    (told,) = sampled_alternatives(design, tree, designs, fitted, RULES).values()
    rows = {row.name: row for row in told}
    assert rows["no_period_effects"].why_not.startswith("The chains disagree (R-hat")
    assert rows["no_period_effects"].effect is None
    assert rows["sceptical"].effect is not None


# an arm of one season keeps no claim


def judged(design, contrast, rows, verdict):
    """The estimate of a claim, beside its alternatives."""
    claimed = estimate(design, contrast, None, None, RULES)
    claimed = replace(claimed, verdict=verdict, effect=rows[0].effect)
    return with_alternatives(claimed, design, contrast, rows)


def test_a_claim_that_rests_on_a_season_is_taken_back():
    """Benefit, worsening and no difference of an arm of one winter stand only where its neighbours say the same."""
    for swing, effect, verdict in ((40.0, 0.0, "descriptive_only"), (0.0, 40.0, "benefit")):
        design = winter(4, swing=swing, effect=effect)
        (contrast,) = design.contrasts
        rows = exact_alternatives(design, {}, RULES, rest="placebo")[contrast.name]
        told = judged(design, contrast, rows, "benefit")
        assert told.verdict == verdict
        assert ("one part of the trial" in (told.why_descriptive or "")) == (verdict == "descriptive_only")
        assert judged(design, contrast, rows, "not_enough_to_tell").verdict == "not_enough_to_tell"


def test_a_claim_of_a_spread_arm_needs_no_neighbours(rows):
    """In a drawn trial every alternative is told, and none changes the verdict by itself."""
    design, _ = both(seed=3, deep_effect=20.0)
    told = judged(design, design.contrasts[0], list(rows.values()), "benefit")
    assert told.verdict == "benefit"
    assert [row.name for row in told.sensitivity] == list(rows)


def test_numbers_that_only_describe_get_no_verdict_by_the_back_door(rows):
    """Where the registered analysis carries no verdict, no alternative does."""
    design, _ = both(seed=3, deep_effect=20.0)
    told = judged(design, design.contrasts[0], list(rows.values()), "descriptive_only")
    assert {row.verdict for row in told.sensitivity} == {None}
