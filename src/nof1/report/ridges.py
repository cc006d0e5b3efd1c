"""The posteriors of several contrasts of one outcome in one figure, a row each over one axis."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from nof1.report.canvas import INK, NARROW, TITLE_LIMIT, Figure, Spec, draw_small, layered
from nof1.report.figures import (
    AFTER,
    BEFORE,
    Sight,
    band_layers,
    densities,
    direction_layers,
    interval_layers,
    look_at,
    looks,
    posterior_alternative,
    window,
)
from nof1.report.rounding import of_differences
from nof1.report.sentences import Json, contrast

if TYPE_CHECKING:
    import xarray as xr

ROW: Final = 70
"""Height of a contrast's row in CSS pixels."""
STEP: Final = 1.6
"""From one row to the next, in heights of the tallest posterior."""


def figure(alike: Sequence[Json], arms: Sequence[Json], groups: "xr.DataTree") -> Figure:
    """Draw what is known about each difference after the trial, beside what was assumed before it."""
    words = [contrast(one, arms) for one in alike]
    sights = [look_at(one, its, groups) for one, its in zip(alike, words, strict=True)]
    alternative = " ".join(posterior_alternative(one, its) for one, its in zip(alike, words, strict=True))
    between, title = ("/", "ratio") if sights[0].none else ("−", f"difference, {of_differences(alike[0]['unit'])}")
    names = [f"{its.arm} {between} {its.reference}" for its in words]
    frame = _frame(sights)
    layers = [*_shared(sights, frame, title), *direction_layers(words[0]), *_names(names, frame)]
    return draw_small(_chart(layers, len(alike)), alternative)


def _frame(sights: Sequence[Sight]) -> pl.DataFrame:
    """Smooth all draws over one window; the first contrast stands highest."""
    windows = [window(sight) for sight in sights]
    ends = (min(low for low, _ in windows), max(high for _, high in windows))
    rows = [densities(sight, ends).with_columns(row=pl.lit(row)) for row, sight in enumerate(sights)]
    frame = pl.concat(rows)
    top = float(frame["density"].max())  # type: ignore[arg-type]
    return frame.with_columns(
        density=pl.col("density") / top, base=STEP * (len(sights) - 1 - pl.col("row").cast(pl.Float64))
    )


def _axes(frame: pl.DataFrame, title: str) -> tuple[dict[str, Any], Any]:
    import altair as alt

    ends = [float(frame["x"].min()), float(frame["x"].max())]  # type: ignore[arg-type]
    top = float(frame["base"].max()) + STEP  # type: ignore[arg-type]
    x = {"scale": alt.Scale(domain=ends, nice=False, zero=False, padding=4), "title": title}
    return x, alt.Y("base:Q", scale=alt.Scale(domain=[-0.16, top + 0.2], nice=False), axis=None)


def _shared(sights: Sequence[Sight], frame: pl.DataFrame, title: str) -> list[Any]:
    """Shade what is smaller than worth having behind all rows, and draw each row's curves and intervals over it."""
    import altair as alt

    x, base = _axes(frame, title)
    look = looks(sights[0])
    colour = alt.Color(
        "when:N",
        scale=alt.Scale(domain=list(look), range=list(look.values())),
        legend=alt.Legend(symbolType="square"),
    )
    chart = alt.Chart(frame.with_columns(height=pl.col("base") + pl.col("density")))
    after = chart.transform_filter(alt.datum.when == AFTER).mark_area(opacity=0.75)
    before = chart.transform_filter(alt.datum.when == BEFORE).mark_line(strokeDash=[5, 4], strokeWidth=1.8)
    at, height = alt.X("x:Q", **x), alt.Y("height:Q", scale=base["scale"], axis=None)
    bases = frame["base"].unique(maintain_order=True).to_list()
    return [
        *band_layers(sights[0], x, colour),
        after.encode(at, height, colour, y2=alt.Y2("base:Q"), detail=alt.Detail("row:N")),
        before.encode(at, height, colour, detail=alt.Detail("row:N")),
        *(layer for sight, row in zip(sights, bases, strict=True) for layer in interval_layers(sight, x, row - 0.1)),
    ]


def _names(names: Sequence[str], frame: pl.DataFrame) -> list[Any]:
    import altair as alt

    bases = frame["base"].unique(maintain_order=True)
    rows = pl.DataFrame({"name": list(names), "base": bases + 1.2})
    style: dict[str, Any] = {"color": INK, "fontWeight": "bold", "limit": TITLE_LIMIT[NARROW]}
    text = alt.Chart(rows).mark_text(align="left", baseline="middle", **style)
    return [text.encode(x=alt.XValue(4), y=alt.Y("base:Q"), text=alt.Text("name:N"))]


def _chart(layers: list[Any], rows: int) -> Spec:

    return layered(*layers, height=ROW * rows + 24)
