"""A later export corrects an earlier one: nights grow, shrink and move, and each is there once."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.cases import ZONE

from nof1.study.imports import import_exports, list_imports, preview_in_study
from nof1.study.nights import read_nights
from nof1.study.study import Study, create_study
from nof1_connectors.oura import CONNECTOR

NIGHTS = 5


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """An empty study."""
    return create_study(tmp_path / "study", zone=ZONE)


def export(path: Path, *, nights: int = NIGHTS, ids: bool = True, later_min: int = 0, shorter_min: int = 0) -> Path:
    """An Oura response of some nights, of which the third begins later and ends earlier than it did."""
    documents: list[dict[str, Any]] = []
    for number in range(nights):
        start = datetime.fromisoformat("2026-03-01T23:00:00+01:00") + timedelta(days=number)
        end = start + timedelta(hours=8)
        if number == 2:
            start, end = start + timedelta(minutes=later_min), end - timedelta(minutes=shorter_min)
        epochs = int((end - start).total_seconds()) // 300
        told = {"id": f"night-{number}"} if ids else {}
        documents.append(
            told
            | {
                "bedtime_start": start.isoformat(),
                "bedtime_end": end.isoformat(),
                "sleep_phase_5_min": "4" * 2 + "1" * 12 + "2" * (epochs - 14),
                "type": "long_sleep",
                "latency": 600,
            }
        )
    path.write_text(json.dumps({"data": documents, "next_token": None}))
    return path


def third(study: Study) -> dict[str, Any]:
    """The third night as the study tells it."""
    nights = read_nights(study)
    assert nights["night"].n_unique() == nights.height
    return nights.sort("night").row(2, named=True)


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_night_that_the_vendor_shortened_is_shorter(
    study: Study, tmp_path: Path, order: tuple[int, int], ids: bool
) -> None:
    """The newer export stands, whichever is imported first, with the vendor's id and without one."""
    both = (
        export(tmp_path / "old.json", ids=ids),
        export(tmp_path / "new.json", ids=ids, nights=NIGHTS + 1, shorter_min=60, later_min=20),
    )
    for which in order:
        import_exports(study, [both[which]])
    assert third(study)["tst_min"] == 8 * 60 - 80 - 10
    assert read_nights(study).height == NIGHTS + 1


@pytest.mark.parametrize("ids", [True, False])
def test_a_correction_of_the_same_day_stands_and_is_told(study: Study, tmp_path: Path, ids: bool) -> None:
    """Both exports end with one night: the one imported later is taken for the newer, and the import says so."""
    import_exports(study, [export(tmp_path / "old.json", ids=ids)])
    mended = export(tmp_path / "new.json", ids=ids, shorter_min=60)
    dry, summary = preview_in_study(study, [mended]), import_exports(study, [mended])
    assert third(study)["tst_min"] == 7 * 60 - 10
    assert dry.notes[0] == summary.notes[0]
    assert summary.notes[0].startswith("1 session that stood differs in what is imported now. The later import stands")
    again = import_exports(study, [mended])
    assert not any("differ" in note for note in again.notes)


@pytest.mark.parametrize("ids", [True, False])
def test_an_older_export_that_is_imported_late_is_told_to_differ(study: Study, tmp_path: Path, ids: bool) -> None:
    """What does not stand is not left out in silence; what tells the same is not worth a word."""
    newer = export(tmp_path / "new.json", ids=ids, nights=NIGHTS + 1, shorter_min=60)
    assert not any("differ" in note for note in import_exports(study, [newer]).notes)
    summary = import_exports(study, [export(tmp_path / "old.json", ids=ids)])
    assert third(study)["tst_min"] == 7 * 60 - 10
    assert "1 session of what is imported now differs from what stands, and does not stand" in summary.notes[0]
    same = export(tmp_path / "same.json", ids=ids, nights=NIGHTS - 1, shorter_min=60)
    assert not any("differ" in note for note in import_exports(study, [same]).notes)


def test_two_exports_of_one_command_that_differ_are_told(study: Study, tmp_path: Path) -> None:
    """The first import of all may bring two versions of a night; that one does not stand is told too."""
    both = [export(tmp_path / "old.json"), export(tmp_path / "new.json", nights=NIGHTS + 1, shorter_min=60)]
    summary = import_exports(study, both)
    assert third(study)["tst_min"] == 7 * 60 - 10
    assert "1 session of what is imported now differs from what stands" in summary.notes[0]


def test_a_night_scored_anew_within_its_bounds_is_told(study: Study, tmp_path: Path) -> None:
    """A vendor that changes stages and no times is told of like one that changes times."""
    old = export(tmp_path / "old.json")
    import_exports(study, [old])
    (tmp_path / "new.json").write_text(old.read_text().replace("44111", "44211"))
    summary = import_exports(study, [tmp_path / "new.json"])
    assert f"{NIGHTS} sessions that stood differ" in summary.notes[0]
    assert third(study)["deep_min"] == 55


def test_a_coarser_version_is_told_where_its_times_differ(study: Study, tmp_path: Path) -> None:
    """A newer export that knows a night by its sums alone does not take its stages away, but its times are told of."""
    import_exports(study, [export(tmp_path / "old.json")])
    for shorter_min, told in ((0, False), (60, True)):
        path = export(tmp_path / f"{shorter_min}.json", nights=NIGHTS + 1, shorter_min=shorter_min)
        newer = json.loads(path.read_text())
        newer["data"][2] |= {"sleep_phase_5_min": None, "deep_sleep_duration": 3600, "light_sleep_duration": 18_000}
        newer["data"][2] |= {"rem_sleep_duration": 3600, "awake_time": 600, "total_sleep_duration": 25_200}
        path.write_text(json.dumps(newer))
        summary = import_exports(study, [path])
        assert third(study)["tst_min"] == 8 * 60 - 10
        assert any("1 session of what is imported now differs" in note for note in summary.notes) is told


def test_a_night_dated_after_the_import_does_not_make_its_export_the_newest(study: Study, tmp_path: Path) -> None:
    """One record of 2098 in the first export, and the second export's corrections stand all the same."""
    old, new = export(tmp_path / "old.json"), export(tmp_path / "new.json", nights=NIGHTS + 1, shorter_min=60)
    poisoned = json.loads(old.read_text())
    clock = {"id": "clock", "bedtime_start": "2098-01-01T23:00:00+01:00", "bedtime_end": "2098-01-02T07:00:00+01:00"}
    poisoned["data"].append(poisoned["data"][0] | clock)
    old.write_text(json.dumps(poisoned))
    import_exports(study, [old])
    import_exports(study, [new])
    assert third(study)["tst_min"] == 7 * 60 - 10


def test_an_older_export_keeps_what_the_newer_does_not_reach(study: Study, tmp_path: Path) -> None:
    """Only the time that the newer export covers is the newer's: nights before its first stay."""
    import_exports(study, [export(tmp_path / "old.json", ids=False)])
    newer = json.loads(export(tmp_path / "new.json", ids=False, nights=NIGHTS + 1).read_text())
    newer["data"] = newer["data"][-2:]
    (tmp_path / "new.json").write_text(json.dumps(newer))
    import_exports(study, [tmp_path / "new.json"])
    assert read_nights(study).height == NIGHTS + 1


def test_a_better_reader_supersedes_the_older_reading(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same export read by a newer connector replaces what the older one made of it; both stay on record."""
    path = export(tmp_path / "one.json")
    import_exports(study, [path])
    monkeypatch.setattr(type(CONNECTOR), "version", "999")
    import_exports(study, [path])
    assert [one.retracted for one in list_imports(study)] == [True, False]
    assert read_nights(study)["tst_min"].to_list() == pl.Series([470.0] * NIGHTS).to_list()


def csv_of(path: Path, *bounds: tuple[str, str], nights: int = 12, first: int = 1, source: str = "") -> Path:
    """A table of nights that begin and end at these times in turn, with an offset of their own."""
    rows = []
    for number in range(nights):
        evening = date(2026, 2, first) + timedelta(days=number)
        begins, ends = bounds[number % len(bounds)]
        morning = evening + timedelta(days=1)
        rows.append(f"{evening:%Y-%m-%d}T{begins}:00+01:00,{morning:%Y-%m-%d}T{ends}:00+01:00,300{source}")
    path.write_text("\n".join([f"start,end,tst_min{',source' if source else ''}", *rows]) + "\n")
    return path


MINE = [("22:50", "06:40"), ("23:20", "07:05"), ("23:05", "06:30")]
YOURS = [("23:00", "07:30"), ("22:10", "07:00"), ("23:50", "06:35")]


def two_people(notes: list[str]) -> list[str]:
    """What notes say of two people."""
    return [note for note in notes if "two people's nights" in note]


@pytest.mark.parametrize("at_once", [False, True])
def test_another_person_s_nights_of_the_same_app_look_like_two_people(
    study: Study, tmp_path: Path, at_once: bool
) -> None:
    """Whether one after the other or in one command: the import says so with the numbers, and refuses nothing."""
    mine, yours = csv_of(tmp_path / "mine.csv", *MINE), csv_of(tmp_path / "yours.csv", *YOURS, first=7)
    if at_once:
        (told,) = two_people(import_exports(study, [mine, yours]).notes)
    else:
        import_exports(study, [mine])
        (told,) = two_people(preview_in_study(study, [yours]).notes)
        assert two_people(import_exports(study, [yours]).notes) == [told]
    assert "of 6 nights that an earlier import tells too, 6 begin or end" in told
    assert len(list_imports(study)) == 2


def test_a_person_s_own_later_export_does_not_look_like_two(study: Study, tmp_path: Path) -> None:
    """Though the vendor moved all bounds by some minutes, and two nights by hours."""
    import_exports(study, [csv_of(tmp_path / "mine.csv", *MINE)])
    moved = [*((f"{begins[:3]}{int(begins[3:]) + 8:02}", ends) for begins, ends in MINE * 2), ("20:00", "06:00")]
    later = import_exports(study, [csv_of(tmp_path / "later.csv", *moved, nights=16)])
    assert "differ from what stands" in " ".join(later.notes) or "that stood differ" in " ".join(later.notes)
    assert two_people(later.notes) == []
