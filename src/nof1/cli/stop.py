"""``nof1 stop``: the trial ends before its planned end."""

from datetime import datetime
from pathlib import Path

import click

from nof1.cli.conducting import as_date, night_option, tell
from nof1.cli.options import json_option, opened, participant_option, study_option


@click.command(epilog='Example: nof1 stop --reason "diarrhoea on two days running"')
@night_option("The last evening that counts; by default the last that is over.")
@click.option("--reason", prompt="Why", help="Stays on record; every report repeats it.")
@study_option
@participant_option
@json_option
def command(
    night: datetime | None, reason: str, study_path: Path | None, participant: str | None, as_json: bool
) -> None:
    """End the trial for good. What was recorded until then may be analysed, and reports say that it ended early."""
    from nof1.study.conduct import end_trial

    done = end_trial(opened(study_path), reason=reason, night=as_date(night), participant=participant)
    tell(done, "Stopped.", as_json=as_json)
