"""``nof1 init``: make a study."""

from pathlib import Path

import click

from nof1.cli.options import json_option, print_json
from nof1.cli.tables import say


@click.command(epilog="Example: nof1 init my-trial --zone Europe/Berlin")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--zone", required=True, metavar="IANA", help="Your home time zone, such as Europe/Berlin.")
@click.option("--participant", default="P01", show_default=True, metavar="CODE", help="A code for you, never a name.")
@json_option
def command(folder: Path, zone: str, participant: str, as_json: bool) -> None:
    """Make a study folder: where everything about one trial is kept."""
    from nof1.study.study import create_study

    clock = click.get_current_context().find_root().obj
    study = create_study(folder, zone=zone, participant=participant, **({"clock": clock} if clock else {}))
    if as_json:
        print_json({"study": study.folder.path, "participant": participant, "zone": zone})
        return
    say(f"Made a study in {study.folder.path} for participant {participant} ({zone}).")
    say(f"Next: cd {folder}, then nof1 import YOUR-EXPORT and nof1 protocols.")
