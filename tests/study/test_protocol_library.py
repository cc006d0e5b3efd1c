"""Every shipped protocol starts a trial, and the trial is the one that its file describes."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.cases import ZONE

from nof1.store.seal import Custodian, new_key
from nof1.study.protocol_check import check_protocol
from nof1.study.protocols import list_protocols
from nof1.study.study import create_study
from nof1.study.trials import start_trial
from nof1.trial.allocation import possible_sequences
from nof1.trial.protocol import Protocol
from nof1.trial.safety import SafetyAnswers
from nof1.trial.schedule import calendar

FIRST = date(2026, 12, 1)
BEFORE = datetime(2026, 11, 30, 12, tzinfo=UTC)
LIBRARY = list_protocols()


@pytest.fixture(scope="module")
def public_key(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A custodian's public key."""
    return new_key(tmp_path_factory.mktemp("away") / "custodian.key")


@pytest.mark.parametrize("protocol", LIBRARY, ids=lambda protocol: protocol.id)
def test_a_shipped_protocol_starts_as_designed(protocol: Protocol, tmp_path: Path, public_key: str) -> None:
    """Sealed where it conceals, it has the periods, nights and dates of its design, and each arm as often."""
    study = create_study(tmp_path / "study", zone=ZONE, clock=lambda: BEFORE)
    custodian = Custodian(public_key=public_key) if protocol.conceals else None
    trial = start_trial(study, protocol.id, on=FIRST, custodian=custodian, safety=SafetyAnswers())
    design = protocol.design
    periods = trial.schedule.periods
    assert trial.is_sealed == protocol.conceals
    assert len(periods) == len(protocol.arms) * design.blocks
    assert {period.nights for period in periods} == {design.period_nights}
    assert periods[0].first_night == FIRST + timedelta(days=design.run_in_nights)
    assert periods[-1].last_night == periods[0].first_night + timedelta(days=trial.schedule.planned_nights - 1)
    nights = calendar(trial.schedule)
    assert nights["run_in"].sum() == design.run_in_nights
    assert nights["transition"].sum() == len(periods) * design.transition_nights
    if not protocol.conceals:
        sequence = tuple(period.arm for period in periods)
        assert sequence in {possible for possible, _ in possible_sequences(design, protocol.arms)}


@pytest.mark.parametrize("protocol", LIBRARY, ids=lambda protocol: protocol.id)
def test_weak_points_are_those_of_the_design(protocol: Protocol) -> None:
    """Only the pilot is weak: two orders, two pairs."""
    keys = [line.partition(":")[0] for line in check_protocol(protocol.id).weaknesses]
    assert keys == (["design.scheme", "design.blocks"] if protocol.id == "abab-pilot" else [])
