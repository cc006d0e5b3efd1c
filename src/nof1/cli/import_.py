"""``nof1 import``: read exports into the study."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.study.import_summary import FileImported, ImportSummary
    from nof1.study.study import Study


LATENCY: Final = {
    "vendor": "the figure that the export gives",
    "in_bed": "a mark of going to bed",
    "stages": "a guess from the first wake",
    "none": "nothing tells it",
}

MOST_REASONS: Final = 8


@click.command(
    name="import",
    epilog="Examples: nof1 import fitbit.json · nof1 import takeout.zip --zone Europe/Berlin · "
    "nof1 import --dry-run some-export.zip · How to get an export: nof1 connectors",
)
@click.argument("paths", nargs=-1, required=True, metavar="FILE|FOLDER|ZIP...", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what the export holds and store nothing; works anywhere.")
@click.option("--zone", metavar="IANA", help="The zone of an export that names none; else your home zone.")
@click.option("--from", "source", metavar="CONNECTOR", help="Read it as this source, where two claim it.")
@click.option("--stream", metavar="NAME", help="Take the nights from this stream, where several hold them.")
@click.option("--untested-ok", is_flag=True, help="Also read what its reader has never met in a real export.")
@study_option
@participant_option
@json_option
def command(
    paths: tuple[Path, ...],
    dry_run: bool,
    zone: str | None,
    source: str | None,
    stream: str | None,
    untested_ok: bool,
    study_path: Path | None,
    participant: str | None,
    as_json: bool,
) -> None:
    """Import the sleep export of a wearable.

    Nothing is lost: every record read is accepted, merged with the same record, or rejected with its reason. Importing
    the same export twice changes nothing. A damaged file is refused whole, and where not one record is accepted nothing
    is stored: both end with exit code 65. Rejected records beside accepted ones end with 0; --json lists them all.
    """
    from nof1.errors import NothingImportedError

    tell = print_json if as_json else _say
    study = _study(study_path, dry_run=dry_run)
    try:
        tell(_run(study, paths, zone, source, stream, untested_ok, participant, dry_run=dry_run))
    except NothingImportedError as nothing:
        tell(nothing.account)
        raise


def _study(study_path: Path | None, *, dry_run: bool) -> "Study | None":
    """The study to import into; None where a dry run needs none."""
    from nof1.errors import InputMissingError

    try:
        return opened(study_path)
    except InputMissingError:
        return None if dry_run else _offer_study(study_path)


def _run(
    study: "Study | None",
    paths: tuple[Path, ...],
    zone: str | None,
    source: str | None,
    stream: str | None,
    untested_ok: bool,
    participant: str | None,
    *,
    dry_run: bool,
) -> "ImportSummary":
    from nof1.cli.progress import reading
    from nof1.study.imports import import_exports, preview_exports, preview_in_study

    with reading() as progress:
        how: dict[str, Any] = {
            "zone": zone,
            "source": source,
            "stream": stream,
            "untested_ok": untested_ok,
            "progress": progress,
        }
        if study is None:
            return preview_exports(paths, **how)
        importing = preview_in_study if dry_run else import_exports
        return importing(study, paths, participant=participant, **how)


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
    say(f"{file.path}: {file.connector} ({file.because})" + (", imported before" if file.already_imported else ""))
    say(f"  records read {file.read} = accepted {file.accepted} + merged {file.merged} + rejected {file.rejected}")
    _say_rejected(file)
    for skipped in file.skipped:
        say(f"  skipped {skipped['member']}: {skipped['reason']}")
    for warning in file.warnings:
        say(f"  note: {warning}")


def _say_rejected(file: "FileImported") -> None:
    for reason in file.reasons[:MOST_REASONS]:
        such_as = " and ".join(one["record"] for one in reason["examples"])
        more = "such as " if reason["count"] > len(reason["examples"]) else ""
        say(f"  rejected {reason['count']:,}: {reason['reason']} ({more}{such_as})")
    if rest := file.reasons[MOST_REASONS:]:
        say(f"  rejected {sum(one['count'] for one in rest):,} more, for {len(rest)} other reasons")
    if file.rejected > sum(len(one["examples"]) for one in file.reasons[:MOST_REASONS]):
        say("  --json lists every rejected record.")


def _say_sessions(summary: "ImportSummary") -> None:
    new = "" if summary.new_sessions is None else f", {summary.new_sessions} of them new"
    say(f"Sessions: {summary.sessions}{new}.")
    for stream, sessions in summary.streams.items():
        mark = "  <- the nights below" if stream == summary.stream else ""
        say(f"  {stream}: {sessions}{mark}")
    if len(summary.streams) > 1:
        say("  Each is a measurement of its own, and they are never blended. Choose another with --stream NAME.")


def _say_nights(summary: "ImportSummary") -> None:
    if not summary.nights:
        say("Nights: none.")
    else:
        _say_found_nights(summary)
    for note in summary.notes:
        say(f"Note: {note}")


def _say_found_nights(summary: "ImportSummary") -> None:
    for night in summary.last_nights:
        say(f"  {night}")
    say(f"Nights: {summary.nights}, from {summary.first_night} to {summary.last_night} (by the evening's date).")
    say(f"Zone: {_zone(summary)}. {summary.bedtime}")
    sources = "; ".join(f"{LATENCY[source]} on {count} nights" for source, count in summary.latency.items() if count)
    say(f"Time to fall asleep, on nights of 3 hours and more: {sources or 'not told'}.")


def _zone(summary: "ImportSummary") -> str:
    if summary.zone_source == "record":
        return "every record brings its own"
    if summary.zone is None:
        return "not known (add --zone); times stand as the export writes them, which may be UTC"
    named = {"option": "from --zone", "participant": "your home zone"}
    return f"{summary.zone} ({named[summary.zone_source]}; an export that writes its own zone keeps it)"
