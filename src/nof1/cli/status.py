"""``nof1 status``: how far the trial is."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option

if TYPE_CHECKING:
    from nof1.study.status import PeriodStatus, TrialStatus


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
    from nof1.cli.tables import print_table

    click.echo(f"{status.title} ({status.blinding})")
    state = "ended" if status.ended else f"night {status.today}"
    click.echo(f"{status.nights_done} of {status.nights_planned} nights on treatment are over; {state}.")
    click.echo(f"Sleep from {status.stream or 'nothing imported yet'}; latency from {status.latency_source or '-'}.")
    print_table(
        ["period", "from", "to", "nights", "over", "recorded", "missing", "excluded", "taken", "not taken", "unknown"],
        [_row(period) for period in status.periods],
    )
    for change in status.changes:
        click.echo(f"Change: {change}")
    if status.stream is None:
        click.echo("Next: nof1 import YOUR-EXPORT")
    elif status.ended:
        click.echo("Next: nof1 analyse")


def _row(one: "PeriodStatus") -> list[object]:
    excluded = ", ".join(f"{flag} {count}" for flag, count in one.excluded.items())
    counts = [one.nights, one.past, one.recorded, one.missing]
    return [one.period, one.first_night, one.last_night, *counts, excluded, one.taken, one.not_taken, one.unknown]
