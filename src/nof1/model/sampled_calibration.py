"""Simulation-based calibration of the sampled models: trials drawn from the priors, fitted as a person's are.

Of deep sleep; of a latency that is only known to be at most the device's grain, or longer than the time in bed, and in
every second trial is told in steps of five minutes; and of one that many nights are without. What is drawn goes the
whole way of an analysis, from nights and calendar through the design to the draws.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nof1.model.calibration import ARMS, DESIGNS
from nof1.model.design import EXACT, LEFT, RIGHT, AnalysisDesign, build_design
from nof1.model.hurdle import log_share_above, prior_log_odds
from nof1.model.priors import priors_for
from nof1.model.ranks import DRAWS, Shares, World, from_priors, log_likelihood, rank_among
from nof1.model.simulation import PriorTrial
from nof1.trial.allocation import ALGORITHM_VERSION, Allocation
from nof1.trial.protocol import Design, Outcome
from nof1.trial.schedule import calendar, schedule

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the models: that of an outcome; of a latency also the one of nights without any."""

    name: str
    outcome: Outcome
    hurdle: bool = False


DEEP: Final = Outcome(measure="deep_min", role="primary", better="higher", worthwhile=10.0)
LATENCY: Final = Outcome(measure="sol_min", role="secondary", better="lower", worthwhile=10.0, worthwhile_ratio=0.8)
KINDS: Final = (Kind("deep_min", DEEP), Kind("sol_min", LATENCY), Kind("sol_min, zeros", LATENCY, hurdle=True))

MONDAY: Final = date(2026, 1, 5)

GRAIN: Final = 1.0
"""Minutes; a latency of up to that is only known to be at most that."""

STEP: Final = 5.0
"""Minutes to which a diary rounds the latencies of every second trial."""

TIME_IN_BED: Final = 92.5
"""Minutes. So short that some nights of many trials pass without sleep, and are only known to be longer; between two
steps, so that no night is rounded beyond it."""

SAMPLED: Final = 1_000
TUNED: Final = 500
CHAINS: Final = 2
"""Of which every twentieth draw is ranked among: they are as good as independent."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A trial with the truth behind it.

    Parameters
    ----------
    log_odds
        (arm,) of a night without any latency; None where there are none such.
    zero
        (night_used,) which nights are without.
    """

    trial: PriorTrial
    log_odds: Floats | None
    zero: NDArray[np.bool_]


def sampled_ranks(
    kind: Kind,
    *,
    trials: int,
    seed: int,
    design: Design = DESIGNS[1],
    world: World = from_priors,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Shares]:
    """Draw trials from the priors, sample the posterior of each, and rank the truth among its draws.

    Parameters
    ----------
    world
        Another than the priors' own, to see that the check can fail.
    progress
        Told which trial begins.
    """
    told = []
    for place, (one, laid_out) in zip(range(trials), _analysable(kind, design, world, seed), strict=False):
        progress(f"{kind.name}: trial {place + 1} of {trials}")
        told.append(_ranked(one, laid_out, [seed, place, 2]))
    return [Shares("NUTS", kind.name, name, np.array([one[name] for one in told])) for name in told[0]]


def _analysable(kind: Kind, design: Design, world: World, seed: int) -> Iterator[tuple[Drawn, AnalysisDesign]]:
    """Draw trials without end; those that no analysis would take, or would take for another model, are left out.

    No night has less than no deep sleep; a latency that is mostly the grain is refused, one with more zeros than a
    log-normal expects is taken for another model, and of a few values nobody sees that they were rounded. A choice that
    looks at the nights only, and not at the truth, leaves ranks uniform: the posterior is right for every set of nights
    by itself.
    """
    priors = priors_for(kind.outcome.measure, baseline=None)
    for place in count():
        one = _with_zeros(kind, world(design, priors, np.random.default_rng([seed, place])), [seed, place, 3])
        if kind.outcome == DEEP and one.trial.nights.y.min() < 0:
            continue
        step = STEP if kind.outcome == LATENCY and not kind.hurdle and place % 2 else 0.0
        laid_out = design_of(kind.outcome, design, one, step=step)
        is_kind = laid_out.has_hurdle == kind.hurdle and (laid_out.width == step).all()
        if laid_out.why_not_usable is None and is_kind:
            yield one, laid_out


def _with_zeros(kind: Kind, one: PriorTrial, seed: list[int]) -> Drawn:
    """Leave some nights without any latency, as the priors of the hurdle have it."""
    if not kind.hurdle:
        return Drawn(one, None, np.zeros(len(one.own), dtype=np.bool_))
    rng = np.random.default_rng(seed)
    priors = priors_for(kind.outcome.measure, baseline=None)
    log_odds = prior_log_odds(priors, len(one.nights.arms), 1, seed=int(rng.integers(2**32)))[0]
    share = 1 / (1 + np.exp(-log_odds[one.nights.arm]))
    return Drawn(one, log_odds, rng.random(len(share)) < share)


def design_of(outcome: Outcome, design: Design, drawn: Drawn, *, step: float = 0.0) -> AnalysisDesign:
    """Lay a simulated trial out as an analysis does: its nights as an export tells them, none of them of the run-in.

    Parameters
    ----------
    step
        Minutes to which latencies are rounded; 0 for none.
    """
    one = drawn.trial
    begin = MONDAY + timedelta(days=int(one.nights.weekday[0] - one.nights.day[0]) % 7)
    allocation = Allocation(design.scheme, ALGORITHM_VERSION, "", one.sequence)
    planned = schedule(allocation, design, begin - timedelta(days=design.run_in_nights))
    return build_design(
        _nights(outcome, drawn, begin, step),
        calendar(planned),
        outcome,
        arms=[arm.code for arm in ARMS],
        exclude_flags=[],
        grain_min=GRAIN,
    )


def _nights(outcome: Outcome, drawn: Drawn, begin: date, step: float) -> pl.DataFrame:
    """The columns of `nof1.sleep.nights.Nights` that an analysis reads.

    Where nights are without any latency, those that have one have more than the grain, as the model takes it.
    """
    one = drawn.trial
    value = one.nights.y if outcome.measure == "deep_min" else np.exp(one.nights.y)
    slept = value < TIME_IN_BED if outcome.measure == "sol_min" else np.full(len(value), fill_value=True)
    value = np.round(value / step) * step if step else value
    if drawn.log_odds is not None:
        value = np.where(drawn.zero, 0.0, np.maximum(value, np.nextafter(GRAIN, np.inf)))
        slept = slept | drawn.zero
    return pl.DataFrame(
        {
            "night": [begin + timedelta(days=int(day)) for day in one.nights.day],
            outcome.measure: [float(minutes) if asleep else None for minutes, asleep in zip(value, slept, strict=True)],
            "tib_min": [TIME_IN_BED] * len(value),
            "tst_min": np.where(slept, TIME_IN_BED / 2, 0.0),
            "sol_source": ["in_bed"] * len(value),
            "flags": [[]] * len(value),
        },
        schema_overrides={outcome.measure: pl.Float64, "flags": pl.List(pl.String)},
    )


def _ranked(one: Drawn, design: AnalysisDesign, seed: list[int]) -> dict[str, float]:
    from nof1.model.nuts import fit

    rng = np.random.default_rng(seed)
    tree = fit([design], seed=int(rng.integers(2**32)), draws=SAMPLED, tune=TUNED, chains=CHAINS)[design.measure.name]
    posterior = tree["posterior"].to_dataset()
    names = {"effect": "delta"} | {name: name for name in ("rho", "sigma", "sigma_period") if name in posterior}
    truth = {**one.trial.truth, "delta": _effect(one)}
    told = {name: rank_among(_thinned(posterior[of]), truth[of], rng) for name, of in names.items()}
    if one.log_odds is not None:
        of_arms = [_thinned(posterior["zero_share"].isel(arm=arm)) for arm in (0, 1)]
        log_odds = [np.log(share) - np.log1p(-share) for share in of_arms]
        told["zeros on the reference"] = rank_among(log_odds[1], one.log_odds[1], rng)
        apart = one.log_odds[0] - one.log_odds[1]
        told["zeros between the arms"] = rank_among(log_odds[0] - log_odds[1], apart, rng)
    drawn = _thinned(tree["log_likelihood"].to_dataset()["y"].sum("night_used"))
    return told | {"log likelihood": rank_among(drawn, true_log_likelihood(one, design), rng)}


def _thinned(draws: "xr.DataArray") -> Floats:
    """(chain, draw) → (`DRAWS`,), as far apart from each other as they can be."""
    every = draws.transpose("chain", "draw").to_numpy()
    return np.asarray(every[:, every.size // DRAWS - 1 :: every.size // DRAWS].ravel())


def _effect(one: Drawn) -> float:
    """Give the true difference; where nights are without any latency that of all nights' averages, as a log ratio."""
    between = 0.0 if one.log_odds is None else float(-np.diff(log_share_above(one.log_odds))[0])
    return one.trial.truth["delta"] + between


def true_log_likelihood(drawn: Drawn, design: AnalysisDesign) -> float:
    """Sum the log likelihood of a design's nights at the truth; of a latency by other code than the model's."""
    one, sigma = drawn.trial, drawn.trial.truth["sigma"]
    if design.measure.family == "gaussian":
        return float(log_likelihood(one.nights, one.own, sigma=np.array(sigma), rho=np.array(one.truth["rho"])))
    from scipy.stats import norm

    noise, y, censored = norm(one.nights.y - one.own, sigma), design.y, design.censored
    rounded = (censored == EXACT) & (design.width > 0)
    half = np.where(rounded, design.width / 2, 0.0)
    within = noise.cdf(np.log(np.exp(y) + half)) - noise.cdf(np.log(np.exp(y) - half))
    log_within = np.log(np.where(rounded, within, 1.0))
    kinds, told = [censored == LEFT, censored == RIGHT, rounded], [noise.logcdf(y), noise.logsf(y), log_within]
    of_night = np.select(kinds, told, noise.logpdf(y))
    if drawn.log_odds is not None:
        share = 1 / (1 + np.exp(-drawn.log_odds[one.nights.arm]))
        of_night = np.where(drawn.zero, np.log(share), np.log1p(-share) + of_night)
    return float(of_night.sum())
