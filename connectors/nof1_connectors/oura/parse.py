"""Oura's sleep documents, whichever file they come in: one document in, one session out.

The second version of the API, the account export and the old web export name their fields alike; the first version of
the API has names of its own, which are translated before anything is read.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from nof1.connect.clock import placed
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.connect.timeline import Piece, differing_sums, epochs
from nof1.sleep.session import GUESSED_BEDTIME
from nof1.sleep.stages import DEEP, LIGHT, REM, WAKE

STAGE_OF: Final = {"1": DEEP, "2": LIGHT, "3": REM, "4": WAKE}
"""Oura's digits; the digit itself is kept beside the stage."""
FINE_S: Final = 30
COARSE_S: Final = 300
UNVERSIONED: Final = "unversioned"

_KIND: Final = {"long_sleep": "main", "late_nap": "nap", "sleep": "unknown", "": "unknown"}
_NO_SLEEP: Final = {
    "rest": "Oura itself calls it rest, not sleep",
    "deleted": "it was deleted in the Oura app",
}
_FIRST_VERSION: Final = {
    "onset_latency": "latency",
    "awake": "awake_time",
    "light": "light_sleep_duration",
    "deep": "deep_sleep_duration",
    "rem": "rem_sleep_duration",
    "total": "total_sleep_duration",
    "hypnogram_5min": "sleep_phase_5_min",
}
"""What the first version of the API calls a field, and what it is called since."""
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=MAX_SESSION_S)] | None


class Document(msgspec.Struct, frozen=True):
    """One sleep of Oura's: the fields that nof1 reads. Durations are seconds."""

    bedtime_start: str
    bedtime_end: str
    id: str | None = None
    type: str | None = None
    latency: _Seconds = None
    awake_time: _Seconds = None
    light_sleep_duration: _Seconds = None
    deep_sleep_duration: _Seconds = None
    rem_sleep_duration: _Seconds = None
    total_sleep_duration: _Seconds = None
    sleep_phase_5_min: Annotated[str, msgspec.Meta(max_length=MAX_SESSION_S // COARSE_S)] | None = None
    sleep_phase_30_sec: Annotated[str, msgspec.Meta(max_length=MAX_SESSION_S // FINE_S)] | None = None
    sleep_algorithm_version: str | None = None
    sleep_analysis_reason: str | None = None
    ring_id: str | None = None


def parse_document(record: object, options: ReadOptions, *, text: bool = False) -> Session:
    """Turn one document into one session.

    Parameters
    ----------
    record
        The decoded JSON of one document, or the cells of one row of the account export.
    text
        Whether the values are the texts of a table's cells.

    Raises
    ------
    ValueError
        The document cannot be used; the message is the reason.
    """
    try:
        document = msgspec.convert(_renamed(record), Document, strict=not text)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a sleep document as nof1 knows it: {error}") from error
    if reason := _NO_SLEEP.get(document.type or ""):
        raise ValueError(reason)
    start, end = placed(document.bedtime_start, options), placed(document.bedtime_end, options)
    pieces, grain_s = hypnogram_of(document, int((end.instant - start.instant).total_seconds()))
    version = _version(document)
    return make_session(
        stream=f"oura/{version or UNVERSIONED}",
        record_id=document.id or identity(start.instant, end.instant),
        start=start,
        end=end,
        pieces=pieces,
        stage_of=STAGE_OF,
        totals=_totals(document),
        kind=_KIND.get(document.type or "", "unknown"),
        vendor_sol_s=document.latency,
        device=document.ring_id,
        algorithm="; ".join(filter(None, [version, "5-minute stages" if grain_s == COARSE_S else None])),
        flags=[
            *(["edited"] if document.sleep_analysis_reason == "bedtime_edit" else []),
            *([] if document.latency is None else [GUESSED_BEDTIME]),
        ],
        notes=_notes(document, pieces, grain_s),
    )


def hypnogram_of(document: Document, lasts_s: int) -> tuple[list[Piece], int | None]:
    """Lay out the stages by 30 seconds where Oura tells them so, else by 5 minutes.

    The last character covers what is left of the recording. A string that is longer than that is not cut.

    Returns
    -------
    tuple
        The pieces, and how many seconds each character stood for; None where there are no stages.
    """
    for phases, epoch_s in ((document.sleep_phase_30_sec, FINE_S), (document.sleep_phase_5_min, COARSE_S)):
        if phases:
            last_is_cut = 0 <= len(phases) * epoch_s - lasts_s < epoch_s
            return epochs(phases, epoch_s, end_s=lasts_s if last_is_cut else None), epoch_s
    return [], None


def _renamed(record: object) -> object:
    """Give a document of the first version the names of the second."""
    if not isinstance(record, Mapping) or record.keys().isdisjoint({"hypnogram_5min", "onset_latency", "is_longest"}):
        return record
    renamed: dict[str, Any] = {_FIRST_VERSION.get(str(name), str(name)): value for name, value in record.items()}
    return renamed | {"type": "long_sleep" if renamed.get("is_longest") == 1 else None}


def _version(document: Document) -> str | None:
    version = document.sleep_algorithm_version or ""
    return version if re.fullmatch(r"[A-Za-z0-9_.-]{1,32}", version) else None


def _totals(document: Document) -> dict[str, float | None]:
    return {
        "wake_s": document.awake_time,
        "light_s": document.light_sleep_duration,
        "deep_s": document.deep_sleep_duration,
        "rem_s": document.rem_sleep_duration,
        "asleep_s": document.total_sleep_duration,
    }


def _notes(document: Document, pieces: list[Piece], grain_s: int | None) -> list[str]:
    notes = []
    if document.type not in {None, *_KIND}:
        notes.append(f"the unknown type {re.sub(r'[^ -~]', '?', document.type or '')[:40]!r}; it is read as sleep")
    if grain_s is None:
        notes.append("totals and no stages")
    elif grain_s == COARSE_S:
        notes.append("stages by five minutes only; Oura's own sums are finer and differ by some minutes")
    else:
        notes.extend(differing_sums(pieces, STAGE_OF, _totals(document)))
    return notes
