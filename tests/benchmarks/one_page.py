"""What a worker does in the benchmark of many pages; here alone, so that it imports no more than nof1 would."""

import re
from datetime import UTC, datetime
from pathlib import Path

from nof1.study.overview import _row_of


def page_and_memory(study: Path, code: str, has_trial: bool) -> tuple[bool, int]:
    """Render one page as ``nof1 report --all`` does: whether it is there, and the most MiB this process ever held."""
    row, failure = _row_of(study, datetime.now(UTC), "benchmark", code, has_trial)
    there = row.link is not None and failure is None
    held = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    assert held is not None  # getrusage would tell what the process that started this one held
    return there, int(held[1]) // 1024
