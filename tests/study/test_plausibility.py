"""What is on record of a trial can have happened under its protocol, or it is refused."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.study.test_sealing import PROTOCOL

from nof1.errors import TamperedError
from nof1.store.events import GENESIS, Event
from nof1.study.openings import Opening
from nof1.study.plausibility import require_possible
from nof1.trial.allocation import allocate
from nof1.trial.protocol import parse_protocol
from nof1.trial.schedule import schedule

FIRST = date(2026, 12, 1)
PROTOCOL_READ = parse_protocol(PROTOCOL)
DRAWN = allocate(PROTOCOL_READ.design, PROTOCOL_READ.arms, bytes(32))
OPEN: dict[str, Any] = {
    "allocation": DRAWN.to_payload(),
    "seal": None,
    "schedule": schedule(DRAWN, PROTOCOL_READ.design, FIRST).to_payload(),
}
SEALED: dict[str, Any] = {
    "allocation": None,
    "seal": {},
    "schedule": schedule(DRAWN, PROTOCOL_READ.design, FIRST).concealed().to_payload(),
}


def with_period(started: dict[str, Any], **changed: object) -> dict[str, Any]:
    """The same start with its second period told otherwise."""
    periods = [dict(period) for period in started["schedule"]["periods"]]
    periods[1] |= changed
    return started | {"schedule": started["schedule"] | {"periods": periods}}


def opened(arms: dict[int, str], period: int | None) -> Opening:
    """An opening of the seal."""
    return Opening(period, arms, None if period else {}, datetime(2026, 12, 20, tzinfo=UTC), "me", "why")


def conducted(*told: tuple[str, dict[str, str]]) -> list[Event]:
    """Events of the conduct, by kind and payload."""
    return [
        Event(seq, "", "me", "test", kind, "P01", payload, None, GENESIS, "")
        for seq, (kind, payload) in enumerate(told, start=9)
    ]


PAUSED = ("paused", {"first_night": "2026-12-03"})
RESUMED = ("resumed", {"first_night": "2026-12-03", "back": "2026-12-05"})
PAUSED_AGAIN = ("paused", {"first_night": "2026-12-05"})
WITHDRAWN = ("withdrawn", {"last_night": "2026-12-05"})
STOPPED = ("stopped", {"last_night": "2026-12-06"})
AMENDED = ("amended", {"date": "2026-12-06"})


def test_what_happened_is_possible() -> None:
    """Open or sealed, opened, paused and stopped: what nof1 writes is believed."""
    whole = opened(dict(enumerate(DRAWN.sequence, start=1)), None)
    require_possible(PROTOCOL_READ, OPEN, [], conducted(PAUSED, RESUMED, PAUSED_AGAIN, STOPPED, AMENDED, WITHDRAWN))
    require_possible(PROTOCOL_READ, SEALED, [opened({2: "placebo"}, 2), whole], [])


@pytest.mark.parametrize(
    "forge",
    [
        lambda: with_period(OPEN, arm="neither"),
        lambda: with_period(OPEN, nights=30),
        lambda: with_period(SEALED, first_night="2026-12-01"),
        lambda: with_period(SEALED, number=9),
        lambda: with_period(SEALED, arm="placebo"),
        lambda: OPEN | {"seal": {}},
        lambda: SEALED | {"seal": None},
        lambda: OPEN | {"allocation": DRAWN.to_payload() | {"sequence": ["placebo"]}},
        lambda: OPEN | {"allocation": DRAWN.to_payload() | {"sequence": list(DRAWN.sequence[::-1])}},
    ],
)
def test_a_calendar_that_the_protocol_does_not_give_is_refused(forge: Callable[[], dict[str, Any]]) -> None:
    """Arms, dates and numbers of periods follow from the protocol and the draw."""
    with pytest.raises(TamperedError, match="cannot have happened"):
        require_possible(PROTOCOL_READ, forge(), [], [])


@pytest.mark.parametrize(
    "opening", [opened({9: "placebo"}, 9), opened({1: "neither"}, 1), opened({1: "placebo"}, None), opened({}, 1)]
)
def test_an_opening_of_what_there_is_not_is_refused(opening: Opening) -> None:
    """An opening tells one period, or all of them, and arms that the protocol has."""
    with pytest.raises(TamperedError, match=r"opened|opening"):
        require_possible(PROTOCOL_READ, SEALED, [opening], [])


@pytest.mark.parametrize(
    "told",
    [
        [RESUMED],
        [PAUSED, PAUSED],
        [PAUSED, ("resumed", {"first_night": "2026-12-03", "back": "2026-12-02"})],
        [PAUSED, ("resumed", {"first_night": "2026-12-02", "back": "2026-12-05"})],
        [("paused", {"first_night": "2026-11-01"})],
        [STOPPED, PAUSED],
        [STOPPED, STOPPED],
        [PAUSED, RESUMED, PAUSED],
        [WITHDRAWN, WITHDRAWN],
    ],
)
def test_pauses_and_ends_follow_each_other(told: list[tuple[str, dict[str, str]]]) -> None:
    """Pauses end and do not overlap; after the end come amendments, and the consent can be taken back once."""
    with pytest.raises(TamperedError, match="event"):
        require_possible(PROTOCOL_READ, OPEN, [], conducted(*told))
