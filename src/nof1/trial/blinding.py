"""Who could know which treatment it was: in words for every page, and what those words leave possible."""

from collections.abc import Sequence
from typing import Final, Literal

CustodianRole = Literal["pharmacist", "partner", "other", "self"]
"""Who holds the key: a pharmacist, a partner at home, somebody else whom nothing depends on, the participant."""

OPEN_LABEL: Final = "open label"
CLINICIAN_ALONE: Final = "concealed from the clinician, not from the participant"
PARTNER_HELD: Final = "single-blind at best: a partner at home holds the key"
SELF_HELD: Final = "concealed from nobody who wants to look: the participant holds the key"
OPENED_EARLY: Final = "not concealed to the end: every period was opened before the last night"
OPENED_IN_PART: Final = "concealed in part: some periods were opened before the last night"
OPENED_UNLOCKED: Final = "concealed to the last night; opened before the analysis was locked"

_KNOWABLE: Final = frozenset({OPEN_LABEL, CLINICIAN_ALONE, SELF_HELD, OPENED_EARLY, OPENED_IN_PART})


def blinding_words(concealed_from: Sequence[str], role: CustodianRole | None) -> str:
    """Say from whom a sealed allocation is concealed; the custodian's role decides what that is worth.

    Parameters
    ----------
    concealed_from
        As the protocol has it, not empty.
    role
        None: not said.
    """
    if "participant" not in concealed_from:
        return CLINICIAN_ALONE
    if role == "self":
        return SELF_HELD
    return PARTNER_HELD if role == "partner" else f"concealed from {' and '.join(concealed_from)}"


def after_openings(words: str, *, some: bool, every: bool, unlocked: bool = False) -> str:
    """Say what is left of a blinding when some periods, or every one, were opened before the last night.

    Parameters
    ----------
    unlocked
        Whether any was opened after it, and before the analysis was locked: no expectation has slept through a night
        then, but what was imported and written into the diary afterwards was so by people who could know.
    """
    if every:
        return OPENED_EARLY
    if participant_may_know(words):
        return words
    if some:
        return OPENED_IN_PART
    return OPENED_UNLOCKED if unlocked else words


def participant_may_know(blinding: str) -> bool:
    """Whether the participant could know the treatment of a night, so that expectation may have made a difference."""
    return blinding in _KNOWABLE
