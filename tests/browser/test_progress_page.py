"""The page before there is a result, and the index of all pages, in a real browser."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.browser.test_accessible import judged

from nof1.report.overview import Row, render_overview, running_row
from nof1.report.progress import Progress, render_progress
from nof1.study.status import NOT_BEFORE_THE_END
from nof1.trial.adherence import AS_ASSIGNED, MISSED, NONE_DUE, NOT_DUE, UNKNOWN

pytestmark = pytest.mark.browser

FIRST = date(2026, 12, 1)
NIGHTS = 196
OVER = 120
STATES = ["used"] * 5 + ["missing", "aside"]
DOSES = [AS_ASSIGNED] * 4 + [MISSED, UNKNOWN, NOT_DUE, NONE_DUE]


@pytest.fixture
def progress() -> Progress:
    """More than half of a long trial is over, and everything that may happen has happened."""
    ahead = [None] * (NIGHTS - OVER)
    evenings = {
        "night": [FIRST + timedelta(days=night) for night in range(NIGHTS)],
        "state": [STATES[night % 7] for night in range(OVER)] + ["ahead" for _ in ahead],
        "dose": [DOSES[night % 8] for night in range(OVER)] + ahead,
    }
    return Progress(
        participant="P01",
        title="Magnesium or placebo for sleep, in one person",
        question="Does magnesium in the evening give this person more deep sleep, or a shorter time to fall asleep? "
        * 2,
        blinding="concealed from participant and clinician",
        standing=(
            f"{OVER - 7} of {NIGHTS - 7} nights on treatment are over. The last night is that of 2027-06-14.",
            NOT_BEFORE_THE_END,
        ),
        evenings=pl.DataFrame(evenings),
        kept_out={"entered by hand, not recorded": 9, "part of the night was not scored": 8},
        source="Sleep comes from fitbit/legacy; the time to fall asleep from the diary.",
        felt=tuple((name, 90, 20, 9, 1) for name in ("diarrhoea", "nausea", "drowsiness", "vivid dreams", "headache")),
        said=tuple(f"2026-12-{day}: another device." for day in range(10, 18)),
        emergency="Fainting, slow pulse or trouble breathing: stop, seek emergency care, do not wait for unblinding.",
    )


@pytest.mark.parametrize(("width", "dark"), [(320, False), (390, True), (1280, False)])
@pytest.mark.parametrize("kind", ["progress", "index"])
def test_the_page_is_silent_fits_and_can_be_read(  # noqa: PLR0917  fixtures and what they vary
    page: Any, axe: str, progress: Progress, tmp_path: Path, width: int, dark: bool, kind: str
) -> None:
    """No request, no complaint, nothing sticks out, and axe finds nothing."""
    none_yet = Row(participant="P02", title=None, found=("No trial has begun.",), flags=(), link=None)
    rows = [running_row(progress, "P01/report.html"), none_yet]
    path = tmp_path / "page.html"
    path.write_text(render_progress(progress) if kind == "progress" else render_overview(rows), encoding="utf-8")
    page.open(path, width=width, dark=dark)
    assert page.requests == [path.as_uri()]
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert judged(page, axe)["broken"] == []


def test_progress_is_one_sheet(page: Any, progress: Progress, printed: Any, tmp_path: Path) -> None:
    """Half a year of nights, eight changes and five side effects fill one sheet of A4."""
    path = tmp_path / "page.html"
    path.write_text(render_progress(progress), encoding="utf-8")
    assert printed(page, path) == 1
