"""``nof1 unblind``: open the seal."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.store.seal import Key
    from nof1.study.study import Study


@click.command(
    epilog='Examples: nof1 unblind --key nof1.key --reason "the trial is over" · '
    'nof1 unblind --period 3 --key nof1.key --reason "emergency department asks"'
)
@click.option("--key", "key_file", type=click.Path(path_type=Path), metavar="FILE", help="The custodian's key file.")
@click.option("--passphrase-env", metavar="NAME", help="The environment variable that holds the passphrase.")
@click.option("--reason", prompt="Why is it opened", help="Stays on record.")
@click.option("--period", type=int, metavar="N", help="Open this one period, at any time: for an emergency.")
@study_option
@participant_option
@json_option
def command(
    key_file: Path | None,
    passphrase_env: str | None,
    reason: str,
    period: int | None,
    study_path: Path | None,
    participant: str | None,
    as_json: bool,
) -> None:
    """Open the allocation after the last night and after nof1 lock; or one period, in an emergency."""
    from nof1.study.sealing import unblind

    study = opened(study_path)
    key = key_from(key_file, passphrase_env, study, participant)
    opened_ = unblind(study, key, reason=reason, period=period, participant=participant)
    if as_json:
        print_json(opened_)
        return
    for number, arm in opened_.arms.items():
        say(f"Period {number}: {arm}")
    if opened_.also_told:
        told = ", ".join(map(str, opened_.also_told))
        which = f"arm of period {told}" if len(opened_.also_told) == 1 else f"arms of periods {told}"
        say(f"That also tells the {which}: by this design nothing else is left.")
    if period is None:
        say("Next: nof1 analyse.")
    else:
        say(
            "It is on record, and the result will say so. If the treatment must end: nof1 stop; if it must rest: nof1 "
            "pause. Otherwise go on as before."
        )


def key_from(key_file: Path | None, passphrase_env: str | None, study: "Study", participant: str | None) -> "Key":
    """The key that the options name; without either the passphrase is asked for, where there is one."""
    from nof1.errors import UsageError
    from nof1.store.seal import Key
    from nof1.study.sealing import is_sealed_to_key

    if key_file is not None:
        return Key(file=key_file)
    if passphrase_env is not None:
        return Key(passphrase=passphrase_in(passphrase_env))
    if is_sealed_to_key(study, participant=participant):
        raise UsageError("The allocation is sealed to a key: add --key FILE, the file that its custodian keeps.")
    return Key(passphrase=click.prompt("Passphrase", hide_input=True))


def passphrase_in(name: str) -> str:
    """The passphrase in an environment variable: an option would stand in everybody's list of processes."""
    from nof1.errors import UsageError

    if name not in os.environ:
        raise UsageError(f"There is no environment variable {name}.")
    return os.environ[name]
