"""The table of nights: one row a main sleep of one person, keyed by the evening's local date."""

from typing import Final

import dataframely as dy

from nof1.sleep.session import INCOMPLETE

LATENCY_SOURCES: Final = ("diary", "in_bed", "vendor", "stages", "none")
"""Where lights-out may come from, best first; `none` where nothing can tell it."""

NO_LIGHTS_OUT: Final = "no_lights_out"
LIGHTS_OUT_AFTER_ONSET: Final = "lights_out_after_onset"
LIGHTS_OUT_TOO_EARLY: Final = "lights_out_too_early"
SHORT: Final = "short"
UNSTAGED: Final = "unstaged"
OVERLAP: Final = "overlap"
MERGED: Final = "merged"
DEVICE_CHANGED: Final = "device_changed"
ALGORITHM_CHANGED: Final = "algorithm_changed"

NIGHT_FLAGS: Final = {
    SHORT: "less than 180 minutes of sleep",
    INCOMPLETE: "more than a tenth of the time between falling asleep and the last waking was not scored",
    UNSTAGED: "part or all of the sleep was not divided into stages",
    NO_LIGHTS_OUT: "nothing tells when the person meant to sleep",
    LIGHTS_OUT_AFTER_ONSET: "the stated lights-out is more than 5 minutes after the detected onset",
    LIGHTS_OUT_TOO_EARLY: "the stated lights-out is more than 12 hours before the detected onset",
    OVERLAP: "sessions that overlap in time were resolved into one",
    MERGED: "several sessions make up this sleep",
    DEVICE_CHANGED: "another device than on the night before",
    ALGORITHM_CHANGED: "another staging algorithm than on the night before",
}
"""What `assembly` may say of a night; the flags of its sessions (`session.SESSION_FLAGS`) stand beside these."""


def _minutes() -> dy.Float64:
    return dy.Float64(nullable=True, min=0)


class Nights(dy.Schema):
    """Nights. Minutes and percentages are floats; a null is missing, never zero; instants are UTC.

    `start` and `end` bound the recording; `lights_out` is where latency is counted from. `night` is the evening's date,
    `wake_date` the local date on which the recording ended. `nap_min` is the sleep *recorded* between the main sleep
    before and this one, 24 hours back at most: 0 where none was recorded. A night without any sleep has `tst_min` 0 and
    `se_pct` 0, and no latency, SPT, WASO or awakenings; a night in which nothing at all was scored has no `tst_min`.
    What the minutes mean is said once, in `measures`.
    """

    participant = dy.String(primary_key=True)
    night = dy.Date(primary_key=True)
    wake_date = dy.Date(nullable=False)
    source = dy.String(nullable=False)
    stream = dy.String(nullable=False)
    device = dy.String(nullable=True)
    algorithm = dy.String(nullable=True)
    start = dy.Datetime(nullable=False, time_unit="us", time_zone="UTC")
    end = dy.Datetime(nullable=False, time_unit="us", time_zone="UTC")
    offset_start = dy.Int16(nullable=True)
    zone = dy.String(nullable=True)
    lights_out = dy.Datetime(nullable=True, time_unit="us", time_zone="UTC")
    tib_min = _minutes()
    sol_min = _minutes()
    sol_source = dy.Enum(LATENCY_SOURCES, nullable=False)
    lps_min = _minutes()
    spt_min = _minutes()
    tst_min = _minutes()
    waso_min = _minutes()
    terminal_wake_min = _minutes()
    se_pct = dy.Float64(nullable=True, min=0)
    wake_min = _minutes()
    light_min = _minutes()
    deep_min = _minutes()
    rem_min = _minutes()
    asleep_min = _minutes()
    rem_latency_min = _minutes()
    awakenings = dy.Int64(nullable=True, min=0)
    nap_min = dy.Float64(nullable=False, min=0)
    flags = dy.List(dy.String(nullable=False), nullable=False)


SCHEMA: Final = Nights.create_empty().schema
"""Column names and polars types, in order."""
