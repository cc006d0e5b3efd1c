"""Every evening has a name that a pause does not change."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nof1.trial.allocation import Allocation
from nof1.trial.conduct import Pause, shift_by_pauses
from nof1.trial.evenings import evenings
from nof1.trial.protocol import Design
from nof1.trial.schedule import Schedule, schedule

FIRST = date(2026, 12, 1)
DAY = timedelta(days=1)

DESIGNS = st.builds(
    Design,
    scheme=st.just("randomised-pairs"),
    blocks=st.integers(2, 3),
    period_nights=st.integers(1, 6),
    transition_nights=st.just(0),
    run_in_nights=st.integers(0, 5),
    washout_nights=st.integers(0, 3),
)


def planned(design: Design) -> Schedule:
    """The schedule of that design, its arms of no importance."""
    allocation = Allocation(design.scheme, 1, "00" * 32, ("a", "b") * design.blocks)
    return schedule(allocation, design, FIRST)


@given(DESIGNS)
def test_every_night_of_the_schedule_is_one_evening(design: Design) -> None:
    """Run-in, periods and the gaps between them: each date once, in order, each with a name of its own."""
    plan = planned(design)
    named = evenings(plan)
    nights = (plan.last_night - plan.first_night).days + 1
    assert [one.night for one in named] == [FIRST + day * DAY for day in range(nights)]
    assert len({one.name for one in named}) == nights
    assert all(one.period == plan.period_on(one.night) and 1 <= one.number <= one.of for one in named)


@given(DESIGNS, st.data())
def test_a_pause_moves_evenings_and_renames_none(design: Design, data: st.DataObject) -> None:
    """After a pause the same names stand on later dates, those before it where they were, none inside it."""
    plan = planned(design)
    begin = FIRST + data.draw(st.integers(0, (plan.last_night - FIRST).days)) * DAY
    pause = Pause(begin, begin + data.draw(st.integers(1, 20)) * DAY)
    before = {one.name: one.night for one in evenings(plan)}
    after = {one.name: one.night for one in evenings(shift_by_pauses(plan, [pause]), [pause])}
    assert pause.back is not None
    shift = pause.back - begin
    assert after == {name: night if night < begin else night + shift for name, night in before.items()}


def test_while_a_pause_lasts_nothing_after_it_is_known() -> None:
    """A trial that is paused ends at the pause, until it is resumed."""
    plan = planned(Design(scheme="randomised-pairs", blocks=2, period_nights=5, run_in_nights=2))
    begin = FIRST + 9 * DAY
    assert [one.night for one in evenings(plan, [Pause(begin, None)])] == [FIRST + day * DAY for day in range(9)]


def test_names_say_the_place() -> None:
    """The run-in, a night of a period and a washout night are told by their names."""
    plan = planned(Design(scheme="randomised-pairs", blocks=2, period_nights=2, run_in_nights=1, washout_nights=1))
    assert [one.name for one in evenings(plan)][:5] == [
        "run-in-1",
        "period-1-night-1",
        "period-1-night-2",
        "after-period-1-night-1",
        "period-2-night-1",
    ]
