"""Google's tables of Fitbit sleep: pairs of `UserSleeps` (one row a session) and `UserSleepStages` (one row a stage).

Rows are unsorted; instants are UTC with an offset beside them; short wakes are cut into the stages already. Every night
stands here once for each version of the algorithm, and a version is a stream: versions are never blended.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from nof1.connect.connector import Rejected
from nof1.connect.decoding import LINE, RAGGED
from nof1.errors import DataError
from nof1.sleep.session import IN_BED_SOURCES, KINDS, SCHEMA, STAGINGS, ZONE_SOURCES
from nof1.sleep.stages import STAGES, UNSCORED
from nof1_connectors.fitbit.parse import MAX_SESSION_S, MIN_COVERED, STAGE_OF, unknown_label

MAX_OVERHANG_S: Final = 60
"""A stage may stick out of its session by rounding; by more than this it belongs to another version of the session."""
MAX_OFFSET_MIN: Final = 18 * 60
"""No place on earth is further from UTC than 14 hours; ISO 8601 readers allow 18."""
MEMBER: Final = "#member"
"""The column that says which member a row came from."""
_SLEEP_COLUMNS: Final = ("sleep_id", "sleep_type", "start_utc_offset", "sleep_start", "end_utc_offset", "sleep_end")
_SLEEP_EXTRAS: Final = (
    "minutes_to_fall_asleep",
    "minutes_asleep",
    "minutes_awake",
    "data_source",
    "algorithm_version",
    "sleep_last_updated",
)
_STAGE_COLUMNS: Final = ("sleep_id", "sleep_stage_type", "sleep_stage_start", "sleep_stage_end")
_STAGE_EXTRAS: Final = ("algorithm_version",)
_KINDS_OF_SOURCE: Final = ("MANUAL", "DERIVED", "ACTIVELY_MEASURED", "PASSIVELY_MEASURED")
"""What Google's own description lists for `data_source`; newer exports name the device there instead."""


@dataclass(frozen=True, slots=True)
class ParsedTables:
    """Sessions in the shape of the table, and what became of every row."""

    sessions: pl.DataFrame
    read: int
    merged: int
    rejected: tuple[Rejected, ...]
    notes: tuple[tuple[str, str], ...]
    """What the person should hear, and about which record."""


def sleeps_table(raw: pl.DataFrame, member: str) -> pl.DataFrame:
    """Check and pick the columns of one `UserSleeps` member; columns of later versions are null where absent.

    Raises
    ------
    nof1.errors.DataError
        A column is missing.
    """
    return _picked(raw, member, _SLEEP_COLUMNS, _SLEEP_EXTRAS)


def stages_table(raw: pl.DataFrame, member: str) -> pl.DataFrame:
    """Check and pick the columns of one `UserSleepStages` member.

    Raises
    ------
    nof1.errors.DataError
        A column is missing.
    """
    return _picked(raw, member, _STAGE_COLUMNS, _STAGE_EXTRAS)


def _none(columns: tuple[str, ...]) -> pl.DataFrame:
    texts = dict.fromkeys((*columns, MEMBER), pl.String())
    schema = {**texts, LINE: pl.Int64(), RAGGED: pl.Boolean()}
    return pl.DataFrame(schema=schema).select(*columns, LINE, RAGGED, MEMBER)


def _picked(raw: pl.DataFrame, member: str, needed: tuple[str, ...], extras: tuple[str, ...]) -> pl.DataFrame:
    if missing := [name for name in needed if name not in raw.columns]:
        raise DataError(f"{member} lacks the columns {', '.join(missing)}. Export it again, unedited.")
    absent = [pl.lit(None, pl.String).alias(name) for name in extras if name not in raw.columns]
    return raw.with_columns(pl.lit(member).alias(MEMBER), *absent).select(*needed, *extras, LINE, RAGGED, MEMBER)


def parse_tables(sleeps: Sequence[pl.DataFrame], stages: Sequence[pl.DataFrame], participant: str) -> ParsedTables:
    """Join the rows of all members, as `sleeps_table` and `stages_table` gave them, into sessions.

    A record is a row of `sleeps`; stages without a session are one record for each `sleep_id`.
    """
    rows = pl.concat([_none(_SLEEP_COLUMNS + _SLEEP_EXTRAS), *sleeps])
    pieces = _pieces(pl.concat([_none(_STAGE_COLUMNS + _STAGE_EXTRAS), *stages]))
    told = _with_reason(rows)
    good = told.filter(pl.col("reason").is_null())
    latest = good.sort("sleep_id", "updated", "end", *_SLEEP_EXTRAS, "start", descending=True, nulls_last=True).unique(
        "sleep_id", keep="first", maintain_order=True
    )
    joined = latest.join(_hypnograms(pieces), on="sleep_id", how="left").with_columns(_stage_reason().alias("reason"))
    accepted = joined.filter(pl.col("reason").is_null())
    orphans = pieces.join(rows.select("sleep_id"), on="sleep_id", how="anti", nulls_equal=True)
    orphaned = orphans.group_by("sleep_id").agg(pl.col(MEMBER).first(), pl.len()).sort("sleep_id")
    refused = pl.concat([frame.select("sleep_id", "reason", LINE, MEMBER) for frame in (told, joined)])
    return ParsedTables(
        sessions=_sessions(accepted, participant),
        read=rows.height + orphaned.height,
        merged=good.height - latest.height,
        rejected=_rejected(refused.drop_nulls("reason")) + _orphans_rejected(orphaned),
        notes=_notes(accepted, pieces),
    )


def _instant(column: str) -> pl.Expr:
    text = pl.col(column).str.replace("T", " ", literal=True).str.replace(r"Z$", "+0000")
    return text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%z", strict=False, time_unit="us", time_zone="UTC")


def _offset(column: str) -> pl.Expr:
    parts = pl.col(column).str.extract_groups(r"^([+-])(\d{2}):?(\d{2})$").struct
    minutes = parts.field("2").cast(pl.Int16) * 60 + parts.field("3").cast(pl.Int16)
    signed = pl.when(parts.field("1") == "-").then(-minutes).otherwise(minutes)
    return pl.when(minutes <= MAX_OFFSET_MIN).then(signed)


def _minutes(column: str) -> pl.Expr:
    number = pl.col(column).cast(pl.Int32, strict=False)
    return pl.when(number.is_between(0, MAX_SESSION_S // 60)).then(number)  # -1 is Google's word for missing


def _with_reason(sleeps: pl.DataFrame) -> pl.DataFrame:
    typed = sleeps.with_columns(
        start=_instant("sleep_start"),
        end=_instant("sleep_end"),
        offset_start=_offset("start_utc_offset"),
        offset_end=_offset("end_utc_offset"),
        updated=_instant("sleep_last_updated"),
    )
    lasts = (pl.col("end") - pl.col("start")).dt.total_seconds()
    checks = {
        "its row does not have the fields of the header": pl.col(RAGGED),
        "it has no sleep_id": pl.col("sleep_id").is_null(),
        "its start or end is not a time with an offset": pl.any_horizontal(pl.col("start", "end").is_null()),
        "its UTC offset is missing or not one": pl.any_horizontal(pl.col("offset_start", "offset_end").is_null()),
        "it ends before it starts": lasts <= 0,
        "it lasts longer than two days": lasts > MAX_SESSION_S,
    }
    reasons = [pl.when(check).then(pl.lit(reason)) for reason, check in checks.items()]
    return typed.with_columns(pl.coalesce(reasons).alias("reason"))


def _pieces(stages: pl.DataFrame) -> pl.DataFrame:
    """One row a stage, in order; the same stage told by two members is one."""
    typed = stages.with_columns(
        stage_start=_instant("sleep_stage_start"),
        stage_end=_instant("sleep_stage_end"),
        label=pl.col("sleep_stage_type").fill_null(""),
    )
    ends_of_others = pl.col("stage_end").shift(1).over("sleep_id")
    return (
        typed.unique(
            ["sleep_id", "stage_start", "stage_end", "label", "algorithm_version", RAGGED], maintain_order=True
        )
        .sort("sleep_id", "stage_start", "stage_end", LINE)
        .with_columns(
            stage=pl.col("label").str.to_lowercase().replace_strict(STAGE_OF, default=UNSCORED).cast(pl.Enum(STAGES)),
            seconds=(pl.col("stage_end") - pl.col("stage_start")).dt.total_seconds(),
            overlaps=pl.col("stage_start") < ends_of_others,
        )
        .with_columns(unreadable=(pl.col(RAGGED) | (pl.col("seconds") < 0)).fill_null(value=True))
    )


def _hypnograms(pieces: pl.DataFrame) -> pl.DataFrame:
    """One row a `sleep_id`: its stages inside, and what is wrong with them."""
    lasting = pl.col("seconds") > 0
    from_first = (pl.col("stage_start") - pl.col("stage_start").min()).dt.total_seconds()
    piece = pl.struct(
        from_first.cast(pl.Int32, strict=False).alias("start_s"),
        pl.col("seconds").cast(pl.Int32, strict=False),
        "stage",
        "label",
    )
    return (
        pieces.drop_nulls("sleep_id")
        .group_by("sleep_id", maintain_order=True)
        .agg(
            hypnogram=piece.filter(lasting),
            first_stage=pl.col("stage_start").min(),
            last_stage=pl.col("stage_end").max(),
            covered_s=pl.col("seconds").sum(),
            overlaps=pl.col("overlaps").any(),
            unreadable=pl.col("unreadable").any(),
            stage_versions=pl.col("algorithm_version").drop_nulls().unique().sort().str.join("+"),
        )
    )


def _stage_reason() -> pl.Expr:
    overhang = pl.max_horizontal(pl.col("start") - pl.col("first_stage"), pl.col("last_stage") - pl.col("end"))
    return pl.coalesce(
        pl.when(pl.col("unreadable")).then(
            pl.lit("one of its stages is cut short, has no time, or ends before it starts")
        ),
        pl.when(pl.col("overlaps")).then(
            pl.lit("its stages overlap: are two downloads mixed in one folder? Import each by itself")
        ),
        pl.when(overhang.dt.total_seconds() > MAX_OVERHANG_S).then(pl.lit("its stages reach outside it")),
    )


def _sessions(joined: pl.DataFrame, participant: str) -> pl.DataFrame:
    """Shape the accepted rows as the table of sessions."""
    start = pl.min_horizontal("start", "first_stage")
    end = pl.max_horizontal("end", "last_stage")
    shift = (pl.col("first_stage") - start).dt.total_seconds().cast(pl.Int32)
    latency_s = _minutes("minutes_to_fall_asleep") * 60
    lasts_s = (end - start).dt.total_seconds()
    has_stages = pl.col("hypnogram").list.len().fill_null(0) > 0
    staging = pl.when(~has_stages).then(pl.lit("totals")).when(pl.col("sleep_type") == "CLASSIC")
    return _moved(joined.with_columns(shift.alias("shift"))).select(
        participant=pl.lit(participant),
        source=pl.lit("fitbit"),
        stream=_stream(),
        record_id="sleep_id",
        device=pl.when(~pl.col("data_source").is_in(_KINDS_OF_SOURCE)).then("data_source"),
        algorithm=_algorithm(),
        start=start,
        end=end,
        offset_start="offset_start",
        offset_end="offset_end",
        zone=pl.lit(None, pl.String),
        zone_source=pl.lit("record", pl.Enum(ZONE_SOURCES)),
        kind=pl.lit("unknown", pl.Enum(KINDS)),
        staging=staging.then(pl.lit("sleep_wake")).otherwise(pl.lit("stages")).cast(pl.Enum(STAGINGS)),
        hypnogram=pl.when(has_stages).then("hypnogram"),
        totals=_totals(),
        in_bed=pl.lit(None, SCHEMA["in_bed"]),
        in_bed_source=pl.lit("none", pl.Enum(IN_BED_SOURCES)),
        # 0 is what Fitbit writes when it does not know: 26 of 26 rows of 2026
        vendor_sol_s=pl.when((latency_s > 0) & (latency_s <= lasts_s)).then(latency_s).cast(pl.Float64),
        updated="updated",
        flags=_flags(has_stages & (pl.col("covered_s") < MIN_COVERED * lasts_s)),
    )


def _moved(joined: pl.DataFrame) -> pl.DataFrame:
    """Count the stages from the start of the session instead of from the first stage."""
    moved = (
        joined.select("sleep_id", "shift", "hypnogram")
        .explode("hypnogram")
        .drop_nulls("hypnogram")
        .unnest("hypnogram")
        .with_columns(pl.col("start_s") + pl.col("shift"))
        .group_by("sleep_id", maintain_order=True)
        .agg(hypnogram=pl.struct("start_s", "seconds", "stage", "label"))
    )
    return joined.drop("hypnogram").join(moved, on="sleep_id", how="left")


def _stream() -> pl.Expr:
    version = pl.col("algorithm_version").str.replace("^sleep_session_", "sleep_stages_")
    return pl.format("fitbit/{}", version.fill_null("sleep_stages"))


def _algorithm() -> pl.Expr:
    told = pl.concat_str(
        "algorithm_version", pl.col("stage_versions").replace("", None), separator="; ", ignore_nulls=True
    )
    return told.replace("", None)


def _totals() -> pl.Expr:
    seconds = {"wake_s": _minutes("minutes_awake") * 60, "asleep_s": _minutes("minutes_asleep") * 60}
    names = ("wake_s", "light_s", "deep_s", "rem_s", "asleep_s")
    return pl.struct([seconds.get(name, pl.lit(None)).cast(pl.Int32).alias(name) for name in names])


def _flags(incomplete: pl.Expr) -> pl.Expr:
    raised = {"manual": pl.col("data_source") == "MANUAL", "incomplete": incomplete}
    flags = [pl.when(check).then(pl.lit(name)) for name, check in raised.items()]
    return pl.concat_list(flags).list.drop_nulls()


def _rejected(refused: pl.DataFrame) -> tuple[Rejected, ...]:
    rows = refused.sort(MEMBER, LINE).select(
        pl.format("{} line {}: sleep {}", MEMBER, LINE, pl.col("sleep_id").fill_null("without id")), "reason"
    )
    return tuple(Rejected(record, reason) for record, reason in rows.iter_rows())


def _orphans_rejected(orphaned: pl.DataFrame) -> tuple[Rejected, ...]:
    return tuple(
        Rejected(f"{member}: sleep {sleep_id}", f"its {count} stages have no session in UserSleeps")
        for sleep_id, member, count in orphaned.iter_rows()
    )


def _notes(accepted: pl.DataFrame, pieces: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    unknown = (
        pieces.join(accepted.select("sleep_id"), on="sleep_id", how="semi")
        .filter(~pl.col("label").str.to_lowercase().is_in(list(STAGE_OF)))
        .select("label", "sleep_id")
        .unique()
        .sort("label", "sleep_id")
    )
    unstaged = accepted.filter(pl.col("hypnogram").list.len().fill_null(0) == 0)["sleep_id"].sort()
    labels = tuple((unknown_label(label), f"sleep {sleep_id}") for label, sleep_id in unknown.iter_rows())
    return labels + tuple(("totals and no stages", f"sleep {sleep_id}") for sleep_id in unstaged)
