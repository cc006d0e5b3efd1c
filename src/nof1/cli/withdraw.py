"""``nof1 withdraw``: the participant takes back the consent."""

from datetime import datetime
from pathlib import Path

import click

from nof1.cli.conducting import as_date, night_option, tell
from nof1.cli.options import json_option, opened, participant_option, study_option


@click.command(epilog='Example: nof1 withdraw --reason "does not want to go on"')
@night_option("The last evening of the trial; by default the last that is over.")
@click.option("--reason", prompt="Why (it need not be given: write none)", help="Stays on record.")
@study_option
@participant_option
@json_option
def command(
    night: datetime | None, reason: str, study_path: Path | None, participant: str | None, as_json: bool
) -> None:
    """End the trial because the participant takes back the consent. Nothing is analysed; the record stays."""
    from nof1.study.conduct import end_trial

    done = end_trial(opened(study_path), reason=reason, night=as_date(night), withdraw=True, participant=participant)
    tell(done, "Withdrawn.", as_json=as_json)
