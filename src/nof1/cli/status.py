"""``nof1 status``: how far the trial is."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import print_table, say

if TYPE_CHECKING:
    from nof1.study.status import PeriodStatus, TrialStatus

COLUMNS: Final = (
    *("period", "from", "to", "nights", "over", "recorded", "missing", "excluded"),
    *("taken", "not taken", "unknown", "guess"),
)


@click.command(epilog="Example: nof1 status")
@study_option
@participant_option
@json_option
def command(study_path: Path | None, participant: str | None, as_json: bool) -> None:
    """Show nights recorded, missing and excluded by period, what was taken, and what changed. Never effects."""
    from nof1.study.status import trial_status

    status = trial_status(opened(study_path), participant=participant)
    if as_json:
        print_json(status)
    else:
        _say(status)


def _say(status: "TrialStatus") -> None:
    from nof1.trial.diary import SEVERITIES

    say(f"{status.title} ({status.blinding})")
    for told in status.standing:
        say(told)
    say(f"Sleep from {status.stream or 'nothing imported yet'}; latency from {status.latency_source or '-'}.")
    print_table(COLUMNS, [_row(period) for period in status.periods])
    if status.side_effects:
        print_table(
            ["nights with", *SEVERITIES],
            [[one.symptom, one.none, one.mild, one.moderate, one.severe] for one in status.side_effects],
        )
    for told in (*status.safety, *status.conduct):
        say(told)
    for change in status.changes:
        say(f"Change: {change}")


def _row(one: "PeriodStatus") -> list[object]:
    excluded = ", ".join(f"{flag} {count}" for flag, count in one.excluded.items())
    counts = [one.nights, one.past, one.recorded, one.missing]
    doses = [one.taken, one.not_taken, one.unknown]
    return [one.period, one.first_night, one.last_night, *counts, excluded, *doses, one.guess]
