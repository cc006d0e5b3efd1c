"""What a protocol says of safety: what is asked before the first night, logged every night, and reason to stop."""

from dataclasses import dataclass
from typing import Annotated, Final

from nof1.trial.keys import Within

GENERAL: Final = (
    "under 18",
    "pregnancy or breastfeeding",
    "a long illness, such as of heart, liver, kidneys or mind",
    "medicines taken regularly, or an operation to come",
    "an allergy to anything that is taken or used",
)
"""What is asked of a treatment that nof1 knows nothing about: whom NCCIH (NIH, "Using Dietary Supplements Wisely")
tells to ask first, and the ill and the allergic. It screens for nothing in particular."""

Hours = Annotated[float, Within(low=0, high=48)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """Hours to keep between a medicine and the dose.

    Parameters
    ----------
    drug
        The medicine, or its class.
    before_h, after_h
        Hours: the medicine at least this long before the dose, or this long after it.
    """

    drug: str
    before_h: Hours
    after_h: Hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """What to ask, log and stop for. nof1 records and gates; it never recommends a dose.

    Parameters
    ----------
    supplement_upper_limit_mg
        Milligrams of elemental magnesium a day from supplements. 250: EU SCF 2001, EFSA 2006; 350 in the US: IOM 1997.
    ask_before
        What to ask before the first night; whoever says yes asks a clinician first. Left out, it is what is shown where
        an arm has a mineral, and a few general questions where any other arm is taken or used.
    nothing_to_ask
        Why nothing needs asking of a treatment without a mineral; without it the general questions are asked.
    separate
        Medicines to keep apart from the dose, in hours.
    log
        Side effects to ask for, in the same words every night.
    stop_if
        When to stop, and ask. A rule like "diarrhoea on two days running" or "at least moderate sleepiness by day on 3
        days running" is watched, where its symptom is in the diary; every other is only repeated.
    emergency
        What to do at once, and when.
    warnings
        Sentences that the person reads before the first night.
    """

    supplement_upper_limit_mg: Annotated[float, Within(above=0, high=5_000)] = 250.0
    ask_before: tuple[str, ...] = (
        "under 18",
        "kidney disease or eGFR < 30",
        "kidney function unknown and 65 or over, or on ACE inhibitor, ARB, NSAID or diuretic",
        "heart block",
        "myasthenia gravis",
        "bowel obstruction",
        "pregnancy",
        "digoxin",
        "lithium",
        "potassium-sparing diuretic",
        "magnesium antacid or laxative",
    )
    nothing_to_ask: str | None = None
    separate: tuple[Separation, ...] = (
        Separation(drug="quinolone", before_h=2, after_h=6),
        Separation(drug="tetracycline", before_h=3, after_h=3),
        Separation(drug="bisphosphonate", before_h=4, after_h=4),
        Separation(drug="iron", before_h=4, after_h=4),
        Separation(drug="levothyroxine", before_h=4, after_h=4),
    )
    log: tuple[str, ...] = ("diarrhoea", "nausea", "cramps", "light-headedness")
    stop_if: tuple[str, ...] = ("diarrhoea on two days running",)
    emergency: str = (
        "Fainting, slow pulse, marked drowsiness or trouble breathing: stop, seek emergency care, "
        "do not wait for unblinding."
    )
    warnings: tuple[str, ...] = ()


USUAL: Final = Safety()
"""What a protocol without this table says."""
