"""``nof1 analyse``: what did the treatment do?"""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option

if TYPE_CHECKING:
    from nof1.study.analysis import Analysis


@click.command(epilog="Example: nof1 analyse")
@study_option
@participant_option
@json_option
def command(study_path: Path | None, participant: str | None, as_json: bool) -> None:
    """Estimate what the treatment did, and how sure that is.

    Writes result.json (every number) and posterior.nc (the whole posterior). Refused before the planned end. Ends with
    exit code 69 when the primary outcome has no usable fit.
    """
    from nof1.cli.progress import working

    gc.disable()  # this process is short, and looking for cycles would be a tenth of its time
    with working("Analysing: about half a minute") as tell:
        from nof1.study.analysis import analyse

        analysis = analyse(opened(study_path), participant=participant, progress=tell)
    if as_json:
        print_json(analysis.result)
    else:
        _say(analysis)
    if not analysis.usable:
        from nof1.errors import FitNotUsableError

        raise FitNotUsableError(
            f"No claim is made on the primary outcome: {analysis.result['outcomes'][0]['why_not_usable']}"
        )


def _say(analysis: "Analysis") -> None:
    from nof1.cli.tables import print_table
    from nof1.report.sentences import lines

    for line in lines(analysis.result):
        click.echo(click.wrap_text(line, 96))
    rows = [_row(outcome) for outcome in analysis.result["outcomes"] if outcome["effect"]]
    if rows:
        click.echo()
        print_table(["outcome", "difference", "median", "50 % interval", "95 % interval", "P(better)", "nights"], rows)
    click.echo(f"\nWritten: {analysis.folder / 'result.json'} and posterior.nc. Next: nof1 report")


def _row(outcome: dict[str, Any]) -> list[object]:
    from nof1.report.rounding import percent

    effect = outcome["effect"]
    return [
        outcome["label"],
        f"{outcome['arm']} − {outcome['reference']}, {outcome['unit']}",
        f"{effect['median']:+.1f}",
        f"{effect['ci50'][0]:+.1f} to {effect['ci50'][1]:+.1f}",
        f"{effect['ci95'][0]:+.1f} to {effect['ci95'][1]:+.1f}",
        percent(outcome["probability"]["p_better"]),
        outcome["nights"]["used"],
    ]
