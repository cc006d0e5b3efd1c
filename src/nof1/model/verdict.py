"""The verdict: what the probabilities of an effect say, in the order that every report prints."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from nof1.model.scale import WorthwhileScale
from nof1.trial.protocol import AnalysisRules, Contrast

Verdict = Literal[
    "meaningful_benefit",
    "benefit",
    "meaningful_worsening",
    "worsening",
    "no_worthwhile_difference",
    "better_size_unclear",
    "worse_size_unclear",
    "not_enough_to_tell",
]
"""What the probabilities say, between two actives as "favours" the one or the other."""

Standing = Literal[Verdict, "descriptive_only", "not_usable"]
"""A verdict, or why there is none: the numbers only describe, or there are none that may be used."""

SIZE_UNCLEAR: Final = 0.975
"""P(better) from which a direction is claimed although its size is not. For worse than the reference the protocol's
`benefit` suffices: a warning may come earlier than a promise. Between two actives nothing is a warning, and which of
them is called better must not depend on the order in which they are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probabilities:
    """Posterior probabilities of the effect, turned so that better is better; worthwhile ones None without a
    worthwhile change."""

    p_better: float
    p_better_worthwhile: float | None
    p_worse: float
    p_worse_worthwhile: float | None
    p_no_worthwhile_difference: float | None


def turned(
    effect: NDArray[np.float64], ratio: NDArray[np.float64] | None, *, better: str, worthwhile: WorthwhileScale
) -> tuple[NDArray[np.float64], float | None]:
    """Turn draws so that better is positive, on the scale that was fixed; and give the worthwhile change on it.

    Parameters
    ----------
    effect, ratio
        Draws of arm − reference, and of arm ÷ reference, which is told in its logarithm.
    better
        "higher" or "lower".
    """
    sign = 1.0 if better == "higher" else -1.0
    if worthwhile.ratio is not None and ratio is not None:
        return sign * np.log(ratio), float(abs(np.log(worthwhile.ratio)))
    return sign * effect, worthwhile.minutes


def probabilities(
    effect: NDArray[np.float64], ratio: NDArray[np.float64] | None, *, better: str, worthwhile: WorthwhileScale
) -> Probabilities:
    """Count draws on the scale that was fixed; parameters as those of `turned`."""
    gain, bar = turned(effect, ratio, better=better, worthwhile=worthwhile)
    p_better, p_worse = float(np.mean(gain > 0)), float(np.mean(gain < 0))
    at = bar or 0.0
    above, below, within = (float(np.mean(held)) for held in (gain > at, gain < -at, abs(gain) < at))
    return of_shares(p_better, above, p_worse, below, within, bar=bar)


def of_shares(
    better: float, much_better: float, worse: float, much_worse: float, within: float, *, bar: float | None
) -> Probabilities:
    """Name the shares of a distribution; those about a worthwhile change are None where there is none."""
    return Probabilities(
        p_better=better,
        p_better_worthwhile=None if bar is None else much_better,
        p_worse=worse,
        p_worse_worthwhile=None if bar is None else much_worse,
        p_no_worthwhile_difference=None if bar is None else within,
    )


def decide(probability: Probabilities, rules: AnalysisRules, contrast: Contrast | None = None) -> Verdict:
    """Choose the first verdict that holds, in the order that every report prints.

    Without a worthwhile change only a direction can be claimed, and only as "size unclear".

    Parameters
    ----------
    contrast
        Whose probabilities they are; None: of an arm against the reference.
    """
    by, promised = probability, max(SIZE_UNCLEAR, rules.benefit)
    warned = promised if contrast is not None and contrast.reference in rules.actives else rules.benefit
    ladder: tuple[tuple[Verdict, bool], ...] = (
        ("meaningful_benefit", by.p_better >= rules.benefit and _reaches(by.p_better_worthwhile, rules.meaningful)),
        ("benefit", by.p_better >= rules.benefit and _reaches(by.p_better_worthwhile, rules.worthwhile)),
        ("meaningful_worsening", by.p_worse >= rules.benefit and _reaches(by.p_worse_worthwhile, rules.meaningful)),
        ("worsening", by.p_worse >= rules.benefit and _reaches(by.p_worse_worthwhile, rules.worthwhile)),
        ("no_worthwhile_difference", _reaches(by.p_no_worthwhile_difference, rules.no_worthwhile_difference)),
        ("better_size_unclear", by.p_better >= promised),
        ("worse_size_unclear", by.p_worse >= warned),
    )
    return next((verdict for verdict, holds in ladder if holds), "not_enough_to_tell")


def _reaches(p: float | None, threshold: float) -> bool:
    return p is not None and p >= threshold
