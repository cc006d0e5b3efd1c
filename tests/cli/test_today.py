"""What a person reads before taking anything: never to take a dose twice, late, or at all after an end."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.cases import FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv


@pytest.fixture
def begun(typist: Typist) -> Typist:
    """Somebody in a trial of sixty nights, on the evening of the ninth night of a treatment."""
    (typist.home / "t.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10))
    (typist.home / "t.csv").write_text(schedule_csv(alternating(15), 60))
    typist.does("init", "s", "--zone", ZONE)
    typist.does("start", "t.toml", "--schedule", "t.csv", "--study", "s")
    plan = json.loads(typist.does("schedule", "--json", "--study", "s"))
    first = date.fromisoformat(plan["periods"][0]["first_night"])
    evening = first + timedelta(days=8)
    typist.now = datetime(evening.year, evening.month, evening.day, 21, tzinfo=UTC)
    return typist


def said(typist: Typist) -> str:
    """Give what ``nof1 today`` prints."""
    return typist.does("today", "--study", "s")


def test_a_dose_that_is_logged_is_not_asked_for_again(begun: Typist) -> None:
    """Once the evening's dose is logged, taken or not, nothing more is to be taken: nobody takes two."""
    assert "Tonight: " in said(begun)
    begun.does("log", "--taken", "--at", "21:30", "--study", "s")
    assert "Already logged as taken: nothing more to take." in said(begun)
    begun.does("log", "--not-taken", "--study", "s")
    assert "Already logged as not taken" in said(begun)
    assert "Tonight: " not in said(begun)


def test_in_the_morning_nobody_is_told_to_take_last_evenings_dose(begun: Typist) -> None:
    """At one at night it may still be taken; from five on it is over, and the coming evening's is told."""
    begun.now += timedelta(hours=3)
    assert "Tonight: " in said(begun)
    begun.now += timedelta(hours=6)
    morning = said(begun)
    assert "That evening is over" in morning
    assert "Next, from noon on: " in morning
    assert "Tonight: " not in morning
    begun.now += timedelta(hours=6)
    assert "Tonight: " in said(begun)


def test_after_a_stop_nothing_is_to_be_taken(begun: Typist) -> None:
    """Stopped in the morning, today says so at once; withdrawn, it says that nothing is analysed, and asks nothing."""
    begun.now += timedelta(hours=12)
    begun.does("stop", "--reason", "moved", "--study", "s")
    assert "Tonight: " not in said(begun)
    begun.now += timedelta(days=1)
    assert "The trial has ended" in said(begun)
    begun.does("withdraw", "--reason", "no longer", "--study", "s")
    gone = said(begun)
    assert "You withdrew" in gone
    assert "guess" not in gone


def test_the_rule_for_stopping_stays_until_the_symptom_is_gone(begun: Typist) -> None:
    """A symptom that calls for the rule is told again tomorrow evening, and no more when two days went by without."""
    begun.does("log", "--side-effect", "stools=severe", "--study", "s")
    assert "stop and ask your clinician" in said(begun)
    begun.now += timedelta(days=1)
    assert "stop and ask your clinician" in said(begun)
    begun.now += timedelta(days=1)
    assert "stop and ask your clinician" not in said(begun)


def test_what_the_emergency_words_name_is_an_emergency(begun: Typist) -> None:
    """Fainting is answered by the emergency words alone, not by a rule about diarrhoea."""
    logged = begun.does("log", "--side-effect", "fainting=severe", "--study", "s")
    assert "seek emergency care" in logged
    assert "clinician if this holds" not in logged


def test_one_unlogged_night_is_one_night(begun: Typist) -> None:
    """The count is in words that are true of one night, every one is named up to seven, and how to log it."""
    for days in range(1, 9):
        night = (begun.now - timedelta(days=days)).date()
        begun.does("log", "--date", night, "--taken", "--study", "s")
    assert "no dose logged" not in said(begun)
    begun.now += timedelta(days=1)
    missing = said(begun)
    assert "1 past night has no dose logged" in missing
    assert f"nof1 log --date {(begun.now - timedelta(days=1)).date()}" in missing
    assert "..." not in missing.splitlines()[-2]


def test_a_dose_that_was_not_taken_has_no_time(begun: Typist) -> None:
    """Corrected to not taken, the time at which it was taken does not stay."""
    begun.does("log", "--taken", "--at", "21:30", "--study", "s")
    now = json.loads(begun.does("log", "--not-taken", "--json", "--study", "s"))
    assert (now["dose_taken"], now["dose_at"]) == (False, None)


def test_a_dose_on_an_evening_without_one_is_asked_back(begun: Typist) -> None:
    """During a pause a dose may be logged, for it may be true, and the person is told that none was due."""
    begun.does("pause", "--reason", "flu", "--study", "s")
    assert "Nothing was to be taken on the evening" in begun.does("log", "--taken", "--study", "s")
    assert "Nothing was to be taken" not in begun.does("log", "--not-taken", "--study", "s")


def test_nobody_begins_with_an_evening_that_is_over(typist: Typist) -> None:
    """In the morning the evening before cannot be the first one; at one at night it still can."""
    (typist.home / "p.toml").write_text(
        FIXED_PROTOCOL.format(transition=2, prior_sd=10).replace("fixed", "randomised-pairs")
    )
    yesterday = date(2026, 1, 5)
    for hour, code in ((9, 2), (0, 0)):
        typist.now = datetime(2026, 1, 6, hour, 30, tzinfo=UTC)
        typist.does("init", f"s{hour}", "--zone", "UTC")
        begun = typist("start", "p.toml", "--on", yesterday, "--accept-weak-design", "--study", f"s{hour}")
        assert begun.exit_code == code, begun.output
