"""``nof1 participant``: who takes part."""

import shlex
from pathlib import Path

import click

from nof1.cli.options import json_option, opened, print_json, study_option
from nof1.cli.tables import say


@click.group(
    name="participant",
    epilog="Examples: nof1 participant add P02 --zone America/New_York · nof1 participant list --json",
)
def command() -> None:
    """Add participants to a study, or list them.

    Several people can run one protocol in one study, each with a start date, a sequence and a seal of their own. With
    more than one, every command asks for --participant CODE.
    """


@command.command(epilog="Example: nof1 participant add P02 --zone America/New_York")
@click.argument("code")
@click.option("--zone", required=True, metavar="IANA", help="Their home time zone, such as Europe/Berlin.")
@study_option
@json_option
def add(code: str, zone: str, study_path: Path | None, as_json: bool) -> None:
    """Take another participant into the study; CODE is a code such as P02, never a name."""
    from nof1.study.participants import add_participant

    study = opened(study_path)
    added = add_participant(study, code, zone=zone)
    if as_json:
        print_json(added)
        return
    say(f"Added participant {added.code} ({added.zone}).")
    registered = study.folder.protocol
    protocol = shlex.quote(str(registered)) if registered.exists() else "PROTOCOL"
    say(f"From here on say whose: nof1 start {protocol} --on DATE --participant {added.code}")


@command.command(name="list", epilog="Example: nof1 participant list")
@study_option
@json_option
def list_(study_path: Path | None, as_json: bool) -> None:
    """List everybody in the study, and how far their trials reach."""
    from nof1.study.participants import list_participants

    participants = list_participants(opened(study_path))
    if as_json:
        print_json(participants)
        return
    from nof1.cli.tables import print_table

    print_table(
        ["participant", "zone", "joined", "protocol", "first evening", "last evening", "blinding"],
        [
            (one.code, one.zone, one.joined[:10], one.protocol, one.first_night, one.last_night, one.blinding)
            for one in participants
        ],
    )
