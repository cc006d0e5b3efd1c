"""The nightly form at a terminal: each answer is checked when it is given, Enter skips."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nof1.cli.asking import ask, ask_number, ask_one_of, ask_yes_no, in_words
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.study.diary_form import DiaryForm
    from nof1.study.diary_words import Words
    from nof1.trial.protocol import DiaryItem

    Check = Callable[[Words], object]


def ask_form(form: "DiaryForm", check: "Check") -> "Words":
    """Ask what a form asks.

    Parameters
    ----------
    check
        Refuses words that the diary would refuse, so that one slip costs one answer and not all of them.
    """
    say(f"The evening of {form.night:%A, %d %B %Y}. Enter skips a question.")
    words = _evening(form, check)
    if form.is_over:
        words |= _morning(form, check)
    answers = {item.key: answer for item in _items(form) if (answer := _item(item, form, check)) is not None}
    words["answers"] = answers
    if note := ask("Anything worth remembering", str):
        words["note"] = note
    return words


def says_nothing(words: "Words") -> bool:
    """Whether every question was skipped."""
    return all(value is None or value == {} for value in words.values())


def _evening(form: "DiaryForm", check: "Check") -> "Words":
    words: Words = {}
    if form.dose_due and _asked(form, "dose_taken"):
        words["dose_taken"] = ask_yes_no(f"Was the dose taken{_so_far(form, 'dose_taken')}")
    if words.get("dose_taken") or (form.said.get("dose_taken") and _asked(form, "dose_at")):
        words["dose_at"] = _checked(f"When, such as 22:15{_so_far(form, 'dose_at')}", "dose_at", check)
    if _asked(form, "lights_out"):
        question = f"Lights out, such as 23:10{_so_far(form, 'lights_out')}"
        words["lights_out"] = _checked(question, "lights_out", check)
    return words


def _morning(form: "DiaryForm", check: "Check") -> "Words":
    from nof1.trial.diary import SLEEP_QUALITIES

    def count(typed: str) -> int:
        check({"awakenings": int(typed)})
        return int(typed)

    words: Words = {}
    words["awakenings"] = ask_number(f"How often did you wake up at night{_so_far(form, 'awakenings')}", count)
    question = f"How was your sleep: {', '.join(SLEEP_QUALITIES)}{_so_far(form, 'sleep_quality')}"
    words["sleep_quality"] = ask_one_of(question, SLEEP_QUALITIES)
    words["side_effects"] = _side_effects(form, check)
    return words


def _side_effects(form: "DiaryForm", check: "Check") -> dict[str, str]:
    """Ask for the same symptoms in the same words every night, whatever was taken."""
    from nof1.trial.diary import SEVERITIES

    named = ", ".join(form.symptoms)
    any_at_all = ask_yes_no(f"Any trouble since that evening with {named}, or anything else")
    if not any_at_all:
        return {} if any_at_all is None else dict.fromkeys(form.symptoms, "none")
    grades = {symptom: ask_one_of(f"  {symptom}: {', '.join(SEVERITIES)}", SEVERITIES) for symptom in form.symptoms}
    while other := ask("  Anything else, in a word or two (Enter: no)", _a_symptom(check)):
        grades[other] = ask_one_of(f"  {other}: {', '.join(SEVERITIES)}", SEVERITIES)
    return {symptom: grade for symptom, grade in grades.items() if grade is not None}


def _a_symptom(check: "Check") -> Callable[[str], str]:
    def read(typed: str) -> str:
        check({"side_effects": {typed: "mild"}})
        return typed

    return read


def _items(form: "DiaryForm") -> "list[DiaryItem]":
    evening = [item for item in form.evening if _asked(form, item.key)]
    return [*evening, *form.morning] if form.is_over else evening


def _item(item: "DiaryItem", form: "DiaryForm", check: "Check") -> str | None:
    hint = " (yes or no)" if item.type == "boolean" else ""

    def read(typed: str) -> str:
        check({"answers": {item.key: typed}})
        return typed

    return ask(f"{item.label or item.key.replace('_', ' ')}{hint}{_so_far(form, item.key)}", read)


def _asked(form: "DiaryForm", name: str) -> bool:
    """In the morning the evening is asked for only where it was left open."""
    return not form.is_over or form.is_unsaid(name)


def _checked(question: str, name: str, check: "Check") -> str | None:
    def read(typed: str) -> str:
        words: Any = {name: typed}
        check(words)
        return typed

    return ask(question, read)


def _so_far(form: "DiaryForm", name: str) -> str:
    return "" if form.is_unsaid(name) else f" [{in_words(form.said[name])}]"
