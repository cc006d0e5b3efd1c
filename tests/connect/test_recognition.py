"""Whose export it is, and which members belong to whom."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from nof1.connect import registry
from nof1.connect.connector import About, Form, Found, Imported, ReadOptions
from nof1.connect.heads import Head, Kind
from nof1.connect.ledger import Ledger
from nof1.connect.reading import Export
from nof1.connect.recognition import recognise, recognise_together
from nof1.connect.registry import ConnectorFailedWarning
from nof1.errors import ConnectorFailedError, DataError, UsageError

type Begins = Callable[[Head], bool]


def form(name: str, word: str, kind: Kind = "text", *, named: str = "", **more: Any) -> Form:
    """A form that is recognised by the word it begins with."""

    def matches(head: Head) -> bool:
        return head.text.startswith(word)

    pattern = re.compile(named) if named else None
    return Form(name=name, evidence=f"a {name}", kind=kind, matches=matches, named=pattern, **more)


def failing_form(word: str) -> Form:
    """A form of a connector with a mistake in it, which shows when it meets that word."""

    def matches(head: Head) -> bool:
        if word in head.text:
            raise KeyError(word)
        return head.text.startswith("zz")

    return Form(name="diary", evidence="a diary", kind="text", matches=matches)


class Band:
    """A connector of some forms that reads one rejected record a member."""

    version: ClassVar[str] = "1"
    about: ClassVar[About] = About(title="Band", staging=(), latency=(), latency_note="", zone="none", naps=False)

    def __init__(self, name: str, *forms: Form) -> None:
        self.name = name
        self.forms = forms

    def read(self, found: Found, options: ReadOptions) -> Imported:
        """Reject every member, so that a test can tell what was handed over."""
        ledger = Ledger(self.name, options)
        for name, members in found.items():
            for member in members:
                ledger.reject(f"{name}: {member.name}", "it is only a test")
        return ledger.imported()


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let these connectors be all there are."""

    def only(*bands: Band) -> None:
        monkeypatch.setattr("nof1.connect.recognition.find_connectors", lambda: {band.name: band for band in bands})
        monkeypatch.setattr(registry, "find_connectors", lambda: {band.name: band for band in bands})

    return only


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Export]:
    """Write files, by name and text, into a folder, and open it."""

    def write(**files: str) -> Export:
        folder = tmp_path / "export"
        for name, text in files.items():
            path = folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Export(folder)

    return write


def test_the_one_that_claims_it_reads_it(install: Callable[..., None], export: Callable[..., Export]) -> None:
    """The connector whose form matches is chosen, with the member and the evidence as its reason."""
    install(Band("band", form("diary", "zz")), Band("mat", form("log", "m")))
    (claim,) = recognise(export(sleep_txt="zz 23:10"))
    assert (claim.connector.name, claim.because) == ("band", "sleep.txt holds a diary")


def test_members_are_sorted_into_forms(install: Callable[..., None], export: Callable[..., Export]) -> None:
    """Each member goes to the first form that matches, in order of name; forms without a member are there and empty."""
    install(Band("band", form("night", "zz"), form("any", "z"), form("none", "q")))
    (claim,) = recognise(export(b_txt="zz", a__c_txt="zz", d_txt="z", e_txt="?"))
    assert {name: [member.name for member in members] for name, members in claim.found.items()} == {
        "night": ["a/c.txt", "b.txt"],
        "any": ["d.txt"],
        "none": [],
    }
    assert claim.read(ReadOptions()).read == len(claim.members) == 3


def test_two_sources_in_one_export_are_both_read(install: Callable[..., None], export: Callable[..., Export]) -> None:
    """A folder that holds the exports of two sources gives two claims, in order of name."""
    install(Band("band", form("night", "b")), Band("mat", form("night", "m")))
    assert [claim.connector.name for claim in recognise(export(x_txt="m", y_txt="b"))] == ["band", "mat"]


def test_two_claims_of_one_member_name_both_and_the_way_out(
    install: Callable[..., None], export: Callable[..., Export]
) -> None:
    """Where two connectors claim one member both are named, and how to choose; choosing then works."""
    install(Band("band", form("diary", "zz")), Band("ring", form("list", "zzz")))
    twice = export(sleep_txt="zzz")
    with pytest.raises(DataError, match=r"band because .* a diary; ring because .* a list\. .* --from band"):
        recognise(twice)
    assert recognise(twice, "ring")[0].connector.name == "ring"


def test_an_export_that_nobody_knows_says_what_is_known(
    install: Callable[..., None], export: Callable[..., Export]
) -> None:
    """An export that no connector claims is refused, with the list of sources that were looked for."""
    install(Band("band", form("diary", "zz")), Band("mat", form("log", "m")))
    with pytest.raises(DataError, match=r"Looked into 2 files .* band, mat\."):
        recognise(export(letter_txt="Dear doctor", more_txt="Yours"))


def test_a_source_that_is_not_installed_is_a_mistake_in_the_call(
    install: Callable[..., None], export: Callable[..., Export]
) -> None:
    """Asking for an unknown source lists the known ones."""
    install(Band("band", form("diary", "zz")))
    with pytest.raises(UsageError, match="Installed: band"):
        recognise(export(sleep_txt="zz"), "anklet")


def test_forms_never_met_need_the_persons_word(install: Callable[..., None], export: Callable[..., Export]) -> None:
    """A form that no real export was met for is refused with the option's name, and read with it."""
    install(Band("band", form("diary", "zz", seen=False)))
    with pytest.raises(UsageError, match=r"sleep\.txt holds a diary.*--untested-ok"):
        recognise(export(sleep_txt="zz"))
    (claim,) = recognise(export(sleep_txt="zz"), untested_ok=True)
    assert len(claim.members) == 1


def test_forms_never_met_beside_others_are_named(install: Callable[..., None], export: Callable[..., Export]) -> None:
    """Beside a form that is read, one that needs the person's word is skipped, saying how to read it."""
    install(Band("band", form("diary", "zz"), form("list", "q", seen=False)))
    (claim,) = recognise(export(a_txt="zz", b_txt="q"))
    ((name, why),) = claim.skipped
    assert (name, "--untested-ok" in why, claim.found["list"]) == ("b.txt", True, ())


def test_a_companion_alone_is_not_an_export(install: Callable[..., None], export: Callable[..., Export]) -> None:
    """A file that only helps to read another makes no claim by itself, and the person is told to give the whole."""
    install(Band("band", form("diary", "zz"), form("devices", "d", alone=False)))
    with pytest.raises(DataError, match=r"devices\.txt goes with nights that are not here"):
        recognise(export(devices_txt="d"))
    (claim,) = recognise(export(devices_txt="d", sleep_txt="zz"))
    assert claim.because == "sleep.txt holds a diary"
    assert [member.name for member in claim.found["devices"]] == ["devices.txt"]


def test_a_name_alone_is_told_and_not_believed(install: Callable[..., None], export: Callable[..., Export]) -> None:
    """A file that is only named like sleep is skipped and told about; the name never makes a claim."""
    install(Band("band", form("diary", "zz", named=r"sleep.*\.txt$")))
    with pytest.raises(DataError, match="holds no sleep that nof1 knows"):
        recognise(export(sleep2_txt="Dear doctor"))
    (claim,) = recognise(export(sleep2_txt="Dear doctor", a_txt="zz"))
    assert claim.skipped == (("sleep2.txt", "it is named like a diary and holds none"),)


def test_only_the_kind_of_a_form_is_shown_to_it(install: Callable[..., None], export: Callable[..., Export]) -> None:
    """A form for JSON is not asked about text, nor the other way round."""
    install(Band("band", form("json", "", "json")), Band("mat", form("text", "", "text")))
    found = recognise(export(a_txt="[]", b_txt="b"))
    assert [[member.name for member in claim.members] for claim in found] == [["a.txt"], ["b.txt"]]


def test_photographs_are_not_opened(install: Callable[..., None], export: Callable[..., Export]) -> None:
    """Files that are named as pictures, films and the like are never looked into, whatever they hold."""
    install(Band("band", form("diary", "zz")))
    with pytest.raises(DataError, match="holds no sleep"):
        recognise(export(photo_JPG="zz"))


@pytest.mark.parametrize(("name", "refused"), [("sleep.txt", True), ("notes.txt", False)])
def test_a_damaged_member_is_never_passed_over(
    install: Callable[..., None], tmp_path: Path, name: str, refused: bool
) -> None:
    """A damaged member that is named like sleep refuses the whole export; any other is named as skipped."""
    install(Band("band", form("diary", "zz", named="^sleep")))
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "zz")
        archive.writestr(name, "[1234567890]")
    path.write_bytes(path.read_bytes().replace(b"[1234567890]", b"[1234567891]"))
    if refused:
        with pytest.raises(DataError, match=r"sleep\.txt is damaged"):
            recognise(Export(path))
    else:
        (claim,) = recognise(Export(path))
        ((skipped, why),) = claim.skipped
        assert (skipped, "is damaged" in why) == (name, True)


@pytest.mark.parametrize(("magic", "told"), [(b"\x1f\x8b\x08", "tar -xzf"), (b"Rar!\x1a", r"\.rar archive")])
def test_an_archive_of_another_kind_says_how_to_unpack_it(
    install: Callable[..., None], tmp_path: Path, magic: bytes, told: str
) -> None:
    """A .tgz or .rar is refused with what to do about it."""
    install(Band("band", form("diary", "zz")))
    (tmp_path / "export").write_bytes(magic + b"\x00" * 20)
    with pytest.raises(DataError, match=told):
        recognise(Export(tmp_path / "export"))


# Weak evidence


def test_weak_evidence_gives_way_to_another_connector(
    install: Callable[..., None], export: Callable[..., Export]
) -> None:
    """Beside another's export it is left alone and told about; alone, or asked for, it is claimed."""
    install(Band("band", form("diary", "zz")), Band("mat", form("list", "q", weak=True)))
    both = export(a_txt="zz", b_txt="q")
    (claim,) = recognise(both)
    ((name, why),) = claim.skipped
    assert (claim.connector.name, name, "--from mat reads it" in why) == ("band", "b.txt", True)
    assert [member.name for member in recognise(both, "mat")[0].members] == ["b.txt"]


def test_weak_evidence_alone_is_enough(install: Callable[..., None], export: Callable[..., Export]) -> None:
    """Where nobody else claims anything it stands; a companion of another connector claims nothing."""
    install(Band("band", form("devices", "d", alone=False)), Band("mat", form("list", "q", weak=True)))
    assert [claim.connector.name for claim in recognise(export(a_txt="d", b_txt="q"))] == ["mat"]


def test_one_s_own_sure_evidence_lets_the_weak_stand(
    install: Callable[..., None], export: Callable[..., Export]
) -> None:
    """A night whose lines at the top were forgotten, beside nights that have them, must not be passed over."""
    install(Band("mat", form("sure", "zz"), form("list", "z", weak=True)))
    (claim,) = recognise(export(a_txt="zz", b_txt="z"))
    assert [member.name for member in claim.members] == ["a.txt", "b.txt"]


def test_a_member_goes_to_the_surer(install: Callable[..., None], export: Callable[..., Export]) -> None:
    """A member that one connector knows and another only guesses at is not claimed twice."""
    install(Band("band", form("diary", "zz")), Band("mat", form("list", "z", weak=True)))
    (claim,) = recognise(export(a_txt="zz"))
    assert (claim.connector.name, claim.skipped) == ("band", ())


# Connectors that fail


def test_a_connector_that_fails_at_its_look_is_left_out(
    install: Callable[..., None], export: Callable[..., Export]
) -> None:
    """It is named in a warning with its error, what it had matched before is dropped, and the others go on."""
    install(Band("band", failing_form("bad")), Band("mat", form("log", "m")))
    with pytest.warns(ConnectorFailedWarning, match=r"'band' \(.*test_recogn.*\) failed .* b\.txt .*KeyError: 'bad'"):
        (claim,) = recognise(export(a_txt="zz", b_txt="mm bad", c_txt="zz"))
    assert (claim.connector.name, [member.name for member in claim.members]) == ("mat", ["b.txt"])


def test_without_the_one_that_fails_the_import_may_hold_nothing(
    install: Callable[..., None], export: Callable[..., Export]
) -> None:
    """Its own export is then refused as unknown, and the warning says why."""
    install(Band("band", failing_form("bad")), Band("mat", form("log", "m")))
    with (
        pytest.warns(ConnectorFailedWarning, match="'band'"),
        pytest.raises(DataError, match=r"exports of: mat\."),
    ):
        recognise(export(a_txt="zz", b_txt="bad"))


def test_one_that_is_asked_for_and_fails_is_an_error(
    install: Callable[..., None], export: Callable[..., Export]
) -> None:
    """With --from there is nothing to go on with."""
    install(Band("band", failing_form("bad")), Band("mat", form("log", "m")))
    with pytest.raises(ConnectorFailedError, match=r"'band' .* failed"):
        recognise(export(a_txt="zz", b_txt="bad"), "band")


# Exports that are named together


@pytest.fixture
def parts(tmp_path: Path) -> Callable[..., list[Export]]:
    """Write zip archives, each a dict of texts by name, and open them."""

    def write(*contents: dict[str, str]) -> list[Export]:
        found = []
        for number, content in enumerate(contents, 1):
            path = tmp_path / f"part-{number}.zip"
            with zipfile.ZipFile(path, "w") as archive:
                for name, text in content.items():
                    archive.writestr(name, text)
            found.append(Export(path))
        return found

    return write


BAND = Band("band", form("diary", "zz"), form("devices", "d", alone=False))
MAT = Band("mat", form("log", "m"))


def test_parts_that_may_need_each_other_are_claimed_joined_too(
    install: Callable[..., None], parts: Callable[..., list[Export]]
) -> None:
    """The members of all parts are there, in the order of one folder, each named with its part."""
    install(BAND, MAT)
    (band, mat) = recognise_together(
        parts({"T/b.txt": "zz"}, {"n.txt": "m"}, {"T/a.txt": "zz", "T/b.txt": "zz", "T/d.txt": "d"})
    )
    assert [(place, len(claim.members)) for place, claim in band.apart] == [(0, 1), (2, 3)]
    assert band.joined is not None
    assert band.parts == (0, 2)
    assert [member.name for member in band.joined.found["devices"]] == ["part-3.zip/T/d.txt"]
    assert [member.name for member in band.joined.found["diary"]] == [
        "part-3.zip/T/a.txt",
        "part-1.zip/T/b.txt",
        "part-3.zip/T/b.txt",
    ]
    assert ([place for place, _ in mat.apart], mat.joined) == ([1], None)


def test_exports_that_cannot_need_each_other_stay_apart(
    install: Callable[..., None], parts: Callable[..., list[Export]]
) -> None:
    """Without a file that only helps to read another nothing is joined."""
    install(BAND, MAT)
    (band,) = recognise_together(parts({"a.txt": "zz"}, {"b.txt": "zz"}))
    assert (len(band.apart), band.joined) == (2, None)


def test_a_part_that_holds_only_companions_is_told_about(
    install: Callable[..., None], parts: Callable[..., list[Export]]
) -> None:
    """If the parts are then read apart, its files are named with what they lack; joined, they lack nothing."""
    install(BAND, MAT)
    (band,) = recognise_together(parts({"a.txt": "zz"}, {"b.txt": "d"}))
    assert band.joined is not None
    assert band.joined.skipped == ()
    ((member, why),) = band.apart[0][1].skipped
    assert member == "b.txt"
    assert why.startswith("it goes with nights that part-2.zip does not hold")


def test_what_is_skipped_in_a_part_is_told_when_the_parts_are_joined(
    install: Callable[..., None], parts: Callable[..., list[Export]]
) -> None:
    """What is skipped in each part, and a part that holds nothing, is told joined as it is apart."""
    install(Band("band", form("diary", "zz", named="sleep"), form("devices", "d", alone=False)))
    (band,) = recognise_together(parts({"T/a.txt": "zz", "T/sleep.txt": "?"}, {"T/photo.txt": "?"}, {"T/b.txt": "d"}))
    assert band.joined is not None
    assert band.joined.skipped == (
        ("part-1.zip/T/sleep.txt", "it is named like a diary and holds none"),
        ("part-2.zip", "it lies in the same folders as the others and holds no sleep"),
    )


def test_a_part_without_sleep_is_told_and_a_stranger_is_refused(
    install: Callable[..., None], parts: Callable[..., list[Export]]
) -> None:
    """A part of a download may hold photographs; another export without sleep is a mistake, as if it were alone."""
    install(BAND, MAT)
    (band,) = recognise_together(parts({"T/a.txt": "zz"}, {"T/photo.txt": "?"}))
    assert band.apart[0][1].skipped == (("part-2.zip", "it lies in the same folders as the others and holds no sleep"),)
    with pytest.raises(DataError, match=r"part-2\.zip holds no sleep that nof1 knows"):
        recognise_together(parts({"T/a.txt": "zz"}, {"U/photo.txt": "?"}))
    with pytest.raises(DataError, match=r"part-1\.zip: a\.txt goes with nights that are not here"):
        recognise_together(parts({"a.txt": "d"}, {"b.txt": "d"}))
