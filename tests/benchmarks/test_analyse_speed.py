"""How long the sampling of an analysis takes, beside a plain PyMC script (run with `-m benchmark`)."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROUNDS = 3
AT_MOST = 0.5


def seconds(script):
    """Wall-clock seconds of one process."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, str(HERE / script)], check=True, capture_output=True)
    return time.perf_counter() - begin


@pytest.mark.benchmark
def test_analysis_takes_half_the_time_of_a_plain_script(capsys):
    """Both outcomes in a second process take at most half of what the same models take with `pm.sample`."""
    for script in ("plain_pymc.py", "nof1_nuts.py"):
        seconds(script)
    pairs = [(seconds("nof1_nuts.py"), seconds("plain_pymc.py")) for _ in range(ROUNDS)]
    ratio = statistics.median(ours / plain for ours, plain in pairs)
    with capsys.disabled():
        for ours, plain in pairs:
            print(f"\nnof1 {ours:.1f} s, plain PyMC {plain:.1f} s, ratio {ours / plain:.2f}")  # noqa: T201
        print(f"median ratio {ratio:.2f}")  # noqa: T201
    assert ratio <= AT_MOST
