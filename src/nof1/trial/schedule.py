"""The schedule: the sequence on the calendar. Which nights belong to which period, and what each of them is for."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple, Self

import polars as pl

from nof1.errors import DataError, ProtocolError
from nof1.trial.allocation import Allocation
from nof1.trial.keys import nearest, shown
from nof1.trial.protocol import Arm, Design
from nof1.trial.toml import LARGEST_FILE

LONGEST_NIGHTS: Final = 3_660
"""A schedule of more than ten years is a mistyped year."""

NIGHT: Final = timedelta(days=1)


MORNING_H: Final = 5
"""The hour from which nobody takes last evening's dose any more, or begins with that evening."""


@dataclass(frozen=True, slots=True)
class Period:
    """Consecutive nights on one arm. A period that a pause interrupted has several parts of one number.

    Parameters
    ----------
    number, block
        Both count from 1.
    arm
        The arm's code; None where it is concealed.
    first_night
        The date of its first evening.
    nights
        How many, at least 1.
    """

    number: int
    block: int
    arm: str | None
    first_night: date
    nights: int

    @property
    def last_night(self) -> date:
        """The date of its last evening."""
        return self.first_night + (self.nights - 1) * NIGHT

    @property
    def evenings(self) -> list[date]:
        """The dates of all its evenings."""
        return [self.first_night + number * NIGHT for number in range(self.nights)]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Dated periods, in order and without overlap; nights outside them are on no arm.

    Parameters
    ----------
    first_night
        The first evening of all, run-in included.
    transition_nights
        The first nights of *every* period, whether the arm changed or not: left out otherwise, they would tell the arm.
    cut_off
        The last evening of a trial that was ended before its first period; it may lie before `first_night`. None of
        any other: the last period tells it, and a plan on record has no end but its own.
    """

    first_night: date
    periods: tuple[Period, ...]
    transition_nights: int
    cut_off: date | None = None

    @property
    def last_night(self) -> date:
        """The last evening of the last period; where none was reached, the evening after which the trial was ended."""
        return self.periods[-1].last_night if self.periods else self.cut_off or self.first_night

    @property
    def has_evenings(self) -> bool:
        """Whether any evening is on it: none is where the trial was ended before its first."""
        return self.last_night >= self.first_night

    @property
    def first_on_arm(self) -> date | None:
        """The first evening of the first period; None where no period was reached."""
        return self.periods[0].first_night if self.periods else None

    @property
    def planned_nights(self) -> int:
        """How many nights are on an arm."""
        return sum(period.nights for period in self.periods)

    def period_on(self, night: date) -> Period | None:
        """Return the period of an evening; None for run-in, washout and nights outside the schedule."""
        return next((p for p in self.periods if p.first_night <= night <= p.last_night), None)

    def arm_on(self, night: date) -> str | None:
        """Return the code of the arm of an evening; None on no arm, and where it is concealed."""
        period = self.period_on(night)
        return period.arm if period else None

    def concealed(self) -> Self:
        """Return the same dates without the arms: what may be seen while the allocation is sealed."""
        return replace(self, periods=tuple(replace(period, arm=None) for period in self.periods))

    def with_arms(self, arms: Mapping[int, str]) -> Self:
        """Return the same dates with the arms of these periods, by their number, filled in."""
        return replace(self, periods=tuple(replace(p, arm=arms.get(p.number, p.arm)) for p in self.periods))

    def to_payload(self) -> dict[str, Any]:
        """Return the schedule as plain JSON values, for the record."""
        return {
            "first_night": self.first_night.isoformat(),
            "transition_nights": self.transition_nights,
            "periods": [
                {
                    "number": period.number,
                    "block": period.block,
                    "arm": period.arm,
                    "first_night": period.first_night.isoformat(),
                    "nights": period.nights,
                }
                for period in self.periods
            ],
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Make the schedule that `to_payload` wrote."""
        periods = tuple(
            Period(p["number"], p["block"], p["arm"], date.fromisoformat(p["first_night"]), p["nights"])
            for p in payload["periods"]
        )
        return cls(date.fromisoformat(payload["first_night"]), periods, payload["transition_nights"])


def schedule(allocation: Allocation, design: Design, first_night: date) -> Schedule:
    """Put a sequence on the calendar.

    Parameters
    ----------
    first_night
        The first evening of the whole trial. With a run-in that is the first evening *of the run-in*; the first period
        begins ``run_in_nights`` later.

    Raises
    ------
    DataError
        The trial would not fit into the calendar.
    """
    step = design.period_nights + design.washout_nights
    length = design.run_in_nights + len(allocation.sequence) * step
    if length > (date.max - first_night).days:
        raise DataError(
            f"A trial of {length} nights from {first_night} on ends after the year 9999: choose another date."
        )
    arms_in_block = len(allocation.sequence) // design.blocks
    periods = tuple(
        Period(
            number=place + 1,
            block=place // arms_in_block + 1,
            arm=arm,
            first_night=first_night + (design.run_in_nights + place * step) * NIGHT,
            nights=design.period_nights,
        )
        for place, arm in enumerate(allocation.sequence)
    )
    return Schedule(first_night, periods, design.transition_nights)


def calendar(schedule: Schedule) -> pl.DataFrame:
    """Spell the schedule out, one row a night from the first to the last.

    Returns
    -------
    polars.DataFrame
        night (Date), period and block (Int64, null outside the periods), arm (String, null on no arm and where
        concealed), run_in (before the first period), transition (one of the first nights of its period).
    """
    periods = pl.DataFrame(
        [(p.first_night, p.last_night, p.number, p.block, p.arm) for p in schedule.periods],
        schema={"first": pl.Date, "last": pl.Date, "period": pl.Int64, "block": pl.Int64, "arm": pl.String},
        orient="row",
    )
    in_period = periods.select(
        pl.date_ranges("first", "last").alias("night"),
        "period",
        "block",
        "arm",
        "first",
    ).explode("night")
    nights = pl.DataFrame({"night": pl.date_range(schedule.first_night, schedule.last_night, eager=True)})
    since_first = (pl.col("night") - pl.col("first")).dt.total_days()
    return nights.join(in_period, on="night", how="left", maintain_order="left").select(
        "night",
        "period",
        "block",
        "arm",
        run_in=pl.col("night") < (schedule.first_on_arm or date.max),
        transition=(since_first < schedule.transition_nights).fill_null(value=False),
    )


def evening_of(local: datetime, boundary_h: float = 12.0) -> date:
    """Return the evening that a local moment belongs to.

    Parameters
    ----------
    local
        The time on the person's own clock; 00:30 belongs to the evening before.
    boundary_h
        Hours after midnight at which one night's date gives way to the next.
    """
    return (local.replace(tzinfo=None) - timedelta(hours=boundary_h)).date()


def evening_to_come(local: datetime, boundary_h: float = 12.0) -> date:
    """Return the evening on which something can still be taken: in the morning the present one is over.

    Parameters
    ----------
    local, boundary_h
        As `evening_of`.
    """
    return local.date() if local.hour >= MORNING_H else evening_of(local, boundary_h)


def schedule_from_csv(
    text: str, arms: Sequence[Arm], transition_nights: int, *, where: str = "schedule.csv"
) -> Schedule:
    """Read a schedule that was made elsewhere.

    Parameters
    ----------
    text
        CSV with the columns ``date`` (the evening, YYYY-MM-DD) and ``arm`` (a code; empty = a night on no arm), in
        any order of rows. A date that is not listed is a night on no arm as well. Each unbroken run of one arm is a
        period, unless a third column ``period`` says where one ends and the next begins on the same arm; a block ends
        where an arm comes again.
    where
        The name of the file, for the message.

    Raises
    ------
    ProtocolError
        Every mistake at once, each with its line in the file.
    """
    mistakes: list[str] = []
    listed = _read_nights(text, {arm.code for arm in arms}, where, mistakes)
    on_arm = {night: told for night, told in sorted(listed.items()) if told.arm}
    mistakes += [
        f"arm {arm.code}: no night is on it" for arm in arms if arm.code not in {n.arm for n in on_arm.values()}
    ]
    if listed and (max(listed) - min(listed)).days >= LONGEST_NIGHTS:
        mistakes.append(f"from {min(listed)} to {max(listed)}: more than ten years; is one year mistyped?")
    mistakes += _broken_periods(on_arm)
    periods = tuple(_runs(on_arm))
    if periods and all(period.nights <= transition_nights for period in periods):
        mistakes.append(
            f"no period is longer than the {transition_nights} transition nights, so no night would be analysed; "
            "set design.transition_nights lower"
        )
    if mistakes:
        raise ProtocolError(where, mistakes)
    return Schedule(min(listed), periods, transition_nights)


def periods_like_two(planned: Schedule) -> tuple[int, ...]:
    """Give the numbers of the periods that are twice as long as the shortest, or three times, and so on.

    Of a schedule that was brought they may have been meant as two or more on the same arm.
    """
    shortest = min(period.nights for period in planned.periods)
    return tuple(one.number for one in planned.periods if one.nights > shortest and one.nights % shortest == 0)


class _Listed(NamedTuple):
    """One night as it is listed: its arm, the empty text for none, and what its period is called where that is said."""

    arm: str
    period: str


def _read_nights(text: str, codes: set[str], where: str, mistakes: list[str]) -> dict[date, _Listed]:
    """Read what is listed of each night."""
    if len(text) > LARGEST_FILE:
        raise ProtocolError(where, [f"{len(text):,} characters: too long for a schedule"])
    rows = csv.reader(text.removeprefix("\ufeff").splitlines(), strict=True)
    found: dict[date, _Listed] = {}
    try:
        header = [cell.strip().lower() for cell in next(rows, [])]
        if sorted(header) not in (["arm", "date"], ["arm", "date", "period"]):
            said = f"the columns must be date,arm or date,arm,period; they are {shown(','.join(header))}"
            raise ProtocolError(where, [f"line 1: {said}"])
        for cells in rows:
            try:
                _add_night(dict(zip(header, map(str.strip, cells), strict=True)) if any(cells) else {}, codes, found)
            except ValueError as error:
                mistakes.append(f"line {rows.line_num}: {error}")
    except csv.Error as error:
        mistakes.append(f"line {rows.line_num}: not CSV: {error}")
    if not found and not mistakes:
        mistakes.append("line 2: no night is listed")
    return found


def _add_night(row: Mapping[str, str], codes: set[str], found: dict[date, _Listed]) -> None:
    """Add one row to the nights found; ValueError says what is wrong with it. An empty line is none."""
    if not row:
        return
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", row["date"], re.ASCII):
        raise ValueError(f"{shown(row['date'])} is not a date such as 2026-05-31")
    night = date.fromisoformat(row["date"])
    if row["arm"] and row["arm"] not in codes:
        raise ValueError(f"no arm is called {shown(row['arm'])}; {nearest(row['arm'], sorted(codes))}")
    if night in found:
        raise ValueError(f"{night} is listed twice")
    if bool(row.get("period", row["arm"])) != bool(row["arm"]):
        raise ValueError("a night on an arm has a period, and one on no arm has none")
    found[night] = _Listed(row["arm"], row.get("period", ""))


def _broken_periods(on_arm: Mapping[date, _Listed]) -> Iterator[str]:
    """Name the periods that are called one and are not: with another arm, or another period or no arm between."""
    begun = dict[str, date]()
    for run in _unbroken(on_arm):
        name = on_arm[run[0]].period
        if name and (first := begun.setdefault(name, run[0])) != run[0]:
            yield (
                f"period {shown(name)}: from {first}, and again from {run[0]}; a period is one arm on consecutive "
                "evenings, all of them listed"
            )


def _runs(on_arm: Mapping[date, _Listed]) -> Iterator[Period]:
    """Yield the periods of nights in order: a new one where arm or period changes, or a night is missing."""
    block, seen = 1, set[str]()
    for number, run in enumerate(_unbroken(on_arm), start=1):
        arm = on_arm[run[0]].arm
        if arm in seen:
            block, seen = block + 1, set()
        seen.add(arm)
        yield Period(number, block, arm, run[0], len(run))


def _unbroken(on_arm: Mapping[date, _Listed]) -> Iterator[list[date]]:
    run: list[date] = []
    for night, told in on_arm.items():
        if run and (night - run[-1] > NIGHT or told != on_arm[run[-1]]):
            yield run
            run = []
        run.append(night)
    if run:
        yield run
