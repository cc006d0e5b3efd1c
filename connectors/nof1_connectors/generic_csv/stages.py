"""The table of stages: one row a stage, put together into recordings."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from nof1.connect.clock import Moment
from nof1.connect.connector import ReadOptions
from nof1.connect.decoding import RAGGED
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.connect.timeline import Piece, join
from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, UNSCORED, WAKE
from nof1_connectors.generic_csv.table import Row, kind_of, moment_of, stream_of, word_of

NEW_RECORDING: Final = timedelta(hours=1)
"""Without a `record_id`, stages further apart than this belong to two recordings."""

STAGE_OF: Final = {
    "wake": WAKE,
    "awake": WAKE,
    "w": WAKE,
    "light": LIGHT,
    "n1": LIGHT,
    "n2": LIGHT,
    "deep": DEEP,
    "n3": DEEP,
    "rem": REM,
    "r": REM,
    "asleep": ASLEEP,
    "unscored": UNSCORED,
}
"""The words for stages, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One row, placed in time.

    Parameters
    ----------
    where
        The member and line.
    recording
        Device, algorithm and `record_id`, each None where the row is silent.
    problem
        Why the recording that it belongs to cannot be used; None where the row is sound.
    """

    where: str
    row: Row
    recording: tuple[str | None, str | None, str | None]
    start: Moment
    end: Moment
    problem: str | None


def place_stage(row: Row, where: str, options: ReadOptions) -> Stage:
    """Place one row in time. What is wrong beyond its start is kept for the recording that it belongs to.

    Raises
    ------
    ValueError
        Its start cannot be read, so that nobody can say which recording it belongs to.
    """
    start, notes = moment_of(word_of(row, "start") or "", options)
    end, problem = start, _problem(row, notes)
    if problem is None:
        try:
            end, notes = _end(row, start, options)
            problem = _problem(row, notes) or (None if end.instant > start.instant else "it lasts no time")
        except ValueError as error:
            problem = str(error)
    device, algorithm, record_id = (word_of(row, name) for name in ("device", "algorithm", "record_id"))
    return Stage(
        where=where,
        row=row,
        recording=(device, algorithm, record_id),
        start=start,
        end=end,
        problem=problem,
    )


def _problem(row: Row, notes: Sequence[str]) -> str | None:
    if row[RAGGED]:
        return "it does not have the fields of the header"
    if notes:
        return "its wall-clock time lies in the hour of a clock change: write times with their offset"
    return None if word_of(row, "stage") else "it names no stage"


def _end(row: Row, start: Moment, options: ReadOptions) -> tuple[Moment, tuple[str, ...]]:
    if text := word_of(row, "end"):
        return moment_of(text, options)
    seconds = word_of(row, "seconds") or ""
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= len(str(MAX_SESSION_S))):
        raise ValueError(f"its seconds are {seconds[:40]!r}, not a whole number")
    return start.plus(int(seconds)), ()


def recordings_of(stages: Iterable[Stage]) -> Iterator[list[Stage]]:
    """Give the stages of each recording: those of one `record_id`, or else those not far from each other."""
    recording: list[Stage] = []
    last_end: datetime | None = None
    for stage in sorted(stages, key=_order):
        same = recording and stage.recording == recording[0].recording
        near = last_end is not None and stage.start.instant - last_end <= NEW_RECORDING
        if recording and not (same and (near or stage.recording[2] is not None)):
            yield recording
            recording, last_end = [], None
        recording.append(stage)
        last_end = max(stage.end.instant, last_end or stage.end.instant)
    if recording:
        yield recording


def _order(stage: Stage) -> tuple[tuple[str, ...], datetime, datetime, str]:
    recording = tuple("" if word is None else f"={word}" for word in stage.recording)
    return recording, stage.start.instant, stage.end.instant, str(stage.row["stage"])


def parse_recording(stages: Sequence[Stage], options: ReadOptions) -> Session:
    """Turn the stages of one recording, sorted, into one session.

    Raises
    ------
    ValueError
        The recording cannot be used; the message is the reason.
    """
    for stage in stages:
        if stage.problem:
            raise ValueError(f"one of its stages cannot be read ({stage.where}: {stage.problem})")
    first, last = stages[0], max(stages, key=lambda stage: stage.end.instant)
    device, algorithm, record_id = first.recording
    lights_out = _same(stages, "lights_out")
    return make_session(
        stream=stream_of(device, algorithm),
        record_id=record_id or identity(datetime.fromisoformat(word_of(first.row, "start") or "").isoformat()),
        start=first.start,
        end=last.end,
        pieces=_pieces(stages),
        stage_of=STAGE_OF,
        kind=kind_of({"kind": _same(stages, "kind")}),
        in_bed=moment_of(lights_out, options)[0].instant if lights_out else None,
        in_bed_source="tap",
        device=device,
        algorithm=algorithm,
    )


def _pieces(stages: Sequence[Stage]) -> list[Piece]:
    """Count in seconds from the first stage; a row that is there twice counts once."""
    start = stages[0].start.instant
    bounds = {
        (
            round((stage.start.instant - start).total_seconds()),
            round((stage.end.instant - start).total_seconds()),
            word_of(stage.row, "stage") or "",
        )
        for stage in stages
    }
    return join(Piece(begins, ends - begins, label) for begins, ends, label in sorted(bounds) if ends > begins)


def _same(stages: Sequence[Stage], column: str) -> str | None:
    told = {text for stage in stages if (text := word_of(stage.row, column))}
    if len(told) > 1:
        raise ValueError(f"its stages disagree on {column}: {', '.join(repr(text[:40]) for text in sorted(told)[:3])}")
    return next(iter(told), None)
