"""``nof1 pause``: no treatment for a while."""

from datetime import datetime
from pathlib import Path

import click

from nof1.cli.conducting import as_date, night_option, tell
from nof1.cli.options import json_option, opened, participant_option, study_option


@click.command(epilog='Examples: nof1 pause --reason "influenza" · nof1 pause --on 2027-01-10 --reason "influenza"')
@night_option("The first evening without treatment; by default tonight, or tomorrow where tonight's dose is logged.")
@click.option("--reason", prompt="Why", help="Stays on record.")
@study_option
@participant_option
@json_option
def command(
    night: datetime | None, reason: str, study_path: Path | None, participant: str | None, as_json: bool
) -> None:
    """Stop treatment for a while (illness, travel). What is still to come moves when you resume.

    It may begin in the past, after the last evening whose dose is logged as taken or as not taken: those nights stay.
    """
    from nof1.study.conduct import pause_trial

    done = pause_trial(opened(study_path), reason=reason, night=as_date(night), participant=participant)
    tell(done, f"Paused from the evening of {done.night} on; take nothing until: nof1 resume.", as_json=as_json)
