"""The safety gate in words: its options, its questions at a terminal, and what is said of doses and medicines."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypedDict

import click

from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.study.trials import Trial
    from nof1.trial.safety import Clinician, Dose, SafetyAnswers

ANSWERS: Final = ("yes", "no", "don't know")


class SafetyWords(TypedDict):
    """What the options of the gate say."""

    no_risks: bool
    risks: tuple[str, ...]
    unsure: tuple[str, ...]
    clinician_agrees: str | None
    medicines: tuple[str, ...]


OPTIONS: Final = (
    click.option("--no-risks", is_flag=True, help="Every safety question of the protocol is answered with no."),
    click.option(
        "--risk",
        "risks",
        multiple=True,
        metavar="QUESTION",
        help="A safety question answered with yes; those not named, with no.",
    ),
    click.option("--unsure", multiple=True, metavar="QUESTION", help='A safety question answered with "don\'t know".'),
    click.option(
        "--clinician-agrees",
        metavar='"NAME, REASON"',
        help="A clinician has judged the risks and agrees; stays on record.",
    ),
    click.option(
        "--medicine", "medicines", multiple=True, metavar="NAME", help="A medicine taken, to keep apart from the dose."
    ),
)


def safety_options[F: Callable[..., Any]](function: F) -> F:
    """The options of the gate."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def answers_in(words: SafetyWords) -> "SafetyAnswers | None":
    """The answers that the options give; None where they give none."""
    from nof1.errors import UsageError
    from nof1.trial.safety import SafetyAnswers

    named = words["risks"] or words["unsure"]
    if words["no_risks"] and named:
        raise UsageError("--no-risks says that no risk holds, and --risk or --unsure names one: say one or the other.")
    if not words["no_risks"] and not named:
        return None
    return SafetyAnswers(
        yes=words["risks"], unsure=words["unsure"], clinician=_clinician(words), medicines=words["medicines"]
    )


def ask_questions(questions: Sequence[str], words: SafetyWords) -> "SafetyAnswers":
    """Ask each question at a terminal; none can be skipped."""
    from nof1.cli.asking import ask
    from nof1.trial.safety import SafetyAnswers

    say("Before the first night: does any of these hold for you? y (yes), n (no), d (don't know)")
    answers = {question: _answer(question) for question in questions}
    typed = ask("Which medicines do you take? With commas between; Enter: none", str) or ""
    return SafetyAnswers(
        yes=tuple(question for question, answer in answers.items() if answer == "yes"),
        unsure=tuple(question for question, answer in answers.items() if answer == "don't know"),
        clinician=_clinician(words),
        medicines=(*words["medicines"], *(name.strip() for name in typed.split(",") if name.strip())),
        asked="one by one",
    )


def say_safety(trial: "Trial", medicines: Sequence[str]) -> None:
    """Say what was asked, what a dose holds, what it is kept apart from, and when to stop. Never what to take."""
    from nof1.trial.safety import doses
    from nof1.trial.safety_rules import USUAL

    if not trial.of_past_nights:
        _say_what_was_asked(trial)
    safety = trial.protocol.safety
    supplements = doses(trial.protocol)
    for dose in supplements:
        _say_dose(dose)
    if supplements and safety.separate:
        apart = "; ".join(f"{one.drug} {one.before_h:g} before or {one.after_h:g} after" for one in safety.separate)
        say(f"Hours to keep from the dose, at least: {apart}. Ask a pharmacist about every other medicine.")
    for medicine in medicines:
        _say_medicine(trial, medicine)
    if supplements or safety.stop_if != USUAL.stop_if:
        say(f"Stop and ask if: {'; '.join(safety.stop_if)}.")
    for warning in safety.warnings:
        say(f"Please note: {warning}")


def _say_what_was_asked(trial: "Trial") -> None:
    """Say how much the questions before the first night are worth, where they were not about this treatment."""
    from nof1.trial.safety import asked_in_general

    reason = trial.protocol.safety.nothing_to_ask
    if not (arms := asked_in_general(trial.protocol)):
        return
    if reason:
        say(f"Nothing was asked before the first night, as the protocol says: {reason.rstrip('.')}.")
        return
    say(
        f"Only general questions were asked: nobody has any about {', '.join(arms)} in particular. nof1 has some about "
        "magnesium, and the protocol none ([safety] ask_before). A clinician or a pharmacist may know what speaks "
        "against it: ask before the first night."
    )


def _answer(question: str) -> str:
    from nof1.cli.asking import ask_one_of

    while (answer := ask_one_of(f"  {question}", ANSWERS)) is None:
        say("  This one needs an answer; d stands for: don't know.")
    return answer


def _clinician(words: SafetyWords) -> "Clinician | None":
    from nof1.errors import UsageError
    from nof1.trial.safety import Clinician

    if words["clinician_agrees"] is None:
        return None
    name, _, reason = (part.strip() for part in words["clinician_agrees"].partition(","))
    if not name or not reason:
        raise UsageError('Say who agrees and why, with a comma between: --clinician-agrees "Dr A. Example, eGFR 28".')
    return Clinician(name=name, reason=reason)


def _say_dose(dose: "Dose") -> None:
    from nof1.trial.contradictions import UPPER_LIMITS_MG

    salt = f", in about {dose.salt_mg / 1000:.2f} g of the {dose.salt}" if dose.salt_mg else ""
    limits = ", ".join(f"{limit} mg {name}" for name, limit in UPPER_LIMITS_MG.items())
    verdict = f"above that of the {' and the '.join(dose.above)}" if dose.above else "within both"
    say(f"{dose.arm}: {dose.elemental_mg:g} mg of elemental magnesium a dose{salt}.")
    say(f"  Upper limits for supplements, elemental, a day: {limits}. This dose is {verdict}.")


def _say_medicine(trial: "Trial", medicine: str) -> None:
    from nof1.trial.safety import separations_for

    found = separations_for(medicine, trial.protocol.safety.separate)
    for one in found:
        say(f"{medicine}: take it at least {one.before_h:g} h before the dose or {one.after_h:g} h after it.")
    if not found:
        say(f"{medicine}: the protocol names no hours for it, only for classes of medicines. Ask a pharmacist.")
