"""The diary: the last word on each field stands, and what nobody said is unknown."""
# ruff: noqa: DTZ001  (one test gives an instant without a zone on purpose; hypothesis adds the zone itself)

from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.errors import DataError
from nof1.trial.diary import (
    OWN_COLUMNS,
    SEVERITIES,
    SLEEP_QUALITIES,
    DiaryEntry,
    alarming,
    contradicted,
    count_side_effects,
    current_diary,
    current_side_effects,
    lights_out_table,
    moment_on,
)
from nof1.trial.schedule import evening_of

BERLIN = ZoneInfo("Europe/Berlin")
MAY = date(2026, 5, 12)
INSTANTS = st.datetimes(datetime(2026, 5, 1), datetime(2026, 5, 20), timezones=st.just(UTC))

ENTRIES = st.lists(
    st.builds(
        DiaryEntry,
        night=st.dates(date(2026, 5, 1), date(2026, 5, 4)),
        dose_taken=st.none() | st.booleans(),
        dose_at=st.none() | INSTANTS,
        lights_out=st.none() | INSTANTS,
        awakenings=st.none() | st.integers(0, 9),
        sleep_quality=st.none() | st.sampled_from(SLEEP_QUALITIES),
        note=st.none() | st.text(max_size=5),
        covariates=st.dictionaries(st.sampled_from(["alcohol_units", "stress"]), st.floats(0, 10)),
        side_effects=st.dictionaries(st.sampled_from(["nausea", "cramps"]), st.sampled_from(SEVERITIES)),
    ),
    max_size=8,
)


@given(ENTRIES)
def test_the_last_word_stands(entries: list[DiaryEntry]) -> None:
    """Each field of a night is what was last said about it, fields never mentioned are missing, and a dose said not to
    be taken takes the times said until then along, also where it is corrected to taken later."""
    diary = current_diary(entries)
    expected: dict[tuple[date, str], object] = {}
    for entry in entries:
        said = {name: getattr(entry, name) for name in OWN_COLUMNS} | dict(entry.covariates)
        expected |= {(entry.night, name): value for name, value in said.items() if value is not None}
        if entry.dose_taken is False:
            expected.pop((entry.night, "dose_at"), None)
    untaken = [night for (night, name), value in expected.items() if name == "dose_taken" and value is False]
    expected |= dict.fromkeys([(night, "dose_at") for night in untaken])
    assert diary["night"].to_list() == sorted({entry.night for entry in entries})
    for row, name in product(diary.rows(named=True), diary.columns):
        assert row[name] == expected.get((row["night"], name))


def test_a_dose_that_nobody_logged_is_unknown() -> None:
    """An evening with lights out but no word of the dose has no dose_taken, neither true nor false."""
    diary = current_diary([DiaryEntry(night=MAY, lights_out=datetime(2026, 5, 12, 21, 0, tzinfo=UTC))])
    assert diary["dose_taken"].to_list() == [None]


def test_an_empty_diary_has_its_columns() -> None:
    """Before the first entry the diary is an empty table of the same shape."""
    assert current_diary([]).schema == pl.Schema(OWN_COLUMNS)


def test_answers_keep_their_kind() -> None:
    """Yes and no stay boolean, numbers become floats, and a mixture is kept as text."""
    first = DiaryEntry(night=MAY, covariates={"ill": True, "alcohol_units": 2, "felt": 3})
    second = DiaryEntry(night=MAY + timedelta(days=1), covariates={"alcohol_units": 0.5, "felt": "rested"})
    diary = current_diary([first, second])
    assert diary.select("ill", "alcohol_units", "felt").rows() == [(True, 2.0, "3"), (None, 0.5, "rested")]


@given(ENTRIES)
def test_an_entry_survives_the_record(entries: list[DiaryEntry]) -> None:
    """Written as plain values and read back, an entry is the same."""
    assert [DiaryEntry.from_payload(entry.to_payload()) for entry in entries] == entries


def test_an_instant_without_an_offset_is_refused() -> None:
    """A time of which nobody knows the zone cannot enter the diary."""
    with pytest.raises(ValueError, match="no offset"):
        DiaryEntry(night=MAY, lights_out=datetime(2026, 5, 12, 23, 0))


def test_lights_out_is_listed_where_it_was_logged() -> None:
    """Night assembly gets the nights with a time, and no empty ones."""
    at = datetime(2026, 5, 12, 21, 10, tzinfo=UTC)
    diary = current_diary([DiaryEntry(night=MAY, lights_out=at), DiaryEntry(night=MAY + timedelta(days=1))])
    assert lights_out_table(diary, "P01").rows() == [("P01", MAY, at)]


def test_a_time_after_midnight_is_on_the_next_date() -> None:
    """23:10 on the night of 12 May is that evening, 00:40 the next calendar day; Berlin is two hours ahead of UTC."""
    assert moment_on(MAY, "23:10", BERLIN) == datetime(2026, 5, 12, 21, 10, tzinfo=UTC)
    assert moment_on(MAY, "00:40", BERLIN) == datetime(2026, 5, 12, 22, 40, tzinfo=UTC)
    assert moment_on(MAY, "0:40", BERLIN) == moment_on(MAY, " 00:40 ", BERLIN)


def test_the_boundary_decides_for_day_sleepers() -> None:
    """With the boundary at 20:00, nine in the morning belongs to the date after the night's own."""
    assert moment_on(MAY, "09:00", UTC, boundary_h=20).date() == date(2026, 5, 13)
    assert moment_on(MAY, "09:00", UTC, boundary_h=0).date() == MAY


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.times(), st.integers(0, 23))
def test_a_time_said_about_a_night_belongs_to_that_night(night: date, clock: object, boundary: int) -> None:
    """Whatever the clock says, the instant falls into the evening it was said about."""
    instant = moment_on(night, f"{clock:%H:%M}", UTC, boundary_h=boundary)
    assert evening_of(instant.replace(tzinfo=None), boundary) == night


def test_a_time_that_the_clocks_skipped_is_refused() -> None:
    """Half past two in the night of the spring change never was."""
    with pytest.raises(DataError, match="did not exist on 2026-03-29 in Europe/Berlin"):
        moment_on(date(2026, 3, 28), "02:30", BERLIN)


def test_a_time_that_came_twice_is_the_first() -> None:
    """Half past two in the night of the autumn change is taken in summer time."""
    assert moment_on(date(2026, 10, 24), "02:30", BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("clock", ["", "24:00", "23:60", "2310", "23.10", "11 pm", "-1:00", "١٢:٣٠"])
def test_what_is_no_time_of_day_is_refused(clock: str) -> None:
    """Anything but hours and minutes is refused with an example."""
    with pytest.raises(DataError, match="such as 23:10"):
        moment_on(MAY, clock, UTC)


def test_an_entry_of_an_earlier_version_is_read() -> None:
    """What was written before there were side effects lacks them, and says nothing of them."""
    payload = DiaryEntry(night=MAY, note="as it was").to_payload()
    earlier = {key: payload[key] for key in ("night", "dose_taken", "dose_at", "lights_out", "note", "covariates")}
    assert DiaryEntry.from_payload(earlier) == DiaryEntry(night=MAY, note="as it was")


@given(ENTRIES)
def test_the_last_word_on_a_side_effect_stands(entries: list[DiaryEntry]) -> None:
    """Each symptom of a night is as severe as was last said; the counts over the trial count every night once."""
    last = {(entry.night, name): grade for entry in entries for name, grade in entry.side_effects.items()}
    now = current_side_effects(entries)
    assert {(night, name): grade for night, name, grade in now.iter_rows()} == last
    said = [(name, grade) for (_, name), grade in last.items()]
    for row in count_side_effects(now).iter_rows(named=True):
        assert [row[grade] for grade in SEVERITIES] == [said.count((row["symptom"], grade)) for grade in SEVERITIES]


@given(ENTRIES, st.dates(date(2026, 5, 1), date(2026, 5, 4)))
def test_only_what_was_said_otherwise_is_a_correction(entries: list[DiaryEntry], night: date) -> None:
    """Saying again what the diary says contradicts nothing; the opposite of it is named, and nothing else."""
    diary = current_diary(entries).filter(pl.col("night") == night)
    taken = diary["dose_taken"].item() if diary.height else None
    assert contradicted(entries, DiaryEntry(night=night, dose_taken=taken)) == []
    opposite = DiaryEntry(night=night, dose_taken=taken is not True)
    assert contradicted(entries, opposite) == ([] if taken is None else ["dose_taken"])


def test_what_is_grave_or_lasts_is_alarming() -> None:
    """A mild symptom of one night is not, a moderate one is, and a mild one is on its second night running."""
    said = {
        0: {"stools": "mild", "nausea": "none"},
        1: {"stools": "mild", "nausea": "mild", "cramps": "severe"},
        3: {"stools": "mild", "cramps": "none"},
    }
    entries = [DiaryEntry(night=MAY + timedelta(days=n), side_effects=effects) for n, effects in said.items()]
    nights = [alarming(current_side_effects(entries), MAY + timedelta(days=n)) for n in range(4)]
    assert nights == [[], ["cramps", "stools"], [], []]
