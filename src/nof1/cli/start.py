"""``nof1 start``: register a protocol and begin the trial."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option

if TYPE_CHECKING:
    from nof1.study.trials import Trial


@click.command(
    epilog="Examples: nof1 start magnesium-or-none --on 2026-12-01 · nof1 start my-own.toml --schedule schedule.csv"
)
@click.argument("protocol")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The first evening, run-in included.")
@click.option(
    "--schedule",
    "schedule_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help='An existing schedule (CSV: date,arm) for scheme = "fixed".',
)
@click.option("--open-label", is_flag=True, help="Run a protocol that conceals its arms without concealing them.")
@study_option
@participant_option
@json_option
def command(
    protocol: str,
    on: datetime | None,
    schedule_file: Path | None,
    open_label: bool,
    study_path: Path | None,
    participant: str | None,
    as_json: bool,
) -> None:
    """Register a protocol and draw the order of its treatments.

    PROTOCOL is a file, or the id of one of nof1 protocols. Its text is fixed from here on: what counts as better, and
    by how much, is settled before the first night.
    """
    from nof1.study.trials import start_trial

    trial = start_trial(
        opened(study_path),
        protocol,
        on=on.date() if on else None,
        schedule_file=schedule_file,
        open_label=open_label,
        participant=participant,
    )
    if as_json:
        print_json(_summary(trial))
    else:
        _say(trial)


def _summary(trial: "Trial") -> dict[str, object]:
    return {
        "participant": trial.participant.code,
        "protocol": trial.protocol.id,
        "protocol_sha256": trial.protocol.sha256,
        "blinding": trial.blinding,
        "scheme": trial.protocol.design.scheme,
        "first_night": trial.schedule.first_night,
        "last_night": trial.schedule.last_night,
        "planned_nights": trial.schedule.planned_nights,
        "periods": len(trial.schedule.periods),
        "smallest_p": trial.smallest_p,
        "receipt": trial.receipt,
    }


def _say_safety(trial: "Trial") -> None:
    safety = trial.protocol.safety
    if any(arm.elemental_mg for arm in trial.protocol.arms):
        click.echo("Before the first night, ask your clinician if any of these holds (nof1 does not ask for you yet):")
        click.echo(click.wrap_text("; ".join(safety.ask_before), 96, "  ", "  "))
        click.echo(f"Stop and ask if: {'; '.join(safety.stop_if)}.")
    for warning in safety.warnings:
        click.echo(f"Please note: {warning}")
    if covariates := trial.protocol.analysis.covariates:
        click.echo(f"This version writes down {', '.join(covariates)}, but does not adjust the analysis for it.")


def _say(trial: "Trial") -> None:
    schedule = trial.schedule
    click.echo(f"Began: {trial.protocol.title}")
    click.echo(f"Registered protocol {trial.protocol.id}, SHA-256 {trial.protocol.sha256[:16]}...")
    drawn = "drawn at random" if trial.allocation else "brought by you: nof1 did not draw it, and reports say so"
    click.echo(
        f"{len(schedule.periods)} periods, {schedule.planned_nights} nights on a treatment; the order was {drawn}."
    )
    click.echo(f"First evening {schedule.first_night}, last evening {schedule.last_night}.")
    click.echo(f"This trial is {trial.blinding}: expectation cannot be told apart from effect.")
    _say_safety(trial)
    if trial.smallest_p is not None:
        click.echo(f"The smallest p that a randomisation test could reach with this design: {trial.smallest_p:.3g}.")
    click.echo(f"Receipt, to send to somebody before the first night: {trial.receipt}")
    click.echo(
        "Later, nof1 verify --head RECEIPT shows that the record still holds it. Next: nof1 today, every evening."
    )
