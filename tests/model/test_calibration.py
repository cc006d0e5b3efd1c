"""The evidence about the method is itself right: what it measures is measured as it says."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from tests.cases import Typist

from nof1.model.calibration import (
    ARMS,
    DESIGNS,
    coverage,
    misses,
    newey_west,
    nightly_t,
    oracle,
    paired_t,
    worlds,
)
from nof1.model.ranks import Shares
from nof1.model.simulation import Noise, simulate


@pytest.fixture(scope="module")
def nights():
    """The nights of one trial with an effect of 12 minutes."""
    return simulate(DESIGNS[0], ARMS, Noise(rho=0.3), np.random.default_rng(5)).with_effect(12.0)


def test_the_tests_people_use_are_those_of_scipy(nights):
    """Welch's interval and the paired one are SciPy's."""
    treated, placebo = nights.y[nights.arm == 0], nights.y[nights.arm == 1]
    welch = stats.ttest_ind(treated, placebo, equal_var=False).confidence_interval(0.95)
    assert nightly_t(nights) == pytest.approx((welch.low, welch.high))
    pairs = np.unique(nights.period // 2)
    means = [[nights.y[(nights.period // 2 == pair) & (nights.arm == arm)].mean() for pair in pairs] for arm in (0, 1)]
    paired = stats.ttest_rel(*means).confidence_interval(0.95)
    assert paired_t(nights) == pytest.approx((paired.low, paired.high))


def test_newey_and_west_are_those_of_statsmodels(nights):
    """The third is that of statsmodels, with its lags and the t distribution."""
    import statsmodels.api as sm

    x = np.column_stack([np.ones(len(nights.y)), np.where(nights.arm == 0, 0.5, -0.5), nights.time])
    lags = int(4 * (len(nights.y) / 100) ** (2 / 9))
    fitted = sm.OLS(nights.y, x).fit(cov_type="HAC", cov_kwds={"maxlags": lags}, use_t=True)
    assert newey_west(nights) == pytest.approx(tuple(fitted.conf_int()[1]))


def test_the_likelihood_is_the_dense_normals():
    """On a few data sets the two log likelihoods are the same to 1e-8."""
    assert oracle(trials=4, seed=1) < 1e-8


def test_ignoring_correlation_is_seen_to_cost_coverage():
    """At a correlation of 0.6 the interval of a t-test on nights holds the truth far less often than nof1's."""
    none, ten, _ = coverage(DESIGNS[0], Noise(rho=0.6), trials=60, seed=3)
    assert none.nightly_t < 0.85 < none.covered
    assert (none.effect, ten.effect) == (0.0, 10.0)
    assert none.better + none.worse < 0.2 < ten.better
    assert abs(none.bias) < 2.5
    assert misses(none) == misses(ten) == []


def test_a_method_that_is_wrong_misses_its_promise():
    """Intervals that hold too little, and directions claimed of nothing, are named; a slow effect promises nothing."""
    none, ten, _ = coverage(DESIGNS[1], Noise(), trials=20, seed=3)
    assert "covered 0.700, promised 0.92" in misses(replace(none, covered=0.7))
    assert misses(replace(none, better=0.3)) == ["better 0.300, at most 0.05"]
    assert misses(replace(ten, no_difference=0.4)) == ["no_difference 0.400, at most 0.05"]
    assert misses(replace(none, covered=0.7, noise=Noise(build_up_nights=3.0))) == []


def test_every_world_of_the_issue_is_there():
    """Two designs, three SDs of periods, four correlations, two shares missing, two tails, two speeds."""
    assert len(worlds(every=True)) == 2 * 3 * 4 * 2 * 2 * 2
    assert len(worlds(every=False)) == 2 * 2 * 4 * 2 * 2


@pytest.fixture
def one_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """A calibration of one world, whose missing nights tell whether all worlds were asked for."""
    from nof1.model import calibration

    monkeypatch.setattr(calibration, "worlds", lambda *, every: [(DESIGNS[1], Noise(missing=0.3 * every))])


@pytest.mark.usefixtures("one_world")
def test_the_command_prints_what_it_found(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table to file, or JSON; a promise missed by more than chance ends with its exit code."""
    from nof1.model import calibration

    said = typist.does("calibrate", "--trials", "10")
    assert "4 x 2 x 7 (2)" in said
    assert "Newey-West" in said
    assert "log likelihood" in said
    assert said.rstrip().endswith("they are there to be known.")
    assert "5 ranks and 2 of 3 rows are promised something: every promise is kept." in said
    told = json.loads(typist.does("calibrate", "--trials", "10", "--json", "--all-worlds"))
    assert [cell["noise"]["missing"] for cell in told["cells"]] == [0.3] * 3
    assert [one["inside"] for one in told["ranks"]] == [True] * 5
    monkeypatch.setattr(calibration, "misses", lambda _: ["covered 0.5, promised 0.92"])
    missed = typist("calibrate", "--trials", "10")
    assert missed.exit_code == 69
    assert "missed by more than chance" in missed.stderr
    assert "promises are missed by more than chance" in missed.stdout


@pytest.mark.usefixtures("one_world")
@pytest.mark.parametrize("apart", [0.5, float("nan")])
def test_a_wrong_likelihood_is_a_promise_missed(typist: Typist, monkeypatch: pytest.MonkeyPatch, apart: float) -> None:
    """An engine whose likelihood is not the dense one's, or no number, does not pass."""
    from nof1.model import calibration

    monkeypatch.setattr(calibration, "oracle", lambda **_: apart)
    missed = typist("calibrate", "--trials", "10")
    assert missed.exit_code == 69
    assert f"log likelihood {apart:.1e} apart, at most 1e-08" in missed.stderr


@pytest.mark.usefixtures("one_world")
def test_ranks_that_leave_their_band_are_a_promise_missed(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """Truths that always lie at the end of the posterior end with exit code 69, and the quantity is named."""
    from nof1.model import ranks

    end = Shares("exact", "deep_min", "rho", np.linspace(0.9, 1, 20))
    monkeypatch.setattr(ranks, "exact_ranks", lambda **_: [end])
    missed = typist("calibrate", "--trials", "10")
    assert missed.exit_code == 69
    assert "ranks of rho (deep_min, exact) leave the band" in missed.stderr
    assert "NO" in missed.stdout


@pytest.mark.usefixtures("one_world")
def test_sampled_trials_are_ranked_where_they_are_asked_for(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--sampled` samples so many trials of each model, and their ranks stand in the table; a few are refused."""
    from nof1.model import sampled_calibration

    def uniform(kind, *, trials, seed, progress):
        return [Shares("NUTS", kind.name, "effect", np.arange(0.5, trials) / trials)]

    monkeypatch.setattr(sampled_calibration, "sampled_ranks", uniform)
    told = json.loads(typist.does("calibrate", "--trials", "10", "--sampled", "12", "--json"))
    sampled = [one for one in told["ranks"] if one["engine"] == "NUTS"]
    assert [(one["outcome"], one["trials"]) for one in sampled] == [
        ("deep_min", 12),
        ("sol_min", 12),
        ("sol_min, zeros", 12),
    ]
    assert typist("calibrate", "--trials", "10", "--sampled", "3").exit_code == 2
