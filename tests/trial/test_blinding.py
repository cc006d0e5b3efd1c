"""What is said of a blinding, and what it leaves possible."""

import pytest

from nof1.trial.blinding import (
    OPEN_LABEL,
    OPENED_EARLY,
    OPENED_IN_PART,
    OPENED_UNLOCKED,
    CustodianRole,
    after_openings,
    blinding_words,
    participant_may_know,
)


@pytest.mark.parametrize("role", [None, "pharmacist", "other"])
def test_a_custodian_apart_conceals_from_whom_the_protocol_says(role: CustodianRole | None) -> None:
    """With a pharmacist, or somebody on whom nothing depends, the words are the protocol's own."""
    words = blinding_words(["participant", "clinician"], role)
    assert words == "concealed from participant and clinician"
    assert not participant_may_know(words)


def test_a_partner_at_home_is_single_blind_at_best() -> None:
    """The partner knows, so the words are weaker; the participant still need not know."""
    words = blinding_words(["participant"], "partner")
    assert words.startswith("single-blind at best")
    assert not participant_may_know(words)


def test_what_is_opened_after_the_nights_leaves_no_expectation() -> None:
    """Before the lock it is told and lets nobody expect; a weaker blinding keeps its own words."""
    words = blinding_words(["participant", "clinician"], "pharmacist")
    assert after_openings(words, some=False, every=False, unlocked=True) == OPENED_UNLOCKED
    assert not participant_may_know(OPENED_UNLOCKED)
    assert after_openings(words, some=True, every=False, unlocked=True) == OPENED_IN_PART
    assert after_openings(OPEN_LABEL, some=False, every=False, unlocked=True) == OPEN_LABEL


@pytest.mark.parametrize(
    "words",
    [
        OPEN_LABEL,
        OPENED_EARLY,
        OPENED_IN_PART,
        blinding_words(["participant"], "self"),
        blinding_words(["clinician"], "other"),
    ],
)
def test_whoever_could_look_may_have_expected(words: str) -> None:
    """A key of one's own, concealment from the clinician alone, open label: each leaves expectation possible."""
    assert participant_may_know(words)
