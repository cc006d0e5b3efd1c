"""The safety gate: what is asked before a trial, what a dose holds, and how far from it other medicines are taken.

nof1 records and gates. It says what a protocol says of doses and limits, and never recommends one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from nof1.errors import UsageError
from nof1.trial.baseline import Baseline
from nof1.trial.contradictions import UPPER_LIMITS_MG
from nof1.trial.keys import nearest, require_plain, shown
from nof1.trial.protocol import Arm, Protocol
from nof1.trial.safety_rules import GENERAL, Safety, Separation

Risk = Literal["no", "yes", "don't know"]

MAGNESIUM_SHARE: Final = {"bisglycinate": 0.1410, "citrate": 0.1616, "oxide": 0.6030}
"""Of the anhydrous salt, by mass: 24.305 in 172.42 (C4H8MgN2O4), 3 x 24.305 in 451.11 (C12H10Mg3O14), 24.305 in 40.304
(MgO)."""

OTHER_NAMES: Final = {"glycinate": "bisglycinate", "diglycinate": "bisglycinate"}
"""Of salts, as labels have them."""

MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "quinolone": ("-floxacin",),
    "fluoroquinolone": ("-floxacin",),
    "tetracycline": ("-cycline", "-cyclin"),
    "bisphosphonate": ("-dronate", "-dronat", "-dronic"),
    "potassium-sparing diuretic": (
        *("spironolactone", "eplerenone", "finerenone", "canrenone", "canrenoate", "amiloride", "triamterene"),
        *("spironolacton", "eplerenon", "finerenon", "amilorid", "triamteren"),
    ),
    "levothyroxine": ("levothyroxin", "thyroxine", "thyroxin"),
    "iron": ("ferrous", "ferric"),
    "digoxin": ("metildigoxin", "acetyldigoxin", "lanatoside"),
    "magnesium antacid": ("magnesium hydroxide", "magnesium carbonate", "magaldrate", "hydrotalcite"),
    "magnesium laxative": ("magnesium hydroxide", "magnesium sulfate", "magnesium sulphate", "milk of magnesia"),
}
"""Medicines of a class that do not bear its name; with a hyphen, how their names end. Endings: stems -oxacin, -cycline
and -dronic acid of the WHO Stem Book (International Nonproprietary Names, 2018). The others: WHO ATC index C03D, H03AA,
B03A, C01AA, A02A and A06AD; some without the last letter, as in German. Examples, never complete."""

KIDNEY_MEDICINES: Final = (
    *("-pril", "-prilat", "-sartan", "-thiazide", "-thiazid", "-semide", "-semid", "-tanide", "indapamide", "hct"),
    *("chlortalidone", "chlorthalidone", "indomethacin", "ketorolac", "etodolac"),
    *("ibuprofen", "naproxen", "diclofenac", "ketoprofen", "indometacin", "meloxicam", "piroxicam", "-coxib"),
    *("ace inhibitor", "arb", "nsaid", "diuretic", *MEMBERS["potassium-sparing diuretic"]),
)
"""ACE inhibitors, ARBs, diuretics and NSAIDs, written as in `MEMBERS`; WHO ATC index C09, C03, M01A. Not complete."""


OF_MEDICINES: Final = next(question for question in GENERAL if "medicines" in question)
"""The general question that any medicine answers with yes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinician:
    """Who agreed that a trial begins in spite of a risk, and why."""

    name: str
    reason: str

    def __post_init__(self) -> None:
        require_plain(self.name, "clinician")
        require_plain(self.reason, "clinician's reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyAnswers:
    """Answers to the questions that a protocol asks before the first night.

    Parameters
    ----------
    yes, unsure
        The questions answered with yes, and with "don't know". Every other one was answered with no.
    clinician
        Who agreed to begin all the same; None where nobody was asked.
    medicines
        Medicines that the person takes, in their own words.
    asked
        How they were given: one by one, or all together in the words of a call.
    """

    yes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    clinician: Clinician | None = None
    medicines: tuple[str, ...] = ()
    asked: Literal["one by one", "together"] = "together"

    def __post_init__(self) -> None:
        for medicine in self.medicines:
            require_plain(medicine, "medicine")

    def by_question(self, questions: Sequence[str]) -> dict[str, Risk]:
        """Return the answer to each question.

        Raises
        ------
        UsageError
            An answer is to none of the questions, or to one twice; or a question was answered with no that a medicine
            answers with yes.
        """
        for answer in (*self.yes, *self.unsure):
            if answer not in questions:
                raise UsageError(f"The protocol does not ask about {answer!r}; {nearest(answer, questions)}")
        if both := set(self.yes) & set(self.unsure):
            raise UsageError(f"{', '.join(sorted(both))}: either yes or don't know, not both.")
        answers = {question: self._answer(question) for question in questions}
        for question, medicine in self._denied(answers):
            raise UsageError(
                f"{medicine} is among the medicines, and {question!r} was answered with no. Which is true?"
            )
        return answers

    def _answer(self, question: str) -> Risk:
        return "yes" if question in self.yes else "don't know" if question in self.unsure else "no"

    def _denied(self, answers: dict[str, Risk]) -> Iterable[tuple[str, str]]:
        return (
            (question, medicine)
            for question, answer in answers.items()
            for medicine in self.medicines
            if answer == "no" and (question == OF_MEDICINES or _is_a(medicine, question))
        )

    def to_payload(self, questions: Sequence[str]) -> dict[str, Any]:
        """Return the answers as plain JSON values, for the record."""
        clinician = self.clinician
        return {
            "answers": self.by_question(questions),
            "asked": self.asked,
            "clinician": {"name": clinician.name, "reason": clinician.reason} if clinician else None,
            "medicines": list(self.medicines),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """What one dose of an arm holds, the element and its salt apart.

    Parameters
    ----------
    salt, salt_mg
        The form of the magnesium, and how much of it that is; None where the protocol or this module does not know.
    above
        The upper limits that the elemental amount exceeds, by name.
    """

    arm: str
    elemental_mg: float
    salt: str | None
    salt_mg: float | None
    above: tuple[str, ...]

    @classmethod
    def of(cls, arm: Arm) -> Self:
        """What a dose of an arm holds that has ``elemental_mg``."""
        elemental = arm.elemental_mg or 0.0
        share = MAGNESIUM_SHARE.get(_salt(arm.salt or ""))
        above = tuple(name for name, limit in UPPER_LIMITS_MG.items() if elemental > limit)
        return cls(
            arm=arm.label,
            elemental_mg=elemental,
            salt=arm.salt,
            salt_mg=elemental / share if share else None,
            above=above,
        )


def doses(protocol: Protocol) -> list[Dose]:
    """What the arms hold that are a supplement."""
    return [Dose.of(arm) for arm in protocol.arms if arm.elemental_mg]


def questions_before_start(protocol: Protocol) -> tuple[str, ...]:
    """What is asked before the first night: the protocol's own questions; those about magnesium where an arm has it.

    Of any other treatment that is taken or used the general ones, unless the protocol says why none is needed.
    """
    safety = protocol.safety
    if safety.ask_before and safety.ask_before != Safety().ask_before:
        return safety.ask_before
    if doses(protocol):
        return Safety().ask_before
    return GENERAL if asked_in_general(protocol) and not safety.nothing_to_ask else ()


def asked_in_general(protocol: Protocol) -> tuple[str, ...]:
    """Name the arms that nobody has questions about: nof1 has them about magnesium only, and the protocol has none."""
    safety = protocol.safety
    if doses(protocol) or (safety.ask_before and safety.ask_before != Safety().ask_before):
        return ()
    return tuple(arm.code for arm in protocol.arms if arm.units_per_dose != 0 and not arm.reference)


def question_of_limits(protocol: Protocol) -> str | None:
    """What the doses answer with yes themselves, where one is above an upper limit; None where none is."""
    above = {limit for dose in doses(protocol) for limit in dose.above}
    names = " and the ".join(name for name in UPPER_LIMITS_MG if name in above)
    return f"a dose above the upper limit for supplements of the {names}" if above else None


def denied_by_baseline(answers: Mapping[str, str], baseline: Baseline) -> list[str]:
    """List where the baseline tells a risk that was answered with no: the question, and what the baseline says."""
    return [
        f"you answered no to {question!r}, and the baseline says {said}"
        for question, answer in answers.items()
        if answer == "no"
        for said in _said_of(question, baseline)
    ]


def _said_of(question: str, baseline: Baseline) -> Iterator[str]:
    asked, band, egfr = question.casefold(), baseline.age_band, baseline.egfr
    medicines = baseline.medicines or ()
    if "under 18" in asked and band == "under 18":
        yield f"{band} years"
    for limit in re.findall(r"egfr\s*(?:<=?|≤|below|under|less than)\s*(\d+)", asked):
        if egfr is not None and egfr < float(limit):
            yield f"eGFR {egfr:g}"
    if "kidney function unknown" in asked and egfr is None:
        if "65 or over" in asked and band in {"65-74", "75 and over"}:
            yield f"{band} years, and no eGFR"
        yield from (f"{shown(one)}, and no eGFR" for one in medicines if _is_one_of(one, KIDNEY_MEDICINES))
    yield from (shown(medicine) for medicine in medicines if question == OF_MEDICINES or _is_a(medicine, question))


def separations_for(medicine: str, separations: Sequence[Separation]) -> list[Separation]:
    """The separations that a medicine falls under by its own words: iron tablets under iron, a brand under none."""
    return [one for one in separations if _is_a(medicine, one.drug)]


def _is_a(medicine: str, kind: str) -> bool:
    """Whether a medicine names its kind, or is known to be of it.

    Every word of the kind is among its words, in the plural or not. Of "magnesium antacid or laxative" either is
    enough: the words before the first hold for both.
    """
    first, *others = kind.split(" or ")
    shared = first.split()[:-1]
    kinds = [first, *(" ".join([*shared, other]) for other in others)]
    return any(
        _words(one) <= _words(medicine)
        or any(_words(name) == _words(one) and _is_one_of(medicine, members) for name, members in MEMBERS.items())
        for one in kinds
    )


def _is_one_of(medicine: str, members: Iterable[str]) -> bool:
    words = _words(medicine)
    return any(
        any(word.endswith(member[1:]) for word in words) if member.startswith("-") else _words(member) <= words
        for member in members
    )


def _words(text: str) -> set[str]:
    found = (word.strip(",.()").removesuffix("s") for word in re.split(r"[\s/-]+", text.casefold()))
    return {word for word in found if word}


def _salt(name: str) -> str:
    """A salt as `MAGNESIUM_SHARE` has it: without case, and without the word magnesium."""
    short = " ".join(word for word in name.casefold().split() if word != "magnesium")
    return OTHER_NAMES.get(short, short)
