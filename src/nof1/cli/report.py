"""``nof1 report``: the page."""

from pathlib import Path
from typing import Literal

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say


@click.command(epilog="Examples: nof1 report --only patient · nof1 report --all")
@study_option
@participant_option
@click.option(
    "--only",
    type=click.Choice(["patient", "clinician"]),
    help="Write the patient's sheet, or the record for clinicians, alone.",
)
@click.option("--all", "everybody", is_flag=True, help="Everybody's page, and an index of them: reports/index.html.")
@json_option
def command(
    study_path: Path | None,
    participant: str | None,
    only: Literal["patient", "clinician"] | None,
    *,
    everybody: bool,
    as_json: bool,
) -> None:
    """Render the last analysis as one page that needs no network: reports/P01/report.html.

    Before there is an analysis the page tells how far the trial is and how good its data are, and no effect.

    With --all a page that cannot be made keeps nobody else from theirs: the index says why, and the exit code is that
    of the first.
    """
    from nof1.cli.progress import working

    if everybody:
        if participant or only:
            raise click.UsageError("--all writes everybody's whole page: not with --participant or --only.")
        _render_all(study_path, as_json=as_json)
        return
    with working("Rendering"):
        from nof1.study.pages import write_report

        path = write_report(opened(study_path), participant=participant, only=only)
    if as_json:
        print_json({"report": path})
    else:
        say(f"Written: {path}. Open it in any browser.")


def _render_all(study_path: Path | None, *, as_json: bool) -> None:
    from nof1.cli.progress import working

    with working("Rendering") as tell:
        from nof1.study.overview import write_all_reports

        written = write_all_reports(opened(study_path), progress=tell)
    if as_json:
        print_json({"index": written.index, "participants": written.rows, "failed": written.failures})
    else:
        people = f"{len(written.rows)} participant{'' if len(written.rows) == 1 else 's'}"
        say(f"Written: {written.index}, {people}. Open it in any browser.")
    for code, failure in written.failures.items():
        say(f"nof1: {code}: {failure.message}", err=True)
    for failure in written.failures.values():
        raise SystemExit(failure.exit_code)
