"""The table of nights: one row a night, its sums in minutes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from nof1.connect.clock import YEARS, Moment, wall_clock
from nof1.connect.connector import ReadOptions
from nof1.connect.decoding import LINE, RAGGED
from nof1.connect.ledger import Session, identity, make_session
from nof1.errors import DataError
from nof1.sleep.session import SELF_REPORTED
from nof1_connectors.generic_csv.table import (
    CLOCK,
    MEASURES,
    Row,
    kind_of,
    line_of,
    minutes_of,
    moment_of,
    stream_of,
    word_of,
)

NOMINAL_TIMES: Final = "nominal_times"
"""The flag of a night that was told by its date alone: its start and end are `NOMINAL`, and mean nothing."""
NOMINAL: Final = (time(18), time(12))
"""From the evening to the next noon: the night gets its date, and never touches the night before or after."""

NOON: Final = time(12)
"""A clock time beside a night is taken from its noon to the next."""
MOST_LINES: Final = 3
"""As many contradicting lines are named in a reason."""
HOURS_A_DAY: Final = 24

_ROUNDING_MIN: Final = 2
_SLACK_MIN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """When a night was: `lights_out` is None where unknown, `times` is what the row says of it, for its identity."""

    start: Moment
    end: Moment
    times: str
    lights_out: datetime | None = None
    nominal: bool = False
    notes: tuple[str, ...] = ()

    @property
    def in_bed_min(self) -> float:
        """Minutes from lights-out, or else from the start, to the end."""
        return (self.end.instant - (self.lights_out or self.start.instant)).total_seconds() / 60

    @property
    def lasts_min(self) -> float:
        """Minutes from start to end."""
        return (self.end.instant - self.start.instant).total_seconds() / 60


def dated(row: dict[str, Any]) -> dict[str, Any]:
    """Give clock times such as ``23:10`` the date that `night` tells: from noon on the evening's, else the morning's.

    An end is the first such time after the start, or after lights_out where there is no start. Where there is no date
    to give, the times stay as they are.
    """
    try:
        evening = _date(word_of(row, "night") or "")
    except ValueError:
        return row
    begins = {name: _on_clock(row, name, datetime.combine(evening, NOON)) for name in ("start", "lights_out")}
    told = begins["start"] or word_of(row, "start") or begins["lights_out"] or word_of(row, "lights_out") or ""
    try:
        after = datetime.fromisoformat(told).replace(tzinfo=None)
    except ValueError:
        after = datetime.combine(evening, NOON)
    given = begins | {"end": _on_clock(row, "end", after)}
    return {**row, **{name: text for name, text in given.items() if text}}


def _on_clock(row: Row, name: str, after: datetime) -> str | None:
    """Give the first moment from `after` on at which the clock shows what the cell says; None where it says else."""
    told = CLOCK.fullmatch(word_of(row, name) or "")
    if told is None:
        return None
    moment = datetime.combine(after, time(int(told["hour"]), int(told["minute"])))
    return (moment if moment >= after else moment + timedelta(days=1)).isoformat()


def parse_night(row: Row, options: ReadOptions) -> Session:
    """Turn one row into one session of sums.

    Raises
    ------
    ValueError
        The row cannot be used; the message is the reason.
    """
    if row[RAGGED]:
        raise ValueError("it does not have the fields of the header")
    minutes = {name: minutes_of(row, name) for name in MEASURES}
    bounds = _bounds(row, minutes["tib_min"], options)
    _check(minutes, bounds)
    seconds = {name: None if value is None else 60 * value for name, value in minutes.items()}
    device, algorithm = word_of(row, "device"), word_of(row, "algorithm")
    return make_session(
        stream=stream_of(device, algorithm),
        record_id=word_of(row, "record_id") or identity(bounds.times),
        start=bounds.start,
        end=bounds.end,
        totals={
            "asleep_s": seconds["tst_min"],
            "light_s": seconds["light_min"],
            "deep_s": seconds["deep_min"],
            "rem_s": seconds["rem_min"],
            "wake_s": seconds["wake_min"],
        },
        kind=kind_of(row),
        in_bed=bounds.lights_out,
        in_bed_source="tap",
        vendor_sol_s=seconds["sol_min"],
        device=device,
        algorithm=algorithm,
        flags=_flags(bounds, minutes["sol_min"]),
        notes=bounds.notes,
    )


def _flags(bounds: Bounds, sol_min: float | None) -> list[str]:
    told = {NOMINAL_TIMES: bounds.nominal, SELF_REPORTED: sol_min is not None or bounds.lights_out is not None}
    return [flag for flag, holds in told.items() if holds]


def _bounds(row: Row, tib_min: float | None, options: ReadOptions) -> Bounds:
    told = {name: moment_of(text, options) for name in ("start", "end", "lights_out") if (text := word_of(row, name))}
    start, end, lights_out = (told[name][0] if name in told else None for name in ("start", "end", "lights_out"))
    begin = start or lights_out
    if begin is None:
        return _nominal_bounds(row, options)
    if end is None and tib_min:
        end = (lights_out or begin).plus(60 * tib_min)
    if end is None:
        raise ValueError("it says when it begins and not when it ends: give end, or tib_min")
    if end.instant <= max(begin.instant, (lights_out or begin).instant):
        raise ValueError("it ends before it starts, or before its lights_out")
    times = word_of(row, "start") or word_of(row, "lights_out") or ""
    return Bounds(
        start=begin,
        end=end,
        times=datetime.fromisoformat(times).isoformat(),
        lights_out=lights_out.instant if lights_out else None,
        notes=(*sorted({note for _, notes in told.values() for note in notes}), *_other_evening(row, times)),
    )


def _other_evening(row: Row, times: str) -> tuple[str, ...]:
    night = word_of(row, "night")
    belongs = (datetime.fromisoformat(times) - timedelta(hours=12)).date()
    if night is None or _date(night) == belongs:
        return ()
    return ("a `night` that is not the evening of its start; the start stands",)


def _nominal_bounds(row: Row, options: ReadOptions) -> Bounds:
    """Place a night of which only the date is known."""
    night = word_of(row, "night")
    if night is None:
        raise ValueError("it has neither start nor lights_out nor night")
    if word_of(row, "end"):
        raise ValueError("it says when it ends and not when it begins: give start")
    if kind_of(row) == "nap":
        raise ValueError("a nap needs start and end: by its date alone it cannot be told from the night")
    evening = _date(night)
    start, end = (
        wall_clock(datetime.combine(day, at), options)[0]
        for day, at in zip((evening, evening + timedelta(days=1)), NOMINAL, strict=True)
    )
    return Bounds(start=start, end=end, times=evening.isoformat(), nominal=True)


def _date(text: str) -> date:
    try:
        night = date.fromisoformat(text)
    except ValueError:
        night = None
    if night is None or night.year not in YEARS:
        raise ValueError(f"its night is {text[:40]!r}, not the date of an evening such as 2026-03-01")
    return night


def _check(minutes: Mapping[str, float | None], bounds: Bounds) -> None:
    """Refuse what contradicts itself, allowing for whole minutes.

    Raises
    ------
    ValueError
        What contradicts what.
    """
    slept, in_bed = minutes["tst_min"], minutes["tib_min"]
    staged = [minutes[name] for name in ("light_min", "deep_min", "rem_min")]
    if slept is None and None in staged:
        raise ValueError("it says neither tst_min nor all of light_min, deep_min and rem_min")
    sum_of_stages = sum(value or 0 for value in staged)
    if slept is not None and sum_of_stages > slept + _ROUNDING_MIN:
        raise ValueError(f"its stages last {sum_of_stages:g} min, and its sleep (tst_min) {slept:g} min")
    if in_bed is not None and not bounds.nominal and abs(in_bed - bounds.in_bed_min) > _SLACK_MIN:
        raise ValueError(f"its tib_min is {in_bed:g}, and from its own times it is {bounds.in_bed_min:g}")
    lasts = in_bed if in_bed is not None and bounds.nominal else bounds.lasts_min
    told = max(slept or 0, sum_of_stages) + (minutes["wake_min"] or 0)
    if told > lasts + _SLACK_MIN:
        raise ValueError(f"its sleep and wake last {told:g} min, and it lasts {lasts:g} min")


def require_minutes(rows: Sequence[Row], where: str) -> None:
    """Refuse a table of hours.

    Raises
    ------
    DataError
        No night in it has as many minutes of sleep as a day has hours.
    """
    told = [text.replace(",", ".") for row in rows if (text := word_of(row, "tst_min"))]
    hours = [float(text) for text in told if re.fullmatch(r"\d{1,4}([.]\d+)?", text)]
    if hours and 0 < max(hours) <= HOURS_A_DAY:
        raise DataError(f"{where}: tst_min of {max(hours):g} looks like hours. Write minutes: 6.5 hours are 390.")


def told_twice(rows: Sequence[Row]) -> dict[str, str]:
    """Find the nights that two rows tell differently: the line of each, with the lines of both."""
    lines: dict[str, list[Row]] = {}
    for row in rows:
        name = word_of(row, "record_id") or word_of(row, "start") or word_of(row, "lights_out") or word_of(row, "night")
        lines.setdefault("/".join(filter(None, (name, word_of(row, "device"), word_of(row, "algorithm")))), []).append(
            row
        )
    differing = [same for same in lines.values() if len({_content(row) for row in same}) > 1]
    return {line_of(row): told for same in differing for told in [_lines(same)] for row in same}


def _lines(rows: Sequence[Row]) -> str:
    """Name rows: two or three of them, and how many more; a whole table may be of one date."""
    more = [f"{len(rows) - MOST_LINES} more"] if len(rows) > MOST_LINES else []
    return " and ".join([*map(line_of, rows[:MOST_LINES]), *more])


def refuse_twice(lines: str) -> Session:
    """Refuse a row that contradicts another.

    Raises
    ------
    ValueError
        Always.
    """
    raise ValueError(f"{lines} tell the same night differently: is one date mistyped? Keep one")


def _content(row: Row) -> str:
    return repr(sorted((name, value) for name, value in row.items() if name != LINE))
