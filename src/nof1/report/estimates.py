"""The tables of one contrast: its estimates, its probabilities, and the checks of the fit behind them."""

from collections.abc import Mapping, Sequence
from typing import Final

from nof1.report import sentences
from nof1.report.rounding import fixed, of_differences
from nof1.report.sentences import Json

CHECKS: Final = {
    "rhat_max": ("Largest R-hat (1.00 = the chains agree)", 3),
    "ess_bulk_min": ("Smallest effective number of draws, centre", 0),
    "ess_tail_min": ("Smallest effective number of draws, tails", 0),
    "divergences": ("Divergent transitions (0 = none)", 0),
    "bfmi_min": ("Smallest energy fraction, BFMI", 2),
    "chains": ("Chains", 0),
    "draws": ("Draws of each chain", 0),
}
"""Keys of ``diagnostics``, what they are called, and their decimal places."""

type Row = tuple[str, str, str, str, str]
"""Name, unit, median, 50 % and 95 % interval."""


def checks(diagnostics: Json | None) -> list[tuple[str, str]]:
    """Lay out the checks of a fit; none where nothing was fitted."""
    return [
        (words, fixed(diagnostics[key], decimals))
        for key, (words, decimals) in CHECKS.items()
        if diagnostics and diagnostics.get(key) is not None
    ]


def effects(outcome: Json) -> list[Row]:
    """Lay out the difference, where there is one its ratio, and the effect of the dose taken."""
    arm, reference = sentences.arm_name(outcome["arm"]), sentences.arm_name(outcome["reference"])
    unit = of_differences(outcome["unit"])
    rows = [_row(f"{arm} − {reference}", unit, outcome["effect"], 1)]
    if outcome["ratio"]:
        rows.append(_row(f"{arm} / {reference}", "ratio", outcome["ratio"], 2))
    if taken := (outcome.get("complier") or {"effect": None})["effect"]:
        between, kind, decimals = ("/", "ratio", 2) if outcome["ratio"] else ("−", unit, 1)
        rows.append(_row(f"{arm} {between} {reference}, of the dose taken", kind, taken, decimals))
    return rows


def levels(levels: Json, unit: str) -> list[Row]:
    """Lay out what to expect on each arm."""
    return [_row(f"on {sentences.arm_name(code)}", unit, level, 1) for code, level in levels.items()]


def _row(name: str, unit: str, summary: Json, decimals: int) -> Row:
    def interval(key: str) -> str:
        return " to ".join(fixed(end, decimals) for end in summary[key]) if key in summary else "–"

    return name, unit, fixed(summary["median"], decimals), interval("ci50"), interval("ci95")


def probabilities(outcome: Json, arms: Sequence[Json]) -> list[tuple[str, float]]:
    """Name the five probabilities; those that ask for a worthwhile change are left out where none was fixed."""
    known, on = outcome["probability"], f" on {sentences.arm_name(outcome['arm'])}"
    return [(name, known[key]) for key, name in named(outcome, arms, on=on).items() if known[key] is not None]


def named(outcome: Json, arms: Sequence[Json], *, on: str) -> Mapping[str, str]:
    """Name each probability of ``result.json``; `on` says on which arm, where that is not said elsewhere."""
    words = sentences.contrast(outcome, arms)
    change, change_worse = sentences.worthwhile_words(outcome), sentences.worthwhile_words(outcome, worse=True)
    return {
        "p_better": f"{words.better}{on} (better)",
        "p_better_worthwhile": f"{words.better} by at least {change}",
        "p_worse": f"{words.worse}{on} (worse)",
        "p_worse_worthwhile": f"{words.worse} by at least {change_worse}",
        "p_no_worthwhile_difference": "a difference smaller than worth having",
    }
