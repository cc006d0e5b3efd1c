"""What the analysis adjusts for: the protocol's covariates and changes of the device, as columns of the used nights.

Only what was there before the dose may be adjusted for; the protocol is refused otherwise. A yes or no counts as 1 or
0, a number in SDs, both from their mean, so that the level of an arm is that of an average night.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nof1.model.priors import Prior, Priors
from nof1.sleep.measures import Measure
from nof1.sleep.nights import ALGORITHM_CHANGED, DEVICE_CHANGED

PRIOR_SHARE: Final = 0.8
"""SD of a covariate's effect in units of the treatment's: 8 minutes of deep sleep where that is 10."""

CHANGE_SHARE: Final = 1.5
"""The same of a change of the device or of its algorithm: 15 minutes of deep sleep."""

MAX_CHANGES: Final = 3
"""More of them, and the nights are of several devices in turn: no step can be told from the next."""

CHANGED: Final = (DEVICE_CHANGED, ALGORITHM_CHANGED)
CHANGE: Final = "device_change_"

PREFIX: Final = "covariate_"
"""Keeps a diary key called sigma from the model's own."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What became of one covariate.

    Parameters
    ----------
    key
        The diary's.
    answered
        Used nights with an answer; the others count as average.
    why_not
        Why it is not adjusted for; None where it is.
    caution
        What to think of although it is.
    """

    key: str
    answered: int
    why_not: str | None
    caution: str | None = None


def columns_of(used: pl.DataFrame, answers: pl.DataFrame) -> tuple[dict[str, NDArray[np.float64]], list[Adjustment]]:
    """Make the columns (night_used,) by the names of their effects, and say what became of every covariate.

    Parameters
    ----------
    used
        The used nights, in order; `night` is read.
    answers
        night, and one column a covariate: numbers or Booleans, null where not answered.
    """
    joined = used.select("night").join(answers, on="night", how="left", maintain_order="left")
    columns, told = {}, []
    for key in [name for name in answers.columns if name != "night"]:
        said = joined[key]
        values = said.cast(pl.Float64, strict=False)
        known = values.drop_nulls()
        why_not = "its answers are words" if said.dtype == pl.String else _why_not(known)
        told.append(Adjustment(key, len(known), why_not))
        if why_not is None:
            spread = 1.0 if said.dtype == pl.Boolean else float(known.std())  # type: ignore[arg-type]
            centred = (values - known.mean()) / spread
            columns[f"{PREFIX}{key}"] = centred.fill_null(0.0).to_numpy()
    return columns, told


def changes_of(nights: pl.DataFrame) -> tuple[dict[str, NDArray[np.float64]], list[Adjustment]]:
    """Make a step (night_used,) of each change of the device or its algorithm, 0 before and 1 after, centred.

    Parameters
    ----------
    nights
        Every night of the calendar in order: night, arm, used, flags.
    """
    dated = nights.with_columns(before=pl.col("arm").shift(1)).filter(_has_changed())
    used = nights.filter("used")["night"]
    columns, told = {}, []
    for night, arm, before in dated.select("night", "arm", "before").iter_rows():
        step = (used >= night).cast(pl.Float64)
        if 0 < step.sum() < len(step):
            key = f"{CHANGE}{night}"
            columns[f"{PREFIX}{key}"] = (step - step.mean()).to_numpy()
            caution = "it came with a change of arms, from which it is hard to tell apart" if arm != before else None
            told.append(Adjustment(key, len(used), None, caution))
    return columns, told


def _has_changed() -> pl.Expr:
    return pl.any_horizontal(*(pl.col("flags").list.contains(flag) for flag in CHANGED))


def _why_not(known: pl.Series) -> str | None:
    if known.is_empty():
        return "no used night has an answer"
    return "all answers are the same" if known.n_unique() == 1 else None


def with_covariates(priors: Priors, measure: Measure, columns: Mapping[str, object]) -> Priors:
    """Add a prior for each column, as wide as a covariate may matter beside the treatment."""
    scale, unit = priors["delta"].scale, _unit(measure)
    return MappingProxyType({**priors, **{name: _prior(name, scale, unit) for name in columns}})


def _prior(name: str, scale: float, unit: str) -> Prior:
    if name.startswith(f"{PREFIX}{CHANGE}"):
        return Prior(name, "Normal", 0.0, CHANGE_SHARE * scale, unit, f"{CHANGE_SHARE:g} of the effect's prior SD")
    source = f"{PRIOR_SHARE:g} of the effect's prior SD; of a number, for a change of one SD"
    return Prior(name, "Normal", 0.0, PRIOR_SHARE * scale, unit, source)


def _unit(measure: Measure) -> str:
    return "log min" if measure.family == "lognormal" else measure.unit
