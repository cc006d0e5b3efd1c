"""What other analyses of the same nights would have said: the table, the figure, and the line beneath the finding."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from nof1.report.canvas import (
    ARM_SHAPES,
    BAND_COLOUR,
    CONTRAST_COLOURS,
    INK,
    NARROW,
    NO_ARM_COLOUR,
    POSTERIOR_COLOUR,
    TITLE_LIMIT,
    Figure,
    Spec,
    draw_small,
    layered,
)
from nof1.report.plain import plain, sentence
from nof1.report.rounding import fixed, of_differences, percent
from nof1.report.sentences import Json, arm_name, contrast, difference, sure, verdict_tag

if TYPE_CHECKING:
    import altair as alt

IN_WORDS: Final = {
    "sceptical": "a sceptic’s prior of the effect, half as wide",
    "enthusiastic": "an enthusiast’s prior, around a small benefit",
    "flat": "a prior of the effect three times as wide",
    "no_transition": "transition nights used too",
    "wash_in": "all nights, the effect building up over some",
    "no_period_effects": "no differences between periods but treatment",
    "smooth_trend": "a drift that may bend, beside the straight one",
    "as_taken": "only nights with a dose taken (not randomised)",
    "unadjusted": "without the protocol’s covariates",
    "short_used": "nights of less than three hours’ sleep used too",
    "unflagged": "nights with any flag left out",
    "concurrent": "each period against its nearest neighbours only",
    "heavy_tails": "a model in which a single odd night pulls less",
    "latent_ar": "a model where nights resemble the one before",
}
SIZE: Final = {
    "meaningful_benefit": ", likely enough to matter",
    "meaningful_worsening": ", likely enough to matter",
}
"""What sets verdicts apart that begin with the same words."""
SIZE_ALONE: Final = {
    "meaningful_benefit": "likely enough to matter",
    "benefit": "more likely than not enough to matter",
    "better_size_unclear": "unclear",
    "worse_size_unclear": "unclear",
    "worsening": "more likely than not enough to matter",
    "meaningful_worsening": "likely enough to matter",
}
"""What verdicts of one direction say of its size."""
PRIORS: Final = ("sceptical", "enthusiastic", "flat")
"""Rows that differ from the registered analysis by nothing but the prior of the effect."""
SIDES: Final = {
    "meaningful_benefit": "better",
    "benefit": "better",
    "better_size_unclear": "better",
    "meaningful_worsening": "worse",
    "worsening": "worse",
    "worse_size_unclear": "worse",
}
"""The direction that a verdict claims; the others are their own."""
PULLED: Final = 1.5
"""How many times as large the estimate with a prior three times as wide must be for the page to point it out."""
FAR: Final = 0.5
"""And how many posterior SDs away, or an estimate next to nothing would be pointed out for any prior."""
AS_REGISTERED: Final = "as registered"
ROW_HEIGHT: Final = 18
BAR_HEIGHT: Final = 5
"""In CSS pixels: of an alternative's name, and of each bar beneath it where contrasts stand side by side."""


def table(outcome: Json, arms: Sequence[Json], *, blinding: str) -> list[tuple[str, str, str, str, str, str]]:
    """Lay out rows of what is otherwise, nights, median, 95 % interval, P(better), and what would be said.

    The effect is in the outcome's unit. An alternative that could not be fitted has its reason in the last cell.
    """
    rows = []
    for row in outcome["sensitivity"]:
        words, nights = IN_WORDS[row["name"]], str(row["nights"])
        if row["effect"] is None:
            rows.append((words, nights, "–", "–", "–", sentence(row["why_not"])))
            continue
        low, high = (fixed(end, 1) for end in row["effect"]["ci95"])
        would = _verdict(outcome, row["verdict"], arms, blinding) if row["verdict"] else "–"
        better = percent(row["probability"]["p_better"])
        rows.append((words, nights, fixed(row["effect"]["median"], 1), f"{low} to {high}", better, would))
    return rows


def _verdict(outcome: Json, verdict: str, arms: Sequence[Json], blinding: str) -> str:
    tag = verdict_tag({**outcome, "verdict": verdict}, arms, blinding=blinding)
    return f"{tag}{SIZE.get(verdict, '')}"


def what_would_change(outcome: Json, arms: Sequence[Json], *, blinding: str) -> str | None:
    """Say which alternatives would have claimed something else; None where none was tried or may say.

    Where all agree on the direction, another size is told. Other priors are told by themselves: the halved one says
    more often than not that a small effect is none.
    """
    told = [row for row in outcome["sensitivity"] if row["verdict"] is not None]
    if not told or outcome["verdict"] in {"descriptive_only", "not_usable"}:
        return None
    priors = [row for row in told if row["name"] in PRIORS]
    others = [row for row in told if row["name"] not in PRIORS]
    said = []
    if others:
        said.append(
            f"Analysed in {_ways(len(others))}, the same nights say {_against(outcome, others, arms, blinding)}."
        )
    if priors:
        said.append(f"Other priors of the effect say {_against(outcome, priors, arms, blinding)}.")
    return " ".join([*said, *_pulled(outcome, arms)])


def _pulled(outcome: Json, arms: Sequence[Json]) -> list[str]:
    """Say where a much wider prior would tell a much larger difference: the prior draws the estimate towards 0."""
    flat = next((row["effect"] for row in outcome["sensitivity"] if row["name"] == "flat" and row["effect"]), None)
    if flat is None or not _is_pulled(outcome["effect"], flat):
        return []
    words, unit = contrast(outcome, arms), outcome["unit"]
    wide, own = (difference(effect["median"], unit, words) for effect in (flat, outcome["effect"]))
    return [f"The prior weighs: with one three times as wide the best estimate is {wide}, not {own}."]


def _is_pulled(own: Json, flat: Json) -> bool:
    further = float(abs(flat["median"]) - abs(own["median"]))
    return bool(further >= max((PULLED - 1) * abs(own["median"]), FAR * own["sd"]))


def _against(outcome: Json, rows: Sequence[Json], arms: Sequence[Json], blinding: str) -> str:
    """Say what these rows claim that is not what was found: another direction first, else another size of the same."""
    found = outcome["verdict"]
    others = [row for row in rows if _side(row["verdict"]) != _side(found)]
    if others:
        return f"otherwise: {_listed(others, lambda verdict: _verdict(outcome, verdict, arms, blinding))}"
    if others := [row for row in rows if row["verdict"] != found]:
        counts = Counter(SIZE_ALONE[row["verdict"]] for row in others)
        return f"the same of the direction, and of its size {_counted(counts, of=len(rows))}"
    return "the same"


def _counted(counts: Mapping[str, int], *, of: int) -> str:
    """Count how often another size is claimed; the table shows by which."""
    often = {
        size: "" if count == of == 1 else f" in {'all' if count == of else count} of them"
        for size, count in counts.items()
    }
    return ", ".join(f"“{size}”{in_how_many}" for size, in_how_many in often.items())


def _listed(rows: Sequence[Json], words: Callable[[str], str]) -> str:
    """List what is claimed, and where."""
    claimed: dict[str, list[str]] = {}
    for row in rows:
        claimed.setdefault(words(row["verdict"]), []).append(IN_WORDS[row["name"]])
    return "; ".join(f"“{would}” with {', or '.join(ways)}" for would, ways in claimed.items())


def _ways(count: int) -> str:
    return "1 other way" if count == 1 else f"{count} other ways"


def _side(verdict: str) -> str:
    return SIDES.get(verdict, verdict)


def onset(outcome: Json) -> str | None:
    """Say how fast the effect builds up, as far as the nights tell; None where that was not asked."""
    row = next((row for row in outcome["sensitivity"] if row["tau_ci95"]), None)
    if row is None:
        return None
    if not row["tau_learned"]:
        return "How fast an effect builds up these nights do not tell: what stands for it is what was assumed."
    low, high = (fixed(end, 1) for end in row["tau_ci95"])
    return f"Where the effect builds up, its time constant is {fixed(row['tau_median'], 1)} nights ({low} to {high})."


def both_better(result: Json) -> list[str]:
    """Say how likely deep sleep and latency are both better, one sentence a contrast; nothing where that was not asked.

    Where one of them carries no verdict both do not, and their probabilities come without words.
    """
    told = result.get("joint")
    if told is None:
        return []
    names = {outcome["measure"]: plain(outcome["label"]) for outcome in result["outcomes"]}
    deep, latency = (names[measure] for measure in told["measures"])
    if told["why_not"]:
        return [f"What {deep} and {latency} say together is not told: {sentence(told['why_not'])}"]
    return [_both(result, told, found) for found in told["contrasts"]]


def _both(result: Json, told: Json, found: Json) -> str:
    of_pair = {
        outcome["measure"]: contrast(outcome, result["arms"])
        for outcome in result["outcomes"]
        if (outcome["arm"], outcome["reference"]) == (found["arm"], found["reference"])
    }
    deep, latency = (of_pair[measure] for measure in told["measures"])
    alone = " and ".join(percent(found["p_each"][measure]) for measure in told["measures"])
    what = (
        f"on {deep.arm} {deep.name} is {deep.better} and {latency.name} {latency.better} than on {deep.reference}, "
        f"each by itself with {alone}"
    )
    if told["why_descriptive"]:
        return f"Together, only to describe: {percent(found['p_both'])} that {what}."
    return f"Together: it is {sure(found['p_both'])} that {what}."


def best_arm(outcomes: Sequence[Json], place: int) -> str | None:
    """Say which of three or more arms is likeliest the best, and how likely not: once an outcome, at its last place."""
    outcome = outcomes[place]
    alike = [at for at, other in enumerate(outcomes) if other["measure"] == outcome["measure"]]
    best = next((told for at in alike if (told := outcomes[at].get("best_arm"))), None)
    if best is None or place != alike[-1]:
        return None
    ranked = sorted(best["probability"].items(), key=lambda told: -told[1])
    said = ", ".join(f"{arm_name(code)} {percent(p)}" for code, p in ranked)
    compared = dict.fromkeys(code for at in alike for code in (outcomes[at]["arm"], outcomes[at]["reference"]))
    lacking = [arm_name(code) for code in compared if code not in best["probability"]]
    said += f"; {', '.join(lacking)} cannot be told, for too few nights" if lacking else ""
    return (
        f"Which arm has the best {plain(outcome['label'])}: {said}. That another one is better than "
        f"{arm_name(best['arm'])} has a probability of {percent(best['error'])}."
    )


def engines(diagnostics: Json | None, *names: str) -> str | None:
    """Say whether sampling and exact integration agree on contrasts; None where only one of them knows the model."""
    found = [one for one in (diagnostics or {}).get("engines", ()) if one["contrast"] in names]
    if not found or any(one["apart"] is None for one in found):
        return None
    apart = ", ".join(fixed(abs(one["apart"]), 2) for one in found)
    allowed, ratios = (", ".join(fixed(one[key], 2) for one in found) for key in ("allowed", "sd_ratio"))
    order = f" In this order: {', '.join(one['contrast'] for one in found)}." if len(found) > 1 else ""
    return (
        f"Two engines: the sampled mean lies {apart} SD from the exactly integrated one "
        f"(allowed: {allowed}), the sampled SD is {ratios} of the exact one "
        f"(allowed: 0.95 to 1.05).{order}"
    )


def figure(outcome: Json, arms: Sequence[Json], *, blinding: str) -> Figure | None:
    """Draw the effect of every alternative under the registered one; None where none was fitted."""
    fitted = [row for row in outcome["sensitivity"] if row["effect"] is not None]
    if not fitted or outcome["effect"] is None:
        return None
    shown = [(AS_REGISTERED, outcome["effect"]), *((IN_WORDS[row["name"]], row["effect"]) for row in fitted)]
    frame = pl.DataFrame(
        [
            {"way": way, "median": effect["median"], "low": effect["ci95"][0], "high": effect["ci95"][1]}
            for way, effect in shown
        ]
    )
    medians = frame["median"]
    alternative = (
        f"The difference with its 95 % interval, as registered and in {_ways(len(fitted))}: medians from "
        f"{fixed(float(medians.min()), 1)} to {fixed(float(medians.max()), 1)} {of_differences(outcome['unit'])}. "  # type: ignore[arg-type]
        f"{what_would_change(outcome, arms, blinding=blinding) or ''}"
    )
    words = contrast(outcome, arms)
    title = f"{words.arm} − {words.reference}, {of_differences(outcome['unit'])}"
    return draw_small(_chart(frame, title, outcome["worthwhile"]), alternative.strip())


def _chart(frame: pl.DataFrame, title: str, worthwhile: float | None) -> Spec:
    import altair as alt

    order = frame["way"].to_list()
    x: dict[str, Any] = {"title": title, "scale": alt.Scale(zero=True, nice=True)}
    y = alt.Y("way:N", sort=order, axis=None)
    colour = pl.when(pl.col("way") == AS_REGISTERED).then(pl.lit(POSTERIOR_COLOUR)).otherwise(pl.lit(NO_ARM_COLOUR))
    registered = alt.Color("colour:N", scale=None)
    chart = alt.Chart(frame.with_columns(colour=colour))
    bars = chart.mark_rule(strokeWidth=2.5, yOffset=8).encode(
        alt.X("low:Q", **x), y, x2=alt.X2("high:Q"), color=registered
    )
    dots = chart.mark_point(filled=True, size=70, opacity=1, yOffset=8).encode(
        alt.X("median:Q", **x), y, color=registered
    )
    names = chart.mark_text(align="left", yOffset=-7).encode(y, x=alt.XValue(2), text=alt.Text("way:N"))
    return layered(*_background(worthwhile), bars, dots, names, height=2 * ROW_HEIGHT * frame.height)


def side_by_side(alike: Sequence[Json], arms: Sequence[Json]) -> Figure | None:
    """Draw the effect of every alternative, a bar a contrast of an outcome; None where none was fitted."""
    told = [one for one in alike if one["effect"] is not None and any(row["effect"] for row in one["sensitivity"])]
    if not told:
        return None
    words = [contrast(one, arms) for one in told]
    names = [f"{its.arm} − {its.reference}" for its in words]
    rows = [row for place, one in enumerate(told) for row in _bars(one, names[place], place)]
    medians = [[row["median"] for row in rows if row["of"] == name] for name in names]
    unit = of_differences(told[0]["unit"])
    said = "; ".join(
        f"{name} from {fixed(min(of), 1)} to {fixed(max(of), 1)} {unit}"
        for name, of in zip(names, medians, strict=True)
    )
    alternative = f"The differences with their 95 % intervals, as registered and analysed otherwise. Medians: {said}."
    frame, worthwhile = pl.DataFrame(rows), told[0]["worthwhile"]
    return draw_small(_dodged(frame, names, f"difference, {unit}", worthwhile), alternative)


def _bars(outcome: Json, name: str, place: int) -> list[dict[str, Any]]:
    fitted = ((IN_WORDS[row["name"]], row["effect"]) for row in outcome["sensitivity"] if row["effect"] is not None)
    return [
        {"of": name, "place": place, "way": way, "median": effect["median"]}
        | dict(zip(("low", "high"), effect["ci95"], strict=True))
        for way, effect in ((AS_REGISTERED, outcome["effect"]), *fitted)
    ]


def _dodged(frame: pl.DataFrame, names: Sequence[str], title: str, worthwhile: float | None) -> Spec:
    """Draw a row an alternative: its name, and beneath it a bar a contrast."""
    import altair as alt

    order = frame["way"].unique(maintain_order=True).to_list()
    x: dict[str, Any] = {"title": title, "scale": alt.Scale(zero=True, nice=True)}
    y = alt.Y("way:N", sort=order, axis=None)
    times = len(names) // len(CONTRAST_COLOURS) + 1
    colours, shapes = ((list(looks) * times)[: len(names)] for looks in (CONTRAST_COLOURS, ARM_SHAPES))
    legend = alt.Legend(labelLimit=TITLE_LIMIT[NARROW] - 2 * ROW_HEIGHT)
    colour = alt.Color("of:N", sort=list(names), scale=alt.Scale(domain=list(names), range=colours), legend=legend)
    shape = alt.Shape("of:N", scale=alt.Scale(domain=list(names), range=shapes), legend=legend)
    height = ROW_HEIGHT + BAR_HEIGHT * len(names)
    layers = _background(worthwhile)
    for place, name in enumerate(names):
        own = alt.Chart(frame.filter(of=name))
        at = ROW_HEIGHT + BAR_HEIGHT * place - height / 2
        layers.append(
            own.mark_rule(strokeWidth=2, yOffset=at).encode(alt.X("low:Q", **x), y, colour, x2=alt.X2("high:Q"))
        )
        points = own.mark_point(filled=True, size=34, opacity=1, yOffset=at)
        layers.append(points.encode(alt.X("median:Q", **x), y, colour, shape))
    ways = alt.Chart(pl.DataFrame({"way": order}))
    text = ways.mark_text(align="left", yOffset=14 - height / 2)
    layers.append(text.encode(y, x=alt.XValue(2), text=alt.Text("way:N")))
    return layered(*layers, height=height * len(order))


def _background(worthwhile: float | None) -> "list[alt.Chart]":
    import altair as alt

    zero = alt.Chart(pl.DataFrame({"at": [0.0]})).mark_rule(color=INK, strokeDash=[3, 3]).encode(x=alt.X("at:Q"))
    if worthwhile is None:
        return [zero]
    band = pl.DataFrame({"from": [-worthwhile], "to": [worthwhile]})
    return [
        alt.Chart(band).mark_rect(color=BAND_COLOUR, opacity=0.5).encode(x=alt.X("from:Q"), x2=alt.X2("to:Q")),
        zero,
    ]
