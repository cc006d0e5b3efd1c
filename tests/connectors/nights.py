"""The same few nights for every vendor: what each writer writes, and what each connector must read from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from nof1.sleep.stages import DEEP, LIGHT, REM, SLEEP, WAKE

ZONE: Final = "Europe/Berlin"
"""Where `NIGHTS` were slept; stated as the participant's zone wherever the export names none."""


@dataclass(frozen=True, slots=True)
class Night:
    """One night as it was: lights out at `start`, then the stages without a gap; every length a multiple of 5 minutes.

    Parameters
    ----------
    start
        The instant of lights out, UTC, at which the recording starts too.
    stages
        Stage and minutes, in order; the first is wake, and its length is the latency.
    zone
        The IANA name of where it was slept.
    """

    start: datetime
    stages: tuple[tuple[str, int], ...]
    zone: str = ZONE

    @property
    def end(self) -> datetime:
        """When the recording ends, UTC."""
        return self.start + timedelta(minutes=sum(minutes for _, minutes in self.stages))

    @property
    def onset(self) -> datetime:
        """When sleep begins, UTC."""
        return self.start + timedelta(minutes=self.stages[0][1])

    @property
    def evening(self) -> date:
        """The date of the evening that the night belongs to, by the glossary."""
        return (self.local(self.onset) - timedelta(hours=12)).date()

    @property
    def pieces(self) -> list[tuple[datetime, datetime, str]]:
        """Each stage with its bounds, UTC."""
        at, told = self.start, []
        for stage, minutes in self.stages:
            told.append((at, at + timedelta(minutes=minutes), stage))
            at = told[-1][1]
        return told

    def minutes(self, *stages: str) -> int:
        """Minutes in these stages."""
        return sum(minutes for stage, minutes in self.stages if stage in stages)

    def local(self, instant: datetime) -> datetime:
        """The same instant on the clock of `zone`, with its offset."""
        return instant.astimezone(ZoneInfo(self.zone))

    def measures(self) -> dict[str, float]:
        """What the table of nights must say, by the definitions of the design: minutes."""
        slept = self.minutes(*SLEEP)
        last = len(self.stages) - 1 if self.stages[-1][0] == WAKE else len(self.stages)
        return {
            "sol_min": self.stages[0][1],
            "tst_min": slept,
            "light_min": self.minutes(LIGHT),
            "deep_min": self.minutes(DEEP),
            "rem_min": self.minutes(REM),
            "waso_min": sum(minutes for stage, minutes in self.stages[1:last] if stage == WAKE),
            "spt_min": sum(minutes for _, minutes in self.stages[1:last]),
        }


def _night(local: str, stages: Sequence[tuple[str, int]], zone: str = ZONE) -> Night:
    start = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return Night(start, tuple(stages), zone)


_USUAL: Final = [
    (WAKE, 15), (LIGHT, 30), (DEEP, 45), (LIGHT, 40), (REM, 20), (WAKE, 10), (LIGHT, 60), (DEEP, 25), (LIGHT, 75),
    (REM, 50), (LIGHT, 35), (WAKE, 5),
]  # fmt: skip
_SLOW: Final = [
    (WAKE, 40), (LIGHT, 25), (DEEP, 60), (REM, 15), (LIGHT, 80), (WAKE, 20), (LIGHT, 70), (DEEP, 10), (REM, 60),
    (LIGHT, 30), (WAKE, 10),
]  # fmt: skip

NIGHTS: Final = (
    _night("2025-03-10T22:45", _USUAL),
    _night("2025-03-11T23:30", _SLOW),
    _night("2025-03-13T00:20", _USUAL[:-1]),
    _night("2025-03-29T23:00", _SLOW),  # the clocks go forward at 02:00
    _night("2025-10-25T22:30", _USUAL),  # the clocks go back at 03:00
    _night("2025-10-26T23:15", _USUAL),
)
"""Three plain nights, one on which the clocks go forward, one on which they go back, and the one after it."""
NEWFOUNDLAND: Final = "America/St_Johns"
"""West of Greenwich, at half an hour: what turns a sign or drops the minutes of an offset is wrong here."""
LORD_HOWE: Final = "Australia/Lord_Howe"
"""South of the equator, where summer time is half an hour, and so far east that the night's UTC date is another."""
SLEPT: Final[Mapping[str, tuple[Night, ...]]] = {
    ZONE: NIGHTS,
    NEWFOUNDLAND: (
        _night("2025-03-08T23:10", _SLOW, NEWFOUNDLAND),  # −03:30; the clocks go forward at 02:00
        _night("2025-07-14T22:50", _USUAL, NEWFOUNDLAND),  # −02:30
    ),
    LORD_HOWE: (
        _night("2025-01-14T21:45", _USUAL[:-1], LORD_HOWE),  # +11:00, and summer
        _night("2025-04-05T22:00", _SLOW, LORD_HOWE),  # the clocks go back at 02:00, to +10:30
    ),
}
"""The nights of each zone: one export is slept in one zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One form of export that a vendor's `writer` can write, and what comes back from it.

    Parameters
    ----------
    connector
        The connector's name.
    form
        The form's name; every form that holds sleep by itself has at least one `Written`.
    write
        Writes these nights, in the order given, into the empty folder, and gives the file, folder or zip to import. It
        writes what the vendor would: with its grain, its units, its quirks.
    carries
        The columns of the table of nights that this form can tell exactly, to `grain_min`.
    latency_source
        The best latency source it offers, or `none`; where it is not `none`, `sol_min` must be in `carries`.
    grain_min
        How far from the truth a measure may be, in minutes.
    records
        How many records of sleep it writes for these nights: one each, unless it repeats nights or adds empty ones.
    """

    connector: str
    form: str
    write: Callable[[Sequence[Night], Path], Path]
    carries: tuple[str, ...]
    latency_source: str
    grain_min: float = 0.51
    records: Callable[[Sequence[Night]], int] = len
