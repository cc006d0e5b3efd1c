"""The same nights analysed otherwise: a fixed list of alternatives, and what each would have said.

Every alternative stands here or in `result.json` whether it suits or not; none is chosen after the fact. A Gaussian
outcome is integrated exactly, a latency is sampled with the model that is compiled already. The last two are models of
their own, compiled and sampled where somebody asks for them.

===================== ==================================================================================================
sceptical             the effect's prior half as wide
enthusiastic          the effect's prior around a small benefit
flat                  the effect's prior three times as wide
no_transition         the transition nights count too
wash_in               all nights, the effect building up and wearing off at a speed that is learned
no_period_effects     nothing but the treatment differs between periods
smooth_trend          a drift that may bend
as_taken              only nights whose dose the diary says was taken as assigned
unadjusted            without the protocol's covariates
short_used            nights of less than three hours' sleep too, where the protocol leaves them out
unflagged             nights with any flag left out
concurrent            each period only against its neighbours on the reference
heavy_tails           a single odd night pulls less (`slow`)
latent_ar             a latency whose nights are correlated (`slow`)
===================== ==================================================================================================
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from nof1.errors import FitNotUsableError
from nof1.model.agreement import exact_effect
from nof1.model.assurance import Judgement, probabilities_of
from nof1.model.concurrent import concurrent_effect, is_confined
from nof1.model.covariates import CHANGE, PREFIX
from nof1.model.design import AnalysisDesign
from nof1.model.diagnose import too_rough
from nof1.model.drift import smooth_trend
from nof1.model.estimate import Estimate, Interval, Summary, summarise
from nof1.model.exact import ExactPosterior, integrate
from nof1.model.linear import TrialNights, linear_trial, with_prior
from nof1.model.mixture import Mixture
from nof1.model.posterior import arm_log_prior, of_contrast
from nof1.model.verdict import Probabilities, Standing, Verdict, decide, probabilities
from nof1.model.wash_in import WashIn, wash_in
from nof1.trial.protocol import AnalysisRules, Contrast

if TYPE_CHECKING:
    import xarray as xr

ALTERNATIVES: Final = (
    *("sceptical", "enthusiastic", "flat", "no_transition", "wash_in", "no_period_effects", "smooth_trend"),
    *("as_taken", "unadjusted", "short_used", "unflagged", "concurrent", "heavy_tails", "latent_ar"),
)
"""In the order of the module's table."""

REBUILT: Final = ("no_transition", "as_taken", "short_used", "unflagged")
"""Alternatives that need other nights, and so a design of their own."""

CLAIMS: Final[Mapping[str, frozenset[Standing]]] = MappingProxyType(
    {
        "better": frozenset({"meaningful_benefit", "benefit", "better_size_unclear"}),
        "worse": frozenset({"meaningful_worsening", "worsening", "worse_size_unclear"}),
        "no_worthwhile_difference": frozenset({"no_worthwhile_difference"}),
    }
)
UNCLAIMED: Final[frozenset[Standing]] = frozenset({"not_enough_to_tell", "descriptive_only", "not_usable"})

MIN_DRAWS: Final = 400
"""Effective draws that weighing anew must leave."""

HALF, THRICE = 0.5, 3.0
TOWARDS, NARROWER = 0.6, 0.8
"""An enthusiast's prior of deep sleep is Normal(6, 8) where the registered one is Normal(0, 10); of others alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """What one alternative says of one contrast.

    Parameters
    ----------
    name
        Of the module's table, or ``as_registered``.
    nights
        Used nights of all arms.
    effect, ratio
        Arm − reference, and for a latency arm ÷ reference; None where it could not be fitted, which `why_not` tells.
    tau_median, tau_ci95, tau_learned
        Of the wash-in: time constant in nights in which the effect builds up, and whether these nights told it.
    """

    name: str
    nights: int
    effect: Summary | None
    ratio: Summary | None
    probability: Probabilities | None
    verdict: Verdict | None
    why_not: str | None
    tau_median: float | None = None
    tau_ci95: Interval | None = None
    tau_learned: bool | None = None


def variants(design: AnalysisDesign, rebuilt: Mapping[str, AnalysisDesign]) -> dict[str, AnalysisDesign]:
    """Lay out the alternatives that are fits of their own: without period effects, or on other nights.

    Parameters
    ----------
    rebuilt
        The designs of `REBUILT` by name; one with the same nights as the primary design says nothing and is left out.
    """
    alone = with_prior(design.priors, "sigma_period", scale=0.0)
    own = {"no_period_effects": replace(design, priors=alone)}
    steps = {name: step for name, step in design.covariates.items() if name.startswith(f"{PREFIX}{CHANGE}")}
    if len(steps) < len(design.covariates):
        own["unadjusted"] = replace(design, covariates=steps)
    other_nights = {name: _as_registered(design, other) for name, other in rebuilt.items()}
    return own | {name: other for name, other in other_nights.items() if not _same_nights(design, other)}


def _as_registered(design: AnalysisDesign, other: AnalysisDesign) -> AnalysisDesign:
    """Analyse other nights by the same model: priors and scales that nights tell are those of the registered ones."""
    priors = MappingProxyType({**other.priors, **design.priors})
    return replace(other, zeros=design.zeros, priors=priors, worthwhile=design.worthwhile)


def opinions(design: AnalysisDesign) -> dict[str, AnalysisDesign]:
    """Lay out the alternatives that only have another prior of the effect."""
    delta = design.priors["delta"]
    better = 1.0 if design.outcome.better == "higher" else -1.0
    priors = {
        "sceptical": with_prior(design.priors, "delta", scale=HALF * delta.scale),
        "enthusiastic": with_prior(
            design.priors, "delta", location=better * TOWARDS * delta.scale, scale=NARROWER * delta.scale
        ),
        "flat": with_prior(design.priors, "delta", scale=THRICE * delta.scale),
    }
    return {name: replace(design, priors=chosen) for name, chosen in priors.items()}


def _same_nights(one: AnalysisDesign, other: AnalysisDesign) -> bool:
    return one.nights["used"].equals(other.nights["used"])


Ask = Callable[[Contrast], Mixture]
"""Gives the posterior of a contrast's effect; raises FitNotUsableError."""


def exact_alternatives(
    design: AnalysisDesign, rebuilt: Mapping[str, AnalysisDesign], rules: AnalysisRules, *, rest: str | None
) -> dict[str, tuple[Alternative, ...]]:
    """Analyse a Gaussian outcome in every way of the module's table.

    Parameters
    ----------
    rest
        The arm that nights without any treatment are like; None where the arms are all treatments.

    Returns
    -------
    dict
        By `Contrast.name`, in the order of the table.
    """
    asks: dict[str, tuple[AnalysisDesign, Ask]] = {
        name: (one, _integrated(one)) for name, one in {**opinions(design), **variants(design, rebuilt)}.items()
    }
    asks["smooth_trend"] = design, _integrated(design, smooth=True)
    asks["concurrent"] = design, partial(concurrent_effect, design)
    judge = Judgement(rules=rules, worthwhile=design.worthwhile.minutes, better=design.outcome.better)
    washed_in = _washed_in(_as_registered(design, rebuilt.get("no_transition", design)), judge, rest)
    return {
        contrast.name: in_order(
            [*(_exact_row(name, one, ask, contrast, judge) for name, (one, ask) in asks.items()), washed_in(contrast)]
        )
        for contrast in design.contrasts
    }


def exactly(design: AnalysisDesign, contrast: Contrast, rules: AnalysisRules) -> Alternative:
    """Integrate the registered analysis of a Gaussian outcome, without sampling and without its checks.

    Of an arm that was only given in one part of the trial nothing is claimed: its neighbours were not asked.
    """
    judge = Judgement(rules=rules, worthwhile=design.worthwhile.minutes, better=design.outcome.better)
    row = _exact_row("as_registered", design, _integrated(design), contrast, judge)
    return replace(row, verdict=None) if design.why_descriptive or is_confined(design, contrast) else row


def in_order(rows: Iterable[Alternative]) -> tuple[Alternative, ...]:
    """Sort the rows of one contrast as the module's table stands."""
    return tuple(sorted(rows, key=lambda row: ALTERNATIVES.index(row.name)))


def _integrated(design: AnalysisDesign, *, smooth: bool = False) -> Ask:
    """Integrate once, when first asked, and ask about any contrast."""

    @cache
    def found() -> ExactPosterior:
        trial = smooth_trend(design) if smooth else linear_trial(TrialNights.of(design), design.priors)
        return integrate([trial])[0]

    return lambda contrast: exact_effect(found(), contrast)


def _exact_row(name: str, design: AnalysisDesign, ask: Ask, contrast: Contrast, judge: Judgement) -> Alternative:
    why_not = design.why_not(contrast)
    if why_not is None:
        try:
            return _told(name, design, ask(contrast), judge, contrast)
        except FitNotUsableError as error:
            why_not = str(error)
    return not_told(name, design, why_not)


def _told(name: str, design: AnalysisDesign, effect: Mixture, judge: Judgement, contrast: Contrast) -> Alternative:
    probability = probabilities_of(effect, judge)
    return Alternative(
        name=name,
        nights=len(design.y),
        effect=summary_of(effect),
        ratio=None,
        probability=probability,
        verdict=decide(probability, judge.rules, contrast),
        why_not=None,
    )


def not_told(name: str, design: AnalysisDesign, why_not: str) -> Alternative:
    """Make the row of an alternative that could not be fitted."""
    nights = len(design.y)
    return Alternative(
        name=name, nights=nights, effect=None, ratio=None, probability=None, verdict=None, why_not=why_not
    )


def summary_of(effect: Mixture) -> Summary:
    """Summarise an exact posterior as draws are."""
    low95, low50, median, high50, high95 = effect.quantile([0.025, 0.25, 0.5, 0.75, 0.975]).tolist()
    return Summary(median, effect.mean, effect.sd, (low50, high50), (low95, high95))


def _washed_in(design: AnalysisDesign, judge: Judgement, rest: str | None) -> Callable[[Contrast], Alternative]:
    @cache
    def found() -> WashIn:
        return wash_in(design, rest=rest)

    def row(contrast: Contrast) -> Alternative:
        told = _exact_row("wash_in", design, lambda one: exact_effect(found(), one), contrast, judge)
        if told.effect is None:
            return told
        return replace(told, tau_median=found().tau_median, tau_ci95=found().tau_ci95, tau_learned=found().is_learned)

    return row


def with_alternatives(
    estimated: Estimate, design: AnalysisDesign, contrast: Contrast, rows: Sequence[Alternative]
) -> Estimate:
    """Put the alternatives beside an estimate. An arm of one season keeps no claim that its neighbours do not bear out.

    Where nothing is claimed no row claims anything either, nor does it say which arm is best.

    Parameters
    ----------
    rows
        Of this contrast.
    """
    silent, why = estimated.verdict == "descriptive_only", estimated.why_descriptive
    if estimated.effect is not None and estimated.verdict not in UNCLAIMED and is_confined(design, contrast):
        beside = next((row for row in rows if row.name == "concurrent"), None)
        if beside is None or not _bears_out(estimated.verdict, beside):
            silent, why = True, _of_one_season(contrast, beside, design.measure.unit)
    if not silent:
        return replace(estimated, sensitivity=tuple(rows))
    told = replace(estimated, verdict="descriptive_only", why_descriptive=why, best_arm=None)
    return replace(told, sensitivity=tuple(replace(row, verdict=None) for row in rows))


def _bears_out(verdict: Standing, row: Alternative) -> bool:
    sides = [side for side in ("better", "worse", "no_worthwhile_difference") if verdict in CLAIMS[side]]
    return row.verdict is not None and any(row.verdict in CLAIMS[side] for side in sides)


def _of_one_season(contrast: Contrast, row: Alternative | None, unit: str) -> str:
    why = (
        f"One of {contrast.arm} and {contrast.reference} was only given in one part of the trial, and what that part "
        "did by itself, a winter or a new job, cannot be told from it"
    )
    if row is None or row.effect is None:
        return f"{why}: the numbers describe, they do not decide."
    low, high = row.effect.ci95
    return (
        f"{why}. Held against the nearest periods only, the difference is {row.effect.mean:.0f} {unit} "
        f"({low:.0f} to {high:.0f}), which does not bear the claim out: the numbers describe, they do not decide."
    )


def sampled_variants(design: AnalysisDesign, rebuilt: Mapping[str, AnalysisDesign]) -> dict[str, AnalysisDesign]:
    """Lay out the alternatives of a sampled outcome that need draws of their own.

    A wide prior is one of them: draws under a narrow one do not reach where it matters most.
    """
    return variants(design, rebuilt) | {"flat": opinions(design)["flat"]}


def sampled_alternatives(
    design: AnalysisDesign,
    tree: "xr.DataTree",
    designs: Mapping[str, AnalysisDesign],
    fitted: Mapping[str, "xr.DataTree"],
    rules: AnalysisRules,
) -> dict[str, tuple[Alternative, ...]]:
    """Analyse a sampled outcome otherwise: by the draws that there are, weighed anew, or by draws of its own.

    Parameters
    ----------
    tree
        The registered fit, whose draws serve for `opinions`.
    designs
        As `sampled_variants` lays them out.
    fitted
        The trees of those that could be fitted, as `nuts.fit_variants` makes them.
    """
    posterior = tree["posterior"].to_dataset()
    weighed = {name: one for name, one in opinions(design).items() if name not in designs}
    draws = {name: (one, reweighted(design, one, posterior)) for name, one in weighed.items()}
    draws |= {name: (one, _flat(fitted[name]) if name in fitted else None) for name, one in designs.items()}
    rough = {name: why for name in designs if name in fitted and (why := too_rough(fitted[name]))}
    return {
        contrast.name: in_order(
            not_told(name, one, rough[name]) if name in rough else drawn_row(name, one, flat, contrast, rules)
            for name, (one, flat) in draws.items()
        )
        for contrast in design.contrasts
    }


def _flat(tree: "xr.DataTree") -> "xr.Dataset":
    return tree["posterior"].to_dataset().stack(sample=("chain", "draw"))


def reweighted(design: AnalysisDesign, other: AnalysisDesign, posterior: "xr.Dataset") -> "xr.Dataset | None":
    """Choose draws (sample) as they would be under another prior of the arms; None where too few would carry it.

    Importance weights are exact but for the draws' own error: the two posteriors differ by the ratio of the priors.
    They are systematic, so that nothing is drawn at random anew.
    """
    flat = posterior.stack(sample=("chain", "draw"))
    log_weight = (arm_log_prior(other, flat) - arm_log_prior(design, flat)).to_numpy()
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    if 1 / (weight**2).sum() < MIN_DRAWS:
        return None
    at = (np.arange(len(weight)) + HALF) / len(weight)
    return flat.isel(sample=np.searchsorted(np.cumsum(weight), at).clip(max=len(weight) - 1))


def drawn_row(
    name: str, design: AnalysisDesign, flat: "xr.Dataset | None", contrast: Contrast, rules: AnalysisRules
) -> Alternative:
    """Make the row of an alternative from its draws (sample); None where too few of them carry it."""
    why_not = design.why_not(contrast)
    if why_not is not None or flat is None:
        return not_told(name, design, why_not or "The draws do not reach that far.")
    drawn = of_contrast(flat, contrast.name)
    effect = drawn["effect"].to_numpy()
    ratio = np.exp(drawn["delta"].to_numpy()) if design.measure.family == "lognormal" else None
    told = probabilities(effect, ratio, better=design.outcome.better, worthwhile=design.worthwhile)
    return Alternative(
        name=name,
        nights=len(design.y),
        effect=summarise(effect),
        ratio=None if ratio is None else summarise(ratio),
        probability=told,
        verdict=decide(told, rules, contrast),
        why_not=None,
    )
