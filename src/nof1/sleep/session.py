"""The table of sleep sessions: one row a recorded session, as one source saw it, its hypnogram inside.

Nothing is averaged, merged or corrected here. Connectors make this table, the store keeps it, `assembly` turns it into
nights.
"""

# ruff: noqa: N805 (dataframely's rules are class methods)

from typing import Any, Final

import dataframely as dy
import polars as pl

from nof1.sleep.stages import STAGES

ZONE_SOURCES: Final = ("record", "export", "option", "participant", "none")
"""Where the zone came from; `none` only in a dry run: local times stand as if they were UTC, and are never stored."""

STATED_ZONES: Final = ("option", "participant")
"""The sources of a zone that the export does not tell: a person stated it when importing."""

UNKNOWN_DEVICE: Final = "unknown"
"""The stream ``source/unknown`` holds the sessions of which an export does not tell the device."""

KINDS: Final = ("main", "nap", "unknown")
STAGINGS: Final = ("stages", "sleep_wake", "totals")
IN_BED_SOURCES: Final = ("in_bed", "tap", "none")

STARTS_AT_ONSET: Final = "starts_at_onset"
GUESSED_BEDTIME: Final = "guessed_bedtime"
LATENCY_FLOOR: Final = "latency_at_floor"
SELF_REPORTED: Final = "self_reported"
INCOMPLETE: Final = "incomplete"

SESSION_FLAGS: Final = {
    "manual": "entered by hand, not recorded",
    "edited": "its times were changed by hand",
    INCOMPLETE: "what was scored covers less than 95 % of the recording, or the vendor says that it broke off",
    STARTS_AT_ONSET: "the recording does not begin where the person meant to sleep: its start tells nothing of latency",
    GUESSED_BEDTIME: "the vendor's own latency counts from a bedtime that the device guessed",
    LATENCY_FLOOR: "the app wrote the least latency that it ever writes, and measured none",
    SELF_REPORTED: "when the person went to bed, or how long sleep took to come, was written down by the person",
    "nominal_times": "the export tells no times: the night was placed by its date alone",
}
"""What a connector may say of a session; each stands among the flags of its night."""


class Sessions(dy.Schema):
    """Sleep sessions. Instants are UTC; offsets are local − UTC in minutes; null means that the source did not say.

    In `totals`, `asleep_s` is all sleep, staged or not.
    """

    participant = dy.String(nullable=False)
    source = dy.String(nullable=False)
    stream = dy.String(nullable=False)
    record_id = dy.String(nullable=False)
    device = dy.String(nullable=True)
    algorithm = dy.String(nullable=True)
    start = dy.Datetime(nullable=False, time_unit="us", time_zone="UTC")
    end = dy.Datetime(nullable=False, time_unit="us", time_zone="UTC")
    offset_start = dy.Int16(nullable=True)
    offset_end = dy.Int16(nullable=True)
    zone = dy.String(nullable=True)
    zone_source = dy.Enum(ZONE_SOURCES, nullable=False)
    kind = dy.Enum(KINDS, nullable=False)
    staging = dy.Enum(STAGINGS, nullable=False)
    hypnogram = dy.List(
        dy.Struct(
            {
                "start_s": dy.Int32(nullable=False),
                "seconds": dy.Int32(nullable=False),
                "stage": dy.Enum(STAGES, nullable=False),
                "label": dy.String(nullable=False),
            }
        ),
        nullable=True,
    )
    totals = dy.Struct(
        {name: dy.Int32(nullable=True) for name in ("wake_s", "light_s", "deep_s", "rem_s", "asleep_s")},
        nullable=True,
    )
    in_bed = dy.Datetime(nullable=True, time_unit="us", time_zone="UTC")
    in_bed_source = dy.Enum(IN_BED_SOURCES, nullable=False)
    vendor_sol_s = dy.Float64(nullable=True)
    updated = dy.Datetime(nullable=True, time_unit="us", time_zone="UTC")
    """When the vendor last changed the record: of two versions of one session the later stands."""
    flags = dy.List(dy.String(nullable=False), nullable=False)

    @dy.rule()
    def ends_after_it_starts(cls) -> pl.Expr:
        """A recording has a length."""
        return pl.col("end") > pl.col("start")

    @dy.rule()
    def segments_last(cls) -> pl.Expr:
        """Every segment has a length."""
        return pl.col("hypnogram").list.eval(pl.element().struct.field("seconds") > 0).list.all()

    @dy.rule()
    def segments_in_order_without_overlap(cls) -> pl.Expr:
        """The first segment starts with the recording or after it, each other where the one before ends or after."""
        ends = pl.element().struct.field("start_s") + pl.element().struct.field("seconds")
        follows = pl.element().struct.field("start_s") >= ends.shift(1).fill_null(0)
        return pl.col("hypnogram").list.eval(follows).list.all()

    @dy.rule()
    def totals_when_there_is_no_hypnogram(cls) -> pl.Expr:
        """Every session tells something of sleep."""
        return pl.col("hypnogram").is_not_null() | pl.col("totals").is_not_null()


SCHEMA: Final = Sessions.create_empty().schema
"""Column names and polars types, in order."""

KEY: Final = ("participant", "stream", "record_id")
"""What makes two rows the same session."""


def sessions_from_rows(rows: list[dict[str, Any]]) -> dy.DataFrame[Sessions]:
    """Build and check the table.

    Raises
    ------
    dataframely.exc.ValidationError
        A row breaks a rule: a mistake in the connector, not in the export.
    """
    return Sessions.validate(pl.DataFrame(rows, schema=SCHEMA).sort("start", "stream", "record_id"))
