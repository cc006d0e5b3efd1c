"""What a design costs: how exactly its nights tell an effect, how much of one it shows, and where it is weak."""

from collections.abc import Callable, Iterator, Sequence
from math import exp, sqrt
from typing import Final

from nof1.trial.allocation import PAIR, orders_of_two, smallest_p
from nof1.trial.protocol import Arm, Design, Protocol
from nof1.trial.scheme import SCHEMES

SIGMA: Final = 19.0
SIGMA_PERIOD: Final = 4.0
"""SD of deep sleep in device minutes between nights, and between periods, as in the model's priors. Ten public personal
exports (68 to 662 nights each) have nightly SDs of 12 to 26 minutes, about 19 once slow drifts are taken out."""

RHO: Final = 0.3
"""Correlation of one night with the next. Those exports have −0.15 to 0.12; a cautious figure, so as not to promise
too much."""

BUILD_UP_NIGHTS: Final = 2.0
"""Time constant in which an effect is taken to build up and wear off. Of magnesium's fast pools the slowest has a
half-time of 14 to 35 hours, so a time constant of 0.8 to 2.1 days (Silver, Robertson & Dahl 1960, J Clin Invest
39:420); the slow one, of weeks, no period can wait for (Avioli & Berman 1966, doi:10.1152/jappl.1966.21.6.1688)."""

DEFAULT: Final = Design(scheme="randomised-pairs")
"""What weak designs are held against: six pairs of ten nights, three of them transition nights."""

FEWEST_ORDERS: Final = 16
FEWEST_BLOCKS: Final = 4
FEWEST_NIGHTS: Final = 4
"""Nights of a period after its transition nights."""
SMALLEST_SHARE: Final = 0.75
SHORTEST_TRANSITION: Final = 2
"""Nights, for an arm with a mineral that builds up."""


def standard_error(design: Design, *, rho: float = RHO) -> float:
    """Say how exactly the nights of a design tell the effect on deep sleep, without any prior.

    The variance is 4 σ² f/n + 2 σ_period²/K: n nights are used in all, K blocks hold each of two arms once, and f is
    what the correlation of one night with the next adds to the mean of a period's nights, 1 + 2 Σ (1 − k/m) ρ^k.

    Parameters
    ----------
    rho
        Correlation of one night with the next.

    Returns
    -------
    float
        Device minutes of deep sleep, where no night is missing.
    """
    used = design.period_nights - design.transition_nights
    added = 1 + 2 * sum((1 - lag / used) * rho**lag for lag in range(1, used))
    nights = 2 * design.blocks * used
    return sqrt(4 * SIGMA**2 * added / nights + 2 * SIGMA_PERIOD**2 / design.blocks)


def share_shown(design: Design, *, build_up_nights: float = BUILD_UP_NIGHTS) -> float:
    """Say how much of an effect shows that builds up over some nights, and wears off over as many.

    The nights after the transition are averaged over periods that alternate strictly, the least favourable order; of
    any other order a little more shows.

    Parameters
    ----------
    build_up_nights
        Time constant τ: after τ nights 63 % of the effect is there.

    Returns
    -------
    float
        Between 0 and 1.
    """
    kept = exp(-1 / build_up_nights)
    nights, transition, washout = design.period_nights, design.transition_nights, design.washout_nights
    over_period, over_washout = kept**nights, kept**washout
    at_treatment = over_period * over_washout**2 * (1 - over_period) / (1 - (over_period * over_washout) ** 2)
    at_reference = over_washout * (1 - (1 - at_treatment) * over_period)
    still = kept ** (transition + 1) * (1 - kept ** (nights - transition)) / ((nights - transition) * (1 - kept))
    return 1 - still * (1 - at_treatment + at_reference)


def weaknesses(protocol: Protocol) -> tuple[str, ...]:
    """List where a design is weak, each with its key path and with what it costs in numbers.

    They are warnings, not mistakes: a pilot may be meant to be small. A schedule that is brought is what it is, and has
    none.
    """
    if SCHEMES[protocol.design.scheme] is None:
        return ()
    return tuple(line for rule in RULES for line in rule(protocol))


def _few_orders(protocol: Protocol) -> Iterator[str]:
    design, arms = protocol.design, protocol.arms
    orders = orders_of_two(design, arms)
    if orders < FEWEST_ORDERS:
        key = "design.scheme" if orders <= PAIR else "design.blocks"
        of = "the" if len(arms) == PAIR else "two of the"
        yield (
            f"{key}: only {orders} orders of {of} arms are possible, so no randomisation test can go below p = "
            f"{_p(design, arms)} two-sided, whatever the nights show; the default design reaches {_p(DEFAULT, arms)}"
        )


def _few_blocks(protocol: Protocol) -> Iterator[str]:
    design = protocol.design
    if design.blocks < FEWEST_BLOCKS:
        periods = design.blocks * len(protocol.arms)
        few = f"{periods} periods are few to tell the arms from good and bad weeks"
        yield f"design.blocks: {few}; {_less_exactly(design)}"


def _short_periods(protocol: Protocol) -> Iterator[str]:
    design = protocol.design
    nights, left_out = design.period_nights, design.transition_nights
    if nights - left_out < FEWEST_NIGHTS:
        yield (
            f"design.period_nights: {left_out} of {nights} nights are transition nights, so {left_out / nights:.0%} of "
            f"the nights on an arm are left out (default {DEFAULT.transition_nights / DEFAULT.period_nights:.0%}); "
            f"{_less_exactly(design)}"
        )


def _hurried_effect(protocol: Protocol) -> Iterator[str]:
    share = share_shown(protocol.design)
    builds_up = any(arm.elemental_mg for arm in protocol.arms)
    if share < SMALLEST_SHARE or (builds_up and protocol.design.transition_nights < SHORTEST_TRANSITION):
        yield (
            f"design.transition_nights: of an effect that builds up and wears off over about {BUILD_UP_NIGHTS:g} days, "
            f"as magnesium's may, {share:.0%} shows (default {share_shown(DEFAULT):.0%}): the first nights of a period "
            "still belong to the arm before"
        )


RULES: Final[tuple[Callable[[Protocol], Iterator[str]], ...]] = (
    _few_orders,
    _few_blocks,
    _short_periods,
    _hurried_effect,
)


def _p(design: Design, arms: Sequence[Arm]) -> str:
    return f"{smallest_p(design, arms):.2g}"


def _less_exactly(design: Design) -> str:
    """Say how much less exactly the nights tell an effect than the default design's; of the interval one number is told
    in one place, by `nof1.model.plan`, with the prior and with noise that is not known."""
    times = standard_error(design) / standard_error(DEFAULT)
    return (
        f"its nights alone tell an effect with an error {times:.1f} times the default design's; nof1 plan says how "
        "wide the 95 % interval will be"
    )
