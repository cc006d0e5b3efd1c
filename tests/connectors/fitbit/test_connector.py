"""The Fitbit connector: recognition, accounting, hostile exports."""

import copy
import json
import random
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof1.connect.connector import ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.errors import DataError


def log(number: int, **more: Any) -> dict[str, Any]:
    """One of many similar nights."""
    start = datetime.fromisoformat("2026-03-01T23:10") + timedelta(days=number)
    stages = [("wake", 600), ("light", 5400), ("deep", 3600), ("rem", 1800)]
    at, data = start, []
    for level, seconds in stages:
        data.append({"dateTime": at.isoformat(), "level": level, "seconds": seconds})
        at += timedelta(seconds=seconds)
    short = {"dateTime": (start + timedelta(hours=1)).isoformat(), "level": "wake", "seconds": 90}
    return {
        "logId": 5_000_000_000_000_000_000 + number,
        "dateOfSleep": f"{at:%Y-%m-%d}",
        "startTime": start.isoformat(),
        "endTime": at.isoformat(),
        "duration": 11_400_000,
        "minutesToFallAsleep": 0,
        "type": "stages",
        "logType": "auto_detected",
        "levels": {"data": data, "shortData": [short], "summary": {"deep": {"count": 1, "minutes": 60}}},
        "mainSleep": True,
    } | more


LOGS = [log(i) for i in range(4)]
EMPTY = {"sleep": [], "summary": {"totalMinutesAsleep": 0, "totalSleepRecords": 0}}


@pytest.mark.parametrize(
    "value",
    [
        LOGS,
        {"sleep": LOGS, "summary": {"totalMinutesAsleep": 4}},
        [EMPTY, {"sleep": LOGS[:3], "summary": {}}, EMPTY, {"sleep": LOGS[3:]}],
        {"pagination": {"next": "https://example.org", "limit": 4}, "sleep": LOGS},
    ],
    ids=["takeout", "day", "list of days", "paginated"],
)
@pytest.mark.parametrize("wrap", ["file", "folder", "zip"])
def test_every_form_and_wrapping_gives_the_same_sessions(
    tmp_path: Path, read_files: Any, value: Any, wrap: str
) -> None:
    """The same logs as Takeout array, as Web API responses, alone, in folders or zipped are the same sessions."""
    path = tmp_path / "export.bin"
    if wrap == "file":
        path.write_text(json.dumps(value))
    elif wrap == "folder":
        (path / "Données" / "Sommeil").mkdir(parents=True)
        (path / "Données" / "Sommeil" / "renamed.txt").write_text(json.dumps(value))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("photo.jpg", b"\xff\xd8\xff\xe0")
            archive.writestr("Takeout/Google Health/sleep.json", json.dumps(value))
    options = ReadOptions(participant="P07", zone="Europe/Berlin", zone_source="option")
    with Export(path) as export:
        (claim,) = recognise(export)
        assert "sleep logs" in claim.because
        imported = claim.read(options)
    assert imported.sessions.equals(read_files({"sleep.json": LOGS}).sessions)
    assert imported.sessions["record_id"].to_list() == [str(one["logId"]) for one in LOGS]


def test_one_log_alone_is_an_export(read_files: Any) -> None:
    """A file with a single log, not in any list, is read."""
    assert read_files({"one.json": LOGS[0]}).sessions.height == 1


def test_empty_nights_are_counted(read_files: Any) -> None:
    """Web API responses without sleep are said, and are no records."""
    imported = read_files({"days.json": [EMPTY, {"sleep": LOGS[:1]}, EMPTY]})
    assert (imported.read, imported.warnings) == (1, ("2 Web API responses without sleep.",))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sleep-2026-04-01.json", b"%PDF-1.7 \xe2\xe3\xcf\xd3"),
        ("sleep-2026-04-01.json", b""),
        ("sleep-2026-04-01.json", b"[]"),
        ("sleep-2026-04-01.json", b'[{"dateTime": "04/01/26", "value": {"bpm": 58}}]'),
        ("sleep-2026-04-01.json", b"[" * 5000),
        ("UserSleeps_2026.csv", b"date,steps\n2026-04-01,7000\n"),
    ],
)
def test_a_name_alone_is_not_believed(tmp_path: Path, name: str, content: bytes) -> None:
    """A file only named like sleep is not claimed; beside real sleep it is listed as skipped, with the reason."""
    (tmp_path / name).write_bytes(content)
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(DataError, match="holds no sleep"):
        recognise(Export(tmp_path), "fitbit")
    (tmp_path / "real.json").write_text(json.dumps(LOGS))
    (claim,) = recognise(Export(tmp_path), "fitbit")
    assert [member for member, _ in claim.skipped] == [name]
    assert claim.read(ReadOptions()).read == 4


@pytest.mark.parametrize("cut", [0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused_whole(tmp_path: Path, cut: float) -> None:
    """JSON that was cut short is recognised and then refused as a whole: what is missing cannot be known."""
    text = json.dumps(LOGS)
    (tmp_path / "sleep.json").write_text(text[: int(len(text) * cut)])
    (claim,) = recognise(Export(tmp_path))
    with pytest.raises(DataError, match=r"sleep\.json is cut short"):
        claim.read(ReadOptions())


def test_a_damaged_member_is_never_passed_over(tmp_path: Path) -> None:
    """In an archive a damaged file named like sleep refuses the whole; any other is named, and the sleep is read."""
    for name, refused in (("sleep-2026-03-01.json", True), ("notes.json", False)):
        path = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("sleep-2026-04-01.json", json.dumps(LOGS))
            archive.writestr(name, "[1234567890]")
        path.write_bytes(path.read_bytes().replace(b"[1234567890]", b"[1234567891]"))
        if refused:
            with pytest.raises(DataError, match=r"sleep-2026-03-01\.json is damaged"):
                recognise(Export(path))
        else:
            (claim,) = recognise(Export(path))
            assert [member for member, _ in claim.skipped] == [name]
            assert claim.read(ReadOptions()).read == 4


def test_one_bad_log_is_refused_and_the_rest_is_kept(read_files: Any) -> None:
    """A wrong type inside one log refuses that log, by its id and with the reason, and no other."""
    bad = copy.deepcopy(LOGS)
    bad[1]["levels"]["data"][2]["seconds"] = "3600"
    imported = read_files({"sleep.json": bad})
    (refused,) = imported.rejected
    assert (imported.read, imported.sessions.height) == (4, 3)
    assert refused.record == f"sleep.json: log {LOGS[1]['logId']}"
    assert "Expected `int`, got `str`" in refused.reason
    assert "seconds" in refused.reason


def test_repeated_logs_are_merged(read_files: Any) -> None:
    """Files of a Takeout overlap: a log that stands in two of them is one session, and counts as merged."""
    imported = read_files({"sleep-2026-03-01.json": LOGS[:3], "sleep-2026-03-31.json": LOGS[1:]})
    assert (imported.read, imported.sessions.height, imported.merged, imported.warnings) == (6, 4, 2, ())


def test_of_two_versions_the_longer_stands_in_any_order(read_files: Any) -> None:
    """Two logs with one id that differ are one session, the longer, whichever comes first; the person hears of it."""
    shorter = copy.deepcopy(LOGS[0])
    del shorter["levels"]["data"][3]
    shorter |= {"duration": 9_600_000}
    expected = read_files({"sleep.json": LOGS[:1]}).sessions
    for pair in ([shorter, LOGS[0]], [LOGS[0], shorter]):
        imported = read_files({"sleep.json": pair})
        assert imported.sessions.equals(expected)
        assert "versions that differ" in imported.warnings[0]


def test_the_zone_is_the_one_that_was_told(read_files: Any) -> None:
    """Wall-clock times stand in the zone that was named, and say who named it; without one they say that too."""
    told, untold = read_files({"s.json": LOGS}).sessions, read_files({"s.json": LOGS}, zone=None).sessions
    assert told["start"][0].isoformat() == "2026-03-01T22:10:00+00:00"
    assert (told["offset_start"][0], told["zone"][0], told["zone_source"][0]) == (60, "Europe/Berlin", "option")
    assert untold["start"][0].isoformat() == "2026-03-01T23:10:00+00:00"
    assert (untold["offset_start"][0], untold["zone"][0], untold["zone_source"][0]) == (None, None, "none")


def test_warnings_count_and_name_the_first(read_files: Any) -> None:
    """A label that nobody knows is one sentence, with the number of sessions and the first of them."""
    odd = copy.deepcopy(LOGS)
    for one in odd[1:]:
        one["levels"]["data"][1]["level"] = "dozing"
    (warning,) = read_files({"s.json": odd}).warnings
    assert warning.startswith("3 sessions with the unknown label 'dozing'")
    assert f"(first: s.json: log {LOGS[1]['logId']})" in warning


JUNK = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        10**30,
        1.5,
        "",
        "\x00",
        "2026-99-99",
        "0001-01-01T00:00:00",
        [],
        {},
        [[]],
        {"data": None},
        "deep",
    ]
)


def mutated(record: Any, path: list[int], junk: Any) -> Any:
    """Replace or remove the value at a place that the numbers of `path` lead to."""
    record = copy.deepcopy(record)
    at = record
    for step in path:
        keys = list(at) if isinstance(at, dict) else list(range(len(at))) if isinstance(at, list) else []
        if not keys:
            break
        key = keys[step % len(keys)]
        if step % 3 == 0 or not isinstance(at[key], dict | list):
            if step % 7 == 0:
                del at[key]
            else:
                at[key] = junk
            break
        at = at[key]
    return record


@given(
    changes=st.lists(
        st.tuples(st.integers(0, 3), st.lists(st.integers(0, 40), min_size=1, max_size=5), JUNK), max_size=4
    ),
    extra=st.lists(JUNK, max_size=2),
    shuffle=st.randoms(use_true_random=False),
)
def test_whatever_happens_to_logs_none_is_lost(
    read_files: Any, changes: Any, extra: Any, shuffle: random.Random
) -> None:
    """Whatever is done to logs, each is accepted, merged or rejected; order is irrelevant; no other error escapes."""
    logs: list[Any] = copy.deepcopy(LOGS)
    for number, path, junk in changes:
        logs[number] = mutated(logs[number], path, junk)
    logs = [*logs, *extra]
    shuffled = list(logs)
    shuffle.shuffle(shuffled)
    one, two = read_files({"s.json": [LOGS[0], *logs]}), read_files({"s.json": [LOGS[0], *shuffled]})
    assert one.read == len(logs) + 1 == one.sessions.height + one.merged + len(one.rejected)
    assert one.sessions.equals(two.sessions)
    assert len(one.rejected) == len(two.rejected)
    assert one.warnings == two.warnings


@given(place=st.floats(0, 1), junk=st.binary(max_size=8))
def test_damaged_bytes_raise_nothing_but_a_data_error(tmp_path_factory: Any, place: float, junk: bytes) -> None:
    """Bytes overwritten anywhere in a file or an archive give a clear refusal or a sound reading, never a crash."""
    folder = tmp_path_factory.mktemp("damaged")
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sleep.json", json.dumps(LOGS))
    (folder / "b.json").write_text(json.dumps(LOGS))
    for path in (folder / "a.zip", folder / "b.json"):
        content = bytearray(path.read_bytes())
        at = int(place * len(content))
        content[at : at + len(junk)] = junk
        path.write_bytes(content)
        try:
            with Export(path) as export:
                for claim in recognise(export):
                    imported = claim.read(ReadOptions())
                    assert imported.read == imported.sessions.height + imported.merged + len(imported.rejected)
        except DataError:
            continue
