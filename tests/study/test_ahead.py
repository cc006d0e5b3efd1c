"""Nights that lie in the future are rejected with the rest of the account kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.cases import ZONE

from nof1.errors import NothingImportedError
from nof1.store.sessions import scan_sessions
from nof1.store.state import admitted_files
from nof1.study.imports import import_exports, list_imports, preview_exports, preview_in_study
from nof1.study.study import Study, create_study
from nof1.study.verification import verify

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
REASON = "the clock of the device, of its app or of this computer was set wrong"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """An empty study on the tenth of March at noon."""
    return create_study(tmp_path / "study", zone=ZONE, clock=lambda: NOW)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A table of four nights: one past, one that ends within a day, one in a week, one in ten years."""
    path = tmp_path / "mine.csv"
    nights = ("2026-03-08T23", "2026-03-11T03", "2026-03-17T23", "2036-03-08T23")
    rows = [f"{night}:00:00+01:00,{_ends(night)}:00:00+01:00,300,60" for night in nights]
    path.write_text("start,end,tst_min,deep_min\n" + "\n".join(rows) + "\n")
    return path


def _ends(night: str) -> str:
    return (datetime.fromisoformat(f"{night}:00") + timedelta(hours=8)).strftime("%Y-%m-%dT%H")


def ends(study: Study) -> list[str]:
    """The days on which the nights of a study end."""
    with study.record() as record:
        table = scan_sessions(study.folder, admitted_files(record, "P01")).collect()
    return [f"{end:%Y-%m-%d}" for end in table["end"]]


def test_nights_in_the_future_are_rejected_by_record(study: Study, export: Path) -> None:
    """Nobody has slept them: they are counted, each is named with its date, and the reason says what is wrong."""
    summary = import_exports(study, [export])
    assert (summary.read, summary.accepted, summary.rejected) == (4, 2, 2)
    (reason,) = summary.files[0].reasons
    assert (reason["count"], REASON in reason["reason"]) == (2, True)
    assert [one["record"][-19:] for one in reason["examples"]] == ["2026-03-17 at 23:00", "2036-03-08 at 23:00"]
    assert ends(study) == ["2026-03-09", "2026-03-11"]
    (listed,) = list_imports(study)
    assert (listed.accepted, listed.rejected) == (2, 2)


def test_a_clock_may_be_in_any_zone(study: Study, export: Path) -> None:
    """An instant is an instant, wherever the clock that tells it hangs."""
    abroad = replace(study, clock=lambda: NOW.astimezone(ZoneInfo("Asia/Tokyo")))
    assert import_exports(abroad, [export]).rejected == 2


def test_a_dry_run_says_so_too(study: Study, export: Path) -> None:
    """In a study and outside of one."""
    outside = preview_exports([export], clock=lambda: NOW)
    assert outside.rejected == preview_in_study(study, [export]).rejected == 2


def test_what_was_rejected_stays_so_when_the_day_has_come(study: Study, export: Path) -> None:
    """The same export imported again in another year is the same import, to the byte, even where its file was lost."""
    import_exports(study, [export])
    later = replace(study, clock=lambda: NOW + timedelta(days=365))
    again = import_exports(later, [export])
    assert (again.accepted, again.new_sessions, again.files[0].already_imported) == (2, 0, True)
    for path in study.folder.sleep("P01").iterdir():
        path.unlink()
    import_exports(later, [export])
    assert ends(study) == ["2026-03-09", "2026-03-11"]
    verify(study)


def test_an_export_of_the_future_only_is_no_import(study: Study, export: Path) -> None:
    """Then the computer's own clock is likelier wrong; nothing is stored, and the account comes with the error."""
    early = replace(study, clock=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(NothingImportedError, match=REASON) as refused:
        import_exports(early, [export])
    assert (refused.value.account.read, refused.value.account.rejected) == (4, 4)
    assert list_imports(study) == []
