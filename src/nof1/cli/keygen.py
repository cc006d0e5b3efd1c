"""``nof1 keygen``: the custodian's key."""

from pathlib import Path

import click

from nof1.cli.options import json_option, print_json
from nof1.cli.tables import say


@click.command(epilog="Example: nof1 keygen ~/safe/nof1.key")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def command(file: Path, as_json: bool) -> None:
    """Make a key for the custodian: who packs the capsules, and never takes or judges them.

    FILE stays with the custodian, on their own machine, with a copy in a safe place: without it the allocation is lost.
    The line that is printed is public; give it to whoever starts the trial.
    """
    from nof1.study.sealing import make_key

    public = make_key(file)
    if as_json:
        print_json({"file": file, "public_key": public})
        return
    say(f"The key is in {file}. Keep it, and a copy of it; never put it into the study folder.")
    say(f"Public key, for nof1 start --custodian:\n{public}")
