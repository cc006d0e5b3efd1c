"""The density of the nights, against what it must equal."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.special import erfc, log_ndtr
from scipy.stats import multivariate_normal, norm
from tests.model.simulated import ARMS, DEEP, LATENCY, simulated_trial

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
        residual, before, carry=carry, gap=gap, censored=censored, sigma=sigma, rho=rho, xp=pt, erfc=pt.erfc
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
        y - mean, before, carry=carry, gap=gap, censored=censored, sigma=17.0, rho=-0.3, xp=np, erfc=erfc
    )
    assert terms.sum() == pytest.approx(symbolic(y, mean, 17.0, -0.3, gap, carry, censored)[0], abs=1e-10)


def test_censored_nights_have_the_mass_of_their_side():
    """A latency of at most x has the normal mass below it, one of at least x the mass above it, as SciPy says."""
    residual = np.array([-1.3, 0.4, 2.2, -0.2])
    censored = np.array([-1, 1, 0, 1])
    terms = log_density(
        residual, 0 * residual, carry=0.0, gap=1, censored=censored, sigma=0.7, rho=0.2, xp=np, erfc=erfc
    )
    normal = norm(0, 0.7)
    expected = [normal.logcdf(-1.3), normal.logsf(0.4), normal.logpdf(2.2), normal.logsf(-0.2)]
    assert terms == pytest.approx(expected, abs=1e-10)


def test_normal_tail_is_right_and_finite_everywhere():
    """log Φ is SciPy's from 60 SDs below to 8 above, and so is its slope."""
    import pytensor
    import pytensor.tensor as pt

    z = np.concatenate([np.linspace(-60, 8, 500), [-20.0, -19.999999, -20.000001]])
    symbol = pt.dvector("z")
    value = log_normal_cdf(symbol, xp=pt, erfc=pt.erfc)
    compiled = pytensor.function([symbol], [value, pt.grad(value.sum(), symbol)], mode="FAST_COMPILE")
    got, slope = compiled(z)
    assert got == pytest.approx(log_ndtr(z), rel=1e-9)
    away = np.abs(z + 20) > 1e-3
    expected = np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(z))
    assert slope[away] == pytest.approx(expected[away], rel=1e-7)


@pytest.mark.parametrize("outcome", [DEEP, LATENCY], ids=["deep_min", "sol_min"])
@pytest.mark.parametrize("width", [12, 16])
def test_model_is_priors_and_nights_whatever_the_padding(outcome, width):
    """The PyMC model's density is its priors plus the nights', periods padded or not, and has a finite slope."""
    from nof1.model.nuts import _rows, _settings, build_model

    nights, calendar = simulated_trial(seed=5, median=3.0)
    design = build_design(nights, calendar, outcome, arm=ARMS[0], reference=ARMS[1], exclude_flags=[])
    model = build_model(_rows(design, width), _settings(design.priors), width)
    rng = np.random.default_rng(2)
    at = {v.name: rng.normal(0, 0.5, v.type.shape) for v in model.value_vars}
    at["intercept"] = np.asarray(design.priors["intercept"].location)
    at["period_raw"] = np.concatenate([np.linspace(-1, 1, 12), np.full(width - 12, 0.3)])
    model_density = model.compile_logp(mode="FAST_COMPILE")(at)
    priors = model.compile_logp(vars=model.free_RVs, mode="FAST_COMPILE")(at)
    assert model_density - priors == pytest.approx(nights_density(design, at), abs=1e-8)
    assert np.isfinite(model.compile_dlogp(mode="FAST_COMPILE")(at)).all()


def nights_density(design, at):
    """The nights' density at a point of the unconstrained space, by SciPy alone."""
    from nof1.model.posterior import weekday_basis

    sigma, sigma_weekday, sigma_period = (np.exp(at[f"{n}_log__"]) for n in ("sigma", "sigma_weekday", "sigma_period"))
    rho = -0.9 + 1.8 / (1 + np.exp(-at["rho_interval__"]))
    mean = at["intercept"] + at["delta"] * design.half_arm + at["trend"] * design.time
    mean = mean + sigma_weekday * (weekday_basis() @ at["weekday_raw"])[design.weekday]
    mean = mean + sigma_period * at["period_raw"][design.period]
    if design.measure.family == "gaussian":
        days = np.cumsum(design.gap)
        apart = np.abs(days[:, None] - days[None, :])
        return multivariate_normal(mean, sigma**2 * np.power(float(rho), apart)).logpdf(design.y)
    normal = norm(mean, sigma)
    each = np.select(
        [design.censored < 0, design.censored > 0],
        [normal.logcdf(design.y), normal.logsf(design.y)],
        normal.logpdf(design.y),
    )
    return each.sum()


def test_weekday_effects_are_a_zero_sum_normal():
    """The weekday contrasts are orthonormal and sum to zero, which is what makes them PyMC's ZeroSumNormal."""
    from nof1.model.posterior import weekday_basis

    basis = weekday_basis()
    assert basis.T @ basis == pytest.approx(np.eye(6), abs=1e-12)
    assert basis @ basis.T == pytest.approx(np.eye(7) - 1 / 7, abs=1e-12)


def test_compiled_density_is_the_models():
    """What nutpie runs (Numba, lightly optimised) is the PyMC model's density and slope, whatever the data."""
    from nof1.model.nuts import _rows, _settings, build_model, compiled_model

    nights, calendar = simulated_trial(seed=5, median=3.0)
    designs = [
        build_design(nights, calendar, outcome, arm=ARMS[0], reference=ARMS[1], exclude_flags=[])
        for outcome in (DEEP, LATENCY)
    ]
    run = compiled_model(16).function
    model = build_model(_rows(designs[0], 16), _settings(designs[0].priors), 16)
    density, slope = (compiled(mode="FAST_COMPILE") for compiled in (model.compile_logp, model.compile_dlogp))
    rng = np.random.default_rng(7)
    at = {v.name: rng.normal(0, 0.5, v.type.shape) for v in model.value_vars}
    for design in designs:
        data = {"rows": _rows(design, 16), "settings": _settings(design.priors)}
        for shared in [*run.get_shared(), *model.data_vars]:
            shared.set_value(data[shared.name])
        got_density, got_slope = run(np.concatenate([np.ravel(at[v.name]) for v in model.value_vars]))
        assert got_density == pytest.approx(density(at), rel=1e-10)
        assert got_slope == pytest.approx(slope(at), rel=1e-8, abs=1e-8)


def test_sampling_leaves_matplotlib_and_arviz_alone():
    """In a fresh process nutpie comes without ArviZ's plots, and ArviZ imported afterwards is the real one."""
    script = (
        "import sys; from nof1.model.nuts import _nutpie; n = _nutpie(); assert n.sample;"
        "assert 'matplotlib' not in sys.modules and 'arviz' not in sys.modules;"
        "import arviz; assert arviz.__version__"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
