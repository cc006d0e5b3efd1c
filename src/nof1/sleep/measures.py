"""The catalogue of measures: what each means, in which unit, which sign is better, and how it is computed.

Protocol, priors and report all read this one catalogue. Definitions follow the AASM manual in the words of yasa and
Luna: WASO is wake inside the sleep period (``WASO_spt``), REM latency counts from sleep onset.

Every expression aggregates the segments of **one sleep**, a frame with one row a segment and these columns:

=============== ============ ===========================================================================
stage           Enum         one of `stages.STAGES`, never `unscored`
start, end      Datetime     UTC; null where the source gave only sums (`placed` false)
length          Duration     `end` − `start`, or the vendor's sum
run_length      Duration     length of the unbroken run of sleep (any stage), or of wake, that the segment is part of
run_starts      Boolean      the segment is the first of its run
onset           Datetime     start of the first sleep segment; null without sleep or places; the same in every row
last_sleep      Datetime     end of the last sleep segment, as `onset`
lights_out      Datetime     null where unknown; never after `onset`; the same in every row
lights_on       Datetime     end of the recording; the same in every row
unplaced_sol    Duration     the vendor's own latency where segments have no place, else null; the same in every row
staged          Boolean      all of this sleep was divided into stages; the same in every row
placed          Boolean      segments have a place in time; the same in every row
=============== ============ ===========================================================================

Segments of one sleep are in order and do not overlap. Time that none of them covers is unscored. Results are null where
missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final, Literal

import polars as pl

from nof1.sleep.stages import ASLEEP, DEEP, LIGHT, REM, SLEEP, WAKE

AWAKENING_MIN: Final = 5
"""An awakening lasts at least so many minutes: what a wrist device can tell, and what people remember in a diary."""

PERSISTENT_MIN: Final = 10
"""Persistent sleep is so many minutes of sleep without a break (Luna's PER_SLP_LAT, usual in insomnia trials)."""

_ONSET, _LAST_SLEEP = pl.col("onset").first(), pl.col("last_sleep").first()
_LIGHTS_OUT, _LIGHTS_ON = pl.col("lights_out").first(), pl.col("lights_on").first()
_INSIDE_SPT = (pl.col("start") >= pl.col("onset")) & (pl.col("end") <= pl.col("last_sleep"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing that can be said about a night.

    Parameters
    ----------
    name
        The column in `nights.Nights`.
    unit, label
        The unit, and the words a patient reads.
    better
        Which direction is better for a sleeper; None where neither is.
    family
        How the measure varies between nights: additively, or by ratios.
    needs_stages
        Missing on a night that was not divided into stages.
    needs_lights_out
        Missing on a night without lights-out: such a measure is only as good as the trial's latency source.
    censoring
        True for latencies: below the device's grain only "shorter than" is known (left), and without any sleep only
        "longer than the time in bed" (right; the value is missing, `tst_min` is 0 and `tib_min` is the bound).
    expression
        An aggregation over the segments of one sleep, named `name`; its frame is described in the module docstring.
    """

    name: str
    unit: Literal["min", "%", "count"]
    label: str
    better: Literal["higher", "lower"] | None
    family: Literal["gaussian", "lognormal"] = "gaussian"
    needs_stages: bool = False
    needs_lights_out: bool = False
    censoring: bool = False
    expression: pl.Expr

    def __post_init__(self) -> None:
        object.__setattr__(self, "expression", self.expression.alias(self.name))


def _minutes(duration: pl.Expr) -> pl.Expr:
    return duration.dt.total_microseconds() / 60_000_000


def _time_in(*stages: str) -> pl.Expr:
    """Sum the minutes in these stages; a source of sums that is silent about all of them leaves the minutes missing."""
    chosen = pl.col("length").filter(pl.col("stage").is_in(stages))
    return pl.when(pl.col("placed").first() | (chosen.len() > 0)).then(_minutes(chosen.sum()))


def _staged_time_in(stage: str) -> pl.Expr:
    return pl.when(pl.col("staged").first()).then(_time_in(stage))


def _start_of_first(condition: pl.Expr) -> pl.Expr:
    return pl.col("start").filter(condition).min()


def _awakenings() -> pl.Expr:
    long_wake = (pl.col("stage") == WAKE) & (pl.col("run_length") >= timedelta(minutes=AWAKENING_MIN))
    count = (pl.col("run_starts") & long_wake & _INSIDE_SPT).sum().cast(pl.Int64)
    return pl.when(_ONSET.is_not_null()).then(count)


def _wake_after_onset() -> pl.Expr:
    wake = pl.col("length").filter((pl.col("stage") == WAKE) & _INSIDE_SPT)
    return pl.when(_ONSET.is_not_null()).then(_minutes(wake.sum()))


_TST = _time_in(*SLEEP)
_TIB = _minutes(_LIGHTS_ON - _LIGHTS_OUT)
_PERSISTENT = pl.col("stage").is_in(SLEEP) & (pl.col("run_length") >= timedelta(minutes=PERSISTENT_MIN))

_CATALOGUE: Final = (
    Measure(
        name="tib_min",
        unit="min",
        label="time in bed",
        better=None,
        needs_lights_out=True,
        expression=_TIB,
    ),
    Measure(
        name="sol_min",
        unit="min",
        label="time to fall asleep",
        better="lower",
        family="lognormal",
        needs_lights_out=True,
        censoring=True,
        expression=_minutes(pl.coalesce(_ONSET - _LIGHTS_OUT, pl.col("unplaced_sol").first())),
    ),
    Measure(
        name="lps_min",
        unit="min",
        label="time until the first 10 minutes of unbroken sleep",
        better="lower",
        family="lognormal",
        needs_lights_out=True,
        censoring=True,
        expression=_minutes(_start_of_first(_PERSISTENT) - _LIGHTS_OUT),
    ),
    Measure(
        name="spt_min",
        unit="min",
        label="time from falling asleep to the last waking",
        better=None,
        expression=_minutes(_LAST_SLEEP - _ONSET),
    ),
    Measure(
        name="tst_min",
        unit="min",
        label="total sleep",
        better="higher",
        expression=_TST,
    ),
    Measure(
        name="waso_min",
        unit="min",
        label="time awake after falling asleep",
        better="lower",
        expression=_wake_after_onset(),
    ),
    Measure(
        name="terminal_wake_min",
        unit="min",
        label="time awake in bed after the last sleep",
        better=None,
        needs_lights_out=True,
        expression=pl.when(_LIGHTS_OUT.is_not_null()).then(_minutes(_LIGHTS_ON - _LAST_SLEEP)),
    ),
    Measure(
        name="se_pct",
        unit="%",
        label="share of the time in bed spent asleep",
        better="higher",
        needs_lights_out=True,
        expression=100 * _TST / _TIB,
    ),
    Measure(
        name="wake_min",
        unit="min",
        label="time awake during the recording",
        better="lower",
        expression=_time_in(WAKE),
    ),
    Measure(
        name="light_min",
        unit="min",
        label="light sleep",
        better=None,
        needs_stages=True,
        expression=_staged_time_in(LIGHT),
    ),
    Measure(
        name="deep_min",
        unit="min",
        label="deep sleep",
        better="higher",
        needs_stages=True,
        expression=_staged_time_in(DEEP),
    ),
    Measure(
        name="rem_min",
        unit="min",
        label="REM sleep",
        better=None,
        needs_stages=True,
        expression=_staged_time_in(REM),
    ),
    Measure(
        name="asleep_min",
        unit="min",
        label="sleep without a stage",
        better=None,
        expression=_time_in(ASLEEP),
    ),
    Measure(
        name="rem_latency_min",
        unit="min",
        label="time from falling asleep to the first REM sleep",
        better=None,
        needs_stages=True,
        expression=pl.when(pl.col("staged").first()).then(
            _minutes(_start_of_first(pl.col("stage") == REM) - _ONSET),
        ),
    ),
    Measure(
        name="awakenings",
        unit="count",
        label=f"awakenings of {AWAKENING_MIN} minutes or more",
        better="lower",
        expression=_awakenings(),
    ),
)

MEASURES: Final[Mapping[str, Measure]] = MappingProxyType({measure.name: measure for measure in _CATALOGUE})
"""Every measure of a night by its name, in the order of the table of nights."""
