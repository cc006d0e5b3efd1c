"""Exports named in one command: parts of one download are read as one, everything else by itself."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.cases import ZONE, write_export

from nof1.connect.connector import Found, Imported, ReadOptions
from nof1.errors import ConnectorFailedError, DataError
from nof1.sleep.session import Sessions
from nof1.store.sessions import scan_sessions
from nof1.store.state import admitted_files
from nof1.study.imports import import_exports, list_imports, preview_exports
from nof1.study.study import Study, create_study
from nof1_connectors.fitbit.connector import FitbitConnector

FOLDER = "Takeout/Fitbit/Health Fitness Data_GoogleData"
SLEEPS = (
    "sleep_id,sleep_type,minutes_asleep,start_utc_offset,sleep_start,end_utc_offset,sleep_end,data_source,"
    "algorithm_version,sleep_last_updated\n"
)
STAGES = (
    "sleep_id,sleep_stage_id,sleep_stage_type,start_utc_offset,sleep_stage_start,end_utc_offset,sleep_stage_end,"
    "data_source,algorithm_version\n"
)


def sleeps(*days: int) -> dict[str, str]:
    """The nights that end on these days of January, by the name of their table."""
    rows = [
        f"{day},STAGES,420,+01:00,2026-01-{day:02} 00:00:00+0000,+01:00,2026-01-{day:02} 07:00:00+0000,DERIVED,"
        f"sleep_session_v2,2026-01-{day:02} 08:00:00+0000\n"
        for day in days
    ]
    return {f"{FOLDER}/UserSleeps_2026-01-{days[0]:02}.csv": SLEEPS + "".join(rows)}


def stages(*days: int, until: int = 7) -> dict[str, str]:
    """Their stages, seven hours in one piece each, in the other table."""
    rows = [
        f"{day},9{day},LIGHT,+01:00,2026-01-{day:02} 00:00:00+0000,+01:00,2026-01-{day:02} {until:02}:00:00+0000,"
        "DERIVED,sleep_stages_v2\n"
        for day in days
    ]
    return {f"{FOLDER}/UserSleepStages_2026-01-{days[0]:02}.csv": STAGES + "".join(rows)}


PHOTOS = {"Takeout/Google Photos/metadata.json": '{"title": "a beach"}'}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """An empty study."""
    return create_study(tmp_path / "study", zone=ZONE)


@pytest.fixture
def part(tmp_path: Path) -> Callable[..., Path]:
    """Write a zip archive of texts by name."""

    def write(number: int, *contents: dict[str, str]) -> Path:
        path = tmp_path / f"takeout-20260201T000000Z-{number:03}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for content in contents:
                for name, text in content.items():
                    archive.writestr(name, text)
        return path

    return write


def staged(study: Study) -> list[tuple[int, str]]:
    """The nights that the study holds: the day each ends, and how finely it is staged."""
    with study.record() as record:
        table = scan_sessions(study.folder, admitted_files(record, "P01")).collect()
    days = table.with_columns(day=pl.col("end").dt.day()).sort("day")
    return [(row["day"], str(row["staging"])) for row in days.iter_rows(named=True)]


def test_stages_of_another_part_find_their_nights(study: Study, part: Callable[..., Path]) -> None:
    """Nights in one part and their stages in another meet, though neither part tells them alone."""
    summary = import_exports(study, [part(1, sleeps(5, 6)), part(2, stages(5, 6))])
    assert staged(study) == [(5, "stages"), (6, "stages")]
    (file,) = summary.files
    assert (file.accepted, file.rejected, file.skipped) == (2, 0, [])
    with_photos = preview_exports([part(1, sleeps(5, 6)), part(3, PHOTOS), part(2, stages(5, 6))])
    assert [one["member"][-7:] for one in with_photos.files[0].skipped] == ["003.zip"]
    assert file.path.endswith("Z-002.zip")
    assert ", " in file.path


def test_parts_that_could_be_read_alone_are_joined_where_that_tells_more(
    study: Study, part: Callable[..., Path]
) -> None:
    """Alone the second part's nights have stages and the first part's do not."""
    import_exports(study, [part(1, sleeps(5, 6)), part(2, stages(5, 6), sleeps(7), stages(7))])
    assert staged(study) == [(5, "stages"), (6, "stages"), (7, "stages")]


def test_parts_are_the_import_of_one_folder(study: Study, part: Callable[..., Path], tmp_path: Path) -> None:
    """In any order, unpacked into one folder, in one zip, with a part of photographs: it is one and the same import."""
    first, second = part(1, sleeps(5, 6)), part(2, stages(5, 6))
    import_exports(study, [first, second])
    for archive in (first, second):
        zipfile.ZipFile(archive).extractall(tmp_path / "unpacked")
    whole, photos = part(3, sleeps(5, 6), stages(5, 6)), part(4, PHOTOS)
    for again in ([second, first], [tmp_path / "unpacked"], [whole], [first, photos, second]):
        assert import_exports(study, again).files[0].already_imported
    assert len(list_imports(study)) == 1


def test_two_downloads_stay_two_imports(study: Study, part: Callable[..., Path]) -> None:
    """Joined they would tell no more: so the later corrects the earlier, and either can be retracted."""
    import_exports(study, [part(1, sleeps(5), stages(5)), part(2, sleeps(5, 6), stages(5, 6))])
    assert len(list_imports(study)) == 2
    assert {stage for _, stage in staged(study)} == {"stages"}


def test_two_downloads_that_contradict_each_other_lose_nothing(study: Study, part: Callable[..., Path]) -> None:
    """Stages that the vendor changed between two downloads are no reason to reject the night, as joining them would."""
    summary = import_exports(study, [part(1, sleeps(5), stages(5, until=6)), part(2, sleeps(5, 6), stages(5, 6))])
    assert (summary.rejected, len(summary.files)) == (0, 2)


def test_a_part_that_stays_unread_is_told(study: Study, part: Callable[..., Path]) -> None:
    """A part without sleep among parts with it is named, and so are stages whose nights have theirs already."""
    summary = import_exports(study, [part(1, sleeps(5), stages(5)), part(2, PHOTOS), part(3, stages(5))])
    (file,) = summary.files
    assert [(one["member"].rpartition("/")[2], one["reason"][:28]) for one in file.skipped] == [
        ("UserSleepStages_2026-01-05.csv", "it goes with nights that tak"),
        ("takeout-20260201T000000Z-002.zip", "it lies in the same folders "),
    ]


def test_what_is_rejected_in_a_part_is_named_with_it(part: Callable[..., Path]) -> None:
    """Two parts may hold tables of one name: the part stands before it."""
    bad = {name: text.replace("05 07:00", "05 0x:00") for name, text in sleeps(5, 6).items()}
    (file,) = preview_exports([part(1, bad), part(2, stages(6))]).files
    assert file.because.startswith("takeout-20260201T000000Z-001.zip/Takeout/")
    assert [one["first_record"].partition("/")[0] for one in file.reasons] == ["takeout-20260201T000000Z-001.zip"]


def test_another_vendor_s_export_beside_parts_is_an_import_of_its_own(
    study: Study, part: Callable[..., Path], tmp_path: Path
) -> None:
    """It is neither joined nor named with them."""
    table = tmp_path / "mine.csv"
    table.write_text("night,tst_min,deep_min\n2026-01-09,400,80\n")
    summary = import_exports(study, [part(1, sleeps(5, 6)), table, part(2, stages(5, 6))])
    told = {file.connector: file.path for file in summary.files}
    assert told.keys() == {"fitbit", "generic_csv"}
    assert (told["generic_csv"], "mine" in told["fitbit"]) == (str(table), False)


@pytest.mark.parametrize("fault", ["raises", "gives nothing", "gives another table"])
def test_a_connector_that_fails_at_reading_is_named(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Its mistake is an error that names it, and the study stays as it was."""

    def read(_self: object, _found: object, _options: ReadOptions) -> Any:
        if fault == "raises":
            raise ZeroDivisionError("a night of no length")
        return None if fault == "gives nothing" else Imported(sessions=pl.DataFrame({"a": []}), read=0)  # type: ignore[arg-type]

    monkeypatch.setattr(FitbitConnector, "read", read)
    before = sorted(study.folder.path.rglob("*"))
    with pytest.raises(ConnectorFailedError, match=r"'fitbit' \(nof1_connectors\.fitbit.*Nothing was stored"):
        import_exports(study, [write_export(tmp_path / "takeout.zip", 3)])
    assert sorted(study.folder.path.rglob("*")) == before
    assert list_imports(study) == []


def test_a_damaged_part_refuses_all(study: Study, part: Callable[..., Path]) -> None:
    """Nights would be missing, and nobody would know."""
    first, second = part(1, sleeps(5, 6)), part(2, stages(5, 6))
    second.write_bytes(second.read_bytes().replace(b"LIGHT", b"LIGHX", 1))
    with pytest.raises(DataError, match="UserSleepStages_2026-01-05"):
        import_exports(study, [first, second])
    assert list_imports(study) == []


def test_parts_beside_another_download_lose_no_night_and_are_told(study: Study, part: Callable[..., Path]) -> None:
    """All joined would reject the night that was revised: so none is, and the message says how to read the parts."""
    old, new = (part(1, sleeps(5, 6)), part(2, stages(5, 6, until=6))), part(3, sleeps(6, 7), stages(6, 7))
    summary = import_exports(study, [*old, new])
    assert staged(study) == [(5, "totals"), (6, "stages"), (7, "stages")]
    (skipped,) = (one for file in summary.files for one in file.skipped)
    assert "takeout-20260201T000000Z-002.zip does not hold" in skipped["reason"]
    assert "again, in a command without the other exports" in skipped["reason"]
    import_exports(study, old)
    assert staged(study) == [(5, "stages"), (6, "stages"), (7, "stages")]


def test_parts_that_cannot_be_read_as_one_are_read_apart(
    study: Study, part: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is sound by itself: then they were no parts, and no reason to refuse them."""
    read = FitbitConnector.read

    def refuse_joined(self: FitbitConnector, found: Found, options: ReadOptions) -> Imported:
        if any(member.name.startswith("takeout-") for members in found.values() for member in members):
            raise DataError("they contradict each other")
        return read(self, found, options)

    monkeypatch.setattr(FitbitConnector, "read", refuse_joined)
    import_exports(study, [part(1, sleeps(5, 6)), part(2, stages(5, 6), sleeps(7), stages(7))])
    assert staged(study) == [(5, "totals"), (6, "totals"), (7, "stages")]


def test_parts_that_tell_the_zone_together_are_joined(
    part: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a night was slept is worth as much as its stages."""
    read = FitbitConnector.read

    def place_by_the_other(self: FitbitConnector, found: Found, options: ReadOptions) -> Imported:
        imported = read(self, {**found, "stages": ()}, options)
        if found["stages"]:
            return imported
        stated = imported.sessions.with_columns(zone=pl.lit(ZONE), zone_source=pl.lit("option"))
        return Imported(sessions=Sessions.cast(stated), read=imported.read)

    monkeypatch.setattr(FitbitConnector, "read", place_by_the_other)
    (file,) = preview_exports([part(1, sleeps(5, 6)), part(2, stages(5, 6))], zone=ZONE).files
    assert ", " in file.path


def test_parts_of_one_name_are_told_by_their_paths(part: Callable[..., Path], tmp_path: Path) -> None:
    """Two folders may hold a takeout.zip each: the name alone would not say which is meant."""
    paths = [tmp_path / folder / "takeout.zip" for folder in ("one", "other")]
    for number, (path, content) in enumerate(zip(paths, (sleeps(5, 6), stages(5, 6)), strict=True)):
        path.parent.mkdir()
        part(number, content).rename(path)
    (file,) = preview_exports(paths).files
    assert file.because.startswith(f"{paths[0]}/Takeout/")


def another_download(number: int, *contents: dict[str, str]) -> list[dict[str, str]]:
    """The same files in a folder of another name, as people unpack and pack them anew."""
    return [{name.replace("Takeout/", f"Later {number}/"): text for name, text in one.items()} for one in contents]


def test_the_parts_of_one_folder_are_joined_beside_another_download(study: Study, part: Callable[..., Path]) -> None:
    """Where folders tell which belong together nobody has to import again; and the other download stays by itself."""
    old = (part(1, sleeps(5, 6)), part(2, stages(5, 6, until=6)))
    new = part(3, *another_download(3, sleeps(6, 7), stages(6, 7)))
    for order in ([*old, new], [old[1], new, old[0]]):
        told: list[tuple[int, int]] = []
        summary = preview_exports(order, progress=lambda _, done, total, told=told: told.append((done, total)))
        assert told[-1][0] == told[-1][1]
        assert sorted(file.path.count(", ") for file in summary.files) == [0, 1]
        assert [file.skipped for file in summary.files] == [[], []]
    import_exports(study, [*old, new])
    assert staged(study) == [(5, "stages"), (6, "stages"), (7, "stages")]
    assert len(list_imports(study)) == 2


def test_parts_of_two_folders_are_still_joined_where_that_tells_more(study: Study, part: Callable[..., Path]) -> None:
    """The stages were unpacked from their folder, beside two parts that were not."""
    moved = part(3, *another_download(3, stages(5, 6)))
    summary = import_exports(study, [part(1, sleeps(5)), part(2, sleeps(6)), moved])
    assert staged(study) == [(5, "stages"), (6, "stages")]
    (file,) = summary.files
    assert (file.path.count(", "), file.skipped) == (2, [])


def test_a_lone_part_beside_parts_of_another_folder_is_told(part: Callable[..., Path]) -> None:
    """Its stages go with nights that are not here."""
    lone = part(3, *another_download(3, stages(9)))
    summary = preview_exports([part(1, sleeps(5, 6)), part(2, stages(5, 6)), lone])
    (skipped,) = (one for file in summary.files for one in file.skipped)
    assert "takeout-20260201T000000Z-003.zip does not hold" in skipped["reason"]
