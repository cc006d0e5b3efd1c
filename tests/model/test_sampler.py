"""Draws are read as they come, and are those that nutpie itself would tell."""

import numpy as np
import pytest
from tests.model.simulated import ARMS, DEEP, simulated_trial

from nof1.model.callbacks import POINT
from nof1.model.design import build_design
from nof1.model.nuts import _rows, _settings, _start, compiled_model
from nof1.model.sampler import STATISTICS, _nutpie, begin

WIDTH = 16
LENGTH = {"draws": 30, "tune": 40, "chains": 3, "seed": 5, "target_accept": 0.85}


@pytest.fixture(scope="module")
def asked():
    """The compiled model, its data, and where chains begin."""
    nights, calendar = simulated_trial(seed=3)
    design = build_design(nights, calendar, DEEP, arms=ARMS, exclude_flags=[])
    data = _settings(design.priors, 2), _rows(design, WIDTH)
    return compiled_model(WIDTH, 2), data, _start(design.priors, WIDTH, 2)


def test_what_is_read_is_what_nutpie_itself_reads(asked):
    """Every variable and statistic equals, draw by draw and without the warm-up, what nutpie's own reader gives."""
    compiled, data, start = asked
    read = begin(compiled, *data, start=start, **LENGTH).wait()
    told = _nutpie().sample(compiled.with_data(*data, start=start), progress_bar=False, save_warmup=False, **LENGTH)
    points = told["posterior"][POINT].to_numpy()
    assert points.shape == (3, 30, compiled.size)
    flat = np.concatenate([read.draws[name].reshape(3, 30, -1) for name in compiled.names], axis=-1)
    assert np.array_equal(flat, points)
    for name in STATISTICS:
        assert np.array_equal(read.stats[name].to_numpy(), told["sample_stats"][name].to_numpy()), name


def test_variables_have_their_shapes(asked):
    """A flat point is divided in the order of the model's variables, each in its own shape."""
    compiled, _, _ = asked
    points = np.arange(2 * compiled.size, dtype=float).reshape(2, compiled.size)
    parts = compiled.by_variable(points)
    assert tuple(parts) == compiled.names
    assert [part.shape[1:] for part in parts.values()] == list(compiled.shapes)
    assert parts["period_raw"].shape == (2, WIDTH)
    assert np.array_equal(np.concatenate([np.reshape(part, (2, -1)) for part in parts.values()], axis=1), points)


@pytest.mark.parametrize("diverging", [0, 1])
def test_one_diverging_step_is_told(asked, diverging):
    """Sound chains have not diverged; one step of one chain that did is enough."""
    compiled, data, start = asked
    read = begin(compiled, *data, start=start, **LENGTH).wait()
    read.stats["diverging"][:] = False
    read.stats["diverging"][1, 7] = bool(diverging)
    assert read.diverged == bool(diverging)
