"""The guesses in words and tables: were the treatments told apart? From the dict of ``result.json``."""

from typing import Final

from nof1.report.plain import plain
from nof1.report.rounding import fixed
from nof1.report.sentences import Json, arm_name, sure

DRAWN_TOGETHER: Final = {
    "randomised-pairs": "pair of periods",
    "alternating": "whole order",
    "counterbalanced": "four periods",
    "permuted-blocks": "block of periods",
    "unrestricted": "period",
}
"""By scheme, what one draw settled, so that its guesses count as one."""


def told(result: Json) -> str | None:
    """Say how the guesses fared; None where nothing was sealed, and in results of before guesses were told."""
    found = result.get("blinding_integrity")
    if found is None:
        return None
    if not found["guesses"]:
        why = "No guess is on record" if found["asked"] else "The protocol asks for no guesses, and none is on record"
        return f"{why}: whether the treatments stayed concealed nobody can tell."
    said = [f"{_answers(found)} {_trials(found, result['protocol']['scheme'])}".strip()]
    if not found["could_flag"]:
        said.append("So few could not have shown that the treatments were told apart, however right.")
    if found["james"] is not None:
        said.append(f"James’s index is {fixed(found['james'], 2)} (1: never an idea, 0.5: at random, 0: always right).")
    return " ".join(said)


def _answers(found: Json) -> str:
    arms = found["by_arm"].values()
    right, wrong, dont_know, silent = (
        sum(arm[key] for arm in arms) for key in ("right", "wrong", "dont_know", "not_said")
    )
    total = right + wrong + dont_know + silent
    return (
        f"Of {total} periods {right} were guessed right and {wrong} wrong; “don’t know” was said of {dont_know}, "
        f"nothing of {silent}."
    )


def _trials(found: Json, scheme: str) -> str:
    if found["p_above_chance"] is None:
        return ""
    return (
        f"With one trial for each {DRAWN_TOGETHER.get(scheme, 'draw')}, {found['right']:.3g} of {found['trials']} were "
        f"right. It is {sure(found['p_above_chance'])} that guesses are right more often than by chance; from 95 % on "
        "the blinding is doubted."
    )


def by_arm(result: Json) -> list[tuple[str, int, int, int, int, str]]:
    """Lay out rows of arm, right, wrong, don't know, no answer, and Bang's index with its 95 % interval."""
    found = result.get("blinding_integrity")
    if found is None or not found["guesses"]:
        return []
    return [
        (arm_name(code), arm["right"], arm["wrong"], arm["dont_know"], arm["not_said"], _bang(arm["bang"]))
        for code, arm in found["by_arm"].items()
    ]


def _bang(bang: Json | None) -> str:
    if bang is None:
        return "–"
    low, high = (fixed(end, 2) for end in bang["ci95"])
    return f"{fixed(bang['index'], 2)} ({low} to {high})"


def each(result: Json) -> list[tuple[str, str, str, str, str]]:
    """Lay out rows of period, its arm, what was guessed, how sure from 0 to 100, and why."""
    found = result.get("blinding_integrity") or {"guesses": []}
    return [
        (
            str(one["period"]),
            arm_name(one["arm"]),
            "don’t know" if one["guess"] is None else arm_name(one["guess"]),
            "–" if one["sure"] is None else str(one["sure"]),
            plain(one["why"] or "–"),
        )
        for one in found["guesses"]
    ]
