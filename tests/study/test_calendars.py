"""The calendar of a trial: blind, right about the time, and one calendar however often it is written."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.cases import ZONE

from nof1.errors import DataError, UsageError
from nof1.store.seal import Custodian, new_key
from nof1.study.calendars import export_calendar
from nof1.study.conduct import end_trial, pause_trial, resume_trial
from nof1.study.study import Study, create_study
from nof1.study.trials import start_trial

FIRST = date(2026, 3, 20)  # the clocks go forward on the 29th
BEFORE = datetime(2026, 3, 19, 12, tzinfo=UTC)

PROTOCOL = """
id = "capsules"

[[arm]]
code = "magnesium"
label = "Magnesium; a salt, of course"
units_per_dose = 3
take = "one hour before lights out"

[[arm]]
code = "placebo"
label = "Placebo"
units_per_dose = 3
take = "one hour before lights out"
reference = true

[design]
scheme = "randomised-pairs"
blocks = 2
period_nights = 4
transition_nights = 0
run_in_nights = 2
washout_nights = 1

[blinding]
concealed_from = ["participant"]

[safety]
nothing_to_ask = "invented for the tests"

[[outcome]]
measure = "deep_min"
"""

Begin = Callable[..., Study]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Begin a trial the day before its first night, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.toml").write_text(PROTOCOL)

    def start(zone: str = ZONE, *, sealed: bool = True) -> Study:
        study = create_study(tmp_path / "study", zone=zone, clock=lambda: BEFORE)
        custodian = Custodian(public_key=new_key(tmp_path / "custodian.key")) if sealed else None
        start_trial(study, tmp_path / "p.toml", on=FIRST, custodian=custodian, open_label=not sealed)
        return study

    return start


def events(path: str | Path = "trial-P01.ics") -> dict[str, dict[str, str]]:
    """Each event by its UID without the trial's part, as property → value; parameters are dropped."""
    text = Path(path).read_bytes().decode().replace("\r\n ", "")
    found = {}
    for block in text.split("BEGIN:VEVENT\r\n")[1:]:
        own, alarm, _ = block.partition("END:VEVENT")[0].partition("BEGIN:VALARM")
        pairs = (line.partition(":") for line in own.splitlines())
        event = {key.partition(";")[0]: value.replace("\\", "") for key, _, value in pairs}
        found[event["UID"].partition(".")[0]] = event | {"alarm": alarm}
    return found


def later(study: Study, days: int) -> Study:
    """The same study so many days later, at noon."""
    return replace(study, clock=lambda: BEFORE + timedelta(days=days))


def test_a_sealed_calendar_names_bottles(begin: Begin) -> None:
    """Titles say bottle and night, the last night asks for a guess, and no arm stands anywhere in the file."""
    written = export_calendar(begin())
    found = events()
    assert found["period-2-night-3"]["SUMMARY"] == "nof1: bottle 2, night 3 of 4"
    assert found["period-2-night-4"]["SUMMARY"] == "nof1: bottle 2, night 4 of 4, guess"
    assert "3 from bottle 2, one hour before lights out" in found["period-2-night-3"]["DESCRIPTION"]
    assert found["run-in-1"]["SUMMARY"] == "nof1: nothing to take, wear the device, night 1 of 2"
    text = Path("trial-P01.ics").read_text().casefold()
    assert "magnesium" not in text
    assert "placebo" not in text
    assert written.evenings == len(found) == 2 + 4 * 4 + 3
    assert written.cancelled == 0


def test_an_open_calendar_names_the_treatment(begin: Begin) -> None:
    """Where nothing is concealed the evening says what to take, and nobody is asked to guess."""
    export_calendar(begin(sealed=False))
    titles = {event["SUMMARY"] for event in events().values()}
    assert "nof1: Placebo, night 4 of 4" in titles
    assert "nof1: Magnesium; a salt, of course, night 4 of 4" in titles


def test_the_alarm_sounds_at_the_time_asked_for(begin: Begin) -> None:
    """Half past nine stays half past nine when the clocks go forward; small hours belong to the evening before."""
    study = begin()
    export_calendar(study)
    starts = [event["DTSTART"] for event in events().values()]
    assert starts[0] == "20260320T213000"
    assert {start[8:] for start in starts} == {"T213000"}
    assert "20260329T213000" in starts
    export_calendar(study, remind="0:15")
    assert events()["run-in-1"]["DTSTART"] == "20260321T001500"


def test_a_later_export_remembers_the_time_and_counts_up(begin: Begin) -> None:
    """The alarm stays where it was set, the events are the same, and each export supersedes the one before."""
    study = begin()
    export_calendar(study, remind="22:15")
    before = events()
    export_calendar(later(study, 1))
    after = events()
    assert after.keys() == before.keys()
    assert {event["UID"] for event in after.values()} == {event["UID"] for event in before.values()}
    assert {event["SEQUENCE"] for event in before.values()} == {"0"}
    assert {event["SEQUENCE"] for event in after.values()} == {"1"}
    assert after["run-in-1"]["DTSTAMP"] > before["run-in-1"]["DTSTAMP"]
    assert {event["DTSTART"][8:] for event in after.values()} == {"T221500"}


def test_a_pause_cancels_and_the_way_back_moves(begin: Begin) -> None:
    """While paused what is to come is cancelled; resumed, the same events stand again, later by the pause."""
    study = begin()
    export_calendar(study)
    before = events()
    paused = later(study, 6)
    pause_trial(paused, reason="influenza")
    written = export_calendar(paused)
    cancelled = {name for name, event in events().items() if event["STATUS"] == "CANCELLED"}
    assert cancelled == {name for name, event in before.items() if event["DTSTART"] >= "20260325T213000"}
    assert written.cancelled == len(cancelled)
    assert not any(events()[name]["alarm"] for name in cancelled)
    back = later(study, 9)
    resume_trial(back)
    export_calendar(back)
    after = events()
    assert after.keys() == before.keys()
    assert {event["STATUS"] for event in after.values()} == {"CONFIRMED"}
    shifts = {date_of(after[name]) - date_of(before[name]) for name in cancelled}
    assert shifts == {timedelta(days=3)}
    assert all(after[name]["DTSTART"] == before[name]["DTSTART"] for name in before.keys() - cancelled)


def date_of(event: dict[str, str]) -> date:
    """The date of an event."""
    return date.fromisoformat(event["DTSTART"][:8])


def test_a_trial_that_ends_early_takes_its_events_back(begin: Begin) -> None:
    """After a stop the evenings to come are cancelled; what is past stays, and sounds no more."""
    study = begin()
    export_calendar(study)
    stopped = later(study, 6)
    end_trial(stopped, reason="enough")
    export_calendar(stopped)
    found = events()
    standing = [event for event in found.values() if event["STATUS"] == "CONFIRMED"]
    assert max(date_of(event) for event in standing) == date(2026, 3, 24)
    assert not any(event["alarm"] for event in found.values())


def test_an_export_after_the_pause_alone_cancels_nothing(begin: Begin) -> None:
    """Who never had the first calendar gets no cancellations of it."""
    study = begin()
    pause_trial(later(study, 6), reason="influenza")
    assert export_calendar(later(study, 6)).cancelled == 0


def test_no_other_file_is_overwritten(begin: Begin) -> None:
    """A record, a folder or anything that is no calendar of nof1 stays as it is, and no export is recorded."""
    study = begin()
    before = study.folder.record.read_bytes()
    for path in (study.folder.record, study.folder.protocol, study.folder.path):
        with pytest.raises(UsageError, match="in the way"):
            export_calendar(study, path)
    assert study.folder.record.read_bytes() == before


def test_permissions_around_the_file_stay(begin: Begin, tmp_path: Path) -> None:
    """The file is private, the folder it goes to keeps its mode."""
    tmp_path.chmod(0o755)
    export_calendar(begin())
    assert Path("trial-P01.ics").stat().st_mode & 0o777 == 0o600
    assert tmp_path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("remind", ["25:00", "half past nine", "02:30"])
def test_an_alarm_that_cannot_sound_is_refused(begin: Begin, remind: str) -> None:
    """No time of day, or one that the spring change skips on a night of the trial."""
    study = begin()
    with pytest.raises(DataError):
        export_calendar(study, remind=remind)
    assert not Path("trial-P01.ics").exists()
