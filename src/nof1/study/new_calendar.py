"""The calendar of a new trial: drawn at random, or brought along."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Final, cast

from nof1.errors import InputMissingError, ProtocolError, UsageError
from nof1.trial.allocation import SEED_BYTES, Allocation, allocate
from nof1.trial.protocol import Protocol
from nof1.trial.schedule import Schedule, schedule, schedule_from_csv
from nof1.trial.scheme import FIXED

ONE_PERIOD: Final = "nights on one arm running are one period, unless a column period in the schedule says otherwise"

FARTHEST_START: Final = timedelta(days=366)


def brought_calendar(
    protocol: Protocol, on: date | None, schedule_file: Path | str | None, *, today: date
) -> Schedule | None:
    """Read the schedule that is brought; None where nof1 is to draw. All that can be wrong with either is said here.

    Raises
    ------
    UsageError
        The date is missing, past or far ahead, or a schedule does not go with this protocol.
    ProtocolError, InputMissingError
        The schedule has mistakes, or is not there.
    """
    if (protocol.design.scheme == FIXED) != (schedule_file is not None):
        raise UsageError('--schedule FILE goes with scheme = "fixed", and only with it.')
    if schedule_file is not None:
        return _brought_schedule(protocol, Path(schedule_file), on)
    _check_first_evening(protocol, on, today)
    return None


def draw_calendar(protocol: Protocol, on: date | None, entropy: Callable[[int], bytes]) -> tuple[Allocation, Schedule]:
    """Draw the sequence, and date it from an evening that `brought_calendar` has checked."""
    drawn = allocate(protocol.design, protocol.arms, entropy(SEED_BYTES))
    return drawn, schedule(drawn, protocol.design, cast("date", on))


def _brought_schedule(protocol: Protocol, path: Path, on: date | None) -> Schedule:
    if on is not None:
        raise UsageError("The schedule brings its own dates: leave --on out.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputMissingError(f"{path} is not there. Name a CSV file with the columns date,arm.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as text: {error}.") from error
    brought = schedule_from_csv(text, protocol.arms, protocol.design.transition_nights, where=str(path))
    declared, order = protocol.design.reference_set, tuple(period.arm for period in brought.periods)
    if declared and order not in declared:
        said = f"its {len(order)} periods, {', '.join(map(str, order))}, are no order of design.reference_set"
        if len(order) != len(declared[0]):
            said += f", whose orders have {len(declared[0])}; {ONE_PERIOD}"
        raise ProtocolError(str(path), [said])
    return brought


def _check_first_evening(protocol: Protocol, on: date | None, today: date) -> None:
    if on is None:
        raise UsageError(f"Protocol {protocol.id} draws its own sequence: give the first evening with --on DATE.")
    if on < today:
        raise UsageError(
            f"--on {on} is past, and a draw must come before the first night. Start tonight ({today}) or later; a "
            'trial run elsewhere is brought with scheme = "fixed" and --schedule FILE.'
        )
    if on > today + FARTHEST_START:
        raise UsageError(f"--on {on} is more than a year ahead: is the year mistyped?")
