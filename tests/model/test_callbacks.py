"""What nutpie calls is the PyMC model's density, and what comes back is on the scale of the priors."""

import ctypes
from dataclasses import replace

import numpy as np
import pytest
from tests.model.simulated import ARMS, DEEP, LATENCY, simulated_trial

from nof1.model import nuts
from nof1.model.design import build_design
from nof1.model.nuts import _rows, _settings, _start, build_model, compiled_model, constrained
from nof1.model.priors import RHO_LIMIT
from nof1.model.sampler import CAREFUL_ACCEPT, TARGET_ACCEPT

WIDTH = 16


def pointer(array):
    """The address of an array, as a C function takes it."""
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_double))


@pytest.fixture(scope="module", params=[DEEP, LATENCY], ids=["deep", "latency"])
def design(request):
    """Each outcome of one simulated trial."""
    nights, calendar = simulated_trial(seed=5, median=3.0)
    return build_design(nights, calendar, request.param, arms=ARMS, exclude_flags=[])


@pytest.fixture(scope="module")
def model(design):
    """The PyMC model with the design's data in it."""
    return build_model(_rows(design, WIDTH), _settings(design.priors, 2), WIDTH, 2)


def called(design, point):
    """Call the C callback as nutpie does: status, log density, gradient."""
    compiled = compiled_model(WIDTH, 2)
    ready = compiled.with_data(_settings(design.priors, 2), _rows(design, WIDTH), start=_start(design.priors, WIDTH, 2))
    gradient, value = np.zeros(compiled.size), np.zeros(1)
    data = ready.user_data.ctypes.data_as(ctypes.c_void_p)
    status = compiled.density.ctypes(compiled.size, pointer(point), pointer(gradient), pointer(value), data)
    return status, value[0], gradient


def test_the_callback_is_the_models_density(design, model):
    """At random points the callback gives the model's log density and slope to 1e-8, whatever the data."""
    density, slope = model.compile_logp(), model.compile_dlogp()
    rng = np.random.default_rng(7)
    for _ in range(5):
        at = {value.name: rng.normal(0, 0.5, value.type.shape) for value in model.continuous_value_vars}
        point = np.concatenate([np.ravel(at[name]) for name in compiled_model(WIDTH, 2).names])
        status, got_density, got_slope = called(design, point)
        assert status == 0
        assert got_density == pytest.approx(density(at), rel=1e-8)
        assert got_slope == pytest.approx(slope(at), rel=1e-8, abs=1e-8)


def test_data_of_another_shape_are_refused(design):
    """The callback reads raw memory, so what does not fit never reaches it."""
    compiled = compiled_model(WIDTH, 2)
    rows, settings, start = _rows(design, WIDTH), _settings(design.priors, 2), _start(design.priors, WIDTH, 2)
    for vector, matrix in ((settings[:3], rows), (settings, rows[:, :3]), (settings, rows[0])):
        with pytest.raises(AssertionError, match="do not fit"):
            compiled.with_data(vector, matrix, start=start)


def test_a_step_out_of_the_support_is_said(design):
    """Where the density is not finite the callback says so, and does not pretend."""
    compiled = compiled_model(WIDTH, 2)
    point = np.zeros(compiled.size)
    point[compiled.names.index("sigma_log__")] = 800.0
    assert called(design, point)[0] != 0


def test_draws_come_back_as_pymc_transforms_them(model):
    """The hand-written inverse transforms are those of the model."""
    rng = np.random.default_rng(3)
    raw = {value.name: rng.normal(0, 1, value.type.shape) for value in model.continuous_value_vars}
    back = constrained(raw)
    for variable in model.free_RVs:
        transform = model.rvs_to_transforms[variable]
        value = raw[model.rvs_to_values[variable].name]
        expected = value if transform is None else transform.backward(value, *variable.owner.inputs).eval()
        assert back[variable.name] == pytest.approx(expected, rel=1e-12)
    assert abs(back["rho"]) < RHO_LIMIT


def test_chains_begin_around_the_priors(design):
    """Each chain begins within one of the centre in every direction, and no two at the same place."""
    compiled = compiled_model(WIDTH, 2)
    centre = _start(design.priors, WIDTH, 2)
    ready = compiled.with_data(_settings(design.priors, 2), _rows(design, WIDTH), start=centre)
    middle = np.concatenate([np.ravel(centre[name]) for name in compiled.names])
    points = [ready.initial_point_func(seed) for seed in range(4)]
    assert all(np.all(np.abs(point - middle) <= 1) for point in points)
    assert len({point.tobytes() for point in points}) == len(points)


class Diverging:
    """A sampler whose first draw is marked as divergent, everything else as it came."""

    def __init__(self, sampler):
        self.sampler = sampler

    def wait(self):
        """Give the draws, one of them marked."""
        sampled = self.sampler.wait()
        stats = sampled.stats.copy(deep=True)
        stats["diverging"][0, 0] = True
        return replace(sampled, stats=stats)


def test_a_fit_with_divergences_is_made_once_more_with_smaller_steps(design, monkeypatch):
    """One divergence does not end a trial: the fit is made again, and the gate judges the second one."""
    begin, accepts = nuts._begin, []

    def first_diverges(*arguments, target_accept, **others):
        accepts.append(target_accept)
        sampler = begin(*arguments, target_accept=target_accept, **others)
        return Diverging(sampler) if len(accepts) == 1 else sampler

    monkeypatch.setattr(nuts, "_begin", first_diverges)
    fitted = nuts.fit([design], seed=1, draws=200, tune=300)[design.measure.name]
    assert accepts == [TARGET_ACCEPT, CAREFUL_ACCEPT]
    assert not fitted["sample_stats"]["diverging"].any()
