"""A drift that may bend: a smooth curve over the whole trial, beside the straight one.

The curve is a cubic B-spline with one knot in the middle. Its five heights are a random walk, each step Normal(0,
σ_drift), so that where it lies is left to the intercept and four steps remain. How large the steps are is learned:
without any the model is the registered one, whose straight trend stays.
"""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.design import AnalysisDesign
from nof1.model.linear import LinearTrial, TrialNights, linear_trial

DEGREE: Final = 3
STEPS: Final = 4
"""One fewer than the spline has heights."""

DRIFT: Final = "sigma_drift"
SHARE: Final = 0.5
"""σ_drift ~ HalfNormal of this share of the trend's prior SD: of 5 minutes for deep sleep. Four such steps drift as far
as the straight trend may."""


def smooth_trend(design: AnalysisDesign) -> LinearTrial:
    """Lay out a Gaussian outcome with a drift that may bend."""
    nights = replace(TrialNights.of(design), grouped=MappingProxyType({DRIFT: spline_steps(design.time)}))
    trend = design.priors["trend"]
    steps = replace(trend, name=DRIFT, distribution="HalfNormal", location=0.0, scale=SHARE * trend.scale)
    return linear_trial(nights, MappingProxyType({**design.priors, DRIFT: steps}))


def spline_steps(time: NDArray[np.float64]) -> NDArray[np.float64]:
    """(night, STEPS): the height of the spline at a time from −½ to ½ after each step; the first height is 0."""
    from scipy.interpolate import BSpline

    knots = np.concatenate([np.full(DEGREE + 1, -0.5), [0.0], np.full(DEGREE + 1, 0.5)])
    heights = BSpline.design_matrix(time, knots, DEGREE).toarray()
    return np.asarray(np.cumsum(heights[:, ::-1], axis=1)[:, ::-1][:, 1:])
