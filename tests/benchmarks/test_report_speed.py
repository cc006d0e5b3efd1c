"""How long a page takes, alone and when a clinician renders everybody's, and how much memory that needs."""

import statistics
import time
from functools import partial
from pathlib import Path

import pytest
from tests.benchmarks.one_page import page_and_memory
from tests.benchmarks.stopwatch import seconds
from tests.cases import Typist

from nof1.model.workers import cores
from nof1.study.overview import in_batches

pytestmark = pytest.mark.benchmark

PAGES = 100
ONE_AT_MOST_S = 3.0
ALL_AT_MOST_S = 60.0
GROWS_AT_MOST = 1.2


def rendered(study: Path, pages: int) -> tuple[float, int]:
    """Render so many pages: seconds, and the most MiB that a worker ever held."""
    began = time.perf_counter()
    told = list(in_batches(partial(page_and_memory, study), [("INVENTED", True)] * pages))
    assert all(there for there, _ in told)
    return time.perf_counter() - began, max(held for _, held in told)


def test_one_page_is_there_at_once(typist: Typist, tmp_path: Path) -> None:
    """``nof1 report`` takes at most 3 s beyond importing what it draws with."""
    typist.does("demo", "--keep", "demo")
    whole = statistics.median(seconds("-m", "nof1", "report", "--study", tmp_path / "demo") for _ in range(5))
    imports = statistics.median(seconds("-c", "import nof1.study.pages, altair, xarray, vl_convert") for _ in range(5))
    print(f"\nnof1 report {whole:.1f} s, of which importing {imports:.1f} s")
    assert whole - imports <= ONE_AT_MOST_S


def test_a_hundred_pages_take_a_minute(typist: Typist, tmp_path: Path) -> None:
    """A hundred pages take at most 60 s, and a worker needs little more memory for all of its pages than for ten."""
    typist.does("demo", "--keep", "demo")
    _, first = rendered(tmp_path / "demo", 10 * cores())
    took, most = rendered(tmp_path / "demo", PAGES)
    print(f"\n{PAGES} pages {took:.0f} s; a worker held at most {first} MiB for its first ten, {most} MiB for all")
    assert most <= GROWS_AT_MOST * first
    assert took <= ALL_AT_MOST_S
