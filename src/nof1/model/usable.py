"""Whether the nights of a design can be compared at all, and whether what they show may decide anything."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from nof1.model.covariates import CHANGE, MAX_CHANGES, Adjustment
from nof1.sleep.measures import Measure
from nof1.sleep.session import GUESSED_BEDTIME, LATENCY_FLOOR, SELF_REPORTED
from nof1.trial.protocol import Contrast

MIN_NIGHTS_PER_ARM: Final = 6
MIN_PERIODS_PER_ARM: Final = 2
"""Fewer used nights or periods on an arm, and it is compared with none: one period cannot tell a treatment from its
weeks."""

MIN_DISTINCT_LATENCIES: Final = 5
MAX_SHARE_AT_GRAIN: Final = 0.5
"""A latency of fewer distinct values, or more often at the device's grain, is a summary field and not a measurement."""

OUTER: Final = 0.1
LEAST_APART, LEAST_APART_MIN = 0.01, 1.0
"""Of minutes that somebody slept the tenth and the ninetieth percentile lie further apart than this share of the
median, or than a minute: deep sleep of ten public personal exports has nightly SDs of 12 to 26 minutes."""

GUESSED: Final = frozenset({GUESSED_BEDTIME, LATENCY_FLOOR})
"""A maker's latency with one of these flags is not a measurement of when the person meant to sleep."""


def too_few(used: pl.DataFrame, code: str) -> str | None:
    """Say why one arm cannot be compared: it has too few nights or periods; None where it can."""
    on_arm = used.filter(pl.col("arm") == code)
    periods = on_arm["period"].n_unique()
    if on_arm.height >= MIN_NIGHTS_PER_ARM and periods >= MIN_PERIODS_PER_ARM:
        return None
    nights = f"{on_arm.height} usable night{'' if on_arm.height == 1 else 's'}"
    return (
        f"{nights} in {periods} period{'' if periods == 1 else 's'} on {code}: an analysis needs at least "
        f"{MIN_NIGHTS_PER_ARM} nights in {MIN_PERIODS_PER_ARM} periods on each arm."
    )


def why_not_usable(
    used: pl.DataFrame, measure: Measure, contrasts: Sequence[Contrast], on_arms: Mapping[str, str]
) -> str | None:
    """Say why nothing can be compared: too few nights for every contrast, or values that are no measurement.

    Parameters
    ----------
    used
        The used nights of all arms: value, and of a latency `smallest`, whether it is at the least that is told.
    on_arms
        What `too_few` says of each arm of which it says anything.
    """
    reasons = [on_arms.get(contrast.arm) or on_arms.get(contrast.reference) for contrast in contrasts]
    if all(reasons):
        return reasons[0]
    if not measure.censoring:
        return _constant(used, measure)
    distinct = used["value"].n_unique()
    at_grain = float(used["smallest"].mean() or 0.0)  # type: ignore[arg-type]
    if distinct < MIN_DISTINCT_LATENCIES or at_grain > MAX_SHARE_AT_GRAIN:
        return (
            f"The device's latency is not a measurement: {distinct} distinct values, {at_grain:.0%} of the "
            "nights at its smallest. Log lights-out in the diary instead."
        )
    return None


def _constant(used: pl.DataFrame, measure: Measure) -> str | None:
    value, end = used["value"], "that is no measurement of nights. Look at the export, with nof1 nights."
    if value.n_unique() == 1:
        return f"All {used.height} usable nights have the same {measure.label}, {value[0]:g} {measure.unit}: {end}"
    least, middle, most = (value.quantile(share) or 0.0 for share in (OUTER, 0.5, 1 - OUTER))
    if measure.unit != "min" or most - least >= min(LEAST_APART * middle, LEAST_APART_MIN):
        return None
    return (
        f"Four in five of {used.height} usable nights have the same {measure.label} but for {most - least:.1f} min, "
        f"about {middle:.0f} min, which nobody's nights have: {end}"
    )


def why_descriptive(
    used: pl.DataFrame, measure: Measure, *, open_label: bool, adjustments: Sequence[Adjustment]
) -> str | None:
    """Say why numbers carry no verdict: devices that changed, lights-out that was guessed or could be bent."""
    changes = [one for one in adjustments if one.key.startswith(CHANGE)]
    if len(changes) > MAX_CHANGES:
        return (
            f"The device or its algorithm changed {len(changes)} times during the trial, and each may count sleep in "
            "its own way: the numbers describe, they do not decide."
        )
    sources = used["sol_source"].cast(pl.String) if measure.needs_lights_out else used["sol_source"].clear()
    flags = used["flags"].explode()
    written = (sources == "diary").any() or (len(sources) > 0 and SELF_REPORTED in flags)
    guessed = (sources == "stages").any() or ((sources == "vendor").any() and bool(GUESSED.intersection(flags)))
    if open_label and written:
        return (
            "Lights-out was written down by a person who knew what they had taken, and expectation may have moved the "
            "pen: the numbers describe, they do not decide."
        )
    if guessed:
        return (
            "The device guessed when the lights went out. It guesses after the treatment was taken, and the "
            "treatment may move the guess: the numbers describe, they do not decide."
        )
    return None
