"""Whether nights go missing more often on one arm than on the other: a model of what is missing, not of sleep.

    logit P(night missing) = intercept + arm + weekday + night before + covariates

Missing is what `nof1.model.missing` counts: a night after the transition nights that is not used, whatever the reason.
Nights are often lost in a row (a holiday, a broken strap), and are then less than so many witnesses: that is what the
term of the night before takes in, whether that night was missing or not. Without it a third of the trials that lose
nights in rows of four by chance would be told of an arm that causes it (`tests/calibration/test_missingness.py`).

The posterior has one peak. A wide t distribution around it is drawn from, and every draw counts by how much likelier it
is under the posterior; whether that may be trusted says Pareto k (Vehtari 2024, J Mach Learn Res 25:72).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nof1.model.covariates import PRIOR_SHARE
from nof1.model.design import NOT_PLANNED, AnalysisDesign
from nof1.model.estimate import Interval
from nof1.model.linear import zero_sum_basis
from nof1.model.missing import SET_ASIDE
from nof1.model.priors import Prior
from nof1.trial.protocol import Contrast

Floats = NDArray[np.float64]

UNIT: Final = "log odds"
INTERCEPT: Final = Prior("intercept", "Normal", 0.0, 1.5, UNIT, "any share of missing nights about as good as another")
ARM: Final = Prior("arm", "Normal", 0.0, 1.0, UNIT, "odds up to seven times as high on either arm")
WEEKDAY: Final = Prior("weekday", "ZeroSumNormal", 0.0, 0.5, UNIT, "odds of a weekday up to 2.7 times the week's")
BEFORE: Final = Prior("night_before", "Normal", 0.0, 2.0, UNIT, "odds up to fifty times as high after a missing night")
ALWAYS: Final = (ARM, INTERCEPT, BEFORE)
COVARIATE_SCALE: Final = PRIOR_SHARE * ARM.scale
COVARIATE_SOURCE: Final = f"{PRIOR_SHARE:g} of the arm's prior SD; of a number, for a change of one SD"

FLAGGED: Final = 0.95
"""Probability of either direction from which it is told."""
MAX_PARETO_K: Final = 0.7
"""Beyond, the draws do not stand for the posterior."""

PAIRS_OF_DRAWS: Final = 8_000
"""Each draw with its mirror image about the peak. Between seeds a probability near 0.95 has an SD of about 0.002."""
FREEDOM: Final = 7
"""Degrees of freedom of the t distribution: its tails lie above those of the priors, so no draw counts for many."""
STEPS: Final = 100
STILL: Final = 1e-9
"""Of Newton's search for the peak, at most, and the step at which it has arrived; a handful is enough."""


@dataclass(frozen=True, slots=True)
class LogOddsRatio:
    """Log odds of a missing night on the arm − on the reference."""

    median: float
    ci95: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingByArm:
    """What the arm has to do with the missing of nights.

    Parameters
    ----------
    nights, missing
        Of both arms, after the transition nights; and how many of them are not used.
    p_more
        P(more often missing on the arm than on the reference).
    flagged
        The direction whose probability reaches `FLAGGED`.
    adjusted_for
        The covariates of the protocol whose answers are known for every night.
    not_adjusted_for
        The others, with why.
    pareto_k
        Of the importance weights.
    """

    nights: int
    missing: int
    log_odds_ratio: LogOddsRatio | None = None
    p_more: float | None = None
    flagged: Literal["more", "fewer"] | None = None
    adjusted_for: tuple[str, ...] = ()
    not_adjusted_for: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    pareto_k: float | None = None
    priors: tuple[Prior, ...] = ()
    why_not: str | None = None

    def to_payload(self) -> dict[str, Any]:
        """Return plain JSON values, the priors in words."""
        said = [
            {"name": one.name, "distribution": one.in_words(), "unit": one.unit, "source": one.source}
            for one in self.priors
        ]
        ratio = self.log_odds_ratio
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {
            "log_odds_ratio": ratio and asdict(ratio) | {"ci95": list(ratio.ci95)},
            "adjusted_for": list(self.adjusted_for),
            "not_adjusted_for": dict(self.not_adjusted_for),
            "priors": said,
        }


def missing_by_arm(
    design: AnalysisDesign, contrast: Contrast, answers: pl.DataFrame | None, *, seed: int
) -> MissingByArm:
    """Estimate how the odds of a missing night differ between the two arms of a contrast.

    Parameters
    ----------
    answers
        The diary's answers to adjust for, as of `nof1.model.design.build_design`.
    seed
        Decides the draws.
    """
    nights = _meant(design, contrast)
    missing = ~nights["used"].to_numpy()
    counted = MissingByArm(nights=len(missing), missing=int(missing.sum()))
    if counted.missing in {0, counted.nights}:
        which = "Every night" if counted.missing else "No night"
        return replace(counted, why_not=f"{which} is missing: it cannot depend on the arm.")
    columns, not_adjusted = _covariates(nights, answers)
    priors = tuple(Prior(key, "Normal", 0.0, COVARIATE_SCALE, UNIT, COVARIATE_SOURCE) for key in columns)
    scale = np.array([*(prior.scale for prior in ALWAYS), *[WEEKDAY.scale] * 6, *(prior.scale for prior in priors)])
    effects = np.column_stack([_always(nights, contrast), *columns.values()])
    draws, weights, pareto_k = weighted_draws(effects, missing, scale, seed=seed)
    asked = replace(
        counted,
        adjusted_for=tuple(columns),
        not_adjusted_for=not_adjusted,
        pareto_k=pareto_k,
        priors=(*ALWAYS, WEEKDAY, *priors),
    )
    if not pareto_k < MAX_PARETO_K:
        return replace(asked, why_not="The draws do not stand for the posterior (Pareto k).")
    return _told(asked, draws[:, 0], weights)


def _always(nights: pl.DataFrame, contrast: Contrast) -> Floats:
    """(night, 9): ½ on the arm and −½ on the reference, the intercept, the night before, and the weekdays."""
    arm = np.where(nights["arm"] == contrast.arm, 0.5, -0.5)
    weekday = nights["night"].dt.weekday().to_numpy() - 1
    return np.column_stack([arm, np.ones(len(arm)), nights["after_missing"], zero_sum_basis(7)[weekday]])


def _told(asked: MissingByArm, effect: Floats, weights: Floats) -> MissingByArm:
    low, median, high = _quantiles(effect, weights)
    p_more = float(weights[effect > 0].sum())
    flagged: Literal["more", "fewer"] | None = "more" if p_more >= FLAGGED else None
    return replace(
        asked,
        log_odds_ratio=LogOddsRatio(median, (low, high)),
        p_more=p_more,
        flagged="fewer" if 1 - p_more >= FLAGGED else flagged,
    )


def _meant(design: AnalysisDesign, contrast: Contrast) -> pl.DataFrame:
    """Take the nights that were to be compared, of which the missing share is, with whether the one before is missing.

    Of a night before that is set aside or on no arm it is told by whether anything was recorded.
    """
    aside = pl.col("why_excluded").is_in([*NOT_PLANNED, SET_ASIDE])
    missing = pl.when(aside).then(~pl.col("recorded")).otherwise(~pl.col("used"))
    told = design.nights.sort("night").with_columns(after_missing=missing.shift(1, fill_value=False))
    return told.filter(
        pl.col("arm").is_in([contrast.arm, contrast.reference]),
        ~pl.col("why_excluded").is_in([*NOT_PLANNED, SET_ASIDE]).fill_null(value=False),
    )


def _covariates(nights: pl.DataFrame, answers: pl.DataFrame | None) -> tuple[dict[str, Floats], dict[str, str]]:
    """Make a column of each covariate that is known for every night, as the primary analysis does; and why not."""
    columns, skipped = {}, {}
    joined = nights.select("night").join(
        nights.select("night") if answers is None else answers, on="night", how="left", maintain_order="left"
    )
    for said in joined.drop("night").iter_columns():
        values = said.cast(pl.Float64, strict=False)
        if said.null_count():
            skipped[said.name] = f"not known for {said.null_count()} of {len(said)} nights"
        elif values.null_count():
            skipped[said.name] = "answered in words"
        elif values.n_unique() == 1:
            skipped[said.name] = "the same every night"
        else:
            spread = 1.0 if said.dtype == pl.Boolean else float(values.std())  # type: ignore[arg-type]
            columns[said.name] = ((values - values.mean()) / spread).to_numpy()
    return columns, skipped


def weighted_draws(
    columns: Floats, happened: NDArray[np.bool_], scale: Floats, *, seed: int
) -> tuple[Floats, Floats, float]:
    """Draw from the posterior of a logistic regression whose effects have normal priors around 0.

    Parameters
    ----------
    columns
        (night, effect)
    happened
        (night,)
    scale
        (effect,) the priors' SDs.

    Returns
    -------
    draws
        (draw, effect)
    weights
        (draw,) what each counts; they sum to 1.
    pareto_k
        Of the weights, before the largest were smoothed.
    """
    from arviz_stats.base import array_stats

    peak, spread = _peak(columns, happened, scale)
    rng = np.random.default_rng([seed, 3])
    normal = rng.normal(size=(PAIRS_OF_DRAWS, len(scale)))
    apart = normal @ spread.T / np.sqrt(rng.chisquare(FREEDOM, (PAIRS_OF_DRAWS, 1)) / FREEDOM)
    apart = np.concatenate([apart, -apart])
    squares = (np.linalg.solve(spread, apart.T) ** 2).sum(axis=0)
    log_drawn = -0.5 * (FREEDOM + len(scale)) * np.log1p(squares / FREEDOM)
    log_ratios = _log_density(peak + apart, columns, happened, scale) - log_drawn
    log_weights, pareto_k = array_stats.psislw(-log_ratios)  # made for leaving out: it turns the sign
    weights = np.exp(log_weights - log_weights.max())
    return peak + apart, weights / weights.sum(), float(pareto_k)


def _log_density(effects: Floats, columns: Floats, happened: NDArray[np.bool_], scale: Floats) -> Floats:
    """Log posterior of effects (draw, effect), up to a constant."""
    logit = effects @ columns.T
    likelihood = np.where(happened, logit, 0.0).sum(axis=1) - np.logaddexp(0.0, logit).sum(axis=1)
    return np.asarray(likelihood - 0.5 * ((effects / scale) ** 2).sum(axis=1))


def _peak(columns: Floats, happened: NDArray[np.bool_], scale: Floats) -> tuple[Floats, Floats]:
    """Where the posterior is highest, by Newton's steps; and a root of the inverse curvature there."""
    effects, curvature = np.zeros(len(scale)), np.diag(scale**-2)
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-columns @ effects))
        slope = columns.T @ (happened - p) - effects / scale**2
        curvature = columns.T @ (columns * (p * (1 - p))[:, None]) + np.diag(scale**-2)
        step = np.linalg.solve(curvature, slope)
        effects = effects + step / max(1.0, float(np.abs(columns @ step).max()))  # farther, and it could overshoot
        if np.abs(step).max() < STILL:
            break
    return effects, np.linalg.cholesky(np.linalg.inv(curvature))


def _quantiles(values: Floats, weights: Floats) -> tuple[float, float, float]:
    order = np.argsort(values)
    shares = np.cumsum(weights[order]) - weights[order] / 2
    low, median, high = np.interp([0.025, 0.5, 0.975], shares, values[order]).tolist()
    return low, median, high
