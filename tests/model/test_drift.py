"""A drift that may bend: the curve, its prior, and that nothing else of the model changes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import halfnorm, multivariate_normal
from tests.model.simulated import ARMS, DEEP, simulated_trial

from nof1.model.design import build_design
from nof1.model.drift import DRIFT, smooth_trend, spline_steps
from nof1.model.exact import integrate
from nof1.model.linear import TrialNights, linear_trial

TIME = np.linspace(-0.5, 0.5, 41)


def trial_of(**truth):
    """The design of one simulated trial."""
    nights, calendar = simulated_trial(**truth)
    return build_design(nights, calendar, DEEP, arms=ARMS, exclude_flags=["short"])


def bent(design, minutes):
    """The same nights on a drift that rises and falls again."""
    return replace(design, y=design.y + minutes * np.cos(2 * np.pi * design.time))


def test_the_curve_begins_at_the_intercept_and_ends_after_every_step():
    """Of five heights the first is the intercept's: at the first night no step was taken, at the last all were."""
    steps = spline_steps(TIME)
    assert steps.shape == (41, 4)
    assert steps[0] == pytest.approx(np.zeros(4))
    assert steps[-1] == pytest.approx(np.ones(4))


def test_a_straight_line_and_a_parabola_are_curves_of_it():
    """Steps of a sixth, a third, a third and a sixth are a straight line; with others a parabola is met exactly."""
    steps = spline_steps(TIME)
    assert steps @ [1 / 6, 1 / 3, 1 / 3, 1 / 6] == pytest.approx(TIME + 0.5)
    _, left_over, *_ = np.linalg.lstsq(np.column_stack([np.ones(41), steps]), TIME**2, rcond=None)
    assert left_over[0] < 1e-20


def test_the_steps_may_drift_half_as_far_as_the_trend():
    """σ_drift of deep sleep is HalfNormal(5), and has four effects of its own."""
    trial = smooth_trend(trial_of(seed=3))
    place = [prior.name for prior in trial.groups].index(DRIFT)
    assert (trial.groups[place].distribution, trial.groups[place].scale) == ("HalfNormal", 5.0)
    assert (trial.group == place).sum() == 4
    assert [prior.name for prior in trial.groups] == ["sigma_weekday", DRIFT, "sigma_period"]


def test_without_steps_it_is_the_registered_model():
    """With σ_drift fixed at 0 the effect and the evidence are those of the straight drift, to the last digits."""
    design = trial_of(seed=3, deep_effect=20.0)
    trial = smooth_trend(design)
    still = replace(trial, groups=tuple(replace(one, scale=one.scale * (one.name != DRIFT)) for one in trial.groups))
    straight, fixed = (integrate([one])[0] for one in (linear_trial(TrialNights.of(design), design.priors), still))
    assert fixed.effect.mean == pytest.approx(straight.effect.mean, abs=1e-6)
    assert fixed.effect.sd == pytest.approx(straight.effect.sd, rel=1e-6)
    assert fixed.log_evidence == pytest.approx(straight.log_evidence, abs=1e-6)


def test_what_the_engine_makes_of_the_steps_is_the_dense_integral():
    """With all other noise fixed the evidence is that of dense normals, integrated over σ_drift by another rule."""
    design = bent(trial_of(seed=4), 10.0)
    trial = smooth_trend(design)
    trial = replace(
        trial,
        sigma=replace(trial.sigma, scale=0.0),
        rho=replace(trial.rho, location=0.0, scale=0.0),
        groups=tuple(replace(one, scale=one.scale * (one.name == DRIFT)) for one in trial.groups),
    )
    place = [prior.name for prior in trial.groups].index(DRIFT)

    def density(spread):
        sds = np.select([trial.group == place, trial.group >= 0], [spread, 0.0], trial.scale)
        covariance = (trial.columns * sds**2) @ trial.columns.T + np.exp(2 * trial.sigma.location) * np.eye(
            len(trial.y)
        )
        return multivariate_normal(trial.columns @ trial.location, covariance).logpdf(trial.y)

    top = max(density(spread) for spread in np.linspace(0.1, 20, 40))
    mass, _ = quad(lambda spread: np.exp(density(spread) - top) * halfnorm(scale=5.0).pdf(spread), 0, 40)
    (found,) = integrate([trial])
    assert found.log_evidence == pytest.approx(top + np.log(mass), abs=0.01)


def both_of(design):
    """What the straight drift and the one that may bend make of the same nights."""
    return [
        integrate([trial])[0] for trial in (linear_trial(TrialNights.of(design), design.priors), smooth_trend(design))
    ]


def test_a_drift_that_bends_is_told_from_one_that_does_not():
    """On quiet nights a planted bend of 10 minutes makes the model e⁴ times likelier than the straight drift, and the
    effect is nearer to the true 20 minutes, and surer; without a bend the two say the same."""
    design = trial_of(seed=3, deep_effect=20.0, sigma=8.0, sigma_period=1.0, period_nights=14, blocks=8)
    straight, smooth = both_of(bent(design, 10.0))
    assert smooth.log_evidence - straight.log_evidence > 4
    assert abs(smooth.effect.mean - 20) < abs(straight.effect.mean - 20) - 1
    assert smooth.effect.sd < 0.6 * straight.effect.sd
    straight, smooth = both_of(design)
    assert smooth.log_evidence < straight.log_evidence
    assert smooth.effect.mean == pytest.approx(straight.effect.mean, abs=0.05)
    assert smooth.effect.sd == pytest.approx(straight.effect.sd, rel=0.02)
