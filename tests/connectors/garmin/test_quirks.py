"""Quirks of Garmin's records, one at a time."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.garmin import writer
from tests.connectors.nights import NIGHTS

from nof1.connect.connector import Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.errors import DataError, UsageError
from nof1_connectors.garmin.archive import parse_night
from nof1_connectors.garmin.connect import parse_response

OPTIONS = ReadOptions(participant="P07", zone="Europe/Berlin", zone_source="option")
NIGHT = NIGHTS[0]


def archived(**changed: Any) -> dict[str, Any]:
    """A night of the archive with some fields changed."""
    return writer.archived(NIGHT) | changed


def response(**changed: Any) -> dict[str, Any]:
    """A response of Garmin Connect with some fields of its night changed."""
    told = writer.response(NIGHT)
    return told | {"dailySleepDTO": told["dailySleepDTO"] | changed}


def read(path: Path, **how: Any) -> Imported:
    """Read an export."""
    with Export(path) as export:
        (claim,) = recognise(export, "garmin", **how)
        return claim.read(OPTIONS)


@pytest.mark.parametrize("word", ["AUTO_CONFIRMED", "UNCONFIRMED", "OFF_WRIST", "A_NEW_WORD", None, 7])
def test_no_word_of_confirmation_drops_a_night(word: object) -> None:
    """Whatever stands in sleepWindowConfirmationType, the night is kept."""
    assert parse_night(archived(sleepWindowConfirmationType=word), {}, OPTIONS).row["totals"]["asleep_s"] == 380 * 60
    assert parse_response(response(sleepWindowConfirmationType=word), OPTIONS).row["staging"] == "stages"


def test_every_session_says_that_it_starts_at_onset() -> None:
    """The start of a Garmin recording is offered to nobody as lights out."""
    for row in (parse_night(archived(), {}, OPTIONS).row, parse_response(response(), OPTIONS).row):
        assert row["flags"] == ["starts_at_onset"]
        assert (row["in_bed"], row["vendor_sol_s"]) == (None, None)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (dict.fromkeys(writer.sums(NIGHT)), "it holds no sleep"),
        (dict.fromkeys(writer.sums(NIGHT), 0), "it holds no sleep"),
        ({"deepSleepSeconds": None}, "sums of deep and light sleep is missing"),
        ({"deepSleepSeconds": -60}, "not a night as nof1 knows it"),
        ({"deepSleepSeconds": 40_000}, "its deep time of 40,000 s does not fit"),
        ({"sleepStartTimestampGMT": "yesterday"}, "'yesterday' is not a time"),
        ({"sleepEndTimestampGMT": "2025-03-10T20:00:00.0"}, "ends before it starts"),
    ],
)
def test_a_night_that_cannot_be_used_says_why(changed: dict[str, Any], reason: str) -> None:
    """Nothing measured is no sleep, never a night of zero minutes; other faults are named."""
    with pytest.raises(ValueError, match=reason):
        parse_night(archived(**changed), {}, OPTIONS)


def test_a_day_told_differently_twice_tells_nothing(tmp_path: Path) -> None:
    """Two offsets for one date leave the night to the stated zone."""
    days = [writer.day(NIGHT), writer.day(NIGHT) | {"wellnessStartTimeLocal": "2025-03-10T18:00:00.0"}]
    (tmp_path / "UDSFile.json").write_text(json.dumps(days))
    (tmp_path / "10_sleepData.json").write_text(json.dumps([archived()]))
    imported = read(tmp_path)
    assert imported.sessions["zone_source"].to_list() == ["option"]


def test_days_alone_are_no_sleep(tmp_path: Path) -> None:
    """The file of days is read for the nights' sake, and not without them."""
    (tmp_path / "UDSFile.json").write_text(json.dumps([writer.day(NIGHT)]))
    with pytest.raises(DataError, match=r"goes with nights that are not here"):
        read(tmp_path)


@pytest.mark.parametrize(("level", "label"), [(7.0, "level 7"), (1.5, "level 1.5"), (None, "level missing")])
def test_an_unknown_level_keeps_its_night(level: float | None, label: str) -> None:
    """A level that nobody knows is unscored time, said to the person."""
    told = response()
    told["sleepLevels"][0]["activityLevel"] = level
    session = parse_response(told, OPTIONS)
    first = session.row["hypnogram"][0]
    assert (first["stage"], first["label"]) == ("unscored", label)
    assert any(label in note for note in session.notes)


def test_levels_of_the_other_meaning_are_noticed() -> None:
    """Stages read by the wrong meaning of the numbers do not add up to Garmin's sums, and that is said."""
    assert parse_response(response(), OPTIONS).notes == ()
    (note,) = parse_response(response() | {"remSleepData": False}, OPTIONS).notes
    assert note == "stages that do not add up to Garmin's own sums; the stages stand"


def test_without_remsleepdata_the_watch_says_what_the_levels_mean() -> None:
    """Where remSleepData is missing, deviceRemCapable stands in for it, and then a sum of REM sleep."""
    told = response() | {"remSleepData": None}
    assert parse_response(told, OPTIONS).notes == ()
    told["dailySleepDTO"]["deviceRemCapable"] = None
    assert parse_response(told, OPTIONS).notes == ()


@pytest.mark.parametrize("order", [1, -1])
def test_levels_repeated_or_overlapping_count_once(order: int) -> None:
    """A level told twice counts once, sleep stands where wake overlaps it, and the order in the file is nothing."""
    told = response()
    first = told["sleepLevels"][0]
    wake = first | {"activityLevel": 3.0}
    told["sleepLevels"] = [*told["sleepLevels"], first, wake][::order]
    assert parse_response(told, OPTIONS).row["hypnogram"] == parse_response(response(), OPTIONS).row["hypnogram"]


def test_a_first_level_before_the_night_moves_its_start() -> None:
    """Levels have the grain of a minute: one that begins 28 s early begins the session."""
    told = response(sleepStartTimestampGMT=writer.milliseconds(NIGHT.onset) + 28_000, sleepStartTimestampLocal=None)
    assert parse_response(told, OPTIONS).row["start"] == NIGHT.onset


def test_thousands_of_levels_are_no_night() -> None:
    """A night of more stretches than minutes is refused at once."""
    told = response()
    told["sleepLevels"] *= 200
    with pytest.raises(ValueError, match="more than 1,000 stretches"):
        parse_response(told, OPTIONS)


def test_old_nights_without_levels_keep_their_sums() -> None:
    """Where levels are null or empty, the sums stand alone, and the person hears of it."""
    for levels in (None, []):
        session = parse_response(response() | {"sleepLevels": levels}, OPTIONS)
        assert (session.row["staging"], session.notes) == ("totals", ("totals and no stages",))


def test_sleep_entered_by_hand_is_flagged() -> None:
    """A night that no device recorded says so."""
    assert parse_response(response(sleepFromDevice=False), OPTIONS).row["flags"] == ["manual", "starts_at_onset"]


def test_naps_told_in_two_places_count_once(tmp_path: Path) -> None:
    """Garmin Connect repeats its naps inside the night; each is one session, in the offset of the night's end."""
    nap = {
        "napTimeSec": 1500,
        "napStartTimestampGMT": "2025-03-11T12:10:00.0",
        "napEndTimestampGMT": "2025-03-11T12:38:00.0",
    }
    (tmp_path / "sleep.json").write_text(json.dumps(response(dailyNapDTOS=[nap]) | {"dailyNapDTOS": [nap]}))
    imported = read(tmp_path / "sleep.json")
    assert (imported.read, imported.merged) == (3, 1)
    assert imported.sessions.filter(kind="nap").select("offset_start", "zone_source").rows() == [(60, "record")]


def test_files_of_the_watch_need_a_word(tmp_path: Path) -> None:
    """The reader of FIT files has met none, and asks before it reads one."""
    path = writer.write_watch([NIGHT], tmp_path)
    with pytest.raises(UsageError, match="--untested-ok"):
        read(path)


def test_a_level_of_the_watch_ends_at_its_time(tmp_path: Path) -> None:
    """The first level reaches from the start of sleep to its own time."""
    (row,) = read(writer.write_watch([NIGHT], tmp_path), untested_ok=True).sessions.iter_rows(named=True)
    assert (row["start"], row["offset_start"]) == (NIGHT.onset, 60)
    assert row["hypnogram"][0] == {"start_s": 0, "seconds": 1800, "stage": "light", "label": "light"}


def test_fit_files_of_other_kinds_are_not_sleep(tmp_path: Path) -> None:
    """An activity is a FIT file too, and is left alone."""
    sleep = writer.sleep_file(NIGHT)
    (tmp_path / "A.fit").write_bytes(sleep.replace(bytes([0, 49, 1, 0]), bytes([0, 4, 1, 0]), 1))
    with pytest.raises(DataError, match="holds no sleep that nof1 knows"):
        read(tmp_path, untested_ok=True)


def test_a_fit_file_cut_short_is_refused(tmp_path: Path) -> None:
    """A sleep file that ends early refuses the import and says where it ends."""
    content = writer.sleep_file(NIGHT)
    (tmp_path / "S.fit").write_bytes(content[:-20])
    with pytest.raises(DataError, match=rf"cut short at byte {len(content) - 20}"):
        read(tmp_path, untested_ok=True)


def test_a_watch_that_leaves_the_staging_to_the_phone_holds_no_sleep(tmp_path: Path) -> None:
    """Levels that are all unmeasurable or awake are not read as a night awake."""
    events = writer.definition(2, 21, (253, 4, 0x86), (0, 1, 0), (1, 1, 0))
    levels = writer.definition(3, 275, (253, 4, 0x86), (0, 1, 0))
    body = [
        writer.definition(0, 0, (0, 1, 0)) + bytes([0, 49]),
        events + b"\x02" + writer.fit_time(NIGHT.onset) + bytes([74, 0]),
        levels + b"\x03" + writer.fit_time(NIGHT.end) + bytes([0]),
    ]
    (tmp_path / "S.fit").write_bytes(writer.fit_file(b"".join(body)))
    (rejected,) = read(tmp_path, untested_ok=True).rejected
    assert rejected.reason == "it holds no sleep"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x05\x00", "was not defined"),
        (writer.definition(1, 275), "holds nothing"),
    ],
)
def test_a_fit_file_that_breaks_its_own_rules_is_refused(tmp_path: Path, body: bytes, reason: str) -> None:
    """Messages nobody defined, and messages without any content, are damage."""
    (tmp_path / "S.fit").write_bytes(writer.fit_file(writer.definition(0, 0, (0, 1, 0)) + bytes([0, 49]) + body))
    with pytest.raises(DataError, match=reason):
        read(tmp_path, untested_ok=True)


def test_a_sleep_file_without_a_start_is_one_rejected_record(tmp_path: Path) -> None:
    """Where the watch does not say when sleep began, nothing can be placed."""
    (tmp_path / "S.fit").write_bytes(writer.fit_file(writer.definition(0, 0, (0, 1, 0)) + bytes([0, 49])))
    imported = read(tmp_path, untested_ok=True)
    assert (imported.read, imported.rejected[0].reason) == (1, "it does not say when sleep began")


def test_a_file_of_the_watch_that_is_not_recognised_is_told(tmp_path: Path) -> None:
    """A night whose file is damaged at its beginning does not vanish in silence among the others."""
    folder = tmp_path / "GARMIN" / "Sleep"
    folder.mkdir(parents=True)
    writer.write_watch(NIGHTS[:2], folder)
    damaged = folder / "S0000001.fit"
    damaged.write_bytes(b"\0" + damaged.read_bytes()[1:])
    with Export(tmp_path) as export:
        (claim,) = recognise(export, untested_ok=True)
        assert [name for name, _ in claim.skipped] == ["GARMIN/Sleep/S0000001.fit"]
