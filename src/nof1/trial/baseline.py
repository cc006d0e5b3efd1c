"""The baseline: who the person is before the trial, as far as it bears on sleep and on magnesium."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from math import isnan
from types import MappingProxyType
from typing import Any, Final, Literal, Self, get_args

from nof1.errors import UsageError
from nof1.trial.keys import Within, nearest, shown

AgeBand = Literal["under 18", "18-29", "30-39", "40-49", "50-64", "65-74", "75 and over"]
Said = Literal["yes", "no", "not said"]

AGE_BANDS: Final[tuple[AgeBand, ...]] = get_args(AgeBand)
SAID: Final[tuple[Said, ...]] = get_args(Said)

DAYS_IN_WEEK: Final = 7
MOST_SERVINGS: Final = 100
LONGEST_NAME: Final = 100

RANGES: Final = MappingProxyType(
    {
        "isi": Within(low=0, high=28),
        "egfr": Within(low=1, high=200),
        "serum_mmol_l": Within(low=0.2, high=5),
        "red_cell_mmol_l": Within(low=0.2, high=8),
    }
)
"""What can be meant. Magnesium above 5 mmol/L in serum stops the heart; 2 is probably mg/dL (÷ 2.43)."""

ISI_WORDS: Final = ((7, "no insomnia"), (14, "subthreshold"), (21, "moderate"), (28, "severe"))
"""Up to which sum of the Insomnia Severity Index which word: Morin 2011, doi:10.1093/sleep/34.5.601."""


@dataclass(frozen=True, slots=True)
class Food:
    """A serving in words, and the magnesium in it."""

    serving: str
    magnesium_mg: float


FOODS: Final[Mapping[str, Food]] = MappingProxyType(
    {
        "pumpkin seeds": Food("a handful, 28 g, roasted", 156),
        "chia seeds": Food("2 tablespoons, 28 g", 111),
        "almonds": Food("a handful, 28 g, dry roasted", 80),
        "cashews": Food("a handful, 28 g, dry roasted", 74),
        "peanut butter": Food("2 tablespoons, 32 g", 49),
        "spinach": Food("half a cup, 90 g, boiled", 78),
        "black beans": Food("half a cup, 86 g, boiled", 60),
        "brown rice": Food("half a cup, 98 g, cooked", 42),
        "oatmeal": Food("half a cup, 117 g, cooked with water", 32),
        "whole-wheat bread": Food("a slice, 28 g", 23),
        "banana": Food("one, 118 g", 32),
        "salmon": Food("85 g, cooked", 26),
        "milk": Food("a glass, 244 g", 27),
        "dark chocolate": Food("28 g, 70 to 85 % cacao", 65),
    }
)
"""Milligrams of magnesium a serving: figures of the US Department of Agriculture, for most as the magnesium fact sheet
of the US NIH Office of Dietary Supplements rounds them; compared with published copies of both, not with the database.
Milk has 24 to 27 by its fat. Foods differ by soil and brand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What was said before the trial. None was not asked or skipped; ``not said`` is the wish not to say.

    Parameters
    ----------
    isi
        Sum of the Insomnia Severity Index, 0 to 28.
    depression
        Whether a depression was ever diagnosed.
    egfr
        Estimated glomerular filtration rate, mL/min/1.73 m²; None: the kidney function is not known.
    medicines
        In the person's own words; an empty tuple says that there are none.
    serum_mmol_l, red_cell_mmol_l
        Magnesium in serum, and in red cells, mmol/L.
    servings
        Servings a week of some of `FOODS`; those not named were not said.
    """

    age_band: AgeBand | None = None
    isi: int | None = None
    depression: Said | None = None
    egfr: float | None = None
    medicines: tuple[str, ...] | None = None
    serum_mmol_l: float | None = None
    red_cell_mmol_l: float | None = None
    servings: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, bounds in RANGES.items():
            value = getattr(self, name)
            if value is not None and (isnan(value) or bounds.complaint(value)):
                raise UsageError(f"{name}: {bounds.complaint(value) or 'must be a number'}.")
        _check_word("age_band", self.age_band, AGE_BANDS)
        _check_word("depression", self.depression, SAID)
        for food, number in self.servings.items():
            if food not in FOODS:
                raise UsageError(f"servings: no food here is called {shown(food)}; {nearest(food, FOODS)}")
            if not 0 <= number <= MOST_SERVINGS:
                raise UsageError(f"servings: {number:g} servings of {food} a week cannot be meant.")
        for medicine in self.medicines or ():
            if not medicine.strip() or len(medicine) > LONGEST_NAME or not medicine.isprintable():
                raise UsageError(f"medicines: {shown(medicine)} is no name of a medicine.")

    @property
    def insomnia(self) -> str | None:
        """The sum of the Insomnia Severity Index in words."""
        return next((word for most, word in ISI_WORDS if self.isi is not None and self.isi <= most), None)

    @property
    def dietary_magnesium_mg(self) -> float | None:
        """Milligrams a day from the foods that were named, and from no others; None where none was named."""
        if not self.servings:
            return None
        return sum(FOODS[food].magnesium_mg * number for food, number in self.servings.items()) / DAYS_IN_WEEK

    def with_said(self, later: "Baseline") -> "Baseline":
        """Return what stands after something more was said: what is not said again stays."""
        named = [one.name for one in fields(later) if one.name != "servings"]
        said = {name: value for name in named if (value := getattr(later, name)) is not None}
        return replace(self, **said, servings={**self.servings, **later.servings})

    def to_payload(self) -> dict[str, Any]:
        """Return the baseline as plain JSON values, for the record."""
        return {
            **{one.name: getattr(self, one.name) for one in fields(self)},
            "medicines": None if self.medicines is None else list(self.medicines),
            "servings": dict(self.servings),
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Make the baseline that `to_payload` wrote."""
        medicines = payload["medicines"]
        return cls(**{**payload, "medicines": None if medicines is None else tuple(medicines)})


def _check_word(name: str, word: str | None, words: tuple[str, ...]) -> None:
    if word is not None and word not in words:
        raise UsageError(f"{name}: nothing is called {shown(word)}; the words are {', '.join(words)}.")
