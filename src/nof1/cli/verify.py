"""``nof1 verify``: is everything still as it was recorded?"""

from pathlib import Path

import click

from nof1.cli.options import json_option, opened, print_json, study_option


@click.command(epilog="Example: nof1 verify")
@study_option
@json_option
def command(study_path: Path | None, as_json: bool) -> None:
    """Check the record's chain, the protocol and every sleep file."""
    from nof1.study.verification import verify

    verified = verify(opened(study_path))
    if as_json:
        print_json(verified)
        return
    click.echo(f"Intact: {verified.events} events, {verified.sleep_files} sleep files, {verified.protocol}.")
    click.echo(f"Chain head: {verified.chain_head}")
    click.echo("Keep that line elsewhere (an e-mail to your clinician): against it, a record cut short is found too.")
