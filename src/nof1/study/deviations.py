"""What was done otherwise than the registered protocol says, in sentences."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from nof1.sleep.assembly import assemble_nights
from nof1.store.events import Event, Record
from nof1.store.history import clock_warnings, no_later_than
from nof1.store.sessions import scan_sessions
from nof1.store.state import admitted_files
from nof1.study.study import Study
from nof1.study.trials import Trial


def conduct_deviations(trial: Trial, events: Sequence[Event]) -> list[str]:
    """Tell pauses, ends, early looks, sleep withdrawn, concealment given up, and what was declared too late."""
    said = [*trial.conduct.said, *_looks(trial, events), *_withdrawn(trial, events), *_declared_late(trial)]
    said += [f"Of the record, {warning}." for warning in clock_warnings(events)]
    if trial.protocol.conceals and trial.seal is None:
        said.append("The protocol conceals the arms; the trial ran open label.")
    return said


def _looks(trial: Trial, events: Sequence[Event]) -> list[str]:
    """Tell the analyses that were made before the last night was over, whatever the clock said then."""
    looked = [no_later_than(events, event) for event in _of(trial, events, "analysed")]
    days = [at.astimezone(trial.zone).date() for at in looked if trial.is_early(at)]
    return [f"Effects were looked at on {day} or before, and the last night was not over." for day in days]


def _declared_late(trial: Trial) -> list[str]:
    """Tell what only a declaration before the first night makes worth anything, where it came after that night."""
    if trial.registered_before_first_night:
        return []
    protocol, day = trial.protocol, datetime.fromisoformat(trial.started_at).astimezone(trial.zone).date()
    late = f"{day}, after the first night ({trial.schedule.first_night})"
    said = []
    if declared := protocol.design.reference_set:
        said.append(
            f"The {len(declared)} orders that could have been drawn (design.reference_set) were declared on {late}: "
            "who chose them could know the nights, and the p of the randomisation test rests on their word."
        )
    if protocol.analysis.looks:
        said.append(
            f"The looks at nights before the end (analysis.looks) were declared on {late}: who declared them could "
            "know what they had shown."
        )
    return said


def _withdrawn(trial: Trial, events: Sequence[Event]) -> list[str]:
    """Tell the imports of sleep that somebody withdrew after the trial had begun, or after its effects were known."""
    begun = min((event.seq for event in _of(trial, events, "trial-started")), default=None)
    known = min((event.seq for event in _of(trial, events, "analysed")), default=None)
    return [
        f"An import of sleep was withdrawn on {event.at[:10]} ({event.reason}), after "
        + ("the nights had been analysed." if known is not None and event.seq > known else "the trial had begun.")
        for event in _of(trial, events, "import-retracted")
        if event.command == "retract" and begun is not None and event.seq > begun
    ]


def _of(trial: Trial, events: Sequence[Event], kind: str) -> list[Event]:
    return [event for event in events if (event.kind, event.participant) == (kind, trial.participant.code)]


def nights_of_other_streams(study: Study, record: Record, trial: Trial, nights: pl.DataFrame) -> list[str]:
    """Tell the nights of the trial that its own stream did not record, and another one did.

    Parameters
    ----------
    nights
        Those of the trial's stream.
    """
    sessions = scan_sessions(study.folder, admitted_files(record, trial.participant.code)).collect()
    lacking = trial.calendar().filter(~pl.col("night").is_in(nights["night"].implode()))["night"]
    own = trial.stream.stream if trial.stream else ""
    said = []
    for (name,), others in sessions.filter(pl.col("stream") != own).group_by("stream", maintain_order=True):
        rules = trial.protocol.sleep
        other = assemble_nights(
            others, merge_gap_min=rules.merge_gap_min, night_boundary_h=rules.night_boundary_h, latency_source="none"
        )
        count = other.filter(pl.col("night").is_in(lacking.implode())).height
        if count:
            said.append(
                f"{count} of the planned nights count as not recorded although another device or version recorded them "
                f"({name}): a trial measures with one, here {own}."
            )
    return said
