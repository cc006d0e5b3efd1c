"""What nof1 never writes after something else, it does not read after it either."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nof1.store.events import GENESIS, Event
from nof1.store.history import AFTER, ONCE, clock_warnings, history_faults, no_later_than
from nof1.store.payloads import SHAPES

BEGUN = ("study-created", "participant-added", "trial-started")


def told(*kinds: str) -> list[Event]:
    """A record of these kinds of events, all of one participant."""
    return [
        Event(seq, "", "me", "test", kind, None if kind == "study-created" else "P01", {}, None, GENESIS, "")
        for seq, kind in enumerate(kinds, start=1)
    ]


def test_a_trial_that_is_lived_has_no_faults() -> None:
    """What every command leaves, in the order of a trial, is as it may be."""
    lived = ("imported", "stream-chosen", "diary-logged", "paused", "resumed", "analysed", "report-rendered")
    assert history_faults(told(*BEGUN, *lived, "paused", "stopped", "amended")) == []


@pytest.mark.parametrize("kind", sorted(ONCE))
def test_nobody_joins_or_starts_twice(kind: str) -> None:
    """A second start or joining would change what all later events mean."""
    assert history_faults(told(*BEGUN, kind)) == [f"event 4 ({kind}) happens to P01 a second time"]


@pytest.mark.parametrize("kind", sorted(AFTER))
def test_nothing_happens_before_what_it_needs(kind: str) -> None:
    """A diary without a trial, a retraction without an import: each is named."""
    assert history_faults(told("study-created", "participant-added", kind))
    assert kind in SHAPES


@pytest.mark.parametrize(
    ("kinds", "number"),
    [(("participant-added",), 1), (("study-created", "study-created"), 2), (("study-created", "baseline-recorded"), 2)],
)
def test_a_study_is_made_first_and_once_and_then_joined(kinds: tuple[str, ...], number: int) -> None:
    """The first event makes the study, and nobody is known before joining it."""
    assert [fault.split(" (")[0] for fault in history_faults(told(*kinds))] == [f"event {number}"]


def test_an_event_dated_before_the_one_it_follows_is_told() -> None:
    """A clock that was set back is no tampering, and is not passed over; a few seconds are no news."""
    days = ("2026-12-01T12:00:30", "2026-12-01T12:00:00", "2028-01-01T12:00:00", "2026-12-10T12:00:00")
    events = [replace(one, at=f"{at}+00:00") for one, at in zip(told(*BEGUN, "analysed"), days, strict=True)]
    (warning,) = clock_warnings(events)
    assert warning.startswith("event 4 (analysed, 2026-12-10) is dated before event 3 (trial-started, 2028-01-01)")
    assert history_faults(events) == []
    assert no_later_than(events, events[2]) == datetime(2026, 12, 10, 12, tzinfo=UTC)
