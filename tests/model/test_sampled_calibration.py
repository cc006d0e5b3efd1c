"""Trials drawn for the sampled model reach it as they were drawn, and their truth is ranked among its draws."""

from itertools import islice

import numpy as np
import pytest

from nof1.model.calibration import DESIGNS
from nof1.model.design import EXACT, LEFT, RIGHT
from nof1.model.priors import priors_for
from nof1.model.ranks import from_priors
from nof1.model.sampled_calibration import (
    GRAIN,
    KINDS,
    STEP,
    TIME_IN_BED,
    Drawn,
    _analysable,
    _effect,
    design_of,
    sampled_ranks,
    true_log_likelihood,
)

DEEP, LATENCY, ZEROS = KINDS
by_name = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@pytest.mark.parametrize("kind", [DEEP, LATENCY], ids=lambda kind: kind.name)
def test_the_design_has_the_nights_that_were_drawn(kind):
    """Arms, times, weekdays, periods and gaps of every used night are those of the simulation, as are the priors."""
    outcome = kind.outcome
    one = from_priors(DESIGNS[1], priors_for(outcome.measure, baseline=None), np.random.default_rng(6))
    nights = one.nights
    design = design_of(outcome, DESIGNS[1], Drawn(one, None, np.zeros(len(nights.y), dtype=bool)))
    assert design.arm_index.tolist() == nights.arm.tolist()
    assert design.time == pytest.approx(nights.time)
    assert design.weekday.tolist() == nights.weekday.tolist()
    assert [design.periods[place] - 1 for place in design.period] == nights.period.tolist()
    assert np.cumsum(design.gap).tolist() == (nights.day - nights.day[0]).tolist()
    assert design.y[design.censored == EXACT] == pytest.approx(nights.y[design.censored == EXACT])
    assert dict(design.priors) == dict(priors_for(outcome.measure, baseline=None))
    assert design.why_descriptive is None


def test_latencies_are_only_known_up_to_the_grain_and_the_time_in_bed():
    """Some nights of a latency are at most a minute, or half a step, some longer than the time in bed."""
    kinds = []
    for one, design in islice(_analysable(LATENCY, DESIGNS[1], from_priors, 1), 40):
        minutes, step = np.exp(one.trial.nights.y), design.width[0]
        least = step / 2 or 1.0
        assert (design.censored == np.select([minutes <= least, minutes >= TIME_IN_BED], [LEFT, RIGHT], EXACT)).all()
        exact = design.censored == EXACT
        assert (np.abs(np.exp(design.y) - minutes)[exact] <= step / 2 + 1e-9).all()
        kinds += [(float(step), int(kind)) for kind in design.censored]
    assert set(kinds) == {(step, kind) for step in (0.0, STEP) for kind in (LEFT, EXACT, RIGHT)}


def test_trials_with_a_night_of_less_than_nothing_are_left_out():
    """No trial that is analysed has negative minutes of deep sleep, although the priors draw some."""
    priors = priors_for("deep_min", baseline=None)
    lowest = [from_priors(DESIGNS[1], priors, np.random.default_rng([1, n])).nights.y.min() for n in range(60)]
    kept = [one.trial.nights.y.min() for one, _ in islice(_analysable(DEEP, DESIGNS[1], from_priors, 1), 30)]
    assert min(lowest) < 0 <= min(kept)
    assert kept == [low for low in lowest if low >= 0][:30]


def test_nights_without_latency_are_those_that_were_drawn():
    """Every trial has the model of its own, zeros where they were drawn, and no other night at the grain."""
    shares = []
    for one, design in islice(_analysable(ZEROS, DESIGNS[1], from_priors, 1), 40):
        assert design.has_hurdle
        assert ((design.censored == LEFT) == one.zero).all()
        assert (np.exp(design.y[~one.zero]) > GRAIN).all()
        shares.append(one.zero.mean())
    assert 0.15 < np.mean(shares) < 0.45


def test_the_effect_is_that_of_all_nights():
    """Half the nights without latency on the compared arm halve its average: log ½ more than the others' own ratio."""
    one = from_priors(DESIGNS[1], priors_for("sol_min", baseline=None), np.random.default_rng(6))
    drawn = Drawn(one, np.array([0.0, -np.inf]), np.zeros(len(one.own), dtype=bool))
    assert _effect(drawn) == pytest.approx(one.truth["delta"] + np.log(0.5))


@by_name
def test_the_likelihood_at_the_truth_is_that_of_the_model(kind):
    """It is the sum over nights of what the model says of each, rounded and censored ones too."""
    from scipy.special import erfcx

    from nof1.model.hurdle import with_zeros
    from nof1.model.likelihood import log_density
    from nof1.model.posterior import carries, gaps, reaches

    for drawn, design in islice(_analysable(kind, DESIGNS[1], from_priors, 2), 10):
        one = drawn.trial
        residual = design.y - (one.nights.y - one.own)
        terms = log_density(
            residual,
            np.roll(residual, 1) * carries(design),
            carry=carries(design),
            gap=gaps(design),
            censored=design.censored,
            sigma=one.truth["sigma"],
            rho=one.truth["rho"],
            below=reaches(design)[0],
            above=reaches(design)[1],
            xp=np,
            erfcx=erfcx,
        )
        if drawn.log_odds is not None:
            terms = with_zeros(design, terms, drawn.log_odds)
        assert true_log_likelihood(drawn, design) == pytest.approx(terms.sum())


def test_every_model_is_ranked():
    """Each quantity has a share between 0 and 1 for every trial, a latency none of a correlation; a seed repeats it."""
    deep, again = (sampled_ranks(DEEP, trials=trials, seed=3) for trials in (2, 1))
    latency = sampled_ranks(LATENCY, trials=2, seed=3)
    assert [one.quantity for one in deep] == ["effect", "rho", "sigma", "sigma_period", "log likelihood"]
    assert [one.quantity for one in latency] == ["effect", "sigma", "sigma_period", "log likelihood"]
    zeros = sampled_ranks(ZEROS, trials=2, seed=3)
    of_latency = [one.quantity for one in latency]
    assert [one.quantity for one in zeros if "zeros" not in one.quantity] == of_latency
    assert len(zeros) == len(of_latency) + 2
    found = deep + latency + zeros
    assert {(one.engine, one.outcome) for one in found} == {("NUTS", kind.name) for kind in KINDS}
    assert all(len(one.below) == 2 and (one.below > 0).all() and (one.below < 1).all() for one in found)
    assert [one.below[0] for one in deep] == [one.below[0] for one in again]
