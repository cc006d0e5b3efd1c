"""``nof1 import``: read exports into the study."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option

if TYPE_CHECKING:
    from nof1.study.import_summary import FileImported, ImportSummary
    from nof1.study.study import Study


@click.command(
    name="import",
    epilog="Examples: nof1 import fitbit.json · nof1 import takeout.zip --zone Europe/Berlin · "
    "nof1 import --dry-run some-export.zip",
)
@click.argument("paths", nargs=-1, required=True, metavar="FILE|FOLDER|ZIP...", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what the export holds and store nothing; works anywhere.")
@click.option("--zone", metavar="IANA", help="The zone of an export that names none; else your home zone.")
@click.option("--from", "source", metavar="CONNECTOR", help="Read it as this source, where two claim it.")
@study_option
@participant_option
@json_option
def command(
    paths: tuple[Path, ...],
    dry_run: bool,
    zone: str | None,
    source: str | None,
    study_path: Path | None,
    participant: str | None,
    as_json: bool,
) -> None:
    """Import the sleep export of a wearable.

    Nothing is lost: every record read is accepted, merged with the same record, or rejected with its reason. Importing
    the same export twice changes nothing. A damaged file is refused whole.
    """
    summary = _run(paths, dry_run, zone, source, study_path, participant)
    if as_json:
        print_json(summary)
    else:
        _say(summary)


def _run(
    paths: tuple[Path, ...],
    dry_run: bool,
    zone: str | None,
    source: str | None,
    study_path: Path | None,
    participant: str | None,
) -> "ImportSummary":
    from nof1.cli.progress import working
    from nof1.errors import InputMissingError
    from nof1.study.imports import import_exports, preview_exports, preview_in_study

    try:
        study = opened(study_path)
    except InputMissingError:
        if dry_run:
            return preview_exports(paths, zone=zone, source=source)
        study = _offer_study(study_path)
    if dry_run:
        return preview_in_study(study, paths, zone=zone, source=source, participant=participant)
    with working("Reading"):
        return import_exports(study, paths, zone=zone, source=source, participant=participant)


def _offer_study(study_path: Path | None) -> "Study":
    """At a terminal, offer to make the study that is missing; in a script, say how to make it."""
    if not sys.stdin.isatty() or study_path is not None:
        return opened(study_path)
    from nof1.study.study import create_study

    click.confirm("This folder is not a study yet. Make it one?", abort=True)
    return create_study(Path.cwd(), zone=click.prompt("Your home time zone (such as Europe/Berlin)"))


def _say(summary: "ImportSummary") -> None:
    for file in summary.files:
        _say_file(file)
    _say_sessions(summary)
    _say_nights(summary)


def _say_file(file: "FileImported") -> None:
    click.echo(
        f"{file.path}: {file.connector} ({file.because})" + (", imported before" if file.already_imported else "")
    )
    click.echo(
        f"  records read {file.read} = accepted {file.accepted} + merged {file.merged} + rejected {file.rejected}"
    )
    for reason in file.reasons:
        click.echo(f"  rejected {reason['count']}: {reason['reason']} (first: {reason['first_record']})")
    for skipped in file.skipped:
        click.echo(f"  skipped {skipped['member']}: {skipped['reason']}")
    for warning in file.warnings:
        click.echo(f"  note: {warning}")


def _say_sessions(summary: "ImportSummary") -> None:
    new = "" if summary.new_sessions is None else f", {summary.new_sessions} of them new"
    click.echo(f"Sessions: {summary.sessions}{new}.")
    for stream, sessions in summary.streams.items():
        mark = "  <- the nights below" if stream == summary.stream else ""
        click.echo(f"  {stream}: {sessions}{mark}")


def _say_nights(summary: "ImportSummary") -> None:
    if not summary.nights:
        click.echo("Nights: none.")
    else:
        _say_found_nights(summary)
    for note in summary.notes:
        click.echo(f"Note: {note}")


def _say_found_nights(summary: "ImportSummary") -> None:
    click.echo(f"Nights: {summary.nights}, from {summary.first_night} to {summary.last_night} (by the evening's date).")
    click.echo(f"Zone: {_zone(summary)}. {summary.bedtime}")
    sources = ", ".join(f"{source} {count}" for source, count in summary.latency.items() if count)
    click.echo(f"Time to fall asleep can come from (nights of 3 hours and more): {sources or 'nothing'}.")


def _zone(summary: "ImportSummary") -> str:
    if summary.zone_source == "record":
        return "every record brings its own"
    if summary.zone is None:
        return "not known, times stand as written in the export"
    named = {"option": "from --zone", "participant": "your home zone"}
    return f"{summary.zone} ({named[summary.zone_source]}; an export that writes its own zone keeps it)"
