"""``nof1 plan``: what would this design tell?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.study.plan import NoiseFrom
    from nof1.study.study import Study


@click.command(
    epilog="Examples: nof1 plan magnesium-glycinate · nof1 plan my-own.toml --noise default --figure plan.svg"
)
@click.argument("protocol", metavar="ID|FILE")
@study_option
@participant_option
@click.option(
    "--noise",
    type=click.Choice(["own", "default"]),
    help="How much nights vary: as your own before the trial, or by default. Left out: your own, if there are enough.",
)
@click.option("--keep", is_flag=True, help="Put it on record: the report will say how the length was chosen.")
@click.option("--figure", type=click.Path(path_type=Path), help="Draw the chances into a new SVG file.")
@json_option
def command(
    protocol: str,
    study_path: Path | None,
    participant: str | None,
    noise: "NoiseFrom | None",
    *,
    keep: bool,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Say what a design would tell about its primary outcome, before anybody sleeps a night of it.

    Prints the chance of each verdict where there is no effect, the published one, one that is worthwhile, and a large
    one; how wide the interval will be; and how many blocks a benefit would take. The last line says what to change.
    Nothing is written to the study, but with --keep: then the last plan of the protocol that is registered later
    stands in its report.
    """
    from nof1.cli.progress import working

    study = opened(study_path) if keep else _study(study_path, participant, noise)
    with working("Planning") as tell:
        from nof1.study.kept_plan import keep_plan
        from nof1.study.plan import plan, write_plan_figure

        planned = plan(protocol, study=study, participant=participant, noise=noise, progress=tell)
        if keep and study is not None:
            keep_plan(study, planned, participant=participant)
        if figure is not None:
            write_plan_figure(planned, figure)
    payload = planned.to_payload()
    if as_json:
        print_json(payload)
    else:
        _say(payload)
    if figure is not None:
        say(f"Drawn: {figure}", err=as_json)
    if keep:
        say(f"On record, for the report of a trial by exactly this protocol: {planned.protocol}.", err=as_json)


def _study(study_path: Path | None, participant: str | None, noise: "NoiseFrom | None") -> "Study | None":
    """Open the study; where none was named, and none is needed, there need not be one."""
    from nof1.errors import InputMissingError

    try:
        return opened(study_path)
    except InputMissingError:
        if study_path is not None or participant is not None or noise == "own":
            raise
        return None


def _say(payload: dict[str, Any]) -> None:
    from nof1.cli.tables import print_table
    from nof1.report.plan import advice, conclusions, plan_lines, plan_table

    for line in plan_lines(payload):
        say(click.wrap_text(line, 79))
    click.echo()
    print_table(*plan_table(payload))
    for line in (*conclusions(payload), advice(payload)):
        say("\n" + click.wrap_text(line, 79))
