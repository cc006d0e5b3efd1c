"""The page before there is a result: how far a trial is and how good its data are, and nothing of what anything does.

Whole counts alone: nothing stands by arm, bottle or period, so that nobody can read an effect, or an arm, into it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from nof1.report.plain import plain, sentence
from nof1.report.sentences import DISCLAIMER
from nof1.report.templating import only_this, stylesheet, templates
from nof1.report.trial_map import calendar_map
from nof1.trial.adherence import AS_ASSIGNED, MISSED, NOT_DUE, UNKNOWN

DOSES: Final[Mapping[str, str]] = {
    AS_ASSIGNED: "taken",
    MISSED: "not taken",
    UNKNOWN: "not logged",
    NOT_DUE: "taken where none was due",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What the page is made from.

    Parameters
    ----------
    standing
        How far the trial is, why no effect stands here, and what comes next, in sentences.
    evenings
        Every night of the schedule, none where the trial was stopped before its first: ``night`` (date), ``state``
        (``used`` for recorded, ``aside`` for recorded and not to be compared, ``missing``, ``ahead``), ``dose``
        (of `nof1.trial.adherence.STATUSES`; null for what is to come).
    kept_out
        Why recorded nights are kept out, in words, and how many.
    source
        Where the nights, and the time to fall asleep, come from; None before the first import.
    felt
        Symptom, and on how many nights it was said to be none, mild, moderate and severe.
    said
        Device changes, safety, pauses and amendments, in sentences.
    emergency
        When to seek help at once, in the protocol's words; None where nothing is taken any more.
    """

    participant: str
    title: str
    question: str
    blinding: str
    standing: tuple[str, ...]
    evenings: pl.DataFrame
    kept_out: Mapping[str, int]
    source: str | None
    felt: tuple[tuple[str, int, int, int, int], ...]
    said: tuple[str, ...]
    emergency: str | None


def render_progress(progress: Progress) -> str:
    """Render the page: HTML that needs no network and no script, one sheet of A4."""
    style = stylesheet("report.css")
    return (
        templates()
        .get_template("progress.html")
        .render(
            trial=progress,
            style=style,
            policy=f"{only_this(style)}; img-src data:",
            map=calendar_map(progress.evenings) if progress.evenings.height else None,
            counts=_counts(progress),
            emergency=sentence(progress.emergency) if progress.emergency else None,
            said=[sentence(text) for text in progress.said],
            felt=[(plain(name), *nights) for name, *nights in progress.felt],
            disclaimer=DISCLAIMER,
        )
    )


def _counts(progress: Progress) -> list[tuple[str, list[tuple[str, int]]]]:
    """Lay out groups of names and numbers: the nights, why some are kept out, and the doses."""
    over = progress.evenings.filter(pl.col("state") != "ahead")
    states = over["state"].to_list()
    nights = [
        ("over, run-in included", over.height),
        ("recorded", states.count("used") + states.count("aside")),
        ("not recorded", states.count("missing")),
        *((f"kept out: {plain(why)}", count) for why, count in progress.kept_out.items()),
    ]
    doses = over["dose"].to_list()
    taken = [(words, doses.count(status)) for status, words in DOSES.items()]
    return [("Nights", nights), ("Doses", [one for one in taken if one[1] or one[0] != DOSES[NOT_DUE]])]
