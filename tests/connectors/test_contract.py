"""What every connector promises, asked of every export that its writer can write."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.cases import Typist
from tests.connectors.nights import NIGHTS
from tests.connectors.written import ALL_WRITTEN, HERE, OPTIONS, Packed, read_all

from nof1.connect.connector import Connector, Imported, ReadOptions
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise
from nof1.connect.registry import find_connectors, how_to_get_the_export
from nof1.errors import Nof1Error, UsageError
from nof1.sleep.assembly import assemble_nights
from nof1.sleep.session import STAGINGS
from nof1.sleep.stages import SLEEP
from nof1.sleep.streams import DEVICE_LATENCY_SOURCES
from nof1.study.imports import import_exports, list_imports
from nof1.study.study import create_study

CONNECTORS: Mapping[str, Connector] = find_connectors()
NAMES = sorted(CONNECTORS)

every_export = pytest.mark.parametrize("name", sorted(ALL_WRITTEN))
every_connector = pytest.mark.parametrize("connector", [CONNECTORS[name] for name in NAMES], ids=NAMES)


def written_by(connector: Connector) -> list[str]:
    """The names of all exports of one connector."""
    return [name for name, written in ALL_WRITTEN.items() if written.connector == connector.name]


# What a connector says of itself


@every_connector
def test_a_connector_has_one_name(connector: Connector) -> None:
    """Its entry point, its folder and its name are one word; its version and title are said."""
    package = type(connector).__module__.split(".")
    assert CONNECTORS[connector.name] is connector
    assert package[:2] == ["nof1_connectors", connector.name]
    assert connector.version
    assert connector.about.title


@every_connector
def test_a_connector_tells_a_patient_how_to_get_the_export(connector: Connector) -> None:
    """Its README has numbered steps, the versions that were seen, and what is missing, in under eighty lines."""
    steps = how_to_get_the_export(connector)
    assert steps is not None
    assert steps.startswith("1. ")
    readme = Path(HERE.parents[1], "connectors", *type(connector).__module__.split(".")[:2], "README.md")
    if readme.exists():  # the built wheel is tested away from the checkout
        lines = readme.read_text().splitlines()
        assert {"## How to get the export", "## Versions seen", "## Missing"} <= set(lines)
        assert len(lines) < 100


@every_connector
def test_forms_have_names_of_their_own(connector: Connector) -> None:
    """No two forms share a name, and at least one holds sleep by itself."""
    names = [form.name for form in connector.forms]
    assert len(names) == len(set(names))
    assert any(form.alone for form in connector.forms)


@every_connector
def test_every_form_is_written_here(connector: Connector) -> None:
    """Each form that holds sleep by itself, by evidence that is not weak, has a writer: all below is asked of it."""
    alone = {form.name for form in connector.forms if form.alone and not form.weak}
    assert {ALL_WRITTEN[name].form for name in written_by(connector)} == alone


@every_connector
def test_what_a_connector_says_of_its_latency_is_true(connector: Connector, nights_told: Any) -> None:
    """Each source of latency it lists is offered by some export of it, and no other source ever gives one."""
    offered = {
        source
        for name in written_by(connector)
        for source in DEVICE_LATENCY_SOURCES
        if nights_told(name, source)["sol_min"].count()
    }
    assert offered == set(connector.about.latency)


@every_connector
def test_what_a_form_says_of_its_latency_is_true(connector: Connector, nights_told: Any) -> None:
    """A form that says which sources of latency it offers offers those, and no others."""
    for form in connector.forms:
        names = [name for name in written_by(connector) if ALL_WRITTEN[name].form == form.name]
        if form.latency is not None:
            offered = {s for n in names for s in DEVICE_LATENCY_SOURCES if nights_told(n, s)["sol_min"].count()}
            assert offered == set(form.latency), form.name


@every_connector
def test_what_a_connector_says_of_its_sessions_is_true(connector: Connector, read_back: Any) -> None:
    """Its stagings are those it lists, records bring a zone where it says so, and the vendor's naps are its own."""
    sessions = pl.concat([read_back(name).sessions for name in written_by(connector)])
    stagings, finest = set(sessions["staging"].cast(pl.String)), min(connector.about.staging, key=STAGINGS.index)
    assert finest in stagings <= set(connector.about.staging)
    own = set((sessions["zone_source"].cast(pl.String) == "record").to_list())
    assert own <= {"record": {True}, "none": {False}, "some": {True, False}}[connector.about.zone]
    assert connector.about.naps or set(sessions["kind"].cast(pl.String)) == {"unknown"}


# Recognition


@every_export
def test_an_export_is_recognised_by_its_connector_and_no_other(exported: Any, name: str) -> None:
    """All connectors are asked, and only the vendor's own claims the export, by the form that was written."""
    written = ALL_WRITTEN[name]
    with Export(exported(name)) as export:
        (claim,) = recognise(export, untested_ok=True)
        assert claim.connector.name == written.connector
        assert claim.found[written.form]
        assert claim.skipped == ()


@every_export
def test_a_form_never_met_asks_for_the_persons_word(exported: Any, name: str) -> None:
    """Where no real export of the form was met the person is told of --untested-ok; otherwise it is read without."""
    written = ALL_WRITTEN[name]
    (form,) = (form for form in CONNECTORS[written.connector].forms if form.name == written.form)
    with Export(exported(name)) as export:
        if form.seen:
            assert recognise(export)[0].found[form.name]
        else:
            with pytest.raises(UsageError, match="--untested-ok"):
                recognise(export)


def test_a_folder_of_every_source_is_sorted_out(packed: Any, read_back: Any, tmp_path: Path) -> None:
    """One export of each connector, all in one folder: each is read as if it were alone."""
    one_each = {ALL_WRITTEN[name].connector: name for name in sorted(ALL_WRITTEN, reverse=True)}
    for connector, name in one_each.items():
        apart = packed(name)
        Packed("folder", connector, apart.members).pack(tmp_path / "all", {})
    together = read_all(tmp_path / "all")
    assert sorted(together) == sorted(one_each)
    for connector, name in one_each.items():
        assert together[connector].sessions.equals(read_back(name).sessions), name


# The sessions


@every_export
def test_every_record_that_was_written_is_read(read_back: Any, name: str) -> None:
    """As many records are read as the writer says it put in, repeated and empty ones too: none is passed over."""
    assert read_back(name).read == ALL_WRITTEN[name].records(NIGHTS)


@every_export
def test_reading_is_repeatable_and_knows_no_order(exported: Any, read_back: Any, tmp_path: Path, name: str) -> None:
    """The same export read again, and the same nights written the other way round, give the same table."""
    written = ALL_WRITTEN[name]
    expected = read_back(name).sessions
    assert read_all(exported(name))[written.connector].sessions.equals(expected)
    reversed_ = written.write(NIGHTS[::-1], tmp_path)
    assert read_all(reversed_)[written.connector].sessions.equals(expected)


# Damage


def what_comes_of(path: Path) -> dict[str, Imported] | Nof1Error:
    """What comes of an export: accounts that add up, or an error of nof1's own; anything else is a bug."""
    try:
        return read_all(path)
    except Nof1Error as error:
        return error


@every_export
@pytest.mark.parametrize("part", [0.0, 0.5, 0.999])
def test_a_member_cut_short_is_refused_or_accounted_for(packed: Any, tmp_path: Path, name: str, part: float) -> None:
    """A member that ends too early gives a clear refusal or a full account, and no night that was never slept."""
    apart: Packed = packed(name)
    slept = {night.evening for night in NIGHTS}
    for number, (member, content) in enumerate(apart.members.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = what_comes_of(apart.pack(folder, {member: content[: int(part * len(content))]}))
        for imported in [] if isinstance(found, Nof1Error) else found.values():
            local = pl.col("start") + pl.duration(minutes=pl.col("offset_start").fill_null(0), hours=-12)
            assert set(imported.sessions.select(local.dt.date()).to_series()) <= slept


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "byte order mark": lambda content: b"\xef\xbb\xbf" + content.removeprefix(b"\xef\xbb\xbf"),
    "windows line ends": lambda content: content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "no last line end": lambda content: content.rstrip(b"\r\n"),
    "utf-16": lambda content: content.decode("utf-8-sig").encode("utf-16"),
    "utf-16 without mark": lambda content: content.decode("utf-8-sig").encode("utf-16-le"),
}


@every_export
@pytest.mark.parametrize("change", CHANGES)
def test_other_ways_to_write_the_same_text(packed: Any, read_back: Any, tmp_path: Path, name: str, change: str) -> None:
    """What editors and spreadsheets do to text (marks, line ends, encodings) changes no session, or is refused."""
    apart: Packed = packed(name)
    changed = {member: CHANGES[change](content) for member, content in apart.members.items() if is_text(content)}
    found = what_comes_of(apart.pack(tmp_path, changed))
    if isinstance(found, Nof1Error):
        assert change.startswith("utf-16")
    else:
        assert found[ALL_WRITTEN[name].connector].sessions.equals(read_back(name).sessions)


def is_text(content: bytes) -> bool:
    """Say whether a member is text."""
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


# Into a study


@every_connector
def test_importing_twice_changes_nothing(connector: Connector, exported: Any, tmp_path: Path) -> None:
    """The second import of an export finds nothing new, and leaves the same table on record."""
    study = create_study(tmp_path / "study", zone=OPTIONS.zone or "")
    name = written_by(connector)[0]
    first = import_exports(study, [exported(name)], untested_ok=True)
    again = import_exports(study, [exported(name)], untested_ok=True)
    assert (first.new_sessions, again.new_sessions) == (len(NIGHTS), 0)
    assert len(list_imports(study)) == 1


def test_an_archive_of_two_sources_and_strangers_is_imported_once(packed: Any, typist: Typist, tmp_path: Path) -> None:
    """`nof1 import` reads both sources of one archive beside files of nobody's, and the second time changes nothing."""
    members = {"letters/doctor.txt": b"Dear doctor", "steps.json": b'[{"steps": 7000}]', "photo.jpg": b"\xff\xd8"}
    for name in ("fitbit-logs-0", "sleepcycle-nights-0"):
        members |= {f"{name}/{member}": content for member, content in packed(name).members.items()}
    archive = Packed("zip", "everything.zip", members).pack(tmp_path, {})
    typist.does("init", tmp_path / "study", "--zone", OPTIONS.zone)
    told, listed = [], []
    for _ in range(2):
        told.append(json.loads(typist.does("import", archive, "--study", tmp_path / "study", "--json")))
        listed.append(typist.does("imports", "--study", tmp_path / "study", "--json"))
    assert [file["connector"] for file in told[0]["files"]] == ["fitbit", "sleepcycle"]
    assert [summary["new_sessions"] for summary in told] == [2 * len(NIGHTS), 0]
    assert listed[0] == listed[1]


def test_the_command_asks_before_it_reads_what_it_never_met(exported: Any, typist: Typist, tmp_path: Path) -> None:
    """`nof1 import` refuses a form that was never met in a real export, says how to look, and reads it when told to."""
    export = exported("polar-results-0")
    typist.does("init", tmp_path / "study", "--zone", OPTIONS.zone)
    refused = typist("import", export, "--study", tmp_path / "study")
    assert (refused.exit_code, "--dry-run --untested-ok" in refused.stderr) == (2, True)
    assert json.loads(typist.does("imports", "--study", tmp_path / "study", "--json")) == []
    told = typist.does("import", export, "--untested-ok", "--study", tmp_path / "study", "--json")
    assert json.loads(told)["accepted"] == len(NIGHTS)


@every_export
def test_a_dry_run_needs_no_zone(exported: Any, name: str) -> None:
    """Without a stated zone plain nights are read with their true sleep; one across a clock change may be refused."""
    sessions = read_all(exported(name), ReadOptions())[ALL_WRITTEN[name].connector].sessions
    told = assemble_nights(sessions)["tst_min"].to_list()[:3]
    assert told == pytest.approx([night.minutes(*SLEEP) for night in NIGHTS[:3]], abs=ALL_WRITTEN[name].grain_min)
