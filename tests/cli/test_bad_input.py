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


def csv_of_bad_rows(path: Path, bad: int, good: int = 0) -> None:
    """A table of nights that end before they begin, of nights that begin nowhere, and of some good ones."""
    rows = [f"{1900 + i // 12}-{i % 12 + 1:02}-02T23:00:00Z,1900-01-01T07:00:00Z,300" for i in range(bad)]
    rows += [f"x{i},{i},300" for i in range(bad)]
    rows += [f"2026-04-{i + 1:02}T23:00:00Z,2026-04-{i + 2:02}T07:00:00Z,300" for i in range(good)]
    path.write_text("\n".join(["start,end,tst_min", *rows]) + "\n")


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_an_export_of_which_nothing_is_accepted_fails_with_its_account(typist: Typist, dry_run: list[str]) -> None:
    """Exit 65, as the help says; what became of every record is printed before, in words and as JSON."""
    csv_of_bad_rows(typist.home / "bad.csv", 20)
    typist.does("init", "s", "--zone", ZONE)
    before = everything(typist.home / "s")
    told = typist("import", "bad.csv", "--study", "s", *dry_run)
    as_json = typist("import", "bad.csv", "--study", "s", "--json", *dry_run)
    assert (told.exit_code, as_json.exit_code) == (65, 65)
    assert "records read 40 = accepted 0 + merged 0 + rejected 40" in told.stdout
    assert told.stderr.startswith("nof1: Nothing to import from bad.csv: ")
    assert json.loads(as_json.stdout)["rejected"] == 40
    assert everything(typist.home / "s") == before
    assert "exit code 65" in " ".join(typist.does("import", "--help").split())


def test_rejected_records_are_grouped_for_people_and_listed_for_machines(typist: Typist) -> None:
    """Thousands that differ in their times only are one line with two of them; --json tells every single one."""
    csv_of_bad_rows(typist.home / "bad.csv", 1000, good=3)
    typist.does("init", "s", "--zone", ZONE)
    lines = [line for line in typist.does("import", "bad.csv", "--study", "s").splitlines() if "rejected" in line]
    assert [line.partition(":")[0].strip() for line in lines] == [
        "records read 2003 = accepted 3 + merged 0 + rejected 2000",
        "rejected 1,000",
        "rejected 1,000",
        "--json lists every rejected record.",
    ]
    assert [line.count("bad.csv: line") for line in lines] == [0, 2, 2, 0]
    (file,) = json.loads(typist.does("import", "bad.csv", "--study", "s", "--json"))["files"]
    assert len({one["record"] for one in file["rejected_records"]}) == 2000
    assert [len(reason["examples"]) for reason in file["reasons"]] == [2, 2]
