"""Health Connect's sleep sessions: one row with its stages in, one session out.

Health Connect checks what apps write: stages lie inside their session and do not overlap. Here whatever breaks that is
refused, because no phone exports it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from nof1.connect.clock import Moment, at_offset, from_epoch, unzoned
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Session, identity, make_session
from nof1.connect.timeline import Piece
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, UNSCORED, WAKE

LABELS: Final = ("unknown", "awake", "sleeping", "out_of_bed", "light", "deep", "rem", "awake_in_bed")
"""What `stage_type` means, by its number."""
STAGE_OF: Final = {
    "unknown": UNSCORED,
    "awake": WAKE,
    "sleeping": ASLEEP,
    "out_of_bed": WAKE,
    "light": LIGHT,
    "deep": DEEP,
    "rem": REM,
    "awake_in_bed": WAKE,
}
BEGIN_AT_ONSET: Final = frozenset(
    {
        "com.garmin.android.apps.connectmobile",
        "com.huami.watch.hmwatchmanager",
        "com.mi.health",
        "com.whoop.android",
        "com.xiaomi.hm.health",
        "com.xiaomi.wearable",
        "fi.polar.polarflow",
        "nodomain.freeyourgadget.gadgetbridge",
    }
)
"""Apps whose recordings begin with sleep itself, so that no latency can be counted from their start."""
MANUAL_ENTRY: Final = 3
NO_STAGES: Final = "without stages"


class Stage(NamedTuple):
    """One row of `sleep_stages_table`, unchecked: epoch milliseconds and the number of the stage."""

    start: object
    end: object
    number: object


def parse_session(
    row: Mapping[str, Any], stages: Sequence[Stage], *, app: str, device: str | None, options: ReadOptions
) -> Session:
    """Turn one row of `sleep_session_record_table` into one session.

    A session without stages tells its bounds alone. Health Connect counts all of it as sleep, and so does the total
    here; but it goes to a stream of its own, because such a total includes the wake that stages would show.

    Parameters
    ----------
    app
        The package that wrote it.

    Raises
    ------
    ValueError
        The session cannot be used; the message is the reason.
    """
    start = _moment(row["start_time"], row["start_zone_offset"], options)
    end = _moment(row["end_time"], row["end_zone_offset"], options)
    pieces = _pieces(stages, start.instant)
    lasts_s = (end.instant - start.instant).total_seconds()
    return make_session(
        stream=f"health_connect/{app}" if pieces else f"health_connect/{app}/{NO_STAGES}",
        record_id=record_id(row["uuid"]) or identity(app, start.instant, end.instant),
        start=start,
        end=end,
        pieces=pieces,
        stage_of=STAGE_OF,
        totals=None if pieces else {"asleep_s": max(lasts_s, 0)},
        device=device,
        updated=_updated(row["last_modified_time"]),
        flags=_flags(app, row["recording_method"]),
        notes=[] if pieces else ["bounds and no stages; all of it counts as sleep, as in Health Connect"],
    )


def app_name(package: object) -> str:
    """Give the name of a package, or `unknown` where the database does not tell it."""
    return package if isinstance(package, str) and re.fullmatch(r"[\w.]{1,200}", package) else "unknown"


def record_id(uuid: object) -> str | None:
    """Give Health Connect's own id of a record in hexadecimal, where there is one."""
    return uuid.hex() if isinstance(uuid, bytes) and uuid else None


def _moment(milliseconds: object, offset_s: object, options: ReadOptions) -> Moment:
    instant = from_epoch(milliseconds, per_second=1000)
    return at_offset(instant, offset_s / 60) if isinstance(offset_s, int | float) else unzoned(instant, options)


def _pieces(stages: Sequence[Stage], start: datetime) -> list[Piece]:
    """Place the stages, sorted; a stage that lasts no time says nothing, and one told twice is told once."""
    start_ms = round(start.timestamp() * 1000)
    placed = set()
    for first, last, number in stages:
        if not (isinstance(first, int) and isinstance(last, int) and first <= last):
            raise ValueError("one of its stages has no time, or ends before it starts")
        first_s = round((first - start_ms) / 1000)
        placed.add(Piece(first_s, round((last - start_ms) / 1000) - first_s, _label(number)))
    return sorted(piece for piece in placed if piece.seconds)


def _label(number: object) -> str:
    return LABELS[number] if isinstance(number, int) and 0 <= number < len(LABELS) else f"stage {str(number)[:20]}"


def _updated(milliseconds: object) -> datetime | None:
    try:
        return from_epoch(milliseconds, per_second=1000)
    except ValueError:
        return None


def _flags(app: str, method: object) -> list[str]:
    flags = {"manual": method == MANUAL_ENTRY, STARTS_AT_ONSET: app in BEGIN_AT_ONSET}
    return [flag for flag, raised in flags.items() if raised]
