"""A plan in plain words: sentences, the table of chances, and the figure.

Everything here takes the plain values of `nof1.study.plan.Plan.to_payload`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any, Final

import polars as pl

from nof1.report.canvas import BAND_COLOUR, INK, NARROW, WIDE, Figure, Spec, draw, layered
from nof1.report.plain import capitalised, plain
from nof1.report.rounding import fixed, percent, whole_percent
from nof1.report.sentences import arm_name
from nof1.sleep.measures import MEASURES
from nof1.trial.protocol import Protocol

type Json = Mapping[str, Any]

COLUMNS: Final = {
    "none": "no effect",
    "published": "published",
    "worthwhile": "worthwhile",
    "large": "large",
    "prior": "unknown",
}
"""What the true effects of `nof1.model.plan` are called."""

WORDS: Final = {
    "meaningful_benefit": "meaningful benefit",
    "benefit": "benefit",
    "better_size_unclear": "better, size unclear",
    "no_worthwhile_difference": "no worthwhile difference",
    "not_enough_to_tell": "not enough to tell",
    "worse_size_unclear": "worse, size unclear",
    "worsening": "worsening",
    "meaningful_worsening": "meaningful worsening",
}
"""The verdicts from the best to the worst."""

COLOURS: Final = ("#00446B", "#0072B2", "#7FB8D9", BAND_COLOUR, "#E9ECEF", "#F2B48C", "#C44F00", "#7A3100")
"""Of the verdicts: blue for better and vermillion for worse, the darker the more is claimed."""

BENEFITS: Final = ("meaningful_benefit", "benefit")
LIGHT: Final = frozenset(COLOURS[2:6])
PAPER: Final = "#FFFFFF"
"""Ink on dark bars."""
LABELLED_FROM: Final = 0.08
"""Share of a bar from which its percentage fits into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPlan:
    """A plan as it was put on record before a trial.

    Parameters
    ----------
    on
        The day, in UTC.
    noise, nights
        ``own`` or ``default``, and from how many own nights.
    effects
        By the names of `COLUMNS`: ``effect`` (null where drawn), ``half_width``, and ``verdicts`` with their shares.
    enough
        ``effect``, ``blocks`` for an 80 % chance of a benefit (null: more than ``most``); None without a worthwhile
        change.
    """

    on: str
    noise: str
    nights: int
    effects: Json
    enough: Json | None

    def of(self, protocol: Protocol) -> Json:
        """Lay it out as `plan_figure` takes a plan: with the words of the protocol that it is of."""
        outcome, contrast = protocol.primary, protocol.contrasts[0]
        measure = MEASURES[outcome.measure]
        as_ratio = measure.family == "lognormal"
        effects = {}
        for name in (name for name in COLUMNS if name in self.effects):  # the record sorts them by name
            verdicts = {verdict: {"share": share} for verdict, share in self.effects[name]["verdicts"].items()}
            effects[name] = {**self.effects[name], "verdicts": verdicts}
        return {
            "against_reference": protocol.arm(contrast.reference).reference,
            "contrast": {"arm": contrast.arm, "reference": contrast.reference},
            "label": measure.label,
            "unit": "ratio" if as_ratio else measure.unit,
            "as_ratio": as_ratio,
            "told": {"by_effect": effects},
        }


def kept_words(kept: KeptPlan, protocol: Protocol) -> str:
    """Say how the length was chosen: when it was reckoned, from what, and what it came to."""
    noise = f"from {kept.nights} nights of the person's own" if kept.noise == "own" else "with noise by default"
    said = [f"Reckoned on {kept.on}, before the draw, by simulation {noise}."]
    plan = kept.of(protocol)
    for name in ("worthwhile", "large"):
        if one := plan["told"]["by_effect"].get(name):
            found = sum(one["verdicts"].get(verdict, {"share": 0.0})["share"] for verdict in BENEFITS)
            claim = "a benefit" if plan["against_reference"] else "a verdict for the better one"
            true = _told_effect(plan, one)
            said.append(f"Where the true effect is {true}, {claim} is found with a chance of {percent(found)}.")
    if kept.enough is not None:
        blocks = kept.enough["blocks"] or f"more than {kept.enough['most']}"
        aim = f"For an 80 % chance at {_told_effect(plan, kept.enough)} it would take {blocks} blocks"
        said.append(f"{aim}; this trial has {protocol.design.blocks}.")
    return " ".join(said)


def verdict_words(plan: Json) -> dict[str, str]:
    """Name the verdicts of a plan in order; between two actives a result favours the one or the other."""
    if plan["against_reference"]:
        return dict(WORDS)
    arm, reference = (arm_name(plan["contrast"][side]) for side in ("arm", "reference"))
    favours = {
        "meaningful_benefit": f"favours {arm}, clearly",
        "benefit": f"favours {arm}",
        "better_size_unclear": f"favours {arm}, size unclear",
        "worse_size_unclear": f"favours {reference}, size unclear",
        "worsening": f"favours {reference}",
        "meaningful_worsening": f"favours {reference}, clearly",
    }
    return WORDS | favours


def plan_table(plan: Json) -> tuple[list[str], list[list[str]]]:
    """Lay out the chances: headings, and a row for the true effect, each verdict, and the width of the interval."""
    told: dict[str, Json] = plan["told"]["by_effect"]
    first = f"true effect, {plan['unit']}"
    rows = [[first, *(_effect(plan, one) for one in told.values())]]
    for verdict, words in verdict_words(plan).items():
        shares = [one["verdicts"].get(verdict, {"share": 0.0})["share"] for one in told.values()]
        rows.append([words, *(percent(share).replace("under ", "<").replace("over ", ">") for share in shares)])
    rows.append(
        [f"95 % interval, {'×÷' if plan['as_ratio'] else '±'}", *(_half_width(plan, one) for one in told.values())]
    )
    return ["chance of each verdict", *(COLUMNS[name] for name in told)], rows


def plan_lines(plan: Json) -> Iterator[str]:
    """Say what is planned, from which noise, and what it comes to."""
    design = plan["design"]
    periods = design["blocks"] * plan["arms"]
    yield (
        f"{capitalised(plain(plan['label']))}, {_pair(plan)}: {periods} periods of {design['period_nights']} nights, "
        f"{plan['nights']} in all, of which {plan['used_nights']} are compared."
    )
    yield _noise_line(plan)
    if plan["as_ratio"]:
        yield _ratio_line(plan)


def conclusions(plan: Json) -> Iterator[str]:
    """Say what the table comes to: its error, the published effect, and how many nights it would take."""
    told = plan["told"]["by_effect"]
    error = max(share["error"] for one in told.values() for share in one["verdicts"].values())
    yield (
        f"Monte Carlo error: at most ±{100 * error:.1f} points ({plan['trials']} simulated trials; the same plan has "
        "the same numbers). Unknown: the effect is drawn from the prior, as before any night."
    )
    if plan["alike"]:
        yield f"{' and '.join(plan['alike'])}: the same chances, each for itself."
    yield _published_line(plan)
    yield _enough_line(plan)
    yield "Effects are taken to show at once: of one that builds up over days the first nights show less."


def _ratio_line(plan: Json) -> str:
    """Say of what the ratios are, and which of them is worth having."""
    begin = "Effects are ratios of medians: ×0.80 is a fifth less time to fall asleep"
    if plan["worthwhile"] is None:
        return f"{begin}. {capitalised(plain(plan['worthwhile_why']))}."
    return f"{begin}. Worthwhile: ×{fixed(exp(-plan['worthwhile']), 2)} ({plain(plan['worthwhile_why'])})."


def _pair(plan: Json) -> str:
    return f"{arm_name(plan['contrast']['arm'])} − {arm_name(plan['contrast']['reference'])}"


def _told_effect(plan: Json, one: Json) -> str:
    return _effect(plan, one) if plan["as_ratio"] else f"{_effect(plan, one)} {plan['unit']}"


def _half_width(plan: Json, one: Json) -> str:
    return fixed(exp(one["half_width"]), 2) if plan["as_ratio"] else fixed(one["half_width"], 1)


def _effect(plan: Json, one: Json) -> str:
    """An effect in the unit of the measure, or as a ratio of medians."""
    if one["effect"] is None:
        return "drawn"
    if plan["as_ratio"]:
        return f"×{fixed(exp(one['effect']), 2)}"
    sign = "+" if one["effect"] > 0 else ""
    return sign + fixed(one["effect"], 0 if float(one["effect"]).is_integer() else 1)


def _noise_line(plan: Json) -> str:
    noise, unit = plan["noise"], "log min" if plan["as_ratio"] else plan["unit"]
    digits = 2 if plan["as_ratio"] else 1
    if noise["source"] == "own":
        low, high = (fixed(end, digits - 1) for end in noise["sigma_ci95"])
        begin = (
            f"Noise of {noise['nights']} nights of your own, {noise['first']} to {noise['last']}: SD of nights "
            f"{fixed(noise['sigma'], digits)} {unit} (95 % interval {low} to {high})"
        )
    else:
        begin = f"Noise by default, a cautious one: SD of nights {fixed(noise['sigma'], digits)} {unit}"
    end = (
        f", correlation with the next night {fixed(noise['rho'], 2)}; periods differ by "
        f"{fixed(noise['sigma_period'], digits)} {unit} (SD), {percent(noise['missing'])} of the nights are missing."
    )
    return begin + end + (f" ({plain(noise['why_default'])})" if noise["why_default"] else "")


def _published_line(plan: Json) -> str:
    published = plan["published"]
    if published is None:
        return "No effect is published that this comparison could be held against."
    begin = _published_ratio(plan) if plan["as_ratio"] else _published_minutes(plan)
    sure, chance = (
        percent(plan["direction_from"]),
        percent(plan["told"]["by_effect"]["published"]["direction"]["share"]),
    )
    seen = f"the chance that the nights make {sure} or more sure of its direction is {chance}"
    bar = whole_percent(plan["detects_from"])
    if plan["told"]["detects"]:
        return f"{begin}{capitalised(seen)}, {bar} % or more."
    return f"{begin}This design cannot detect the published effect: {seen}, under {bar} %."


def _published_ratio(plan: Json) -> str:
    return (
        f"Published: in two trials people who took 35 to 84 min to fall asleep took 17 min less on magnesium (Mah & "
        f"Pitre 2021); taken, cautiously, as {_effect(plan, plan['told']['by_effect']['published'])}. "
    )


def _published_minutes(plan: Json) -> str:
    published, told = plan["published"], plan["told"]["by_effect"]["published"]
    of = published["device"]
    shows = (
        f"of such a change {of} showed {fixed(published['share'], 2)} (Robbins 2024)"
        if of
        else f"what your device shows of it is not known, and taken as {fixed(published['share'], 2)}, an Oura's"
    )
    return (
        f"Published: {fixed(published['published'], 1)} min more slow-wave sleep in the laboratory (Held 2002); "
        f"{shows}: {_effect(plan, told)} min. "
    )


def _enough_line(plan: Json) -> str:
    enough = plan["told"]["enough"]
    if enough is None and plan["as_ratio"]:
        return f"No benefit can be claimed, however many nights there are: {plain(plan['worthwhile_why'])}."
    if enough is None:
        return "Without a worthwhile change in the protocol no benefit can be claimed, however many nights there are."
    claim = "a benefit" if plan["against_reference"] else "a verdict that favours the better one"
    times = "1.5 times the worthwhile change" + (" in logarithms" if plan["as_ratio"] else "")
    aim = f"For an 80 % chance of {claim} at {_told_effect(plan, enough)}, {times}, it takes"
    if enough["blocks"] is None:
        return f"{aim} more than {enough['most']} blocks; this design has {plan['design']['blocks']}."
    chance = f"{percent(enough['chance']['share'])} ±{100 * enough['chance']['error']:.1f}"
    return (
        f"{aim} about {enough['blocks']} blocks ({enough['nights']} nights, chance {chance}); this design has "
        f"{plan['design']['blocks']}."
    )


def advice(plan: Json) -> str:
    """Say in one sentence what to change for an 80 % chance of a benefit, and whether the published effect shows."""
    enough, detects = plan["told"]["enough"], plan["told"]["detects"]
    if enough is None:
        told = "no number of nights lets this outcome show a benefit: fix a worthwhile change, or take another outcome"
    elif enough["blocks"] is None:
        told = (
            f"even {enough['most']} blocks have no 80 % chance of showing {_aimed_at(plan, enough)}: take an outcome "
            "that varies less, or do not expect an answer"
        )
    elif enough["blocks"] > plan["design"]["blocks"]:
        told = (
            f"for an 80 % chance of showing {_aimed_at(plan, enough)} write blocks = {enough['blocks']} instead of "
            f"{plan['design']['blocks']}: {enough['nights']} nights"
        )
    else:
        told = f"this design is long enough: its chance of showing {_aimed_at(plan, enough)} is about 80 % or more"
    published = {
        False: "; this design cannot detect the published effect",
        True: "; it sees the published effect more often than not",
    }
    return f"In short: {told}{published.get(detects, '')}."


def _aimed_at(plan: Json, enough: Json) -> str:
    return f"an effect of {_told_effect(plan, enough)}"


def plan_figure(plan: Json) -> Figure:
    """Draw one bar a true effect, cut into the chances of the verdicts."""
    frame = _bars(plan)
    rows: Sequence[str] = frame["effect"].unique(maintain_order=True).to_list()
    told = "; ".join(
        f"{row}: " + ", ".join(f"{words} {percent(share)}" for words, share in group.iter_rows())
        for row, group in ((row, frame.filter(pl.col("effect") == row).select("verdict", "share")) for row in rows)
    )
    words = list(verdict_words(plan).values())
    wide, narrow = (_bar_chart(words, frame, list(rows), width) for width in (WIDE, NARROW))
    return draw(
        wide,
        f"Chance of each verdict at each true effect of {_pair(plan)} on {plain(plan['label'])}. {told}.",
        narrow=narrow,
    )


def _bars(plan: Json) -> pl.DataFrame:
    words = verdict_words(plan)
    colours = dict(zip(words, COLOURS, strict=True))
    rows = []
    for name, one in plan["told"]["by_effect"].items():
        effect = COLUMNS[name] if one["effect"] is None else f"{COLUMNS[name]} ({_told_effect(plan, one)})"
        end = 0.0
        for verdict in words:
            share = one["verdicts"].get(verdict, {"share": 0.0})["share"]
            begin, end = end, end + share
            if share > 0:
                rows.append(
                    {
                        "effect": effect,
                        "verdict": words[verdict],
                        "share": share,
                        "begin": begin,
                        "end": end,
                        "middle": (begin + end) / 2,
                        "label": f"{whole_percent(share)} %" if share >= LABELLED_FROM else "",
                        "ink": INK if colours[verdict] in LIGHT else PAPER,
                    }
                )
    return pl.DataFrame(rows)


def _bar_chart(words: list[str], frame: pl.DataFrame, rows: list[str], width: int) -> Spec:
    import altair as alt

    axis = alt.Axis(format="%", grid=False, tickCount=5)
    x: dict[str, Any] = {"scale": alt.Scale(domain=[0, 1], nice=False), "title": "chance of each verdict", "axis": axis}
    colour = alt.Color(
        "verdict:N",
        scale=alt.Scale(domain=words, range=list(COLOURS)),
        legend=alt.Legend(columns=2 if width == WIDE else 1, symbolType="square"),
    )
    row = alt.Y("effect:N", axis=None, sort=rows, scale=alt.Scale(paddingOuter=0.1))
    chart = alt.Chart(frame)
    bars = chart.mark_bar(height=22, yOffset=9, stroke="white", strokeWidth=0.7)
    layers: list[alt.Chart] = [
        bars.encode(alt.X("begin:Q", **x), row, x2=alt.X2("end:Q"), color=colour),
        alt.Chart(pl.DataFrame({"effect": rows}))
        .mark_text(align="left", yOffset=-11)
        .encode(row, x=alt.XValue(2), text=alt.Text("effect:N")),
    ]
    if width == WIDE:
        for ink in (INK, PAPER):
            labels = alt.Chart(frame.filter(ink=ink)).mark_text(yOffset=9, color=ink)
            layers.append(labels.encode(alt.X("middle:Q", **x), row, text=alt.Text("label:N")))
    return layered(*layers, height=52 * len(rows))
