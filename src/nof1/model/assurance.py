"""Assurance: what a design would tell, before anybody sleeps a night of it.

Trials whose truth is known are simulated, analysed by the exact engine and judged by the protocol's rules; the shares
of the verdicts are the chances. Of each trial's noise the part that lies along the effect is not drawn but integrated
over: it is normal and independent of the rest, and a trial with a minute more of effect is the same trial with the
effect's prior a minute lower, whose posterior needs no other integration. So one trial tells the verdicts at every
effect, and 80 of them as much as a thousand or more that are drawn whole.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nof1.model.exact import ROUGH, integrate
from nof1.model.linear import linear_trial, zero_sum_basis
from nof1.model.mixture import Mixture
from nof1.model.priors import Prior, Priors
from nof1.model.simulation import BASELINE, Noise, SimulatedTrial, simulate
from nof1.model.verdict import Probabilities, Verdict, decide, of_shares
from nof1.trial.protocol import AnalysisRules, Arm, Contrast, Design

Floats = NDArray[np.float64]

TRIALS: Final = 80
PLACES: Final = 40
"""Places along the effect at which each simulated trial is judged, equally likely all of them."""

TAIL: Final = 0.025
"""Probability on either side of a 95 % interval."""

BENEFIT: Final = ("meaningful_benefit", "benefit")
"""Verdicts that claim a benefit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the rules of one trial are: thresholds, the worthwhile change (None: none is claimed), the better side.

    `contrast` is what is compared; None: an arm with the reference.
    """

    rules: AnalysisRules
    worthwhile: float | None
    better: str = "higher"
    contrast: Contrast | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A chance and its Monte Carlo error (SD), which is never 0: what was not seen is not known to be impossible."""

    share: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """What would come of many trials of one design at one true effect.

    Parameters
    ----------
    effect
        The true one, arm − reference; None where each trial drew its own from the prior.
    verdicts
        Share of each verdict; they sum to 1. A verdict that is not here was never seen.
    benefit
        Share of the verdicts of `BENEFIT`.
    direction
        Share of trials with P(better) at the threshold of a benefit, whatever the size.
    covered
        Share of 95 % intervals that hold the truth.
    half_width
        Mean half width of the 95 % interval where the nights show just the effect.
    trials
        How many were simulated.
    """

    effect: float | None
    verdicts: Mapping["Verdict", Share]
    benefit: Share
    direction: Share
    covered: Share
    half_width: float
    trials: int

    def of(self, *verdicts: "Verdict") -> float:
        """Sum the shares of some verdicts."""
        return sum(self.verdicts[name].share for name in verdicts if name in self.verdicts)

    @property
    def largest_error(self) -> float:
        """The largest Monte Carlo error of a verdict's share."""
        return max(each.error for each in self.verdicts.values())


def chances(
    design: Design,
    arms: Sequence[Arm],
    priors: Priors,
    judgement: Judgement,
    *,
    effects: Sequence[float | None],
    noises: Sequence[Noise],
    seed: int,
) -> list[Chances]:
    """Say what verdicts a design would lead to about two of its arms, at each true effect.

    The same simulated trials serve every effect, so that effects differ by nothing but themselves.

    Parameters
    ----------
    arms
        The compared arm, its reference, then the others, which lie halfway between the two.
    effects
        True effects of the first arm; None draws each trial's own from the prior, which is the assurance proper.
    noises
        One for each trial: all alike, or drawn from what is known of the noise. Effects show at once, and nights are
        normal: `simulate` knows others.
    """
    if any(noise.build_up_nights or noise.heavy_tails for noise in noises):
        raise ValueError("chances are computed of effects that show at once, and of normal nights")
    simulated = [
        simulate(design, arms, noise, np.random.default_rng([seed, trial])) for trial, noise in enumerate(noises)
    ]
    along = [along_effect(trial, noise) for trial, noise in zip(simulated, noises, strict=True)]
    known = [effect for effect in effects if effect is not None]
    centre = (min(known) + max(known)) / 2 if known else priors["delta"].location
    to_centre = [trial.with_effect(centre - shown) for trial, (shown, _) in zip(simulated, along, strict=True)]
    moved = priors["intercept"].location - BASELINE
    laid_out = [linear_trial(replace(nights, y=nights.y + moved), priors) for nights in to_centre]
    told = [found.effect for found in integrate(laid_out, points=ROUGH)]
    errors = [error for _, error in along]
    return [
        _chances(told, errors, priors["delta"], judgement, effect=effect, centre=centre, seed=seed)
        for effect in effects
    ]


def along_effect(trial: SimulatedTrial, noise: Noise) -> tuple[float, float]:
    """Say how much of an effect the noise of a trial looks like, and the SD of that over many trials.

    It is the least-squares estimate under the noise as it truly is; what is left of the noise without it is
    independent of it, for the two are normal and uncorrelated.
    """
    nights = trial.nights
    drawn = nights.y - BASELINE - noise.trend * nights.time
    shared = [
        noise.sigma_period * (nights.period[:, None] == np.unique(nights.period)),
        noise.sigma_weekday * zero_sum_basis(7)[nights.weekday],
    ]
    columns = np.column_stack([*shared, trial.exposure, drawn]) / noise.sigma
    kept = np.power(noise.rho, np.diff(nights.day))[:, None]
    columns[1:] = (columns[1:] - kept * columns[:-1]) / np.sqrt(1 - kept**2)
    gram = columns.T @ columns
    inner = gram[:-2, :-2] + np.eye(len(gram) - 2)
    effect = (gram[-2:, -2:] - gram[-2:, :-2] @ np.linalg.solve(inner, gram[:-2, -2:]))[0]
    return float(effect[1] / effect[0]), 1 / sqrt(effect[0])


def _chances(
    told: Sequence[Mixture],
    errors: Sequence[float],
    prior: Prior,
    judgement: Judgement,
    *,
    effect: float | None,
    centre: float,
    seed: int,
) -> Chances:
    """Judge every trial at the places along one true effect.

    Parameters
    ----------
    told
        Posterior of the effect in each trial, where its nights show `centre`.
    errors
        SD of the effect that the noise of each trial looks like.
    """
    truth = (prior.location, prior.scale) if effect is None else (effect, 0.0)
    rng = np.random.default_rng([seed, len(told)])
    at = [_places(truth, error, rng) for error in errors]
    judged = [
        _judged(mixture, prior, judgement, shown - centre, true)
        for mixture, (shown, true) in zip(told, at, strict=True)
    ]
    seen = sorted(set().union(*(one.verdicts for one in judged)))
    by_trial = np.array([[one.verdicts[name] / PLACES for name in seen] for one in judged])
    return Chances(
        effect=effect,
        verdicts={name: _share(by_trial[:, place]) for place, name in enumerate(seen)},
        benefit=_share(by_trial[:, [name in BENEFIT for name in seen]].sum(axis=1)),
        direction=_share(np.array([one.direction for one in judged])),
        covered=_share(np.array([one.covered for one in judged])),
        half_width=float(np.mean([_half_width(mixture, prior, truth[0] - centre) for mixture in told])),
        trials=len(told),
    )


def _share(by_trial: Floats) -> Share:
    error = float(by_trial.std(ddof=1)) / sqrt(len(by_trial)) if len(by_trial) > 1 else 0.5
    return Share(float(by_trial.mean()), max(error, 1 / (PLACES * len(by_trial))))


def _places(truth: tuple[float, float], error: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Give the places at which one trial is judged: the effects that its nights show, and the true ones behind them.

    Parameters
    ----------
    truth
        Mean and SD of the true effect.
    error
        SD of what the nights show around it.
    """
    from scipy.special import ndtri

    mean, sd = truth
    spread = hypot(sd, error)
    away = spread * ndtri((np.arange(PLACES) + 0.5) / PLACES)
    true = mean + (sd / spread) ** 2 * away + sd * error / spread * rng.normal(size=PLACES)
    return mean + away, true


@dataclass(frozen=True, slots=True)
class _Judged:
    """One trial at all places: how often each verdict, and the shares of `Chances`."""

    verdicts: Counter[Verdict]
    direction: float
    covered: float


def _judged(mixture: Mixture, prior: Prior, judgement: Judgement, by: Floats, true: Floats) -> _Judged:
    """Judge a trial whose nights show so much more of an effect than in `mixture`, for every `by`."""
    bar, weights, means = judgement.worthwhile, *moved(mixture, prior, by)
    under, at_most, at_least, found = (
        _below(weights, means, mixture.sds, x) for x in (0.0, bar or 0.0, -(bar or 0.0), true[:, None])
    )
    up, down = (1 - under, 1 - at_most), (under, at_least)
    (better, much_better), (worse, much_worse) = (up, down) if judgement.better == "higher" else (down, up)
    rows = np.column_stack([better, much_better, worse, much_worse, at_most - at_least]).tolist()
    judged = [of_shares(*row, bar=bar) for row in rows]
    return _Judged(
        verdicts=Counter(decide(probability, judgement.rules, judgement.contrast) for probability in judged),
        direction=float(np.mean(better >= judgement.rules.benefit)),
        covered=float(np.mean((found > TAIL) & (found < 1 - TAIL))),
    )


def moved(mixture: Mixture, prior: Prior, by: Floats) -> tuple[Floats, Floats]:
    """Say what the posterior would be if the nights showed so much more of the effect, for every `by`.

    They are then the same nights under a prior that lies so much lower, seen from so much higher. That moves the means
    of the components and their weights, (by, component), and leaves their SDs.

    The weights change by the mean of the ratio of the two priors over each component.
    """
    own = (mixture.sds / prior.scale) ** 2
    step = by[:, None]
    log_ratio = (-step * (mixture.means - prior.location) - step**2 * (1 - own) / 2) / prior.scale**2
    weights = mixture.weights * np.exp(log_ratio - log_ratio.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True), mixture.means + step * (1 - own)


def _below(weights: Floats, means: Floats, sds: Floats, x: float | Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray((weights * ndtr((x - means) / sds)).sum(axis=1))


def _half_width(mixture: Mixture, prior: Prior, by: float) -> float:
    (weights,), (means,) = moved(mixture, prior, np.array([by]))
    low, high = Mixture(weights, means, mixture.sds).quantile([TAIL, 1 - TAIL])
    return float(high - low) / 2


def probabilities_of(effect: Mixture, judgement: Judgement) -> Probabilities:
    """Compute the probabilities that a verdict rests on, exactly."""
    gain = effect if judgement.better == "higher" else effect.negative
    better, bar = float(gain.above(0.0)), judgement.worthwhile
    at = bar or 0.0
    return of_shares(better, float(gain.above(at)), 1 - better, float(gain.below(-at)), gain.within(-at, at), bar=bar)
