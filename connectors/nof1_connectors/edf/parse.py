"""The hypnogram of an EDF+ file: its annotations of sleep stages, between lights-off and lights-on."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from nof1.connect.clock import local_time, wall_clock
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Session, identity, make_session
from nof1.connect.timeline import Piece, clip, join
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, UNSCORED, WAKE
from nof1_connectors.edf.annotations import Annotation, Header

STREAM: Final = "edf"
STAGE_OF: Final = {
    "sleep stage w": WAKE,
    "sleep stage n1": LIGHT,
    "sleep stage n2": LIGHT,
    "sleep stage n3": DEEP,
    "sleep stage 1": LIGHT,
    "sleep stage 2": LIGHT,
    "sleep stage 3": DEEP,
    "sleep stage 4": DEEP,
    "sleep stage r": REM,
    "sleep stage n": ASLEEP,  # non-REM sleep that was not divided
    "sleep stage ?": UNSCORED,
    "movement time": UNSCORED,
}
"""The standard texts of EDF+ in lower case: of the AASM manual, and of Rechtschaffen and Kales before it."""
EPOCH_S: Final = 30
"""How long the last stage lasts, where it does not say."""
CLIPPED: Final = 1985
"""Years of two digits are those from 1985 to 2084."""
ANONYMOUS: Final = date(1985, 1, 1)
"""The date that is put into files in place of the true one."""

_LIGHTS_OFF: Final = frozenset({"lights off", "lights out"})
_LIGHTS_ON: Final = frozenset({"lights on"})
_DATE: Final = re.compile(r"(\d\d)[.](\d\d)[.](\d\d)")
_TIME: Final = re.compile(r"(\d\d)[.:](\d\d)[.:](\d\d)")
_STARTDATE: Final = re.compile(r"Startdate (\d\d)-([A-Z]{3})-(\d{4})\b")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def parse_recording(header: Header, annotations: Sequence[Annotation], options: ReadOptions) -> Session:
    """Turn one file into one session.

    Raises
    ------
    ValueError
        The file cannot be used; the message is the reason.
    """
    pieces = pieces_of(annotations)
    if not pieces:
        raise ValueError("it holds no sleep stages among its annotations: give the file with the hypnogram")
    lights_off = min(_marks(annotations, _LIGHTS_OFF), default=None)
    lights_on = max(_marks(annotations, _LIGHTS_ON), default=None)
    begins = pieces[0].start_s if lights_off is None else lights_off
    ends = pieces[-1].end_s if lights_on is None else lights_on
    local = start_of(header)
    start, notes = wall_clock(local + timedelta(seconds=begins), options)
    return make_session(
        stream=STREAM,
        record_id=identity(local.isoformat()),
        start=start,
        end=start.plus(ends - begins),
        pieces=clip([Piece(piece.start_s - begins, piece.seconds, piece.label) for piece in pieces], ends - begins),
        stage_of=STAGE_OF,
        in_bed=start.instant if lights_off is not None else None,
        in_bed_source="in_bed",
        flags=[STARTS_AT_ONSET] if lights_off is None else [],  # hours of wake before an unknown lights-off
        notes=notes if lights_off is not None else (*notes, "no mark of lights-off; it tells nothing of latency"),
    )


def pieces_of(annotations: Iterable[Annotation]) -> list[Piece]:
    """Give the stages in seconds after the start of the file; one that says no length lasts until the next."""
    stages = sorted({one for one in annotations if _is_stage(one)}, key=lambda one: (one.onset, one.text))
    pieces = []
    for number, stage in enumerate(stages, 1):
        until = stages[number].onset if number < len(stages) else stage.onset + EPOCH_S
        end = until if stage.seconds is None else stage.onset + stage.seconds
        pieces.append(Piece(round(stage.onset), round(end) - round(stage.onset), stage.text))
    return join(piece for piece in pieces if piece.seconds > 0)


def start_of(header: Header) -> datetime:
    """Give the start of a recording on the wall clock: its full date if the header has one, or else the short one.

    Raises
    ------
    ValueError
        There is none, or it is the date of anonymised files.
    """
    time = _TIME.fullmatch(header.time)
    day = _full_date(header.recording) or _short_date(header.date)
    if time is None or day is None:
        raise ValueError(f"its start {header.date[:10]!r} {header.time[:10]!r} is not a date and time")
    if day == ANONYMOUS:
        raise ValueError("its date is 01.01.85, as in anonymised files: nobody can say which night it was")
    return local_time(f"{day.isoformat()}T{':'.join(time.groups())}")


def _full_date(recording: str) -> date | None:
    told = _STARTDATE.match(recording)
    if told is None or told[2] not in _MONTHS:
        return None
    return _valid_date(int(told[3]), 1 + _MONTHS.index(told[2]), int(told[1]))


def _short_date(text: str) -> date | None:
    told = _DATE.fullmatch(text)
    if told is None:
        return None
    day, month, year = map(int, told.groups())
    return _valid_date(CLIPPED + (year - CLIPPED) % 100, month, day)


def _valid_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _is_stage(annotation: Annotation) -> bool:
    text = annotation.text.lower()
    return text.startswith("sleep stage ") or text in STAGE_OF


def _marks(annotations: Iterable[Annotation], texts: frozenset[str]) -> list[int]:
    return [round(one.onset) for one in annotations if one.text.lower() in texts]
