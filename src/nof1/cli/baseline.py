"""``nof1 baseline``: who you are before the trial."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from nof1.cli import asking
from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.study.study import Study
    from nof1.trial.baseline import Baseline


class _Said(TypedDict):
    """What the options say."""

    age_band: str | None
    isi: int | None
    depression: str | None
    egfr: float | None
    medicines: tuple[str, ...]
    no_medicines: bool
    serum_mmol_l: float | None
    red_cell_mmol_l: float | None
    servings: tuple[str, ...]


@click.command(
    epilog="Examples: nof1 baseline · nof1 baseline --age-band 40-49 --isi 12 --egfr 90 --no-medicines · "
    "nof1 baseline --servings almonds=5 --servings spinach=2"
)
@click.option("--age-band", metavar="BAND", help="under 18, 18-29, 30-39, 40-49, 50-64, 65-74 or 75 and over.")
@click.option("--isi", type=int, metavar="0-28", help="Sum of the Insomnia Severity Index.")
@click.option("--depression", metavar="WORD", help="Was a depression ever diagnosed: yes, no or not said.")
@click.option("--egfr", type=float, metavar="N", help="Kidney function, if known: eGFR in mL/min/1.73 m².")
@click.option("--medicine", "medicines", multiple=True, metavar="NAME", help="A medicine taken; once for each.")
@click.option("--no-medicines", is_flag=True, help="None is taken.")
@click.option("--serum-magnesium", "serum_mmol_l", type=float, metavar="MMOL/L", help="mg/dL divided by 2.43.")
@click.option("--red-cell-magnesium", "red_cell_mmol_l", type=float, metavar="MMOL/L", help="In red cells.")
@click.option("--servings", multiple=True, metavar="FOOD=N", help="Servings a week; nof1 does the sum.")
@click.option("--foods", is_flag=True, help="List the foods, what a serving is and what it holds.")
@click.option("--reason", help="Why you say it otherwise than before; stays on record.")
@study_option
@participant_option
@json_option
def command(
    foods: bool,
    reason: str | None,
    study_path: Path | None,
    participant: str | None,
    as_json: bool,
    **said: Unpack[_Said],
) -> None:
    """Record or show what is known before the trial; every question can be left out.

    Without options it shows what is on record; where nothing is, at a terminal, you are asked. It is kept in the study
    and goes nowhere. nof1 does not judge it: talk about it with your clinician.
    """
    if foods:
        _list_foods(as_json=as_json)
        return
    baseline = _current_or_recorded(opened(study_path), said, reason, participant, may_ask=not as_json)
    if as_json:
        derived = {"insomnia": baseline.insomnia, "dietary_magnesium_mg": baseline.dietary_magnesium_mg}
        print_json({**baseline.to_payload(), **derived})
    else:
        _say(baseline)


def _current_or_recorded(
    study: "Study", words: _Said, reason: str | None, participant: str | None, *, may_ask: bool
) -> "Baseline":
    from nof1.errors import InputMissingError
    from nof1.study.baselines import read_baseline, record_baseline
    from nof1.trial.baseline import Baseline

    said = _from_options(words)
    if said == Baseline():
        try:
            return read_baseline(study, participant=participant)
        except InputMissingError:
            if not may_ask or not asking.at_terminal():
                raise
            said = _ask()
    return record_baseline(study, said, reason=reason, participant=participant)


def _from_options(words: _Said) -> "Baseline":
    from nof1.errors import UsageError
    from nof1.trial.baseline import Baseline

    if words["medicines"] and words["no_medicines"]:
        raise UsageError("--medicine names one, and --no-medicines says that there is none: which holds?")
    said: dict[str, Any] = {
        "age_band": words["age_band"],
        "isi": words["isi"],
        "depression": words["depression"],
        "egfr": words["egfr"],
        "medicines": words["medicines"] or (() if words["no_medicines"] else None),
        "serum_mmol_l": words["serum_mmol_l"],
        "red_cell_mmol_l": words["red_cell_mmol_l"],
        "servings": dict(_serving(text) for text in words["servings"]),
    }
    return Baseline(**said)


def _serving(text: str) -> tuple[str, float]:
    from nof1.errors import UsageError

    food, equals, number = text.partition("=")
    try:
        return food.strip().casefold(), float(number)
    except ValueError as error:
        raise UsageError(f"{text!r} is not FOOD=N, such as {'almonds=5' if equals else 'almonds=5 a week'}.") from error


def _ask() -> "Baseline":
    from nof1.trial.baseline import AGE_BANDS, FOODS, SAID, Baseline

    say("Before the trial. Enter skips a question.")
    said: dict[str, Any] = {
        "age_band": asking.ask_one_of(f"Age: {', '.join(AGE_BANDS)}", AGE_BANDS),
        "isi": _number("Sum of the Insomnia Severity Index, 0 to 28", "isi", int),
        "depression": asking.ask_one_of(f"Was a depression ever diagnosed: {', '.join(SAID)}", SAID),
        "egfr": _number("Kidney function, if known: eGFR in mL/min/1.73 m²", "egfr", float),
        "medicines": asking.ask("Medicines, with commas between; none says that there is none", _names),
        "serum_mmol_l": _number("Magnesium in serum, if measured, mmol/L", "serum_mmol_l", float),
        "red_cell_mmol_l": _number("Magnesium in red cells, if measured, mmol/L", "red_cell_mmol_l", float),
    }
    if asking.ask_yes_no("Shall nof1 add up the magnesium in what you eat"):
        asked = {food: _servings(food, f"  {food} ({one.serving}), servings a week") for food, one in FOODS.items()}
        said["servings"] = {food: number for food, number in asked.items() if number is not None}
    return Baseline(**said)


def _number[N: float](question: str, name: str, kind: Callable[[str], N]) -> N | None:
    from nof1.trial.baseline import Baseline

    def read(typed: str) -> N:
        fields: Any = {name: kind(typed)}
        Baseline(**fields)
        return kind(typed)

    return asking.ask_number(question, read)


def _servings(food: str, question: str) -> float | None:
    from nof1.trial.baseline import Baseline

    def read(typed: str) -> float:
        return Baseline(servings={food: float(typed)}).servings[food]

    return asking.ask_number(question, read)


def _names(typed: str) -> tuple[str, ...]:
    from nof1.trial.baseline import Baseline

    named = () if typed.casefold() == "none" else tuple(name.strip() for name in typed.split(",") if name.strip())
    return Baseline(medicines=named).medicines or ()


def _list_foods(*, as_json: bool) -> None:
    from nof1.cli.tables import print_table
    from nof1.trial.baseline import FOODS

    if as_json:
        print_json(dict(FOODS))
        return
    rows = [[name, food.serving, food.magnesium_mg] for name, food in FOODS.items()]
    print_table(["food", "serving", "magnesium mg"], rows)
    say("From USDA FoodData Central, SR Legacy. Foods differ by soil and brand.")


def _say(baseline: "Baseline") -> None:
    from nof1.trial.baseline import FOODS

    medicines = None if baseline.medicines is None else ", ".join(baseline.medicines) or "none"
    lines = {
        "Age": baseline.age_band,
        "Insomnia Severity Index": baseline.isi if baseline.isi is None else f"{baseline.isi} ({baseline.insomnia})",
        "Diagnosed depression": baseline.depression,
        "Kidney function, eGFR": _with_unit(baseline.egfr, "mL/min/1.73 m²"),
        "Medicines": medicines,
        "Magnesium in serum": _with_unit(baseline.serum_mmol_l, "mmol/L"),
        "Magnesium in red cells": _with_unit(baseline.red_cell_mmol_l, "mmol/L"),
    }
    for name, value in lines.items():
        say(f"{name}: {'not said' if value is None else value}")
    magnesium = baseline.dietary_magnesium_mg
    named = f"{len(baseline.servings)} of {len(FOODS)} foods; other food and water add to it"
    say(f"Magnesium in food: {'not said' if magnesium is None else f'{magnesium:.0f} mg a day from {named}'}")


def _with_unit(value: float | None, unit: str) -> str | None:
    return None if value is None else f"{value:g} {unit}"
