"""The plan of a trial: what its design would tell at some true effects, and how many blocks it would take.

A latency is planned in log minutes, so that its effects are log ratios; nights at the device's grain count as known.

========== =============================================================================================================
none       no effect
published  the effect on slow-wave sleep that was published, as far as the device shows it
worthwhile the protocol's worthwhile change
large      twice that
prior      drawn anew in each trial from the prior: the chance of each verdict before anything is known
========== =============================================================================================================
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, log, sqrt
from statistics import NormalDist
from types import MappingProxyType
from typing import Final

from nof1.model.assurance import Chances, Judgement, Share, chances
from nof1.model.priors import Priors
from nof1.model.simulation import Noise
from nof1.sleep.measures import MEASURES
from nof1.trial.contradictions import FEWEST_ARMS, MOST_STATES
from nof1.trial.protocol import Arm, Design
from nof1.trial.scheme import SCHEMES

HELD_MIN: Final = 6.4
"""Minutes of slow-wave sleep in the laboratory that up to 30 mmol of magnesium a day added to 10.1, in twelve people of
60 to 80 years: Held 2002, doi:10.1055/s-2002-33195."""

SLOPES: Final[Mapping[str, tuple[str, float]]] = MappingProxyType(
    {
        "apple/Apple Watch": ("Apple Watch Series 8", 0.48),
        "fitbit/": ("Fitbit Sense 2", 0.54),
        "oura/": ("Oura Ring 3", 0.71),
    }
)
"""Minutes by which a device's deep sleep moves when one minute of light sleep becomes one of N3, by how the name of the
stream begins: P(deep | N3) − P(deep | light) of Robbins 2024, Sensors 24:6532, PMC11511193, table 2."""

BEST_SLOPE: Final = max(slope for _, slope in SLOPES.values())

MAH_MIN: Final = -17.36
MAH_PLACEBO_MIN: Final = 84.0
"""Minutes of latency on magnesium − on placebo in a meta-analysis of two trials, and the longer of their latencies on
placebo, 35 and 84: Mah & Pitre 2021, doi:10.1186/s12906-021-03297-z. People who fall asleep sooner have fewer minutes
to lose, so that only a ratio can be taken over; of those possible, 0.50 to 0.79, the smallest change."""

DETECTS: Final = 0.5
"""Chance that P(better) reaches what a benefit needs, whatever the size, from which a design is said to detect an
effect: below, it rather misses it."""

AIM: Final = 0.8
"""The chance of a benefit that the number of blocks is asked for."""

BEYOND: Final = 1.5
"""Of the worthwhile change: at which true effect. At the change itself half of all results fall short of it, however
many nights there are, so that no number of blocks would give 80 %."""

MOST_BLOCKS: Final = 24
"""More are not looked at: of pairs of ten nights they take 16 months."""

SEARCH_TRIALS: Final = 40
"""Simulated trials of each number of blocks that is tried."""

STEPS: Final = 5
"""Numbers of blocks that are tried at most; two or three settle it."""

HALVINGS: Final = 40
"""Of six powers of ten: more than the numbers are good for."""

SEED: Final = 20261123
"""Fixed, so that the same plan has the same numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The published effect on one device.

    Parameters
    ----------
    published
        Minutes of slow-wave sleep by polysomnography; of a latency, the ratio by a diary.
    device
        Whose share was taken; None where that of the device is not known, and the largest known one stands for it.
    share
        How much of a change the device shows; of a ratio all.
    effect
        Device minutes, or log minutes, by which the better side is better.
    """

    published: float
    device: str | None
    share: float
    effect: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Enough:
    """How many blocks give a chance of `AIM` of a benefit.

    Parameters
    ----------
    effect
        The true effect, arm − reference.
    most
        More were not looked at.
    blocks
        None: more than `most`.
    nights
        On an arm, of so many blocks.
    chance
        Of a benefit with so many blocks.
    """

    effect: float
    most: int
    blocks: int | None
    nights: int | None
    chance: Share | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a design would tell.

    Parameters
    ----------
    by_effect
        By the names of the module's table; without those that do not apply.
    detects
        Whether the design detects the published effect (`DETECTS`); None where there is none.
    enough
        None without a worthwhile change: then no benefit can be claimed.
    """

    by_effect: Mapping[str, Chances]
    detects: bool | None
    enough: Enough | None


def published_effect(measure: str, arms: Sequence[Arm], stream: str | None) -> Published | None:
    """Look the published effect up; None but for deep sleep, or a latency, of an arm with a mineral and one without.

    Parameters
    ----------
    arms
        The compared one first, then its reference.
    stream
        Where the person's nights come from; None where that is not known.
    """
    if not arms[0].elemental_mg or arms[1].elemental_mg:
        return None
    if MEASURES[measure].family == "lognormal":
        ratio = 1 + MAH_MIN / MAH_PLACEBO_MIN
        return Published(published=ratio, device=None, share=1.0, effect=-log(ratio))
    if measure != "deep_min":
        return None
    known = [found for begins, found in SLOPES.items() if stream is not None and stream.startswith(begins)]
    device, share = known[0] if known else (None, BEST_SLOPE)
    return Published(published=HELD_MIN, device=device, share=share, effect=HELD_MIN * share)


def foretell(
    design: Design,
    arms: Sequence[Arm],
    priors: Priors,
    judgement: Judgement,
    *,
    noises: Callable[[int], Sequence[Noise]],
    trials: int,
    published: Published | None,
    progress: Callable[[str], None],
) -> Told:
    """Say what a design would tell, and how many blocks it would take.

    Parameters
    ----------
    arms
        As for `chances`.
    noises
        Gives the noise of so many trials.
    """
    sign = 1.0 if judgement.better == "higher" else -1.0
    bar = judgement.worthwhile
    effects: dict[str, float | None] = {"none": 0.0}
    effects |= {"published": sign * published.effect} if published else {}
    effects |= {"worthwhile": sign * bar, "large": sign * 2 * bar} if bar else {}
    effects |= {"prior": None}
    asked = [*effects.values(), *([sign * BEYOND * bar] if bar else [])]
    progress(f"{trials} trials of {design.blocks} blocks")
    found = chances(design, arms, priors, judgement, effects=asked, noises=noises(trials), seed=SEED)
    by_effect = dict(zip(effects, found, strict=False))

    def benefit(blocks: int) -> Share:
        progress(f"{SEARCH_TRIALS} trials of {blocks} blocks")
        other, some = replace(design, blocks=blocks), noises(SEARCH_TRIALS)
        return chances(other, arms, priors, judgement, effects=asked[-1:], noises=some, seed=SEED)[0].benefit

    return Told(
        by_effect=by_effect,
        detects=by_effect["published"].direction.share >= DETECTS if published else None,
        enough=_enough(design, len(arms), judgement, priors["delta"].scale, here=found[-1].benefit, benefit=benefit)
        if bar
        else None,
    )


def _enough(
    design: Design, arms: int, judgement: Judgement, prior_sd: float, *, here: Share, benefit: Callable[[int], Share]
) -> Enough:
    """Find the smallest number of blocks: a formula that is held to the last simulation says where to look next."""
    bar, (step, most) = judgement.worthwhile or 0.0, _possible_blocks(design, arms)
    tried, blocks = {design.blocks: here}, design.blocks
    for _ in range(STEPS):
        now, then = (_error_at(chance, judgement, prior_sd) for chance in (tried[blocks].share, AIM))
        blocks = max(step * ceil(blocks * (now / then) ** 2 / step), 2)
        if blocks > most or blocks in tried:
            break
        tried[blocks] = benefit(blocks)
    effect = (1.0 if judgement.better == "higher" else -1.0) * BEYOND * bar
    if blocks > most:
        return Enough(effect=effect, most=most, blocks=None, nights=None, chance=None)
    nights = blocks * arms * design.period_nights
    return Enough(effect=effect, most=most, blocks=blocks, nights=nights, chance=tried[blocks])


def _possible_blocks(design: Design, arms: int) -> tuple[int, int]:
    """Say in which steps a design can have more blocks, and up to how many."""
    scheme = SCHEMES[design.scheme]
    if scheme is None or scheme.in_blocks or arms <= FEWEST_ARMS:
        return 2 if scheme is not None and scheme.even_blocks else 1, MOST_BLOCKS
    return 1, min(MOST_BLOCKS, int(MOST_STATES ** (1 / arms)) - 1)


def _error_at(chance: float, judgement: Judgement, prior_sd: float) -> float:
    """Give the standard error of the effect at which a benefit has a chance, were that error known.

    It shrinks with the square root of the number of blocks; what is not known of the noise it takes up as well.
    """
    low, high = 1e-3 * prior_sd, 1e3 * prior_sd
    for _ in range(HALVINGS):
        middle = sqrt(low * high)
        low, high = (middle, high) if _chance_at(middle, judgement, prior_sd) > chance else (low, middle)
    return sqrt(low * high)


def _chance_at(error: float, judgement: Judgement, prior_sd: float) -> float:
    """Give the chance of a benefit at `BEYOND` where the estimate is normal with a known error."""
    bar, rules, normal = judgement.worthwhile or 0.0, judgement.rules, NormalDist()
    kept = 1 / (1 + (error / prior_sd) ** 2)
    sd = error * sqrt(kept)
    needed = max(bar + normal.inv_cdf(rules.worthwhile) * sd, normal.inv_cdf(rules.benefit) * sd) / kept
    return normal.cdf((BEYOND * bar - needed) / error)
