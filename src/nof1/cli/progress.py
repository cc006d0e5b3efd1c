"""A sign of life during long work: on a terminal, and nothing on a pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def working(doing: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner on stderr while the work goes on, if that is a terminal; call what it gives to say what begins."""
    if not sys.stderr.isatty():
        yield lambda _step: None
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{doing} ...") as status:
        yield lambda step: status.update(f"{doing}: {step} ...")
