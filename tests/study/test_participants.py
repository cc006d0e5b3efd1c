"""Several people in one study: each with a zone, a start, a draw and a seal of their own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.cases import ZONE, write_export

from nof1.errors import NotAllowedError, UsageError
from nof1.store.seal import Custodian, Key, new_key
from nof1.study.diaries import log_night, read_diary, tonight
from nof1.study.imports import import_exports
from nof1.study.nights import read_nights
from nof1.study.participants import add_participant, list_participants
from nof1.study.sealing import lock_analysis, unblind
from nof1.study.status import trial_status
from nof1.study.study import Study, create_study
from nof1.study.trials import Trial, read_trial, start_trial
from nof1.study.verification import verify

BEFORE = datetime(2026, 11, 30, 12, tzinfo=UTC)
AFTER = datetime(2027, 1, 10, 12, tzinfo=UTC)
FIRST = {"P01": date(2026, 12, 1), "P02": date(2026, 12, 5)}
ZONES = {"P01": ZONE, "P02": "America/New_York"}
SEEDS = {"P01": bytes(range(32)), "P02": bytes(range(100, 132))}

PROTOCOL = """
id = "together"

[[arm]]
code = "magnesium"
label = "Magnesium"
units_per_dose = 3

[[arm]]
code = "placebo"
label = "Placebo"
units_per_dose = 3
reference = true

[design]
scheme = "randomised-pairs"
blocks = 5
period_nights = 2
transition_nights = 0
run_in_nights = 0

[blinding]
concealed_from = ["participant"]

[safety]
nothing_to_ask = "invented for the tests"

[[outcome]]
measure = "deep_min"
"""

Seed = Callable[[str], bytes]


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Path]:
    """Each participant's custodian has a key of their own."""
    return {code: tmp_path / f"{code}.key" for code in FIRST}


@pytest.fixture
def study(tmp_path: Path, keys: dict[str, Path]) -> Study:
    """Two participants of one sealed protocol, on the day before it begins."""
    (tmp_path / "p.toml").write_text(PROTOCOL)
    study = create_study(tmp_path / "study", zone=ZONES["P01"], clock=lambda: BEFORE)
    add_participant(study, "P02", zone=ZONES["P02"])
    for code, key in keys.items():
        start_trial(
            study,
            tmp_path / "p.toml",
            on=FIRST[code],
            custodian=Custodian(public_key=new_key(key)),
            participant=code,
            entropy=lambda count, code=code: SEEDS[code][:count],
        )
    return study


def trial_of(study: Study, code: str) -> Trial:
    """The trial of one participant."""
    with study.record() as record:
        return read_trial(study, record, code)


def test_each_has_a_trial_of_their_own(study: Study) -> None:
    """Zone, first night, seal and receipt differ; the protocol is one."""
    one, other = (trial_of(study, code) for code in FIRST)
    assert (one.schedule.first_night, other.schedule.first_night) == tuple(FIRST.values())
    assert (str(one.zone), str(other.zone)) == tuple(ZONES.values())
    assert one.protocol == other.protocol
    assert one.seal is not None
    assert other.seal is not None
    assert one.seal.commitment != other.seal.commitment
    assert one.receipt != other.receipt
    assert [(one.code, one.first_night) for one in list_participants(study)] == list(FIRST.items())
    assert verify(study).events


def test_draws_are_independent(tmp_path: Path) -> None:
    """Every trial asks for random bytes anew: two open trials started alike have seeds of their own."""
    (tmp_path / "p.toml").write_text(PROTOCOL)
    study = create_study(tmp_path / "open", zone=ZONE, clock=lambda: BEFORE)
    add_participant(study, "P02", zone=ZONE)
    seeds = set()
    for code, first in FIRST.items():
        allocation = start_trial(study, tmp_path / "p.toml", on=first, open_label=True, participant=code).allocation
        assert allocation is not None
        seeds.add(allocation.seed)
    assert len(seeds) == 2


@pytest.mark.parametrize(
    "use",
    [
        trial_status,
        tonight,
        read_nights,
        lambda study: log_night(study, dose_taken=True),
        lambda study: import_exports(study, [study.folder.protocol]),
        lambda study: start_trial(study, "magnesium-or-none", on=FIRST["P01"]),
    ],
)
def test_whose_must_be_said(study: Study, use: Callable[[Study], object]) -> None:
    """With two participants nobody is guessed at: the error names them, and nothing is written."""
    before = study.folder.record.read_bytes()
    with pytest.raises(UsageError, match=r"--participant \(P01, P02\)"):
        use(study)
    assert study.folder.record.read_bytes() == before


def test_diary_and_sleep_stay_apart(study: Study, tmp_path: Path) -> None:
    """What one person logs and imports is not the other's, and the evening is that of the person's own zone."""
    study = replace(
        study, clock=lambda: datetime(2026, 12, 6, 16, tzinfo=UTC)
    )  # afternoon in Berlin, 11:00 in New York
    said = [log_night(study, dose_taken=True, participant=code)["night"] for code in FIRST]
    assert said == [date(2026, 12, 6), date(2026, 12, 5)]
    over = replace(study, clock=lambda: AFTER)
    import_exports(over, [write_export(tmp_path / "one.zip", 20, first=FIRST["P01"])], participant="P01")
    assert trial_status(over, participant="P01").periods[0].recorded == 2
    assert trial_status(over, participant="P02").periods[0].recorded == 0
    with over.record() as record:
        heights = {code: read_diary(record, over.participant(record, code)).height for code in FIRST}
    assert heights == {"P01": 1, "P02": 1}
    assert verify(over).sleep_files == 1


def test_one_person_s_sleep_is_not_another_s(study: Study, tmp_path: Path) -> None:
    """An export that is somebody's already is refused for somebody else, in another zone and grown by some nights."""
    over = replace(study, clock=lambda: AFTER)
    import_exports(over, [write_export(tmp_path / "one.zip", 20, first=FIRST["P01"])], participant="P01")
    grown = write_export(tmp_path / "grown.zip", 25, first=FIRST["P01"])
    before = over.folder.record.read_bytes()
    with pytest.raises(UsageError, match=r"are P01's already, and this import is for P02"):
        import_exports(over, [grown], participant="P02")
    assert over.folder.record.read_bytes() == before
    import_exports(over, [grown], participant="P01")
    import_exports(over, [write_export(tmp_path / "two.zip", 20, first=FIRST["P02"], seed=2)], participant="P02")
    assert verify(over).sleep_files == 3


def test_one_key_opens_one_seal(study: Study, keys: dict[str, Path], tmp_path: Path) -> None:
    """Each custodian opens their own participant's trial; the other's stays sealed, and its key opens nothing here."""
    over = replace(study, clock=lambda: AFTER)
    import_exports(over, [write_export(tmp_path / "one.zip", 20, first=FIRST["P01"])], participant="P01")
    lock_analysis(over, looked="no", participant="P01")
    with pytest.raises(NotAllowedError, match="does not open"):
        unblind(over, Key(file=keys["P02"]), reason="done", participant="P01")
    opened = unblind(over, Key(file=keys["P01"]), reason="done", participant="P01")
    assert opened.seed == SEEDS["P01"].hex()
    assert not trial_of(over, "P01").is_sealed
    assert trial_of(over, "P02").is_sealed
    assert verify(over).events


@pytest.mark.parametrize(
    ("code", "zone", "says"),
    [
        ("P01", ZONE, "already"),
        ("p02", ZONE, "P02 is in this study already"),
        ("Ada Lovelace", ZONE, "P01"),
        ("P03", "Europe/Berln", "Europe/Berlin"),
    ],
)
def test_a_participant_that_cannot_be_added_is_refused(study: Study, code: str, zone: str, says: str) -> None:
    """A code that is taken (capitals do not make it another), a name, or an unknown zone."""
    before = study.folder.record.read_bytes()
    with pytest.raises(UsageError, match=says):
        add_participant(study, code, zone=zone)
    assert study.folder.record.read_bytes() == before


def test_whoever_has_not_begun_is_listed_too(study: Study) -> None:
    """Before a trial has begun, its columns are missing."""
    add_participant(study, "P03", zone="Asia/Tokyo")
    third = list_participants(study)[2]
    assert (third.code, third.zone, third.protocol, third.first_night) == ("P03", "Asia/Tokyo", None, None)
