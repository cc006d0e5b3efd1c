"""``nof1 imports``: what was imported."""

from pathlib import Path

import click

from nof1.cli.options import json_option, opened, print_json, study_option
from nof1.cli.tables import say


@click.command(epilog="Example: nof1 imports")
@study_option
@json_option
def command(study_path: Path | None, as_json: bool) -> None:
    """List every import, retracted ones too."""
    from nof1.study.imports import list_imports

    imports = list_imports(opened(study_path))
    if as_json:
        print_json(imports)
        return
    if not imports:
        say("Nothing was imported yet. Next: nof1 import YOUR-EXPORT.")
        return
    from nof1.cli.tables import print_table

    print_table(
        ["import", "when", "whose", "export", "source", "zone", "sessions", "rejected", "state"],
        [
            (
                *(one.key[:8], one.at[:16], one.participant, one.export, one.connector, one.zone),
                *(one.accepted, one.rejected, "retracted" if one.retracted else ""),
            )
            for one in imports
        ],
    )
