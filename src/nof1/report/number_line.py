"""What to expect on each arm, on one number line that shows how far a worthwhile change reaches."""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from nof1.report.canvas import (
    ARM_COLOURS,
    ARM_SHAPES,
    BAND_COLOUR,
    INK,
    NO_ARM_COLOUR,
    Figure,
    Spec,
    draw_small,
    layered,
)
from nof1.report.figures import arm_look
from nof1.report.plain import capitalised, plain
from nof1.report.rounding import decimals_in_sentences, fixed, quantity
from nof1.report.sentences import Json, arm_name

ROW: Final = 40
"""Height of an arm's row in CSS pixels: its name stands above its dot."""


def about_the_same(outcome: Json) -> tuple[float, float] | None:
    """Give the values that are no worthwhile change from the reference's; None where none was agreed."""
    at = outcome["levels"][outcome["reference"]]["median"]
    if outcome["worthwhile"] is not None:
        return at - abs(outcome["worthwhile"]), at + abs(outcome["worthwhile"])
    if outcome["worthwhile_ratio"] is None:
        return None
    low, high = sorted((outcome["worthwhile_ratio"], 1 / outcome["worthwhile_ratio"]))
    return at * low, at * high


def caption(outcome: Json) -> str:
    """Say what the line shows."""
    said = "Expected on each arm; bar: 95 % interval."
    if about_the_same(outcome) is None:
        return said
    return f"{said} Shaded: about the same as on {arm_name(outcome['reference'])}."


def figure(outcome: Json, arms: Sequence[Json]) -> Figure:
    """Draw each arm's dot with its 95 % interval over the zone of what is about the same as the reference."""
    unit, decimals = outcome["unit"], decimals_in_sentences(outcome["unit"])
    names = arm_look(arms).names
    rows = [
        {"arm": name, "median": level["median"], "low": level["ci95"][0], "high": level["ci95"][1]}
        for arm, name in zip(arms, names, strict=True)
        if (level := outcome["levels"].get(arm["code"]))
    ]
    told = [
        f"{row['arm']}: {quantity(row['median'], unit, decimals)} "
        f"({fixed(row['low'], decimals)} to {fixed(row['high'], decimals)})"
        for row in rows
    ]
    name, zone = capitalised(plain(outcome["label"])), about_the_same(outcome)
    said = f"{name} expected on each arm, with 95 % interval. {'; '.join(told)}."
    if zone is not None:
        low, high = (quantity(end, unit, decimals) for end in zone)
        said += f" About the same as on {arm_name(outcome['reference'])}: {low} to {high}."
    frame = pl.DataFrame(rows).with_columns(told=pl.Series(told))
    return draw_small(_chart(frame, f"{name}, {unit}", names, zone), said)


def _chart(frame: pl.DataFrame, title: str, names: tuple[str, ...], zone: tuple[float, float] | None) -> Spec:
    import altair as alt

    row = alt.Y("arm:N", axis=None, sort=list(names), scale=alt.Scale(paddingOuter=0))
    domain = alt.Scale(domain=list(names), range=list(ARM_COLOURS[: len(names)]))
    colour = alt.Color("arm:N", scale=domain, legend=None)
    shapes = alt.Scale(domain=list(names), range=list(ARM_SHAPES[: len(names)]))
    x: dict[str, Any] = {
        "scale": alt.Scale(zero=False, nice=True, padding=12),
        "title": title,
        "axis": alt.Axis(grid=False, tickCount=6),
    }
    chart = alt.Chart(frame)
    return layered(
        *_zone(zone, x),
        chart.mark_rule(strokeWidth=3, yOffset=8).encode(alt.X("low:Q", **x), row, x2=alt.X2("high:Q"), color=colour),
        chart.mark_point(filled=True, size=120, opacity=1, yOffset=8).encode(
            alt.X("median:Q", **x), row, colour, alt.Shape("arm:N", scale=shapes, legend=None)
        ),
        chart.mark_text(align="left", yOffset=-10, limit=320, color=INK).encode(
            row, x=alt.XValue(2), text=alt.Text("told:N")
        ),
        height=ROW * frame.height,
    )


def _zone(zone: tuple[float, float] | None, x: dict[str, Any]) -> "list[Any]":
    import altair as alt

    if zone is None:
        return []
    band = alt.Chart(pl.DataFrame({"from": [zone[0]], "to": [zone[1]]}))
    edge = alt.Chart(pl.DataFrame({"at": list(zone)}))
    return [
        band.mark_rect(color=BAND_COLOUR, opacity=0.7).encode(alt.X("from:Q", **x), x2=alt.X2("to:Q")),
        edge.mark_rule(color=NO_ARM_COLOUR, strokeDash=[2, 2]).encode(alt.X("at:Q", **x)),
    ]
