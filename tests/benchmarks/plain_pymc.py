"""What anybody would write: the same two models, `pm.sample` with its defaults. Run on a study, in its own process."""

import sys

import numpy as np
import pymc as pm
import pytensor.tensor as pt

import nof1
from nof1.model.arms import arm_columns
from nof1.model.design import build_design
from nof1.study.trials import read_trial


def linear(design):
    """The expectation of every used night."""
    prior = design.priors
    normal = [pm.Normal(n, prior[n].location, prior[n].scale) for n in ("intercept", "delta", "trend")]
    weekday = pm.ZeroSumNormal("weekday_raw", shape=7) * pm.HalfNormal("sigma_weekday", prior["sigma_weekday"].scale)
    period = pm.Normal("period_raw", shape=len(design.periods))
    period = period * pm.HalfNormal("sigma_period", prior["sigma_period"].scale)
    fixed = normal[0] + normal[1] * arm_columns(2)[design.arm_index, 0] + normal[2] * design.time
    return fixed + weekday[design.weekday] + period[design.period]


def main():
    """Sample both outcomes of the trial."""
    study = nof1.open_study(sys.argv[1])
    with study.record() as record:
        trial = read_trial(study, record)
    nights, rules = nof1.read_nights(study), trial.protocol.sleep
    deep, latency = (
        build_design(nights, trial.calendar(), outcome, arms=("magnesium", "none"), exclude_flags=rules.exclude_flags)
        for outcome in trial.protocol.outcomes
    )
    with pm.Model():
        mean = linear(deep)
        sigma = pm.LogNormal("sigma", np.log(19), 0.4)
        rho = pm.TruncatedNormal("rho", 0, 0.4, lower=-0.9, upper=0.9)
        phi = pt.concatenate([pt.zeros(1), rho ** deep.gap[1:]])
        before = pt.concatenate([pt.zeros(1), (deep.y - mean)[:-1]])
        pm.Normal("y", mean + phi * before, sigma * pt.sqrt(1 - phi**2), observed=deep.y)
        pm.sample(chains=4, random_seed=1, progressbar=False)
    with pm.Model():
        sigma = pm.LogNormal("sigma", np.log(0.65), 0.3)
        uncensored = pm.Normal.dist(linear(latency), sigma)
        pm.Censored("y", uncensored, lower=np.log(latency.censored_below), upper=None, observed=latency.y)
        pm.sample(chains=4, random_seed=1, progressbar=False)


if __name__ == "__main__":
    main()
