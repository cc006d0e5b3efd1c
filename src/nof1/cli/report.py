"""``nof1 report``: the page."""

from pathlib import Path

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option


@click.command(epilog="Example: nof1 report")
@study_option
@participant_option
@json_option
def command(study_path: Path | None, participant: str | None, as_json: bool) -> None:
    """Render the last analysis as one page that needs no network: reports/P01/report.html."""
    from nof1.cli.progress import working

    with working("Rendering"):
        from nof1.study.pages import write_report

        path = write_report(opened(study_path), participant=participant)
    if as_json:
        print_json({"report": path})
    else:
        click.echo(f"Written: {path}. Open it in any browser.")
