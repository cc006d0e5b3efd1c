"""The diary: what was taken, when the light went out, and what else the protocol asks for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from types import MappingProxyType
from typing import Any, Final, Literal, Self, get_args

import polars as pl

from nof1.errors import DataError

Answer = float | bool | str
Severity = Literal["none", "mild", "moderate", "severe"]
SleepQuality = Literal["very poor", "poor", "fair", "good", "very good"]

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
"""Of a side effect, in order. ``none`` was asked and denied; a symptom that is not mentioned is unknown."""
SLEEP_QUALITIES: Final[tuple[SleepQuality, ...]] = get_args(SleepQuality)
"""The words of the Consensus Sleep Diary, as are the awakenings (Carney 2012, doi:10.5665/sleep.1642)."""

INSTANT: Final = pl.Datetime("us", "UTC")

OWN_COLUMNS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = MappingProxyType(
    {
        "night": pl.Date,
        "dose_taken": pl.Boolean,
        "dose_at": INSTANT,
        "lights_out": INSTANT,
        "awakenings": pl.Int64,
        "sleep_quality": pl.Enum(SLEEP_QUALITIES),
        "note": pl.String,
    }
)
"""The columns of every diary; the protocol's own questions follow them under their keys."""

SIDE_EFFECT: Final = "side effect "
"""What a symptom's name follows, where side effects stand among other columns: no question's key holds a space."""

SIDE_EFFECT_COLUMNS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = MappingProxyType(
    {"night": pl.Date, "symptom": pl.String, "severity": pl.Enum(SEVERITIES)}
)


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
    awakenings
        How often the person remembers to have woken, the last time in the morning not counted.
    covariates
        Answers to the protocol's diary items, by their key.
    side_effects
        From this evening to the next, by symptom: none, mild, moderate or severe.
    """

    night: date
    dose_taken: bool | None = None
    dose_at: datetime | None = None
    lights_out: datetime | None = None
    awakenings: int | None = None
    sleep_quality: SleepQuality | None = None
    note: str | None = None
    covariates: Mapping[str, Answer] = field(default_factory=dict)
    side_effects: Mapping[str, Severity] = field(default_factory=dict)

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
            "awakenings": self.awakenings,
            "sleep_quality": self.sleep_quality,
            "note": self.note,
            "covariates": dict(self.covariates),
            "side_effects": dict(self.side_effects),
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Make the entry that `to_payload` wrote; entries of earlier versions lack the keys that are asked for here."""
        dose_at, lights_out = payload["dose_at"], payload["lights_out"]
        return cls(
            night=date.fromisoformat(payload["night"]),
            dose_taken=payload["dose_taken"],
            dose_at=datetime.fromisoformat(dose_at) if dose_at else None,
            lights_out=datetime.fromisoformat(lights_out) if lights_out else None,
            awakenings=payload.get("awakenings"),
            sleep_quality=payload.get("sleep_quality"),
            note=payload["note"],
            covariates=payload["covariates"],
            side_effects=payload.get("side_effects", {}),
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
    denied = pl.col("dose_taken").not_().fill_null(value=False)
    frame = frame.with_columns(dose_at=pl.when(denied.cum_sum(reverse=True).over("night") == 0).then("dose_at"))
    now = frame.group_by("night").agg(pl.all().drop_nulls().last()).sort("night")
    return now.with_columns(dose_at=pl.when(pl.col("dose_taken").fill_null(value=True)).then("dose_at"))


def standing(entries: Iterable[DiaryEntry], night: date) -> dict[str, Any]:
    """Return what the diary says of one night, by name; a dose that was not taken takes its earlier time along."""
    said: dict[str, Any] = {}
    for entry in entries:
        if entry.night == night:
            said |= _said(entry)
            if entry.dose_taken is False:
                said.pop("dose_at", None)
    return said


def contradicted(before: Sequence[DiaryEntry], entry: DiaryEntry) -> list[str]:
    """Name what an entry says otherwise than those before it about the same night; what is new contradicts nothing."""
    said = standing(before, entry.night)
    return [name for name, value in _said(entry).items() if name in said and said[name] != value]


def news(before: Iterable[DiaryEntry], entry: DiaryEntry) -> DiaryEntry:
    """Return an entry without what those before it about the same night say already."""
    said = standing(before, entry.night)
    known = {name for name, value in _said(entry).items() if name in said and said[name] == value}
    old: dict[str, Any] = dict.fromkeys(known & set(OWN_COLUMNS))
    return replace(
        entry,
        **old,
        covariates={key: answer for key, answer in entry.covariates.items() if key not in known},
        side_effects={name: grade for name, grade in entry.side_effects.items() if f"{SIDE_EFFECT}{name}" not in known},
    )


def current_side_effects(entries: Sequence[DiaryEntry]) -> pl.DataFrame:
    """Return the side effects as they were last said: one row a night and symptom.

    Parameters
    ----------
    entries
        In the order in which they were recorded.

    Returns
    -------
    polars.DataFrame
        night, symptom, severity (in the order of `SEVERITIES`). No row where nothing was said.
    """
    said = [(entry.night, *effect) for entry in entries for effect in entry.side_effects.items()]
    frame = pl.DataFrame(said, schema=dict(SIDE_EFFECT_COLUMNS), orient="row")
    return frame.group_by("night", "symptom").agg(pl.col("severity").last()).sort("night", "symptom")


def count_side_effects(side_effects: pl.DataFrame) -> pl.DataFrame:
    """Count the nights by symptom and severity, over the whole trial: by period they could tell the arms apart.

    Returns
    -------
    polars.DataFrame
        symptom, then one count of nights for each of `SEVERITIES`, named by it.
    """
    counts = [(pl.col("severity") == severity).sum().cast(pl.Int64).alias(severity) for severity in SEVERITIES]
    return side_effects.group_by("symptom").agg(*counts).sort("symptom")


def alarming(side_effects: pl.DataFrame, night: date) -> list[str]:
    """Name the symptoms that make the protocol's rule for stopping worth reading tonight.

    Those are the moderate and severe ones, and whatever lasts for a second night: "on two days running" is in the
    words of the rule, which nof1 repeats and does not judge.
    """
    felt = side_effects.filter(pl.col("severity") != "none")
    tonight = felt.filter(pl.col("night") == night)
    before = felt.filter(pl.col("night") == night - timedelta(days=1))["symptom"].implode()
    grave = pl.col("severity").is_in(["moderate", "severe"]) | pl.col("symptom").is_in(before)
    return tonight.filter(grave)["symptom"].to_list()


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


def _said(entry: DiaryEntry) -> dict[str, Any]:
    own = {name: getattr(entry, name) for name in OWN_COLUMNS if name != "night"}
    said = {name: value for name, value in own.items() if value is not None}
    return said | dict(entry.covariates) | {f"{SIDE_EFFECT}{name}": grade for name, grade in entry.side_effects.items()}


def _answer_type(answers: Iterable[Answer]) -> type[pl.DataType]:
    kinds = {type(answer) for answer in answers}
    if kinds == {bool}:
        return pl.Boolean
    return pl.Float64 if kinds <= {int, float} else pl.String


def _as(dtype: type[pl.DataType], answer: Answer | None) -> Answer | None:
    return str(answer) if dtype is pl.String and answer is not None else answer
