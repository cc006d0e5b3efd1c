"""The pages of everybody in a study, and the index that links them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import batched
from pathlib import Path
from typing import Any, Final, NamedTuple

from nof1.errors import Nof1Error
from nof1.model.workers import cores, on_every_core
from nof1.report.overview import Row, analysed_row, render_overview, running_row
from nof1.store.folder import write_private_file
from nof1.study.pages import result_to_tell, write_report
from nof1.study.progress import read_progress
from nof1.study.study import Study, open_study

INDEX: Final = "index.html"
FEW: Final = 4
"""So many pages are sooner made in this process than others are started."""
PAGES_PER_WORKER: Final = 50
"""The library that draws keeps about a megabyte of every page."""


class Failure(NamedTuple):
    """Why the page of one participant could not be made."""

    message: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What was written.

    Parameters
    ----------
    index
        The page that links all others.
    failures
        Whose page could not be made; the index says so, too.
    """

    index: Path
    rows: list[Row]
    failures: dict[str, Failure]


def write_all_reports(study: Study, *, progress: Callable[[str], None] = lambda _: None) -> Overview:
    """Render the page of every participant whose trial has begun, and ``reports/index.html``.

    What cannot be rendered for one keeps nobody else from theirs.
    """
    with study.record() as record:
        begun = {code: bool(record.events("started_trial", participant=code)) for code in record.participants()}
    pieces = list(begun.items())
    work = partial(_row_of, study.folder.path, study.clock(), study.actor)
    rows, failures = [], {}
    for place, (row, failure) in enumerate(in_batches(work, pieces), start=1):
        progress(f"{place} of {len(pieces)}")
        rows.append(row)
        if failure is not None:
            failures[row.participant] = failure
    index = study.folder.all_reports / INDEX
    write_private_file(index, render_overview(rows).encode())
    return Overview(index, rows, failures)


def in_batches[Result](work: Callable[..., Result], pieces: Sequence[tuple[Any, ...]]) -> Iterator[Result]:
    """Do the pieces on every core, with new workers for every so many.

    `concurrent.futures` could replace a worker after so many pieces, but stands still at times when it does.
    """
    for batch in batched(pieces, PAGES_PER_WORKER * cores(), strict=False):
        yield from on_every_core(work, batch, workers=1 if len(batch) <= FEW else None)


def _row_of(folder: Path, now: datetime, actor: str, code: str, has_trial: bool) -> tuple[Row, Failure | None]:
    """Make the page of one participant; in any process, so that the study is opened anew."""
    if not has_trial:
        return _nothing(code, "No trial has begun."), None
    study = replace(open_study(folder, clock=lambda: now), actor=actor)
    try:
        path = write_report(study, participant=code)
        link = f"{path.parent.name}/{path.name}"
        result = result_to_tell(study, code)
        if result is None:
            return running_row(read_progress(study, participant=code), link), None
        return analysed_row(result, link), None
    except Nof1Error as error:
        return _failed(code, str(error), error.exit_code)
    except Exception as error:  # noqa: BLE001  a fault of nof1 in one page is told there, and ends no other
        return _failed(code, f"{type(error).__name__}: {error}. That is a fault of nof1: please report it.", 1)


def _failed(code: str, why: str, exit_code: int) -> tuple[Row, Failure]:
    return _nothing(code, f"No page could be made: {why}"), Failure(why, exit_code)


def _nothing(code: str, why: str) -> Row:
    return Row(participant=code, title=None, found=(why,), flags=(), link=None)
