"""Side effects on each arm, in words and as a table; from the dict of ``result.json``."""

from collections.abc import Sequence
from typing import Any, Final

from nof1.report.plain import capitalised, plain
from nof1.report.sentences import Json, arm_name

FELT: Final = ("mild", "moderate", "severe")
ON_NO_ARM: Final = "no treatment"


def lines(result: Json) -> list[str]:
    """Say on how many nights each side effect was felt on each arm, and of how many on which it was answered.

    None in results of before side effects were told.
    """
    arms = _told(result)
    if not any(one["with_entry"] for one in arms):
        return ["Nothing was written into the diary, so nothing is known of side effects."] if arms else []
    symptoms = list(arms[0]["symptoms"])
    felt = [name for name in symptoms if any(_felt(one["symptoms"][name]) for one in arms)]
    never = [name for name in symptoms if name not in felt and any(_answered(one["symptoms"][name]) for one in arms)]
    said = [
        f"{capitalised(plain(name))}: {'; '.join(_nights(one, one['symptoms'][name]) for one in arms)}."
        for name in felt
    ]
    if never:
        denied = "; ".join(f"{plain(name)} ({_denied(arms, name)})" for name in never)
        said.append(f"Never felt where it was answered: {denied}.")
    if not symptoms:
        said.append("The diary says nothing of side effects: that none was felt is not known.")
    counted = ", ".join(f"{one['with_entry']} of {one['nights']} on {_name(one)}" for one in arms if one["nights"])
    return [
        *said,
        f"Nights with a diary entry: {counted}. Counted are those that answer; where one does not, nobody knows.",
    ]


def table(result: Json) -> list[tuple[str, str, int, int, int]]:
    """Lay out rows of side effect and arm, nights felt by severity, denied, not mentioned, and all with an entry."""
    arms = _told(result)
    return [
        (
            f"{capitalised(plain(name))}, {_name(one)}",
            " / ".join(str(one["symptoms"][name][grade]) for grade in FELT),
            one["symptoms"][name]["none"],
            one["symptoms"][name]["not_said"],
            one["with_entry"],
        )
        for name in (arms[0]["symptoms"] if arms else ())
        for one in arms
    ]


def _told(result: Json) -> list[dict[str, Any]]:
    """Take the arms, and the nights on none of them where the diary speaks of any."""
    return [one for one in result.get("side_effects") or () if one["arm"] is not None or one["with_entry"]]


def _name(one: Json) -> str:
    return ON_NO_ARM if one["arm"] is None else arm_name(one["arm"])


def _felt(nights: Json) -> int:
    return sum(nights[grade] for grade in FELT)


def _answered(nights: Json) -> int:
    return _felt(nights) + int(nights["none"])


def _denied(arms: Sequence[Json], symptom: str) -> str:
    """Count the nights on which a side effect was denied: one is not sixty."""
    counts = ", ".join(f"{_answered(one['symptoms'][symptom])} on {_name(one)}" for one in arms)
    return f"nights: {counts}"


def _nights(one: Json, nights: Json) -> str:
    grades = ", ".join(f"{nights[grade]} {grade}" for grade in FELT if nights[grade])
    return f"on {_name(one)} {_felt(nights)} of {_answered(nights)} nights{f' ({grades})' if grades else ''}"
