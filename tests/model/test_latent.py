"""A latency whose nights are correlated: unknown values lie where they must, known ones give the exact answer."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erfcx
from scipy.stats import norm
from tests.model.simulated import ARMS, LATENCY, ar1, calendar_of, nights_of
from tests.model.slow_models import compiled_density, constrained_at, expected_at, prior_at, random_point

from nof1.errors import FitNotUsableError
from nof1.model.design import EXACT, LEFT, RIGHT, build_design
from nof1.model.exact import integrate
from nof1.model.latent import BEYOND, PADDING, WITHIN, _kinds, _rows, compiled_model, fit_latent_ar, placed, room_for
from nof1.model.likelihood import log_density
from nof1.model.linear import TrialNights, linear_trial
from nof1.model.posterior import gaps
from nof1.model.predictor import Form, settings_of_priors
from nof1.model.priors import RHO_SD, Prior

RHO = Prior("rho", "TruncatedNormal", 0.0, RHO_SD, "", "as in the latent model")


def trial_of(seed, *, rho=0.5, log_ratio=-0.3, median=30.0, sleepless=(), grain=0.5):
    """The design of a latency whose log minutes follow an AR(1); on some nights nobody slept."""
    rng = np.random.default_rng(seed)
    calendar = calendar_of(rng)
    half = calendar["arm"].replace_strict({ARMS[0]: 0.5, ARMS[1]: -0.5}, default=0.0).to_numpy()
    latency = median * np.exp(log_ratio * half + 0.6 * ar1(rng, len(half), rho))
    nights = nights_of(calendar, latency, latency, rng=rng, grain=grain)
    design = build_design(nights, calendar, LATENCY, arms=ARMS, exclude_flags=[])
    censored = design.censored.copy()
    censored[list(sleepless)] = RIGHT
    return replace(design, censored=censored)


@pytest.mark.parametrize("rho", [0.0, 0.6])
@pytest.mark.parametrize(
    ("kind", "censored", "below", "above"),
    [(BEYOND, LEFT, 0.0, 0.0), (BEYOND, RIGHT, 0.0, 0.0), (WITHIN, EXACT, 0.4, 0.3)],
    ids=["at most", "at least", "interval"],
)
def test_an_unknown_value_integrated_over_leaves_its_mass(kind, censored, below, above, rho):
    """The density of a night at its placed value, summed over z, is the mass beyond the bound or in the interval."""
    y, mean, sigma = 2.5, 2.2, 0.7
    part = censored + below + above

    def density(z):
        distance, slope = placed(z, kind, xp=np)
        # of a bound the slope in minutes is that of z; an interval is as many times wider as its width
        wider = np.log(below + above) if kind == WITHIN else 0.0
        return np.exp(norm(mean, sigma).logpdf(y - below + part * distance) + slope + wider)

    total, _ = quad(density, -40, 40, limit=400)
    numbers = {"carry": 0.0, "gap": 1, "sigma": sigma, "rho": rho, "xp": np, "erfcx": erfcx}
    mass = log_density(y - mean, 0.0, censored=censored, below=below, above=above, **numbers)
    assert total == pytest.approx(np.exp(float(mass)), rel=1e-6)


def test_far_out_nothing_overflows():
    """However far the sampler goes, an interval's share stays between 0 and 1 and the slope finite."""
    distance, slope = placed(np.array([-800.0, 0.0, 800.0]), WITHIN, xp=np)
    assert distance == pytest.approx([0.0, 0.5, 1.0])
    assert np.isfinite(slope).all()


def test_the_compiled_model_is_the_density_of_all_nights_known_or_not():
    """At any point the compiled log density is that of the AR(1) of known and placed values, of z and of the priors."""
    design = trial_of(3, sleepless=(4, 5, 20))
    design = replace(design, width=np.where(np.arange(len(design.y)) % 7 == 0, 10.0, 0.0))
    form, room = Form.of(design), room_for(design)
    compiled = compiled_model(form, room)
    vector = np.concatenate([settings_of_priors(design), _kinds(design, room)])
    carry = (np.arange(len(design.y)) > 0).astype(float)
    half = design.width / 2 / np.exp(design.y)
    for seed in range(3):
        at = random_point(compiled, seed)
        values = constrained_at(at)
        y, slopes, place = design.y.copy(), 0.0, 0
        for night in range(len(y)):
            z = at["unknown"][place]
            if design.censored[night] == RIGHT:
                y[night] += np.exp(z)
                slopes += z
            elif design.width[night]:
                low, high = np.log1p(-half[night]), np.log1p(half[night])
                share = 1 / (1 + np.exp(-z))
                y[night] += low + (high - low) * share
                slopes += np.log(share * (1 - share))
            else:
                continue
            place += 1
        residual = y - expected_at(design, values)
        numbers = {"carry": carry, "gap": gaps(design), "censored": 0.0 * carry, "xp": np, "erfcx": erfcx}
        nights = log_density(
            residual, np.roll(residual, 1) * carry, sigma=values["sigma"], rho=values["rho"], **numbers
        )
        padding = -0.5 * (at["unknown"][place:] ** 2).sum()
        assert 10 < place < room
        expected = nights.sum() + slopes + padding + prior_at(design, at)
        assert compiled_density(compiled, vector, _rows(design, form, room), at) == pytest.approx(expected, rel=1e-9)


def exact_posterior(design):
    """The exact engine's AR(1) of log minutes, of nights that are all known."""
    known = replace(design, censored=np.zeros_like(design.censored))
    return integrate([linear_trial(TrialNights.of(known), {**design.priors, "rho": RHO})])[0]


def test_where_every_night_is_known_it_is_the_exact_posterior():
    """Without unknown values effect and correlation are those of the exact engine: means to 0.1 SD, SDs to 5 %."""
    design = trial_of(7)
    assert room_for(design) == 16
    assert (_kinds(design, 16) == PADDING).all()
    drawn, exact = fit_latent_ar(design, seed=2), exact_posterior(design)
    for found, known in ((drawn["delta"], exact.effect), (drawn["rho"], exact.hyperparameters["rho"])):
        assert float(found.mean()) == pytest.approx(known.mean, abs=0.1 * known.sd)
        assert float(found.std()) == pytest.approx(known.sd, rel=0.05)
    assert float(drawn["rho"].mean()) > 0.25


def test_a_hurdle_is_another_model():
    """Where nights without latency have a model of their own, this one says that it does not have it."""
    design = trial_of(7)
    with pytest.raises(FitNotUsableError, match="model of their own"):
        fit_latent_ar(replace(design, zeros=SimpleNamespace(chosen=True)), seed=1)


@pytest.mark.calibration
@pytest.mark.parametrize("seed", range(4))
def test_what_bounds_hide_is_found_again(seed):
    """With a fourth of the nights only known to lie under a bound, effect, ρ and SD are those of the known nights.

    The effect lies within one SD of the exact posterior that knows every value, and its own SD is at least as wide less
    5 %; ρ = 0.5 is within its 95 %.
    """
    whole = trial_of(40 + seed)
    bound = np.quantile(whole.y, 0.25)
    hidden = whole.y <= bound
    censored = replace(
        whole, y=np.where(hidden, bound, whole.y), censored=np.where(hidden, LEFT, EXACT), width=np.zeros(len(hidden))
    )
    drawn, exact = fit_latent_ar(censored, seed=seed), exact_posterior(whole)
    print(float(drawn["delta"].mean()), float(drawn["delta"].std()), exact.effect.mean, exact.effect.sd)
    assert abs(float(drawn["delta"].mean()) - exact.effect.mean) < exact.effect.sd
    assert float(drawn["delta"].std()) > 0.95 * exact.effect.sd
    low, high = np.quantile(drawn["rho"], [0.025, 0.975])
    assert low < 0.5 < high


@pytest.mark.calibration
def test_what_coarse_steps_hide_is_found_again():
    """Told in steps of ten minutes the effect is that of the exact values, to a third of an SD."""
    rng_state = {"rho": 0.5, "log_ratio": -0.3, "median": 30.0}
    exact = exact_posterior(trial_of(51, **rng_state))
    coarse = trial_of(51, **rng_state, grain=10.0)
    assert (coarse.width > 0).any()
    drawn = fit_latent_ar(coarse, seed=1)
    print(float(drawn["delta"].mean()), float(drawn["delta"].std()), exact.effect.mean, exact.effect.sd)
    assert float(drawn["delta"].mean()) == pytest.approx(exact.effect.mean, abs=exact.effect.sd / 3)
