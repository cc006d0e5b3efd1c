"""The diary: what was taken, when the light went out, and what else the protocol asks for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from types import MappingProxyType
from typing import Any, Final, Self

import polars as pl

from nof1.errors import DataError

Answer = float | bool | str

INSTANT: Final = pl.Datetime("us", "UTC")

OWN_COLUMNS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = MappingProxyType(
    {"night": pl.Date, "dose_taken": pl.Boolean, "dose_at": INSTANT, "lights_out": INSTANT, "note": pl.String}
)
"""The columns of every diary; the protocol's own questions follow them under their keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryEntry:
    """What was said about one night at one moment. None means: not said, and what was said before stands.

    Parameters
    ----------
    night
        The evening's date.
    dose_taken
        Whether the dose of that evening was taken.
    dose_at, lights_out
        Instants, with an offset.
    covariates
        Answers to the protocol's diary items, by their key.
    """

    night: date
    dose_taken: bool | None = None
    dose_at: datetime | None = None
    lights_out: datetime | None = None
    note: str | None = None
    covariates: Mapping[str, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("dose_at", "lights_out"):
            moment = getattr(self, name)
            if moment is not None and moment.utcoffset() is None:
                raise ValueError(f"{name} of {self.night} has no offset from UTC")

    def to_payload(self) -> dict[str, Any]:
        """Return the entry as plain JSON values, for the record. Instants are written in UTC."""
        return {
            "night": self.night.isoformat(),
            "dose_taken": self.dose_taken,
            "dose_at": self.dose_at and self.dose_at.astimezone(UTC).isoformat(),
            "lights_out": self.lights_out and self.lights_out.astimezone(UTC).isoformat(),
            "note": self.note,
            "covariates": dict(self.covariates),
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Make the entry that `to_payload` wrote."""
        dose_at, lights_out = payload["dose_at"], payload["lights_out"]
        return cls(
            night=date.fromisoformat(payload["night"]),
            dose_taken=payload["dose_taken"],
            dose_at=datetime.fromisoformat(dose_at) if dose_at else None,
            lights_out=datetime.fromisoformat(lights_out) if lights_out else None,
            note=payload["note"],
            covariates=payload["covariates"],
        )


def current_diary(entries: Sequence[DiaryEntry]) -> pl.DataFrame:
    """Return what the diary says now: one row a night, each field as it was last said.

    Parameters
    ----------
    entries
        In the order in which they were recorded.

    Returns
    -------
    polars.DataFrame
        `OWN_COLUMNS`, then one column for each answer: numbers as Float64, yes and no as Boolean, all else as text.
        Null where nothing was said: a dose that was not logged is unknown, never taken.
    """
    keys = sorted({key for entry in entries for key in entry.covariates})
    answers = {key: _answer_type(e.covariates[key] for e in entries if key in e.covariates) for key in keys}
    said = [
        {name: getattr(entry, name) for name in OWN_COLUMNS}
        | {key: _as(dtype, entry.covariates.get(key)) for key, dtype in answers.items()}
        for entry in entries
    ]
    frame = pl.DataFrame(said, schema={**OWN_COLUMNS, **answers})
    return frame.group_by("night").agg(pl.all().drop_nulls().last()).sort("night")


def lights_out_table(diary: pl.DataFrame, participant: str) -> pl.DataFrame:
    """Return participant, night and lights_out (UTC) for the nights where it was logged: what night assembly takes."""
    return diary.filter(pl.col("lights_out").is_not_null()).select(
        pl.lit(participant).alias("participant"), "night", "lights_out"
    )


def moment_on(night: date, clock: str, zone: tzinfo, *, boundary_h: float = 12.0) -> datetime:
    """Turn the time on the clock, said about a night, into an instant.

    Parameters
    ----------
    night
        The evening's date.
    clock
        Hours and minutes such as ``23:10`` or ``0:40``. Times before the boundary are past midnight, on the next date.
    zone
        Where the person was. A time that the autumn clock change gives twice is taken as the first of the two.
    boundary_h
        Hours after midnight at which one night gives way to the next (``sleep.night_boundary_h``).

    Raises
    ------
    DataError
        It is no time of day, or the spring clock change skipped it.
    """
    written = re.fullmatch(r"(\d{1,2}):(\d{2})", clock.strip(), re.ASCII)
    if not written or int(written[1]) > 23 or int(written[2]) > 59:  # noqa: PLR2004
        raise DataError(f"{clock[:20]!r} is not a time of day: write hours and minutes, such as 23:10.")
    at = time(int(written[1]), int(written[2]))
    past_midnight = at.hour + at.minute / 60 < boundary_h
    local = datetime.combine(night + timedelta(days=past_midnight), at, tzinfo=zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise DataError(f"{clock} did not exist on {local.date()} in {zone}: the clocks went forward over it.")
    return instant


def _answer_type(answers: Iterable[Answer]) -> type[pl.DataType]:
    kinds = {type(answer) for answer in answers}
    if kinds == {bool}:
        return pl.Boolean
    return pl.Float64 if kinds <= {int, float} else pl.String


def _as(dtype: type[pl.DataType], answer: Answer | None) -> Answer | None:
    return str(answer) if dtype is pl.String and answer is not None else answer
