"""``nof1 kits``: what the custodian packs."""

from pathlib import Path

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say


@click.command(
    epilog="Examples: nof1 kits --key ~/safe/nof1.key --output ~/safe/kits-P01.html --study my-trial · "
    "nof1 kits --passphrase-env PACKING --study my-trial"
)
@click.option("--key", "key_file", type=click.Path(path_type=Path), metavar="FILE", help="The custodian's key file.")
@click.option("--passphrase-env", metavar="NAME", help="The environment variable that holds the passphrase.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A new file outside the study; by default kits-P01.html where you are.",
)
@click.option(
    "--reserve-nights",
    type=int,
    default=2,
    show_default=True,
    metavar="N",
    help="Doses in each bottle beyond its nights.",
)
@study_option
@participant_option
@json_option
def command(
    key_file: Path | None,
    passphrase_env: str | None,
    output: Path | None,
    reserve_nights: int,
    study_path: Path | None,
    participant: str | None,
    as_json: bool,
) -> None:
    """For the custodian alone: a page to print, with packing list, blind bottle labels and emergency cards.

    Nothing of what it tells is printed here. Without --key the passphrase is asked for.
    """
    from nof1.cli.unblind import key_from
    from nof1.study.kits import write_kits

    study = opened(study_path)
    key = key_from(key_file, passphrase_env, study, participant)
    made = write_kits(study, key, output=output, reserve_nights=reserve_nights, participant=participant)
    if as_json:
        print_json(made)
        return
    amount = f"{made.units} units ({made.doses} doses)" if made.units is not None else f"{made.doses} doses"
    say(f"Written: {made.page}: packing list, labels and emergency cards of {made.bottles} bottles, {amount} each.")
    say("It tells every arm. Print it where nobody looks on, then delete it: it can be made again with the key.")
