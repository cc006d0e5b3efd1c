"""What was taken stands beside what was assigned, and says nothing of the arms."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.trial.adherence import STATUSES, adherence, adherence_by_period
from nof1.trial.allocation import allocate
from nof1.trial.diary import DiaryEntry, current_diary
from nof1.trial.protocol import Arm, Design
from nof1.trial.schedule import Schedule, calendar, schedule

ARMS = (Arm(code="A", label="One"), Arm(code="none", label="No capsule", units_per_dose=0, reference=True))
FIRST = date(2026, 5, 1)
DESIGN = Design(scheme="alternating", blocks=2, period_nights=2, transition_nights=0, run_in_nights=1, washout_nights=1)
ABAB, BABA = bytes(32), b"\xff" * 32


def planned(seed: bytes = ABAB) -> Schedule:
    """Plan a run-in night, then four periods of two nights with a night between them."""
    return schedule(allocate(DESIGN, ARMS, seed), DESIGN, FIRST)


def doses(taken: list[bool | None]) -> pl.DataFrame:
    """Log one answer a night from the first on; None logs none."""
    entries = [DiaryEntry(night=FIRST + timedelta(days=n), dose_taken=answer) for n, answer in enumerate(taken)]
    return current_diary([entry for entry in entries if entry.dose_taken is not None])


@pytest.mark.parametrize(
    ("taken", "status"), [(True, "as assigned"), (False, "missed"), (None, "unknown")], ids=["yes", "no", "not logged"]
)
def test_a_due_dose_is_taken_missed_or_unknown(taken: bool | None, status: str) -> None:
    """The second night is on an arm: what was logged decides, and nothing logged is unknown."""
    judged = adherence(calendar(planned()), doses([None, taken]))
    assert judged["status"][1] == status
    assert judged["dose_taken"][1] == taken


@pytest.mark.parametrize(("taken", "status"), [(True, "taken, not due"), (False, "no dose due"), (None, "no dose due")])
def test_no_dose_is_due_outside_the_periods(taken: bool | None, status: str) -> None:
    """In run-in nothing is due, and a dose taken all the same is not passed over."""
    assert adherence(calendar(planned()), doses([taken]))["status"][0] == status


def test_no_dose_is_due_on_an_arm_without_one() -> None:
    """On the arm without capsules an evening without a log is no gap in adherence."""
    judged = adherence(calendar(planned()), doses([]), without_dose=["none"]).drop_nulls("arm")
    assert set(judged.select("arm", "status").rows()) == {("A", "unknown"), ("none", "no dose due")}


@given(st.lists(st.none() | st.booleans(), max_size=11))
def test_the_counts_of_each_period_make_its_nights(taken: list[bool | None]) -> None:
    """Every night of a period is counted under one status."""
    counts = adherence_by_period(adherence(calendar(planned()), doses(taken)))
    assert counts["period"].to_list() == [1, 2, 3, 4]
    assert counts["nights"].to_list() == counts.select(pl.sum_horizontal(STATUSES)).to_series().to_list()


@given(st.lists(st.none() | st.booleans(), max_size=11))
def test_the_counts_are_the_same_whatever_was_drawn(taken: list[bool | None]) -> None:
    """Two trials with exchanged arms and the same diary give the same counts, concealed or not."""
    one, other = (adherence_by_period(adherence(calendar(planned(seed)), doses(taken))) for seed in (ABAB, BABA))
    hidden = adherence_by_period(adherence(calendar(planned().concealed()), doses(taken)))
    assert one.equals(other)
    assert one.equals(hidden)
    assert "arm" not in one.columns
