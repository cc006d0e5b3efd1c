"""Pauses move what was still to come, and an early end cuts it off."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nof1.trial.conduct import Pause, end_early, shift_by_pauses
from nof1.trial.evenings import evenings
from nof1.trial.schedule import NIGHT, Period, Schedule, calendar

FIRST = date(2026, 12, 1)


def plan(periods: int, nights: int, run_in: int = 3, transition: int = 2) -> Schedule:
    """Alternating periods without washout, after a run-in."""
    start = FIRST + run_in * NIGHT
    return Schedule(
        FIRST,
        tuple(
            Period(number + 1, number // 2 + 1, "AB"[number % 2], start + number * nights * NIGHT, nights)
            for number in range(periods)
        ),
        transition,
    )


def on_arm(schedule: Schedule) -> list[tuple[date, int, str | None]]:
    """Every evening on an arm, with period and arm."""
    return [(night, one.number, one.arm) for one in schedule.periods for night in one.evenings]


@given(
    st.integers(1, 6),
    st.integers(1, 10),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=4),
)
def test_a_pause_loses_no_night_and_doubles_none(periods: int, nights: int, pauses: list[tuple[int, int]]) -> None:
    """Whatever the pauses, every period keeps its arm and its nights, in order; they fill all but the pauses."""
    planned = plan(periods, nights)
    shifted, back = planned, FIRST
    paused: set[date] = set()
    for after, length in pauses:
        first, back = back + after * NIGHT, back + (after + length) * NIGHT
        shifted = shift_by_pauses(shifted, [Pause(first, back)])
        paused |= {first + one * NIGHT for one in range(length)}
    assert [(number, arm) for _, number, arm in on_arm(shifted)] == [(n, arm) for _, n, arm in on_arm(planned)]
    evenings = [night for night, _, _ in on_arm(shifted)]
    span = (evenings[-1] - evenings[0]).days + 1
    assert evenings == [night for one in range(span) if (night := evenings[0] + one * NIGHT) not in paused]


def test_an_interrupted_period_begins_with_transition_nights_again() -> None:
    """After a pause in the middle of a period, its first nights are kept out of the analysis as at its beginning."""
    planned = plan(2, 6, run_in=0)
    pause = Pause(FIRST + 4 * NIGHT, FIRST + 9 * NIGHT)
    rows = calendar(shift_by_pauses(planned, [pause])).filter(period=1)
    assert rows["transition"].to_list() == [True, True, False, False, True, True]
    assert rows["night"].to_list()[4] == pause.back


def test_a_pause_in_the_run_in_moves_every_period() -> None:
    """Before the first dose nothing is interrupted: all periods come later, whole."""
    planned = plan(4, 5, run_in=7)
    later = shift_by_pauses(planned, [Pause(FIRST + 2 * NIGHT, FIRST + 5 * NIGHT)])
    assert [one.first_night - old.first_night for one, old in zip(later.periods, planned.periods, strict=True)] == [
        timedelta(days=3)
    ] * 4


def test_a_pause_that_lasts_moves_nothing_yet() -> None:
    """As long as nobody knows when treatment goes on, the calendar stays."""
    planned = plan(4, 5)
    assert shift_by_pauses(planned, [Pause(FIRST, None)]) == planned


@given(st.integers(1, 5), st.integers(1, 8), st.integers(-5, 60))
def test_an_early_end_keeps_exactly_the_nights_until_then(periods: int, nights: int, after: int) -> None:
    """Every night on an arm up to the last evening stays, and none after it; the calendar can still be spelt out."""
    planned, last = plan(periods, nights), FIRST + after * NIGHT
    ended = end_early(planned, last)
    assert on_arm(ended) == [row for row in on_arm(planned) if row[0] <= last]
    assert ended.has_evenings == (last >= FIRST)
    assert calendar(ended)["night"].max() == (ended.last_night if ended.has_evenings else None)
    assert ended.last_night <= last


def test_an_end_in_the_run_in_keeps_the_run_in_until_then() -> None:
    """No period was reached, and the evenings that were lived stay on the calendar, none before and none after."""
    ended = end_early(plan(2, 3, run_in=7), FIRST + 2 * NIGHT)
    assert [one.night for one in evenings(ended)] == [FIRST, FIRST + NIGHT, FIRST + 2 * NIGHT]
    assert calendar(ended)["run_in"].to_list() == [True] * 3
    assert evenings(end_early(plan(2, 3, run_in=7), FIRST - NIGHT)) == []
