"""Nights that are not used, what they could undo, and the effect of the dose taken: from ``result.json`` to words."""

from collections.abc import Sequence
from math import exp
from typing import Final

from nof1.report.plain import plain, sentence
from nof1.report.rounding import fixed, of_differences, percent
from nof1.report.sentences import Json, arm_name, contrast, why_excluded

MOST_SHOWN: Final = 100.0
"""Minutes, or a factor: how much is needed beyond that does not matter."""


def table(outcome: Json) -> tuple[list[str], list[tuple[str, bool, list[int]]]]:
    """Lay out the nights of an outcome: the head, and rows of name, whether it is a part, and counts.

    The first count is of all; those of the arms follow, but in results of before they were told.
    """
    nights, by_arm = outcome["nights"], (outcome.get("missing") or {"by_arm": {}})["by_arm"]
    arms = list(by_arm.values())
    rows = [
        (name, False, [nights[key], *(arm[key] for arm in arms)])
        for name, key in (("Planned on an arm", "planned"), ("Recorded", "recorded"), ("Used", "used"))
    ]
    if not arms:
        rows += [(f"used on {arm_name(code)}", True, [n]) for code, n in nights["used_by_arm"].items()]
    rows += [
        (f"not used: {why_excluded(why)}", True, [n, *(arm["excluded"].get(why, 0) for arm in arms)])
        for why, n in nights["excluded"].items()
    ]
    return ["All", *(arm_name(code) for code in by_arm)], rows


def lines(outcome: Json, arms: Sequence[Json]) -> list[str]:
    """Say beneath the table what there is to say of the nights that are not used."""
    told = (said_in_the_diary(outcome), depends_on_arm(outcome, arms), tipping(outcome, arms))
    return [line for line in told if line]


def depends_on_arm(outcome: Json, arms: Sequence[Json]) -> str | None:
    """Say whether nights go missing more often on one arm; None where it was not asked, or no night is missing."""
    found = (outcome.get("missing") or {}).get("depends_on_arm")
    if not found or not found["missing"]:
        return None
    if found["why_not"]:
        return f"Whether nights go missing because of the arm is not told: {sentence(found['why_not'])}"
    words, ratio = contrast(outcome, arms), found["log_odds_ratio"]
    low, median, high = (_times(log) for log in (ratio["ci95"][0], ratio["median"], ratio["ci95"][1]))
    allowed = ", ".join(["weekday", *(plain(key).replace("_", " ") for key in found["adjusted_for"])])
    way, p = ("less", 1 - found["p_more"]) if found["flagged"] == "fewer" else ("more", found["p_more"])
    told = (
        f"Nights go missing {way} often on {words.arm} than on {words.reference} with a probability of {percent(p)}: "
        f"the odds are {median} times as high (95 % {low} to {high}), {allowed} and the night before allowed for"
    )
    warning = "; take it as a warning that the used nights may not stand for the others"
    return f"{told}{warning if found['flagged'] else ''}."


def _times(log: float) -> str:
    return fixed(min(exp(log), MOST_SHOWN), 2)


def said_in_the_diary(outcome: Json) -> str | None:
    """Say what the diary tells of the nights that were not recorded; None where it tells nothing."""
    by_arm = (outcome.get("missing") or {"by_arm": {}})["by_arm"]
    said = [
        f"{plain(question).replace('_', ' ')} on {n} of {arm_name(code)}"
        for code, arm in by_arm.items()
        for question, n in arm["diary_says"].items()
    ]
    return f"Of the nights that were not recorded the diary says: {'; '.join(said)}." if said else None


def tipping(outcome: Json, arms: Sequence[Json]) -> str | None:
    """Say how unlike the used nights the others would have to be to undo the direction; None without a verdict."""
    missing = outcome.get("missing")
    if not missing or not missing["tipping_point"] or outcome["verdict"] == "descriptive_only":
        return None
    words, tips = contrast(outcome, arms), missing["tipping_point"]
    shares = {code: missing["by_arm"][code]["missing"] for code in (outcome["arm"], outcome["reference"])}
    if not any(shares.values()):
        return "No night is missing but the first ones of each period, which the protocol sets aside."
    if tips["direction"] is None:
        return "No direction is claimed that missing nights could undo."
    way = words.better if tips["direction"] == "better" else words.worse
    lost = ", ".join(f"{_share(share)} on {arm_name(code)}" for code, share in shares.items())
    alone = [
        f"by {_distance(tips[key], tips['unit'])} if only those on {name} were unlike"
        for key, name in (("arm", words.arm), ("reference", words.reference))
        if tips[key] is not None
    ]
    distances = [f"by {_distance(tips['both'], tips['unit'])} on both arms", *alone] if len(alone) > 1 else alone
    near = f"by {_distance(tips['verdict'], tips['unit'])}" + (" on both arms" if len(alone) > 1 else "")
    return (
        f"Missing after the first nights of each period: {lost}. Before this verdict would be another, the missing "
        f"nights would have to differ from the used nights of their arm, against the finding, {near}; before nothing "
        f"were claimed of whether {words.name} is {way} on {words.arm}, {', '.join(distances)}."
    )


def _share(share: float) -> str:
    return f"{fixed(100 * share, 0)} %"


def _distance(value: float, unit: str) -> str:
    shown = f"over {MOST_SHOWN:.0f}" if value > MOST_SHOWN else fixed(value, 2 if unit == "ratio" else 1)
    return f"a factor of {shown}" if unit == "ratio" else f"{shown} {of_differences(unit)}"


def complier(outcome: Json, arms: Sequence[Json]) -> str | None:
    """Say what the effect of the dose taken takes for granted, or why it is not told; None where nothing was asked."""
    found = outcome.get("complier")
    if not found:
        return None
    if found["why_not"]:
        return f"No effect of the dose taken (complier effect): {sentence(found['why_not'])}"
    return f"{doses_taken(outcome, arms)} {dose_assumed(outcome, arms)}"


def doses_taken(outcome: Json, arms: Sequence[Json]) -> str:
    """Say on how many used nights the dose was taken, and on how many the assignment changed that."""
    found, words = outcome["complier"], contrast(outcome, arms)
    low, high = (_share(end) for end in found["uptake"]["ci95"])
    taken, uptake = found["arm"], _share(found["uptake"]["median"])
    between = "" if low == high else f" ({low} to {high})"
    return (
        f"By the diary the dose of {words.arm} was taken on {taken['taken']} of its used nights, not on "
        f"{taken['not_taken']}, unknown on {taken['unknown']}; so the assignment changed what was taken on {uptake} of "
        f"the nights{between}."
    )


def dose_assumed(outcome: Json, arms: Sequence[Json]) -> str:
    """Say what the effect of the dose taken is, and what it takes for granted."""
    reference = contrast(outcome, arms).reference
    on_reference = (
        f"nothing taken on {reference} but what the diary says"
        if outcome["complier"]["reference"]
        else f"none taken on {reference}"
    )
    return (
        "The effect of the dose taken (complier effect) is that of the assignment "
        f"divided by this, with {on_reference}. It assumes that no dose acts on later nights, and that the unknown "
        "nights are like the known ones."
    )


def tipping_distances(outcome: Json) -> list[str] | None:
    """Give the distances of the tipping point as texts; None where there is none, or words must tell why."""
    tips = (outcome.get("missing") or {"tipping_point": None})["tipping_point"]
    if not tips or outcome["verdict"] == "descriptive_only" or tips["direction"] is None or tips["both"] is None:
        return None
    distances = (tips[key] for key in ("verdict", "both", "arm", "reference"))
    return ["–" if distance is None else _distance(distance, tips["unit"]) for distance in distances]
