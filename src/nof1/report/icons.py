"""A hundred icons for what is known of a worthwhile change: better, about the same, worse."""

from typing import Final

import polars as pl

from nof1.report.canvas import BETTER_COLOUR, ICONS, NO_ARM_COLOUR, WORSE_COLOUR, Figure, draw_small, layered
from nof1.report.rounding import percent
from nof1.report.sentences import Json, contrast, worthwhile_words

ROWS: Final = 10
HUNDRED: Final = ROWS * ROWS
LOOKS: Final = {
    "p_better_worthwhile": ("better", BETTER_COLOUR, "triangle-up"),
    "p_no_worthwhile_difference": ("same", NO_ARM_COLOUR, "circle"),
    "p_worse_worthwhile": ("worse", WORSE_COLOUR, "triangle-down"),
}
"""By probability of ``result.json``: what it is, its colour and its shape, in the order in which the icons are laid."""


def told(outcome: Json) -> bool:
    """Say whether there are icons: only with a verdict, and only where a worthwhile change was agreed beforehand."""
    known = outcome["probability"]
    verdict = outcome["verdict"] not in {"descriptive_only", "not_usable"}
    return verdict and known is not None and all(known[key] is not None for key in LOOKS)


def counts(outcome: Json) -> dict[str, int]:
    """Share a hundred icons out: the whole hundredths first, then one each to the largest remainders."""
    exact = {name: HUNDRED * outcome["probability"][key] for key, (name, _, _) in LOOKS.items()}
    shared = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: shared[name] - exact[name])
    for name in by_remainder[: HUNDRED - sum(shared.values())]:
        shared[name] += 1
    return shared


def legend(outcome: Json, arms: list[Json]) -> list[tuple[str, str, str]]:
    """Lay out rows of kind, probability as in the sentences, and what it is the probability of."""
    words = contrast(outcome, arms)
    better, worse = worthwhile_words(outcome), worthwhile_words(outcome, worse=True)
    said = {
        "better": f"{words.better} on {words.arm} by at least {better}",
        "same": "about the same: any difference is smaller than that",
        "worse": f"{words.worse} by at least {worse}",
    }
    return [(name, percent(outcome["probability"][key]), said[name]) for key, (name, _, _) in LOOKS.items()]


def figure(outcome: Json, arms: list[Json]) -> Figure:
    """Draw the icons row by row, the better first."""
    import altair as alt

    names = [name for name, count in counts(outcome).items() for _ in range(count)]
    frame = pl.DataFrame({"kind": names}).with_row_index("place")
    frame = frame.with_columns(column=pl.col("place") % ROWS, row=pl.col("place") // ROWS)
    kinds, colours, shapes = (list(of) for of in zip(*LOOKS.values(), strict=True))
    places = alt.Scale(domain=[-0.5, ROWS - 0.5], nice=False, zero=False)
    chart = layered(
        alt.Chart(frame)
        .mark_point(filled=True, size=110, opacity=1)
        .encode(
            alt.X("column:Q", axis=None, scale=places),
            alt.Y("row:Q", axis=None, scale=alt.Scale(domain=[ROWS - 0.5, -0.5], nice=False, zero=False)),
            alt.Color("kind:N", legend=None, scale=alt.Scale(domain=kinds, range=colours)),
            alt.Shape("kind:N", legend=None, scale=alt.Scale(domain=kinds, range=shapes)),
        ),
        height=ICONS - 12,
    )
    said = "; ".join(f"{p} {what}" for _, p, what in legend(outcome, arms))
    return draw_small(chart, f"A hundred icons, one for each hundredth of the probability. {said}.", width=ICONS)
