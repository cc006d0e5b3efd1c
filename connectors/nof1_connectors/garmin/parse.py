"""What Garmin's JSON forms have in common: sums of stages, naps, and the name of a night.

Garmin begins every recording with sleep itself, so that nothing here knows a latency.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from nof1.connect.clock import Moment, at_offset, utc_time
from nof1.connect.ledger import MAX_SESSION_S, Session, identity, make_session
from nof1.sleep.session import STARTS_AT_ONSET

NO_SLEEP: Final = "it holds no sleep"
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
Seconds = Annotated[float, msgspec.Meta(ge=0, le=MAX_SESSION_S)]

type Place = Callable[[datetime], Moment]
"""Gives an instant the offset that the export knows for it."""


class Sums(msgspec.Struct, frozen=True, rename="camel"):
    """Garmin's own sums of one night in seconds; null where the watch measured nothing."""

    deep_sleep_seconds: Seconds | None = None
    light_sleep_seconds: Seconds | None = None
    rem_sleep_seconds: Seconds | None = None
    awake_sleep_seconds: Seconds | None = None


class Nap(msgspec.Struct, frozen=True, rename="camel"):
    """One nap, in either form; the offsets are minutes and often missing."""

    start: str = msgspec.field(name="napStartTimestampGMT")
    end: str = msgspec.field(name="napEndTimestampGMT")
    nap_time_sec: Seconds | None = None
    nap_start_time_offset: float | None = None
    nap_end_time_offset: float | None = None


def totals_of(sums: Sums) -> dict[str, float | None]:
    """Give the sums as totals. Old watches tell no REM sleep; what they call light then holds it.

    Raises
    ------
    ValueError
        The watch measured no sleep, or only one of deep and light sleep is told.
    """
    deep, light, rem = sums.deep_sleep_seconds, sums.light_sleep_seconds, sums.rem_sleep_seconds
    if not any((deep, light, rem, sums.awake_sleep_seconds)):
        raise ValueError(NO_SLEEP)
    if deep is None or light is None:
        raise ValueError("one of its sums of deep and light sleep is missing")
    return {
        "deep_s": deep,
        "light_s": light,
        "rem_s": rem,
        "wake_s": sums.awake_sleep_seconds,
        "asleep_s": deep + light + (rem or 0),
    }


def flags_of(confirmation: object) -> list[str]:
    """Say what to beware of: a start that is sleep itself, and a window that the person changed.

    Parameters
    ----------
    confirmation
        Garmin's `sleepWindowConfirmationType`: new words appear, and none of them drops a night.
    """
    return [STARTS_AT_ONSET, *(["edited"] if str(confirmation).upper().startswith("MANUALLY") else [])]


def name_of(calendar_date: object, *otherwise: object) -> str:
    """Name a night by its calendar date, Garmin's own key, which stays when the window is revised."""
    if isinstance(calendar_date, str) and _DATE.fullmatch(calendar_date):
        return calendar_date
    return identity(*otherwise)


def records_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Give every record of a file, an array or a single one, with the words to find it again."""
    for i, record in enumerate(value if isinstance(value, list) else [value]):
        night = record.get("dailySleepDTO", record) if isinstance(record, dict) else None
        date = night.get("calendarDate") if isinstance(night, dict) else None
        yield (f"night {date}" if isinstance(date, str) and _DATE.fullmatch(date) else f"record {i + 1}"), record


def naps_of(holder: Any, key: str) -> list[Any]:
    """Give the naps that a record lists under this key."""
    naps = holder.get(key) if isinstance(holder, dict) else None
    return naps if isinstance(naps, list) else []


def parse_nap(record: object, stream: str, place: Place) -> Session:
    """Turn one nap into one session; only its length is known.

    Raises
    ------
    ValueError
        The nap cannot be used; the message is the reason.
    """
    try:
        nap = msgspec.convert(record, Nap)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a nap as nof1 knows it: {error}") from error
    start, end = utc_time(nap.start), utc_time(nap.end)
    return make_session(
        stream=stream,
        record_id=identity("nap", start),
        start=_told(start, nap.nap_start_time_offset, place),
        end=_told(end, nap.nap_end_time_offset, place),
        totals={"asleep_s": nap.nap_time_sec},
        kind="nap",
        flags=[STARTS_AT_ONSET],
    )


def _told(instant: datetime, offset_min: float | None, place: Place) -> Moment:
    return place(instant) if offset_min is None else at_offset(instant, offset_min)
