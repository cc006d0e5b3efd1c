"""Side effects by arm, once the arms are known: on how many nights each was said to be of which severity."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from nof1.trial.diary import SEVERITIES


@dataclass(frozen=True, slots=True)
class SymptomNights:
    """Nights of one symptom by what was said; `not_said` are those with a diary entry that does not mention it."""

    none: int
    mild: int
    moderate: int
    severe: int
    not_said: int


@dataclass(frozen=True, slots=True)
class ArmSideEffects:
    """What the diary says about the nights of one arm.

    Parameters
    ----------
    arm
        Its code; None gathers the nights on no arm: run-in, washout, pauses, and those after the trial.
    nights
        Of the calendar, transition nights too: side effects do not wait.
    with_entry
        Nights with a diary entry, whatever it says: of these the counts are.
    symptoms
        By name; the same for every arm, none left out that anybody mentioned anywhere.
    """

    arm: str | None
    nights: int
    with_entry: int
    symptoms: dict[str, SymptomNights]


def side_effects_by_arm(
    calendar: pl.DataFrame, diary: pl.DataFrame, side_effects: pl.DataFrame, arms: Sequence[str]
) -> list[ArmSideEffects]:
    """Count the nights of each arm, and those on none, by symptom and severity.

    Parameters
    ----------
    calendar
        Night and arm (`nof1.trial.schedule.calendar`), unsealed: of concealed arms every night counts as on none.
    diary
        As `nof1.trial.diary.current_diary` makes it.
    side_effects
        As `nof1.trial.diary.current_side_effects` makes it.
    arms
        The codes of all arms.
    """
    on = calendar.select("night", "arm")
    entries = diary.select("night").join(on, on="night", how="left")
    said = side_effects.join(on, on="night", how="left")
    symptoms = side_effects["symptom"].unique().sort().to_list()
    return [
        ArmSideEffects(
            arm=arm,
            nights=on.filter(_on(arm)).height,
            with_entry=(with_entry := entries.filter(_on(arm)).height),
            symptoms={name: _count(said.filter(_on(arm), symptom=name), with_entry) for name in symptoms},
        )
        for arm in (*arms, None)
    ]


def _on(arm: str | None) -> pl.Expr:
    return pl.col("arm").is_null() if arm is None else pl.col("arm") == arm


def _count(said: pl.DataFrame, with_entry: int) -> SymptomNights:
    counts = {severity: said.filter(severity=severity).height for severity in SEVERITIES}
    return SymptomNights(**counts, not_said=with_entry - said.height)
