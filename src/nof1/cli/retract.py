"""``nof1 retract``: withdraw one import."""

from pathlib import Path

import click

from nof1.cli.options import json_option, opened, print_json, study_option
from nof1.cli.tables import say


@click.command(epilog='Example: nof1 retract 3fa9c1 --reason "wrong zone"')
@click.argument("import_key", metavar="IMPORT")
@click.option("--reason", required=True, help="Why; it stays on record.")
@study_option
@json_option
def command(import_key: str, reason: str, study_path: Path | None, as_json: bool) -> None:
    """Withdraw one import (a wrong zone, a wrong person). It stays on record; import again as it should be.

    IMPORT is the key that nof1 imports shows, or its beginning.
    """
    from nof1.study.imports import retract_import

    retracted = retract_import(opened(study_path), import_key, reason=reason)
    if as_json:
        print_json(retracted)
    else:
        say(f"Retracted {retracted.export} ({retracted.accepted} sessions). It stays on record with your reason.")
        say("What was analysed from it is told no more: nof1 analyse, and nof1 report makes the page anew.")
