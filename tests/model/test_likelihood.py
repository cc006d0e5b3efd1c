"""The density of the nights, against what it must equal."""

import subprocess
import sys
from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from scipy.special import erfcx, log_ndtr
from scipy.stats import multivariate_normal, norm
from tests.model.simulated import ARMS, DEEP, LATENCY, simulated_trial

from nof1.model.arms import arm_columns
from nof1.model.design import build_design
from nof1.model.likelihood import log_density, log_normal_cdf

GAPS = np.array([0, 1, 3, 2, 5, 1, 4, 1, 2])
DAYS = np.cumsum(GAPS)


@pytest.fixture(scope="module")
def symbolic():
    """The summed density of a Gaussian series and its gradient, compiled from the same words that the model uses."""
    import pytensor
    import pytensor.tensor as pt

    mean, sigma, rho = pt.dvector("mean"), pt.dscalar("sigma"), pt.dscalar("rho")
    y, gap, carry, censored = pt.dvector("y"), pt.lvector("gap"), pt.dvector("carry"), pt.lvector("censored")
    residual = y - mean
    before = pt.concatenate([[0.0], residual[:-1]])
    total = log_density(
        residual, before, carry=carry, gap=gap, censored=censored, sigma=sigma, rho=rho, xp=pt, erfcx=pt.erfcx
    ).sum()
    inputs = [y, mean, sigma, rho, gap, carry, censored]
    return pytensor.function(inputs, [total, *pt.grad(total, [mean, sigma, rho])], mode="FAST_COMPILE")


def series(seed=3):
    """A series that is nowhere special, its mean, and the arrays that describe its nights."""
    rng = np.random.default_rng(seed)
    n = len(GAPS)
    carry = (np.arange(n) > 0).astype(float)
    return rng.normal(80, 20, n), rng.normal(80, 5, n), np.maximum(GAPS, 1), carry, np.zeros(n, dtype=np.int64)


def dense(y, mean, sigma, rho):
    """The multivariate normal whose correlation is rho to the power of the days between two nights."""
    apart = np.abs(DAYS[:, None] - DAYS[None, :])
    return multivariate_normal(mean, sigma**2 * np.power(float(rho), apart)).logpdf(y)


@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.45])
def test_series_equals_the_dense_multivariate_normal(symbolic, rho):
    """With gaps of 1 to 5 days the density of a series equals the dense multivariate normal, for negative rho too."""
    y, mean, gap, carry, censored = series()
    assert symbolic(y, mean, 17.0, rho, gap, carry, censored)[0] == pytest.approx(dense(y, mean, 17.0, rho), abs=1e-8)


@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.45])
def test_gradient_is_a_finite_difference(symbolic, rho):
    """The gradient in every mean, in sigma and in rho is the slope of the dense normal; rho = 0 is no corner."""
    y, mean, gap, carry, censored = series()
    _, in_mean, in_sigma, in_rho = symbolic(y, mean, 17.0, rho, gap, carry, censored)
    step = 1e-5
    for place in range(len(mean)):
        nudge = step * np.eye(len(mean))[place]
        slope = (dense(y, mean + nudge, 17.0, rho) - dense(y, mean - nudge, 17.0, rho)) / (2 * step)
        assert in_mean[place] == pytest.approx(slope, abs=1e-6)
    slope = (dense(y, mean, 17.0 + step, rho) - dense(y, mean, 17.0 - step, rho)) / (2 * step)
    assert in_sigma == pytest.approx(slope, abs=1e-6)
    slope = (dense(y, mean, 17.0, rho + step) - dense(y, mean, 17.0, rho - step)) / (2 * step)
    assert in_rho == pytest.approx(slope, abs=1e-6)


def test_numpy_and_pytensor_say_the_same(symbolic):
    """The log likelihood that is kept is the one that was sampled: NumPy and PyTensor agree on every night."""
    y, mean, gap, carry, censored = series()
    before = np.roll(y - mean, 1) * carry
    terms = log_density(
        y - mean, before, carry=carry, gap=gap, censored=censored, sigma=17.0, rho=-0.3, xp=np, erfcx=erfcx
    )
    assert terms.sum() == pytest.approx(symbolic(y, mean, 17.0, -0.3, gap, carry, censored)[0], abs=1e-10)


def test_censored_nights_have_the_mass_of_their_side():
    """A latency of at most x has the normal mass below it, one of at least x the mass above it, as SciPy says."""
    residual = np.array([-1.3, 0.4, 2.2, -0.2])
    censored = np.array([-1, 1, 0, 1])
    terms = log_density(
        residual, 0 * residual, carry=0.0, gap=1, censored=censored, sigma=0.7, rho=0.2, xp=np, erfcx=erfcx
    )
    normal = norm(0, 0.7)
    expected = [normal.logcdf(-1.3), normal.logsf(0.4), normal.logpdf(2.2), normal.logsf(-0.2)]
    assert terms == pytest.approx(expected, abs=1e-10)


def test_normal_tail_is_right_and_finite_everywhere():
    """log Φ is SciPy's from 1,000 SDs below to 8 above, and so is its slope; beyond, nothing changes."""
    import pytensor
    import pytensor.tensor as pt

    z = np.concatenate([np.linspace(-60, 8, 500), [-1000.0, -200.0]])
    symbol = pt.dvector("z")
    value = log_normal_cdf(symbol, xp=pt, erfcx=pt.erfcx)
    compiled = pytensor.function([symbol], [value, pt.grad(value.sum(), symbol)], mode="FAST_COMPILE")
    got, slope = compiled(z)
    assert got == pytest.approx(log_ndtr(z), rel=1e-9)
    expected = np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(z))
    assert slope == pytest.approx(expected, rel=1e-7)
    assert compiled(np.array([9.0, 1e6]))[1] == pytest.approx([0.0, 0.0])


# values on a coarse grid


def interval_mass(residual, below, above, sigma=0.6):
    """The log mass of intervals around the residuals."""
    residual, below, above = (np.asarray(x, dtype=float) for x in (residual, below, above))
    told = {"carry": 0.0, "gap": 1, "censored": 0 * residual.astype(int), "sigma": sigma, "rho": 0.0}
    return log_density(residual, 0 * residual, below=below, above=above, xp=np, erfcx=erfcx, **told)


def test_an_interval_has_the_mass_between_its_ends():
    """A rounded value has the normal mass of everything that is rounded to it, as SciPy says, on either side."""
    residual = np.array([-2.3, -0.4, 0.0, 0.1, 0.9, 2.6])
    below, above = np.array([0.7, 0.3, 0.2, 0.02, 0.1, 0.05]), np.array([0.4, 0.2, 0.1, 0.02, 0.1, 0.04])
    normal = norm(0, 0.6)
    expected = np.log(normal.cdf(residual + above) - normal.cdf(residual - below))
    assert interval_mass(residual, below, above) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("residual", [-12.0, -4.0, 0.3, 4.0, 12.0])
def test_an_interval_far_out_has_the_integral_of_the_density(residual):
    """Twenty SDs from the middle, where differences of probabilities are 0, the mass is the density's own integral."""
    x, weights = np.polynomial.legendre.leggauss(80)
    below, above = 0.5, 0.3
    at = residual + (above - below) / 2 + (below + above) / 2 * x
    log_terms = norm(0, 0.6).logpdf(at) + np.log(weights * (below + above) / 2)
    expected = log_terms.max() + np.log(np.exp(log_terms - log_terms.max()).sum())
    assert interval_mass([residual], [below], [above])[0] == pytest.approx(expected, rel=1e-11)


def test_the_intervals_of_a_grid_hold_everything():
    """At most 2.5, 2.5 to 7.5, and so on: the masses of all that a five-minute grid can tell sum to one."""
    values = np.arange(5.0, 20_000.0, 5.0)
    y, half = np.log(values), 2.5 / values
    masses = np.exp(interval_mass(y - 2.6, -np.log1p(-half), np.log1p(half)))
    assert masses.sum() + norm(2.6, 0.6).cdf(np.log(2.5)) == pytest.approx(1.0, abs=1e-12)


def test_a_narrow_interval_is_the_density_times_its_width():
    """As the grid gets finer the mass becomes density × width, and however fine it gets it stays a number."""
    narrow = interval_mass([0.8], [1e-4], [1e-4])[0]
    assert narrow == pytest.approx(norm(0, 0.6).logpdf(0.8) + np.log(2e-4), abs=1e-6)
    assert np.isfinite(interval_mass([0.8], [1e-14], [1e-14]))


def most_likely(values, arm, *, step):
    """Median, ratio of the arms and log SD that make the values likeliest: as intervals, or without `step` as told."""
    at_most = step / 2 if step else 5.0
    short = values <= at_most
    y = np.log(np.where(short, at_most, values))
    half = np.where(short, 0.0, (step or 0.0) / 2) / np.exp(y)
    told = {"censored": np.where(short, -1, 0), "below": -np.log1p(-half), "above": np.log1p(half)}

    def surprise(at):
        residual = y - at[0] - at[1] * arm
        noise = {"carry": 0.0, "gap": 1, "rho": 0.0, "sigma": np.exp(at[2])}
        return -log_density(residual, 0 * residual, xp=np, erfcx=erfcx, **noise, **told).sum()

    return np.exp(minimize(surprise, [2.5, 0.0, -0.5], method="BFGS").x)


@pytest.mark.parametrize("median", [6.0, 12.0])
def test_a_ratio_on_a_five_minute_grid_is_recovered(median):
    """Of 8,000 nights rounded to five minutes the intervals tell median, ratio and SD; the density at the values none.

    Taking 5 for "at most 5", as a fine grid does, the ratio of 0.60 becomes 0.43 at a median of 6, and 0.55 at 12.
    """
    rng = np.random.default_rng(1)
    arm = np.tile([-0.5, 0.5], 4_000)
    values = 5 * np.round(median * np.exp(np.log(0.6) * arm + 0.6 * rng.normal(size=len(arm))) / 5)
    assert most_likely(values, arm, step=5.0) == pytest.approx([median, 0.6, 0.6], rel=0.03)
    _, ratio, spread = most_likely(values, arm, step=None)
    assert ratio < 0.57
    assert spread > 0.7


def test_slope_of_mixed_nights_is_finite_and_a_finite_difference():
    """Exact, censored and rounded nights side by side, 500 SDs to either side: every slope is a number, and right.

    The branch that is not taken must not spoil it: infinity times 0 is not a number.
    """
    import pytensor
    import pytensor.tensor as pt

    far = np.array([-300.0, -9.0, -1.0, -0.1, 0.0, 0.2, 1.1, 8.0, 300.0])
    kinds = [(0, 0.0, 0.0), (-1, 0.0, 0.0), (1, 0.0, 0.0), (0, 0.4, 0.3)]
    residual = np.tile(far, len(kinds))
    censored, below, above = (np.repeat(column, len(far)) for column in np.array(kinds).T)
    symbol, sd = pt.dvector("residual"), pt.dscalar("sigma")
    told = {"carry": 0.0, "gap": 1, "rho": 0.0, "censored": censored, "below": below, "above": above}
    terms = log_density(symbol, 0 * symbol, sigma=sd, xp=pt, erfcx=pt.erfcx, **told)
    inputs, total = [symbol, sd], terms.sum()
    compiled = pytensor.function(inputs, [terms, *pt.grad(total, inputs)], mode="FAST_COMPILE")
    value, in_residual, in_sigma = compiled(residual, 0.6)
    assert np.isfinite(value).all()
    assert np.isfinite(in_residual).all()
    assert np.isfinite(in_sigma)
    same = log_density(residual, 0 * residual, sigma=0.6, xp=np, erfcx=erfcx, **told)
    assert value == pytest.approx(same, rel=1e-12)
    step = 1e-5
    slope = (compiled(residual + step, 0.6)[0] - compiled(residual - step, 0.6)[0]) / (2 * step)
    assert in_residual == pytest.approx(slope, rel=1e-6, abs=1e-6)
    slope = (compiled(residual, 0.6 + step)[0].sum() - compiled(residual, 0.6 - step)[0].sum()) / (2 * step)
    assert in_sigma == pytest.approx(slope, rel=1e-6)


@pytest.fixture(scope="module")
def pymc_model():
    """Give `pymc_model(design, width)`: the model with that data, its density, priors and slope, compiled once."""
    from nof1.model.nuts import _rows, _settings, build_model

    @cache
    def compiled(width, rows, settings):
        model = build_model(np.zeros(rows), np.ones(settings), width, 2)
        priors = model.compile_logp(vars=model.free_RVs, mode="FAST_COMPILE")
        return model, model.compile_logp(mode="FAST_COMPILE"), priors, model.compile_dlogp(mode="FAST_COMPILE")

    def with_data(design, width):
        data = {"rows": _rows(design, width), "settings": _settings(design.priors, 2)}
        functions = compiled(width, data["rows"].shape, data["settings"].shape)
        for shared in functions[0].data_vars:
            shared.set_value(data[shared.name])
        return functions

    return with_data


@pytest.mark.parametrize(
    ("outcome", "grain"), [(DEEP, 0.5), (LATENCY, 0.5), (LATENCY, 5.0)], ids=["deep_min", "sol_min", "rounded"]
)
@pytest.mark.parametrize("width", [12, 16])
def test_model_is_priors_and_nights_whatever_the_padding(pymc_model, outcome, grain, width):
    """The PyMC model's density is its priors plus the nights', periods padded or not, and has a finite slope."""
    nights, calendar = simulated_trial(seed=5, median=3.0 if grain < 5 else 12.0)
    nights = nights.with_columns(sol_min=(pl.col("sol_min") / grain).round() * grain)
    design = build_design(nights, calendar, outcome, arms=ARMS, exclude_flags=[])
    model, density, of_priors, slope = pymc_model(design, width)
    rng = np.random.default_rng(2)
    at = {v.name: rng.normal(0, 0.5, v.type.shape) for v in model.value_vars}
    at["intercept"] = np.asarray(design.priors["intercept"].location)
    at["period_raw"] = np.concatenate([np.linspace(-1, 1, 12), np.full(width - 12, 0.3)])
    assert density(at) - of_priors(at) == pytest.approx(nights_density(design, at), abs=1e-8)
    assert np.isfinite(slope(at)).all()


def nights_density(design, at):
    """The nights' density at a point of the unconstrained space, by SciPy alone."""
    from nof1.model.posterior import weekday_basis

    sigma, sigma_weekday, sigma_period = (np.exp(at[f"{n}_log__"]) for n in ("sigma", "sigma_weekday", "sigma_period"))
    rho = -0.9 + 1.8 / (1 + np.exp(-at["rho_interval__"]))
    mean = at["intercept"] + at["delta"] * arm_columns(2)[design.arm_index, 0] + at["trend"] * design.time
    mean = mean + sigma_weekday * (weekday_basis() @ at["weekday_raw"])[design.weekday]
    mean = mean + sigma_period * at["period_raw"][design.period]
    if design.measure.family == "gaussian":
        days = np.cumsum(design.gap)
        apart = np.abs(days[:, None] - days[None, :])
        return multivariate_normal(mean, sigma**2 * np.power(float(rho), apart)).logpdf(design.y)
    normal = norm(mean, sigma)
    minutes, half = np.exp(design.y), design.width / 2
    least, most = (np.log(np.maximum(minutes + side * half, 1e-9)) for side in (-1, 1))
    mass = np.where(least > mean, normal.sf(least) - normal.sf(most), normal.cdf(most) - normal.cdf(least))
    each = np.select(
        [design.censored < 0, design.censored > 0, half > 0],
        [normal.logcdf(design.y), normal.logsf(design.y), np.log(np.maximum(mass, 1e-300))],
        normal.logpdf(design.y),
    )
    return each.sum()


def test_weekday_effects_are_a_zero_sum_normal():
    """The weekday contrasts are orthonormal and sum to zero, which is what makes them PyMC's ZeroSumNormal."""
    from nof1.model.posterior import weekday_basis

    basis = weekday_basis()
    assert basis.T @ basis == pytest.approx(np.eye(6), abs=1e-12)
    assert basis @ basis.T == pytest.approx(np.eye(7) - 1 / 7, abs=1e-12)


def test_compiled_density_is_the_models(pymc_model):
    """What nutpie runs (Numba, lightly optimised) is the PyMC model's density and slope, whatever the data."""
    from nof1.model.nuts import _rows, _settings, compiled_model

    nights, calendar = simulated_trial(seed=5, median=3.0)
    designs = [build_design(nights, calendar, outcome, arms=ARMS, exclude_flags=[]) for outcome in (DEEP, LATENCY)]
    run = compiled_model(16, 2).function
    rng = np.random.default_rng(7)
    at = {v.name: rng.normal(0, 0.5, v.type.shape) for v in pymc_model(designs[0], 16)[0].value_vars}
    for design in designs:
        model, density, _, slope = pymc_model(design, 16)
        data = {"rows": _rows(design, 16), "settings": _settings(design.priors, 2)}
        for shared in run.get_shared():
            shared.set_value(data[shared.name])
        got_density, got_slope = run(np.concatenate([np.ravel(at[v.name]) for v in model.value_vars]))
        assert got_density == pytest.approx(density(at), rel=1e-10)
        assert got_slope == pytest.approx(slope(at), rel=1e-8, abs=1e-8)


def test_sampling_leaves_matplotlib_and_arviz_alone():
    """In a fresh process nutpie comes without ArviZ's plots, and ArviZ imported afterwards is the real one."""
    script = (
        "import sys; from nof1.model.sampler import _nutpie; n = _nutpie(); assert n.sample;"
        "assert 'matplotlib' not in sys.modules and 'arviz' not in sys.modules;"
        "import arviz; assert arviz.__version__"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
