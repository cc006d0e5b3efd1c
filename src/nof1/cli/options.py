"""Options that several commands share, and how results become JSON."""

import dataclasses
import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from nof1.study.study import Study


def study_option[F: Callable[..., Any]](function: F) -> F:
    """``--study FOLDER``, by default the study that the working directory lies in."""
    return click.option(
        "--study",
        "study_path",
        type=click.Path(path_type=Path),
        envvar="NOF1_STUDY",
        help="The study folder; by default the one you are in (or $NOF1_STUDY).",
    )(function)


def participant_option[F: Callable[..., Any]](function: F) -> F:
    """``--participant CODE``, needed only where a study has several."""
    return click.option("--participant", metavar="CODE", help="Whose; not needed with one participant.")(function)


def json_option[F: Callable[..., Any]](function: F) -> F:
    """``--json``: machine output on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")(function)


def opened(study_path: Path | None) -> "Study":
    """The study that a command works on. Its clock is the context's, where one was given (the demo plays with time)."""
    from nof1.study.study import open_study

    clock = click.get_current_context().find_root().obj
    return open_study(study_path, clock=clock) if clock else open_study(study_path)


def print_json(value: object) -> None:
    """Print a result of `nof1.study` as JSON: dataclasses as objects, dates as ISO 8601, missing as null.

    What could act on a terminal is escaped, as JSON may be.
    """
    from nof1.report.plain import inactive

    click.echo(inactive(json.dumps(value, default=_plain, indent=2, ensure_ascii=False, allow_nan=False)))


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
