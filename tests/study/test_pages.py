"""What the page takes from the record beside the result: the doses night by night, where they are those analysed."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from nof1.study import pages
from nof1.trial.adherence import AS_ASSIGNED, MISSED, NONE_DUE, UNKNOWN

NIGHTS = [date(2026, 12, 1) + timedelta(days=n) for n in range(5)]
TAKEN = [None, True, False, None, True]
"""The first night is on no arm; of the four with a dose one was missed and one is not logged."""


def counted(taken: int, not_taken: int, unknown: int) -> dict[str, Any]:
    """The part of a result that counts the doses."""
    return {"trial": {"doses": {"magnesium": {"taken": taken, "not_taken": not_taken, "unknown": unknown}}}}


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Four nights on one arm after one on none, and a diary."""
    diary = pl.DataFrame({"night": NIGHTS, "dose_taken": TAKEN})
    monkeypatch.setattr(pages, "read_diary", lambda *_: diary)
    calendar = pl.DataFrame({"night": NIGHTS, "period": [None, 1, 1, 1, 1], "arm": [None, *["magnesium"] * 4]})
    arms = [SimpleNamespace(code="magnesium", units_per_dose=2)]
    return SimpleNamespace(protocol=SimpleNamespace(arms=arms), participant=None, calendar=lambda: calendar)


def test_doses_are_told_night_by_night(trial: Any) -> None:
    """Where the diary says what the result counted, every night has its status."""
    told = pages._doses(None, trial, counted(2, 1, 1))  # type: ignore[arg-type]
    assert told is not None
    assert told["status"].to_list() == [NONE_DUE, AS_ASSIGNED, MISSED, UNKNOWN, AS_ASSIGNED]


@pytest.mark.parametrize("counts", [(3, 1, 0), (2, 0, 2), (1, 2, 1)])
def test_a_diary_that_changed_since_the_analysis_is_not_shown(trial: Any, counts: tuple[int, int, int]) -> None:
    """Where it no longer says what was analysed, the page shows no doses rather than others."""
    assert pages._doses(None, trial, counted(*counts)) is None  # type: ignore[arg-type]
