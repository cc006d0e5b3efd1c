"""``nof1 schedule``: which nights belong to which treatment."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.study.trials import Trial
    from nof1.trial.schedule import Period


@click.command(epilog="Example: nof1 schedule")
@study_option
@participant_option
@json_option
def command(study_path: Path | None, participant: str | None, as_json: bool) -> None:
    """Show the periods on the calendar, by the evening's date."""
    from nof1.study.trials import read_trial

    study = opened(study_path)
    with study.record() as record:
        trial = read_trial(study, record, participant)
    if as_json:
        print_json(trial.schedule)
        return
    from nof1.cli.tables import print_table

    print_table(
        ["period", "block", "first evening", "last evening", "nights", "take"],
        [
            (one.number, one.block, one.first_night, one.last_night, one.nights, _take(trial, one))
            for one in trial.schedule.periods
        ],
    )
    say(
        f"{trial.blinding.capitalize()}. "
        f"The first {trial.schedule.transition_nights} nights of every period are kept out of the analysis."
    )


def _take(trial: "Trial", period: "Period") -> str:
    return trial.protocol.arm(period.arm).label if period.arm else f"bottle {period.number}"
