"""A seed draws the same sequence under every NumPy: a trial that runs for months sees several."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from tests.cases import require_tool

MINORS: Final = ("2.1", "2.3", "2.4")
"""From the lowest that nof1 supports; the one that is installed is compared with them."""

DRAW: Final = """
import json, sys, numpy
from nof1.trial.allocation import allocate
from nof1.trial.protocol import Arm, Design
from nof1.trial.scheme import SCHEMES, Bits

arms = (Arm(code="A", label="One"), Arm(code="B", label="Other", reference=True))
three = (*arms, Arm(code="C", label="Third"))
seeds = [bytes(32), bytes(range(32)), b"\\xff" * 32, *(number.to_bytes(32, "big") for number in range(1, 200))]
vectors = {
    f"{scheme} {blocks} {longest} {seed.hex()}": "".join(
        allocate(
            Design(scheme=scheme, blocks=blocks, longest_run=longest),
            three if scheme == "permuted-blocks" else arms,
            seed,
        ).sequence
    )
    for scheme, how in SCHEMES.items() if how
    for blocks in (2, 6)
    for longest in (None, 2, 3)
    for seed in seeds
}
below = [Bits(seed).below(bound) for seed in seeds for bound in (2, 3, 10, 2**64 - 1, 10**30)]
json.dump([numpy.__version__, vectors, below], sys.stdout)
"""


def drawn(*path: Path) -> tuple[str, dict[str, str], list[int]]:
    """NumPy's version, and what is drawn, by a Python that looks for packages in `path` first."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [sys.executable, "-W", "error", "-c", DRAW]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    version, vectors, below = json.loads(done.stdout)
    return version, vectors, below


@pytest.mark.calibration
@pytest.mark.parametrize("minor", MINORS)
def test_every_numpy_draws_the_same(tmp_path: Path, minor: str) -> None:
    """Thousands of sequences and numbers, drawn under another minor version, are those of the installed one."""
    require_tool("uv", "no other NumPy can be installed")
    command = ["uv", "pip", "install", "--quiet", "--no-deps", "--only-binary", "numpy", "--python", sys.executable]
    subprocess.run([*command, "--target", tmp_path / "numpy", f"numpy=={minor}.*"], check=True, cwd=tmp_path)
    version, *vectors = drawn(tmp_path / "numpy")
    assert version.startswith(f"{minor}.")
    installed, *expected = drawn()
    assert not installed.startswith(f"{minor}.")
    assert vectors == expected
    assert len(vectors[0]) > 5_000
    assert len(set(vectors[0].values())) > 500
