"""Asking a person at a terminal: one question a line, Enter skips where skipping is possible."""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime

import click

from nof1.cli.tables import say
from nof1.errors import Nof1Error

YES: tuple[str, ...] = ("y", "yes")
NO: tuple[str, ...] = ("n", "no")


def at_terminal() -> bool:
    """Whether somebody is there to answer: a script is never asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask[T](question: str, read: Callable[[str], T]) -> T | None:
    """Ask until the answer can be read; None where Enter skips the question.

    Parameters
    ----------
    read
        Makes a value of what was typed; an error of nof1 says what is wrong with it.
    """
    while True:
        typed: str = click.prompt(question, default="", show_default=False, prompt_suffix=": ").strip()
        if not typed:
            return None
        try:
            return read(typed)
        except Nof1Error as error:
            say(f"  {error}")


def ask_yes_no(question: str) -> bool | None:
    """Ask a yes-or-no question; None where it is skipped."""
    answer = ask_one_of(f"{question} (y/n)", (*YES, *NO))
    return None if answer is None else answer in YES


def ask_one_of(question: str, answers: Sequence[str]) -> str | None:
    """Ask for one of some words, or the beginning of one that no other has; None where it is skipped."""
    from nof1.errors import UsageError

    def read(typed: str) -> str:
        said = typed.casefold()
        whole = [word for word in answers if word.casefold() == said]
        meant = whole or [word for word in answers if word.casefold().startswith(said)]
        if len(meant) != 1:
            raise UsageError(f"Type one of: {', '.join(answers)}.")
        return meant[0]

    return ask(question, read)


def ask_number[N: float](question: str, kind: Callable[[str], N]) -> N | None:
    """Ask for a number of a kind, ``int`` or ``float``; None where it is skipped."""
    from nof1.errors import UsageError

    def read(typed: str) -> N:
        try:
            return kind(typed)
        except ValueError as error:
            raise UsageError(f"{typed[:20]!r} is no such number.") from error

    return ask(question, read)


def in_words(value: object) -> str:
    """A value of the diary as a person says it, without what could act on a terminal."""
    from nof1.report.plain import plain

    if isinstance(value, datetime):
        return f"{value:%H:%M}"
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "not said"}[value]
    return plain(str(value))
