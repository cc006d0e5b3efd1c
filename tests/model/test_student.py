"""Nights with heavy tails: the density, and what a few odd nights do to the effect."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import erfcx, gammaln
from scipy.stats import gamma, t
from tests.model.simulated import ARMS, DEEP, simulated_trial
from tests.model.slow_models import compiled_density, constrained_at, expected_at, prior_at, random_point

from nof1.model import likelihood
from nof1.model.design import build_design
from nof1.model.exact import integrate
from nof1.model.linear import TrialNights, linear_trial
from nof1.model.posterior import gaps
from nof1.model.predictor import Form, settings_of_priors
from nof1.model.student import NU, _rows, compiled_model, fit_heavy_tails, log_density

GAP = np.array([1, 1, 3, 2, 5, 1])
CARRY = np.array([0.0, 1, 1, 1, 1, 1])


def density(residual, **numbers):
    """The log density of every night of a series."""
    before = np.roll(residual, 1) * CARRY
    return log_density(residual, before, carry=CARRY, gap=GAP, xp=np, gammaln=gammaln, **numbers)


@pytest.mark.parametrize("rho", [-0.4, 0.0, 0.5])
@pytest.mark.parametrize("nu", [1.5, 4.0, 30.0])
def test_a_night_given_the_one_before_is_students(rho, nu):
    """Every night is Student-t around ρ^gap of the night before, its scale σ√(1 − ρ^2gap): as SciPy has it."""
    residual = np.array([3.0, -20.0, 55.0, 0.0, 8.0, -90.0])
    phi = CARRY * np.sign(rho) ** GAP * np.abs(rho) ** GAP
    expected = t(nu, loc=phi * np.roll(residual, 1), scale=17.0 * np.sqrt(1 - phi**2)).logpdf(residual)
    assert density(residual, sigma=17.0, rho=rho, nu=nu) == pytest.approx(expected, rel=1e-12)


def test_with_many_degrees_of_freedom_it_is_the_registered_density():
    """As ν grows the density becomes that of the Gaussian model."""
    residual = np.array([3.0, -20.0, 25.0, 0.0, 8.0, -30.0])
    gaussian = likelihood.log_density(
        *(residual, np.roll(residual, 1) * CARRY),
        carry=CARRY,
        gap=GAP,
        censored=0 * GAP,
        sigma=17.0,
        rho=0.3,
        xp=np,
        erfcx=erfcx,
    )
    assert density(residual, sigma=17.0, rho=0.3, nu=1e7) == pytest.approx(gaussian, abs=1e-5)


def test_the_prior_of_the_tails_is_what_it_says():
    """ν has mean 20, and 95 % of it lies between 2.4 and 56."""
    shape, rate = NU
    prior = gamma(shape, scale=1 / rate)
    assert prior.mean() == pytest.approx(20.0)
    assert prior.interval(0.95) == pytest.approx((2.4, 56), rel=0.02)


@pytest.fixture(scope="module")
def odd_nights():
    """A trial with an effect, five of whose nights on placebo were 90 minutes too long; and the same without that."""
    nights, calendar = simulated_trial(seed=12, deep_effect=15.0, sigma=14.0, sigma_period=2.0, missing=0.0)
    plain = build_design(nights, calendar, DEEP, arms=ARMS, exclude_flags=["short"])
    rng = np.random.default_rng(5)
    off = np.zeros(len(plain.y))
    on_placebo = np.flatnonzero(plain.arm_index == 1)
    off[rng.choice(on_placebo, 5, replace=False)] = 90.0
    return replace(plain, y=plain.y + off), plain


def test_a_few_odd_nights_pull_less_than_on_the_gaussian(odd_nights):
    """Five odd nights on placebo take eleven of 18 minutes from the Gaussian effect, and one from the heavy-tailed.

    With the seeds of this test (mean ± SD): undisturbed 18.1 ± 3.3, Gaussian 7.1 ± 5.0, heavy tails 19.3 ± 3.5. Asked
    is a third of the distance, and four fifths of the SD.
    """
    design, plain = odd_nights
    undisturbed, gaussian = (
        integrate([linear_trial(TrialNights.of(one), one.priors)])[0].effect for one in (plain, design)
    )
    heavy = fit_heavy_tails(design, seed=1)
    effect = heavy["effect"].to_numpy()
    assert abs(effect.mean() - undisturbed.mean) < abs(gaussian.mean - undisturbed.mean) / 3
    assert effect.std() < 0.8 * gaussian.sd
    assert float(heavy["nu"].median()) < 5


def test_the_compiled_model_is_the_density_and_the_priors(odd_nights):
    """At any point the compiled log density is that of the nights, by NumPy, and of the priors, by SciPy."""
    design, _ = odd_nights
    form = Form.of(design)
    compiled = compiled_model(form)
    carry = (np.arange(len(design.y)) > 0).astype(float)
    for seed in range(3):
        at = random_point(compiled, seed)
        at["sigma_log__"] += 3.0
        values = constrained_at(at)
        residual = design.y - expected_at(design, values)
        nights = log_density(
            *(residual, np.roll(residual, 1) * carry),
            carry=carry,
            gap=gaps(design),
            xp=np,
            gammaln=gammaln,
            **{name: values[name] for name in ("sigma", "rho", "nu")},
        )
        tails = gamma(NU[0], scale=1 / NU[1]).logpdf(values["nu"]) + np.log(values["nu"])
        expected = nights.sum() + prior_at(design, at) + tails
        found = compiled_density(compiled, settings_of_priors(design), _rows(design, form), at)
        assert found == pytest.approx(expected, rel=1e-9)
