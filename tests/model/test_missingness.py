"""Whether nights go missing because of the arm: the posterior, and what it is of."""

import json
from datetime import timedelta
from math import exp

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm
from tests.model.simulated import ARMS, DEEP, simulated_trial

from nof1.model import missingness
from nof1.model.design import build_design
from nof1.model.missing import nights_by_arm
from nof1.model.missingness import missing_by_arm, weighted_draws
from nof1.trial.protocol import Contrast


def laid_out(seed, *, lost=(), arms=ARMS, **truth):
    """A simulated trial without the nights of these dates."""
    nights, calendar = simulated_trial(seed=seed, arms=arms, **{"missing": 0.0, **truth})
    kept = nights.filter(~pl.col("night").is_in(list(lost)))
    return build_design(kept, calendar, DEEP, arms=arms, exclude_flags=[]), calendar


def due(calendar, arm):
    """The nights of an arm after its transition nights."""
    return calendar.filter(pl.col("arm") == arm, ~pl.col("transition"))["night"].to_list()


def told(design, answers=None, contrast=None):
    """The account of the first contrast."""
    return missing_by_arm(design, contrast or design.contrasts[0], answers, seed=3)


@pytest.mark.parametrize(("on_one", "on_other"), [((3, 42), (9, 42)), ((1, 20), (0, 20)), ((30, 42), (2, 42))])
def test_the_draws_are_the_posterior_that_a_grid_gives(on_one, on_other):
    """With two effects every density can be summed: mean, SD, both tails and P(> 0) of the arm agree."""
    arm = np.repeat([0.5, -0.5], [on_one[1], on_other[1]])
    happened = np.concatenate([np.arange(size) < count for count, size in (on_one, on_other)])
    columns, scale = np.column_stack([arm, np.ones(len(arm))]), np.array([1.0, 1.5])
    effect, level = np.linspace(-5, 5, 401), np.linspace(-8, 4, 301)
    logit = effect[:, None, None] * np.array([0.5, -0.5]) + level[:, None]
    counts, sizes = np.array([on_one[0], on_other[0]]), np.array([on_one[1], on_other[1]])
    log_density = (counts * logit - sizes * np.logaddexp(0, logit)).sum(axis=-1)
    log_density += norm(0, 1.0).logpdf(effect)[:, None] + norm(0, 1.5).logpdf(level)
    share = np.exp(log_density - log_density.max()).sum(axis=1)
    share /= share.sum()
    draws, weights, pareto_k = weighted_draws(columns, happened, scale, seed=1)
    mean = weights @ draws[:, 0]
    sd = np.sqrt(weights @ (draws[:, 0] - mean) ** 2)
    assert mean == pytest.approx(share @ effect, abs=0.03 * sd)
    assert sd == pytest.approx(np.sqrt(share @ (effect - share @ effect) ** 2), rel=0.03)
    assert weights[draws[:, 0] > 0].sum() == pytest.approx(share[effect > 0].sum() + share[200] / 2, abs=0.012)
    low, median, high = missingness._quantiles(draws[:, 0], weights)
    expected = np.interp([0.025, 0.5, 0.975], np.cumsum(share) - share / 2, effect)
    assert (low, median, high) == pytest.approx(expected, abs=0.06 * sd)
    assert pareto_k < 0.5


def test_the_whole_model_is_what_a_random_walk_finds():
    """All nine effects by another method, 400 walks of Metropolis: mean and SD of each."""
    rng = np.random.default_rng(8)
    _, calendar = laid_out(1)
    design, _ = laid_out(1, lost=[*due(calendar, ARMS[0])[:9], *due(calendar, ARMS[1])[:3]])
    contrast = design.contrasts[0]
    nights = missingness._meant(design, contrast)
    columns = missingness._always(nights, contrast)
    missing, scale = ~nights["used"].to_numpy(), np.array([1.0, 1.5, 2.0, *[0.5] * 6])
    draws, weights, _ = weighted_draws(columns, missing, scale, seed=2)
    mean = weights @ draws
    sd = np.sqrt(weights @ (draws - mean) ** 2)

    def height(effects):
        p = 1 / (1 + np.exp(-effects @ columns.T))
        return np.log(np.where(missing, p, 1 - p)).sum(axis=1) - 0.5 * (effects**2 / scale**2).sum(axis=1)

    at, kept = np.zeros((400, 9)), []
    here = height(at)
    for step in range(700):
        to = at + 0.8 * sd * rng.normal(size=at.shape)
        there = height(to)
        moves = np.log(rng.random(400)) < there - here
        at, here = np.where(moves[:, None], to, at), np.where(moves, there, here)
        if step >= 150:
            kept.append(at)
    walked = np.concatenate(kept)
    assert (walked.mean(axis=0) - mean) / sd == pytest.approx(np.zeros(9), abs=0.06)
    assert walked.std(axis=0) == pytest.approx(sd, rel=0.05)


@pytest.mark.parametrize(("arm", "flagged"), [(ARMS[0], "more"), (ARMS[1], "fewer")])
def test_nights_lost_on_one_arm_alone_are_flagged(arm, flagged):
    """Ten of 42 nights, every fourth, on one arm and none on the other: told with the right direction."""
    _, calendar = laid_out(1)
    design, _ = laid_out(1, lost=due(calendar, arm)[::4][:10])
    found = told(design)
    assert (found.nights, found.missing, found.flagged) == (84, 10, flagged)
    assert found.p_more == pytest.approx(1.0 if flagged == "more" else 0.0, abs=0.02)
    low, high = found.log_odds_ratio.ci95
    assert low < found.log_odds_ratio.median < high
    assert (low > 0) == (flagged == "more")
    assert (high < 0) == (flagged == "fewer")


def test_ten_nights_in_a_row_are_not_ten_witnesses():
    """The same number lost on the same arm, but all at once: that may be one holiday, and is not flagged."""
    _, calendar = laid_out(1, period_nights=14)
    apart, _ = laid_out(1, period_nights=14, lost=due(calendar, ARMS[0])[::7][:9])
    at_once, _ = laid_out(1, period_nights=14, lost=due(calendar, ARMS[0])[11:20])
    assert told(apart).flagged == "more"
    assert told(at_once).missing == told(apart).missing == 9
    assert told(at_once).flagged is None


def test_the_night_before_is_that_of_the_calendar():
    """Of the first night after the transition nights the last of them counts, by whether it was recorded."""
    _, calendar = laid_out(1)
    aside = calendar.filter("transition")["night"].to_list()
    design, _ = laid_out(1, lost=[aside[2], due(calendar, ARMS[0])[3]])
    meant = missingness._meant(design, design.contrasts[0])
    after = meant.filter("after_missing")["night"].to_list()
    assert sorted(after) == sorted(night + timedelta(days=1) for night in (aside[2], due(calendar, ARMS[0])[3]))


def test_as_many_lost_on_either_arm_are_no_sign():
    """Five and five: about as likely one way as the other, and nothing is flagged; the missing are counted."""
    _, calendar = laid_out(1)
    design, _ = laid_out(1, lost=[*due(calendar, ARMS[0])[2::9], *due(calendar, ARMS[1])[2::9]])
    found, by_arm = told(design), nights_by_arm(design, design.contrasts[0])
    assert found.p_more == pytest.approx(0.5, abs=0.12)
    assert found.flagged is None
    assert found.missing == sum(one.excluded.get("missing", 0) for one in by_arm.values()) == 10
    assert found.pareto_k < 0.5


def test_a_contrast_turned_round_has_the_odds_turned_round():
    """Arm and reference exchanged: p becomes 1 − p, and the log odds change their sign."""
    _, calendar = laid_out(1)
    design, _ = laid_out(1, lost=due(calendar, ARMS[0])[::6])
    one = told(design)
    other = told(design, contrast=Contrast(arm=ARMS[1], reference=ARMS[0]))
    assert other.p_more == pytest.approx(1 - one.p_more, abs=0.015)
    assert other.log_odds_ratio.median == pytest.approx(-one.log_odds_ratio.median, abs=0.05)


def test_of_three_arms_only_the_nights_of_two_count():
    """Nights lost on the third arm are not of this contrast."""
    arms = ("citrate", "oxide", "placebo")
    _, calendar = laid_out(2, arms=arms)
    design, _ = laid_out(2, arms=arms, lost=[*due(calendar, "oxide")[:20], due(calendar, "citrate")[5]])
    found = told(design, contrast=Contrast(arm="citrate", reference="placebo"))
    assert (found.nights, found.missing) == (84, 1)
    assert told(design, contrast=Contrast(arm="oxide", reference="citrate")).flagged == "more"


def test_the_transition_nights_are_not_missing():
    """What the protocol sets aside counts neither as missing nor as used; nor does a night before the first period."""
    _, calendar = laid_out(1)
    aside = calendar.filter(pl.col("transition") | pl.col("run_in"))["night"].to_list()
    design, _ = laid_out(1, lost=aside)
    found = told(design)
    assert (found.nights, found.missing, found.p_more) == (84, 0, None)
    assert found.why_not.startswith("No night is missing")


def test_what_the_diary_knows_of_every_night_is_allowed_for():
    """Nights of travel are lost, most of them on the arm: with travel known the arm has little to do with it."""
    _, calendar = laid_out(1)
    away = [*due(calendar, ARMS[0])[::3], *due(calendar, ARMS[1])[::12]]
    design, _ = laid_out(1, lost=away[1:])
    every = calendar.select("night", travel=pl.col("night").is_in(away))
    plain, allowed = told(design), told(design, every)
    assert (plain.adjusted_for, allowed.adjusted_for) == ((), ("travel",))
    assert plain.flagged == "more"
    assert allowed.flagged is None
    assert abs(allowed.log_odds_ratio.median) < plain.log_odds_ratio.median
    assert [prior.name for prior in allowed.priors] == ["arm", "intercept", "night_before", "weekday", "travel"]


def test_covariates_that_are_not_known_of_every_night_are_left_out_with_a_reason():
    """One night without an answer, an answer in words, the same answer throughout: none is allowed for."""
    _, calendar = laid_out(1)
    design, _ = laid_out(1, lost=due(calendar, ARMS[0])[:6])
    last = due(calendar, ARMS[1])[-1]
    answers = calendar.select(
        "night",
        alcohol=pl.when(pl.col("night") != last).then(pl.col("night").dt.day().cast(pl.Float64)),
        mood=pl.lit("well"),
        always=pl.lit(value=True),
    )
    found = told(design, answers)
    assert found.adjusted_for == ()
    assert found.not_adjusted_for == {
        "alcohol": "not known for 1 of 84 nights",
        "mood": "answered in words",
        "always": "the same every night",
    }
    assert found.p_more == told(design).p_more


def test_draws_that_do_not_stand_for_the_posterior_are_not_told(monkeypatch):
    """Where Pareto k is too large there is a reason and no number."""
    _, calendar = laid_out(1)
    design, _ = laid_out(1, lost=due(calendar, ARMS[0])[:6])
    monkeypatch.setattr(missingness, "MAX_PARETO_K", -1.0)
    found = told(design)
    assert (found.log_odds_ratio, found.p_more, found.flagged) == (None, None, None)
    assert "Pareto" in found.why_not


def test_the_account_is_plain_json_with_its_priors_and_their_sources():
    """Every key, lists for tuples, and of each prior its numbers and where they come from."""
    _, calendar = laid_out(1)
    design, _ = laid_out(1, lost=due(calendar, ARMS[0])[:6])
    payload = told(design, calendar.select("night", day=pl.col("night").dt.day())).to_payload()
    assert json.loads(json.dumps(payload)) == payload
    assert [(one["name"], one["distribution"]) for one in payload["priors"]] == [
        ("arm", "Normal(0, 1)"),
        ("intercept", "Normal(0, 1.5)"),
        ("night_before", "Normal(0, 2)"),
        ("weekday", "ZeroSumNormal(0, 0.5)"),
        ("day", "Normal(0, 0.8)"),
    ]
    assert all(one["source"] for one in payload["priors"])
    assert exp(payload["log_odds_ratio"]["median"]) > 1


def test_the_search_for_the_peak_arrives_however_few_or_many_are_missing():
    """One of 200, all but one, and an arm that loses every night: the slope at the peak is nothing."""
    arm = np.tile([0.5, -0.5], 100)
    columns, scale = np.column_stack([arm, np.ones(200)]), np.array([1.0, 1.5])
    for happened in (np.arange(200) == 7, np.arange(200) != 7, arm > 0):
        peak, _ = missingness._peak(columns, happened, scale)
        p = 1 / (1 + np.exp(-columns @ peak))
        assert columns.T @ (happened - p) - peak / scale**2 == pytest.approx([0, 0], abs=1e-8)
