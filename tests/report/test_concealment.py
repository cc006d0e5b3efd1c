"""Who could know which treatment it was, in the words of the report."""

from typing import Any

import pytest

from nof1.report import cautions, patient, sentences
from nof1.report.concealment import WHO_KNEW, sealing
from nof1.trial.blinding import PARTNER_HELD, SELF_HELD

SEAL = {
    "custodian": "pharmacist",
    "locked_at": "2026-12-14T12:00:00.000000+00:00",
    "looked": "no",
    "opened_at": "2026-12-14T12:05:00+00:00",
    "opened_by": "anna",
    "reason": "the trial is over",
}


@pytest.mark.parametrize("blinding", list(WHO_KNEW))
def test_a_blinding_that_is_less_than_it_seems_is_a_caution(make: Any, blinding: str) -> None:
    """Each such blinding has its sentence among the cautions, before the deviations."""
    result, _ = make("benefit", blinding=blinding)
    assert cautions.cautions(result)[0] == WHO_KNEW[blinding]


def test_a_key_of_one_s_own_claims_no_more_than_consistency(make: Any) -> None:
    """With the key in the participant's hands expectation is not excluded; with a partner the headline stands."""
    result, _ = make("benefit")
    outcome = result["outcomes"][0]
    own = sentences.headline(outcome, result["arms"], blinding=SELF_HELD)
    partner = sentences.headline(outcome, result["arms"], blinding=PARTNER_HELD)
    assert own.startswith("Consistent with a benefit; expectation not excluded")
    assert partner.startswith("Benefit")


def test_an_unnamed_custodian_is_a_caution(make: Any) -> None:
    """Where nobody said who held the key, the reader learns it; a pharmacist is no caution."""
    result, _ = make("benefit")
    result["trial"]["sealing"] = SEAL | {"custodian": None}
    assert "not said who held the key" in cautions.cautions(result)[0]
    result["trial"]["sealing"] = SEAL
    assert cautions.cautions(result) == []


def test_the_seal_is_told_in_one_line(make: Any) -> None:
    """Who held the key, when the analysis was locked, when and why the seal was opened."""
    result, _ = make("benefit")
    assert sealing(result) is None
    result["trial"]["sealing"] = SEAL
    assert sealing(result) == (
        "Key held by a pharmacist. Analysis locked 2026-12-14 12:00 UTC; nights compared by period before: no. "
        "Opened 2026-12-14 12:05 UTC by anna: the trial is over."
    )


def test_pauses_stand_behind_what_weighs_more(make: Any) -> None:
    """A sheet has room for a few: a diary that changed after the lock is among them, four pauses are not."""
    result, _ = make("benefit")
    pauses = ["Paused from 2026-02-01 on: influenza.", "Resumed on 2026-02-03."] * 2
    result["trial"]["deviations"] = [*pauses, "The diary changed after the lock."]
    told = cautions.cautions(result)
    assert told[-5:] == ["The diary changed after the lock.", *pauses]
    assert "The diary changed after the lock." in patient.sheet(result)["cautions"]
