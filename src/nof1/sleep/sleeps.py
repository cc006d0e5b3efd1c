"""Sessions -> sleeps: which sessions are one sleep, which night it belongs to, which sleep of a night is the main one.

1. A session nested in another one of at least its own detail gives way to it: vendors export growing partial sessions.
2. Recordings less than `merge_gap_min` apart are one sleep, and the gap is wake. The gap is measured between the
   *recordings*: wake inside a recording never divides a sleep, however long, so that cutting a recording in two changes
   nothing.
3. The night is date(local onset − `night_boundary_h`), the evening's date: by the offset that was recorded, else by the
   zone, else the instant as it stands. Without sleep the start of the recording stands for the onset.
4. Of the sleeps of one night the longest is the main sleep. The others are naps, and count in the next main sleep of
   that person that starts within 24 hours: a nap at 15:00 on 12 May, and a sleep at 11:00 on 12 May that has the date
   of 11 May, both lie before the evening of 12 May.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from nof1.errors import DataError
from nof1.sleep.measures import MEASURES
from nof1.sleep.segments import lay_out_segments
from nof1.sleep.session import STARTS_AT_ONSET
from nof1.sleep.stages import SLEEP

OWNER: Final = ("participant", "stream")
"""Sleeps are found within one stream of one participant."""

NAP_REACH: Final = timedelta(hours=24)
LONGEST_NAP_MIN: Final = 180
"""What the vendor calls a nap is never a night's sleep where it is shorter than this."""

_DETAIL: Final = ("stages", "sleep_wake", "totals")


@dataclass(frozen=True, slots=True)
class Sleeps:
    """The sleeps of some sessions.

    Parameters
    ----------
    sessions
        The sessions, as `group_sessions` returns them.
    segments
        Their segments, as `segments.lay_out_segments` returns them.
    table
        One row a sleep, as `describe_sleeps` returns it.
    """

    sessions: pl.DataFrame
    segments: pl.DataFrame
    table: pl.DataFrame


def find_sleeps(sessions: pl.DataFrame, *, merge_gap_min: int = 60, night_boundary_h: float = 12) -> Sleeps:
    """Find the sleeps of every stream of every participant.

    Parameters
    ----------
    sessions
        Obeys `session.Sessions`.
    merge_gap_min
        Recordings less than so many minutes apart are one sleep.
    night_boundary_h
        The local hour at which one night's date ends and the next begins.

    Raises
    ------
    nof1.errors.DataError
        A session names a zone that does not exist.
    """
    _require_known_zones(sessions["zone"])
    grouped = group_sessions(sessions, merge_gap_min=merge_gap_min)
    segments = lay_out_segments(grouped.filter(~pl.col("gives_way")))
    return Sleeps(grouped, segments, describe_sleeps(grouped, segments, night_boundary_h=night_boundary_h))


def place_sessions(sessions: pl.DataFrame, *, merge_gap_min: int = 60, night_boundary_h: float = 12) -> pl.DataFrame:
    """Say of every session what became of it, one row a session.

    Returns
    -------
    pl.DataFrame
        `participant`, `stream`, `record_id`, `part`, `night`, sorted. `part` is `main`, `nap`, or `gave_way` for a
        session that says again what a longer one says. `night` is the night in which its sleep counts; null where that
        is a nap which no main sleep follows within 24 hours.

    Raises
    ------
    nof1.errors.DataError
        A session names a zone that does not exist.
    """
    sleeps = find_sleeps(sessions, merge_gap_min=merge_gap_min, night_boundary_h=night_boundary_h)
    naps = naps_before_nights(sleeps.table).select("sleep", counts_in="night")
    part = pl.when("gives_way").then(pl.lit("gave_way")).when("main").then(pl.lit("main")).otherwise(pl.lit("nap"))
    return (
        sleeps.sessions.join(sleeps.table.select("sleep", "main", "night"), on="sleep")
        .join(naps, on="sleep", how="left")
        .with_columns(part=part, night=pl.when("main").then("night").otherwise("counts_in"))
        .select(*OWNER, "record_id", "part", "night")
        .sort(*OWNER, "record_id", "part")
    )


def group_sessions(sessions: pl.DataFrame, *, merge_gap_min: int) -> pl.DataFrame:
    """Number the sleeps of each participant's stream, and say which sessions give way or overlap.

    Returns
    -------
    pl.DataFrame
        The sessions in order of start, with `session` (its own number; the longest session has the lowest), `sleep`,
        `gives_way` and, for whole sleeps, `overlapping` (sessions that stay overlap) and `resolved` (any overlapped).
    """
    detail = pl.when(_is_placed()).then(pl.col("staging").cast(pl.String)).otherwise(pl.lit("totals"))
    ordered = (
        sessions.with_columns(end=_true_end(), detail=detail.replace_strict(dict(zip(_DETAIL, range(3), strict=True))))
        .with_columns(seconds=pl.col("end") - pl.col("start"))
        .sort("seconds", "updated", "record_id", descending=[True, True, False], nulls_last=True)
        .with_row_index("session")
        .sort(*OWNER, "start", "end", "detail", "session", descending=[False, False, False, True, False, False])
    )
    gap = pl.col("start") - _end_so_far(pl.lit(True))
    goes_on = (gap < timedelta(minutes=merge_gap_min)).fill_null(False)
    return (
        ordered.with_columns(sleep=(~goes_on).cum_sum(), gives_way=_nested())
        .with_columns(overlaps=_overlaps())
        .with_columns(gives_way=pl.col("gives_way") | _cannot_be_resolved())
        .with_columns(overlaps=_overlaps())
        .with_columns(
            overlapping=pl.col("overlaps").any().over("sleep"),
            resolved=(pl.col("overlaps") | pl.col("gives_way")).any().over("sleep"),
        )
        .drop("overlaps", "seconds", "detail")
    )


def describe_sleeps(grouped: pl.DataFrame, segments: pl.DataFrame, *, night_boundary_h: float) -> pl.DataFrame:
    """Describe each sleep: one row a sleep, with its `night`, `wake_date`, `tst_min` and whether it is the `main` one.

    Parameters
    ----------
    grouped, segments
        What `group_sessions` and `segments.lay_out_segments` returned.
    night_boundary_h
        See `assemble_nights`.
    """
    slept = pl.col("stage").is_in(SLEEP)
    facts = segments.group_by("sleep").agg(
        pl.col("onset", "placed", "staged").first(),
        MEASURES["tst_min"].expression,
        leads_with_wake=pl.col("placed").first() & ~slept.first(),
        onset_session=pl.col("session").filter(slept).first(),
    )
    vendor = grouped.select("sleep", onset_session="session", vendor_sol_s="vendor_sol_s")
    zones = grouped["zone"].drop_nulls().unique().sort().to_list()
    night = _local(pl.coalesce("onset", "start"), "offset_start", "zone", zones) - timedelta(hours=night_boundary_h)
    return (
        _sum_up_sessions(grouped.filter(~pl.col("gives_way")))
        .join(facts, on="sleep", how="left")
        .join(vendor, on=["sleep", "onset_session"], how="left")
        .with_columns(
            pl.col("placed", "staged", "leads_with_wake").fill_null(False),
            night=night.dt.date(),
            wake_date=_local(pl.col("end"), "offset_end", "zone_end", zones).dt.date(),
        )
        .with_columns(nap=pl.col("only_naps") & (pl.col("tst_min") < LONGEST_NAP_MIN).fill_null(False))
        .sort(
            *OWNER,
            "night",
            "nap",
            "tst_min",
            "start",
            descending=[False, False, False, False, True, False],
            nulls_last=True,
        )
        .with_columns(main=pl.struct(*OWNER, "night").is_first_distinct() & ~pl.col("nap"))
    )


def naps_before_nights(table: pl.DataFrame) -> pl.DataFrame:
    """Give each sleep that is not a main one the `night` of the next main sleep within reach, or null."""
    mains = table.filter("main").select(*OWNER, "night", next_start="start").sort("next_start")
    naps = table.filter(~pl.col("main")).drop("night").sort("end")
    return naps.join_asof(
        mains,
        left_on="end",
        right_on="next_start",
        by=list(OWNER),
        strategy="forward",
        tolerance=NAP_REACH,
        check_sortedness=False,  # cannot be checked within groups; both sides were sorted above
    )


def _require_known_zones(zones: pl.Series) -> None:
    some_instant = pl.lit(datetime(2000, 1, 1, tzinfo=UTC))
    for zone in zones.drop_nulls().unique().sort():
        try:
            pl.select(_in_zone(some_instant, zone))
        except pl.exceptions.ComputeError as error:
            count = (zones == zone).sum()
            raise DataError(
                f"{count} sessions name the time zone {zone!r}, which does not exist. Import the export again with an "
                "IANA name such as Europe/Berlin."
            ) from error


def _is_placed() -> pl.Expr:
    return pl.col("hypnogram").list.len().fill_null(0) > 0


def _true_end() -> pl.Expr:
    """Let a recording hold its whole hypnogram: some vendors state an end half a minute before the last segment's."""
    last = pl.col("hypnogram").list.last().struct
    after_start = last.field("start_s").cast(pl.Int64) + last.field("seconds")
    return pl.max_horizontal("end", pl.col("start") + pl.duration(seconds=after_start))


def _end_so_far(condition: pl.Expr) -> pl.Expr:
    """Latest end among the sessions before this one, in order of start, for which the condition holds."""
    return pl.when(condition).then("end").cum_max().forward_fill().shift(1).over(*OWNER)


def _nested() -> pl.Expr:
    """A session inside one of the same or more detail says nothing new."""
    by_detail = [
        pl.when(pl.col("detail") == level).then(pl.col("end") <= _end_so_far(pl.col("detail") <= level))
        for level in range(len(_DETAIL))
    ]
    return pl.coalesce(*by_detail, False)


def _overlaps() -> pl.Expr:
    stays = ~pl.col("gives_way")
    return stays & (pl.col("start") < _end_so_far(stays)).fill_null(False)


def _cannot_be_resolved() -> pl.Expr:
    """Sums have no place in time: where they overlap another session, only the longest session of the sleep speaks."""
    sums_overlap = (pl.col("overlaps").any() & (~_is_placed() & ~pl.col("gives_way")).any()).over("sleep")
    longest = pl.when(~pl.col("gives_way")).then("session").min().over("sleep")
    return sums_overlap & (pl.col("session") != longest)


def _sum_up_sessions(sessions: pl.DataFrame) -> pl.DataFrame:
    """Sum up the sessions of each sleep: what is said once is taken from the first, what comes last from the last."""
    return (
        sessions.sort("sleep", "start", maintain_order=True)
        .group_by("sleep", maintain_order=True)
        .agg(
            pl.col(*OWNER, "source", "device", "algorithm", "offset_start", "zone", "in_bed", "resolved").first(),
            pl.col("start").min(),
            pl.col("end").max(),
            starts_at_onset=pl.col("flags").first().list.contains(STARTS_AT_ONSET),
            unplaced_sol_s=pl.col("vendor_sol_s").first(),
            offset_end=pl.col("offset_end").sort_by("end").last(),
            zone_end=pl.col("zone").sort_by("end").last(),
            only_naps=(pl.col("kind") == "nap").all(),
            sessions=pl.len(),
            session_flags=pl.col("flags").explode().drop_nulls().unique(),
        )
    )


def _local(instant: pl.Expr, offset: str, zone: str, zones: Sequence[str]) -> pl.Expr:
    """Local wall-clock time: by the recorded offset, else by the zone, else the instant as it stands."""
    as_it_stands = instant.dt.replace_time_zone(None)
    by_zone = [pl.when(pl.col(zone) == name).then(_in_zone(instant, name)) for name in zones]
    return pl.coalesce(as_it_stands + pl.duration(minutes=pl.col(offset)), *by_zone, as_it_stands)


def _in_zone(instant: pl.Expr, zone: str) -> pl.Expr:
    return instant.dt.convert_time_zone(zone).dt.replace_time_zone(None)
