"""Hostile and broken exports, as a person would give them: one clear error, its exit code, an unchanged study."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cases import ZONE, Typist, write_export

GIBIBYTE = 2**30


def nested(path: Path, megabytes: int) -> None:
    """Arrays inside arrays, and nothing else."""
    path.write_bytes(b"[" * (megabytes * 500_000) + b"]" * (megabytes * 500_000))


def zipped(path: Path, name: str, content: bytes) -> None:
    """A zip with one member of that name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)


def truncated(path: Path) -> None:
    """A real Takeout file, cut in the middle of a record."""
    whole = io.BytesIO()
    write_export(path.with_suffix(".zip"), 5)
    with zipfile.ZipFile(path.with_suffix(".zip")) as archive:
        (name,) = (name for name in archive.namelist() if "sleep-" in name)
        whole.write(archive.read(name))
    path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])


def bomb(path: Path) -> None:
    """A zip that unpacks to more than a gibibyte of zeros."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("sleep-2026.json", "w") as member:
        for _ in range(GIBIBYTE // 2**20 + 1):
            member.write(bytes(2**20))


BROKEN: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "an empty file": ("empty.json", lambda path: path.touch(), "empty"),
    "truncated JSON": ("cut.json", truncated, "cut.json"),
    "a PDF named .json": (
        "report.json",
        lambda path: path.write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" * 99),
        "report.json",
    ),
    "an unrelated JSON": ("other.json", lambda path: path.write_text('[{"heart": 60}]'), "fitbit"),
    "nested arrays": ("deep.json", lambda path: nested(path, 5), "deep.json"),
    "a path that climbs out": ("evil.zip", lambda path: zipped(path, "../../etc/sleep.json", b"[]"), "../"),
    "an absolute path": ("abs.zip", lambda path: zipped(path, "/etc/sleep.json", b"[]"), "/etc/sleep.json"),
    "a torn zip": ("torn.zip", lambda path: path.write_bytes(b"PK\x03\x04" + bytes(200)), "torn.zip"),
    "a folder without sleep": ("folder", lambda path: path.mkdir(), "folder"),
}


def refuses(typist: Typist, name: str, says: str) -> None:
    """Importing that file into a study with nights fails clearly and changes nothing."""
    write_export(typist.home / "good.zip", 10)
    typist.does("init", "s", "--zone", ZONE)
    typist.does("import", "good.zip", "--study", "s")
    before = everything(typist.home / "s")
    result = typist("import", name, "--study", "s")
    assert result.exit_code == 65, result.output
    assert says in result.stderr
    assert result.stderr.startswith("nof1: ")
    assert "Traceback" not in result.output
    assert everything(typist.home / "s") == before
    assert json.loads(typist.does("verify", "--json", "--study", "s"))["sleep_files"] == 1


def everything(folder: Path) -> dict[Path, bytes]:
    """Every file of a study, byte by byte."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("what", list(BROKEN))
def test_broken_exports_are_refused_whole(typist: Typist, what: str) -> None:
    """Each is refused with exit 65 and a sentence that names it; the study is byte for byte what it was."""
    name, make, says = BROKEN[what]
    make(typist.home / name)
    refuses(typist, name, says)


@pytest.mark.faults
def test_200_megabytes_of_nested_arrays_are_refused(typist: Typist) -> None:
    """A file made to exhaust a parser is refused."""
    nested(typist.home / "deep.json", 200)
    refuses(typist, "deep.json", "deep.json")


@pytest.mark.faults
def test_a_zip_bomb_is_refused(typist: Typist) -> None:
    """A zip that would unpack to more than a gibibyte is refused before it is unpacked."""
    bomb(typist.home / "bomb.zip")
    refuses(typist, "bomb.zip", "bomb.zip")


def test_one_bad_record_is_rejected_and_the_rest_kept(typist: Typist) -> None:
    """A record that makes no sense is rejected with its reason, exit 0; the nights around it are imported."""
    write_export(typist.home / "good.zip", 10)
    with zipfile.ZipFile(typist.home / "good.zip") as archive:
        (name,) = (name for name in archive.namelist() if "sleep-" in name)
        logs = json.loads(archive.read(name))
    logs[3]["levels"]["data"][0]["seconds"] = -30
    (typist.home / "logs.json").write_text(json.dumps(logs))
    typist.does("init", "s", "--zone", ZONE)
    summary = json.loads(typist.does("import", "logs.json", "--study", "s", "--json"))
    assert (summary["read"], summary["accepted"], summary["rejected"]) == (len(logs), len(logs) - 1, 1)
    assert str(logs[3]["logId"]) in summary["files"][0]["reasons"][0]["first_record"]
