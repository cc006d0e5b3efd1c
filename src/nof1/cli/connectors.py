"""``nof1 connectors``: which exports can be imported, what each can tell, and how to get them."""

import re
import shutil
import textwrap
from typing import TYPE_CHECKING, Final

import click

from nof1.cli.options import json_option, print_json
from nof1.cli.tables import say

if TYPE_CHECKING:
    from nof1.study.sources import Source


LEGEND: Final = (
    'Time to fall asleep: "bed mark", the export says when you went to bed; "own figure", the vendor tells a latency '
    'of its own; "a guess", the device infers it, and it gets no verdict; "cannot tell": log your lights-out.',
    "Seen: whether the reader has met real exports. Where not, it asks for --untested-ok: look before you trust.",
    "How to get an export: nof1 connectors fitbit (any name of the first column).",
)
SPARE: Final = ("zone", "naps")
"""What a narrow screen goes without; --json tells it."""
WIDEST: Final = 120
"""Longer lines of text are hard to read."""


@click.command(epilog="Examples: nof1 connectors · nof1 connectors fitbit · nof1 connectors --json")
@click.argument("source", required=False)
@json_option
def command(source: str | None, as_json: bool) -> None:
    """List the wearables whose exports nof1 reads, or tell how to get the export of one."""
    from nof1.study.sources import describe_source, list_sources

    if source is not None:
        described = describe_source(source)
        print_json(described) if as_json else _tell(described)
    elif as_json:
        print_json(list_sources())
    else:
        _list(list_sources())


def _list(sources: "list[Source]") -> None:
    from nof1.cli.tables import print_table
    from nof1.study.sources import COLUMNS, matrix

    print_table(COLUMNS, matrix(sources), spare=SPARE)
    width = min(shutil.get_terminal_size().columns, WIDEST)
    click.echo()
    for line in LEGEND:
        say(textwrap.fill(line, width, break_on_hyphens=False))


def _tell(source: "Source") -> None:
    say(source.title, bold=True)
    say(f"Time to fall asleep: {source.latency_note}.")
    for form in (form for form in source.forms if form.alone):
        met = "" if form.seen else " (never met in a real export: --untested-ok)"
        say(f"Reads {form.evidence}{met}.")
    if source.how_to_get is None:
        say("\nIts connector does not tell how to get the export.")
    else:
        plain = re.sub(r"^ *```.*\n|\*\*|`", "", source.how_to_get, flags=re.MULTILINE)
        say(f"\nHow to get the export\n\n{plain}")
