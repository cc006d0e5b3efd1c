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
from nof1.trial.diary import OWN_COLUMNS, DiaryEntry, current_diary, lights_out_table, moment_on
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
        note=st.none() | st.text(max_size=5),
        covariates=st.dictionaries(st.sampled_from(["alcohol_units", "stress"]), st.floats(0, 10)),
    ),
    max_size=8,
)


@given(ENTRIES)
def test_the_last_word_stands(entries: list[DiaryEntry]) -> None:
    """Each field of a night is what was last said about it; fields that were never mentioned stay missing."""
    diary = current_diary(entries)
    expected: dict[tuple[date, str], object] = {}
    for entry in entries:
        said = {name: getattr(entry, name) for name in OWN_COLUMNS} | dict(entry.covariates)
        expected |= {(entry.night, name): value for name, value in said.items() if value is not None}
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
