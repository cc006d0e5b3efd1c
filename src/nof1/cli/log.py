"""``nof1 log``: write into the diary."""

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from nof1.cli import asking
from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.study.diary_words import Words
    from nof1.study.study import Study


class _Said(TypedDict):
    """What the options say."""

    dose_taken: bool | None
    dose_at: str | None
    lights_out: str | None
    awakenings: int | None
    sleep_quality: str | None
    side_effects: tuple[str, ...]
    note: str | None
    answers: tuple[str, ...]


@click.command(
    epilog="Examples: nof1 log · nof1 log --taken --lights-out 23:10 · "
    "nof1 log --date 2026-12-01 --side-effect nausea=mild"
)
@click.option(
    "--date", "night", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The evening; by default tonight."
)
@click.option("--taken/--not-taken", "dose_taken", default=None, help="Whether the dose was taken.")
@click.option("--at", "dose_at", metavar="HH:MM", help="When it was taken.")
@click.option("--lights-out", metavar="HH:MM", help="When you turned off the light to sleep; 0:40 is past midnight.")
@click.option("--awakenings", type=int, metavar="N", help="How often you remember to have woken.")
@click.option("--sleep-quality", metavar="WORD", help="very poor, poor, fair, good or very good.")
@click.option(
    "--side-effect",
    "side_effects",
    multiple=True,
    metavar="NAME=SEVERITY",
    help="none, mild, moderate or severe, from this evening to the next.",
)
@click.option("--note", help="Anything worth remembering.")
@click.option(
    "--answer", "answers", multiple=True, metavar="KEY=VALUE", help="An answer to a question of the protocol."
)
@click.option("--reason", help="Why you say it otherwise than before; stays on record.")
@study_option
@participant_option
@json_option
def command(
    night: datetime | None,
    reason: str | None,
    study_path: Path | None,
    participant: str | None,
    as_json: bool,
    **said: Unpack[_Said],
) -> None:
    """Write down what happened; without options, at a terminal, you are asked.

    Say it again to correct it, hours later with its --date: both stay on record, the later one counts. A dose that is
    not logged is unknown, never taken for granted.
    """
    from nof1.cli.diary_prompts import says_nothing
    from nof1.study.diaries import log_night

    study = opened(study_path)
    about = _About(night=night.date() if night else None, participant=participant)
    words = _given(said)
    is_asked = asking.at_terminal() and not as_json
    if is_asked and says_nothing(words):
        if unasked := _ask_and_write(study, about, reason):
            _offer(study, _About(night=unasked, participant=participant), reason)
        return
    if is_asked and reason is None:
        reason = _ask_reason(study, about, words)
    now = log_night(study, reason=reason, **about, **words)
    if as_json:
        print_json(now)
    else:
        _say(now)


class _About(TypedDict):
    night: date | None
    participant: str | None


def _given(said: _Said) -> "Words":
    return {
        "dose_taken": said["dose_taken"],
        "dose_at": said["dose_at"],
        "lights_out": said["lights_out"],
        "awakenings": said["awakenings"],
        "sleep_quality": said["sleep_quality"],
        "note": said["note"],
        "answers": _pairs(said["answers"], "--answer", "alcohol_units=2"),
        "side_effects": _pairs(said["side_effects"], "--side-effect", "nausea=mild"),
    }


def _ask_and_write(study: "Study", about: _About, reason: str | None) -> date | None:
    """Ask at the form, which names its evening, and write; give the night before, where nothing was said about it."""
    from nof1.cli.diary_prompts import ask_form, says_nothing
    from nof1.study.diaries import corrections, log_night
    from nof1.study.diary_form import diary_form

    form = diary_form(study, **about)
    words = ask_form(form, lambda some: corrections(study, **about, **some))
    if says_nothing(words):
        say("Nothing was said, and nothing is written.")
        return None
    about = _About(night=form.night, participant=about["participant"])
    _say(log_night(study, reason=reason or _ask_reason(study, about, words), **about, **words))
    return form.unasked


def _offer(study: "Study", about: _About, reason: str | None) -> None:
    """Offer the form of the night before, too; who breaks off keeps what was written."""
    try:
        if asking.ask_yes_no(f"How was the night before, that of {about['night']}? Say it now"):
            _ask_and_write(study, about, reason)
    except click.Abort:
        say(f"\nNothing was written about it. Later: nof1 log --date {about['night']}")


def _ask_reason(study: "Study", about: _About, words: "Words") -> str | None:
    """Ask why something is said otherwise than before; in a script a reason is welcome and not asked for."""
    from nof1.study.diaries import corrections
    from nof1.study.diary_form import diary_form

    changed = corrections(study, **about, **words)
    if not changed:
        return None
    evening = f"{diary_form(study, **about).night:%A, %d %B %Y}"
    said = ", ".join(map(_spelled, changed))
    return asking.ask(f"You said otherwise before of the evening of {evening} ({said}). Why does it change", str)


def _say(said: dict[str, Any]) -> None:
    say(f"The evening of {said['night']:%A, %d %B %Y} now says:")
    for name, value in said.items():
        if name not in {"night", "side_effects", "warnings"} and (value is not None or name == "dose_taken"):
            say(f"  {_spelled(name)}: {asking.in_words(value)}")
    for symptom, severity in said["side_effects"].items():
        say(f"  {symptom}: {severity}")
    for warning in said["warnings"]:
        say(warning, bold=True)


def _spelled(name: str) -> str:
    return name.replace("_", " ")


def _pairs(texts: Iterable[str], option: str, example: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise click.BadParameter(f"{text!r} is not KEY=VALUE, such as {example}", param_hint=option)
        if key.casefold() in map(str.casefold, pairs):
            raise click.BadParameter(f"{key} is said twice; say it once", param_hint=option)
        pairs[key] = value
    return pairs
