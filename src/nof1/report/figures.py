"""The nights and the posterior of an outcome as figures, each with a text alternative that states its finding.

No imported text reaches a Vega expression: labels travel as data only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from nof1.model.posterior import of_contrast
from nof1.report.canvas import (
    ARM_COLOURS,
    ARM_DASHES,
    ARM_SHAPES,
    BAND_COLOUR,
    INK,
    NARROW,
    NO_ARM_COLOUR,
    POSTERIOR_COLOUR,
    PRIOR_COLOUR,
    WIDE,
    Figure,
    Spec,
    draw,
    draw_small,
    layered,
)
from nof1.report.plain import capitalised, plain
from nof1.report.rounding import decimals_in_sentences, of_differences, percent, quantity
from nof1.report.sentences import Contrast, Json, arm_name, contrast, difference, worthwhile_words
from nof1.trial.protocol import Contrast as Compared

if TYPE_CHECKING:
    import altair as alt
    import numpy as np
    import xarray as xr

    type Draws = np.ndarray[tuple[int], np.dtype[np.float64]]

NO_ARM: Final = "no treatment"
DENSITY_POINTS: Final = 160
HEIGHT: Final = 240
LABELS, TITLE = 34, 20
"""What a vertical axis takes in CSS pixels: its numbers, of four digits at most, and what it shows."""
HALF_DAY: Final = 12 * 3600 * 1000
"""In milliseconds: a night is as wide as a day."""
CROSS: Final = "M-1,-1L1,1M1,-1L-1,1"
"""The path that marks a night without a measurement."""
AFTER: Final = "after the trial"
BEFORE: Final = "assumed before the trial"
WITHIN: Final = "smaller than worth having"
QUANTILES: Final = (0.025, 0.25, 0.5, 0.75, 0.975)


def planned_nights(group: "xr.Dataset") -> pl.DataFrame:
    """Read ArviZ's ``constant_data`` group of one outcome.

    Returns
    -------
    pl.DataFrame
        One row a planned night: ``date``, ``value`` (null = no measurement), ``arm`` (code, "" = none), ``period``
        (null = none), ``recorded`` (whether there was any recording), ``used``.
    """
    names = ("date", "value", "arm", "period", "recorded", "used")
    return pl.DataFrame({name: group[name].values.tolist() for name in names}).with_columns(
        pl.col("date").str.slice(0, 10).str.to_date(),
        pl.col("value").cast(pl.Float64).fill_nan(None),
        pl.when(pl.col("period") >= 0).then("period").alias("period"),
    )


@dataclass(frozen=True, slots=True)
class ArmLook:
    """The names and initials of the arms, in the order of the protocol: their place decides how they look."""

    names: tuple[str, ...]
    initials: tuple[str, ...]

    def scale(self, looks: Sequence[Any], last: Any) -> "alt.Scale":
        """Give each arm its look, and nights on none the last."""
        import altair as alt

        return alt.Scale(domain=[*self.names, NO_ARM], range=[*looks[: len(self.names)], last])


def arm_look(arms: Sequence[Json]) -> ArmLook:
    """Name the arms for a figure; initials that coincide become A, B, C."""
    names = tuple(arm_name(arm["code"]) for arm in arms)
    initials = tuple(name[:1].upper() for name in names)
    if len(set(initials)) < len(names):
        initials = tuple("ABCDEFGH"[: len(names)])
    return ArmLook(names, initials)


def nights_figure(outcome: Json, arms: Sequence[Json], planned: pl.DataFrame) -> Figure:
    """Draw every night in its period: used ones filled, others hollow, those without a measurement as crosses."""
    look = arm_look(arms)
    names = dict(zip((arm["code"] for arm in arms), look.names, strict=True))
    initials = dict(zip(look.names, look.initials, strict=True))
    shown = planned.with_columns(pl.col("arm").replace_strict(names, default=NO_ARM))
    periods = _periods(shown, typical(outcome)).with_columns(initial=pl.col("arm").replace_strict(initials, default=""))
    wide, narrow = (_nights_chart(outcome, look, shown, periods, width) for width in (WIDE, NARROW))
    return draw(wide, _nights_alternative(outcome, shown, periods), narrow=narrow, axis=LABELS + TITLE)


def _name(outcome: Json) -> str:
    return capitalised(plain(outcome["label"]))


def typical(outcome: Json) -> str:
    """Say how a period is summed up: a skewed outcome by its median, as its model does."""
    return "median" if outcome["model"]["family"] == "lognormal" else "mean"


def _periods(shown: pl.DataFrame, how: str) -> pl.DataFrame:
    used = pl.col("value").filter("used")
    return (
        shown.drop_nulls("period")
        .group_by("period")
        .agg(
            pl.col("arm").first(),
            pl.col("date").min().alias("first"),
            pl.col("date").max().alias("last"),
            (used.median() if how == "median" else used.mean()).alias("middle"),
        )
        .sort("first")
    )


def _nights_alternative(outcome: Json, shown: pl.DataFrame, periods: pl.DataFrame) -> str:
    unit = outcome["unit"]
    recorded = shown["value"].is_not_null()
    used, missing = int((shown["used"] & recorded).sum()), int((~recorded).sum())
    middles = "; ".join(
        f"{arm} {quantity(middle, unit, decimals_in_sentences(unit))}"
        for arm, middle in periods.drop_nulls("middle").select("arm", "middle").iter_rows()
    )
    return (
        f"{_name(outcome)} night by night: {used} used, {int(recorded.sum()) - used} measured but not used, "
        f"{missing} without a measurement. {capitalised(typical(outcome))} of each period in order: "
        f"{middles or 'none'}."
    )


def _nights_chart(outcome: Json, look: ArmLook, shown: pl.DataFrame, periods: pl.DataFrame, width: int) -> Spec:
    import altair as alt

    moments = shown.with_columns(_instant("date"))
    spans = periods.with_columns(_instant("first") - HALF_DAY, _instant("last") + HALF_DAY)
    recorded = moments.drop_nulls("value")
    nights = moments["date"].to_list()
    days = alt.Scale(type="utc", domain=[nights[0] - HALF_DAY, nights[-1] + HALF_DAY], nice=False)
    axis = alt.Axis(format="%-d %b", grid=False, tickCount=8 if width == WIDE else 4, labelOverlap=True, offset=14)
    values = alt.Axis(minExtent=LABELS, maxExtent=LABELS)
    x = alt.X("date:T", scale=days, axis=axis, title=None)
    y = alt.Y(
        "value:Q", scale=_value_scale(recorded["value"]), title=f"{_name(outcome)}, {outcome['unit']}", axis=values
    )
    legend = alt.Legend(values=[arm for arm in (*look.names, NO_ARM) if arm in set(shown["arm"])], symbolStrokeWidth=0)
    colour = alt.Color("arm:N", scale=look.scale(ARM_COLOURS, NO_ARM_COLOUR), legend=legend)
    shape = alt.Shape("arm:N", scale=look.scale(ARM_SHAPES, "cross"), legend=legend)
    points: dict[str, Any] = {"opacity": 0.9, "size": 42 if width == WIDE else 22, "strokeWidth": 1.3}
    return layered(
        *_period_layers(look, spans, days),
        alt.Chart(recorded.filter("used")).mark_point(filled=True, **points).encode(x, y, colour, shape),
        alt.Chart(recorded.filter(~pl.col("used"))).mark_point(filled=False, **points).encode(x, y, colour, shape),
        alt.Chart(moments.filter(pl.col("value").is_null()))
        .mark_point(shape=CROSS, size=22, color=NO_ARM_COLOUR, strokeWidth=1.4)
        .encode(x, y=alt.YValue(HEIGHT + 7)),
        height=HEIGHT,
    )


def _period_layers(look: ArmLook, spans: pl.DataFrame, days: "alt.Scale") -> "list[alt.Chart]":
    """Tint each period, mark it with its arm's initial, and draw its middle across it."""
    import altair as alt

    colour = alt.Color("arm:N", scale=look.scale(ARM_COLOURS, NO_ARM_COLOUR))
    dash = alt.StrokeDash("arm:N", scale=look.scale(ARM_DASHES, [1, 0]), legend=None)
    across: dict[str, Any] = {"x": alt.X("first:T", scale=days), "x2": alt.X2("last:T"), "color": colour}
    centre = alt.X("centre:T", scale=days)
    return [
        alt.Chart(spans).mark_rect(opacity=0.09).encode(**across),
        alt.Chart(spans.with_columns(centre=(pl.col("first") + pl.col("last")) / 2))
        .mark_text(fontWeight="bold", baseline="top")
        .encode(centre, y=alt.YValue(3), text=alt.Text("initial:N"), color=colour),
        alt.Chart(spans.drop_nulls("middle"))
        .mark_rule(strokeWidth=2.5)
        .encode(y=alt.Y("middle:Q"), strokeDash=dash, **across),
    ]


def _instant(day: str) -> pl.Expr:
    """Turn a date into milliseconds, so that no time zone of the machine can move it."""
    return pl.col(day).cast(pl.Datetime("ms")).cast(pl.Int64)


def _value_scale(values: pl.Series) -> "alt.Scale":
    """Leave room above for the initials; start at 0 unless all values are far from it."""
    import altair as alt

    low, high = (0.0, 1.0) if values.is_empty() else (float(values.min()), float(values.max()))  # type: ignore[arg-type]
    room = 0.15 * max(high - min(low, 0.0 if low < 0.4 * high else low), 1.0)
    start = 0.0 if 0 <= low < 0.4 * high else low - room / 2
    return alt.Scale(domain=[start, high + room], nice=False, zero=False)


@dataclass(frozen=True, slots=True)
class Sight:
    """What the posterior figure looks at.

    Parameters
    ----------
    draws, prior
        Draws of the difference after and before the trial; ``prior`` may be empty.
    none
        The value of no difference: 0, or 1 for a ratio.
    band
        The differences smaller than worth having, or None where no worthwhile change was fixed.
    title
        What the axis shows.
    """

    draws: "Draws"
    prior: "Draws"
    none: float
    band: tuple[float, float] | None
    title: str


def posterior_figure(outcome: Json, arms: Sequence[Json], groups: "xr.DataTree") -> Figure:
    """Draw what is known about the difference after the trial, beside what was assumed before it.

    Where the worthwhile change is a ratio, the ratio is drawn, so that the band is the one of the probabilities.
    """
    words = contrast(outcome, arms)
    sight = look_at(outcome, words, groups)
    chart = _posterior_chart(words, sight, densities(sight, window(sight)))
    return draw_small(chart, posterior_alternative(outcome, words))


def look_at(outcome: Json, words: Contrast, groups: "xr.DataTree") -> Sight:
    """Take a contrast's draws out of the posterior and the prior of its outcome."""
    as_ratio = outcome["worthwhile"] is None and outcome["worthwhile_ratio"] is not None
    name = Compared(arm=outcome["arm"], reference=outcome["reference"]).name
    drawn = {told: of_contrast(groups.children[told].to_dataset(), name) for told in ("posterior", "prior")}
    return _ratio_sight(outcome, words, drawn) if as_ratio else _difference_sight(outcome, words, drawn)


def _difference_sight(outcome: Json, words: Contrast, drawn: "Mapping[str, xr.Dataset]") -> Sight:
    w = outcome["worthwhile"]
    return Sight(
        draws=drawn["posterior"]["effect"].to_numpy().ravel(),
        prior=drawn["prior"]["effect"].to_numpy().ravel(),
        none=0.0,
        band=None if w is None else (-abs(w), abs(w)),
        title=f"{words.arm} − {words.reference}, {of_differences(outcome['unit'])}",
    )


def _ratio_sight(outcome: Json, words: Contrast, drawn: "Mapping[str, xr.Dataset]") -> Sight:
    import numpy as np

    ratio = outcome["worthwhile_ratio"]
    prior = drawn["prior"]
    return Sight(
        draws=np.exp(drawn["posterior"]["delta"].to_numpy().ravel()),
        prior=np.exp(prior["delta"].to_numpy().ravel()) if "delta" in prior else np.empty(0),
        none=1.0,
        band=(min(ratio, 1 / ratio), max(ratio, 1 / ratio)),
        title=f"{words.arm} / {words.reference}, ratio",
    )


def window(sight: Sight) -> tuple[float, float]:
    """Give the values between which the posterior lies, with no difference and what is smaller than worth having."""
    import numpy as np

    ends = [*np.quantile(sight.draws, [0.001, 0.999]).tolist(), sight.none, *(sight.band or ())]
    margin = 0.06 * (max(ends) - min(ends))
    return min(ends) - margin, max(ends) + margin


def densities(sight: Sight, ends: tuple[float, float]) -> pl.DataFrame:
    """Smooth both sets of draws over a window."""
    import numpy as np

    at = np.linspace(*ends, DENSITY_POINTS)
    told = {AFTER: sight.draws, BEFORE: sight.prior}
    return pl.concat(
        pl.DataFrame({"x": at, "density": _smoothed(draws, at), "when": [when] * DENSITY_POINTS})
        for when, draws in told.items()
        if draws.size
    )


def _smoothed(draws: "Draws", at: "Draws") -> "Draws":
    """Estimate a density by Gaussian kernels of Scott's width (scipy.stats would take a second to import)."""
    import numpy as np

    width = draws.std(ddof=1) * draws.size ** (-1 / 5)
    kernels = np.subtract.outer(at / width, draws / width)
    kernels *= kernels
    kernels *= -0.5
    density: Draws = np.exp(kernels, out=kernels).mean(axis=1) / (width * np.sqrt(2 * np.pi))
    return density


def posterior_alternative(outcome: Json, words: Contrast) -> str:
    """Say what the posterior of a contrast shows."""
    p, unit = outcome["probability"], outcome["unit"]
    low, middle, high = (
        difference(value, unit, words)
        for value in (outcome["effect"]["ci50"][0], outcome["effect"]["median"], outcome["effect"]["ci50"][1])
    )
    said = (
        f"How probable each difference in {words.name} is, {words.arm} minus {words.reference}: centred at {middle}, "
        f"half of the probability between {low} and {high}; {words.better} {percent(p['p_better'])}"
    )
    change = worthwhile_words(outcome)
    if change is None or p["p_better_worthwhile"] is None:
        return f"{said}."
    return f"{said}, by at least {change} {percent(p['p_better_worthwhile'])}."


def _posterior_chart(words: Contrast, sight: Sight, density: pl.DataFrame) -> Spec:
    import altair as alt

    top = float(density["density"].max())  # type: ignore[arg-type]
    ends = [float(density["x"][0]), float(density["x"][DENSITY_POINTS - 1])]
    x: dict[str, Any] = {"scale": alt.Scale(domain=ends, nice=False, zero=False, padding=4), "title": sight.title}
    y_scale = alt.Scale(domain=[-0.16 * top, 1.12 * top], nice=False)
    look = looks(sight)
    scale = alt.Scale(domain=list(look), range=list(look.values()))
    colour = alt.Color("when:N", scale=scale, legend=alt.Legend(symbolType="square"))
    curve = alt.Chart(density)
    y = alt.Y("density:Q", scale=y_scale, axis=None)
    return layered(
        *band_layers(sight, x, colour),
        curve.transform_filter(alt.datum.when == AFTER).mark_area(opacity=0.75).encode(alt.X("x:Q", **x), y, colour),
        curve.transform_filter(alt.datum.when == BEFORE)
        .mark_line(strokeDash=[5, 4], strokeWidth=1.8)
        .encode(alt.X("x:Q", **x), y, colour),
        *interval_layers(sight, x, -0.08 * top),
        *direction_layers(words),
        height=170,
    )


def looks(sight: Sight) -> dict[str, str]:
    """Give each thing that is drawn its colour."""
    look = {AFTER: POSTERIOR_COLOUR}
    look |= {BEFORE: PRIOR_COLOUR} if sight.prior.size else {}
    return look | ({WITHIN: BAND_COLOUR} if sight.band else {})


def band_layers(sight: Sight, x: dict[str, Any], colour: "alt.Color") -> "list[alt.Chart]":
    """Shade the differences smaller than worth having, and mark no difference."""
    import altair as alt

    none = alt.Chart(pl.DataFrame({"x": [sight.none]})).mark_rule(color=INK, strokeWidth=1.2).encode(alt.X("x:Q", **x))
    if sight.band is None:
        return [none]
    band = pl.DataFrame({"low": [sight.band[0]], "high": [sight.band[1]], "when": [WITHIN]})
    return [alt.Chart(band).mark_rect(opacity=1).encode(alt.X("low:Q", **x), x2=alt.X2("high:Q"), color=colour), none]


def interval_layers(sight: Sight, x: dict[str, Any], at: float) -> "list[alt.Chart]":
    """Draw the 95 % interval thin, the 50 % interval thick and the median as a dot."""
    import altair as alt
    import numpy as np

    told = dict(zip(("low", "from", "median", "to", "high"), np.quantile(sight.draws, QUANTILES), strict=True))
    chart = alt.Chart(pl.DataFrame([{name: float(value) for name, value in told.items()} | {"at": at}]))
    y = alt.Y("at:Q")
    return [
        chart.mark_rule(strokeWidth=1.6, color=INK).encode(alt.X("low:Q", **x), y, x2=alt.X2("high:Q")),
        chart.mark_rule(strokeWidth=6, color=INK).encode(alt.X("from:Q", **x), y, x2=alt.X2("to:Q")),
        chart.mark_point(filled=True, size=90, color="white", stroke=INK, strokeWidth=2, opacity=1).encode(
            alt.X("median:Q", **x), y
        ),
    ]


def direction_layers(words: Contrast) -> "list[alt.Chart]":
    """Say at the upper corners which way is which, and which of them is better."""
    import altair as alt

    def told(way: str) -> str:
        return f"{way} (better)" if way == words.better else way

    at_left = (alt.XValue(4), alt.YValue(4), alt.TextValue(f"← {told(words.down)}"))
    at_right = (alt.XValue("width"), alt.YValue(4), alt.TextValue(f"{told(words.up)} →"))
    empty = alt.Chart(pl.DataFrame({"one": [1]}))
    return [
        empty.mark_text(align="left", baseline="top").encode(*at_left),
        empty.mark_text(align="right", baseline="top", dx=-4).encode(*at_right),
    ]
