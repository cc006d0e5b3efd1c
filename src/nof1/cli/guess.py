"""``nof1 guess``: which arm do you think a period was?"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nof1.cli import asking
from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.study.guesses import GuessForm


@click.command(
    epilog='Examples: nof1 guess · nof1 guess --arm magnesium --sure 70 --why "softer stools" · '
    "nof1 guess --period 3 --arm dont-know"
)
@click.option("--period", type=int, metavar="N", help="By default the last one that is on its last night or over.")
@click.option("--arm", metavar="CODE", help="Which arm you think it was, by its code, or dont-know.")
@click.option("--sure", type=int, metavar="0-100", help="How sure, from 0 (a coin toss) to 100 (certain).")
@click.option("--why", help="What makes you think so.")
@study_option
@participant_option
@json_option
def command(
    period: int | None,
    arm: str | None,
    sure: int | None,
    why: str | None,
    study_path: Path | None,
    participant: str | None,
    as_json: bool,
) -> None:
    """Guess which arm a period was, before anybody tells: it shows later how well the arms were concealed.

    Whether you are right is not said. Say it again to correct it: both stay on record, the later one counts.
    """
    from nof1.errors import UsageError
    from nof1.study.guesses import DO_NOT_KNOW, guess_form, guess_period

    study = opened(study_path)
    form = guess_form(study, period=period, participant=participant)
    if arm is None:
        if as_json or not asking.at_terminal():
            raise UsageError(f"Say which arm: --arm {'|'.join([*form.arms, DO_NOT_KNOW])}, and --sure 0-100.")
        arm, sure, why = _ask(form)
    guess = guess_period(study, arm=arm, sure=sure, why=why, period=form.period, participant=participant)
    if as_json:
        print_json(guess)
    else:
        thought = "you do not know" if guess.arm is None else f"{guess.arm}, {guess.sure} of 100 sure"
        say(f"Written down for period {guess.period}: {thought}.")


def _ask(form: "GuessForm") -> tuple[str, int | None, str | None]:
    from nof1.study.guesses import DO_NOT_KNOW, SUREST

    say(f"Period {form.period}. Which of these do you think it was?")
    for code, label in form.arms.items():
        say(f"  {code}: {label}")
    arm = asking.ask_one_of(f"Your guess (Enter: {DO_NOT_KNOW})", [*form.arms, DO_NOT_KNOW]) or DO_NOT_KNOW
    if arm == DO_NOT_KNOW:
        return arm, None, None
    while (sure := asking.ask_number(f"How sure, from 0 (a coin toss) to {SUREST} (certain)", int)) is None:
        say("  A number, please; 0 says that it is a mere guess.")
    return arm, sure, asking.ask("What makes you think so (Enter: nothing in particular)", str)
