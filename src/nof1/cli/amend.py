"""``nof1 amend``: a change of plan, put on record."""

from pathlib import Path

import click

from nof1.cli.conducting import tell
from nof1.cli.options import json_option, opened, participant_option, study_option


@click.command(epilog='Example: nof1 amend --reason "capsules of another maker from period 5 on"')
@click.option("--reason", prompt="What changes, and why", help="Stays on record; every report repeats it.")
@study_option
@participant_option
@json_option
def command(reason: str, study_path: Path | None, participant: str | None, as_json: bool) -> None:
    """Put a change of plan on record, dated. The registered protocol and its hash stay what they are."""
    from nof1.study.conduct import amend_protocol

    done = amend_protocol(opened(study_path), reason=reason, participant=participant)
    tell(done, "Amended; the registered text stays.", as_json=as_json)
