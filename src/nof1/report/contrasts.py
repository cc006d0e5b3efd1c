"""Several contrasts of one outcome: what they share is told once, and what differs stands side by side."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from nof1.report import alternatives, estimates, missing, sentences
from nof1.report.rounding import fixed, percent
from nof1.report.sentences import Json, arm_name, why_excluded

type Told = tuple[list[tuple[str, list[str]]], list[str]]
"""Each contrast's headline with its own sentences, and what is said of all of them."""
type Table = tuple[list[str], list[tuple[str, ...]]]
"""The names of the columns, and rows of a name and cells."""
type NightsRow = tuple[str, bool, list[str]]
"""A name, whether it is a part, and counts by arm."""

TIPS: Final = (
    "another verdict, both by",
    "no direction, both by",
    "no direction, first alone by",
    "no direction, second alone by",
)
"""What missing nights could do."""


def grouped(outcomes: Sequence[Json]) -> list[list[Json]]:
    """Put the contrasts of one outcome together, in the order of the result."""
    return [list(alike) for _, alike in groupby(outcomes, key=lambda one: one["measure"])]


def name(outcome: Json) -> str:
    """Name a contrast as in the tables."""
    return f"{arm_name(outcome['arm'])} − {arm_name(outcome['reference'])}"


def once(alike: Sequence[Json], texts: Iterable[str | None]) -> list[str]:
    """Say what holds of all contrasts once; what does not names the contrast, or stands under its name."""
    said = [(name(one), text) for one, text in zip(alike, texts, strict=True) if text]
    if len(alike) == 1 or (len(said) == len(alike) and len({text for _, text in said}) == 1):
        return [text for _, text in said[:1]]
    return [text if of in text or of.replace("−", "/") in text else f"{of}: {text}" for of, text in said]


def findings(alike: Sequence[Json], arms: Sequence[Json], *, blinding: str) -> Told:
    """Say all there is to say of an outcome: of each contrast what is its own, then what is the same of all."""
    told = [_finding(one, arms, blinding) for one in alike]
    if len(alike) == 1:
        return [(told[0][0], told[0][1:])], []
    merged = {sentences.nights(one) for one in alike} | {sentences.levels(one) for one in alike if one["levels"]}
    shared = [line for line in told[0][1:] if line not in merged and all(line in said for said in told)]
    own = [(first, [line for line in rest if line not in merged and line not in shared]) for first, *rest in told]
    expected = [sentences.levels({**alike[0], "levels": of_arms})] if (of_arms := levels(alike, arms)) else []
    return own, [*shared, *expected, *nights(alike, arms)]


def _finding(outcome: Json, arms: Sequence[Json], blinding: str) -> list[str]:
    change = alternatives.what_would_change(outcome, arms, blinding=blinding)
    return [*sentences.finding(outcome, arms, blinding=blinding), *([change] if change else [])]


def levels(alike: Sequence[Json], arms: Sequence[Json]) -> dict[str, Json]:
    """Gather what to expect on each arm, from all contrasts."""
    return _by_arm((one["levels"] or {} for one in alike), arms)


def nights_by_arm(alike: Sequence[Json], arms: Sequence[Json]) -> dict[str, Json]:
    """Gather the nights of each arm, from all contrasts; empty in results of before they were told by arm."""
    return _by_arm(((one.get("missing") or {"by_arm": {}})["by_arm"] for one in alike), arms)


def _by_arm(found: Iterable[Json], arms: Sequence[Json]) -> dict[str, Json]:
    together = {code: told for one in found for code, told in one.items()}
    return {arm["code"]: together[arm["code"]] for arm in arms if arm["code"] in together}


def nights(alike: Sequence[Json], arms: Sequence[Json]) -> list[str]:
    """Count the nights of every arm: planned, recorded, used, and why the others were not used."""
    by_arm = nights_by_arm(alike, arms)
    if not by_arm:
        return once(alike, map(sentences.nights, alike))
    used = ", ".join(f"{arm['used']} of {arm['planned']} on {arm_name(code)}" for code, arm in by_arm.items())
    recorded = " + ".join(str(arm["recorded"]) for arm in by_arm.values())
    reasons = {why: " + ".join(map(str, counts)) for why, counts in _reasons(by_arm)}
    unrecorded = sum(arm["planned"] - arm["recorded"] for arm in by_arm.values())
    said = f"Planned nights used: {used}; {recorded} were recorded."
    return [said + sentences.not_used(reasons, unrecorded=unrecorded)]


def _reasons(by_arm: dict[str, Json]) -> list[tuple[str, list[int]]]:
    whys = dict.fromkeys(why for arm in by_arm.values() for why, n in arm["excluded"].items() if n)
    return [(why, [arm["excluded"].get(why, 0) for arm in by_arm.values()]) for why in whys]


def nights_table(alike: Sequence[Json], arms: Sequence[Json]) -> tuple[list[str], list[NightsRow]]:
    """Lay out the nights of every arm: the head, and rows of name, whether it is a part, and counts."""
    by_arm = nights_by_arm(alike, arms)
    counts = (("Planned on the arm", "planned"), ("Recorded", "recorded"), ("Used", "used"))
    rows = [(words, False, [str(arm[key]) for arm in by_arm.values()]) for words, key in counts]
    rows += [(f"not used: {why_excluded(why)}", True, list(map(str, n))) for why, n in _reasons(by_arm)]
    shares = [f"{fixed(100 * arm['missing'], 0)} %" for arm in by_arm.values()]
    return list(map(arm_name, by_arm)), [*rows, ("missing after the first nights", True, shares)]


def numbers(alike: Sequence[Json], arms: Sequence[Json]) -> list[estimates.Row]:
    """Lay out the effect of every contrast, then each arm once."""
    told = [one for one in alike if one["verdict"] != "not_usable"]
    rows = [row for one in told for row in estimates.effects(one)]
    return [*rows, *estimates.levels(levels(told, arms), alike[0]["unit"])]


def probabilities(alike: Sequence[Json], arms: Sequence[Json]) -> Table:
    """Lay out a column a contrast: each probability, with its words where there is a verdict."""
    told = [one for one in alike if one["verdict"] != "not_usable"]
    named = estimates.named(alike[0], arms, on="")
    rows = [
        (words, *(_in_words(one, key) for one in told))
        for key, words in named.items()
        if any(one["probability"][key] is not None for one in told)
    ]
    return list(map(name, told)), rows


def _in_words(outcome: Json, key: str) -> str:
    p = outcome["probability"][key]
    if p is None:
        return "–"
    words = "" if outcome["verdict"] == "descriptive_only" else f" {sentences.probability_words(p)}"
    return f"{percent(p)}{words}"


def tipping(alike: Sequence[Json], arms: Sequence[Json]) -> tuple[Table, list[str]]:
    """Lay out how unlike the used nights the missing ones would have to be, a column a contrast; else say why not."""
    found = {name(one): missing.tipping_distances(one) for one in alike}
    told = {of: distances for of, distances in found.items() if distances}
    rows = [(words, *(distances[place] for distances in told.values())) for place, words in enumerate(TIPS)]
    return (list(told), rows if told else []), once(
        alike, [None if name(one) in told else missing.tipping(one, arms) for one in alike]
    )


def complier(alike: Sequence[Json], arms: Sequence[Json]) -> list[str]:
    """Say on how many nights each dose was taken, and what the effects of the doses taken take for granted."""
    told = [one for one in alike if (one.get("complier") or {"effect": None})["effect"]]
    of_doses = [missing.doses_taken(one, arms) for one in told]
    assumed = dict.fromkeys(missing.dose_assumed(one, arms) for one in told)
    return [*of_doses, *assumed, *once(alike, [None if one in told else missing.complier(one, arms) for one in alike])]


def otherwise(alike: Sequence[Json], arms: Sequence[Json], *, blinding: str) -> Table:
    """Lay out a column a contrast: each alternative's median, 95 % interval, P(better), and what else it would say."""
    told = [one for one in alike if one["sensitivity"]]
    by_way = [_by_way(one, arms, blinding) for one in told]
    ways = dict.fromkeys(way for rows in by_way for way in rows)
    table = [
        (way, _same(rows[way][0] for rows in by_way if way in rows), *(rows.get(way, ("", "–"))[1] for rows in by_way))
        for way in ways
    ]
    return ["Nights", *map(name, told)], table


def _same(texts: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(texts))


def _by_way(outcome: Json, arms: Sequence[Json], blinding: str) -> dict[str, tuple[str, str]]:
    """Give the nights and the cell of each alternative; what it would say only as far as that is not the verdict."""
    told = zip(outcome["sensitivity"], alternatives.table(outcome, arms, blinding=blinding), strict=True)
    same = f"{sentences.verdict_tag(outcome, arms, blinding=blinding)}, "
    return {
        row[0]: (row[1], _cell(row, "" if found["verdict"] == outcome["verdict"] else row[5].removeprefix(same)))
        for found, row in told
    }


def _cell(row: Sequence[str], would: str) -> str:
    _, _, median, interval, better, why_not = row
    if median == "–":
        return why_not
    return f"{median} ({interval}), {better}" + (f": {would}" if would not in {"", "–"} else "")


def of_nights(alike: Sequence[Json], arms: Sequence[Json]) -> tuple[list[str], list[NightsRow], list[str]]:
    """Lay out the nights by arm as head and rows, and say what there is to say of those that are missing."""
    head, rows = nights_table(alike, arms)
    together = {"missing": {"by_arm": nights_by_arm(alike, arms)}}
    said = missing.said_in_the_diary(together)
    depends = once(alike, [missing.depends_on_arm(one, arms) for one in alike])
    return head, rows, [*([said] if said else []), *depends, *complier(alike, arms)]
