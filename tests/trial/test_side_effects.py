"""Side effects by arm: every night once, with the nights that say nothing beside those that deny."""

from collections import Counter
from datetime import date, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from nof1.trial.diary import SEVERITIES, DiaryEntry, count_side_effects, current_diary, current_side_effects
from nof1.trial.side_effects import side_effects_by_arm

FIRST = date(2026, 5, 1)
ARMS = ("Mg", "Pl")
SYMPTOMS = ("nausea", "cramps")


def calendar_of(arms: list[str | None]) -> pl.DataFrame:
    """One night after the other, on these arms."""
    nights = [FIRST + timedelta(days=n) for n in range(len(arms))]
    return pl.DataFrame({"night": nights, "arm": arms}, schema={"night": pl.Date, "arm": pl.String})


def entry(night: int, **felt: str) -> DiaryEntry:
    """An entry about a night counted from 0."""
    return DiaryEntry(night=FIRST + timedelta(days=night), side_effects=felt)  # type: ignore[arg-type]


ENTRIES = st.lists(
    st.builds(
        DiaryEntry,
        night=st.dates(FIRST, FIRST + timedelta(days=9)),
        dose_taken=st.none() | st.booleans(),
        side_effects=st.dictionaries(st.sampled_from(SYMPTOMS), st.sampled_from(SEVERITIES)),
    ),
    max_size=12,
)


@given(st.lists(st.sampled_from([*ARMS, None]), min_size=1, max_size=8), ENTRIES)
def test_every_night_with_an_entry_is_counted_once(arms: list[str | None], entries: list[DiaryEntry]) -> None:
    """By arm the counts add up to the entries, and over all arms to the count of the whole trial."""
    diary, felt = current_diary(entries), current_side_effects(entries)
    told = side_effects_by_arm(calendar_of(arms), diary, felt, ARMS)
    assert [one.arm for one in told] == [*ARMS, None]
    assert sum(one.nights for one in told) == len(arms)
    assert sum(one.with_entry for one in told) == diary.height
    for one in told:
        for nights in one.symptoms.values():
            assert nights.none + nights.mild + nights.moderate + nights.severe + nights.not_said == one.with_entry
            assert nights.not_said >= 0
    for row in count_side_effects(felt).iter_rows(named=True):
        own = [one.symptoms[row["symptom"]] for one in told]
        assert all(sum(getattr(nights, severity) for nights in own) == row[severity] for severity in SEVERITIES)


def test_counts_are_those_of_the_arm_s_nights() -> None:
    """A night on magnesium counts for magnesium; denied, not mentioned and no entry at all are three things."""
    entries = [entry(0, nausea="mild"), entry(1, nausea="none"), entry(2), entry(4, nausea="severe", cramps="mild")]
    calendar = calendar_of(["Mg", "Mg", "Mg", "Mg", "Pl"])
    magnesium, placebo, neither = side_effects_by_arm(
        calendar, current_diary(entries), current_side_effects(entries), ARMS
    )
    assert (magnesium.nights, magnesium.with_entry, placebo.with_entry, neither.with_entry) == (4, 3, 1, 0)
    nausea = magnesium.symptoms["nausea"]
    assert (nausea.none, nausea.mild, nausea.severe, nausea.not_said) == (1, 1, 0, 1)
    assert (placebo.symptoms["nausea"].severe, placebo.symptoms["cramps"].mild) == (1, 1)
    assert magnesium.symptoms["cramps"].not_said == 3


def test_nights_outside_the_arms_stand_by_themselves() -> None:
    """The run-in and the two weeks in which the diary stays open afterwards are on no arm."""
    entries = [entry(0, nausea="mild"), entry(1, nausea="mild"), entry(9, nausea="severe")]
    told = side_effects_by_arm(
        calendar_of([None, "Mg", "Pl"]), current_diary(entries), current_side_effects(entries), ARMS
    )
    assert Counter({one.arm: one.with_entry for one in told}) == Counter({"Mg": 1, "Pl": 0, None: 2})
    assert (told[2].nights, told[2].symptoms["nausea"].severe) == (1, 1)


def test_while_the_arms_are_concealed_nothing_is_told_of_any() -> None:
    """A sealed calendar has no arms: every night counts as on none."""
    entries = [entry(0, nausea="mild"), entry(1, nausea="severe")]
    told = side_effects_by_arm(calendar_of([None, None]), current_diary(entries), current_side_effects(entries), ARMS)
    assert [one.with_entry for one in told] == [0, 0, 2]
