"""What every figure shares: colours, sizes, and the way to a static SVG.

Every figure is drawn twice, for a page and for a phone, because letters that shrink with a figure cannot be read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import altair as alt

type Spec = dict[str, Any]
"""A chart as Vega-Lite takes it."""

OF_A_WHOLE_CHART: Final = {"$schema", "config", "datasets"}
"""What Altair writes into each chart, and no layer of one may have."""

WIDE: Final = 680
NARROW: Final = 340
"""Widths in CSS pixels, axes included: a page column, and a phone of 360 px and more."""
PADDING: Final = 6
TITLE_LIMIT: Final = {WIDE: 600, NARROW: 300}
"""Pixels beyond which the title of an axis is cut. Other text is short enough: Vega's looking for the cut takes as long
as drawing."""
FONT: Final = "'Liberation Sans', Arial, Helvetica, 'DejaVu Sans', sans-serif"
"""Fonts that Vega finds by name: of ``system-ui`` it cannot know how wide a browser draws it."""
FONT_SIZE: Final = 13

ARM_COLOURS: Final = ("#0072B2", "#C44F00", "#1B2733", "#8B3A78")
"""Blue, vermillion, ink, purple after Okabe and Ito (2008), 4.5 : 1 on white and more; green means better."""
ARM_SHAPES: Final = ("circle", "square", "diamond", "triangle-up")
CONTRAST_COLOURS: Final = ("#3E6FA3", "#1B2733", "#8A5A00", "#5F6B76")
"""Of contrasts beside each other, from the first on again where there are more; their shapes are those of the arms."""
ARM_DASHES: Final = ([1, 0], [6, 2], [2, 2], [9, 2, 2, 2])
NO_ARM_COLOUR: Final = "#5F6B76"
INK: Final = "#1B2733"
GRID: Final = "#DDE3E8"
BAND_COLOUR: Final = "#E3D9B4"
POSTERIOR_COLOUR: Final = "#3E6FA3"
PRIOR_COLOUR: Final = "#4A4A4A"
BETTER_COLOUR: Final = "#00735C"
WORSE_COLOUR: Final = "#8B3A78"
"""Green and purple, which no colour blindness makes alike; their icons differ in shape and place as well."""
STAGE_COLOURS: Final = {
    "wake": "#E6A23C",
    "rem": "#B07AA1",
    "light": "#9CC3E6",
    "asleep": "#9CC3E6",
    "deep": "#1F3A6E",
    "unscored": "#E4E7EA",
}
"""Deeper sleep is darker, being awake is of another hue; in grey they are apart, too."""
ICONS: Final = 176
"""Width of the ten-by-ten icons in CSS pixels."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure in two widths.

    Parameters
    ----------
    wide, narrow
        SVG documents; the same one where one width serves everywhere.
    alternative
        What the figure shows, for who cannot see it.
    """

    wide: str
    narrow: str
    alternative: str


@contextmanager
def unchecked() -> Iterator[None]:
    """Build charts without checking each part of them against the schema: they are fixed, and tested."""
    from altair.utils.schemapi import debug_mode

    with debug_mode(False):
        yield


def layered(*charts: "alt.Chart", height: float) -> Spec:
    """Lay charts over each other: Altair's own way of it copies each of them four times."""
    # A schema check of a finished chart costs more than its drawing, and the charts are fixed and tested.
    drawn = [chart.to_dict(validate=False) for chart in charts]
    datasets = {name: rows for one in drawn for name, rows in one.get("datasets", {}).items()}
    layers = [{name: part for name, part in one.items() if name not in OF_A_WHOLE_CHART} for one in drawn]
    return {"layer": layers, "datasets": datasets, "height": height}


def draw(chart: Spec, alternative: str, *, narrow: Spec | None = None, axis: int = 0) -> Figure:
    """Draw a chart in both widths.

    Parameters
    ----------
    narrow
        Another chart for a phone.
    axis
        CSS pixels beside the chart, which its vertical axis takes.
    """
    on_a_phone = chart if narrow is None else narrow
    return Figure(wide=_svg(chart, WIDE, axis), narrow=_svg(on_a_phone, NARROW, axis), alternative=alternative)


def draw_small(chart: Spec, alternative: str, *, width: int = NARROW) -> Figure:
    """Draw a chart that has room on a phone, and stands beside others elsewhere, in one width."""
    svg = _svg(chart, width)
    return Figure(wide=svg, narrow=svg, alternative=alternative)


def _svg(spec: Spec, width: int, axis: int = 0) -> str:
    import vl_convert

    # Vega would find out by itself how wide a chart may be beside its axis, and measure all text twice for that. Each
    # of Altair's methods that set a style copies the whole chart.
    size = {"width": width - axis - 2 * PADDING, "padding": PADDING}
    style = {"background": "white", "config": _style(TITLE_LIMIT.get(width, width))}
    # No address is allowed: a chart holds all of its data.
    svg: str = vl_convert.vegalite_to_svg(spec | size | style, allowed_base_urls=[])
    return svg


def _style(limit: int) -> dict[str, Any]:
    """Lay out Vega-Lite's ``config``; titles longer than `limit` pixels are cut."""
    words = {"labelFontSize": FONT_SIZE, "labelColor": INK}
    axis = {
        "titleFontSize": FONT_SIZE,
        "titleFontWeight": "normal",
        "titleColor": INK,
        "titleLimit": limit,
        "labelLimit": 0,
        "labelBound": 1,
        "tickCount": 6,
        "gridColor": GRID,
        "domainColor": NO_ARM_COLOUR,
        "tickColor": NO_ARM_COLOUR,
    }
    legend = {
        "orient": "top",
        "direction": "vertical",
        "title": None,
        "labelLimit": 0,
        "symbolSize": 90,
        "symbolOpacity": 1,
    }
    return {
        "aria": False,  # a picture's words are its alternative
        "font": FONT,
        "view": {"stroke": None},
        "axis": words | axis,
        "legend": words | legend,
        "text": {"font": FONT, "fontSize": FONT_SIZE, "color": INK},
    }
