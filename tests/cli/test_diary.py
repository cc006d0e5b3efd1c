"""The diary at the command line: shown, written, and filled in from a file."""

import json
from datetime import UTC, datetime

import pytest
from tests.cases import FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv

HEADER = "night,dose_taken,lights_out,note\n"


@pytest.fixture
def begun(typist: Typist) -> Typist:
    """Somebody in a trial of sixty nights, three weeks in."""
    (typist.home / "t.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10))
    (typist.home / "t.csv").write_text(schedule_csv(alternating(15), 60))
    typist.does("init", "s", "--zone", ZONE)
    typist.does("start", "t.toml", "--schedule", "t.csv", "--study", "s")
    typist.now = datetime(2026, 1, 26, 12, tzinfo=UTC)
    return typist


def test_what_was_logged_is_read_back(begun: Typist) -> None:
    """As a table, as JSON and as CSV; what was not said is empty or null."""
    begun.does(
        "log", "--date", "2026-01-06", "--taken", "--lights-out", "23:10", "--note", "tired, ill", "--study", "s"
    )
    table = begun.does("diary", "--study", "s")
    assert all(word in table for word in ("2026-01-06", "yes", "23:10", "tired, ill"))
    (row,) = json.loads(begun.does("diary", "--json", "--study", "s"))
    assert (row["dose_taken"], row["lights_out"], row["dose_at"]) == (True, "2026-01-06T23:10:00+01:00", None)
    assert '"tired, ill"' in begun.does("diary", "--csv", "--study", "s")


def test_a_file_is_entered_and_told(begun: Typist) -> None:
    """New nights and corrections are counted; again, nothing is new, and the record stays as it was."""
    begun.does("log", "--date", "2026-01-06", "--taken", "--study", "s")
    rows = "2026-01-06,no,23:10,\n2026-01-07,yes,23:20,\n"
    (begun.home / "d.csv").write_text(HEADER + rows)
    words = ("diary", "--from", "d.csv", "--reason", "from paper", "--study", "s")
    first = json.loads(begun.does(*words, "--json"))
    assert (first["entered"], first["corrected"]) == (["2026-01-06", "2026-01-07"], ["2026-01-06"])
    before = begun.does("verify", "--json", "--study", "s")
    assert "0 entered" in begun.does(*words)
    assert begun.does("verify", "--json", "--study", "s") == before
    (begun.home / "again.csv").write_text(begun.does("diary", "--csv", "--study", "s"))
    assert "0 entered" in begun.does("diary", "--from", "again.csv", "--study", "s")


def test_mistakes_are_told_with_their_lines(begun: Typist) -> None:
    """Exit 65, every mistake with its line, and nothing entered."""
    (begun.home / "d.csv").write_text(HEADER + "2026-01-06,yes,,\n2026-01-07,perhaps,11:10,\n2026-02-26,yes,,\n")
    result = begun("diary", "--from", "d.csv", "--study", "s")
    assert result.exit_code == 65
    assert all(f"line {line}" in result.stderr for line in ("3, dose_taken", "3, lights_out", "4, night"))
    assert json.loads(begun.does("diary", "--json", "--study", "s")) == []
    assert begun("diary", "--from", "d.csv", "--csv", "--study", "s").exit_code == 2
    assert begun("diary", "--from", "none.csv", "--study", "s").exit_code == 66
    assert begun("diary", "--from", "s", "--study", "s").exit_code == 74


def test_a_calendar_is_written_and_told(begun: Typist) -> None:
    """What was written, where, and for which time; a second export replaces it, another file is left alone."""
    said = begun.does("calendar", "--remind", "22:15", "--study", "s")
    assert "60 evenings" in said
    assert "trial-P01.ics" in said
    assert "22:15 (Europe/Berlin)" in said
    written = json.loads(begun.does("calendar", "--output", "trial-P01.ics", "--json", "--study", "s"))
    assert (written["remind"], written["export"], written["evenings"]) == ("22:15", 1, 60)
    refused = begun("calendar", "--output", "t.csv", "--study", "s")
    assert refused.exit_code == 2
    assert "in the way" in refused.stderr
    assert (begun.home / "t.csv").read_text().startswith("date,arm")
    assert begun("calendar", "--output", "no/such/folder.ics", "--study", "s").exit_code == 73
    assert begun("calendar", "--remind", "late", "--study", "s").exit_code == 65


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (("--taken", "--at", "9:40"), "the morning after"),
        (("--not-taken", "--at", "21:40"), "which is true"),
        (("--side-effect", "Stools=severe", "--side-effect", "stools=none"), "said twice"),
    ],
)
def test_what_contradicts_itself_is_not_entered(begun: Typist, said: tuple[str, ...], wrong: str) -> None:
    """A dose in the morning, the time of a dose that was not taken, two grades of one symptom: asked back, not kept."""
    refused = begun("log", "--date", "2026-01-06", *said, "--study", "s")
    assert (refused.exit_code, wrong in refused.stderr) == (2, True), refused.stderr
    assert json.loads(begun.does("diary", "--json", "--study", "s")) == []
