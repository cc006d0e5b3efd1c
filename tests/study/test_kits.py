"""What the custodian packs: told to the custodian alone."""

import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.cases import ZONE, write_export

import nof1.store.events
from nof1.errors import NotAllowedError, UsageError, WriteError
from nof1.store.seal import Custodian, Key, new_key
from nof1.study.analysis import analyse
from nof1.study.diaries import tonight
from nof1.study.imports import import_exports
from nof1.study.kits import write_kits
from nof1.study.pages import write_report
from nof1.study.sealing import lock_analysis, unblind
from nof1.study.study import Study, create_study
from nof1.study.trials import Trial, read_trial, start_trial
from nof1.study.verification import verify
from nof1.trial.blinding import OPENED_EARLY, OPENED_IN_PART, PARTNER_HELD, SELF_HELD, CustodianRole

FIRST = date(2026, 12, 1)
NIGHTS = 12
BEFORE = datetime(2026, 11, 30, 12, tzinfo=UTC)
AFTER = datetime(2026, 12, 14, 12, tzinfo=UTC)
LABELS = ("Quartz dust", "Chalk dust")

PROTOCOL = """
id = "dusts"
title = "Two sorts of capsules"

[[arm]]
code = "quartz"
label = "Quartz dust"
units_per_dose = 3
take = "with water"

[[arm]]
code = "chalk"
label = "Chalk dust"
units_per_dose = 3
take = "with water"
reference = true

[design]
scheme = "randomised-pairs"
blocks = 2
period_nights = 3
transition_nights = 0
run_in_nights = 0

[blinding]

[safety]
nothing_to_ask = "invented for the tests"

[[outcome]]
measure = "deep_min"
"""


@pytest.fixture
def key(tmp_path: Path) -> Key:
    """The custodian's key."""
    path = tmp_path / "custodian.key"
    new_key(path)
    return Key(file=path)


@pytest.fixture
def begin(tmp_path: Path, key: Key) -> Callable[..., Study]:
    """Begin the trial, sealed to a custodian in some role."""

    def begun(role: CustodianRole | None = "pharmacist") -> Study:
        protocol = tmp_path / "dusts.toml"
        protocol.write_text(PROTOCOL)
        study = create_study(tmp_path / "study", zone=ZONE, clock=lambda: BEFORE)
        assert key.file is not None
        public = key.file.read_text().splitlines()[0].removeprefix("# public key: ")
        start_trial(study, protocol, on=FIRST, custodian=Custodian(public_key=public, role=role))
        return study

    return begun


def trial_of(study: Study) -> Trial:
    """The trial as the record tells it."""
    with study.record() as record:
        return read_trial(study, record)


def truth(study: Study, key: Key, tmp_path: Path) -> dict[int, str]:
    """The arm of each period, from a copy that is opened one by one."""
    return {number: unblind(study, key, reason="test", period=number).arms[number] for number in range(1, 5)}


def test_the_page_tells_the_custodian_what_was_drawn(begin: Callable[..., Study], key: Key, tmp_path: Path) -> None:
    """Packing list and cards name the contents of each bottle as the seal holds them, units with the reserve."""
    study = begin()
    made = write_kits(study, key, output=tmp_path / "kits.html", reserve_nights=1)
    text = made.page.read_text()
    assert (made.bottles, made.doses, made.units) == (4, 4, 12)
    arms = truth(study, key, tmp_path)
    for number, arm in arms.items():
        label = trial_of(study).protocol.arm(arm).label
        assert f'<th scope="row">{number}</th><td>{label}</td><td class="amount">12</td>' in text
        card = text.partition(f"Emergency: bottle {number}")[2].partition("</article>")[0]
        assert label in card
        assert f"what is in bottle {[2, 1, 4, 3][number - 1]}." in card
        assert {one for one in LABELS if one in card} == {label}


def test_labels_are_blind(begin: Callable[..., Study], key: Key, tmp_path: Path) -> None:
    """The sheets of labels hold numbers, dates and what to take, and no arm."""
    page = write_kits(begin(), key, output=tmp_path / "kits.html").page.read_text()
    labels = page.partition("<h1>Labels</h1>")[2].partition("<h1>Emergency cards</h1>")[0]
    assert labels.count("<article") == 4
    assert "1 Dec 2026 to 3 Dec 2026" in labels
    assert "Every evening 3 from this bottle, with water." in labels
    assert not any(label in labels for label in LABELS)


def test_the_page_needs_no_network_and_runs_nothing(begin: Callable[..., Study], key: Key, tmp_path: Path) -> None:
    """No script, no link, no address; the policy lets one style in."""
    page = write_kits(begin(), key, output=tmp_path / "kits.html").page.read_text()
    assert "default-src 'none'; style-src 'sha256-" in page.replace("&#39;", "'")
    assert not any(word in page for word in ("<script", "<link", "<img", "http://", "https://", "javascript:"))


def test_that_kits_were_made_is_on_record_and_what_they_tell_is_not(
    begin: Callable[..., Study], key: Key, tmp_path: Path
) -> None:
    """The event has who, when and the count; no file of the study holds an arm that it did not hold before."""
    study = begin()
    write_kits(study, key, output=tmp_path / "kits.html")
    with study.record() as record:
        event = record.events()[-1]
    assert (event.kind, event.actor, event.at[:10]) == ("kits-rendered", study.actor, "2026-11-30")
    assert event.payload == {"bottles": 4, "doses": 5, "units": 15}
    texts = [path.read_bytes() for path in study.folder.path.rglob("*") if path.name != "protocol.toml"]
    assert not any(word.encode() in text for text in texts for word in ("quartz", "chalk", *LABELS))
    assert verify(study).events == 4


def test_the_page_is_the_custodian_s_alone(begin: Callable[..., Study], key: Key, tmp_path: Path) -> None:
    """It is readable by its owner, never inside a study (not by a link either), and never over another file."""
    study = begin()
    page = write_kits(study, key, output=tmp_path / "kits.html").page
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    (tmp_path / "elsewhere").symlink_to(study.folder.path)
    for inside in (study.folder.path / "kits.html", tmp_path / "elsewhere" / "kits.html"):
        with pytest.raises(UsageError, match="lies in the study"):
            write_kits(study, key, output=inside)
    with pytest.raises(WriteError, match="there already"):
        write_kits(study, key, output=page)
    with pytest.raises(WriteError, match="cannot be created"):
        write_kits(study, key, output=tmp_path / "no" / "kits.html")
    assert list(study.folder.path.rglob("*.html")) == []


def test_a_page_that_is_not_on_record_is_not_there(
    begin: Callable[..., Study], key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the record cannot be written, no page is left behind."""
    study = begin()

    def fails(*_: object, **__: object) -> None:
        raise WriteError("the disk is full")

    monkeypatch.setattr(nof1.store.events.Record, "append", fails)
    with pytest.raises(WriteError, match="full"):
        write_kits(study, key, output=tmp_path / "kits.html")
    assert not (tmp_path / "kits.html").exists()


def test_another_key_makes_no_kits(begin: Callable[..., Study], tmp_path: Path) -> None:
    """A stranger's key is refused, nothing is written and nothing recorded."""
    study = begin()
    new_key(tmp_path / "other.key")
    with pytest.raises(NotAllowedError, match="does not open"):
        write_kits(study, Key(file=tmp_path / "other.key"), output=tmp_path / "kits.html")
    assert not (tmp_path / "kits.html").exists()
    assert verify(study).events == 3


def test_an_open_trial_has_no_kits(tmp_path: Path, key: Key) -> None:
    """Where nothing is concealed, nobody needs to pack in secret: said kindly."""
    protocol = tmp_path / "open.toml"
    protocol.write_text(PROTOCOL.replace("[blinding]", ""))
    study = create_study(tmp_path / "open", zone=ZONE, clock=lambda: BEFORE)
    start_trial(study, protocol, on=FIRST)
    with pytest.raises(UsageError, match="nobody needs to pack in secret"):
        write_kits(study, key, output=tmp_path / "kits.html")


def test_the_evening_names_the_bottle_even_after_an_emergency(begin: Callable[..., Study], key: Key) -> None:
    """A period that was opened for an emergency is not told to everybody who asks what to take."""
    study = begin()
    unblind(study, key, reason="emergency department asks", period=1)
    assert tonight(study, night=FIRST).take == "3 from bottle 1, with water"
    assert trial_of(study).is_sealed


@pytest.mark.parametrize(("role", "words"), [("partner", PARTNER_HELD), ("self", SELF_HELD)])
def test_who_holds_the_key_is_part_of_the_blinding(
    begin: Callable[..., Study], role: CustodianRole, words: str
) -> None:
    """A partner at home and a key of one's own are said wherever the blinding is."""
    study = begin(role)
    assert trial_of(study).blinding == words
    assert tonight(study, night=FIRST).blinding == words


def test_a_trial_opened_bottle_by_bottle_is_no_longer_blind(begin: Callable[..., Study], key: Key) -> None:
    """Opening one period of each pair before the end tells them all, and the blinding says so from then on."""
    study = begin()
    unblind(study, key, reason="curious", period=1)
    assert trial_of(study).blinding == OPENED_IN_PART
    unblind(study, key, reason="curious", period=4)
    assert trial_of(study).blinding == OPENED_EARLY


def test_the_result_says_how_it_was_sealed_locked_and_opened(
    begin: Callable[..., Study], key: Key, tmp_path: Path
) -> None:
    """Result and page name the custodian, lock, opening, and the period that was opened before the end."""
    study = begin(None)
    unblind(study, key, reason="rash", period=3)
    over = replace(study, clock=lambda: AFTER)
    import_exports(over, [write_export(tmp_path / "takeout.zip", NIGHTS, first=FIRST)])
    lock_analysis(over, looked="no")
    unblind(over, key, reason="the trial is over")
    result = analyse(over).result
    assert result["blinding"] == OPENED_IN_PART
    assert result["trial"]["deviations"] == [
        "Period 3 was opened on 2026-11-30, before the last night: rash. That told period 4 too."
    ]
    assert result["trial"]["sealing"] == {
        "custodian": None,
        "locked_at": "2026-12-14T12:00:00.000000+00:00",
        "looked": "no",
        "opened_at": "2026-12-14T12:00:00+00:00",
        "opened_by": over.actor,
        "reason": "the trial is over",
    }
    page = write_report(over).read_text().replace("\u00a0", " ")
    assert "It was not said who held the key" in page
    assert "Period 3 was opened on 2026-11-30" in page
    assert "Analysis locked 2026-12-14 12:00 UTC; nights compared by period before: no." in page


def test_without_a_lock_the_result_says_so(begin: Callable[..., Study], key: Key, tmp_path: Path) -> None:
    """Whoever opens bottle after bottle instead of locking and unblinding reads that in the result."""
    study = begin()
    truth(study, key, tmp_path)
    over = replace(study, clock=lambda: AFTER)
    import_exports(over, [write_export(tmp_path / "takeout.zip", NIGHTS, first=FIRST)])
    result = analyse(over).result
    assert "What would be analysed was not locked before the arms were known." in result["trial"]["deviations"]
    assert result["trial"]["deviations"][0] == (
        "Period 1 was opened on 2026-11-30, before the last night: test. That told period 2 too."
    )
