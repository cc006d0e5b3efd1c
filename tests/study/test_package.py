"""A data package: what lies in it is what the study holds, and other programs read its descriptors."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from frictionless import Package, system
from rocrate.rocrate import ROCrate
from tests.cases import FIRST, FIXED_PROTOCOL, ZONE, Typist, alternating, schedule_csv, write_export

from nof1.errors import TamperedError, WriteError
from nof1.store import folder as folder_module
from nof1.study.columns import ABOUT, TABLES, meaning, unit
from nof1.study.exports import tables_of
from nof1.study.package import export_package
from nof1.study.result_schema import result_schema
from nof1.study.study import Study, open_study

NIGHTS = 56
LATE = datetime(2026, 11, 22, 12, tzinfo=UTC)
QUESTION = """
[[diary]]
key = "alcohol_units"
type = "number"
when = "before dose"
label = "Drinks of that day"
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a trial that is over, its diary begun, its nights imported."""
    home = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        typist = Typist(home)
        (home / "trial.toml").write_text(FIXED_PROTOCOL.format(transition=2, prior_sd=10) + QUESTION)
        (home / "schedule.csv").write_text(schedule_csv(alternating(7), NIGHTS))
        write_export(home / "takeout.zip", NIGHTS)
        typist.does("init", "study", "--zone", ZONE)
        typist.does("start", "trial.toml", "--schedule", "schedule.csv", "--study", "study")
        typist.does("import", "takeout.zip", "--study", "study")
        said = ("--taken", "--at", "22:15", "--note", "late; -1, and =2", "--side-effect", "nausea=mild")
        typist.does("log", "--date", FIRST, *said, "--answer", "alcohol_units=2", "--study", "study")
    return home / "study"


@pytest.fixture
def analysed(whole: Path, tmp_path: Path) -> Path:
    """The folder of the same study with stand-ins for what an analysis writes, and the event with their hashes."""
    folder = tmp_path / "analysed"
    shutil.copytree(whole, folder)
    content = {"result.json": b'{"schema": 1}', "posterior.nc": b"draws"}
    for name, data in content.items():
        folder_module.write_private_file(folder / "reports" / "P01" / name, data)
    study = open_study(folder, clock=lambda: LATE)
    with study.record() as record, record.writing():
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
        study.append(record, "analysed", hashes, command="analyse", participant="P01")
    return folder


@pytest.fixture
def study(whole: Path) -> Study:
    """The study of `whole`, when the trial is over."""
    return open_study(whole, clock=lambda: LATE)


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def faults(folder: Path) -> list[Any]:
    """What Frictionless finds wrong with every file: its hash, its size, its cells."""
    with system.use_context(trusted=True):
        return Package(str(folder / "datapackage.json")).validate().flatten(["type", "note"])


def test_both_libraries_read_it_and_find_every_file(study: Study, tmp_path: Path) -> None:
    """Frictionless finds no fault, the crate's own library finds every file, and both hashes are those of the files."""
    exported = export_package(study, tmp_path / "out")
    assert faults(tmp_path / "out") == []
    held = files_in(tmp_path / "out")
    assert set(exported.rows) == set(held)
    crate = ROCrate(tmp_path / "out")
    told = {entity.id: entity.properties() for entity in crate.get_by_type("File")}
    assert set(told) == set(held) - {"ro-crate-metadata.json"}
    resources = {one["path"]: one for one in json.loads(held["datapackage.json"])["resources"]}
    assert set(resources) == set(held) - {"ro-crate-metadata.json", "datapackage.json"}
    for name, content in held.items():
        if name in told:
            assert told[name]["sha256"] == hashlib.sha256(content).hexdigest()
            assert told[name]["contentSize"] == str(len(content))
        if name in resources:
            assert resources[name]["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert crate.root_dataset["datePublished"] == "2026-11-22"
    assert {part.id for part in crate.root_dataset["hasPart"]} == set(told)


def test_the_tables_read_back_are_the_study_s(study: Study, tmp_path: Path) -> None:
    """Parquet is the same table; CSV, read by its descriptor, has the same rows, numbers and instants."""
    export_package(study, tmp_path / "out")
    tables, _ = tables_of(study)
    with system.use_context(trusted=True):
        package = Package(str(tmp_path / "out" / "datapackage.json"))
        read = {name: [row.to_dict() for row in package.get_resource(f"{name}-csv").read_rows()] for name in tables}
    for name, table in tables.items():
        assert pl.read_parquet(tmp_path / "out" / "data" / f"{name}.parquet").equals(table, null_equal=True)
        assert len(read[name]) == table.height
    assert [row["deep_min"] and float(row["deep_min"]) for row in read["nights"]] == tables["nights"][
        "deep_min"
    ].to_list()
    assert [row["start"] for row in read["nights"]] == tables["nights"]["start"].to_list()
    assert [row["dose_taken"] for row in read["diary"]] == [True]
    assert [row["note"] for row in read["diary"]] == ["late; -1, and =2"]


def test_every_column_is_described(study: Study, tmp_path: Path) -> None:
    """Each column of each table says what it means; minutes, seconds and percentages have their unit."""
    export_package(study, tmp_path / "out")
    resources = json.loads((tmp_path / "out" / "datapackage.json").read_text())["resources"]
    tables = {one["name"]: one["schema"]["fields"] for one in resources if "schema" in one}
    assert set(tables) == {f"{name}-csv" for name in TABLES}
    for fields in tables.values():
        for field in fields:
            assert len(field["description"]) > 5
            ending = field["name"].rpartition("_")[2]
            assert field.get("unit") == {"min": "min", "pct": "%", "s": "s"}.get(ending, field.get("unit"))
    nights = {field["name"]: field for field in tables["nights-csv"]}
    assert (nights["deep_min"]["unit"], nights["deep_min"]["type"]) == ("min", "number")
    assert (nights["se_pct"]["unit"], "unit" in nights["awakenings"]) == ("%", False)
    diary = {field["name"]: field["description"] for field in tables["diary-csv"]}
    assert diary["alcohol_units"] == "Drinks of that day"
    assert "nausea" in diary["side effect nausea"]


def test_no_description_is_of_a_column_that_is_not(study: Study) -> None:
    """What is described by name stands in some table."""
    columns = {column for table in tables_of(study)[0].values() for column in table.columns}
    assert set(ABOUT) <= columns
    with pytest.raises(KeyError):
        meaning("colour", {})
    assert unit("participant") is None


def test_one_byte_more_is_found(study: Study, tmp_path: Path) -> None:
    """The hashes are worth something: a cell changed in a table is a fault by its own descriptor."""
    export_package(study, tmp_path / "out")
    table = tmp_path / "out" / "data" / "nights.csv"
    table.write_bytes(table.read_bytes().replace(b"fitbit", b"fitbyt", 1))
    assert "hash-count" in {kind for kind, _ in faults(tmp_path / "out")}


def test_an_analysed_trial_brings_its_result(analysed: Path, tmp_path: Path) -> None:
    """The package holds result, posterior and protocol byte for byte, and the schema that describes the result."""
    exported = export_package(open_study(analysed, clock=lambda: LATE), tmp_path / "out")
    assert faults(tmp_path / "out") == []
    held = files_in(tmp_path / "out")
    assert exported.left_out == {}
    for name in ("result.json", "posterior.nc"):
        assert held[name] == (analysed / "reports" / "P01" / name).read_bytes()
    assert held["protocol.toml"] == (analysed / "protocol.toml").read_bytes()
    assert json.loads(held["result.schema.json"]) == result_schema()


def test_before_the_planned_end_there_is_no_result(analysed: Path, tmp_path: Path) -> None:
    """Even where a result lies in the study, a package made before the trial's end leaves it out."""
    early = open_study(analysed, clock=lambda: datetime(2026, 2, 1, tzinfo=UTC))
    exported = export_package(early, tmp_path / "out")
    assert not {"result.json", "posterior.nc", "data/analysed.csv"} & set(exported.rows)


def test_after_a_withdrawal_there_is_no_result(analysed: Path, tmp_path: Path) -> None:
    """A result lies in the study, and the participant took the consent back: it is left out, and that is said."""
    study = open_study(analysed, clock=lambda: LATE)
    with study.record() as record, record.writing():
        last = {"last_night": "2026-01-20"}
        study.append(record, "withdrawn", last, command="withdraw", participant="P01", reason="no more")
    exported = export_package(study, tmp_path / "out")
    assert not {"result.json", "posterior.nc", "data/analysed.csv"} & set(exported.rows)
    assert exported.left_out == {"result.json": "P01 withdrew: nothing of this trial is analysed."}


def test_a_result_that_was_changed_is_not_packed(analysed: Path, tmp_path: Path) -> None:
    """A result that is not what the analysis wrote ends the export, and nothing is left of it."""
    (analysed / "reports" / "P01" / "result.json").write_bytes(b'{"schema": 2}')
    with pytest.raises(TamperedError, match=r"result\.json is not what the analysis wrote"):
        export_package(open_study(analysed, clock=lambda: LATE), tmp_path / "out")
    assert list(tmp_path.iterdir()) == [analysed]


def test_what_is_not_there_yet_is_named(study: Study, tmp_path: Path) -> None:
    """A trial that is over and was not analysed says so; the other files are there, private."""
    exported = export_package(study, tmp_path / "out")
    assert exported.left_out == {"result.json": "Nothing was analysed yet. Next: nof1 analyse."}
    for path in (tmp_path / "out").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize("fails_at", [1, 5, 11])
def test_it_is_there_whole_or_not_at_all(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    """A disk that is full at any file leaves nothing: no folder, and no part of one."""
    written = []

    def fill(path: Path, content: bytes) -> None:
        written.append(path)
        if len(written) == fails_at:
            raise WriteError("full")
        real(path, content)

    real = folder_module.replace_file
    monkeypatch.setattr(folder_module, "replace_file", fill)
    with pytest.raises(WriteError, match="full"):
        export_package(study, tmp_path / "out")
    assert len(written) == fails_at
    assert list(tmp_path.iterdir()) == []


def test_a_plug_pulled_before_the_last_step_leaves_no_package(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder gets its name when every file is in it, synced: killed before, no folder has that name."""
    seen: list[Mapping[str, bytes]] = []

    def killed(self: Path, target: Path) -> Path:
        if target != tmp_path / "out":
            return self.rename(target)
        seen.append(files_in(self))
        assert not target.exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        export_package(study, tmp_path / "out")
    assert "ro-crate-metadata.json" in seen[0]
    assert not (tmp_path / "out").exists()


def test_the_command_packs_and_counts(whole: Path, typist: Typist) -> None:
    """It prints rows where there are rows, goes into an empty folder, and never over another."""
    (typist.home / "out").mkdir()
    told = typist.does("export", "package", "out", "--study", whole)
    assert f"out/data/nights.csv: {tables_of(open_study(whole))[0]['nights'].height} rows" in told
    assert "out/protocol.toml\n" in told
    assert "Without result.json: Nothing was analysed yet." in told
    before = files_in(typist.home / "out")
    again = typist("export", "package", "out", "--study", whole)
    assert (again.exit_code, "never writes over another" in again.stderr) == (73, True)
    assert files_in(typist.home / "out") == before
    as_json = json.loads(typist.does("export", "package", "more", "--study", whole, "--json"))
    assert as_json["rows"]["protocol.toml"] is None
    typist.does("init", "empty", "--zone", ZONE)
    assert typist("export", "package", "none", "--study", "empty").exit_code == 66
    assert not (typist.home / "none").exists()


def test_a_study_without_a_trial_is_packed(typist: Typist) -> None:
    """Nights alone are a package, too."""
    typist.does("init", "study", "--zone", ZONE)
    write_export(typist.home / "takeout.zip", 5)
    typist.does("import", "takeout.zip", "--study", "study")
    typist.does("export", "package", "out", "--study", "study")
    assert faults(typist.home / "out") == []
    assert not (typist.home / "out" / "protocol.toml").exists()
