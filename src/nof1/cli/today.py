"""``nof1 today``: what to take tonight, and what to log."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from nof1.study.diaries import Tonight

SHOWN_UNLOGGED = 7


@click.command(epilog="Example: nof1 today")
@click.option("--date", "night", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Another evening.")
@study_option
@participant_option
@json_option
def command(night: datetime | None, study_path: Path | None, participant: str | None, as_json: bool) -> None:
    """Say what to take tonight, what to write down, and how far the trial is.

    After midnight, tonight is still the evening before.
    """
    from nof1.study.diaries import tonight

    evening = tonight(opened(study_path), participant=participant, night=night.date() if night else None)
    if as_json:
        print_json(evening)
    else:
        _say(evening)


def _say(evening: "Tonight") -> None:
    say(f"The evening of {evening.night:%A, %d %B %Y}")
    for warning in evening.warnings:
        say(warning, bold=True)
    say(_asks(evening), bold=True)
    done = f"{evening.nights_done} of {evening.nights_planned}"
    if evening.stage == "treatment":
        say(f"Period {evening.period}, night {evening.night_of_period} of {evening.nights_of_period}.")
    say(f"Nights on treatment so far: {done}. This trial is {evening.blinding}.")
    if evening.stage in {"treatment", "run-in", "between"}:
        taken = "--taken " if evening.take else ""
        say(f"Then: nof1 log {taken}--lights-out 23:10" + "".join(f" --answer {key}=..." for key in evening.ask))
    if evening.guess:
        say(f"Which treatment do you think period {evening.guess} was? nof1 guess")
    if evening.unlogged:
        say(_unlogged(evening.unlogged))
    if evening.stage not in {"ended", "withdrawn"}:
        say(f"Safety: {evening.emergency}")


def _unlogged(nights: "Sequence[date]") -> str:
    many = f"{len(nights)} past nights have" if len(nights) > 1 else "1 past night has"
    more = ", and more" if len(nights) > SHOWN_UNLOGGED else ""
    shown = ", ".join(str(one) for one in nights[:SHOWN_UNLOGGED])
    return f"{many} no dose logged (unknown, not taken for granted): {shown}{more}. nof1 log --date {nights[0]}"


def _asks(evening: "Tonight") -> str:
    if evening.stage == "treatment" and evening.dose_taken is not None:
        logged = "taken" if evening.dose_taken else "not taken"
        return f"Already logged as {logged}: nothing more to take. {_coming(evening)}".strip()
    if evening.stage == "treatment" and evening.is_over:
        return f"That evening is over: what was not taken then is not taken now. {_coming(evening)}"
    if evening.stage == "treatment":
        return f"Tonight: {evening.take}"
    return {
        "before": "The trial has not begun: nothing to take.",
        "run-in": "Run-in: wear the device, nothing to take.",
        "between": "Between periods: nothing to take.",
        "paused": "The trial is paused: nothing to take. Go on with: nof1 resume.",
        "ended": "The trial has ended. Next: nof1 import your export, then nof1 analyse.",
        "withdrawn": "You withdrew: nothing to take, and nothing of this trial is analysed.",
    }[evening.stage]


def _coming(evening: "Tonight") -> str:
    if not evening.is_over:
        return ""
    return f"Next, from noon on: {evening.coming or 'nothing to take'}"
