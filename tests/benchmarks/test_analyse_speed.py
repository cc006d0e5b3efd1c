"""How long an analysis takes, beside a plain PyMC script of the same two models (run with `-m benchmark -s`)."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from tests.benchmarks.stopwatch import WITH_BYTECODE, seconds

pytestmark = pytest.mark.benchmark

HERE = Path(__file__).parent
ROUNDS = 5
SAMPLING_AT_MOST = 0.4
COMMAND_AT_MOST = 0.6
QUICK_BEYOND_IMPORTS_S = 0.4

LOADED = """
import json, sys
from nof1.cli import main
try:
    main(sys.argv[1:])
finally:
    print(json.dumps([name for name in sys.modules if not name.startswith(("__", "nof1.cli.main"))]), file=sys.stderr)
"""
IMPORT_ALL = """
import importlib, json, sys
from pathlib import Path
for name in json.loads(Path(sys.argv[1]).read_text()):
    try:
        importlib.import_module(name)
    except ImportError:
        pass  # made while running, or a name that a package gives itself
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The demo's trial, analysed once, so that everything is compiled that is kept."""
    folder = tmp_path_factory.mktemp("speed") / "demo"
    seconds("-m", "nof1", "demo", "--keep", folder)
    seconds(HERE / "plain_pymc.py", folder)
    return folder


def test_analysis_takes_less_time_than_a_plain_script_of_its_two_models(study):
    """In a second process the sampling of `nof1 analyse` takes at most 0.4, and the whole command 0.6, of what its two
    models take plainly."""
    rounds = [
        {
            "sampling": seconds(HERE / "nuts_part.py", study),
            "command": seconds("-m", "nof1", "analyse", "--study", study),
            "plain": seconds(HERE / "plain_pymc.py", study),
        }
        for _ in range(ROUNDS)
    ]
    for one in rounds:
        print("\n" + ", ".join(f"{name} {took:.1f} s" for name, took in one.items()))
    sampling, command = (statistics.median(one[part] / one["plain"] for one in rounds) for part in list(rounds[0])[:2])
    print(f"sampling / plain {sampling:.2f}, whole command / plain {command:.2f} (medians of {ROUNDS} rounds)")
    assert sampling <= SAMPLING_AT_MOST
    assert command <= COMMAND_AT_MOST


def test_a_quick_look_takes_little_more_than_its_imports(study, tmp_path):
    """`nof1 analyse --quick` takes at most 0.4 s beyond importing what it imports."""
    words = ("analyse", "--quick", "--study", str(study))
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, *words], check=True, capture_output=True, text=True, env=WITH_BYTECODE
    )
    names = tmp_path / "modules.json"
    names.write_text(ran.stderr.splitlines()[-1])
    rounds = [
        (seconds("-m", "nof1", *words), seconds("-c", IMPORT_ALL, names), seconds("-c", "import polars"))
        for _ in range(2 * ROUNDS)
    ]
    command, imports, polars = (statistics.median(column) for column in zip(*rounds, strict=True))
    beyond = statistics.median(whole - loading for whole, loading, _ in rounds)
    modules = len(json.loads(names.read_text()))
    print(
        f"\nnof1 analyse --quick {command:.2f} s, importing its {modules} modules {imports:.2f} s (polars alone "
        f"{polars:.2f} s): {beyond:.2f} s beyond"
    )
    assert beyond <= QUICK_BEYOND_IMPORTS_S
