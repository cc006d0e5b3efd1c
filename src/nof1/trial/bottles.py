"""The bottles of a concealed trial: one a period, so that a label tells its number and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from nof1.errors import ProtocolError
from nof1.trial.allocation import told_by
from nof1.trial.protocol import Arm, Protocol
from nof1.trial.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Bottle:
    """What one period is taken from.

    Parameters
    ----------
    number
        That of the period.
    first_night, last_night
        Its evenings on the calendar as it stands; nights of a pause between them are not counted in `nights`.
    doses
        Its nights, and those in reserve.
    units
        Capsules, tablets, glasses for all doses; None where the protocol does not count them.
    tells
        Numbers of the other bottles that whoever knows this one knows too.
    """

    number: int
    arm: Arm
    first_night: date
    last_night: date
    nights: int
    doses: int
    units: int | None
    tells: tuple[int, ...]


def bottles(
    protocol: Protocol, schedule: Schedule, sequence: Sequence[str], *, reserve_nights: int
) -> tuple[Bottle, ...]:
    """Say what each bottle is filled with.

    Parameters
    ----------
    sequence
        The arm's code for each period, in order.
    reserve_nights
        Doses beyond the nights of the period, in each bottle alike: for a capsule that is lost.

    Raises
    ------
    ProtocolError
        The arms differ in how many units a dose has: the bottles would tell them apart.
    """
    _check_alike(protocol.arms)
    numbers = dict.fromkeys(period.number for period in schedule.periods)
    return tuple(_bottle(protocol, schedule, sequence, number, reserve_nights) for number in numbers)


def _bottle(
    protocol: Protocol, schedule: Schedule, sequence: Sequence[str], number: int, reserve_nights: int
) -> Bottle:
    parts = [period for period in schedule.periods if period.number == number]
    arm = protocol.arm(sequence[number - 1])
    nights = sum(part.nights for part in parts)
    doses = nights + reserve_nights
    return Bottle(
        number=number,
        arm=arm,
        first_night=parts[0].first_night,
        last_night=parts[-1].last_night,
        nights=nights,
        doses=doses,
        units=doses * arm.units_per_dose if arm.units_per_dose is not None else None,
        tells=tuple(sorted(told_by(protocol.design, protocol.arms, {number: arm.code}) - {number})),
    )


def _check_alike(arms: Sequence[Arm]) -> None:
    first = arms[0].units_per_dose
    mistakes = [
        f"arm[{place}].units_per_dose: {_count(arm.units_per_dose)} where another arm has {_count(first)}: whoever "
        "counts would tell the bottles apart"
        for place, arm in enumerate(arms, start=1)
        if arm.units_per_dose != first
    ]
    if mistakes:
        raise ProtocolError("The registered protocol", mistakes)


def _count(units: int | None) -> str:
    return "none given" if units is None else str(units)
