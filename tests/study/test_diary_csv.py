"""The diary goes out as CSV and comes in again, whole or not at all."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cases import ZONE, alternating, schedule_csv

from nof1.errors import DataError, InputMissingError, Nof1Error
from nof1.study.diaries import log_night
from nof1.study.diary_csv import diary_csv, diary_table, import_diary
from nof1.study.study import Study, create_study
from nof1.study.trials import start_trial

FIRST = date(2026, 10, 20)  # the clocks go back on the 25th
NIGHTS = 8
AFTER = datetime(2026, 10, 28, 20, tzinfo=UTC)

PROTOCOL = """
id = "diary"

[[arm]]
code = "magnesium"
label = "Magnesium"

[[arm]]
code = "placebo"
label = "Placebo"
reference = true

[design]
scheme = "fixed"
transition_nights = 0

[[outcome]]
measure = "deep_min"

[[diary]]
key = "alcohol_units"

[[diary]]
key = "ill"
type = "boolean"

[[diary]]
key = "dream"
type = "text"
when = "morning"

[safety]
log = ["Nausea", "cramps"]
"""

TEXTS = st.text(st.sampled_from("a,;\"'\r\n\t =") | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
CLOCKS = st.times().map(lambda at: f"{at:%H:%M}")
SAID = st.fixed_dictionaries(
    {},
    optional={
        "dose_taken": st.booleans(),
        "dose_at": CLOCKS,
        "lights_out": CLOCKS,
        "awakenings": st.integers(0, 20),
        "sleep_quality": st.sampled_from(["very poor", "fair", "good"]),
        "note": TEXTS,
        "answers": st.fixed_dictionaries(
            {},
            optional={
                "alcohol_units": st.floats(0, 1e6).map(str),
                "ill": st.sampled_from(["yes", "no"]),
                "dream": TEXTS,
            },
        ),
        "side_effects": st.dictionaries(
            st.sampled_from(["Nausea", "cramps", "itching, at night", 'a "buzz"']),
            st.sampled_from(["none", "mild", "severe"]),
        ),
    },
)
NIGHT = st.integers(0, NIGHTS - 1).map(lambda day: FIRST + timedelta(days=day))


def begun(folder: Path) -> Study:
    """A trial of eight nights that are over."""
    folder.mkdir(parents=True)
    (folder / "p.toml").write_text(PROTOCOL)
    (folder / "s.csv").write_text(schedule_csv(alternating(2), NIGHTS, FIRST))
    study = create_study(folder / "study", zone=ZONE, clock=lambda: AFTER)
    start_trial(study, folder / "p.toml", schedule_file=folder / "s.csv")
    return study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """One such trial."""
    return begun(tmp_path / "one")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """New folders, as many as hypothesis wants."""

    def make() -> Iterator[Path]:
        while True:
            yield tmp_path_factory.mktemp("study") / "it"

    return make()


def csv_of(study: Study) -> str:
    """What ``nof1 diary --csv`` prints."""
    return diary_csv(diary_table(study))


def entered(study: Study, text: str, **options: Any) -> list[date]:
    """Import that CSV, and give the nights that it said something new about."""
    path = study.folder.path.parent / "diary.csv"
    path.write_bytes(text.encode())
    return import_diary(study, path, **options).entered


def events(study: Study) -> int:
    """How many events the record holds."""
    with study.record() as record:
        return len(record.events())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.tuples(NIGHT, SAID), max_size=6))
def test_a_diary_survives_the_way_through_csv(folders: Iterator[Path], said: list[tuple[date, Any]]) -> None:
    """Written as CSV and imported elsewhere, a diary is the same; imported where it came from it changes nothing."""
    one, other = begun(next(folders)), begun(next(folders))
    for night, words in said:
        try:
            log_night(one, night=night, **words)
        except Nof1Error:  # nothing said, noon as lights-out, an hour that never was: what log refuses is not in it
            continue
    text = csv_of(one)
    before = events(one)
    assert entered(one, text) == []
    assert events(one) == before
    assert entered(other, text) == diary_table(one)["night"].to_list()
    assert csv_of(other) == text
    assert diary_table(other).equals(diary_table(one))


def test_the_table_speaks_the_person_s_clock(study: Study) -> None:
    """Local hours, yes and no, whole numbers without a point; what was not said is empty, never no or zero."""
    log_night(study, night=FIRST, dose_taken=False, lights_out="0:40", answers={"alcohol_units": "2", "ill": "yes"})
    log_night(study, night=FIRST + timedelta(days=5), lights_out="23:10", side_effects={"itching": "mild"})
    first, second = csv.DictReader(io.StringIO(csv_of(study)))
    assert list(first)[:1] + list(first)[-3:] == [
        "night",
        "side effect Nausea",
        "side effect cramps",
        "side effect itching",
    ]
    assert (first["dose_taken"], first["lights_out"], first["alcohol_units"], first["ill"]) == (
        "no",
        "00:40",
        "2",
        "yes",
    )
    assert (second["night"], second["lights_out"], second["dose_taken"]) == ("2026-10-25", "23:10", "")
    assert second["side effect itching"] == "mild"


def test_only_what_is_new_is_entered(study: Study) -> None:
    """A cell that says what the diary says is no entry; a contradiction is one, with its reason, and both stay."""
    log_night(study, night=FIRST, dose_taken=True, lights_out="23:10")
    text = f"night,dose_taken,lights_out,note\n{FIRST},yes,23:10,tired\n{FIRST + timedelta(days=1)},,,\n"
    assert entered(study, text) == [FIRST]
    with study.record() as record:
        payload = record.events("diary_entry")[-1].payload
    assert (payload["note"], payload["dose_taken"], payload["lights_out"]) == ("tired", None, None)
    path = study.folder.path.parent / "d.csv"
    path.write_text(f"night,dose_taken\n{FIRST},No\n")
    imported = import_diary(study, path, reason="the paper says otherwise")
    assert (imported.entered, imported.corrected) == ([FIRST], [FIRST])
    with study.record() as record:
        last = record.events("diary_entry")[-1]
        assert len(record.events("diary_entry")) == 3
    assert (last.reason, last.command) == ("the paper says otherwise", "diary")
    assert diary_table(study)["dose_taken"].to_list() == [False]


def test_an_empty_cell_says_nothing(study: Study) -> None:
    """A night without a word on the dose stays unknown, and what was said before is not taken back."""
    log_night(study, night=FIRST, dose_taken=True)
    assert entered(study, f"night,dose_taken,lights_out\n{FIRST},,23:00\n{FIRST + timedelta(days=1)},,22:00\n") != []
    assert diary_table(study)["dose_taken"].to_list() == [True, None]


def test_every_mistake_is_listed_and_nothing_is_entered(study: Study) -> None:
    """Each with its line and column, in order; the good lines between them are not entered either."""
    text = (
        "night,dose_taken,dose_at,lights_out,awakenings,sleep_quality,alcohol_units,ill,side effect nausea\n"
        "2026-10-20,yes,21:30,23:10,0,good,1,no,none\n"
        "2026-10-21,maybe,25:00,11:10,many,splendid,x,perhaps,awful\n"
        "2026-10-20,,,,,,,,\n"
        "21.10.2026,,,,,,,,\n"
        "2026-10-22,yes\n"
        "2026-12-24,yes,,,,,,,\n"
        "2026-10-01,yes,,,,,,,\n"
    )
    before = events(study)
    with pytest.raises(DataError) as caught:
        entered(study, text)
    lines = str(caught.value).splitlines()
    assert "13 mistakes" in lines[0]
    starts = [
        "dose_taken",
        "dose_at",
        "lights_out",
        "awakenings",
        "sleep_quality",
        "alcohol_units",
        "ill",
        "side effect",
    ]
    for line, name in zip(lines[1:9], starts, strict=True):
        assert line.startswith(f"  line 3, {name}")
    assert "twice" in lines[9]
    assert "not a date" in lines[10]
    assert "line 6, 2 cells under 9 columns" in lines[11]
    assert "line 7, night" in lines[12]
    assert "still to come" in lines[12]
    assert "line 8, night" in lines[13]
    assert events(study) == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a column night"),
        ("nigth,note\n", "a column night"),
        ("night;dose_taken\n2026-10-20;yes\n", "semicolons"),
        ("night,dosetaken\n", "dose_taken"),
        ("night,note,note\n", "twice"),
        ('night,note\n2026-10-20,"unclosed\n', "not CSV"),
        ("night,side effect \n2026-10-20,mild\n", "side effect"),
    ],
)
def test_a_file_that_is_no_diary_is_refused(study: Study, text: str, says: str) -> None:
    """With the line, what is wrong, and the nearest name."""
    with pytest.raises(DataError, match=says):
        entered(study, text)


def test_files_of_other_programs_are_read(study: Study) -> None:
    """A byte order mark, Windows line ends, capitals in headings and blank lines do no harm."""
    assert entered(study, "\ufeffNight,DOSE_TAKEN,Side Effect NAUSEA\r\n\r\n2026-10-20,YES,Mild\r\n,,\r\n") == [FIRST]
    row = diary_table(study).row(0, named=True)
    assert (row["dose_taken"], row["side effect Nausea"]) == (True, "mild")


def test_bytes_and_missing_files_are_refused(study: Study, tmp_path: Path) -> None:
    """What is not text, and what is not there, is told as such."""
    (tmp_path / "x.csv").write_bytes(b"night\n\xff\xfe\n")
    with pytest.raises(DataError, match="UTF-8"):
        import_diary(study, tmp_path / "x.csv")
    with pytest.raises(InputMissingError, match="nof1 diary --csv"):
        import_diary(study, tmp_path / "y.csv")


def test_a_grave_symptom_in_bulk_brings_the_stop_rule(study: Study, tmp_path: Path) -> None:
    """What ``nof1 log`` would say about a severe symptom is said of a file too."""
    (tmp_path / "x.csv").write_text("night,side effect cramps\n2026-10-20,severe\n")
    first, second = import_diary(study, tmp_path / "x.csv").warnings
    assert first.startswith("Cramps: stop and ask")
    assert "emergency" in second


def test_a_diary_that_was_logged_while_it_could_be_imports_again(study: Study) -> None:
    """Rows that say nothing new are not held to today's calendar: a night that is off it by now does no harm."""
    log_night(study, night=FIRST, dose_taken=True)
    text = csv_of(study)
    early = replace(study, clock=lambda: datetime(2026, 10, 1, tzinfo=UTC))
    assert entered(early, text) == []
