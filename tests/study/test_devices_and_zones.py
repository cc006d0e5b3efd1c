"""Later exports tell more than earlier ones: which device a night was recorded by, or new nights in another zone."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.cases import ZONE
from tests.connectors.nights import Night
from tests.connectors.withings.writer import mat_chunks, night_row, night_table, raw_table, watch_chunks

from nof1.errors import UsageError
from nof1.store.sessions import scan_sessions
from nof1.store.state import admitted_files, chosen_stream
from nof1.study.imports import import_exports, list_imports, preview_in_study, retract_import
from nof1.study.nights import read_nights
from nof1.study.study import Study, create_study
from nof1.study.trials import start_trial
from nof1.trial.safety import SafetyAnswers
from nof1_connectors.generic_csv import CONNECTOR as GENERIC

STAGES = (("wake", 15), ("light", 150), ("deep", 80), ("rem", 70), ("light", 120))
NIGHTS = [Night(datetime(2026, 1, 5 + day, 22, tzinfo=UTC), STAGES) for day in range(20)]
RAW = {"tracker": watch_chunks, "bed": mat_chunks}
AWAY = "America/New_York"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """An empty study, a month before its trial begins."""
    return create_study(tmp_path / "study", zone=ZONE, clock=lambda: datetime(2026, 12, 1, 12, tzinfo=UTC))


def account(folder: Path, nights: Sequence[Night], **raw: Sequence[Night]) -> Path:
    """A Withings account export of some nights, with the raw states that each kind of device told."""
    folder.mkdir()
    (folder / "sleep.csv").write_text(night_table([night_row(night) for night in nights]))
    for kind, seen in raw.items():
        states = raw_table([chunk for night in seen for chunk in RAW[kind](night)])
        (folder / f"raw_{kind}_sleep-state.csv").write_text(states)
    return folder


def standing(study: Study) -> pl.DataFrame:
    """Every session of the study."""
    with study.record() as record:
        return scan_sessions(study.folder, admitted_files(record, "P01")).collect()


def stream_of(study: Study) -> str:
    """The stream that the study uses."""
    with study.record() as record:
        chosen = chosen_stream(record, "P01")
    assert chosen is not None
    return chosen.stream


def begin_trial(study: Study) -> None:
    """Begin a trial, from when on the stream stays."""
    start_trial(study, "magnesium-or-none", on=date(2027, 1, 1), open_label=True, safety=SafetyAnswers())


# Devices


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_nights_without_raw_files_are_those_of_the_device_that_tells_them(
    study: Study, tmp_path: Path, order: tuple[int, int]
) -> None:
    """sleep.csv alone and the whole archive, in any order: one stream, every night once, with its stages."""
    both = (account(tmp_path / "bare", NIGHTS), account(tmp_path / "whole", NIGHTS, tracker=NIGHTS, bed=[]))
    for which in order:
        import_exports(study, [both[which]])
    assert standing(study).select("stream", "staging").unique().rows() == [("withings/tracker", "stages")]
    assert (stream_of(study), read_nights(study).height) == ("withings/tracker", len(NIGHTS))


def test_later_nights_without_raw_files_go_with_the_rest(study: Study, tmp_path: Path) -> None:
    """A trial that began on the whole archive does not lose the nights of a later sleep.csv alone."""
    import_exports(study, [account(tmp_path / "whole", NIGHTS[:12], tracker=NIGHTS[:12])])
    begin_trial(study)
    bare = account(tmp_path / "bare", NIGHTS)
    dry = preview_in_study(study, [bare])
    summary = import_exports(study, [bare])
    assert (dry.nights, summary.nights, summary.new_sessions) == (20, 20, 8)
    assert dry.notes[0] == summary.notes[0]
    assert summary.notes[0].startswith("8 sessions are taken for withings/tracker: no export tells the device")
    assert summary.streams == {"withings/tracker": 20}
    assert read_nights(study).height == 20
    assert import_exports(study, [bare]).new_sessions == 0


def test_a_running_trial_goes_along_when_its_device_becomes_known(study: Study, tmp_path: Path) -> None:
    """A trial on sleep.csv alone keeps its nights, their deep sleep and latency, when the raw files come."""
    import_exports(study, [account(tmp_path / "bare", NIGHTS[:12])])
    begin_trial(study)
    before = read_nights(study)
    assert stream_of(study) == "withings/unknown"
    summary = import_exports(study, [account(tmp_path / "whole", NIGHTS, bed=NIGHTS)])
    after = read_nights(study)
    assert (summary.stream, stream_of(study), after.height) == ("withings/bed", "withings/bed", 20)
    same = ("night", "tst_min", "deep_min", "sol_min", "sol_source")
    assert after.select(same).head(12).equals(before.select(same))


def test_a_trial_goes_with_its_own_nights_and_no_others(study: Study, tmp_path: Path) -> None:
    """When other nights of a mat are told, a trial whose nights nobody can place stays with them."""
    import_exports(study, [account(tmp_path / "bare", NIGHTS[:10])])
    begin_trial(study)
    import_exports(study, [account(tmp_path / "whole", NIGHTS[10:], bed=NIGHTS[10:])])
    assert (stream_of(study), read_nights(study).height) == ("withings/unknown", 10)


def test_of_two_devices_each_keeps_its_nights(study: Study, tmp_path: Path) -> None:
    """Where mat and watch are both known, a night that neither tells belongs to nobody; it is never given to one."""
    mat, watch = NIGHTS[:9], NIGHTS[9:15]
    import_exports(study, [account(tmp_path / "bare", NIGHTS)])
    begin_trial(study)
    import_exports(study, [account(tmp_path / "whole", NIGHTS[:15], bed=mat, tracker=watch)])
    counts = dict(standing(study).group_by("stream").len().iter_rows())
    assert counts == {"withings/bed": 9, "withings/tracker": 6, "withings/unknown": 5}
    assert (stream_of(study), read_nights(study).height) == ("withings/bed", 9)


def test_nights_that_were_taken_for_the_wrong_device_go_to_their_own_and_it_is_told(
    study: Study, tmp_path: Path
) -> None:
    """What nof1 inferred is undone by the archive of the other device, and the person learns of both."""
    import_exports(study, [account(tmp_path / "mat", NIGHTS[:10], bed=NIGHTS[:10])])
    inferred = import_exports(study, [account(tmp_path / "bare", NIGHTS)])
    assert "10 sessions are taken for withings/bed" in inferred.notes[0]
    told = import_exports(study, [account(tmp_path / "watch", NIGHTS[10:], tracker=NIGHTS[10:])])
    assert "10 sessions that nof1 had taken for withings/bed belong to withings/tracker" in told.notes[0]
    assert not any("are taken for" in note or "differ" in note for note in told.notes)
    assert dict(standing(study).group_by("stream").len().iter_rows()) == {"withings/bed": 10, "withings/tracker": 10}


def test_what_an_archive_with_raw_files_calls_unknown_stays_unknown(study: Study, tmp_path: Path) -> None:
    """The archive looked and found no states: such a night was not recorded by the watch, and no export makes it so."""
    whole = account(tmp_path / "whole", NIGHTS[:10], tracker=NIGHTS[:9])
    import_exports(study, [whole])
    import_exports(study, [account(tmp_path / "bare", NIGHTS[:12])])
    counts = dict(standing(study).group_by("stream").len().iter_rows())
    assert counts == {"withings/tracker": 11, "withings/unknown": 1}


# Zones


def diary(path: Path, nights: int) -> Path:
    """A table of nights on the wall clock, which says nothing of where it hung."""
    evenings = [date(2026, 2, 1) + timedelta(day) for day in range(nights)]
    path.write_text("night,start,end,tst_min\n" + "".join(f"{day},23:00,07:00,400\n" for day in evenings))
    return path


def test_who_moves_keeps_the_old_nights_where_they_were(study: Study, tmp_path: Path) -> None:
    """A cumulative export in a new zone: new nights are read there, old ones stay, and both are told in words."""
    import_exports(study, [diary(tmp_path / "old.csv", 5)])
    new = diary(tmp_path / "new.csv", 8)
    dry, summary = preview_in_study(study, [new], zone=AWAY), import_exports(study, [new], zone=AWAY)
    assert standing(study)["zone"].to_list() == [ZONE] * 5 + [AWAY] * 3
    assert standing(study)["start"].dt.hour().to_list() == [22] * 5 + [4] * 3
    assert summary.new_sessions == 3
    assert dry.notes[0] == summary.notes[0]
    assert f"5 sessions of {new} stood already, read in {ZONE}" in summary.notes[0]
    assert f"3 new sessions are read in {AWAY}" in summary.notes[0]


def test_back_at_home_the_nights_away_stay_away(study: Study, tmp_path: Path) -> None:
    """The next export without --zone changes neither the nights at home nor those of the journey."""
    import_exports(study, [diary(tmp_path / "old.csv", 5)])
    import_exports(study, [diary(tmp_path / "away.csv", 8)], zone=AWAY)
    summary = import_exports(study, [diary(tmp_path / "home.csv", 9)])
    assert standing(study)["zone"].to_list() == [ZONE] * 5 + [AWAY] * 3 + [ZONE]
    assert "3 sessions of" in summary.notes[0]


def test_another_zone_with_nothing_new_is_refused(study: Study, tmp_path: Path) -> None:
    """The same nights in another zone, in the same file or another, are a correction: the message says how."""
    import_exports(study, [diary(tmp_path / "old.csv", 5)])
    (first,) = list_imports(study)
    for again in (tmp_path / "old.csv", diary(tmp_path / "fewer.csv", 4)):
        for do in (import_exports, preview_in_study):
            with pytest.raises(UsageError, match=f"the zone {ZONE}.*nof1 retract {first.key[:8]}"):
                do(study, [again], zone=AWAY)
    assert len(list_imports(study)) == 1


def test_a_wrong_zone_is_mended_by_retracting_it(study: Study, tmp_path: Path) -> None:
    """Once the import in the wrong zone is withdrawn, the later one speaks for all its nights."""
    import_exports(study, [diary(tmp_path / "old.csv", 5)])
    (first,) = list_imports(study)
    import_exports(study, [diary(tmp_path / "new.csv", 8)], zone=AWAY)
    retract_import(study, first.key, reason="wrong zone")
    assert standing(study)["zone"].to_list() == [AWAY] * 8


def test_a_newer_reading_of_the_first_import_keeps_its_place(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read again by a newer connector after the move, the old nights still stand where they were slept."""
    import_exports(study, [diary(tmp_path / "old.csv", 5)])
    import_exports(study, [diary(tmp_path / "new.csv", 8)], zone=AWAY)
    monkeypatch.setattr(type(GENERIC), "version", "999")
    import_exports(study, [tmp_path / "old.csv"])
    assert standing(study)["zone"].to_list() == [ZONE] * 5 + [AWAY] * 3


def test_however_often_it_is_read_anew_the_first_import_keeps_its_place(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two newer connectors after each other, a journey between them: the old nights stand where they were slept."""
    import_exports(study, [diary(tmp_path / "old.csv", 5)])
    monkeypatch.setattr(type(GENERIC), "version", "998")
    import_exports(study, [diary(tmp_path / "new.csv", 8)], zone=AWAY)
    for version in ("998", "999"):
        monkeypatch.setattr(type(GENERIC), "version", version)
        import_exports(study, [tmp_path / "old.csv"])
    assert standing(study)["zone"].to_list() == [ZONE] * 5 + [AWAY] * 3


def test_what_was_withdrawn_and_is_imported_again_comes_last(study: Study, tmp_path: Path) -> None:
    """Withdrawing an import gives up its place: what was imported meanwhile stated the zone of its nights first."""
    old = diary(tmp_path / "old.csv", 5)
    import_exports(study, [old])
    (first,) = list_imports(study)
    later = diary(tmp_path / "new.csv", 8)
    lines = later.read_text().splitlines()
    later.write_text("\n".join([lines[0], *lines[3:]]) + "\n")
    import_exports(study, [later], zone=AWAY)
    retract_import(study, first.key, reason="wrong zone")
    import_exports(study, [old])
    assert standing(study)["zone"].to_list() == [ZONE] * 2 + [AWAY] * 6


def revised(path: Path, nights: int, third: str) -> Path:
    """A table of stages on the wall clock, of which the third night begins at another time."""
    rows = ["start,end,stage"]
    for day in range(nights):
        begins = f"{date(2026, 2, 1) + timedelta(day)}T{third if day == 2 else '23:00'}"
        deep, ends = (f"{date(2026, 2, 2) + timedelta(day)}T{clock}" for clock in ("01:00", "07:00"))
        rows += [f"{begins},{deep},deep", f"{deep},{ends},light"]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("zone", [AWAY, "Asia/Tokyo"])
def test_a_night_revised_after_a_move_is_one_night(study: Study, tmp_path: Path, zone: str) -> None:
    """Read in a zone to the west or to the east, the revised night replaces the old one and keeps its length."""
    import_exports(study, [revised(tmp_path / "old.csv", 5, "23:00")])
    summary = import_exports(study, [revised(tmp_path / "new.csv", 8, "23:20")], zone=zone)
    nights = read_nights(study)
    assert nights.height == 8
    assert nights["tst_min"].to_list() == [480.0] * 2 + [460.0] + [480.0] * 5
    assert any("1 session that stood differs" in note for note in summary.notes)


def test_an_export_that_tells_its_zone_may_be_imported_under_any(study: Study, tmp_path: Path) -> None:
    """Where every time has its offset the stated zone means nothing, and nothing is refused or told."""
    path = tmp_path / "told.csv"
    path.write_text("start,end,tst_min\n2026-03-01T23:00+01:00,2026-03-02T07:00+01:00,400\n")
    import_exports(study, [path])
    summary = import_exports(study, [path], zone=AWAY)
    assert (summary.new_sessions, standing(study).height) == (0, 1)
    assert not any("stood already" in note for note in summary.notes)
