"""The sleep collection of WHOOP's API, v1 and v2: one record a sleep, with sums in milliseconds."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from nof1.connect.clock import utc_time
from nof1.connect.connector import ReadOptions
from nof1.connect.ledger import Session, make_session
from nof1_connectors.whoop.parse import Durations, Milliseconds, beside, in_seconds, kind_of

STREAM: Final = "whoop/api"


class Stages(msgspec.Struct, frozen=True):
    """The sums of one sleep; `total_in_bed_time_milli` is not its length, and is not read."""

    awake: Milliseconds | None = msgspec.field(name="total_awake_time_milli", default=None)
    light: Milliseconds | None = msgspec.field(name="total_light_sleep_time_milli", default=None)
    deep: Milliseconds | None = msgspec.field(name="total_slow_wave_sleep_time_milli", default=None)
    rem: Milliseconds | None = msgspec.field(name="total_rem_sleep_time_milli", default=None)


class Score(msgspec.Struct, frozen=True):
    """What WHOOP makes of a sleep."""

    stage_summary: Stages | None = None


class Sleep(msgspec.Struct, frozen=True):
    """One sleep: the fields that nof1 reads. Its id is a number in v1 and a UUID in v2."""

    id: int | str
    start: str
    end: str
    timezone_offset: str | None = None
    nap: bool | None = None
    score_state: str | None = None
    score: Score | None = None
    updated_at: str | None = None


def sleeps_in(value: Any) -> Iterator[Any]:
    """Give every record of a file: pages of a collection, one page, a list of sleeps or one sleep."""
    for item in value if isinstance(value, list) else [value]:
        records = item.get("records") if isinstance(item, dict) else None
        yield from records if isinstance(records, list) else [item]


def parse_sleep(record: object, options: ReadOptions) -> Session:
    """Turn one sleep into one session.

    Raises
    ------
    ValueError
        The sleep cannot be used; the message is the reason.
    """
    try:
        sleep = msgspec.convert(record, Sleep)
    except msgspec.ValidationError as error:
        raise ValueError(f"it is not a sleep of the WHOOP API as nof1 knows it: {error}") from error
    stages = None if sleep.score is None else sleep.score.stage_summary
    if stages is None:
        raise ValueError(f"WHOOP did not score it: {(sleep.score_state or 'no score')[:40]}")
    start, end = (beside(utc_time(text), sleep.timezone_offset, options) for text in (sleep.start, sleep.end))
    totals = Durations(*map(in_seconds, (stages.light, stages.deep, stages.rem, stages.awake))).totals()
    return make_session(
        stream=STREAM,
        record_id=str(sleep.id),
        start=start,
        end=end,
        totals=totals,
        kind=kind_of(sleep.nap),
        updated=None if sleep.updated_at is None else utc_time(sleep.updated_at),
    )
