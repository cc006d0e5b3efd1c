"""When the draw may be asked for a p, and when what came between has taken it away."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cases import ZONE, schedule_csv, write_export

from nof1.errors import ProtocolError
from nof1.store.seal import Custodian, Key, new_key
from nof1.study import analysis, estimation
from nof1.study.conduct import end_trial
from nof1.study.imports import import_exports
from nof1.study.sealing import Looked, lock_analysis, unblind
from nof1.study.study import Study, create_study
from nof1.study.trials import start_trial

FIRST = date(2026, 12, 1)
NIGHTS = 36
BEFORE = datetime(2026, 11, 30, 12, tzinfo=UTC)
LATE = datetime(2027, 1, 3, 12, tzinfo=UTC)
AFTER = datetime(2027, 1, 8, 12, tzinfo=UTC)

PROTOCOL = """
id = "drawn"
title = "Two sorts of capsules"

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
blocks = 6
period_nights = 3
transition_nights = 1
run_in_nights = 0

[blinding]
concealed_from = ["participant", "clinician"]

[safety]
nothing_to_ask = "invented for the tests"

[[outcome]]
measure = "deep_min"
"""

DECLARED_LOOKS = """
[analysis]
looks = "after the third pair, by the custodian"
"""
OWN_ORDER = "ABABABABABAB"
DECLARED = (OWN_ORDER, *(f"{'AB' * before}BA{'AB' * (5 - before)}" for before in range(6)), "BABABAABABAB")
"""Its own order, six with one pair turned round, and one with the first three."""


@pytest.fixture(autouse=True)
def no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test needs no posterior, and sampling one takes long: the model is told to have failed on nothing."""
    from nof1.model import checked

    real = estimation.estimate
    monkeypatch.setattr(checked, "fit_checked", lambda *_, **__: {})
    monkeypatch.setattr(estimation, "estimate", lambda *told: replace(real(*told), why_not_usable=None))


def begun(tmp_path: Path, custodian: Custodian | None, *, more: str = "") -> Study:
    """A trial of six pairs whose sleep is recorded to the end; its protocol may say more."""
    (tmp_path / "drawn.toml").write_text(PROTOCOL + more)
    study = create_study(tmp_path / "study", zone=ZONE, clock=lambda: BEFORE)
    protocol = tmp_path / "drawn.toml"
    entropy = lambda count: bytes(range(count))  # noqa: E731
    start_trial(study, protocol, on=FIRST, custodian=custodian, open_label=custodian is None, entropy=entropy)
    study = replace(study, clock=lambda: LATE)
    import_exports(study, [write_export(tmp_path / "takeout.zip", NIGHTS, first=FIRST)])
    return study


def its_test(study: Study) -> dict[str, Any]:
    """The randomisation test of the primary outcome, as it is in result.json."""
    found = analysis.analyse(replace(study, clock=lambda: AFTER)).result["outcomes"][0]["randomisation_test"]
    assert isinstance(found, dict)
    return found


def looked_at(tmp_path: Path, looked: Looked, *, more: str = "") -> dict[str, Any]:
    """The test of a sealed trial at whose lock this was said."""
    path = tmp_path / "custodian.key"
    new_key(path)
    public = path.read_text().splitlines()[0].removeprefix("# public key: ")
    study = replace(begun(tmp_path, Custodian(public_key=public), more=more), clock=lambda: AFTER)
    lock_analysis(study, looked=looked)
    unblind(study, Key(file=path), reason="done")
    return its_test(study)


def test_a_trial_that_nobody_looked_at_gets_its_p(tmp_path: Path) -> None:
    """Sealed to the end and locked unseen: a p among the 64 orders of six pairs, and a 95 % set."""
    found = looked_at(tmp_path, "no")
    assert found["why_refused"] is None
    assert (found["n_sequences"], found["exact"], found["smallest_p"]) == (64, True, 2 / 64)
    assert 64 * found["p"] == pytest.approx(round(64 * found["p"]))
    low, high = found["confidence_set"]
    assert low < found["statistic"] < high


def test_an_open_trial_that_ran_to_its_end_gets_its_p(tmp_path: Path) -> None:
    """Knowing the arms does not move the draw; that expectation may have moved the nights, the page says."""
    assert its_test(begun(tmp_path, None))["p"] is not None


@pytest.mark.parametrize(("looked", "why"), [("yes", "Somebody compared nights"), ("not said", "was not said")])
def test_an_early_look_takes_the_p_away(tmp_path: Path, looked: Looked, why: str) -> None:
    """Where somebody compared nights before the lock, or nobody says that none did, there is a reason and no p."""
    found = looked_at(tmp_path, looked)
    assert why in found["why_refused"]
    assert found["p"] is found["confidence_set"] is None


def test_an_early_end_takes_the_p_away(tmp_path: Path) -> None:
    """What stopped a trial may depend on its nights, so its draw is not all that was left to chance."""
    study = begun(tmp_path, None)
    end_trial(study, reason="moved house")
    found = its_test(study)
    assert "stopped early" in found["why_refused"]
    assert found["p"] is None


@pytest.mark.parametrize("looked", ["yes", "not said", "no"])
def test_a_look_that_the_protocol_declares_takes_nothing_away(tmp_path: Path, looked: Looked) -> None:
    """What was foreseen is no reason against the test of a trial that ran to its end; the result tells it."""
    found = looked_at(tmp_path, looked, more=DECLARED_LOOKS)
    assert (found["why_refused"], found["looks_declared"]) == (None, "after the third pair, by the custodian")
    assert found["p"] is not None


def test_a_declared_look_excuses_no_early_end(tmp_path: Path) -> None:
    """Looks are foreseen, the end is not: what stopped the trial may be what was seen."""
    study = begun(tmp_path, None, more=DECLARED_LOOKS)
    end_trial(study, reason="seen enough")
    found = its_test(study)
    assert "stopped early" in found["why_refused"]
    assert (found["p"], found["looks_declared"]) == (None, "after the third pair, by the custodian")


def brought(tmp_path: Path, orders: str, *, lived: str = OWN_ORDER) -> Study:
    """A trial of six pairs, alternating unless told otherwise, run elsewhere; its protocol declares orders."""
    fixed = PROTOCOL.replace('"randomised-pairs"\nblocks = 6', f'"fixed"\nreference_set = [{orders}]')
    fixed = fixed.replace("period_nights = 3\n", "").replace("run_in_nights = 0\n", "")
    fixed = fixed.replace('[blinding]\nconcealed_from = ["participant", "clinician"]\n', "")
    (tmp_path / "fixed.toml").write_text(fixed)
    codes = [{"A": "magnesium", "B": "placebo"}[letter] for letter in lived]
    (tmp_path / "fixed.csv").write_text(schedule_csv(lambda night: codes[night // 3], NIGHTS, FIRST))
    study = create_study(tmp_path / "study", zone=ZONE, clock=lambda: BEFORE)
    start_trial(study, tmp_path / "fixed.toml", schedule_file=tmp_path / "fixed.csv")
    study = replace(study, clock=lambda: LATE)
    import_exports(study, [write_export(tmp_path / "takeout.zip", NIGHTS, first=FIRST)])
    return study


def orders_of(*letters: str) -> str:
    """Orders as a protocol writes them."""
    codes = {"A": '"magnesium"', "B": '"placebo"'}
    return ", ".join(f"[{', '.join(codes[letter] for letter in order)}]" for order in letters)


def test_a_brought_schedule_is_tested_over_the_set_that_it_declares(tmp_path: Path) -> None:
    """Eight orders, of which none is the mirror image of its own: p is a number of eighths, 1/8 at least."""
    found = its_test(brought(tmp_path, orders_of(*DECLARED)))
    assert (found["why_refused"], found["set_declared"]) == (None, True)
    assert (found["n_sequences"], found["exact"], found["smallest_p"]) == (8, True, 1 / 8)
    assert 8 * found["p"] == pytest.approx(round(8 * found["p"]))
    assert found["looks_declared"] is None


def test_a_brought_schedule_that_declares_nothing_gets_no_p(tmp_path: Path) -> None:
    """Without a set it is refused as ever."""
    found = its_test(brought(tmp_path, ""))
    assert "nobody has declared what else it could have been" in found["why_refused"]
    assert found["p"] is None


def test_a_schedule_outside_its_own_set_does_not_begin(tmp_path: Path) -> None:
    """The order that was lived must be one of those declared: else the set is of another trial, and nothing begins."""
    with pytest.raises(ProtocolError, match=r"its 12 periods, magnesium, .* are no order of design.reference_set"):
        brought(tmp_path, orders_of(*DECLARED[1:]))


def test_a_schedule_that_joins_two_periods_is_told_how_to_part_them(tmp_path: Path) -> None:
    """An order with two periods running on one arm has fewer periods than its set, and the message names the column."""
    with pytest.raises(ProtocolError, match=r"its 10 periods, .* whose orders have 12; .* a column period"):
        brought(tmp_path, orders_of(*DECLARED), lived="ABBAABABABAB")


def test_a_fit_that_failed_leaves_no_p(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a check failed no claim is made, and a p is one: the same reason stands in both places."""
    from nof1.model.estimate import estimate

    monkeypatch.setattr(estimation, "estimate", estimate)
    found = its_test(begun(tmp_path, None))
    assert (found["why_refused"], found["p"]) == ("The model was not fitted.", None)
