"""One Gaussian trial as a linear model: what every effect is multiplied by, and its prior.

    y_t = Σ effect × column + ε_t,   ε an AR(1) that knows the true distance between nights (`likelihood`).

It is the PyMC model's predictor, for any number of arms and with columns for covariates. A variant of the model is
other priors and nothing else: a scale of 0 takes a term out (no trend, no weekday, no period effects), and fixes ρ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import sqrt
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from nof1.errors import DataError
from nof1.model.priors import Prior, Priors

if TYPE_CHECKING:
    from nof1.model.design import AnalysisDesign

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

INDEPENDENT: Final = Prior("rho", "TruncatedNormal", 0.0, 0.0, "", "nights are taken as independent of each other")

NO_GROUP: Final = -1
"""An effect whose prior SD is a number, not one of the SDs that are learned."""

GROUPS: Final = ("sigma_weekday", "sigma_period")
"""The learned SDs of every trial: the first and the last of `LinearTrial.groups`. Effects of the last stand first."""


def zero_sum_basis(size: int) -> Floats:
    """Return (size, size − 1) orthonormal contrasts: basis @ Normal(0, σ) is ZeroSumNormal(σ) over so many."""
    basis = np.zeros((size, size - 1))
    for column in range(size - 1):
        basis[: column + 1, column] = 1.0
        basis[column + 1, column] = -(column + 1.0)
    return np.asarray(basis / np.linalg.norm(basis, axis=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialNights:
    """The used nights of one trial, (night_used,) in the order of the nights.

    Parameters
    ----------
    y
        In the unit of the model: minutes, or log minutes.
    day
        Whole days from any origin; never twice.
    arm
        Index into `arms`.
    arms
        Their codes; an effect is an earlier one − a later one. The last is the reference.
    time
        −½ on the first night of the trial, ½ on the last.
    weekday
        0 = Monday.
    period
        Number of the period; any whole numbers.
    covariates
        More columns by name; each needs a prior of that name.
    grouped
        (night_used, effect) more columns by the name of an SD that is learned and is that of every effect before it is
        seen; each needs a half-normal prior of that name.
    exposure
        (night_used, arm) the share of each arm's effect that a night shows, rows summing to 1, where that is not simply
        all of its own arm's.
    """

    y: Floats
    day: Whole
    arm: Whole
    arms: tuple[str, ...]
    time: Floats
    weekday: Whole
    period: Whole
    covariates: Mapping[str, Floats] = field(default_factory=lambda: MappingProxyType({}))
    grouped: Mapping[str, Floats] = field(default_factory=lambda: MappingProxyType({}))
    exposure: Floats | None = None

    @classmethod
    def of(cls, design: "AnalysisDesign") -> Self:
        """Take the nights of a design.

        Raises
        ------
        DataError
            Some nights are censored: their likelihood is not Gaussian.
        """
        if (design.censored != 0).any():
            raise DataError(
                f"{int((design.censored != 0).sum())} nights of {design.measure.name} are only known to lie beyond a "
                "bound: exact integration needs every value. Fit the sampled model."
            )
        return cls(
            y=design.y,
            day=np.cumsum(design.gap),
            arm=design.arm_index,
            arms=design.arms,
            time=design.time,
            weekday=design.weekday,
            period=design.period,
            covariates=design.covariates,
        )

    def only(self, kept: NDArray[np.bool_]) -> Self:
        """Keep some nights; the others become gaps. `only(period != 3)` leaves a period out."""
        return replace(
            self,
            covariates={name: column[kept] for name, column in self.covariates.items()},
            grouped={name: columns[kept] for name, columns in self.grouped.items()},
            exposure=None if self.exposure is None else self.exposure[kept],
            **{name: getattr(self, name)[kept] for name in ("y", "day", "arm", "time", "weekday", "period")},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearTrial:
    """A trial as columns and priors. p effects: those of the last group first, the arms' last.

    Parameters
    ----------
    y
        (night_used,)
    gap
        (night_used,) whole days since the previous used night; the first is not read.
    names
        (p,) of the effects.
    columns
        (night_used, p) what each effect is multiplied by.
    location, scale
        (p,) of the normal priors; the scale of an effect in a group is multiplied by the group's learned SD.
    group
        (p,) index into `groups`, or `NO_GROUP`.
    groups
        Half-normal priors of the learned SDs.
    sigma, rho
        The priors of the noise.
    asked
        (p,) weights by name: the sums of effects whose posterior is wanted. By default every pair of arms, "a − b".
    """

    y: Floats
    gap: Whole
    names: tuple[str, ...]
    columns: Floats
    location: Floats
    scale: Floats
    group: Whole
    groups: tuple[Prior, ...]
    sigma: Prior
    rho: Prior
    asked: Mapping[str, Floats]

    @property
    def each_effect(self) -> dict[str, Floats]:
        """What to ask for the posterior of every single effect."""
        return dict(zip(self.names, np.eye(len(self.names)), strict=True))


def linear_trial(nights: TrialNights, priors: Priors) -> LinearTrial:
    """Lay out the model of one trial.

    Parameters
    ----------
    priors
        By name. `delta` is the prior of every pairwise difference of arms: the arms' effects sum to zero, so that with
        three arms the two actives are not further apart a priori than each is from the reference. Its location is
        that of every arm − the reference.

    Raises
    ------
    DataError
        A prior is missing, or the nights are not in order.
    """
    groups = (GROUPS[0], *nights.grouped, GROUPS[1])
    missing = {"intercept", "trend", "delta", "sigma", *groups, *nights.covariates} - set(priors)
    if missing:
        raise DataError(f"There is no prior of {', '.join(sorted(missing))}.")
    gap = np.diff(nights.day, prepend=nights.day[:1] - 1)
    if len(gap) == 0 or (gap < 1).any():
        raise DataError("The nights must be in order, none twice, and at least one.")
    if not np.isfinite(nights.y).all():
        raise DataError("A value is missing or infinite: leave its night out, and it is a gap.")
    learned = _learned(nights)
    fixed = ("intercept", "trend", *nights.covariates)
    arms = zero_sum_basis(len(nights.arms))
    size, others = sum(len(names) for _, names, _ in learned), len(fixed) + arms.shape[1]
    return LinearTrial(
        y=nights.y,
        gap=gap,
        names=(
            *(name for _, names, _ in learned for name in names),
            *fixed,
            *(f"arm_{place}" for place in range(arms.shape[1])),
        ),
        columns=np.column_stack(
            [
                *(columns for _, _, columns in learned),
                np.ones(len(gap)),
                nights.time,
                *nights.covariates.values(),
                arms[nights.arm] if nights.exposure is None else nights.exposure @ arms,
            ]
        ),
        location=np.concatenate(
            [np.zeros(size), [priors[name].location for name in fixed], _arm_locations(arms, priors)]
        ),
        scale=np.concatenate(
            [
                np.ones(size),
                [priors[name].scale for name in fixed],
                np.full(arms.shape[1], priors["delta"].scale / sqrt(2)),
            ]
        ),
        group=np.repeat(
            [*(groups.index(group) for group, _, _ in learned), NO_GROUP], [*(len(n) for _, n, _ in learned), others]
        ),
        groups=tuple(priors[name] for name in groups),
        sigma=priors["sigma"],
        rho=priors.get("rho", INDEPENDENT),
        asked=_pairs(nights.arms, arms, size + others),
    )


def _learned(nights: TrialNights) -> list[tuple[str, list[str], Floats]]:
    """Group, names and columns of the effects whose SD is learned; those of the last group, the periods, first."""
    periods, period = np.unique(nights.period, return_inverse=True)
    others = nights.grouped.items()
    return [
        (GROUPS[1], [f"period_{number}" for number in periods], np.eye(len(periods))[period]),
        (GROUPS[0], [f"weekday_{place}" for place in range(6)], zero_sum_basis(7)[nights.weekday]),
        *((name, [f"{name}_{place}" for place in range(columns.shape[1])], columns) for name, columns in others),
    ]


def _arm_locations(arms: Floats, priors: Priors) -> Floats:
    """Turn the prior location of arm − reference into that of the zero-sum effects."""
    shift = np.full(len(arms), priors["delta"].location)
    shift[-1] = 0.0
    return np.asarray(arms.T @ shift)


def _pairs(codes: Sequence[str], arms: Floats, size: int) -> dict[str, Floats]:
    """Weights of every pairwise difference of arms."""
    return {
        f"{codes[one]} − {codes[other]}": np.concatenate([np.zeros(size - arms.shape[1]), arms[one] - arms[other]])
        for one, other in combinations(range(len(codes)), 2)
    }


def with_prior(
    priors: Priors, name: str, *, location: float | None = None, scale: float | None = None, source: str = "sensitivity"
) -> Priors:
    """Put other numbers into one prior, for a row of the sensitivity grid. A scale of 0 takes the term out."""
    old = priors[name]
    new = replace(
        old,
        location=old.location if location is None else location,
        scale=old.scale if scale is None else scale,
        source=source,
    )
    return MappingProxyType({**priors, name: new})
