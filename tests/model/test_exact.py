"""The exact engine, against what it must equal."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from scipy.stats import halfnorm, lognorm, multivariate_normal, norm, truncnorm
from tests.model.simulated import ARMS, DEEP, LATENCY, ar1, simulated_trial

from nof1.errors import DataError, FitNotUsableError
from nof1.model.arms import arm_columns
from nof1.model.design import build_design
from nof1.model.exact import ROUGH, integrate
from nof1.model.linear import NO_GROUP, TrialNights, linear_trial, with_prior, zero_sum_basis
from nof1.model.priors import priors_for

PRIORS = priors_for("deep_min", baseline=None)


def nights_of(
    seed,
    *,
    blocks=6,
    period_nights=10,
    transition=3,
    arms=ARMS,
    effect=0.0,
    rho=0.0,
    sigma_period=4.0,
    sigma=19.0,
    missing=0.08,
):
    """One simulated trial: blocks of arms in random order, weekday effects and a trend."""
    rng = np.random.default_rng(seed)
    length = blocks * len(arms) * period_nights
    day = np.arange(length)
    period = day // period_nights
    arm = np.concatenate([rng.permutation(len(arms)) for _ in range(blocks)])[period]
    weekday = 4.0 * zero_sum_basis(7) @ rng.normal(size=6)
    y = 85 + effect * np.where(arm == 0, 0.5, -0.5) + 5 * (day / length - 0.5) + weekday[day % 7]
    y = y + sigma_period * rng.normal(size=period.max() + 1)[period] + sigma * ar1(rng, length, rho)
    nights = TrialNights(
        y=y, day=day, arm=arm, arms=tuple(arms), time=day / (length - 1) - 0.5, weekday=day % 7, period=period
    )
    return nights.only((day % period_nights >= transition) & (rng.random(length) >= missing))


def fixed(priors, **values):
    """Priors that know the hyperparameters: SDs as locations of a scale of 0."""
    for name, value in values.items():
        priors = with_prior(priors, name, location=value, scale=0.0)
    return priors


def dense_covariance(trial, sigma, rho, spreads):
    """The covariance of the nights with everything but σ, ρ and the groups' SDs integrated out."""
    days = np.cumsum(trial.gap)
    noise = sigma**2 * np.power(float(rho), np.abs(days[:, None] - days[None, :]))
    deviations = trial.scale * np.where(trial.group == NO_GROUP, 1.0, np.append(spreads, 1.0)[trial.group])
    return noise + (trial.columns * deviations**2) @ trial.columns.T, deviations


def dense_log_density(trial, sigma, rho, spreads):
    """Log density of the nights by SciPy's multivariate normal."""
    covariance, _ = dense_covariance(trial, sigma, rho, spreads)
    return multivariate_normal(trial.columns @ trial.location, covariance).logpdf(trial.y)


@pytest.mark.parametrize("rho", [-0.7, -0.3, 0.0, 1e-4, 0.45, 0.85])
@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_likelihood_equals_the_dense_multivariate_normal(rho, missing):
    """With known noise the evidence is the dense multivariate normal to 1e-8, gaps and negative ρ included."""
    nights = nights_of(3, rho=rho, missing=missing)
    known = fixed(PRIORS, sigma=np.log(17.0), rho=rho, sigma_period=0.0, sigma_weekday=0.0)
    trial = linear_trial(nights, known)
    posterior = integrate([trial])[0]
    assert posterior.log_evidence == pytest.approx(dense_log_density(trial, 17.0, rho, [0.0, 0.0]), abs=1e-8)


def test_effects_of_known_noise_are_the_dense_normal_posterior():
    """With known noise every effect's posterior is that of dense linear algebra, to 1e-8."""
    trial = linear_trial(nights_of(4), fixed(PRIORS, sigma=np.log(17.0), rho=-0.3, sigma_period=0.0, sigma_weekday=0.0))
    posterior = integrate([replace(trial, asked=trial.each_effect)])[0]
    covariance, deviations = dense_covariance(trial, 17.0, -0.3, [0.0, 0.0])
    gain = np.linalg.solve(covariance, trial.columns * deviations**2).T
    mean = trial.location + gain @ (trial.y - trial.columns @ trial.location)
    variance = deviations**2 - np.einsum("ij,ji->i", gain, trial.columns * deviations**2)
    for place, name in enumerate(trial.names):
        assert posterior.asked[name].mean == pytest.approx(mean[place], abs=1e-8)
        assert posterior.asked[name].sd ** 2 == pytest.approx(variance[place], abs=1e-8)


def brute_force(trial, *, points):
    """Evidence, and mean and SD of the effect, by Gauss-Legendre sums over the priors and dense linear algebra."""
    nodes, mass = np.polynomial.legendre.leggauss(points)

    def axis(low, high, prior):
        x = (low + high) / 2 + (high - low) / 2 * nodes
        return list(zip(x, (high - low) / 2 * mass * prior.pdf(x), strict=True))

    bound = 0.9 / trial.rho.scale
    axes = [
        axis(7.0, 55.0, lognorm(trial.sigma.scale, scale=np.exp(trial.sigma.location))),
        axis(-0.9, 0.9, truncnorm(-bound, bound, scale=trial.rho.scale)),
        *(axis(0.0, 4.5 * prior.scale, halfnorm(scale=prior.scale)) for prior in trial.groups),
    ]
    at, share = (np.array(part) for part in zip(*(zip(*point, strict=True) for point in product(*axes)), strict=True))
    sigma, rho, spreads = at[:, 0], at[:, 1], at[:, 2:]
    days = np.cumsum(trial.gap)
    apart = np.abs(days[:, None] - days[None, :])
    known = np.column_stack([spreads, np.ones(len(at))])
    variances = (trial.scale * known[:, trial.group]) ** 2  # NO_GROUP is −1: the column of ones
    covariance = sigma[:, None, None] ** 2 * rho[:, None, None] ** apart
    covariance += (trial.columns * variances[:, None]) @ trial.columns.T
    weight = next(iter(trial.asked.values()))
    shared = (variances * weight) @ trial.columns.T
    residual = np.broadcast_to(trial.y - trial.columns @ trial.location, shared.shape)
    half = np.linalg.cholesky(covariance)
    white, told_of = np.moveaxis(np.linalg.solve(half, np.stack([residual, shared], axis=-1)), -1, 0)
    log_weight = multivariate_normal(np.zeros(len(days))).logpdf(white) + np.log(share).sum(axis=1)
    log_weight -= np.log(np.diagonal(half, axis1=1, axis2=2)).sum(axis=1)
    mean = (told_of * white).sum(axis=1)
    variance = variances @ weight**2 - (told_of**2).sum(axis=1)
    top = log_weight.max()
    weights = np.exp(log_weight - top)
    evidence = top + np.log(weights.sum())
    weights /= weights.sum()
    centre = weights @ mean
    return evidence, centre, np.sqrt(weights @ (variance + (mean - centre) ** 2))


@pytest.mark.parametrize(("seed", "rho"), [(1, -0.3), (2, 0.3)])
def test_posterior_equals_a_dense_sum_over_the_priors(seed, rho):
    """The effect's mean, SD and the evidence are those of a brute-force sum over all four hyperparameters."""
    nights = nights_of(seed, blocks=2, period_nights=7, transition=2, effect=10.0, rho=rho)
    trial = linear_trial(nights, with_prior(PRIORS, "rho", scale=0.2))
    posterior = integrate([trial])[0]
    evidence, mean, sd = brute_force(trial, points=13)
    assert posterior.effect.mean == pytest.approx(mean, abs=0.005 * sd)
    assert posterior.effect.sd == pytest.approx(sd, rel=0.005)
    assert posterior.log_evidence == pytest.approx(evidence, abs=0.02)


def varied_trials(count):
    """Trials of two designs with ρ from −0.3 to 0.6, effects 0 to 20 and quiet to loud periods."""
    return [
        linear_trial(
            nights_of(
                seed,
                **[{}, {"blocks": 4, "period_nights": 7, "transition": 2}][seed % 2],
                rho=[-0.3, 0.0, 0.3, 0.6][seed % 4],
                effect=[0.0, 10.0, 20.0][seed % 3],
                sigma_period=[0.0, 4.0, 8.0][seed // 3 % 3],
            ),
            PRIORS,
        )
        for seed in range(count)
    ]


def test_a_finer_grid_changes_nothing():
    """Twice as many points along every axis move an effect's mean by less than 0.005 SD, its SD by less than 0.5 %."""
    trials = varied_trials(6)
    for coarse, fine in zip(integrate(trials), integrate(trials, points=(14, 18, 14)), strict=True):
        assert abs(coarse.effect.mean - fine.effect.mean) < 0.005 * fine.effect.sd
        assert coarse.effect.sd == pytest.approx(fine.effect.sd, rel=0.005)
        assert coarse.log_evidence == pytest.approx(fine.log_evidence, abs=0.03)


def test_the_rough_grid_is_good_enough_for_simulations():
    """Where only shares of simulated trials count, fewer points move the mean by less than 0.05 SD."""
    trials = varied_trials(12)
    for rough, fine in zip(integrate(trials, points=ROUGH), integrate(trials), strict=True):
        assert abs(rough.effect.mean - fine.effect.mean) < 0.05 * fine.effect.sd
        assert rough.effect.sd == pytest.approx(fine.effect.sd, rel=0.05)


def test_people_do_not_influence_each_other():
    """People together, alone or in another order give the same posteriors, whatever their designs."""
    trials = varied_trials(5)
    together = integrate(trials)
    for alone, again, one in zip(
        [integrate([trial])[0] for trial in trials], integrate(trials[::-1])[::-1], together, strict=True
    ):
        for other in (alone, again):
            assert other.effect.mean == pytest.approx(one.effect.mean, abs=0.01 * one.effect.sd)
            assert other.effect.sd == pytest.approx(one.effect.sd, rel=0.005)


def test_a_constant_added_moves_the_intercept_only():
    """Minutes more every night, and in the prior of the intercept, leave the effect and the evidence as they are."""
    nights = nights_of(8)
    more = integrate([linear_trial(replace(nights, y=nights.y + 40), with_prior(PRIORS, "intercept", location=120.0))])
    same = integrate([linear_trial(nights, PRIORS)])
    assert more[0].effect.mean == pytest.approx(same[0].effect.mean, abs=1e-8)
    assert more[0].effect.sd == pytest.approx(same[0].effect.sd, abs=1e-8)
    assert more[0].log_evidence == pytest.approx(same[0].log_evidence, abs=1e-8)


def test_hours_tell_what_minutes_tell():
    """In hours, priors in hours, the effect is a sixtieth and its probabilities are the same."""
    nights = nights_of(9, effect=10.0)
    names = ("intercept", "delta", "trend", "sigma_weekday", "sigma_period")
    hours = {
        name: replace(PRIORS[name], location=PRIORS[name].location / 60, scale=PRIORS[name].scale / 60)
        for name in names
    }
    hours["sigma"] = replace(PRIORS["sigma"], location=PRIORS["sigma"].location - np.log(60))
    minutes = integrate([linear_trial(nights, PRIORS)])[0].effect
    told = integrate([linear_trial(replace(nights, y=nights.y / 60), {**PRIORS, **hours})])[0].effect
    assert 60 * told.mean == pytest.approx(minutes.mean, abs=1e-6)
    assert told.above(10 / 60) == pytest.approx(minutes.above(10), abs=1e-9)


def test_exchanging_the_arms_turns_the_effect():
    """With the arms' names exchanged the effect has the other sign, and nothing else changes."""
    nights = nights_of(10, effect=10.0)
    one = integrate([linear_trial(nights, PRIORS)])[0].effect
    other = integrate([linear_trial(replace(nights, arm=1 - nights.arm), PRIORS)])[0].effect
    assert other.mean == pytest.approx(-one.mean, abs=1e-8)
    assert other.above(3) == pytest.approx(one.below(-3), abs=1e-9)


def test_three_arms_are_three_contrasts_of_one_prior():
    """Every pair of three arms has the prior Normal(0, 10), and the contrasts add up."""
    nights = nights_of(11, blocks=4, arms=("a", "b", "c"))
    trial = linear_trial(nights, PRIORS)
    assert list(trial.asked) == ["a − b", "a − c", "b − c"]
    for weight in trial.asked.values():
        assert np.sqrt(((weight * trial.scale) ** 2).sum()) == pytest.approx(10.0)
    told = integrate([trial])[0].asked
    assert told["a − b"].mean + told["b − c"].mean == pytest.approx(told["a − c"].mean, abs=1e-9)


def test_three_arms_without_nights_on_one_tell_the_other_two():
    """A third arm without nights hardly changes the other two: only the prior of their mean is a little wider."""
    nights = nights_of(12)
    three = integrate([linear_trial(replace(nights, arms=(*ARMS, "third")), PRIORS)])[0].asked[" − ".join(ARMS)]
    two = integrate([linear_trial(nights, PRIORS)])[0].effect
    assert three.mean == pytest.approx(two.mean, abs=1e-3 * two.sd)
    assert three.sd == pytest.approx(two.sd, rel=1e-3)


def test_an_enthusiastic_prior_is_about_each_active_arm():
    """A prior of 6 ± 8 minutes is about every arm − the last, of three arms too."""
    priors = with_prior(PRIORS, "delta", location=6.0, scale=8.0)
    trial = linear_trial(nights_of(13, arms=("a", "b", "c")), priors)
    assert [trial.asked[name] @ trial.location for name in trial.asked] == pytest.approx([0.0, 6.0, 6.0])


@pytest.mark.parametrize("name", ["trend", "sigma_weekday", "sigma_period", "rho"])
def test_a_scale_of_zero_takes_a_term_out(name):
    """No trend, no weekdays, no period effects, independent nights: each is the limit of ever smaller scales."""
    nights = nights_of(14, rho=0.3)
    without = integrate([linear_trial(nights, with_prior(PRIORS, name, scale=0.0))])[0]
    hardly = integrate([linear_trial(nights, with_prior(PRIORS, name, scale=1e-4))])[0]
    assert hardly.effect.mean == pytest.approx(without.effect.mean, abs=0.005 * without.effect.sd)
    assert hardly.log_evidence == pytest.approx(without.log_evidence, abs=0.01)
    full = integrate([linear_trial(nights, PRIORS)])[0]
    assert abs(full.log_evidence - without.log_evidence) > 0.01


def test_a_covariate_is_adjusted_for():
    """A declared covariate explains what it does, and its own posterior finds it."""
    nights = nights_of(15)
    alcohol = np.random.default_rng(1).random(len(nights.y)) < 0.3
    nights = replace(nights, y=nights.y - 25 * alcohol, covariates={"alcohol": alcohol.astype(float)})
    priors = {**PRIORS, "alcohol": replace(PRIORS["delta"], name="alcohol", scale=15.0)}
    trial = linear_trial(nights, priors)
    told = integrate([replace(trial, asked=trial.each_effect)])[0].asked["alcohol"]
    assert told.quantile(0.025) < -25 < told.quantile(0.975)
    with pytest.raises(DataError, match="no prior of alcohol"):
        linear_trial(nights, PRIORS)


def test_a_period_left_out_is_a_gap():
    """Without a period its nights are a gap: the same as if they had never been recorded."""
    nights = nights_of(16)
    left = linear_trial(nights.only(nights.period != 5), PRIORS)
    assert left.gap.max() >= 10
    assert len([name for name in left.names if name.startswith("period")]) == 11
    assert integrate([left])[0].effect.sd > integrate([linear_trial(nights, PRIORS)])[0].effect.sd


SHORT = {"blocks": 4, "period_nights": 7, "transition": 2, "missing": 0.15}


@pytest.mark.parametrize(("scale", "shape"), [(10.0, {}), (2.75, SHORT), (0.4, SHORT), (0.1, {})])
def test_noise_far_from_its_prior_is_found(scale, shape):
    """Nights ten times as noisy, or as quiet, as the prior expects are followed, not cut off at the prior's edge."""
    nights = nights_of(17, **shape)
    loud = replace(nights, y=85 + scale * (nights.y - 85))
    sigma = integrate([linear_trial(loud, PRIORS)])[0].hyperparameters["sigma"]
    assert abs(np.log(sigma.mean / (19 * scale))) < 0.4


@pytest.mark.parametrize("sigma_period", [15.0, 60.0])
def test_periods_far_louder_than_their_prior_are_found(sigma_period):
    """Quiet nights in periods that differ by four to fifteen prior SDs: the grid settles where a finer one does."""
    trial = linear_trial(nights_of(23, sigma=5.0, sigma_period=sigma_period, missing=0.5), PRIORS)
    coarse, fine = integrate([trial])[0], integrate([trial], points=(14, 18, 14))[0]
    assert coarse.hyperparameters["sigma_period"].mean > 1.5 * PRIORS["sigma_period"].scale
    assert abs(coarse.effect.mean - fine.effect.mean) < 0.02 * fine.effect.sd
    assert coarse.effect.sd == pytest.approx(fine.effect.sd, rel=0.02)


def test_values_that_cannot_be_located_are_refused_or_certain():
    """A constant outcome never gives a confident effect: it is zero, or refused."""
    nights = nights_of(18)
    try:
        effect = integrate([linear_trial(replace(nights, y=0 * nights.y + 80), PRIORS)])[0].effect
    except FitNotUsableError:
        return
    assert abs(effect.mean) < 1e-6


def test_the_design_of_an_analysis_is_the_same_trial():
    """Nights from a design have its values, gaps and arms; a latency with censored nights is refused."""
    nights, calendar = simulated_trial(seed=5)
    designs = {
        outcome.measure: build_design(nights, calendar, outcome, arms=ARMS, exclude_flags=[])
        for outcome in (DEEP, LATENCY)
    }
    trial = linear_trial(TrialNights.of(designs["deep_min"]), designs["deep_min"].priors)
    assert trial.gap[1:].tolist() == designs["deep_min"].gap[1:].tolist()
    assert trial.columns @ trial.asked[" − ".join(ARMS)] / 2 == pytest.approx(
        arm_columns(2)[designs["deep_min"].arm_index, 0]
    )
    latency = designs["sol_min"]
    with pytest.raises(DataError, match="only known to lie beyond a bound"):
        TrialNights.of(replace(latency, censored=np.where(np.arange(len(latency.y)) == 3, -1, 0)))
    exact = replace(latency, censored=0 * latency.censored)
    told = integrate([linear_trial(TrialNights.of(exact), latency.priors)])[0]
    assert told.hyperparameters["rho"].sd == 0
    assert 0.4 < told.hyperparameters["sigma"].mean < 0.9


def test_nights_must_be_in_order():
    """A night twice, or out of order, is refused, and so is a value that is none."""
    nights = nights_of(19)
    with pytest.raises(DataError, match="missing or infinite"):
        linear_trial(replace(nights, y=np.where(nights.day == nights.day[3], np.nan, nights.y)), PRIORS)
    with pytest.raises(DataError, match="in order"):
        linear_trial(replace(nights, day=nights.day[::-1]), PRIORS)


def test_a_mixture_is_what_its_draws_are():
    """Mean, SD, probabilities and quantiles of a mixture are those of draws from it, and invert each other."""
    effect = integrate([linear_trial(nights_of(20), PRIORS)])[0].effect
    rng = np.random.default_rng(1)
    at = rng.choice(len(effect.weights), 200_000, p=effect.weights)
    draws = rng.normal(effect.means[at], effect.sds[at])
    assert effect.mean == pytest.approx(draws.mean(), abs=0.03)
    assert effect.sd == pytest.approx(draws.std(), rel=0.01)
    assert effect.above(3.0) == pytest.approx((draws > 3).mean(), abs=0.005)
    p = np.array([1e-9, 0.025, 0.5, 0.975])
    assert effect.below(effect.quantile(p)) == pytest.approx(p, rel=1e-6)
    assert all(low < high for low, high in pairwise(effect.quantile(p)))
    assert effect.within(-10, 10) == pytest.approx(1 - effect.above(10) - effect.below(-10), abs=1e-12)


def test_the_engine_needs_no_sampler():
    """Integrating imports neither PyMC nor ArviZ nor Numba nor xarray."""
    import subprocess
    import sys

    script = (
        "import sys, nof1.model.exact, nof1.model.linear, nof1.model.mixture;"
        "heavy = {'pymc', 'arviz', 'arviz_base', 'numba', 'xarray', 'nutpie', 'scipy.stats'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_normal_prior_alone_is_returned_without_information():
    """From a trial with hardly any information the posterior of the effect is its prior."""
    nights = nights_of(21)
    deaf = linear_trial(nights, with_prior(PRIORS, "sigma", location=np.log(1e5), scale=0.01))
    effect = integrate([deaf])[0].effect
    assert effect.sd == pytest.approx(10.0, rel=1e-3)
    assert effect.above(0) == pytest.approx(norm.sf(0), abs=1e-3)
