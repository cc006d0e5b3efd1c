"""A person may choose the stream; a running trial keeps its own."""

import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.cases import FIRST, FIXED_PROTOCOL, ZONE, write_export

from nof1.errors import NotAllowedError, UsageError
from nof1.store.state import ChosenStream, chosen_stream
from nof1.study.imports import import_exports, list_imports, preview_exports, preview_in_study, retract_import
from nof1.study.nights import read_nights
from nof1.study.stream_choice import latency_gap
from nof1.study.study import Study, create_study
from nof1.study.trials import start_trial
from nof1.trial.protocol import parse_protocol
from nof1.trial.safety import SafetyAnswers

NIGHTS = 20


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds every night twice: a Takeout of logs, and the totals of a few of them in Google's table."""
    folder = tmp_path_factory.mktemp("export")
    with zipfile.ZipFile(write_export(folder / "takeout.zip", NIGHTS)) as takeout:
        logs = next(name for name in takeout.namelist() if "sleep-" in name)
        (folder / "sleep.json").write_bytes(takeout.read(logs))
    (folder / "takeout.zip").unlink()
    rows = [
        f"{day},STAGES,420,{FIRST + timedelta(day)} 22:00:00Z,{FIRST + timedelta(day + 1)} 06:00:00Z"
        for day in range(9)
    ]
    header = (
        "sleep_id,sleep_type,minutes_asleep,sleep_start,sleep_end,start_utc_offset,end_utc_offset,sleep_last_updated"
    )
    lines = [header, *(f"{row},+01:00,+01:00," for row in rows)]
    (folder / "UserSleeps_2026.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """An empty study, a month before its trial begins."""
    return create_study(tmp_path / "study", zone=ZONE, clock=lambda: datetime(2026, 12, 1, 12, tzinfo=UTC))


@pytest.fixture(scope="module")
def streams(archive: Path) -> list[str]:
    """The streams of the archive, the one that nof1 would choose first."""
    summary = preview_exports([archive], zone=ZONE)
    return sorted(summary.streams, key=lambda name: name != summary.stream)


def choice_of(study: Study) -> ChosenStream:
    """What the study measures with."""
    with study.record() as record:
        chosen = chosen_stream(record, "P01")
    assert chosen is not None
    return chosen


def stream_of(study: Study) -> str:
    """The stream that the study uses."""
    return choice_of(study).stream


def begin_trial(study: Study) -> None:
    """Begin a trial, from when on the stream stays."""
    start_trial(study, "magnesium-or-none", on=date(2027, 1, 1), open_label=True, safety=SafetyAnswers())


def withdraw(study: Study, export: Path) -> None:
    """Retract the import of this file."""
    (key,) = (one.key for one in list_imports(study) if one.export == export.name and not one.retracted)
    retract_import(study, key, reason="not mine")


def days(first: int, count: int) -> list[date]:
    """So many evenings."""
    return [date(2026, 2, 1) + timedelta(first + day) for day in range(count)]


def with_latency(path: Path, evenings: list[date]) -> Path:
    """A table of nights whose latency the person says."""
    path.write_text("night,start,end,tst_min,sol_min\n" + "".join(f"{day},23:00,07:00,400,12\n" for day in evenings))
    return path


def staged(path: Path, evenings: list[date], device: str = "") -> Path:
    """A table of stages, from whose first wake a latency follows."""
    rows = ["start,end,stage,device"]
    for day in evenings:
        begins, sleeps, ends = f"{day}T23:00", f"{day}T23:20", f"{day + timedelta(1)}T07:00"
        rows += [f"{begins},{sleeps},wake,{device}", f"{sleeps},{ends},light,{device}"]
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_stream_that_a_person_chose_stays_chosen(study: Study, archive: Path, streams: list[str]) -> None:
    """Importing again without naming it changes nothing, although nof1 itself would choose another."""
    assert import_exports(study, [archive]).stream == streams[0]
    assert import_exports(study, [archive], stream=streams[1]).stream == streams[1]
    assert import_exports(study, [archive]).stream == stream_of(study) == streams[1]


def test_a_stream_that_is_not_there_is_refused_and_the_streams_are_named(
    study: Study, archive: Path, streams: list[str]
) -> None:
    """The message lists what can be chosen, and nothing is imported."""
    with pytest.raises(UsageError, match=streams[0]):
        import_exports(study, [archive], stream="fitbit/dreams")
    assert import_exports(study, [archive]).new_sessions


def test_a_dry_run_shows_the_nights_of_the_stream_that_is_asked_for(
    study: Study, archive: Path, streams: list[str]
) -> None:
    """In a study and outside, before and after an import."""
    assert preview_exports([archive], zone=ZONE, stream=streams[1]).stream == streams[1]
    import_exports(study, [archive])
    assert preview_in_study(study, [archive], stream=streams[1]).stream == streams[1]
    assert stream_of(study) == streams[0]


def test_a_running_trial_does_not_change_its_stream(study: Study, archive: Path, streams: list[str]) -> None:
    """Once nights enough are in and the trial has begun, another stream would be a change of measurement."""
    import_exports(study, [archive])
    begin_trial(study)
    with pytest.raises(NotAllowedError, match="compare two devices"):
        import_exports(study, [archive], stream=streams[1])
    assert stream_of(study) == streams[0]


def test_a_retraction_chooses_anew_from_what_stands(study: Study, tmp_path: Path) -> None:
    """Nights that were withdrawn choose nothing: the trial that begins then has the latency of those that stand."""
    wrong, right = with_latency(tmp_path / "a.csv", days(0, 10)), staged(tmp_path / "b.csv", days(10, 6))
    import_exports(study, [wrong])
    import_exports(study, [right])
    withdraw(study, wrong)
    assert choice_of(study) == ChosenStream("generic_csv", "stages", 6)
    begin_trial(study)
    import_exports(study, [staged(tmp_path / "c.csv", days(10, 16))])
    assert read_nights(study)["sol_min"].to_list() == [20.0] * 16


def test_a_trial_of_which_too_few_nights_are_left_chooses_anew(study: Study, tmp_path: Path) -> None:
    """However many chose it once: what stands counts."""
    wrong, right = staged(tmp_path / "a.csv", days(0, 10), "ring"), staged(tmp_path / "b.csv", days(10, 6), "ring")
    import_exports(study, [wrong])
    import_exports(study, [right])
    begin_trial(study)
    import_exports(study, [staged(tmp_path / "c.csv", days(0, 12), "mat")])
    assert stream_of(study) == "generic_csv/ring"
    withdraw(study, wrong)
    assert choice_of(study) == ChosenStream("generic_csv/mat", "stages", 12)


def test_a_trial_whose_latencies_are_all_withdrawn_takes_those_that_are_left(study: Study, tmp_path: Path) -> None:
    """The stream stays, although nof1 itself would choose another by now; its latency is looked at again."""
    wrong, right = with_latency(tmp_path / "a.csv", days(0, 16)), staged(tmp_path / "b.csv", days(16, 12))
    import_exports(study, [wrong, right])
    assert choice_of(study) == ChosenStream("generic_csv", "vendor", 28)
    begin_trial(study)
    import_exports(study, [staged(tmp_path / "c.csv", days(0, 20), "mat")])
    withdraw(study, wrong)
    assert choice_of(study) == ChosenStream("generic_csv", "stages", 12)
    assert read_nights(study)["sol_min"].to_list() == [20.0] * 12


@pytest.mark.parametrize("who", ["a running trial", "a person"])
def test_a_stream_that_is_withdrawn_and_imported_again_is_still_chosen(study: Study, tmp_path: Path, who: str) -> None:
    """A wrong zone is mended so, and must not move a trial to another device in between."""
    ring, mat = staged(tmp_path / "a.csv", days(0, 10), "ring"), staged(tmp_path / "b.csv", days(0, 20), "mat")
    import_exports(study, [ring])
    if who == "a running trial":
        begin_trial(study)
    import_exports(study, [mat], stream="generic_csv/ring" if who == "a person" else None)
    withdraw(study, ring)
    import_exports(study, [ring])
    assert stream_of(study) == "generic_csv/ring"


def test_an_import_can_be_withdrawn_while_the_file_of_another_is_lost(study: Study, tmp_path: Path) -> None:
    """Both may have to be: nothing is chosen until what stands can be read."""
    both = [staged(tmp_path / "a.csv", days(0, 10)), staged(tmp_path / "b.csv", days(10, 10))]
    import_exports(study, both)
    for path in study.folder.sleep("P01").iterdir():
        path.unlink()
    for export in both:
        withdraw(study, export)
    assert all(one.retracted for one in list_imports(study))


def test_a_choice_of_few_nights_is_looked_at_again_when_more_have_come(study: Study, tmp_path: Path) -> None:
    """A trial may begin on a handful of nights: how they told latency binds none of the later ones."""
    import_exports(study, [staged(tmp_path / "a.csv", days(0, 6))])
    begin_trial(study)
    import_exports(study, [with_latency(tmp_path / "b.csv", days(6, 10))])
    assert choice_of(study) == ChosenStream("generic_csv", "vendor", 16)


def test_a_trial_whose_stream_is_gone_takes_that_of_the_next_import(study: Study, tmp_path: Path) -> None:
    """It was another person's, and does not come back."""
    ring = staged(tmp_path / "a.csv", days(0, 10), "ring")
    import_exports(study, [ring])
    begin_trial(study)
    withdraw(study, ring)
    import_exports(study, [staged(tmp_path / "b.csv", days(0, 10), "mat")])
    assert stream_of(study) == "generic_csv/mat"


def test_another_stream_is_never_taken_without_a_word(study: Study, archive: Path, streams: list[str]) -> None:
    """Where an import brings a better stream, the nights come from that, and the import says so."""
    first = import_exports(study, [archive / "UserSleeps_2026.csv"])
    second = import_exports(study, [archive])
    assert not any("until now" in note for note in first.notes)
    (said,) = (note for note in second.notes if "until now" in note)
    assert first.stream in said
    assert streams[0] in said


@pytest.mark.parametrize(
    ("rules", "outcome", "warns"),
    [
        ("", "sol_min", True),
        ('[sleep]\nlatency_source = "in_bed"', "sol_min", True),
        ('[sleep]\nlatency_source = "diary"', "sol_min", False),
        ("", "tst_min", False),
    ],
)
def test_a_device_that_cannot_tell_latency_is_told_before_the_trial_begins(
    study: Study, tmp_path: Path, rules: str, outcome: str, warns: bool
) -> None:
    """With the nights that lack it, and what to do; not where lights-out is logged, or no outcome counts from it."""
    table = tmp_path / "mine.csv"
    rows = [f"2026-02-{day:02},400,80" for day in range(1, 10)]
    table.write_text("\n".join(["night,tst_min,deep_min", *rows]) + "\n")
    text = FIXED_PROTOCOL.format(transition=0, prior_sd=20).replace("sol_min", outcome) + rules
    protocol = parse_protocol(text, where="test")
    assert latency_gap(study, protocol) is None
    import_exports(study, [table])
    told = latency_gap(study, protocol) or ""
    assert (f"{outcome} can be told on 0 of the 9 nights" in told) == warns
    assert bool(told) == warns


def test_a_device_that_tells_latency_is_no_cause_for_a_warning(study: Study, archive: Path) -> None:
    """Nor is a mark of going to bed missed where the protocol takes the best that there is."""
    import_exports(study, [archive])
    assert latency_gap(study, parse_protocol(FIXED_PROTOCOL.format(transition=0, prior_sd=20), where="test")) is None
