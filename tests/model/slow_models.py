"""What the tests of the slow models share: their density as nutpie calls it, and their priors by SciPy."""

import ctypes
from math import log

import numpy as np
from scipy.stats import halfnorm, lognorm, norm, truncnorm

from nof1.model.arms import arm_coefficients, arm_locations
from nof1.model.nuts import _adjustments
from nof1.model.posterior import weekday_basis
from nof1.model.priors import RHO_LIMIT, RHO_SD


def _pointer(array):
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_double))


def random_point(compiled, seed):
    """Values of every variable of a compiled model, by name, on the scale on which the sampler moves."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(0, 0.5, shape) for name, shape in zip(compiled.names, compiled.shapes, strict=True)}


def compiled_density(compiled, vector, matrix, at):
    """The compiled log density and its slope at a point, as nutpie asks for them."""
    ready = compiled.with_data(vector, matrix, start=at)
    point = np.concatenate([np.ravel(at[name]) for name in compiled.names])
    slope, value = np.zeros(compiled.size), np.zeros(1)
    data = ready.user_data.ctypes.data_as(ctypes.c_void_p)
    status = compiled.density.ctypes(compiled.size, _pointer(point), _pointer(slope), _pointer(value), data)
    assert status == 0
    assert np.isfinite(slope).all()
    return value[0]


def constrained_at(at, prefix=""):
    """Turn one outcome's values back from the scale of the sampler."""
    own = {name.removeprefix(prefix): value for name, value in at.items() if name.startswith(prefix)}
    told = {name.removesuffix("_log__"): np.exp(value) for name, value in own.items() if name.endswith("_log__")}
    if "rho_interval__" in own:
        told["rho"] = RHO_LIMIT * np.tanh(own["rho_interval__"] / 2)
    return own | told


def expected_at(design, values):
    """What is expected of every used night, written out."""
    columns = zip(arm_coefficients(len(design.arms)), _arm_columns(design).T, strict=True)
    return (
        values["intercept"]
        + values["trend"] * design.time
        + sum(values[name] * column for name, column in columns)
        + (weekday_basis() @ values["weekday_raw"] * values["sigma_weekday"])[design.weekday]
        + (values["period_raw"] * values["sigma_period"])[design.period]
    )


def _arm_columns(design):
    return np.where(design.arm_index == 0, 0.5, -0.5)[:, None]


def prior_at(design, at, prefix=""):
    """The log prior density of one outcome's own variables on the scale of the sampler, by SciPy; two arms."""
    values, priors = constrained_at(at, prefix), design.priors
    assert not _adjustments(len(design.covariates))
    locations = dict(zip(arm_coefficients(2), arm_locations(priors, 2), strict=True))
    told = sum(
        norm(locations.get(name, priors[name].location), priors[name].scale).logpdf(values[name])
        for name in ("intercept", "delta", "trend")
    )
    told += norm.logpdf(values["weekday_raw"]).sum() + norm.logpdf(values["period_raw"]).sum()
    sigma = lognorm(priors["sigma"].scale, scale=np.exp(priors["sigma"].location))
    told += sigma.logpdf(values["sigma"]) + np.log(values["sigma"])
    for name in ("sigma_weekday", "sigma_period"):
        told += halfnorm(scale=priors[name].scale).logpdf(values[name]) + np.log(values[name])
    if "rho" not in values:
        return told
    edge = RHO_LIMIT / RHO_SD
    slope = log(RHO_LIMIT / 2) - 2 * np.log(np.cosh(at[f"{prefix}rho_interval__"] / 2))
    return told + truncnorm(-edge, edge, scale=RHO_SD).logpdf(values["rho"]) + slope
