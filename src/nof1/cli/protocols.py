"""``nof1 protocols``: the library, one of them whole, and what it takes to write one's own."""

import json
from pathlib import Path

import click

from nof1.cli.options import json_option, print_json
from nof1.cli.tables import say


class _ShowsByDefault(click.Group):
    """A word that is no command of the group is a protocol to show."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take the protocol's name for an argument of `_show`."""
        return super().resolve_command(ctx, args) if args[0] in self.commands else ("", _show, args)


@click.group(
    cls=_ShowsByDefault,
    invoke_without_command=True,
    subcommand_metavar="[ID|FILE|COMMAND]",
    epilog="Examples: nof1 protocols · nof1 protocols magnesium-glycinate · nof1 protocols new my-own.toml · "
    "nof1 protocols check my-own.toml · nof1 protocols document my-own.toml my-own.md",
)
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the protocols that come with nof1, show one, or write your own.

    With the id of a protocol, or a file, it is checked and shown whole. Copy one and change it: nof1 protocols
    magnesium-glycinate > my-own.toml; or begin with every key there is: nof1 protocols new my-own.toml
    """
    if ctx.invoked_subcommand is None:
        _list(as_json)


@click.command()
@click.argument("protocol")
@json_option
@click.pass_context
def _show(ctx: click.Context, protocol: str, as_json: bool) -> None:
    """Check and show one protocol."""
    from nof1.study.protocols import load_protocol, protocol_text

    checked = load_protocol(protocol)
    if as_json or (ctx.parent and ctx.parent.params["as_json"]):
        print_json(checked)
    else:
        click.echo(protocol_text(protocol)[0], nl=False)
        say(f"{protocol}: no mistakes.", err=True)


@command.command("new", epilog="Example: nof1 protocols new my-own.toml")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def _new(file: Path | None) -> None:
    """Write a protocol with every key, its default and its meaning, to FILE or to the terminal."""
    from nof1.study.protocols import write_template
    from nof1.trial.template import template

    if file is None:
        click.echo(template(), nl=False)
    else:
        write_template(file)
        say(f"Wrote {file}. Fill in the arms, then: nof1 protocols check {file}")


@command.command("check", epilog="Example: nof1 protocols check my-own.toml")
@click.argument("protocol", metavar="FILE|ID")
@json_option
def _check(protocol: str, as_json: bool) -> None:
    """List every mistake of a protocol with its key path (exit 65), or say what its design can reach."""
    from nof1.errors import ProtocolError
    from nof1.study.protocol_check import check_protocol

    try:
        checked = check_protocol(protocol)
    except ProtocolError as error:
        if as_json:
            print_json({"mistakes": error.mistakes})
        raise
    if as_json:
        print_json({"mistakes": [], "checked": checked})
        return
    say(f"{protocol}: no mistakes.")
    if checked.smallest_p is not None:
        say(f"The smallest p that a randomisation test could reach with this design: {checked.smallest_p:.3g}.")
    for line in checked.weaknesses:
        say(f"Weak design: {line}.")


@command.command("document", epilog="Example: nof1 protocols document my-own.toml my-own.md")
@click.argument("protocol", metavar="FILE|ID")
@click.argument("document", type=click.Path(path_type=Path), required=False)
@json_option
def _document(protocol: str, document: Path | None, as_json: bool) -> None:
    """Write a protocol as a document to read, sign and register, item by item of SPENT 2019, before the start.

    DOCUMENT ends in .md or .html; without it Markdown goes to the terminal. What the protocol does not say is MISSING,
    with the key under [about] that would say it. The same protocol gives the same bytes: their SHA-256 is printed.
    """
    from nof1.report.spent import items, missing_words, render_markdown
    from nof1.study.protocols import load_protocol, write_document

    checked = load_protocol(protocol)
    if document is None and not as_json:
        click.echo(render_markdown(checked), nl=False)
        return
    digest = None if document is None else write_document(checked, document)
    if as_json:
        told = [{"item": one.number, "topic": one.topic, "text": one.text, "key": one.key} for one in items(checked)]
        print_json({"document": document and str(document), "sha256": digest, "items": told})
        return
    say(f"Wrote {document}, SHA-256 {digest}")
    say(missing_words(checked))


@command.command("schema", epilog="Example: nof1 protocols schema > protocol.schema.json")
def _schema() -> None:
    """Print the JSON Schema of a protocol, with which an editor checks it as you type."""
    from nof1.trial.schema import protocol_schema

    say(json.dumps(protocol_schema(), indent=2, ensure_ascii=False))


def _list(as_json: bool) -> None:
    from nof1.study.protocols import list_protocols

    protocols = list_protocols()
    if as_json:
        print_json(
            [{"id": one.id, "title": one.title, "question": one.question, "shows": one.shows} for one in protocols]
        )
        return
    for one in protocols:
        say(one.id, bold=True)
        for text in (one.title, one.shows):
            say(click.wrap_text(text, 96, "  ", "  "))
    say("\nShow one whole: nof1 protocols ID")
