"""An invented person for the demo and the tests: nights that answer to what was taken, with an effect that is known."""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from nof1.study.synthetic import SyntheticNight, write_fitbit_takeout

ONE_NIGHT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedPerson:
    """How an invented person sleeps. Minutes; the spreads are those of real people on real devices.

    Parameters
    ----------
    deep_min
        Mean minutes of deep sleep on no treatment.
    deep_sd
        SD from night to night (ten public exports: 11 to 25).
    period_sd
        SD between stretches of ten nights: moods, workload, weather.
    latency_min, latency_log_sd
        Median latency, and its spread on the log scale.
    missing
        Share of nights on which the device was not worn or lay empty.
    bedtime
        The usual moment of going to bed, on the person's clock; before noon means past midnight.
    """

    deep_min: float = 78.0
    deep_sd: float = 17.0
    period_sd: float = 3.0
    latency_min: float = 14.0
    latency_log_sd: float = 0.6
    missing: float = 0.06
    bedtime: time = time(23, 0)


def invent_nights(
    person: InventedPerson,
    first: date,
    nights: int,
    deep_effect: Callable[[date], float],
    *,
    seed: int,
) -> dict[date, SyntheticNight]:
    """Invent nights, keyed by the evening's date; missing ones are left out.

    Parameters
    ----------
    deep_effect
        What the treatment adds to the deep sleep of an evening, in minutes.
    """
    rng = random.Random(seed)  # noqa: S311 - invented sleep, nothing secret
    drift: dict[int, float] = {}
    invented = {}
    for offset in range(nights):
        evening = first + offset * ONE_NIGHT
        stretch = drift.setdefault(offset // 10, rng.gauss(0, person.period_sd))
        deep = person.deep_min + deep_effect(evening) + stretch + rng.gauss(0, person.deep_sd)
        night = _night(person, evening, deep, rng)
        if rng.random() >= person.missing:
            invented[evening] = night
    return invented


def write_demo_export(
    path: Path,
    person: InventedPerson,
    first: date,
    nights: int,
    deep_effect: Callable[[date], float],
    *,
    zone: str,
    seed: int,
) -> Mapping[date, SyntheticNight]:
    """Write the invented nights as a Fitbit Takeout archive, and give them back."""
    invented = invent_nights(person, first, nights, deep_effect, seed=seed)
    write_fitbit_takeout(list(invented.values()), path, seed=seed, zone=zone)
    return invented


def _night(person: InventedPerson, evening: date, deep: float, rng: random.Random) -> SyntheticNight:
    past_midnight = person.bedtime.hour < 12  # noqa: PLR2004 - noon parts the nights
    bedtime = datetime.combine(evening + past_midnight * ONE_NIGHT, person.bedtime)
    return SyntheticNight(
        bedtime=bedtime + timedelta(seconds=30 * round(rng.gauss(0, 40))),
        in_bed_min=_half_minutes(min(max(rng.gauss(475, 30), 400), 560)),
        deep_min=_half_minutes(min(max(deep, 5), 190)),
        latency_min=_half_minutes(min(person.latency_min * math.exp(rng.gauss(0, person.latency_log_sd)), 90)),
        short_wakes=rng.randint(10, 26),
        long_wake_min=_half_minutes(rng.choice((0, 0, 0, rng.uniform(6, 25)))),
    )


def _half_minutes(minutes: float) -> float:
    return round(minutes * 2) / 2
