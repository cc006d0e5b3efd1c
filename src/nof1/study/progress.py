"""What the page tells before there is a result: every evening so far, and what the status knows of the whole trial."""

from typing import Final

import polars as pl

from nof1.report.progress import Progress
from nof1.report.sentences import LATENCY_SOURCE
from nof1.sleep.measures import MEASURES
from nof1.sleep.nights import NIGHT_FLAGS
from nof1.sleep.session import SESSION_FLAGS
from nof1.study.status import SoFar, TrialStatus, device_changes, read_so_far, status_of
from nof1.study.study import Study

WORDS: Final = {**SESSION_FLAGS, **NIGHT_FLAGS}


def read_progress(study: Study, *, participant: str | None = None) -> Progress:
    """Gather the page of a trial that has begun. Nothing here depends on which treatment a period has.

    Raises
    ------
    InputMissingError
        No trial has begun.
    """
    so_far = read_so_far(study, participant=participant)
    status, trial = status_of(so_far), so_far.trial
    evenings = _evenings(so_far)
    return Progress(
        participant=status.participant,
        title=status.title,
        question=trial.protocol.question,
        blinding=status.blinding,
        standing=tuple(status.standing),
        evenings=evenings.select("night", "state", "dose"),
        kept_out=_kept_out(evenings, so_far),
        source=_source(status),
        felt=tuple((one.symptom, one.none, one.mild, one.moderate, one.severe) for one in status.side_effects),
        said=(
            *(f"Change: {night}: {what}" for night, what in device_changes(so_far)),
            *status.safety,
            *status.conduct,
        ),
        emergency=None if so_far.has_ended else trial.protocol.safety.emergency,
    )


def _evenings(so_far: SoFar) -> pl.DataFrame:
    """One row a night of the schedule: night, state, dose, flags, and whether the primary outcome was measured."""
    measure = MEASURES[_primary(so_far)]
    measured = pl.col(measure.name).is_not_null()
    if measure.censoring:  # a night without any sleep tells a latency, too: longer than the time in bed
        measured |= (pl.col("tst_min") == 0) & (pl.col("tib_min") > 0)
    nights = so_far.nights.select("night", "flags", measured=measured)
    kept_out = pl.col("flags").list.set_intersection(list(so_far.trial.protocol.sleep.exclude_flags)).list.len() > 0
    state = (
        pl.when(pl.col("night") >= so_far.over).then(pl.lit("ahead"))
        .when(pl.col("flags").is_null()).then(pl.lit("missing"))
        .when(kept_out | ~pl.col("measured")).then(pl.lit("aside"))
        .otherwise(pl.lit("used"))
    )  # fmt: skip
    joined = so_far.trial.calendar().join(nights, on="night", how="left")
    joined = joined.join(so_far.doses.select("night", dose=pl.col("status").cast(pl.String)), on="night", how="left")
    return joined.sort("night").select("night", "dose", "flags", "measured", state=state)


def _kept_out(evenings: pl.DataFrame, so_far: SoFar) -> dict[str, int]:
    """Count the nights kept out by why; by a flag, and those that no flag keeps out by the outcome they do not tell."""
    aside = evenings.filter(pl.col("state") == "aside")
    flags = so_far.trial.protocol.sleep.exclude_flags
    counts = {WORDS.get(flag, flag): aside.filter(pl.col("flags").list.contains(flag)).height for flag in flags}
    unflagged = pl.col("flags").list.set_intersection(list(flags)).list.len() == 0
    counts[f"{MEASURES[_primary(so_far)].label} was not measured"] = aside.filter(unflagged).height
    return {why: count for why, count in counts.items() if count}


def _primary(so_far: SoFar) -> str:
    return so_far.trial.protocol.primary.measure


def _source(status: TrialStatus) -> str | None:
    if status.stream is None or status.latency_source is None:
        return None
    latency = LATENCY_SOURCE.get(status.latency_source, status.latency_source)
    return f"Sleep comes from {status.stream}; the time to fall asleep {latency}."
