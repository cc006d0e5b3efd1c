"""Pauses and returns as they are typed, in time and late."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.cases import FIRST, FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv


def night(number: int) -> date:
    """The evening of a night of the trial, counted from 1."""
    return FIRST + timedelta(days=number - 1)


@pytest.fixture
def begun(typist: Typist) -> Typist:
    """Somebody in a trial of sixty nights, on its tenth evening, ill for three days."""
    (typist.home / "t.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10))
    (typist.home / "t.csv").write_text(schedule_csv(alternating(15), 60))
    typist.does("init", "s", "--zone", ZONE)
    typist.does("start", "t.toml", "--schedule", "t.csv", "--study", "s")
    typist.now = datetime(FIRST.year, FIRST.month, FIRST.day, 20, tzinfo=UTC) + timedelta(days=9)
    return typist


def test_a_pause_and_a_return_are_told_late(begun: Typist) -> None:
    """Each takes --on; the return names the evenings that count again, and status says when either was told."""
    begun.does("pause", "--on", night(7), "--reason", "influenza", "--study", "s")
    told = begun.does("resume", "--on", night(9), "--study", "s")
    assert f"Resumed on the evening of {night(9)}." in told
    assert f"{night(9)} counts as an evening on treatment now." in told
    assert f"nof1 log --date {night(9)} --taken, or --not-taken" in told
    status = begun.does("status", "--study", "s")
    assert f"Paused from {night(7)} on: influenza. That was said on {night(10)}." in status
    assert f"Resumed on {night(9)}. That was said on {night(10)}." in status


def test_several_evenings_count_again(begun: Typist) -> None:
    """From the first to the last of them; the JSON lists each."""
    begun.does("pause", "--on", night(5), "--reason", "influenza", "--study", "s")
    told = begun.does("resume", "--on", night(7), "--study", "s")
    assert f"{night(7)} to {night(9)} count as evenings on treatment now." in told
    begun.now += timedelta(days=1)
    begun.does("pause", "--on", night(10), "--reason", "travel", "--study", "s")
    done = json.loads(begun.does("resume", "--night", night(11), "--json", "--study", "s"))
    assert (done["night"], done["lived"]) == (str(night(11)), [])


def test_a_return_that_cannot_be_is_a_usage_error(begun: Typist) -> None:
    """Exit 2, and when the pause began."""
    begun.does("pause", "--on", night(7), "--reason", "influenza", "--study", "s")
    refused = begun("resume", "--on", night(6), "--study", "s")
    assert refused.exit_code == 2
    assert f"The pause began on {night(7)}" in refused.stderr


def test_a_trial_stopped_before_its_first_evening_says_that_none_was_lived(typist: Typist) -> None:
    """In words and as null; the calendar that is written then holds no evening."""
    (typist.home / "p.toml").write_text(
        FIXED_PROTOCOL.format(transition=2, prior_sd=10).replace("fixed", "randomised-pairs")
    )
    typist.does("init", "s", "--zone", ZONE)
    typist.does("start", "p.toml", "--on", "2026-12-01", "--accept-weak-design", "--study", "s")
    typist.does("calendar", "--study", "s")
    assert "the calendar is empty" in typist.does("stop", "--reason", "moved", "--study", "s")
    told = typist.does("calendar", "--study", "s")
    assert "no evening is left" in told
    assert "evenings of an earlier export are cancelled" in told
    assert "BEGIN:VALARM" not in (typist.home / "trial-P01.ics").read_text()
