"""The exact engine against independent oracles, and its error rates (run with `-m calibration`)."""

from dataclasses import replace

import numpy as np
import pytest
from tests.model.simulated import ARMS, DEEP, simulated_trial

from nof1.model.assurance import Judgement, chances
from nof1.model.design import build_design
from nof1.model.exact import integrate
from nof1.model.linear import TrialNights, linear_trial, with_prior
from nof1.model.priors import priors_for
from nof1.model.simulation import Noise
from nof1.trial.protocol import AnalysisRules, Arm, Design

pytestmark = pytest.mark.calibration

DATA_SETS = 100
SEED = 20261122


def known_trial(seed):
    """A trial of which every number is known, ρ from −0.85 to 0.85, up to half of the nights missing."""
    rng = np.random.default_rng([SEED, seed])
    rho = float(rng.uniform(-0.85, 0.85))
    sigma = float(rng.uniform(8, 30))
    nights, calendar = simulated_trial(seed=seed, rho=float(rng.uniform(-0.5, 0.6)), missing=float(rng.uniform(0, 0.5)))
    design = build_design(nights, calendar, DEEP, arms=ARMS, exclude_flags=[])
    priors = priors_for("deep_min", baseline=None)
    for name, location in (("sigma", np.log(sigma)), ("rho", rho), ("sigma_weekday", 0.0), ("sigma_period", 0.0)):
        priors = with_prior(priors, name, location=location, scale=0.0)
    trial = linear_trial(TrialNights.of(design), priors)
    effects = rng.normal(trial.location, 5.0) * (trial.group == -1)
    return replace(trial, location=effects, scale=0.0 * trial.scale), sigma, rho


def test_likelihood_equals_statsmodels_with_missing_days(capsys):
    """On 100 data sets with gaps, ρ from −0.85 to 0.85, the likelihood is that of statsmodels' exact AR(1), to 1e-6."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    worst = 0.0
    for seed in range(DATA_SETS):
        trial, sigma, rho = known_trial(seed)
        day = np.cumsum(trial.gap) - trial.gap[0]
        values = np.full(day[-1] + 1, np.nan)
        values[day] = trial.y - trial.columns @ trial.location
        oracle = SARIMAX(values, order=(1, 0, 0)).loglike([rho, sigma**2 * (1 - rho**2)])
        worst = max(worst, abs(integrate([trial])[0].log_evidence - oracle))
    with capsys.disabled():
        print(f"\nlog likelihood beside statsmodels, {DATA_SETS} data sets: largest difference {worst:.1e}")
    assert worst < 1e-6


@pytest.mark.parametrize(
    ("seed", "truth"),
    [
        (1, {"deep_effect": 10.0, "rho": 0.3}),
        (2, {"rho": -0.3, "blocks": 4, "period_nights": 7, "transition": 2}),
        (3, {"deep_effect": 20.0, "rho": 0.6, "sigma_period": 8.0, "missing": 0.3}),
    ],
)
def test_sampling_and_integration_agree(seed, truth, capsys):
    """The sampled effect has the exact mean within 0.03 SD or 4 Monte Carlo errors, and the exact SD within 5 %."""
    from arviz_stats import mcse

    from nof1.model.nuts import fit

    nights, calendar = simulated_trial(seed=seed, **truth)
    design = build_design(nights, calendar, DEEP, arms=ARMS, exclude_flags=[])
    posterior = fit([design], seed=seed)["deep_min"]["posterior"].to_dataset()
    delta = posterior["delta"].to_numpy()
    exact = integrate([linear_trial(TrialNights.of(design), design.priors)])[0]
    apart = (delta.mean() - exact.effect.mean) / exact.effect.sd
    error = float(mcse(posterior[["delta"]])["delta"]) / exact.effect.sd
    ratio = delta.std() / exact.effect.sd
    with capsys.disabled():
        print(f"\nNUTS − exact, trial {seed}: mean {apart:+.4f} SD (error {error:.4f}), SD × {ratio:.4f}")
        for name, marginal in exact.hyperparameters.items():
            drawn = posterior[name].to_numpy()
            print(f"  {name}: {drawn.mean():.3f} ± {drawn.std():.3f}, exact {marginal.mean:.3f} ± {marginal.sd:.3f}")
    assert abs(apart) < max(0.03, 4 * error)
    assert abs(ratio - 1) < 0.05
    for p in (0.025, 0.975):
        off = float(mcse(posterior[["delta"]], method="quantile", prob=p)["delta"])
        assert abs(np.quantile(delta, p) - exact.effect.quantile(p)) < 4 * off


PEOPLE = 500
LONG = Design(scheme="randomised-pairs")
SHORT = Design(scheme="randomised-pairs", blocks=4, period_nights=7, transition_nights=2)
EXPECTED = [
    (LONG, -0.3, (0.980, 0.945, 0.025, 0.000, 0.34, 0.095)),
    (LONG, 0.0, (0.963, 0.956, 0.028, 0.003, 0.34, 0.073)),
    (LONG, 0.3, (0.975, 0.938, 0.025, 0.010, 0.27, 0.065)),
    (LONG, 0.6, (0.952, 0.924, 0.035, 0.022, 0.29, 0.014)),
    (SHORT, -0.3, (0.988, 0.990, 0.022, 0.015, 0.26, 0.005)),
    (SHORT, 0.0, (0.985, 0.965, 0.025, 0.015, 0.24, 0.003)),
    (SHORT, 0.3, (0.978, 0.943, 0.030, 0.028, 0.22, 0.007)),
    (SHORT, 0.6, (0.957, 0.923, 0.045, 0.041, 0.21, 0.004)),
]
"""Computed beforehand by another program, 400 to 1,400 trials a cell: coverage at 0 and 10 minutes, P(better) ≥ 0.95 at
0, benefit at 0 and 10, no worthwhile difference (at 0.95) at 10."""


@pytest.mark.parametrize(("design", "rho", "expected"), EXPECTED)
def test_error_rates_are_those_computed_beforehand(design, rho, expected, capsys):
    """Coverage and verdicts of 500 simulated people are the expected ones, within four Monte Carlo errors of both.

    Of the 48 shares the coverage at 10 of four short pairs at ρ = −0.3 is about three such errors off: 0.990 of 400
    trials expected, 0.9615 of 2,000 with this engine, on the fine grid as on the rough.
    """
    priors = with_prior(priors_for("deep_min", baseline=None), "rho", scale=0.25)
    none, ten = chances(
        design,
        (Arm(code="mg", label="magnesium"), Arm(code="pl", label="placebo", reference=True)),
        priors,
        Judgement(rules=AnalysisRules(no_worthwhile_difference=0.95), worthwhile=10.0),
        effects=[0.0, 10.0],
        noises=[Noise(rho=rho, trend=5.0)] * PEOPLE,
        seed=SEED,
    )

    told = (none.covered, ten.covered, none.direction, none.benefit, ten.benefit)
    got = [*(each.share for each in told), ten.of("no_worthwhile_difference")]
    with capsys.disabled():
        beside = zip(got, expected, strict=True)
        print(
            f"\n{design.blocks} pairs, rho {rho}: " + " ".join(f"{share:.3f} ({known:.3f})" for share, known in beside)
        )
    for share, known in zip(got, expected, strict=True):
        pooled = max((PEOPLE * share + 400 * known) / (PEOPLE + 400), 1 / 400)
        error = np.sqrt(pooled * (1 - pooled) * (1 / PEOPLE + 1 / 400))
        assert abs(share - known) < 4 * error
