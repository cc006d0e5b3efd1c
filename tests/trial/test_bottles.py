"""Bottles: one a period, alike from outside."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.errors import ProtocolError
from nof1.trial.allocation import allocate, possible_sequences, told_by
from nof1.trial.bottles import bottles
from nof1.trial.conduct import Pause, shift_by_pauses
from nof1.trial.protocol import Arm, Design, Protocol, parse_protocol
from nof1.trial.schedule import Schedule, schedule

FIRST = date(2026, 12, 1)
ARMS = (Arm(code="a", label="Salt"), Arm(code="b", label="Starch"))

PROTOCOL = """
[[arm]]
code = "a"
label = "Salt"
units_per_dose = 3
[[arm]]
code = "b"
label = "Starch"
units_per_dose = 3
[design]
scheme = "randomised-pairs"
blocks = 3
period_nights = 5
[[outcome]]
measure = "deep_min"
"""


def planned(protocol: Protocol, seed: int) -> tuple[tuple[str, ...], Schedule]:
    """Draw a sequence and put it on the calendar."""
    drawn = allocate(protocol.design, protocol.arms, seed.to_bytes(32, "big"))
    return drawn.sequence, schedule(drawn, protocol.design, FIRST)


@given(seed=st.integers(0, 2**64), reserve=st.integers(0, 30))
def test_every_bottle_holds_its_nights_and_the_reserve(seed: int, reserve: int) -> None:
    """Each period has one bottle with what was drawn for it, and all bottles hold the same number of units."""
    protocol = parse_protocol(PROTOCOL)
    sequence, calendar = planned(protocol, seed)
    packed = bottles(protocol, calendar, sequence, reserve_nights=reserve)
    assert [bottle.number for bottle in packed] == [1, 2, 3, 4, 5, 6]
    assert tuple(bottle.arm.code for bottle in packed) == sequence
    assert {bottle.units for bottle in packed} == {(5 + reserve) * 3}


@given(after=st.integers(0, 29), nights=st.integers(1, 20), seed=st.integers(0, 9))
def test_a_pause_changes_dates_and_no_bottle(after: int, nights: int, seed: int) -> None:
    """A period that a pause parts in two keeps its one bottle, its number and its units."""
    protocol = parse_protocol(PROTOCOL)
    sequence, calendar = planned(protocol, seed)
    begins = calendar.periods[0].first_night + timedelta(days=after)
    shifted = shift_by_pauses(calendar, [Pause(begins, begins + timedelta(days=nights))])
    before = bottles(protocol, calendar, sequence, reserve_nights=1)
    paused = bottles(protocol, shifted, sequence, reserve_nights=1)
    assert [(one.number, one.arm, one.units) for one in paused] == [(one.number, one.arm, one.units) for one in before]
    assert paused[-1].last_night == before[-1].last_night + timedelta(days=nights)


@pytest.mark.parametrize("units", [2, None])
def test_arms_that_can_be_counted_apart_are_not_packed(units: int | None) -> None:
    """Another count in one arm, or none given, is refused with its key path."""
    protocol = parse_protocol(PROTOCOL)
    sequence, calendar = planned(protocol, 1)
    uneven = replace(protocol, arms=(protocol.arms[0], replace(protocol.arms[1], units_per_dose=units)))
    with pytest.raises(ProtocolError, match=r"arm\[2\].units_per_dose: .* where another arm has 3"):
        bottles(uneven, calendar, sequence, reserve_nights=0)


def test_doses_that_are_not_counted_are_still_packed() -> None:
    """A powder without a count has doses and no units."""
    protocol = parse_protocol(PROTOCOL.replace("units_per_dose = 3\n", ""))
    sequence, calendar = planned(protocol, 1)
    packed = bottles(protocol, calendar, sequence, reserve_nights=2)
    assert {(bottle.doses, bottle.units) for bottle in packed} == {(7, None)}


@pytest.mark.parametrize(
    ("scheme", "blocks"),
    [("randomised-pairs", 3), ("alternating", 3), ("counterbalanced", 4), ("permuted-blocks", 3), ("unrestricted", 3)],
)
def test_what_one_bottle_tells_is_what_follows_from_it(scheme: str, blocks: int) -> None:
    """One period tells another exactly where, in every order that could be drawn, its arm settles the other's."""
    design = Design(scheme=scheme, blocks=blocks)
    sequences = [sequence for sequence, _ in possible_sequences(design, ARMS)]
    for one in range(2 * blocks):
        told = {
            other + 1
            for other in range(2 * blocks)
            if len({(sequence[one], sequence[other]) for sequence in sequences}) == len(ARMS)
        }
        assert told_by(design, ARMS, {one + 1: ARMS[0].code}) == told
