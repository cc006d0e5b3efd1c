"""What the page tells before there is a result: every evening so far, and what the status knows of the whole trial."""

from datetime import date
from typing import Final

import polars as pl

from nof1.errors import InputMissingError
from nof1.report.page import LATENCY_SOURCE
from nof1.report.progress import Progress
from nof1.sleep.nights import NIGHT_FLAGS, SCHEMA
from nof1.sleep.session import SESSION_FLAGS
from nof1.study.diaries import read_diary
from nof1.study.nights import read_nights
from nof1.study.status import TrialStatus, trial_status
from nof1.study.study import Study
from nof1.study.trials import Trial, read_trial
from nof1.trial.adherence import adherence

WORDS: Final = {**SESSION_FLAGS, **NIGHT_FLAGS}


def read_progress(study: Study, *, participant: str | None = None) -> Progress:
    """Gather the page of a trial that has begun. Nothing here depends on which treatment a period has.

    Raises
    ------
    InputMissingError
        No trial has begun.
    """
    status = trial_status(study, participant=participant)
    with study.record() as record:
        trial = read_trial(study, record, participant)
        diary = read_diary(record, trial.participant)
    over = min(status.today, trial.conduct.paused_since or status.today)
    nights = _recorded(study, trial)
    evenings = _evenings(trial, nights, diary, over)
    return Progress(
        participant=status.participant,
        title=status.title,
        question=trial.protocol.question,
        blinding=status.blinding,
        is_sealed=trial.is_sealed,
        has_ended=status.ended,
        is_withdrawn=trial.conduct.withdrawn,
        nights_over=status.nights_done,
        nights_planned=status.nights_planned,
        first_night=status.first_night,
        last_night=status.last_night,
        evenings=evenings,
        kept_out=_kept_out(evenings.filter(pl.col("state") == "aside"), trial.protocol.sleep.exclude_flags),
        source=_source(status),
        felt=tuple((one.symptom, one.none, one.mild, one.moderate, one.severe) for one in status.side_effects),
        said=(*(f"Change: {change}" for change in status.changes), *status.safety, *status.conduct),
    )


def _recorded(study: Study, trial: Trial) -> pl.DataFrame:
    try:
        return read_nights(study, participant=trial.participant.code)
    except InputMissingError:
        return pl.DataFrame(schema=SCHEMA)


def _evenings(trial: Trial, nights: pl.DataFrame, diary: pl.DataFrame, over: date) -> pl.DataFrame:
    """One row a night of the schedule: night, state, dose, flags."""
    calendar = trial.calendar()
    without_dose = [arm.code for arm in trial.protocol.arms if arm.units_per_dose == 0]
    doses = adherence(calendar.filter(pl.col("night") < over), diary, without_dose=without_dose)
    kept_out = pl.col("flags").list.set_intersection(list(trial.protocol.sleep.exclude_flags)).list.len() > 0
    state = (
        pl.when(pl.col("night") >= over).then(pl.lit("ahead"))
        .when(pl.col("flags").is_null()).then(pl.lit("missing"))
        .when(kept_out).then(pl.lit("aside"))
        .otherwise(pl.lit("used"))
    )  # fmt: skip
    joined = calendar.join(nights.select("night", "flags"), on="night", how="left", maintain_order="left")
    joined = joined.join(doses.select("night", dose=pl.col("status").cast(pl.String)), on="night", how="left")
    return joined.sort("night").select("night", "dose", "flags", state=state)


def _kept_out(aside: pl.DataFrame, exclude_flags: tuple[str, ...]) -> dict[str, int]:
    counts = {flag: aside.filter(pl.col("flags").list.contains(flag)).height for flag in exclude_flags}
    return {WORDS.get(flag, flag): count for flag, count in counts.items() if count}


def _source(status: TrialStatus) -> str | None:
    if status.stream is None or status.latency_source is None:
        return None
    latency = LATENCY_SOURCE.get(status.latency_source, status.latency_source)
    return f"Sleep comes from {status.stream}; the time to fall asleep {latency}."
