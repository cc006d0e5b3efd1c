"""``nof1 calendar``: reminders for the phone."""

from pathlib import Path

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say


@click.command(epilog="Examples: nof1 calendar · nof1 calendar --remind 22:15 --output trial.ics")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write it; by default trial-P01.ics, by the participant's code.",
)
@click.option(
    "--remind", metavar="HH:MM", help="When the alarm sounds; by default as in the export before, at first 21:30."
)
@study_option
@participant_option
@json_option
def command(
    output: Path | None, remind: str | None, study_path: Path | None, participant: str | None, as_json: bool
) -> None:
    """Write a calendar file with an alarm for every evening of the trial.

    A sealed trial says the bottle and never the treatment. After a pause or an early end write it again and open it on
    the phone again: its events move, or are cancelled.
    """
    from nof1.study.calendars import export_calendar

    written = export_calendar(opened(study_path), output, remind=remind, participant=participant)
    if as_json:
        print_json(written)
        return
    if written.evenings:
        say(
            f"Wrote {written.evenings} evenings from {written.first_night} to {written.last_night} to {written.file}; "
            f"the alarm sounds at {written.remind} ({written.zone})."
        )
    else:
        say(f"Wrote {written.file}: no evening is left.")
    if written.cancelled:
        say(f"{written.cancelled} evenings of an earlier export are cancelled.")
    say("Open the file on your phone or in your calendar. Plans changed? Write and open it again.")
