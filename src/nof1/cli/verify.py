"""``nof1 verify``: is everything still as it was recorded?"""

from pathlib import Path

import click

from nof1.cli.options import json_option, opened, print_json, study_option
from nof1.cli.tables import say


@click.command(epilog="Examples: nof1 verify · nof1 verify --head 3fa9c1d07be2a455")
@click.option("--head", metavar="HASH", help="A chain head or receipt that you kept: the record must hold it.")
@study_option
@json_option
def command(head: str | None, study_path: Path | None, as_json: bool) -> None:
    """Check the record's chain, the protocol, every sleep file and the last results."""
    from nof1.study.verification import verify

    verified = verify(opened(study_path), head=head)
    if as_json:
        print_json(verified)
        return
    say(f"Intact: {verified.events} events, {verified.sleep_files} sleep files, {verified.protocol}.")
    say(f"Chain head: {verified.chain_head}")
    for warning in verified.warnings:
        say(f"Warning: {warning}.")
    say("Send that line to somebody. Later, nof1 verify --head THAT-HASH finds a record that was cut short, too.")
