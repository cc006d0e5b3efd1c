"""Who should not know cannot know; everybody can check afterwards."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from tests.cases import ZONE, write_export

from nof1.errors import NotAllowedError, TamperedError, UsageError
from nof1.report.concealment import who_knew
from nof1.store.seal import Custodian, Key, new_key
from nof1.study.analysis import analyse
from nof1.study.conduct import end_trial
from nof1.study.diaries import log_night, tonight
from nof1.study.fhir import fhir_bundle
from nof1.study.guesses import guess_period
from nof1.study.imports import import_exports
from nof1.study.package import export_package
from nof1.study.pages import write_report
from nof1.study.sealing import (
    Looked,
    lock_analysis,
    make_key,
    open_seal,
    sealing_account,
    sealing_deviations,
    unblind,
)
from nof1.study.status import left_unsaid, read_so_far, status_of
from nof1.study.study import Study, create_study
from nof1.study.trials import read_trial, start_trial
from nof1.study.verification import verify
from nof1.trial.allocation import allocate
from nof1.trial.blinding import OPENED_UNLOCKED

FIRST = date(2026, 12, 1)
NIGHTS = 12
BEFORE = datetime(2026, 11, 30, 12, tzinfo=UTC)
AFTER = datetime(2026, 12, 14, 12, tzinfo=UTC)
SEED = bytes(range(32))

PROTOCOL = """
schema = 1
id = "sealed"
title = "Two sorts of capsules"
question = "Does it matter which?"

[[arm]]
code = "magnesium"
label = "Magnesium"
units_per_dose = 3
take = "one hour before lights out"

[[arm]]
code = "placebo"
label = "Placebo"
units_per_dose = 3
take = "one hour before lights out"
reference = true

[design]
scheme = "randomised-pairs"
blocks = 2
period_nights = 3
transition_nights = 0
run_in_nights = 0

[blinding]
concealed_from = ["participant", "clinician"]

[safety]
nothing_to_ask = "invented for the tests"

[[outcome]]
measure = "deep_min"
"""


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The custodian's key file."""
    path = tmp_path / "custodian.key"
    new_key(path)
    return path


@pytest.fixture
def study(tmp_path: Path, key: Path) -> Study:
    """A sealed trial of twelve nights, the evening before its first night."""
    protocol = tmp_path / "sealed.toml"
    protocol.write_text(PROTOCOL)
    study = create_study(tmp_path / "study", zone=ZONE, clock=lambda: BEFORE)
    public = key.read_text().splitlines()[0].removeprefix("# public key: ")
    start_trial(study, protocol, on=FIRST, custodian=Custodian(public_key=public), entropy=lambda count: SEED[:count])
    return study


@pytest.fixture
def over(study: Study, tmp_path: Path) -> Study:
    """The same trial after its last night, its sleep imported."""
    study = replace(study, clock=lambda: AFTER)
    import_exports(study, [write_export(tmp_path / "takeout.zip", NIGHTS, first=FIRST)])
    return study


@pytest.fixture
def arms(study: Study) -> dict[int, str]:
    """The truth: the arm of each period."""
    with study.record() as record:
        protocol = read_trial(study, record).protocol
    return dict(enumerate(allocate(protocol.design, protocol.arms, SEED).sequence, start=1))


def everything(study: Study) -> bytes:
    """Every byte in the study folder."""
    return b"".join(path.read_bytes() for path in sorted(study.folder.path.rglob("*")) if path.is_file())


def test_a_sealed_trial_tells_no_arm(study: Study) -> None:
    """Schedule, tonight and allocation know periods and bottles, and no arm."""
    with study.record() as record:
        trial = read_trial(study, record)
    assert trial.is_sealed
    assert trial.allocation is None
    assert {period.arm for period in trial.schedule.periods} == {None}
    assert trial.blinding == "concealed from participant and clinician"
    assert tonight(study, night=FIRST).take == "3 from bottle 1, one hour before lights out"


def test_seed_and_key_are_nowhere_in_the_folder(study: Study, key: Path) -> None:
    """Neither the seed in any spelling nor the custodian's secret enters the study."""
    content = everything(study)
    assert SEED not in content
    assert SEED.hex().encode() not in content
    assert key.read_text().splitlines()[1].encode() not in content


def test_the_custodian_opens_it_and_it_is_what_was_drawn(study: Study, key: Path, arms: dict[int, str]) -> None:
    """With the key the sealed allocation is read, checked against commitment and seed."""
    with study.record() as record:
        trial = read_trial(study, record)
    assert dict(enumerate(open_seal(trial, Key(file=key)).allocation.sequence, start=1)) == arms


def test_another_key_or_passphrase_opens_nothing(study: Study, tmp_path: Path) -> None:
    """A stranger's key is refused, and the record does not change."""
    new_key(tmp_path / "other.key")
    before = everything(study)
    for stranger in (Key(file=tmp_path / "other.key"), Key(passphrase="four words of my own")):
        with pytest.raises(NotAllowedError, match="does not open"):
            unblind(study, stranger, reason="curious", period=1)
    assert everything(study) == before


def test_a_passphrase_seals_and_opens(tmp_path: Path) -> None:
    """A partner at home without a key file types a passphrase instead; a short one is refused."""
    protocol = tmp_path / "sealed.toml"
    protocol.write_text(PROTOCOL)
    study = create_study(tmp_path / "home", zone=ZONE, clock=lambda: BEFORE)
    with pytest.raises(UsageError, match="guessed"):
        Custodian(passphrase="secret")
    start_trial(study, protocol, on=FIRST, custodian=Custodian(passphrase="horse battery staple"))
    assert set(unblind(study, Key(passphrase="horse battery staple"), reason="emergency", period=2).arms) == {2}


def test_the_analysis_waits_for_lock_and_key(over: Study, key: Path, arms: dict[int, str]) -> None:
    """While sealed nothing is analysed; without a lock the whole is not opened; then it is, and it verifies."""
    with pytest.raises(NotAllowedError, match="sealed"):
        analyse(over)
    with pytest.raises(NotAllowedError, match="nof1 lock"):
        unblind(over, Key(file=key), reason="done")
    lock_analysis(over, looked="no")
    opened = unblind(over, Key(file=key), reason="done")
    assert (opened.arms, opened.seed) == (arms, SEED.hex())
    with over.record() as record:
        trial = read_trial(over, record)
    assert {period.number: period.arm for period in trial.schedule.periods} == arms
    assert verify(over).events
    with pytest.raises(NotAllowedError, match="before the seal is opened"):
        lock_analysis(over, looked="no")


def test_before_the_lock_it_is_told_what_nobody_wrote_down(over: Study) -> None:
    """Nights, doses and guesses that are missing; what is written down leaves the list."""
    status = status_of(read_so_far(over))
    planned = sum(one.past for one in status.periods)
    missing = sum(one.missing for one in status.periods)
    *nights, doses, guesses = left_unsaid(read_so_far(over))
    assert len(nights) == bool(missing)
    assert all(one.startswith(f"Nights on treatment that are not recorded: {missing}.") for one in nights)
    assert doses.startswith(f"Doses that are not logged: {planned}.")
    assert guesses == "Periods without a guess: 1, 2, 3, 4 (nof1 guess --period N)."
    log_night(over, night=status.periods[0].first_night, dose_taken=True)
    guess_period(over, arm="placebo", sure=50, period=2)
    *_, doses, guesses = left_unsaid(read_so_far(over))
    assert doses.startswith(f"Doses that are not logged: {planned - 1}.")
    assert ": 1, 3, 4 " in guesses


def test_before_the_last_night_only_one_period_can_be_opened(study: Study, key: Path, arms: dict[int, str]) -> None:
    """In an emergency one bottle is told at any hour, with what else that gives away; the others stay sealed."""
    with pytest.raises(NotAllowedError, match="runs until"):
        unblind(study, Key(file=key), reason="impatient")
    opened = unblind(study, Key(file=key), reason="emergency department asks", period=3)
    assert opened.arms == {3: arms[3]}
    assert opened.also_told == [4]
    with study.record() as record:
        trial = read_trial(study, record)
    assert {period.arm for period in trial.schedule.periods} == {None}, "the emergency is no reason to tell the evening"
    assert [(opening.period, opening.reason) for opening in trial.openings] == [(3, "emergency department asks")]


@pytest.mark.parametrize("opened", [(1,), (1, 2)])
def test_a_stop_tells_no_bottle_that_an_emergency_opened(
    study: Study, key: Path, tmp_path: Path, opened: tuple[int, ...]
) -> None:
    """Where all that was lived was opened singly, the trial stays sealed: to tables, bundles, packages and analysis."""
    for period in opened:
        unblind(study, Key(file=key), reason="emergency department asks", period=period)
    last = FIRST + timedelta(days=3 * len(opened) - 1)
    stopped = replace(study, clock=lambda: datetime.combine(last, time(20), UTC))
    end_trial(stopped, reason="unwell")
    later = replace(study, clock=lambda: AFTER)
    import_exports(later, [write_export(tmp_path / "takeout.zip", NIGHTS, first=FIRST)])
    with later.record() as record:
        trial = read_trial(later, record)
    assert trial.is_sealed
    assert [period.arm for period in trial.schedule.periods] == [None] * len(opened)
    assert not [word for word in ("CarePlan", "Period 1") if word in json.dumps(fhir_bundle(later))]
    export_package(later, tmp_path / "packed")
    packed = (tmp_path / "packed" / "data" / "schedule.csv").read_text()
    assert not [arm for arm in ("magnesium", "placebo") if arm in packed]
    assert "The treatments are still concealed." in write_report(later).read_text()
    with pytest.raises(NotAllowedError, match="sealed"):
        analyse(later)


def test_a_trial_that_ended_before_its_first_night_stays_sealed(study: Study) -> None:
    """No period is left of it, and its bottles are concealed all the same."""
    end_trial(study, reason="moved house")
    with study.record() as record:
        trial = read_trial(study, record)
    assert trial.is_sealed
    assert not trial.schedule.periods


def test_what_changes_after_the_lock_is_told(over: Study, key: Path, tmp_path: Path) -> None:
    """A diary entry made when the arms were known is listed among the deviations of the result."""
    lock_analysis(over, looked="yes")
    unblind(over, Key(file=key), reason="done")
    log_night(over, night=FIRST, note="remembered later")
    deviations = json.dumps(analyse(over).result["trial"]["deviations"])
    assert "The diary changed after the lock." in deviations
    assert "The nights" not in deviations


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda payload: payload | {"salt": "00" * 32}, "committed"),
        (lambda payload: payload | {"arms": {**payload["arms"], "1": "neither"}}, "period 1"),
    ],
)
def test_an_opening_that_is_not_what_was_sealed_is_found(
    over: Study, key: Path, change: Callable[[dict[str, object]], dict[str, object]], fault: str
) -> None:
    """Whoever appends a false opening to the record, with a chain that is whole, is found by the commitment."""
    lock_analysis(over, looked="no")
    with over.record() as record, record.writing():
        trial = read_trial(over, record)
        inside = open_seal(trial, Key(file=key))
        arms = {str(number): arm for number, arm in enumerate(inside.allocation.sequence, start=1)}
        payload = change({**inside.to_payload(), "arms": arms})
        over.append(record, "unblinded", payload, command="unblind", participant="P01", reason="forged")
    with pytest.raises(TamperedError, match=fault):
        verify(over)


def test_a_key_is_never_made_inside_a_study(study: Study) -> None:
    """The key must not travel with what it opens."""
    with pytest.raises(UsageError, match="away from"):
        make_key(study.folder.path / "custodian.key")


def test_a_trial_that_conceals_nothing_has_nothing_to_seal(tmp_path: Path) -> None:
    """A custodian for an open-label trial is a misunderstanding, and is told."""
    study = create_study(tmp_path / "open", zone=ZONE, clock=lambda: BEFORE)
    with pytest.raises(UsageError, match="nothing to seal"):
        start_trial(study, "magnesium-or-none", on=FIRST, custodian=Custodian(passphrase="horse battery staple"))


def test_the_draw_cannot_be_told_from_the_size_of_the_record(tmp_path: Path, key: Path) -> None:
    """Two draws with the same key leave records of the same length."""
    sizes = set()
    for seed in (bytes(32), b"\xff" * 32):
        protocol = tmp_path / "sealed.toml"
        protocol.write_text(PROTOCOL)
        study = create_study(tmp_path / seed.hex()[:2], zone=ZONE, clock=lambda: BEFORE)
        public = key.read_text().splitlines()[0].removeprefix("# public key: ")
        custodian = Custodian(public_key=public)
        start_trial(study, protocol, on=FIRST, custodian=custodian, entropy=lambda count, seed=seed: seed[:count])
        with study.record() as record:
            sizes.add(sum(len(json.dumps(dict(event.payload))) for event in record.events()))
    assert len(sizes) == 1


def test_an_open_draw_that_its_seed_does_not_give_is_found(tmp_path: Path) -> None:
    """Without a seal too, `verify` draws again: a record rewritten with a draw of somebody's choice is found."""
    (tmp_path / "sealed.toml").write_text(PROTOCOL)
    honest, forged = (create_study(tmp_path / name, zone=ZONE, clock=lambda: BEFORE) for name in ("honest", "forged"))
    start_trial(honest, tmp_path / "sealed.toml", on=FIRST, open_label=True)
    assert verify(honest)
    with honest.record() as record:
        told = json.dumps(record.events("started_trial")[0].payload)
    other = {"magnesium": "placebo", "placebo": "magnesium"}
    payload = json.loads(
        told, object_hook=lambda table: table | ({"arm": other[table["arm"]]} if "arm" in table else {})
    )
    payload["allocation"]["sequence"] = [other[arm] for arm in payload["allocation"]["sequence"]]
    forged.folder.protocol.write_text(PROTOCOL)
    with forged.record() as record, record.writing():
        forged.append(record, "trial-started", payload, command="start", participant="P01")
    with pytest.raises(TamperedError, match="seed does not give"):
        verify(forged)


@pytest.mark.parametrize("said", [("yes", "no"), ("no", "yes")])
def test_the_first_lock_counts(over: Study, key: Path, said: tuple[Looked, Looked]) -> None:
    """Locking again after a change would hide the change; a look that was told at any lock stays told."""
    lock_analysis(over, looked=said[0])
    log_night(over, night=FIRST, note="remembered later")
    lock_analysis(over, looked=said[1])
    unblind(over, Key(file=key), reason="done")
    with over.record() as record:
        trial = read_trial(over, record)
        told = sealing_deviations(over, record, trial)
        account = sealing_account(record, trial)
    assert told == [
        "Before the lock somebody had compared nights by period.",
        f"The analysis was locked once more on 2026-12-14, with looked: {said[1]}; the first lock counts.",
        "The diary changed after the lock.",
    ]
    assert account is not None
    assert account["looked"] == "yes"


def test_after_the_last_night_a_single_period_waits_for_the_lock(over: Study, key: Path, arms: dict[int, str]) -> None:
    """One period can tell the others, and then the diary could be changed before the lock."""
    with pytest.raises(NotAllowedError, match="nof1 lock"):
        unblind(over, Key(file=key), reason="a headache", period=1)
    lock_analysis(over, looked="no")
    assert unblind(over, Key(file=key), reason="a headache", period=1).arms == {1: arms[1]}


def test_an_emergency_does_not_wait_for_an_import(study: Study, key: Path, arms: dict[int, str]) -> None:
    """Where no night was imported there is nothing to lock, and the bottle is told at once."""
    late = replace(study, clock=lambda: AFTER)
    assert unblind(late, Key(file=key), reason="emergency department asks", period=2).arms == {2: arms[2]}


def test_an_opening_between_the_end_and_the_lock_is_part_of_the_blinding(
    study: Study, key: Path, tmp_path: Path
) -> None:
    """Opened after the last night and before any lock, the trial is no longer called concealed; after a lock it is."""
    late = replace(study, clock=lambda: AFTER)
    unblind(late, Key(file=key), reason="emergency department asks", period=2)
    import_exports(late, [write_export(tmp_path / "takeout.zip", NIGHTS, first=FIRST)])
    locked = replace(study, clock=lambda: AFTER + timedelta(hours=1))
    lock_analysis(locked, looked="no")
    unblind(locked, Key(file=key), reason="done")
    result = analyse(locked).result
    assert result["blinding"] == OPENED_UNLOCKED
    assert "may have been chosen by somebody who knew" in str(who_knew(result))


def test_an_opening_after_the_lock_leaves_the_blinding_whole(over: Study, key: Path) -> None:
    """The ordinary way: lock, then open; the result says concealed."""
    lock_analysis(over, looked="no")
    unblind(replace(over, clock=lambda: AFTER + timedelta(hours=1)), Key(file=key), reason="done")
    with over.record() as record:
        assert read_trial(over, record).blinding == "concealed from participant and clinician"


def test_a_lock_after_all_was_told_is_called_late(study: Study, key: Path, tmp_path: Path) -> None:
    """Periods that were opened one by one before the lock leave it nothing to protect."""
    for period in (1, 3):
        unblind(study, Key(file=key), reason="curious", period=period)
    over = replace(study, clock=lambda: AFTER)
    import_exports(over, [write_export(tmp_path / "takeout.zip", NIGHTS, first=FIRST)])
    lock_analysis(over, looked="no")
    with over.record() as record:
        told = sealing_deviations(over, record, read_trial(over, record))
    assert told[-1] == "What would be analysed was not locked before the arms were known."


def test_a_look_with_the_clock_set_forward_is_told(study: Study, key: Path, tmp_path: Path) -> None:
    """Who analyses early on a clock set forward, and sets it back, finds both in the later result; verify warns."""
    open_ = create_study(tmp_path / "open", zone=ZONE, clock=lambda: BEFORE)
    (tmp_path / "open.toml").write_text(PROTOCOL.replace("[blinding]", "").replace("concealed_from = [", "#"))
    start_trial(open_, tmp_path / "open.toml", on=FIRST)
    import_exports(open_, [write_export(tmp_path / "takeout.zip", 4, first=date(2026, 11, 20))])
    assert verify(open_).warnings == ()
    analyse(replace(open_, clock=lambda: datetime(2028, 1, 1, tzinfo=UTC)))
    log_night(replace(open_, clock=lambda: datetime(2026, 12, 2, 12, tzinfo=UTC)), night=FIRST, note="back")
    over = replace(open_, clock=lambda: AFTER)
    (warning,) = verify(over).warnings
    assert "(diary-logged, 2026-12-02) is dated before event" in warning
    deviations = analyse(over).result["trial"]["deviations"]
    assert "Effects were looked at on 2026-12-02 or before, and the last night was not over." in deviations
    assert f"Of the record, {warning}." in deviations


@pytest.mark.parametrize("head", ["", " ", "a", "0123456789abcde", "g" * 16, "0" * 65])
def test_a_head_that_names_no_event_is_refused(study: Study, head: str) -> None:
    """Nothing, or a digit, would be found in every record."""
    with pytest.raises(UsageError, match="at least the first 16"):
        verify(study, head=head)


def test_a_head_is_known_in_capitals_and_with_spaces(study: Study) -> None:
    """As it comes out of an e-mail."""
    head = verify(study).chain_head
    assert verify(study, head=f" {head.upper()}\n").chain_head == head
    assert verify(study, head=head[:16]).chain_head == head
