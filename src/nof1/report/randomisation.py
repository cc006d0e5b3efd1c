"""The randomisation test in words: what the draw alone says, how small p could be, what its set takes for granted."""

from collections.abc import Mapping
from typing import Any, Final

from nof1.report.plain import sentence
from nof1.report.rounding import fixed, of_differences, quantity

OF_PERIODS: Final = {"mean": "means", "median": "medians"}


def by_the_draw_alone(test: Mapping[str, Any], difference: str, ratio: str) -> str:
    """Say the test, or why there is none.

    Parameters
    ----------
    test
        ``randomisation_test`` of an outcome of ``result.json``.
    difference, ratio
        Names of the contrast in either unit: ``magnesium − placebo``, ``magnesium / placebo``.
    """
    if test["why_refused"]:
        return f"No randomisation test: {sentence(test['why_refused'])}"
    name = ratio if test["unit"] == "ratio" else difference
    could = "that the protocol declares" if test.get("set_declared") else "that could have been drawn"
    orders = f"all {test['n_sequences']:,} orders {could}" if test["exact"] else f"10,000 of the orders {could}"
    p, studentised = f"{test['p']:.3g}", f"{test['p_studentised']:.3g}"
    also = "" if studentised == p else f", studentised {studentised}"
    return (
        f"Randomisation test: {name} is {_shown(test['statistic'], test)} by the {OF_PERIODS[test['summary']]} of the "
        f"periods; over {orders}, p = {p} (two-sided{also}), and no p under {test['smallest_p']:.3g} was within reach. "
        f"{_set(test)}{_looks(test)}"
    )


def _looks(test: Mapping[str, Any]) -> str:
    """Say that the protocol foresees looks: they take nothing from a test over a draw that ran to its planned end."""
    if not test.get("looks_declared"):
        return ""
    return f" Looks at the nights before the end were declared in the protocol: {sentence(test['looks_declared'])}"


def _set(test: Mapping[str, Any]) -> str:
    if test["confidence_set"] is None:
        return sentence(test["why_no_set"])
    low, high = (_shown(end, test) for end in test["confidence_set"])
    return (
        f"{100 * test['level']:.0f} % confidence set: {low} to {high}, if the effect is the same on every night and "
        "none of it carries over into the nights used of another period."
    )


def _shown(value: float, test: Mapping[str, Any]) -> str:
    return fixed(value, 2) if test["unit"] == "ratio" else quantity(value, of_differences(test["unit"]), 1)
