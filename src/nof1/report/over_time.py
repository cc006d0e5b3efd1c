"""The effect pair by pair in words and as a table; from the dict of ``result.json``. It makes no claim."""

from collections.abc import Sequence

from nof1.report.plain import sentence
from nof1.report.rounding import fixed
from nof1.report.sentences import Json


def caption(outcome: Json) -> str | None:
    """Say how much the pairs differ and whether the nights told it, or why nothing is shown; None where not asked."""
    found = outcome.get("over_time")
    if not found:
        return None
    if found["why_not"]:
        return f"No effect pair by pair: {sentence(found['why_not'])}"
    spread = found["sigma"]
    now, before = (_with_interval(spread, prefix) for prefix in ("", "prior_"))
    learned = "" if spread["is_learned"] else " (the nights hardly told more)"
    return (
        "The difference over time, which makes no claim: of a pair of periods its own difference is mostly chance, and "
        f"its estimate is drawn towards all pairs, between which the SD of the effect is {now}, assumed before the "
        f"trial {before}{learned}."
    )


def table(outcome: Json) -> tuple[str, list[tuple[str, str, str, str]]]:
    """Lay out the unit, and rows of the pair's name, its own difference, the estimate and its 95 % interval."""
    found = outcome.get("over_time") or {"unit": outcome["unit"], "pairs": []}
    decimals = 2 if found["unit"] == "ratio" else 1
    rows = [
        (
            f"Pair {pair['block']}",
            fixed(pair["difference"], decimals),
            fixed(pair["median"], decimals),
            " to ".join(fixed(end, decimals) for end in pair["ci95"]),
        )
        for pair in found["pairs"]
    ]
    return found["unit"], rows


def _with_interval(spread: Json, prefix: str) -> str:
    decimals = 2 if spread["unit"].startswith("log") else 1
    low, high = (fixed(end, decimals) for end in spread[f"{prefix}ci95"])
    return f"{fixed(spread[f'{prefix}median'], decimals)} {spread['unit']} (95 % {low} to {high})"


def side_by_side(alike: Sequence[Json]) -> list[tuple[str, ...]]:
    """Lay out a column a contrast, rows of the pair's name and its own difference, the estimate and its 95 % interval.

    The last rows tell how much the pairs differ, and what was assumed of that before the trial.
    """
    told = [one["over_time"] for one in alike if has_pairs(one)]
    pairs = [{row[0]: row for row in table(one)[1]} for one in alike if has_pairs(one)]
    names = dict.fromkeys(pair for rows in pairs for pair in rows)
    rows = [(pair, *(_pair(rows.get(pair)) for rows in pairs)) for pair in names]
    spread = [_spread(one["sigma"], "") for one in told]
    before = [_spread(one["sigma"], "prior_") for one in told]
    unit = told[0]["sigma"]["unit"] if told else ""
    return [*rows, (f"SD, {unit}", *spread), ("as assumed", *before)] if told else []


def _spread(sigma: Json, prefix: str) -> str:
    decimals = 2 if sigma["unit"].startswith("log") else 1
    low, high = (fixed(end, decimals) for end in sigma[f"{prefix}ci95"])
    learned = "" if prefix or sigma["is_learned"] else ", hardly told"
    return f"{fixed(sigma[f'{prefix}median'], decimals)} ({low} to {high}){learned}"


def has_pairs(outcome: Json) -> bool:
    """Say whether a contrast is told pair by pair."""
    found = outcome.get("over_time")
    return bool(found and not found["why_not"])


def _pair(row: tuple[str, str, str, str] | None) -> str:
    return f"{row[1]}; {row[2]} ({row[3]})" if row else "–"
