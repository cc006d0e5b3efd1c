"""Placeholder until the model room stands."""

import click


@click.command()
def command() -> None:
    """Soon."""
