"""Who could know which treatment it was, and what became of the seal: in words, from the dict of ``result.json``."""

from collections.abc import Mapping
from typing import Any, Final

from nof1.report.plain import plain, sentence
from nof1.report.rounding import percent
from nof1.trial.blinding import (
    CLINICIAN_ALONE,
    OPEN_LABEL,
    OPENED_EARLY,
    OPENED_IN_PART,
    OPENED_UNLOCKED,
    PARTNER_HELD,
    SELF_HELD,
)

WHO_KNEW: Final = {
    OPEN_LABEL: "Open label: it was known what was taken on each night, so expectation may have caused a difference.",
    CLINICIAN_ALONE: "The treatments were concealed from the clinician and not from the participant, so expectation "
    "may have caused a difference.",
    PARTNER_HELD: "A partner at home held the key: the partner could know what was taken on each night, and may have "
    "let it show.",
    SELF_HELD: "The participant held the key and could look at any time, so expectation may have caused a difference.",
    OPENED_EARLY: "Every period was opened before the last night, or follows from one that was, so expectation may "
    "have caused a difference.",
    OPENED_IN_PART: "Some periods were opened before the last night, so expectation may have caused a difference.",
    OPENED_UNLOCKED: "Periods were opened after the last night and before it was fixed what is analysed: nobody slept "
    "knowing, and what was imported or written down since may have been chosen by somebody who knew.",
}
"""What the reader must know of each blinding that is less than it may seem."""

HELD_BY: Final = {
    "pharmacist": "a pharmacist",
    "partner": "a partner at home",
    "other": "somebody else, neither at home nor treating",
    "self": "the participant",
    None: "somebody who was not named",
}


def who_knew(result: Mapping[str, Any]) -> str | None:
    """Say what the reader must know of a blinding that is less than it may seem; None of one that holds."""
    said = [WHO_KNEW[result["blinding"]]] if result["blinding"] in WHO_KNEW else []
    seal = result["trial"].get("sealing")
    if seal and not seal["custodian"]:
        said.append(
            "It was not said who held the key to the order of treatments, nor whether the participant could look."
        )
    return " ".join(said) or None


def seen_through(result: Mapping[str, Any]) -> str | None:
    """Say that the guesses knew more than chance knows; None where they did not, or nobody guessed."""
    found = result.get("blinding_integrity")
    if not found or not found["flagged"]:
        return None
    return (
        "The treatments may have been told apart: the probability that guesses are right more often than by chance is "
        f"{percent(found['p_above_chance'])}, so expectation may have caused a difference."
    )


def sealing(result: Mapping[str, Any]) -> str | None:
    """Say who held the key, and when the analysis was locked and the seal opened; None where nothing was sealed."""
    seal = result["trial"].get("sealing")
    if not seal:
        return None
    said = [f"Key held by {HELD_BY[seal['custodian']]}."]
    if seal["locked_at"]:
        said.append(
            f"Analysis locked {_minute(seal['locked_at'])}; nights compared by period before: {seal['looked']}."
        )
    if seal["opened_at"]:
        opened = f"Opened {_minute(seal['opened_at'])} by {plain(seal['opened_by'])}"
        said.append(sentence(f"{opened}: {plain(seal['reason'])}"))
    return " ".join(said)


def _minute(instant: str) -> str:
    return f"{instant[:10]} {instant[11:16]} UTC"
