"""What every figure shares: colours, sizes, and the way to a static SVG.

Every figure is drawn twice, for a page and for a phone, because letters that shrink with a figure cannot be read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import altair as alt

type Layers = alt.LayerChart | alt.FacetChart
"""What Altair says that layering gives."""

WIDE: Final = 680
NARROW: Final = 340
"""Widths in CSS pixels, axes included: a page column, and a phone of 360 px and more."""
LABEL_LIMIT: Final = {WIDE: 600, NARROW: 300}
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"
FONT_SIZE: Final = 13

ARM_COLOURS: Final = ("#0072B2", "#C44F00", "#00735C", "#8B3A78")
"""Blue, vermillion, green, purple after Okabe and Ito (2008), the last three darkened to 4.5 : 1 on white."""
ARM_SHAPES: Final = ("circle", "square", "triangle-up", "diamond")
ARM_DASHES: Final = ([1, 0], [6, 2], [2, 2], [9, 2, 2, 2])
NO_ARM_COLOUR: Final = "#5F6B76"
INK: Final = "#1B2733"
GRID: Final = "#DDE3E8"
BAND_COLOUR: Final = "#E3D9B4"
POSTERIOR_COLOUR: Final = "#3E6FA3"
PRIOR_COLOUR: Final = "#4A4A4A"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure in two widths.

    Parameters
    ----------
    wide, narrow
        SVG documents.
    alternative
        What the figure shows, for who cannot see it.
    """

    wide: str
    narrow: str
    alternative: str


def draw(chart: Callable[[int], Layers], alternative: str) -> Figure:
    """Draw a chart, which is told its width, in both widths."""
    return Figure(wide=_svg(chart(WIDE), WIDE), narrow=_svg(chart(NARROW), NARROW), alternative=alternative)


def _svg(chart: Layers, width: int) -> str:
    import vl_convert

    limit = LABEL_LIMIT[width]
    styled = (
        chart.properties(width=width, autosize={"type": "fit-x", "contains": "padding"}, background="white", padding=6)
        .configure(font=FONT)
        .configure_view(stroke=None)
        .configure_axis(
            labelFontSize=FONT_SIZE,
            titleFontSize=FONT_SIZE,
            titleFontWeight="normal",
            labelColor=INK,
            titleColor=INK,
            gridColor=GRID,
            domainColor=NO_ARM_COLOUR,
            tickColor=NO_ARM_COLOUR,
            titleLimit=limit,
        )
        .configure_legend(
            orient="top",
            direction="vertical",
            title=None,
            labelFontSize=FONT_SIZE,
            labelColor=INK,
            labelLimit=limit - 30,
            symbolSize=90,
            symbolOpacity=1,
        )
        .configure_text(font=FONT, fontSize=FONT_SIZE, color=INK)
    )
    # Altair's schema check of a finished chart costs more than the drawing, and the charts are fixed and tested.
    # No address is allowed: a chart holds all of its data.
    svg: str = vl_convert.vegalite_to_svg(styled.to_dict(validate=False), allowed_base_urls=[])
    return svg
