"""``nof1 resume``: treatment goes on after a pause."""

from datetime import datetime
from pathlib import Path

import click

from nof1.cli.conducting import as_date, night_option, tell
from nof1.cli.options import json_option, opened, participant_option, study_option


@click.command(epilog="Examples: nof1 resume · nof1 resume --on 2027-01-14")
@night_option("The first evening on treatment again, also one of the past; by default tonight.")
@study_option
@participant_option
@json_option
def command(night: datetime | None, study_path: Path | None, participant: str | None, as_json: bool) -> None:
    """Go on after a pause. The remaining calendar moves by the nights between, which are on no treatment."""
    from nof1.study.conduct import resume_trial

    done = resume_trial(opened(study_path), night=as_date(night), participant=participant)
    tell(done, f"Resumed on the evening of {done.night}.", as_json=as_json)
