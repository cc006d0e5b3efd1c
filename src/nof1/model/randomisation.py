"""The randomisation test: how often the draw alone would have made the arms differ as much as they did.

It stands beside the model and shares nothing with it but the used nights. Under the sharp null (every night would have
been the same on either arm) the nights are fixed and only the draw is random, so p is exact whatever the nights'
distribution and autocorrelation, as long as no night is missing or flagged because of its arm.

The statistic is the difference of the two arms' means of period means. A latency is known for some nights only as "at
most" or "at least", and has no mean; its periods are told by the median of the log minutes. Ranks would be as valid,
but they lose the unit, and a shift does not move them evenly: medians give a ratio, and a confidence set that is exact.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from nof1.model.design import LEFT, RIGHT, AnalysisDesign
from nof1.trial.allocation import declared_like, sequences_like
from nof1.trial.protocol import Arm, Design
from nof1.trial.scheme import SCHEMES

MOST_LISTED: Final = 2**16
"""Up to so many sequences the whole set is gone through."""

DRAWS: Final = 9_999
"""Drawn from a larger set; with the sequence that was drawn they are 10,000, so p is exact as a test all the same."""

TIE: Final = 1e-12
"""A difference that falls short of the observed one by no more than rounding is as large."""

type Floats = NDArray[np.float64]
type Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomisationTest:
    """What the draw alone says of one outcome. Numbers are None where the test is refused.

    Parameters
    ----------
    statistic
        The observed difference arm − reference in `unit`; as a ratio arm ÷ reference for a latency.
    summary
        What stands for a period: the mean of its used nights, or their median.
    p, p_studentised
        Two-sided: the share of `n_sequences` whose difference is at least as large; the second with each difference
        divided by its standard error over periods. They differ only where arms have periods without nights.
    smallest_p
        The smallest `p` that the sequence drawn could have reached with these periods, whatever the nights showed.
    n_sequences
        How many sequences could have been drawn; with three or more arms, the others being where they were.
    exact
        Whether all of them were gone through; otherwise p is from `DRAWS` random ones.
    confidence_set
        Every constant effect that the test does not reject at 1 − `level`, in the unit of `statistic`.
    why_no_set
        Why there is no confidence set although there is a p: then it is the whole line, or cannot be known.
    set_declared
        Whether the sequences are those that the protocol of a brought schedule declares, and not those of a draw.
    looks_declared
        When and by whom, by the protocol, nights are compared before the end; None where it foresees no look.
    """

    unit: str
    summary: Literal["mean", "median"]
    level: float
    statistic: float | None = None
    p: float | None = None
    p_studentised: float | None = None
    smallest_p: float | None = None
    n_sequences: int | None = None
    exact: bool | None = None
    confidence_set: tuple[float, float] | None = None
    why_no_set: str | None = None
    why_refused: str | None = None
    set_declared: bool = False
    looks_declared: str | None = None


@dataclass(frozen=True, slots=True)
class _ReferenceSet:
    """Sequences as rows, the periods with used nights as columns; the observed one is among the rows.

    Parameters
    ----------
    on_arm
        (sequence, period); False is on the reference.
    observed
        (period,), a row of it.
    """

    on_arm: Bools
    observed: Bools
    n_sequences: int
    exact: bool


def randomisation_test(
    analysis: AnalysisDesign,
    design: Design,
    arms: Sequence[Arm],
    sequence: Sequence[str],
    *,
    seed: int,
    level: float = 0.95,
    why_refused: str | None = None,
    looks: str | None = None,
) -> RandomisationTest:
    """Test one contrast of one outcome against the sequences that could have been drawn instead.

    Parameters
    ----------
    analysis
        Of the two compared arms alone (`AnalysisDesign.between`).
    sequence
        The arm of each period of the whole schedule, in order.
    seed
        Decides the draws where the set is too large to go through.
    level
        Of the confidence set.
    why_refused
        What the trial's conduct says against the test; the design has its own reasons.
    looks
        The protocol's ``analysis.looks``, for the result.
    """
    ratio = analysis.measure.family == "lognormal"
    unit: str = "ratio" if ratio else analysis.measure.unit
    summary: Literal["mean", "median"] = "median" if analysis.measure.censoring else "mean"
    refused = why_refused or _why_not(analysis, design)
    found = None if refused else _reference_set(analysis, design, arms, sequence, seed)
    if refused or found is None:
        set_of = "protocol declares" if SCHEMES[design.scheme] is None else "scheme could have drawn"
        refused = refused or f"The order of this trial's arms is none that its {set_of}."
        return RandomisationTest(unit=unit, summary=summary, level=level, why_refused=refused, looks_declared=looks)
    values, known = _period_values(analysis)
    values = values - values.mean()  # moves no difference, and leaves little to round
    differences = _differences(found.on_arm, values)
    difference = float(_differences(found.observed[None], values)[0])
    smallest_p = _smallest_p(found)
    why_no_set = _why_no_set(smallest_p, 1 - level, known)
    interval = None if why_no_set else _confidence_set(found, differences, difference, 1 - level)
    natural = math.exp if ratio else float
    return RandomisationTest(
        unit=unit,
        summary=summary,
        level=level,
        statistic=natural(difference),
        p=float(np.mean(np.abs(differences) >= abs(difference) - TIE)),
        p_studentised=_p_studentised(found, values),
        smallest_p=smallest_p,
        n_sequences=found.n_sequences,
        exact=found.exact,
        confidence_set=interval and (natural(interval[0]), natural(interval[1])),
        why_no_set=why_no_set,
        set_declared=SCHEMES[design.scheme] is None,
        looks_declared=looks,
    )


def _why_not(analysis: AnalysisDesign, design: Design) -> str | None:
    if analysis.why_not_usable:
        return analysis.why_not_usable
    if analysis.why_descriptive:
        return "Numbers that carry no verdict get no p either: it would be one."
    if SCHEMES[design.scheme] is None and not design.reference_set:
        return "The schedule was brought, and nobody has declared what else it could have been."
    return None


def _why_no_set(smallest_p: float, alpha: float, known: Bools) -> str | None:
    if smallest_p > alpha:
        return (
            f"The confidence set is the whole line: this design cannot reach p ≤ {alpha:.2g}, whatever the nights show."
        )
    if not known.all():
        return "The median of a period is known only as a limit, so there is no exact confidence set."
    return None


def _reference_set(
    analysis: AnalysisDesign, design: Design, arms: Sequence[Arm], sequence: Sequence[str], seed: int
) -> _ReferenceSet | None:
    """Lay the set out; None where the sequence is not in it."""
    if SCHEMES[design.scheme] is None:
        return _declared_set(analysis, design, sequence)
    if len(sequence) != design.blocks * len(arms) or not sequences_like(design, arms, sequence, ()).count():
        return None
    sequences = sequences_like(design, arms, sequence, analysis.arms)
    n_sequences = sequences.count()
    compared, _ = analysis.arms
    drawn = np.array([code == compared for code in sequence])
    exact = n_sequences <= MOST_LISTED
    if exact:
        on_arm = sequences.on_arm(compared)
    else:
        on_arm = np.vstack([drawn, sequences.drawn_on_arm(compared, seed=seed, draws=DRAWS)])
    with_nights = np.array(analysis.periods) - 1
    return _ReferenceSet(on_arm[:, with_nights], drawn[with_nights], n_sequences, exact)


def _declared_set(analysis: AnalysisDesign, design: Design, sequence: Sequence[str]) -> _ReferenceSet | None:
    """Lay out what the protocol declares instead of a draw; None where the sequence is not in it."""
    orders = declared_like(design, sequence, analysis.arms)
    if tuple(sequence) not in orders:
        return None
    on_arm = np.array(orders) == analysis.arms[0]
    with_nights = np.array(analysis.periods) - 1
    observed = on_arm[orders.index(tuple(sequence))]
    return _ReferenceSet(on_arm[:, with_nights], observed[with_nights], len(orders), exact=True)


def _period_values(analysis: AnalysisDesign) -> tuple[Floats, Bools]:
    """Mean or median of each period's used nights, and whether censoring leaves it known."""
    nights = [analysis.period == number for number in range(len(analysis.periods))]
    if not analysis.measure.censoring:
        return np.array([analysis.y[at].mean() for at in nights]), np.ones(len(nights), dtype=np.bool_)
    least = np.where(analysis.censored == LEFT, -np.inf, analysis.y)
    most = np.where(analysis.censored == RIGHT, np.inf, analysis.y)
    medians = np.array([np.median(analysis.y[at]) for at in nights])
    return medians, np.array([np.median(least[at]) == np.median(most[at]) for at in nights])


def _differences(on_arm: Bools, values: Floats) -> Floats:
    """Difference of the arms' means for each sequence; infinite where one arm would have no night at all.

    Such a sequence counts as extreme, whatever the nights: that can only make p larger.
    """
    inside = on_arm.astype(np.float64)
    n_arm = inside.sum(axis=1)
    n_reference = len(values) - n_arm
    empty = (n_arm == 0) | (n_reference == 0)
    total_arm, total_reference = inside @ values, (1 - inside) @ values
    difference = total_arm / np.maximum(n_arm, 1) - total_reference / np.maximum(n_reference, 1)
    return np.where(empty, np.inf, difference)


def _p_studentised(found: _ReferenceSet, values: Floats) -> float:
    """The p of the difference over its standard error, the arms' variances over periods being their own."""
    ratios = _studentised(found.on_arm, values)
    observed = float(_studentised(found.observed[None], values)[0])
    return float(np.mean(ratios >= observed - TIE * max(1.0, observed)))


def _studentised(on_arm: Bools, values: Floats) -> Floats:
    """Absolute difference over its standard error; infinite where an arm has under two periods, or does not vary."""
    variance = np.zeros(len(on_arm))
    for inside in (on_arm, ~on_arm):
        n = inside.sum(axis=1)
        centre = (inside @ values) / np.maximum(n, 1)
        squares = np.where(inside, (values - centre[:, None]) ** 2, 0.0).sum(axis=1)
        variance += np.where(n > 1, squares / np.maximum(n * (n - 1), 1), np.inf)
    size, error = np.abs(_differences(on_arm, values)), np.sqrt(variance)
    ratios = np.divide(size, error, out=np.where(size > TIE, np.inf, 0.0), where=(error > TIE) & np.isfinite(error))
    return np.where(np.isfinite(error), ratios, np.inf)


def _smallest_p(found: _ReferenceSet) -> float:
    """The share of sequences that no data can tell from the observed one: itself, and with the arms exchanged."""
    agreeing = (found.on_arm == found.observed).sum(axis=1)
    on_arm = found.on_arm.sum(axis=1)
    periods = len(found.observed)
    always = (agreeing == 0) | (agreeing == periods) | (on_arm == 0) | (on_arm == periods)
    return float(always.mean())


def _confidence_set(found: _ReferenceSet, differences: Floats, difference: float, alpha: float) -> tuple[float, float]:
    """Every constant effect d whose p exceeds alpha, by the test of y − d on the nights of the arm.

    Taking d away moves the observed difference T to T − d, and the difference T' of another sequence to T' − dS', where
    S' is the difference that the observed arms themselves show under it, −1 < S' < 1. So |T' − dS'| ≥ |T − d| holds
    between the two d at which they are equal, T lies between them, and p falls away from T on either side. The ends
    are found exactly, with no trial of values.
    """
    shares = _differences(found.on_arm, found.observed.astype(np.float64))
    always = ~np.isfinite(differences) | (np.abs(shares) > 1 - 1e-9)
    shares, others = np.where(always, 0.0, shares), np.where(always, 0.0, differences)
    ends = np.stack([(difference - others) / (1 - shares), (difference + others) / (1 + shares)])
    low = np.where(always, -np.inf, ends.min(axis=0))
    high = np.where(always, np.inf, ends.max(axis=0))
    rejected = math.floor(alpha * len(low) + 1e-9)  # so many sequences at least as extreme are still a rejection
    return float(np.sort(low)[rejected]), float(np.sort(high)[::-1][rejected])
