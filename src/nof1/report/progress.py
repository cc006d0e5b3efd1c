"""The page before there is a result: how far a trial is and how good its data are, and nothing of what anything does.

Whole counts alone: nothing stands by arm, bottle or period, so that nobody can read an effect, or an arm, into it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
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
    is_sealed
        Whether the arm of any period is concealed.
    has_ended
        Whether the last night is over.
    is_withdrawn
        Whether the person took the consent back: then nothing is analysed.
    evenings
        Every night of the schedule, none where the trial was stopped before its first: ``night`` (date), ``state``
        (``used`` for recorded, ``aside`` for recorded and kept out of the analysis, ``missing``, ``ahead``), ``dose``
        (of `nof1.trial.adherence.STATUSES`; null for what is to come).
    kept_out
        Why recorded nights are kept out, in words, and how many.
    source
        Where the nights, and the time to fall asleep, come from; None before the first import.
    felt
        Symptom, and on how many nights it was said to be none, mild, moderate and severe.
    said
        Device changes, safety, pauses and amendments, in sentences.
    """

    participant: str
    title: str
    question: str
    blinding: str
    is_sealed: bool
    has_ended: bool
    is_withdrawn: bool
    nights_over: int
    nights_planned: int
    first_night: date
    last_night: date
    evenings: pl.DataFrame
    kept_out: Mapping[str, int]
    source: str | None
    felt: tuple[tuple[str, int, int, int, int], ...]
    said: tuple[str, ...]


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
            standing=standing(progress),
            map=calendar_map(progress.evenings) if progress.evenings.height else None,
            counts=_counts(progress),
            said=[sentence(text) for text in progress.said],
            felt=[(plain(name), *nights) for name, *nights in progress.felt],
            disclaimer=DISCLAIMER,
        )
    )


def standing(progress: Progress) -> list[str]:
    """Say how far the trial is, why no effect stands here, and what comes next."""
    far = f"{progress.nights_over} of {progress.nights_planned} nights on treatment are over."
    if progress.is_withdrawn:
        return [far, "The consent was taken back: nothing of this trial is analysed."]
    if not progress.has_ended:
        return [
            f"{far} The last night is that of {progress.last_night}.",
            "What the treatment does is told to nobody before the planned end: who looks earlier stops on a good week.",
        ]
    if progress.is_sealed:
        return [far, "The treatments are still concealed. Next: nof1 lock, then nof1 unblind, then nof1 analyse."]
    return [far, "Nothing was analysed yet. Next: nof1 analyse."]


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
