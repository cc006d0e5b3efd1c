"""What a person's own nights tell of the noise."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from tests.model.simulated import FIRST, ar1

from nof1.errors import DataError
from nof1.model.own_noise import own_noise


def usual_nights(count, *, sigma=15.0, rho=0.3, trend=0.0, seed=1):
    """Nights of a person without any treatment, one in ten not measured."""
    rng = np.random.default_rng(seed)
    values = 90 + trend * np.linspace(-0.5, 0.5, count) + sigma * ar1(rng, count, rho)
    dates = [FIRST + timedelta(days=day) for day in range(count)]
    measured = [float(value) if rng.random() > 0.1 else None for value in values]
    return pl.DataFrame({"night": dates, "deep_min": measured, "tst_min": measured})


def test_many_nights_tell_the_noise():
    """Four hundred nights each of six people tell SD and correlation as they are, and five intervals of six hold it."""
    told = [own_noise(usual_nights(400, seed=seed), "deep_min") for seed in range(1, 7)]
    assert np.mean([one.sigma for one in told]) == pytest.approx(15.0, rel=0.05)
    assert np.mean([one.rho for one in told]) == pytest.approx(0.3, abs=0.06)
    assert sum(one.sigma_ci95[0] < 15.0 < one.sigma_ci95[1] for one in told) >= 5
    assert max(one.rho_sd for one in told) < 0.08


def test_a_drift_is_not_noise():
    """A trend of forty minutes is taken out, as the analysis of the trial will."""
    drifting = own_noise(usual_nights(120, trend=40.0), "deep_min")
    steady = own_noise(usual_nights(120), "deep_min")
    assert drifting.sigma == pytest.approx(steady.sigma, rel=0.1)


def test_few_nights_promise_little():
    """The noise that is drawn for a plan varies with what is known of it: from eight nights more than from eighty."""
    few, many = (
        np.std([noise.sigma for noise in own_noise(usual_nights(count), "deep_min").draw(200, 1)]) for count in (9, 90)
    )
    assert few > 2 * many


def test_what_is_drawn_is_what_is_known():
    """Drawn noise has the posterior's mean SD and correlation, and the same seed draws the same."""
    told = own_noise(usual_nights(60), "deep_min")
    drawn = told.draw(2_000, 3)
    assert np.mean([noise.sigma for noise in drawn]) == pytest.approx(told.sigma, rel=0.02)
    assert np.mean([noise.rho for noise in drawn]) == pytest.approx(told.rho, abs=0.02)
    assert np.std([noise.rho for noise in drawn]) == pytest.approx(told.rho_sd, rel=0.1)
    assert told.draw(2_000, 3) == drawn
    assert {noise.sigma_period for noise in drawn} == {told.priors["sigma_period"].scale}


def test_another_measure_gets_its_priors_from_the_same_nights():
    """Total sleep has no priors of its own: their scale comes from the nights before the trial."""
    told = own_noise(usual_nights(60), "tst_min", effect_sd=12.0)
    assert told.sigma == pytest.approx(own_noise(usual_nights(60), "deep_min").sigma, rel=0.1)
    assert told.priors["delta"].scale == 12.0
    assert "before the trial" in told.priors["sigma"].source


def test_too_few_nights_and_nights_that_are_all_alike_are_refused():
    """Six nights tell no SD, nor do nights of one value."""
    alike = usual_nights(30).with_columns(deep_min=pl.lit(80.0))
    for nights in (usual_nights(30).drop_nulls().head(6), alike):
        with pytest.raises(DataError, match="--noise default"):
            own_noise(nights, "deep_min")


def test_of_a_latency_the_noise_of_its_logarithm_is_told():
    """Nights that vary by a factor e^0.6 around 20 minutes tell 0.6, independent nights, and a median of 20."""
    rng = np.random.default_rng(4)
    dates = [FIRST + timedelta(days=day) for day in range(300)]
    told = own_noise(pl.DataFrame({"night": dates, "sol_min": 20 * np.exp(0.6 * rng.normal(size=300))}), "sol_min")
    assert told.sigma == pytest.approx(0.6, rel=0.1)
    assert told.rho == 0.0
    assert told.median == pytest.approx(20, rel=0.1)
    assert {noise.rho for noise in told.draw(5, 1)} == {0.0}


def test_a_latency_of_nothing_counts_as_a_minute():
    """Zeros have no logarithm: they count as one minute, and no night is lost."""
    dates = [FIRST + timedelta(days=day) for day in range(20)]
    told = own_noise(pl.DataFrame({"night": dates, "sol_min": [0.0, 8.0, 15.0, 20.0, 30.0] * 4}), "sol_min")
    assert told.nights == 20
    assert 0.5 < told.sigma < 2.0
