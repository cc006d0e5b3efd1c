"""Whole trials, one by one, through everything that an analysis goes through: what a plan is held against."""

from collections import Counter
from datetime import timedelta

import numpy as np
from tests.model.simulated import ARMS, DEEP, FIRST, RULES, ar1, nights_of

from nof1.model.design import build_design
from nof1.model.sensitivity import exactly
from nof1.trial.allocation import allocate
from nof1.trial.protocol import Arm
from nof1.trial.schedule import calendar, schedule

TWO_ARMS = (Arm(code=ARMS[0], label="magnesium"), Arm(code=ARMS[1], label="placebo", reference=True))


def lived(design, noise, rng):
    """Calendar, minutes without an effect, and the share of an effect that each night of the calendar shows."""
    first = FIRST + timedelta(days=int(rng.integers(7)))
    planned = calendar(schedule(allocate(design, TWO_ARMS, rng.bytes(32)), design, first))
    period = planned["period"].fill_null(0).to_numpy()
    weekday = planned["night"].dt.weekday().to_numpy() - 1
    of_weekday = rng.normal(size=7)
    deep = 85 + noise.sigma * ar1(rng, planned.height, noise.rho)
    deep = deep + noise.sigma_period * rng.normal(size=period.max() + 1)[period]
    deep = deep + noise.sigma_weekday * (of_weekday - of_weekday.mean())[weekday]
    arm = planned["arm"].fill_null("").to_numpy()
    return planned, deep, np.select([arm == code for code in ARMS], [0.5, -0.5], 0.0)


def analysed_one_by_one(design, noise, effects, *, trials, seed):
    """Shares of verdicts, and the mean half width of the 95 % interval, at each true effect."""
    verdicts = {effect: Counter() for effect in effects}
    widths = {effect: [] for effect in effects}
    for trial in range(trials):
        planned, deep, shows = lived(design, noise, np.random.default_rng([seed, trial]))
        for effect in effects:
            rng = np.random.default_rng([seed, trial, 1])
            nights = nights_of(planned, deep + effect * shows, np.full(len(deep), 20.0), rng=rng, missing=noise.missing)
            laid_out = build_design(nights, planned, DEEP, arms=ARMS, exclude_flags=["short"])
            told = exactly(laid_out, laid_out.contrasts[0], RULES)
            verdicts[effect][told.verdict] += 1
            widths[effect].append((told.effect.ci95[1] - told.effect.ci95[0]) / 2)
    shares = {effect: {name: seen / trials for name, seen in verdicts[effect].items()} for effect in effects}
    return {effect: (shares[effect], float(np.mean(widths[effect]))) for effect in effects}


def apart(planned, shares, trials, names):
    """How many errors a plan's share of some verdicts lies from that of so many whole trials."""
    foretold = sum(planned.verdicts[name].share for name in names if name in planned.verdicts)
    own = sum(planned.verdicts[name].error for name in names if name in planned.verdicts)
    counted = sum(shares.get(name, 0.0) for name in names)
    pooled = min(max((foretold + counted) / 2, 1 / trials), 1 - 1 / trials)
    return (foretold - counted) / np.sqrt(pooled * (1 - pooled) / trials + own**2)
