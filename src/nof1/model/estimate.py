"""From the posterior to the effect, beside its probabilities and the verdict.

`asdict(Estimate)` has the keys of an outcome in `result.json`, to which `nof1.study.accounts` adds `missing` and
`complier`.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nof1.model.arms import TWO
from nof1.model.covariates import Adjustment
from nof1.model.design import EXACT, LEFT, NOT_PLANNED, AnalysisDesign
from nof1.model.diagnose import Diagnostics
from nof1.model.more import More, more_needed
from nof1.model.posterior import of_contrast
from nof1.model.priors import zero_priors
from nof1.model.randomisation import RandomisationTest
from nof1.model.scale import Zeros
from nof1.model.verdict import Probabilities, Standing, decide, probabilities, turned
from nof1.trial.protocol import AnalysisRules, Contrast

if TYPE_CHECKING:
    import xarray as xr

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Summary:
    """A posterior in five numbers and two intervals, all equal-tailed."""

    median: float
    mean: float
    sd: float
    ci50: Interval
    ci95: Interval


@dataclass(frozen=True, slots=True)
class Level:
    """What is expected on one arm."""

    median: float
    ci95: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class NightCounts:
    """Nights of the two compared arms: planned = used + all excluded."""

    planned: int
    recorded: int
    used: int
    excluded: dict[str, int]
    used_by_arm: dict[str, int]


@dataclass(frozen=True, slots=True)
class PriorLine:
    """A prior as it is printed."""

    name: str
    distribution: str
    unit: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord:
    """Which model it was.

    Parameters
    ----------
    family
        With a hurdle, nights without any latency are counted by themselves, and averages are compared, not medians.
    n_censored
        Nights known only to lie beyond a limit; with a hurdle those at the smallest value are not among them.
    rounded_to_min
        Minutes to which latencies are rounded, where that is so coarse that each is an interval; None elsewhere.
    zeros
        How the model was chosen, before the arms were compared; None where no night is without a latency.
    """

    family: Literal["gaussian", "lognormal", "hurdle_lognormal"]
    censored_below: float | None
    n_censored: int
    rounded_to_min: float | None
    zeros: Zeros | None
    priors: tuple[PriorLine, ...]
    covariates: tuple[Adjustment, ...]


@dataclass(frozen=True, slots=True)
class BestArm:
    """Which of three or more arms is likeliest to be the best for one outcome.

    Parameters
    ----------
    arm
        Its code.
    error
        The probability that another one is better: that whoever chooses it is wrong.
    probability
        Of each arm, by its code, that it is the best; they sum to 1. Arms with too few nights are not among them.
    """

    arm: str
    error: float
    probability: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One contrast of one outcome: an entry of the outcomes of `result.json`.

    Parameters
    ----------
    effect
        arm − reference in the measure's unit; for a latency the difference of medians, with a hurdle of averages. None
        where not usable.
    ratio
        Latency only: arm ÷ reference.
    levels
        By the codes of the two arms, averaged over the used nights of all arms.
    best_arm
        With three or more arms, and the same in every contrast of an outcome; None where nothing may be claimed.
    diagnostics
        None where nothing was fitted.
    more
        How many more periods would settle it; None where there is a verdict, or nothing to reckon it from.
    randomisation_test
        What the draw alone says, beside the model; it says itself where it is refused. None until it is made.
    """

    measure: str
    label: str
    role: str
    unit: str
    better: str
    worthwhile: float | None
    worthwhile_ratio: float | None
    worthwhile_why: str
    arm: str
    reference: str
    effect: Summary | None
    ratio: Summary | None
    levels: dict[str, Level] | None
    probability: Probabilities | None
    verdict: Standing
    why_not_usable: str | None
    why_descriptive: str | None
    nights: NightCounts
    model: ModelRecord
    diagnostics: Diagnostics | None
    sensitivity: tuple[Any, ...] = ()
    randomisation_test: RandomisationTest | None = None
    best_arm: BestArm | None = None
    more: More | None = None
    ci_kind: Literal["eti"] = "eti"

    def to_payload(self) -> dict[str, Any]:
        """Return plain values for JSON, lists where the dataclasses have tuples."""
        return {key: _plain(value) for key, value in asdict(self).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple | list) else value


def estimate(
    design: AnalysisDesign,
    contrast: Contrast,
    fitted: "xr.DataTree | None",
    diagnostics: Diagnostics | None,
    rules: AnalysisRules,
) -> Estimate:
    """Say what one fit tells about one contrast of its outcome.

    Parameters
    ----------
    contrast
        One of the design's.
    fitted, diagnostics
        None where the design cannot be analysed (`design.why_not_usable`). Where a check failed, the numbers stay None.
    """
    why_not = design.why_not(contrast) or _failed(diagnostics)
    numbers: dict[str, Any] = dict.fromkeys(("effect", "ratio", "levels", "probability"))
    verdict: Standing = "not_usable"
    best, more = None, None
    if why_not is None and fitted is not None:
        posterior = fitted["posterior"].to_dataset()
        numbers = _numbers(design, contrast, of_contrast(posterior, contrast.name))
        best = None if design.why_descriptive else _best_arm(design, posterior)
        verdict = "descriptive_only" if design.why_descriptive else decide(numbers["probability"], rules, contrast)
        more = _more(design, contrast, fitted, rules) if verdict == "not_enough_to_tell" else None
    return Estimate(
        measure=design.measure.name,
        label=design.measure.label,
        role=design.outcome.role,
        unit=design.measure.unit,
        better=design.outcome.better,
        worthwhile=design.worthwhile.minutes,
        worthwhile_ratio=design.worthwhile.ratio,
        worthwhile_why=design.worthwhile.why,
        arm=contrast.arm,
        reference=contrast.reference,
        verdict=verdict,
        why_not_usable=why_not,
        why_descriptive=None if why_not else design.why_descriptive,
        nights=count_nights(design, contrast),
        model=_model_record(design),
        diagnostics=diagnostics,
        best_arm=best,
        more=more,
        **numbers,
    )


def _failed(diagnostics: Diagnostics | None) -> str | None:
    if diagnostics is None:
        return "The model was not fitted."
    return None if diagnostics.usable else " ".join(diagnostics.failures)


def _best_arm(design: AnalysisDesign, posterior: "xr.Dataset") -> BestArm | None:
    """Count the draws in which each arm has the best level."""
    if len(design.arms) <= TWO:
        return None
    arms = [code for code in design.arms if code not in design.too_few]
    level = posterior["level"].sel(arm=arms).to_numpy().reshape(-1, len(arms))
    first = level.argmax(axis=1) if design.outcome.better == "higher" else level.argmin(axis=1)
    share = np.bincount(first, minlength=len(arms)) / len(level)
    best = int(share.argmax())
    return BestArm(arms[best], float(1 - share[best]), dict(zip(arms, share.tolist(), strict=True)))


def _numbers(design: AnalysisDesign, contrast: Contrast, posterior: "xr.Dataset") -> dict[str, Any]:
    effect = posterior["effect"].to_numpy().ravel()
    latency = design.measure.family == "lognormal"
    ratio = np.exp(posterior["delta"].to_numpy().ravel()) if latency else None
    return {
        "effect": summarise(effect),
        "ratio": None if ratio is None else summarise(ratio),
        "levels": {
            code: _level(posterior["level"].sel(arm=code).to_numpy().ravel())
            for code in (contrast.arm, contrast.reference)
        },
        "probability": probabilities(effect, ratio, better=design.outcome.better, worthwhile=design.worthwhile),
    }


def _more(design: AnalysisDesign, contrast: Contrast, fitted: "xr.DataTree", rules: AnalysisRules) -> More | None:
    """Reckon how many more pairs of periods would settle it, from those with used nights."""
    posterior = of_contrast(fitted["posterior"].to_dataset(), contrast.name)
    is_latency, better = design.measure.family == "lognormal", design.outcome.better
    ratio = np.exp(posterior["delta"].to_numpy().ravel()) if is_latency else None
    gain, bar = turned(posterior["effect"].to_numpy().ravel(), ratio, better=better, worthwhile=design.worthwhile)
    prior_sd = design.priors["delta"].scale
    if is_latency and design.worthwhile.ratio is None:  # the prior is about ratios, and this about minutes
        prior = of_contrast(fitted["prior"].to_dataset(), contrast.name)["effect"].to_numpy()
        prior_sd = float(np.diff(np.quantile(prior, [0.16, 0.84]))[0]) / 2
    used = design.nights.filter("used")
    of_arms = (used.filter(pl.col("arm") == code)["period"].n_unique() for code in (contrast.arm, contrast.reference))
    judge = partial(decide, rules=rules, contrast=contrast)
    return more_needed(float(gain.mean()), float(gain.std(ddof=1)), prior_sd, min(of_arms), bar=bar, judge=judge)


def summarise(draws: NDArray[np.float64]) -> Summary:
    """Summarise draws by median, mean, SD and equal-tailed intervals."""
    low95, low50, median, high50, high95 = (float(q) for q in np.quantile(draws, [0.025, 0.25, 0.5, 0.75, 0.975]))
    return Summary(median, float(draws.mean()), float(draws.std(ddof=1)), (low50, high50), (low95, high95))


def _level(draws: NDArray[np.float64]) -> Level:
    low, median, high = (float(q) for q in np.quantile(draws, [0.025, 0.5, 0.975]))
    return Level(median, (low, high))


def count_nights(design: AnalysisDesign, contrast: Contrast) -> NightCounts:
    """Count the nights of the two compared arms, each in one place."""
    planned = design.between(contrast).nights.filter(~pl.col("why_excluded").is_in(NOT_PLANNED).fill_null(value=False))
    used = planned.filter("used")
    excluded = Counter(planned["why_excluded"].drop_nulls().to_list())
    return NightCounts(
        planned=planned.height,
        recorded=int(planned["recorded"].sum()),
        used=used.height,
        excluded=dict(excluded),
        used_by_arm={code: used.filter(pl.col("arm") == code).height for code in (contrast.arm, contrast.reference)},
    )


def _model_record(design: AnalysisDesign) -> ModelRecord:
    zeros = zero_priors(design.priors) if design.has_hurdle else ()
    counted = (EXACT, LEFT) if design.has_hurdle else (EXACT,)
    return ModelRecord(
        family="hurdle_lognormal" if design.has_hurdle else design.measure.family,
        censored_below=design.censored_below,
        n_censored=int(np.sum(~np.isin(design.censored, counted))),
        rounded_to_min=float(design.width.max()) if design.width.any() else None,
        zeros=design.zeros,
        priors=tuple(PriorLine(p.name, p.in_words(), p.unit, p.source) for p in (*design.priors.values(), *zeros)),
        covariates=design.adjustments,
    )
