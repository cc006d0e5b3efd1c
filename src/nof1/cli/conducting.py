"""What the commands that steer a trial share: options, and how the outcome is told."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from nof1.cli.options import print_json
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.study.conduct import Conducted


def night_option(help_text: str) -> Callable[[Any], Any]:
    """``--on DATE``, as in ``nof1 start``; ``--night`` is what earlier versions called it."""
    return click.option("--on", "--night", "night", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help=help_text)


def as_date(moment: datetime | None) -> date | None:
    """The date of an option that click read."""
    return moment.date() if moment else None


def tell(conducted: "Conducted", sentence: str, *, as_json: bool) -> None:
    """Say what was written down, where the calendar ends now, and what that leaves to do."""
    if as_json:
        print_json(conducted)
        return
    say(f"{sentence}{_ends(conducted)}")
    if conducted.lived:
        say(_lived(conducted.lived))
    if then := THEN.get(conducted.kind):
        say(then)


def _ends(conducted: "Conducted") -> str:
    if conducted.kind == "paused":
        return ""
    if conducted.last_night is None:
        return " No evening of the trial was lived: the calendar is empty."
    return f" The calendar's last evening is {conducted.last_night}."


def _lived(nights: "Sequence[date]") -> str:
    which = (
        f"{nights[0]} counts as an evening" if len(nights) == 1 else f"{nights[0]} to {nights[-1]} count as evenings"
    )
    return (
        f"{which} on treatment now. Say of each whether its dose was taken, where you have not: nof1 log --date "
        f"{nights[0]} --taken, or --not-taken. What is due on an evening: nof1 today --date {nights[0]}."
    )


THEN = {
    "paused": "The evenings to come move when you resume. Alarms on a phone do not know: silence them until then.",
    "resumed": "Alarms on a phone still know the old evenings: write the file anew with nof1 calendar, and open it.",
    "stopped": "Delete the alarms on a phone, or open there what nof1 calendar writes now. Next: import your nights, "
    "nof1 lock where arms are sealed, nof1 analyse.",
    "withdrawn": "Delete the alarms on a phone, or open there what nof1 calendar writes now.",
}
"""What a change of plan leaves to do, by its kind."""
