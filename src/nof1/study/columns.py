"""What each column of an exported table means, and in which unit: for descriptors that programs and strangers read."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from nof1.sleep.measures import MEASURES
from nof1.trial.diary import SIDE_EFFECT

TABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "nights": "Every night with its measures: one row a main sleep.",
        "sessions": "The recordings that tell those nights.",
        "stages": "Every stage of those recordings, one after the other.",
        "schedule": "Every evening of the trial; its arm is empty while it is concealed.",
        "diary": "What was said of every evening, as it stands now.",
        "analysed": "Every night of every outcome as the analysis uses it, or why not.",
    }
)

ABOUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "participant": "Code of the participant.",
        "night": "Date of the evening on which the night began; a night after midnight belongs to the evening before.",
        "wake_date": "Local date on which the recording ended.",
        "source": "Connector that read the export.",
        "stream": "Source, device and algorithm: what may be compared with itself.",
        "device": "Device, as the export names it; empty where it does not.",
        "algorithm": "What divided the sleep into stages, as the export names it.",
        "start": "When the recording, or the stage, began.",
        "end": "When the recording ended.",
        "offset_start": "Local time − UTC at the start; empty where the export does not say.",
        "offset_end": "Local time − UTC at the end; empty where the export does not say.",
        "zone": "IANA zone; empty where none is known.",
        "zone_source": "Where the zone came from.",
        "lights_out": "When the person meant to sleep; latency is counted from here.",
        "sol_source": "Where lights-out came from.",
        "nap_min": "Sleep recorded between the main sleep before and this one, 24 hours back at most.",
        "flags": "What to beware of, as words separated by spaces.",
        "record_id": "The maker's own name of the recording.",
        "kind": "main, nap or unknown, as the maker says.",
        "staging": "Whether the recording tells stages, sleep and wake, or totals only.",
        "wake_s": "Total of wake, where the export tells totals only.",
        "light_s": "Total of light sleep, where the export tells totals only.",
        "deep_s": "Total of deep sleep, where the export tells totals only.",
        "rem_s": "Total of REM sleep, where the export tells totals only.",
        "asleep_s": "Total of all sleep, staged or not, where the export tells totals only.",
        "in_bed": "When the person went to bed, as the export says.",
        "in_bed_source": "What tells when the person went to bed.",
        "vendor_sol_s": "The maker's own latency.",
        "updated": "When the maker last changed the record.",
        "seconds": "Length of the stage.",
        "stage": "wake, light, deep, rem; asleep where it was not divided; unscored.",
        "label": "The maker's own word for the stage.",
        "period": "Number of the period, from 1; empty outside the periods.",
        "block": "Number of the block, from 1.",
        "arm": "Code of the arm; empty on no arm, and while it is concealed.",
        "run_in": "Before the first period.",
        "transition": "One of the first nights of its period, which are not compared.",
        "outcome": "Name of the measure.",
        "value": "The measure, in its own unit: see the column of that name in nights.",
        "recorded": "Whether the night was recorded.",
        "used": "Whether the effect is estimated from it.",
        "why_excluded": "Why it is not.",
        "dose_taken": "Whether the dose of that evening was taken; empty: not said.",
        "dose_at": "When it was taken.",
        "awakenings": "Awakenings, counted by the device or remembered by the person.",
        "sleep_quality": "How the person slept, in the words of the Consensus Sleep Diary.",
        "note": "What the person wrote.",
    }
)
"""Columns that are no measures; the questions of a protocol's diary stand under keys of its own."""

UNITS: Final[Mapping[str, str]] = MappingProxyType({"offset_start": "min", "offset_end": "min", "nap_min": "min"})


def meaning(column: str, asked: Mapping[str, str]) -> str:
    """Say what a column means.

    Parameters
    ----------
    asked
        The protocol's questions in words, by their keys.
    """
    if column in ABOUT:
        return ABOUT[column]
    if column in MEASURES:
        return f"{MEASURES[column].label[0].upper()}{MEASURES[column].label[1:]}; empty is missing, never zero."
    if column.startswith(SIDE_EFFECT):
        return f"How bad {column.removeprefix(SIDE_EFFECT)} was: none, mild, moderate or severe; empty: not said."
    return asked[column]


def unit(column: str) -> str | None:
    """The UCUM unit of a column's numbers; None where they have none."""
    if column in MEASURES and MEASURES[column].unit != "count":
        return MEASURES[column].unit
    return "s" if column == "seconds" or column.endswith("_s") else UNITS.get(column)
