"""``nof1 protocols``: the library, and one of them whole."""

import click

from nof1.cli.options import json_option, print_json


@click.command(epilog="Examples: nof1 protocols · nof1 protocols magnesium-glycinate · nof1 protocols my-own.toml")
@click.argument("protocol", required=False)
@json_option
def command(protocol: str | None, as_json: bool) -> None:
    """List the protocols that come with nof1, or check and show one.

    Copy one to a file and change it to make your own: nof1 protocols magnesium-glycinate > my-own.toml
    """
    if protocol is None:
        _list(as_json)
    else:
        _show(protocol, as_json)


def _list(as_json: bool) -> None:
    from nof1.study.protocols import list_protocols

    protocols = list_protocols()
    if as_json:
        print_json(
            [{"id": one.id, "title": one.title, "question": one.question, "shows": one.shows} for one in protocols]
        )
        return
    for one in protocols:
        click.secho(one.id, bold=True)
        for text in (one.title, one.shows):
            click.echo(click.wrap_text(text, 96, "  ", "  "))
    click.echo("\nShow one whole: nof1 protocols ID")


def _show(protocol: str, as_json: bool) -> None:
    from nof1.study.protocols import load_protocol, protocol_text

    checked = load_protocol(protocol)
    if as_json:
        print_json(checked)
    else:
        click.echo(protocol_text(protocol)[0], nl=False)
        click.echo(f"{protocol}: no mistakes.", err=True)
