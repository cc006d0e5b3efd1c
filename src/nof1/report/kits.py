"""The custodian's page: what to pack, labels to cut, and emergency cards to seal in envelopes."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Final

from nof1.report.templating import only_this, stylesheet, templates
from nof1.trial.bottles import Bottle
from nof1.trial.protocol import Arm

TRIAL_NUMBER: Final = 8
"""How many characters of the receipt tell one trial from another on a label."""


@dataclass(frozen=True, slots=True)
class Kits:
    """What the page is made from.

    Parameters
    ----------
    receipt
        The hash of the event that began the trial.
    units_per_dose, take
        The same for every arm; None: the protocol does not say.
    emergency, stop_if
        The protocol's words.
    """

    participant: str
    protocol: str
    title: str
    receipt: str
    units_per_dose: int | None
    take: str | None
    reserve_nights: int
    emergency: str
    stop_if: tuple[str, ...]
    bottles: tuple[Bottle, ...]


def render_kits(kits: Kits) -> str:
    """Render the whole page: HTML that needs no network and no script, to be printed on A4.

    Only the packing list and the cards tell an arm; the sheets of labels do not.
    """
    style = stylesheet("kits.css")
    page = templates().get_template("kits.html")
    return page.render(
        kits=kits,
        trial=f"{kits.protocol} · {kits.receipt[:TRIAL_NUMBER]}",
        dose=_dose(kits),
        rows=[(bottle, _amount(bottle)) for bottle in kits.bottles],
        totals=_totals(kits.bottles),
        cards=[(bottle, _contents(bottle.arm), _tells(bottle)) for bottle in kits.bottles],
        style=style,
        policy=only_this(style),
        day=_day,
    )


def _day(night: date) -> str:
    return f"{night.day} {night:%b %Y}"


def _dose(kits: Kits) -> str:
    units = f"{kits.units_per_dose} from this bottle" if kits.units_per_dose else "one dose from this bottle"
    return f"Every evening {units}" + (f", {kits.take}" if kits.take else "")


def _amount(bottle: Bottle) -> str:
    return f"{bottle.units}" if bottle.units is not None else f"{bottle.doses} doses"


def _totals(bottles: tuple[Bottle, ...]) -> list[tuple[str, str]]:
    """Lay out what to order: each arm's label, and how much of it all bottles take."""
    counts: Counter[str] = Counter()
    for bottle in bottles:
        counts[bottle.arm.label] += bottle.units if bottle.units is not None else bottle.doses
    unit = " doses" if bottles[0].units is None else ""
    return [(label, f"{count}{unit}") for label, count in sorted(counts.items())]


def _contents(arm: Arm) -> str:
    """Say what a clinician needs to know of one dose."""
    if not arm.elemental_mg:
        return arm.label
    salt = f", as {arm.salt}" if arm.salt else ""
    return f"{arm.label}: {arm.elemental_mg:g} mg elemental{salt}, in each evening's dose"


def _tells(bottle: Bottle) -> str:
    if not bottle.tells:
        return "Whoever reads this knows this bottle alone."
    others = ", ".join(map(str, bottle.tells))
    return f"Whoever reads this also knows what is in bottle{'s' if len(bottle.tells) > 1 else ''} {others}."
