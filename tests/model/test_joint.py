"""Deep sleep and latency in one model: its density, the correlation, and how likely both are better."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import erfcx
from scipy.stats import beta, multivariate_normal, norm
from tests.model.simulated import ARMS, DEEP, LATENCY, ar1, calendar_of, nights_of
from tests.model.slow_models import compiled_density, constrained_at, expected_at, prior_at, random_point

from nof1.model import joint as joint_model
from nof1.model.design import build_design
from nof1.model.exact import integrate
from nof1.model.joint import DEEP as OF_DEEP
from nof1.model.joint import ETA, joint_account, log_density_of_both
from nof1.model.joint import LATENCY as OF_LATENCY
from nof1.model.linear import TrialNights, linear_trial
from nof1.model.predictor import Form, settings_of_priors

GAP = np.array([1, 1, 3, 2, 1, 4])
CARRY = np.array([0.0, 1, 1, 1, 1, 1])


def pair_of(seed, *, correlation, deep_effect=15.0, log_ratio=-0.25, rho=0.3, blocks=8):
    """Both designs of one simulated trial: what is new in a night's deep sleep goes with its latency."""
    rng = np.random.default_rng(seed)
    calendar = calendar_of(rng, blocks=blocks)
    half = calendar["arm"].replace_strict({ARMS[0]: 0.5, ARMS[1]: -0.5}, default=0.0).to_numpy()
    deep = ar1(rng, len(half), rho)
    new = np.concatenate([deep[:1], (deep[1:] - rho * deep[:-1]) / np.sqrt(1 - rho**2)])
    own = rng.normal(size=len(half))
    latency = 30 * np.exp(log_ratio * half + 0.6 * (correlation * new + np.sqrt(1 - correlation**2) * own))
    nights = nights_of(calendar, 85 + deep_effect * half + 19 * deep, latency, rng=rng)
    return tuple(build_design(nights, calendar, one, arms=ARMS, exclude_flags=[]) for one in (DEEP, LATENCY))


@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.5])
@pytest.mark.parametrize("r", [-0.7, 0.0, 0.4])
def test_all_nights_together_are_one_multivariate_normal(rho, r):
    """Deep sleep's AR(1) times latency given what is new in it equals the dense normal of both, by SciPy.

    Its covariance is built without the factors: deep sleep's is σ_d² ρ^days, and latency's with it comes from the
    linear map that turns a series into what is new in it.
    """
    rng = np.random.default_rng(4)
    size, sigma_deep, sigma_latency = len(GAP), 17.0, 0.6
    deep, latency = rng.normal(0, 17, size), rng.normal(0, 0.6, size)
    days = np.cumsum(GAP)
    series = sigma_deep**2 * np.power(float(rho), np.abs(days[:, None] - days))
    new_of = np.linalg.inv(np.linalg.cholesky(series))  # the first night, then each given all before it
    both = r * sigma_latency * series @ new_of.T
    dense = np.block([[series, both], [both.T, sigma_latency**2 * np.eye(size)]])
    told = log_density_of_both(
        (deep, np.roll(deep, 1) * CARRY),
        latency,
        has=(np.ones(size), np.ones(size)),
        carry=CARRY,
        gap=GAP,
        censored=0.0 * CARRY,
        xp=np,
        erfcx=erfcx,
        sigmas=(sigma_deep, sigma_latency),
        rho=rho,
        correlation=r,
    )
    expected = multivariate_normal(np.zeros(2 * size), dense).logpdf(np.concatenate([deep, latency]))
    assert told.sum() == pytest.approx(expected, abs=1e-9)


def one_night(*, has, censored=0.0, below=0.0, above=0.0, r=0.6):
    """A night of which deep sleep is 25 minutes and log latency 0.4 above expectation, σ 19 and 0.6."""
    one = np.ones(1)
    told = log_density_of_both(
        (25.0 * one, 0.0 * one),
        0.4 * one,
        has=(has[0] * one, has[1] * one),
        carry=0.0 * one,
        gap=np.ones(1, dtype=int),
        censored=censored * one,
        xp=np,
        erfcx=erfcx,
        sigmas=(19.0, 0.6),
        rho=0.3,
        correlation=r,
        below=below * one,
        above=above * one,
    )
    return float(told[0])


def test_a_night_with_one_of_the_two_tells_what_it_tells_alone():
    """Where only one is used its density is its own, whatever the correlation."""
    assert one_night(has=(1.0, 0.0)) == pytest.approx(norm(0, 19).logpdf(25))
    assert one_night(has=(0.0, 1.0)) == pytest.approx(norm(0, 0.6).logpdf(0.4))


def test_a_censored_latency_has_its_mass_given_deep_sleep():
    """Bounds and intervals are those of latency's normal given deep sleep: mean r σ_l w, SD σ_l √(1 − r²)."""
    given = norm(0.6 * 0.6 * 25 / 19, 0.6 * 0.8)
    deep = norm(0, 19).logpdf(25)
    assert one_night(has=(1, 1)) == pytest.approx(deep + given.logpdf(0.4))
    assert one_night(has=(1, 1), censored=-1.0) == pytest.approx(deep + given.logcdf(0.4))
    assert one_night(has=(1, 1), censored=1.0) == pytest.approx(deep + given.logsf(0.4))
    mass = np.log(given.cdf(0.6) - given.cdf(0.1))
    assert one_night(has=(1, 1), below=0.3, above=0.2) == pytest.approx(deep + mass)


@pytest.fixture(scope="module")
def fitted():
    """A trial whose nights of more deep sleep begin sooner, r = −0.6: both designs, and what the joint model tells."""
    designs = pair_of(2, correlation=-0.6, deep_effect=5.0, log_ratio=-0.1)
    return designs, joint_account(*designs, seed=3)


def test_a_planted_correlation_is_recovered(fitted):
    """r = −0.6 lies within the 95 % interval, which is far from 0; every night that is used twice is counted."""
    (deep, latency), told = fitted
    low, high = told.correlation.ci95
    assert low < -0.6 < high < -0.35
    used = set(deep.nights.filter("used")["night"]) & set(latency.nights.filter("used")["night"])
    assert told.nights_both == len(used) > 90


def test_both_is_no_likelier_than_each_and_no_less_than_it_must(fitted):
    """P(both) lies between the Fréchet bounds of the two; as the nights go together, above what independence would be.

    Neither is certain, so that the bounds leave room.
    """
    _, told = fitted
    (one,) = told.contrasts
    each = [one.p_each[name] for name in told.measures]
    assert max(0.0, sum(each) - 1) <= one.p_both <= min(each)
    assert max(each) < 0.99
    assert one.p_both > each[0] * each[1] + 0.01


def test_the_compiled_model_is_the_density_and_the_priors(fitted):
    """At any point the compiled log density is that of the nights, by NumPy, and of the priors, by SciPy."""
    deep, latency = fitted[0]
    forms = Form.of(deep, latency, prefix=OF_DEEP), Form.of(latency, deep, prefix=OF_LATENCY)
    compiled = joint_model.compiled_model(*forms)
    vector = np.concatenate([settings_of_priors(deep), settings_of_priors(latency)])
    used = [design.nights["used"].to_numpy() for design in (deep, latency)]
    for seed in range(3):
        at = random_point(compiled, seed)
        told = sum(prior_at(one, at, form.prefix) for one, form in zip((deep, latency), forms, strict=True))
        half = 1 / (1 + np.exp(-at["half_logodds__"]))
        told += beta(ETA, ETA).logpdf(half) + np.log(half * (1 - half))
        values = [constrained_at(at, form.prefix) for form in forms]
        every = np.zeros((2, deep.nights.height))
        for place, design in enumerate((deep, latency)):
            every[place, used[place]] = design.y - expected_at(design, values[place])
        before, gap, carry = np.zeros((3, deep.nights.height))
        at_deep = np.flatnonzero(used[0])
        before[at_deep[1:]], gap[:], carry[at_deep[1:]] = every[0, at_deep[:-1]], 1, 1
        gap[at_deep[1:]] = np.diff(at_deep)
        nights = log_density_of_both(
            (every[0], before),
            every[1],
            has=(used[0].astype(float), used[1].astype(float)),
            carry=carry,
            gap=gap.astype(int),
            censored=0.0 * gap,
            xp=np,
            erfcx=erfcx,
            sigmas=(values[0]["sigma"], values[1]["sigma"]),
            rho=values[0]["rho"],
            correlation=2 * half - 1,
        )
        assert (latency.censored == 0).all()
        found = compiled_density(compiled, vector, joint_model._rows(deep, latency, forms), at)
        assert found == pytest.approx(told + nights.sum(), rel=1e-9)


def test_what_describes_alone_describes_together(fitted):
    """Where one outcome carries no verdict the account says why; where a check failed it has its reason, no number."""
    deep, latency = fitted[0]
    guessed = replace(latency, why_descriptive="The device guessed.")
    told = joint_model.not_joint(deep, guessed, "The chains disagree.")
    assert (told.why_descriptive, told.why_not) == ("The device guessed.", "The chains disagree.")
    assert (told.correlation, told.contrasts) == (None, ())
    payload = told.to_payload()
    assert payload["measures"] == ["deep_min", "sol_min"]
    assert payload["contrasts"] == []


@pytest.mark.calibration
def test_without_correlation_each_is_what_it_is_alone():
    """Where the nights of the two do not go together the effects are those of the registered models: means to a tenth
    of an SD, SDs to 7 %."""
    deep, latency = pair_of(7, correlation=0.0)
    found = joint_model.fit_joint(deep, latency, seed=1)
    still = {**latency.priors, "rho": replace(deep.priors["rho"], scale=0.0)}
    for design, priors in ((deep, deep.priors), (latency, still)):
        (alone,) = integrate([linear_trial(TrialNights.of(design), priors)])
        delta = found["delta"].sel(outcome=design.measure.name)
        print(float(delta.mean()), float(delta.std()), alone.effect.mean, alone.effect.sd)
        assert float(delta.mean()) == pytest.approx(alone.effect.mean, abs=0.1 * alone.effect.sd)
        assert float(delta.std()) == pytest.approx(alone.effect.sd, rel=0.07)


@pytest.mark.calibration
@pytest.mark.parametrize("planted", [-0.5, 0.0, 0.5])
def test_correlations_are_recovered_as_often_as_promised(planted):
    """Of twelve trials with a known correlation the 95 % interval holds it in at least ten."""
    held = 0
    for seed in range(12):
        low, high = joint_account(*pair_of(100 + seed, correlation=planted), seed=seed).correlation.ci95
        held += low < planted < high
    print(planted, held)
    assert held >= 10
