"""How long an analysis takes, beside a plain PyMC script of the same two models (run with `-m benchmark -s`)."""

import statistics
from pathlib import Path

import pytest
from tests.benchmarks.stopwatch import seconds

HERE = Path(__file__).parent
ROUNDS = 5
AT_MOST = 0.5


@pytest.mark.benchmark
def test_analysis_takes_half_the_time_of_a_plain_script(tmp_path):
    """`nof1 analyse` of the demo, in a second process, takes at most half of what its two models take plainly."""
    study = tmp_path / "demo"
    seconds("-m", "nof1", "demo", "--keep", study)
    seconds(HERE / "plain_pymc.py", study)
    pairs = [
        (seconds("-m", "nof1", "analyse", "--study", study), seconds(HERE / "plain_pymc.py", study))
        for _ in range(ROUNDS)
    ]
    ratio = statistics.median(ours / plain for ours, plain in pairs)
    for ours, plain in pairs:
        print(f"\nnof1 analyse {ours:.1f} s, plain PyMC {plain:.1f} s, ratio {ours / plain:.2f}")
    print(f"median ratio {ratio:.2f}")
    assert ratio <= AT_MOST
