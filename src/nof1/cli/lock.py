"""``nof1 lock``: fix what will be analysed, before the seal is opened."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from nof1.cli.options import json_option, opened, participant_option, print_json, study_option
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.study.sealing import Looked


@click.command(epilog="Example: nof1 lock --looked no")
@click.option(
    "--looked",
    type=click.Choice(["no", "yes", "not said"]),
    prompt="Did anybody compare the nights by period, in the vendor's app or elsewhere",
    help="Whether anybody has looked at the nights by period already.",
)
@study_option
@participant_option
@json_option
def command(looked: str, study_path: Path | None, participant: str | None, as_json: bool) -> None:
    """Fix the nights, exclusions, protocol and version by their hash, before anybody knows the arms.

    What changes afterwards is listed in the result as changed after the lock.
    """
    from nof1.study.sealing import lock_analysis
    from nof1.study.status import left_unsaid, read_so_far

    study = opened(study_path)
    unsaid = left_unsaid(read_so_far(study, participant=participant))
    lock = lock_analysis(study, looked=cast("Looked", looked), participant=participant)
    if as_json:
        print_json(asdict(lock) | {"unsaid": unsaid})
        return
    for told in unsaid:
        say(told)
    if unsaid:
        say("What is written down after this is told in the result as changed after the lock; nof1 lock fixes it anew.")
    say(f"Locked: nights {lock.nights[:16]}..., diary {lock.diary[:16]}..., protocol {lock.protocol[:16]}...")
    say("Next: the custodian opens the seal with nof1 unblind --key FILE --reason ...")
