"""From a trial that has ended to what each outcome says: designs, fits, alternatives, and the test by the draw."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from nof1.model.design import AnalysisDesign, build_design
from nof1.model.estimate import Estimate, estimate
from nof1.model.randomisation import RandomisationTest, randomisation_test
from nof1.sleep.nights import SHORT
from nof1.study.trials import Trial, own_prior_sd
from nof1.trial.adherence import AS_ASSIGNED, NONE_DUE, adherence
from nof1.trial.blinding import participant_may_know
from nof1.trial.protocol import Outcome

if TYPE_CHECKING:
    import xarray as xr

    from nof1.model.joint import Joint
    from nof1.model.sensitivity import Alternative

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What an analysis is made of.

    Parameters
    ----------
    nights
        Of the participant's stream (`nof1.sleep.nights.Nights`).
    diary
        As `nof1.study.diaries.read_diary` gives it.
    grain_min
        The device's resolution.
    why_no_test
        Why the draw is not all that chance had to do with this trial; None where it is.
    """

    trial: Trial
    nights: pl.DataFrame
    diary: pl.DataFrame
    grain_min: float
    why_no_test: str | None

    @property
    def seed(self) -> int:
        """The same for the same protocol and participant."""
        told = f"{self.trial.protocol.sha256}/{self.trial.participant.code}"
        return int.from_bytes(hashlib.sha256(told.encode()).digest()[:4])

    @property
    def outcomes(self) -> list[Outcome]:
        """Those of the protocol, the primary one first."""
        return sorted(self.trial.protocol.outcomes, key=lambda outcome: outcome.role != "primary")


def designs_of(material: Material) -> list[AnalysisDesign]:
    """Lay out one design an outcome, the primary one first.

    Raises
    ------
    DataError
        The nights cannot be analysed.
    """
    return [_design(material, outcome) for outcome in material.outcomes]


def _design(
    material: Material,
    outcome: Outcome,
    *,
    nights: pl.DataFrame | None = None,
    calendar: pl.DataFrame | None = None,
    exclude_flags: Sequence[str] | None = None,
) -> AnalysisDesign:
    """Lay out one outcome, as registered but for what is given."""
    trial, protocol = material.trial, material.trial.protocol
    return build_design(
        material.nights if nights is None else nights,
        trial.calendar() if calendar is None else calendar,
        outcome,
        arms=[arm.code for arm in sorted(protocol.arms, key=lambda arm: arm.reference)],
        contrasts=protocol.contrasts,
        exclude_flags=protocol.sleep.exclude_flags if exclude_flags is None else exclude_flags,
        grain_min=material.grain_min,
        open_label=participant_may_know(trial.blinding),
        prior_effect_sd=own_prior_sd(protocol, outcome),
        answers=answers_of(material),
    )


def answers_of(material: Material) -> pl.DataFrame | None:
    """Take the answers to adjust for; a question that was never answered has a column of nothing."""
    keys = material.trial.protocol.analysis.covariates
    if not keys:
        return None
    asked = [pl.col(key) if key in material.diary.columns else pl.lit(None, pl.Float64).alias(key) for key in keys]
    return material.diary.select("night", *asked)


def _rebuilt(material: Material, outcome: Outcome) -> dict[str, AnalysisDesign]:
    """Lay out the alternatives of `nof1.model.sensitivity` that need other nights."""
    flags = material.nights["flags"].explode().drop_nulls().unique().sort().to_list()
    registered = material.trial.protocol.sleep.exclude_flags
    without_transitions = material.trial.calendar().with_columns(transition=pl.lit(value=False))
    return {
        "no_transition": _design(material, outcome, calendar=without_transitions),
        "as_taken": _design(material, outcome, nights=_as_taken(material)),
        "short_used": _design(material, outcome, exclude_flags=[flag for flag in registered if flag != SHORT]),
        "unflagged": _design(material, outcome, exclude_flags=[*registered, *flags]),
    }


def _as_taken(material: Material) -> pl.DataFrame:
    """Keep the nights whose dose the diary says was taken as assigned, and those for which none was due."""
    protocol = material.trial.protocol
    without_dose = [arm.code for arm in protocol.arms if arm.units_per_dose == 0]
    said = adherence(material.trial.calendar(), material.diary, without_dose=without_dose)
    kept = said.filter(pl.col("status").is_in([AS_ASSIGNED, NONE_DUE]))["night"]
    return material.nights.filter(pl.col("night").is_in(kept.implode()))


def estimate_all(
    material: Material, progress: Progress | None, *, full: bool = False
) -> tuple[list[Estimate], "xr.DataTree", "Joint | None"]:
    """Estimate every contrast of every outcome, with its alternatives.

    Parameters
    ----------
    full
        Try the slow alternatives too, and fit deep sleep and latency together.

    Returns
    -------
    estimates, posteriors, joint
        The posteriors by measure; what both outcomes say together, None where that was not asked or there are not both.
    """
    import xarray as xr

    from nof1.model.checked import fit_checked
    from nof1.model.nuts import width_of
    from nof1.model.sensitivity import with_alternatives
    from nof1.model.slow import joint_of

    say = progress or _say_nothing
    designs = designs_of(material)
    analysable = [design for design in designs if design.why_not_usable is None]
    fitted = fit_checked(analysable, seed=material.seed, progress=progress) if analysable else {}
    if analysable:
        say("trying the alternatives")
    estimates, failed = [], {}
    for design in designs:
        tree, checks = fitted.get(design.measure.name, (None, None))
        others: Mapping[str, Sequence[Alternative]] = {}
        if tree is not None and checks is not None and checks.usable:
            others = _alternatives(material, design, tree, width_of(analysable), say=say, full=full)
        else:
            why_not = " ".join(checks.failures) if checks else "The model was not fitted."
            failed[design.measure.name] = design.why_not_usable or why_not
        for contrast in design.contrasts:
            estimated = estimate(design, contrast, tree, checks, material.trial.protocol.analysis)
            test = _randomisation_test(material, design.between(contrast), estimated.why_not_usable)
            estimated = replace(estimated, randomisation_test=test)
            estimates.append(with_alternatives(estimated, design, contrast, others.get(contrast.name, ())))
    joint = joint_of(designs, failed, seed=material.seed, progress=say) if full else None
    return estimates, xr.DataTree(children={name: tree for name, (tree, _) in fitted.items()}), joint


def _say_nothing(_: str) -> None:
    pass


def _alternatives(
    material: Material, design: AnalysisDesign, tree: "xr.DataTree", width: int, *, say: Progress, full: bool
) -> Mapping[str, Sequence["Alternative"]]:
    """Analyse an outcome otherwise, by `Contrast.name`."""
    from nof1.model.sensitivity import in_order

    told = _fast_alternatives(material, design, tree, width)
    if not full:
        return told
    from nof1.model.slow import slow_alternatives

    slow = slow_alternatives(design, material.trial.protocol.analysis, seed=material.seed, progress=say)
    return {name: in_order([*rows, *slow[name]]) for name, rows in told.items()}


def _fast_alternatives(
    material: Material, design: AnalysisDesign, tree: "xr.DataTree", width: int
) -> Mapping[str, Sequence["Alternative"]]:
    from nof1.model.agreement import is_exact
    from nof1.model.nuts import fit_variants
    from nof1.model.sensitivity import exact_alternatives, sampled_alternatives, sampled_variants

    protocol = material.trial.protocol
    rest = next((arm.code for arm in protocol.arms if arm.reference), None)
    rebuilt = _rebuilt(material, design.outcome)
    if is_exact(design):
        return exact_alternatives(design, rebuilt, protocol.analysis, rest=rest)
    designs = sampled_variants(design, rebuilt)
    fitted = fit_variants(designs, width=width, seed=material.seed)
    return sampled_alternatives(design, tree, designs, fitted, protocol.analysis)


def _randomisation_test(material: Material, design: AnalysisDesign, why_refused: str | None) -> RandomisationTest:
    trial = material.trial
    arms = {period.number: period.arm or "" for period in trial.schedule.periods}
    return randomisation_test(
        design,
        trial.protocol.design,
        trial.protocol.arms,
        [arms[number] for number in sorted(arms)],
        seed=material.seed,
        level=trial.protocol.analysis.ci_prob,
        why_refused=material.why_no_test or why_refused,
        looks=trial.protocol.analysis.looks,
    )
