"""A sign of life during long work: on a terminal, and nothing on a pipe."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def working(doing: str) -> Iterator[None]:
    """Show a spinner on stderr while the work goes on, if stderr is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{doing} ..."):
        yield
