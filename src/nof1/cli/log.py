"""``nof1 log``: write into the diary."""

from datetime import datetime
from pathlib import Path

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option


@click.command(
    epilog="Examples: nof1 log --taken --lights-out 23:10 · nof1 log --date 2026-12-01 --not-taken --note travelling"
)
@click.option(
    "--date", "night", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The evening; by default tonight."
)
@click.option("--taken/--not-taken", "dose_taken", default=None, help="Whether the dose was taken.")
@click.option("--at", "dose_at", metavar="HH:MM", help="When it was taken.")
@click.option("--lights-out", metavar="HH:MM", help="When you turned off the light to sleep; 0:40 is past midnight.")
@click.option("--note", help="Anything worth remembering.")
@click.option(
    "--answer", "answers", multiple=True, metavar="KEY=VALUE", help="An answer to a question of the protocol."
)
@study_option
@participant_option
@json_option
def command(
    night: datetime | None,
    dose_taken: bool | None,
    dose_at: str | None,
    lights_out: str | None,
    note: str | None,
    answers: tuple[str, ...],
    study_path: Path | None,
    participant: str | None,
    as_json: bool,
) -> None:
    """Write down what happened. Say it again to correct it: both stay on record, the later one counts.

    A dose that is not logged is unknown, never taken for granted.
    """
    from nof1.study.diaries import log_night

    said = log_night(
        opened(study_path),
        night=night.date() if night else None,
        dose_taken=dose_taken,
        dose_at=dose_at,
        lights_out=lights_out,
        note=note,
        answers=dict(_pair(answer) for answer in answers),
        participant=participant,
    )
    if as_json:
        print_json(said)
        return
    click.echo(f"The evening of {said['night']:%A, %d %B %Y} now says:")
    for name, value in said.items():
        if name != "night" and (value is not None or name == "dose_taken"):
            click.echo(f"  {name.replace('_', ' ')}: {_words(value)}")


def _words(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%H:%M}"
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "not said"}[value]
    return str(value)


def _pair(answer: str) -> tuple[str, str]:
    key, equals, value = answer.partition("=")
    if not equals:
        raise click.BadParameter(f"{answer!r} is not KEY=VALUE, such as alcohol_units=2", param_hint="--answer")
    return key.strip(), value.strip()
